#!/usr/bin/env bash
# What a run leaves behind: the counts add up, checks and the contract set the exit code, stdout is for results.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

# adds_up NAME RUN.JSON: the sums of the contract.
adds_up() {
    equal "$1: every datagram meets exactly one fate" true "$(value "$2" '[.flows[].packets |
        .sent + .duplicated == .delivered + .lost_link + .lost_node + .dropped_queue + .dropped_checksum] | all and length > 0')"
    equal "$1: loss runs hold all that was not delivered" true "$(value "$2" '[.flows[] |
        ([.loss_runs | to_entries[] | (.key | tonumber) * .value] | add // 0) == .packets.unrepaired] | all')"
    equal "$1: every unit sent is presented or missing" true "$(value "$2" '[.substreams[] |
        .sent.units == (.presented | .on_time + .late + .missing + .damaged)
            and .sent.units == .presented.missing + (.decodable | .intact + .impaired + .undecodable)] | all and length > 0')"
    equal "$1: what enters a link leaves it or is dropped" true "$(value "$2" '[.links[] |
        .packets.in + .duplicated == .packets.out + (.drops | .loss + .queue_full + .aqm + .down + .policed)] | all and length > 0')"
    equal "$1: as many one-way delays as packets delivered" true "$(value "$2" '[.flows[] |
        .one_way_delay_ns.count == .packets.delivered] | all')"
}

# The artifacts' sizes and hashes are those of the files, and no file is left out.
artifacts_true() {
    (
        cd "$1"
        value run.json '.artifacts[] | "\(.sha256)  \(.path)"' | sha256sum --check --quiet - || exit 1
        diff <(value run.json '.artifacts[].path' | sort) <(find . -type f ! -name run.json -printf '%P\n' | sort)
    )
}

for name in clapper-lan clapper-dsl clapper-multicast; do
    run_or_stop "$scenarios/$name.yaml" --out "$scratch/$name"
    adds_up "$name" "$scratch/$name/run.json"
    ok "$name: artifacts are listed with their hashes" artifacts_true "$scratch/$name"
    equal "$name: the schema is named" rubato.run/2 "$(value "$scratch/$name/run.json" .schema)"
    equal "$name: status" completed "$(value "$scratch/$name/run.json" .run.status)"
    ok "$name: scenario.yaml is the one given" cmp "$scenarios/$name.yaml" "$scratch/$name/scenario.yaml"
done
for file in resolved.yaml series.csv session.sdp sent.ts received.ts capture/sender.pcap capture/receiver.pcap; do
    ok "clapper-dsl: $file is there" test -s "$scratch/clapper-dsl/$file"
done
equal "series.csv has its header" t_ns,entity,metric,value,unit "$(head -n 1 "$scratch/clapper-dsl/series.csv")"
for preset in lan iptv dsl-evening wifi-busy; do
    exits 0 "preset $preset runs" "$rubato" run "$preset" --duration 10s --set "qos={}" --quiet --out "$scratch/$preset"
    adds_up "preset $preset" "$scratch/$preset/run.json"
    contains "presets list names $preset" "$preset" "$("$rubato" presets list)"
done

# resolved.yaml is a scenario that gives the same run.
(cd "$root" && "$rubato" run "$scenarios/clapper-dsl.yaml" --print-resolved) >"$scratch/resolved.yaml"
contains "--print-resolved shows a default that the file leaves out" ts_packets_per_datagram "$(cat "$scratch/resolved.yaml")"
exits 0 "resolved.yaml runs" "$rubato" run "$scratch/clapper-dsl/resolved.yaml" --quiet --out "$scratch/from-resolved"
equal "resolved.yaml gives the same digest" "$(value "$scratch/clapper-dsl/run.json" .run.digest)" \
    "$(value "$scratch/from-resolved/run.json" .run.digest)"

