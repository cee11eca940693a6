#!/usr/bin/env bash
# The emulator does what it is asked: every preset and a scenario with every impairment, a million packets a stage; and
# what is not as asked is found.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

impairments=$scenarios/impairments.yaml

# asked NAME SCENARIO: every check passes, and the document says so.
asked() {
    exits 0 "$1 does what it is asked" "$rubato" lab network "$2" --json
    ok "$1: JSON with all checks passed" jq -e \
        '.schema == "rubato.lab-network/1" and .passed and .checks_failed == 0 and (.checks | length) == .checks_passed
         and all(.checks[]; .passed and .low <= .high)' "$scratch/stdout"
    equal "$1: nothing on stderr" "" "$(cat "$scratch/stderr")"
}

for preset in $("$rubato" presets list --json | jq -r '.presets[].name'); do asked "$preset" "$preset"; done
asked impairments "$impairments"
equal "every stage is judged" \
    "corrupt cross traffic delay duplicate loss order outage policer queue rate" \
    "$(jq -r '[.checks[].stage] | unique | join(" ")' "$scratch/stdout")"

# doctored STAGE PATH=VALUE [SCENARIO]: the same packets against another wish fail at that stage, and only there.
doctored() {
    exits 3 "not $2" "$rubato" lab network "${3:-$impairments}" --packets 50000 --json --expect "network.forward.$2"
    equal "not $2: found where it is" "$1" "$(jq -r '[.checks[] | select(.passed | not).stage] | unique | join(" ")' \
        "$scratch/stdout")"
}

doctored loss 0.loss.bernoulli=0.2%
doctored loss 2.loss.gilbert_elliott.mean_burst=6
doctored delay 2.delay=5.1ms
doctored delay 16.jitter.normal.correlation=70%
doctored order 5.jitter.gamma.reorder=false
doctored rate 0.rate='20.0001 Mbit/s'
doctored queue 1.queue.drop_head.limit='51 packets'
doctored policer 11.policer.burst='35 kB'
doctored outage 2.schedule.1.down=499ms

neighbours=$scenarios/neighbours.yaml
asked neighbours "$neighbours"
doctored loss 0.loss.bernoulli.correlation=10% "$neighbours"
doctored loss 1.loss.bernoulli.loss=5% "$neighbours"
doctored order 2.reorder.gap=6 "$neighbours"
doctored order 3.reorder.share=90% "$neighbours"

# Clocks: a two-way exchange is off by half of the asymmetry, with its sign, and no bound is broken.
exits 0 "lab clock-sync" "$rubato" lab clock-sync --algorithms none,cristian,regression --asymmetry=-10ms,0ms,30ms \
    --seeds 1..3 --duration 300s --json
cp "$scratch/stdout" "$scratch/clocks.json"
equal "a row for each algorithm and asymmetry" 9 "$(jq '.rows | length' "$scratch/clocks.json")"
for algorithm in cristian regression; do
    for asymmetry in -10 0 30; do
        row=".rows[] | select(.algorithm == \"$algorithm\" and .asymmetry_ns == ${asymmetry}000000)"
        within "$algorithm, asymmetry $asymmetry ms: median error, ns" "$(jq "$row | .error_ns.p50" "$scratch/clocks.json")" \
            $((asymmetry * 500000 - 500000)) $((asymmetry * 500000 + 500000))
        equal "$algorithm, asymmetry $asymmetry ms: samples beyond the bound" 0 \
            "$(jq "$row | .bound_violations" "$scratch/clocks.json")"
    done
done
equal "clocks that run freely never converge" 0 \
    "$(jq '[.rows[] | select(.algorithm == "none").converged_runs] | add' "$scratch/clocks.json")"
exits 0 "lab clock-sync --explain" "$rubato" lab clock-sync --algorithms cristian --asymmetry 10ms --seeds 1 --explain 3
# Offset is the mean of the two differences above it, delay their difference.
equal "the arithmetic of an exchange agrees with itself" yes "$(awk '
    $1 == "T2" && $2 == "-" { there = $4 } $1 == "T3" && $2 == "-" { back = $4 }
    $1 == "offset" { offset = $2; truth = $4 } $1 == "delay" { delay = $2 } $1 == "error" { error = $2 }
    END {
        d = offset - (there + back) / 2
        good = d > -1 && d < 1 && delay == there - back && error == offset - truth
        print good ? "yes" : "no"
    }' "$scratch/stdout")"
exits 64 "an algorithm that is none" "$rubato" lab clock-sync --algorithms crisian
exits 64 "a way that takes less than no time" "$rubato" lab clock-sync --asymmetry=-30ms

finish