# Standard output is for results.
exits 0 "run --json" "$rubato" run "$scenarios/clapper-lan.yaml" --json --out "$scratch/json"
equal "run --json prints one JSON document: run.json" "$(jq -S . "$scratch/json/run.json")" "$(jq -S . "$scratch/stdout")"
exits 0 "run --quiet" "$rubato" run "$scenarios/clapper-lan.yaml" --quiet --out "$scratch/quiet"
equal "run --quiet says nothing on stderr" "" "$(cat "$scratch/stderr")"
exits 0 "run" "$rubato" run "$scenarios/clapper-lan.yaml" --out "$scratch/loud"
ok "the summary goes to stdout" test -s "$scratch/stdout"
equal "no escape sequences where there is no terminal" 0 "$(cat "$scratch/stdout" "$scratch/stderr" | grep -c $'\033' || true)"

# Checks, the contract and the exit code.
lan=("$rubato" run "$scenarios/clapper-lan.yaml" --quiet --force --out "$scratch/checked")
exits 0 "a check that holds" "${lan[@]}" --check 'flows[tv].packets.delivered > 100' --check 'flows.packets.late == 0'
exits 3 "a check that does not hold" "${lan[@]}" --check 'flows[tv].one_way_delay_ns.p50 > 1s'
exits 64 "a check that names nothing" "${lan[@]}" --check 'flows[tv].packets.delibered > 100'
contains "it names the unknown name" delibered "$(cat "$scratch/stderr")"
exits 3 "a contract that is not met" "${lan[@]}" --set "qos.end_to_end_delay=<= 1ns"
exits 3 "a check misses with --junit" "${lan[@]}" --junit "$scratch/junit.xml" \
    --check 'flows[tv].packets.late == 0' --check 'flows[tv].packets.delivered < 1'
ok "the JUnit report is XML" xmllint --noout "$scratch/junit.xml"
equal "the JUnit report has one failure" 1 "$(xmllint --xpath 'count(//testcase[failure])' "$scratch/junit.xml")"

# packets.csv holds every packet, with the fates of run.json.
run_or_stop "$scenarios/clapper-dsl.yaml" --set outputs.packets=true --out "$scratch/packets"
equal "packets.csv has every packet" "$(value "$scratch/packets/run.json" '.flows[0].packets | .sent + .duplicated')" \
    "$(awk 'END { print NR - 1 }' "$scratch/packets/packets.csv")"
equal "asking for packets.csv changes nothing" "$(value "$scratch/clapper-dsl/run.json" .run.digest)" \
    "$(value "$scratch/packets/run.json" .run.digest)"

# Verdicts on quantiles are exact: the true p99 holds as a limit, and one nanosecond less does not.
p99=$(awk -F, 'NR > 1 && $6 != "" { printf "%.0f\n", $6 - $5 }' "$scratch/packets/packets.csv" | sort -n \
    | awk '{ delay[NR] = $1 } END { print delay[int((99 * NR + 99) / 100)] }')
for limit in "0 <=" "3 <"; do
    exits "${limit% *}" "the true p99, $p99 ns, checked with ${limit#* }" "$rubato" run "$scenarios/clapper-dsl.yaml" \
        --set 'qos={}' --quiet --force --check "flows.one_way_delay_ns.p99 ${limit#* } ${p99}ns" --out "$scratch/p99"
done
exits 0 "a run that counted at a limit is verified" "$rubato" verify "$scratch/p99"

# Two runs side by side.
run_or_stop "$scenarios/clapper-dsl.yaml" --set network.forward.1.loss.gilbert_elliott.loss=2% --out "$scratch/worse"
exits 0 "compare" "$rubato" compare "$scratch/clapper-dsl" "$scratch/worse"
contains "compare shows what differs in the scenario" gilbert_elliott "$(cat "$scratch/stdout")"
exits 0 "compare --json" "$rubato" compare "$scratch/clapper-dsl" "$scratch/worse" --json
ok "compare --json prints JSON" jq -e . "$scratch/stdout"
exits 3 "compare --fail-on-regression" "$rubato" compare "$scratch/clapper-dsl" "$scratch/worse" --fail-on-regression 5%

# Every command explains itself with an example.
for command in run compare verify presets; do
    exits 0 "$command --help" "$rubato" "$command" --help
    contains "$command --help has an example" "rubato $command" "$(grep -i -A 3 example "$scratch/stdout" || true)"
done

finish
