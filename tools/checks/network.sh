#!/usr/bin/env bash
# The emulated network from outside: what other programs see of it in the captures, trace files good and bad, and the
# delay bound of a reservation over ten million packets.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

# scenario FILE LINKS [LINE...]: small packets of no meaning over the links, given as a YAML list; LINEs are appended.
scenario() {
    local file=$1 links=$2
    shift 2
    {
        printf 'duration: 20s\nseed: 4\nprogram:\n  substreams:\n'
        printf '    - { id: data, kind: data, synthetic: { codec: opaque, frame_rate: 50, bitrate: 3 Mbit/s } }\n'
        printf 'network: { forward: %s }\noutputs: { media: none }\n' "$links"
        printf '%s\n' "$@"
    } >"$file"
}

packets_matching() { tshark -n -r "$1" -Y "$2" "${@:3}" 2>/dev/null | wc -l; }

# fields CAPTURE FILTER NAME...: a line a packet.
fields() {
    local capture=$1 filter=$2
    shift 2
    tshark -n -r "$capture" -Y "$filter" -T fields "${@/#/-e}" 2>/dev/null
}

# MARK: What tshark sees

scenario "$scratch/marks.yaml" "[
    { rate: 3.6 Mbit/s, queue: { codel: { ecn: true } }, corrupt: 2%, duplicate: 3%, reorder: 1%, delay: 10ms,
      cross_traffic: [ { poisson: { rate: 600 kbit/s, packet: 500 B }, class: CS1 } ] } ]" \
    'sender: { classes: { program: AF41, reports: CS6 }, ecn: true }' 'capture: all'
run_or_stop "$scratch/marks.yaml" --out "$scratch/marks"
run=$scratch/marks/run.json
capture=$scratch/marks/capture/receiver.pcap
check=(-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE)
count() { value "$run" ".flows[0].packets.$1"; }
within "some datagrams are damaged" "$(count dropped_checksum)" 50 1000
equal "damaged datagrams are in the receiver's capture, with checksums that tshark finds wrong" \
    "$(count dropped_checksum)" "$(packets_matching "$capture" 'udp.checksum.status == 0' "${check[@]}")"
equal "nothing is damaged where it is sent" 0 "$(packets_matching "$scratch/marks/capture/sender.pcap" \
    'udp.checksum.status == 0 || ip.checksum.status == 0' "${check[@]}")"
within "the queue marks instead of dropping" "$(count ecn_marked)" 10 100000
# What is marked can be lost by damage only, and copies bear the mark too.
equal "marked datagrams show CE" "$(count ecn_marked)" \
    "$(fields "$capture" 'ip.dsfield.ecn == 3 && udp.port == 5004' ip.id | sort -u | wc -l)"
equal "all others of the program are ECT(0)" 0 "$(packets_matching "$capture" 'udp.port == 5004 && ip.dsfield.ecn < 2')"
equal "the program has its class" 0 "$(packets_matching "$capture" 'udp.port == 5004 && ip.dsfield.dscp != 34')"
equal "reports have theirs" 0 "$(packets_matching "$capture" 'udp.port == 5005 && ip.dsfield.dscp != 48')"
equal "copies are whole datagrams with the sequence number of the original" "$(value "$run" '.links[0].duplicated')" \
    "$(fields "$scratch/marks/capture/link-forward.0-out.pcap" '!sap' ip.src ip.id udp.srcport | sort | uniq -d | wc -l)"
equal "what enters a link is in its capture, cross traffic too" "$(value "$run" '.links[0].packets.in')" \
    "$(packets_matching "$scratch/marks/capture/link-forward.0-in.pcap" '!sap')"
equal "what leaves it is, too" "$(value "$run" '.links[0].packets.out')" \
    "$(packets_matching "$scratch/marks/capture/link-forward.0-out.pcap" '!sap')"

# MARK: Trace files

cd "$scratch"
for ((time = 1; time <= 400; time++)); do printf '%d\n' $((time * 3)); done >steady.trace
printf 'time_s,rate_bps\n0,6000000\n5,4500000\n10,5000000\n' >steps.csv
printf '0.0\t6.5\n1.05\t5.25\n2.1\t4.0\n3.3\t7.0\n' >bus.txt
seq 0 7 | awk '{ print ($1 == 3 ? 1 : 0) }' >losses.txt
printf 'delay_ms\n1\n2\n3\n4.5\n' >delays.csv
printf 'value_ms,probability\n0,0\n2,0.5\n10,1\n' >law.csv
printf '# a table\n-8192 0 0 8192\n' >two.dist
printf 'time_s,bytes\n0,1200\n0.5,600\n' >web.csv
# traced NAME LINKS: it runs to its end.
traced() {
    scenario "$1.yaml" "[ { $2 } ]"
    run_or_stop "$1.yaml" --out "$1"
    within "$1: datagrams arrive" "$(value "$1/run.json" '.flows[0].packets.delivered')" 1000 100000
}
traced mahimahi 'rate_trace: { mahimahi: steady.trace }, delay: 5ms'
# 12,032 bits every 3 ms.
equal "a Mahimahi trace has the rate of its opportunities" 4010666 "$(value mahimahi/run.json '.links[0].rate_bps')"
run_or_stop mahimahi.yaml --capture --out opportunities
equal "and delivers at its milliseconds alone, 5 ms later" 1 "$(fields opportunities/capture/receiver.pcap \
    'udp.port == 5004' frame.time_epoch | sed 's/.*\.//' | awk '{ print ($1 % 1000000 == 0) }' \
    | sort -u | tr '\n' ' ' | sed 's/ $//')"
traced piecewise 'rate_trace: { mahimahi: steady.trace, reading: piecewise }'
equal "read as a rate it is 4 Mbit/s" 4000000 "$(value piecewise/run.json '.links[0].rate_bps')"
traced csv 'rate_trace: { csv: steps.csv }'
traced hsdpa 'rate_trace: { hsdpa: bus.txt }'
traced losses 'loss: { trace: losses.txt }'
equal "a loss trace loses just its packets" true "$(value losses/run.json \
    '.flows[0] | .packets.lost_link == ((.packets.sent + 4) / 8 | floor) and (.loss_runs | keys) == ["1"]')"
traced delays 'delay: 5ms, jitter: { trace: { file: delays.csv } }'
equal "a delay trace gives just its delays" '[6000000,9500000]' \
    "$(jq -c '.flows[0].one_way_delay_ns | [.min, .max]' delays/run.json)"
traced law 'jitter: { empirical: { file: law.csv } }'
traced table 'delay: 20ms, jitter: { table: { file: two.dist, deviation: 4ms } }'
equal "a .dist table gives its values" '[16000000,24000000]' \
    "$(jq -c '.flows[0].one_way_delay_ns | [.min, .max]' table/run.json)"
traced recorded 'rate: 6 Mbit/s, cross_traffic: [ { trace: { file: web.csv, repeat: true } } ]'
traced pattern 'loss: { pattern: { drop: [5, 6, 17], repeat: 100 } }'
run_or_stop pattern.yaml --set outputs.packets=true --out listed
equal "a pattern drops packets 5, 6 and 17 of each hundred" "5 6 17 105 106 117" "$(awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) { if ($i == "sequence") s = i; if ($i == "fate") f = i } }
    $f == "lost_link" && $s < 200 { print $s }' listed/packets.csv | sort -n | tr '\n' ' ' | sed 's/ $//')"

# refused FACT LINK WORDS FILE: exit 64, with the file's line and the words.
refused() {
    scenario bad.yaml "[ { $2 } ]"
    exits 64 "$1" "$rubato" run bad.yaml --out never
    contains "$1: says where and what" "$3" "$(cat "$scratch/stderr")"
    ok "$1: no run directory" test ! -e never
}
printf '3\n2\n' >bad.trace
refused "a Mahimahi trace that goes back" 'rate_trace: { mahimahi: bad.trace }' "bad.trace': line 2: '2' is not valid"
printf '0,5000000\n1,-3\n' >bad.csv
refused "a negative rate" 'rate_trace: { csv: bad.csv }' "bad.csv': line 2: '-3' is not valid; expected rate"
printf '0 1.5\n1 x\n' >bad.txt
refused "an HSDPA trace with a word" 'rate_trace: { hsdpa: bad.txt }' "bad.txt': line 2: 'x'"
printf '0\n1\n2\n' >bad.losses
refused "a loss trace with a 2" 'loss: { trace: bad.losses }' "bad.losses': line 3: '2'"
printf '1\nabc\n' >bad.delays
refused "a delay that is none" 'jitter: { trace: { file: bad.delays } }' "bad.delays': line 2: 'abc'"
printf '0,0\n5,0.5\n' >bad.law
refused "a law that ends at one half" 'jitter: { empirical: { file: bad.law } }' "line 2: expected 1 as the last probability"
printf '1 2 3\n4 99999\n' >bad.dist
refused "a .dist entry out of range" 'jitter: { table: { file: bad.dist, deviation: 1ms } }' "line 2: '99999'"
printf '0,1200\n1,70000\n' >bad.arrivals
refused "an arrival too long" 'rate: 5 Mbit/s, cross_traffic: [ { trace: { file: bad.arrivals } } ]' "line 2: '70000'"
: >empty.csv
refused "an empty trace" 'rate_trace: { csv: empty.csv }' "expected at least one row"
refused "a trace that is not there" 'rate_trace: { csv: nowhere.csv }' "does not exist"
refused "a folder for a trace" 'loss: { trace: . }' "is a directory"

# MARK: Reservation

# Ten million packets over three links, each with twice as much greedy traffic as it can carry, and bursty traffic.
cross='{ constant: { rate: 20 Mbit/s, packet: 1500 B } }, { on_off: { rate: 10 Mbit/s, on: 20ms, off: 40ms } }'
fair="rate: 12 Mbit/s, queue: { wfq: { classes: { EF: { rate: 1 Mbit/s } }, limit: 20 packets } }, delay: 5ms"
links="[ { $fair, cross_traffic: [ $cross ] }, { $fair, cross_traffic: [ $cross ] }, { $fair, cross_traffic: [ $cross ] } ]"
{
    printf 'duration: 12600s\nprogram:\n  substreams:\n'
    printf '    - { id: data, kind: data, synthetic: { codec: opaque, frame_rate: 50, bitrate: 7.5 Mbit/s } }\n'
    printf 'sender: { mux_rate: 8.4 Mbit/s, reservation: { rate: 9 Mbit/s, burst: 2 kB } }\n'
    printf 'network: { forward: %s, reverse: [ {} ] }\noutputs: { media: none, series: none }\n' "$links"
} >reserved.yaml
run_or_stop reserved.yaml --out reserved
row() { value reserved/run.json ".reservations[0].$1"; }
equal "the session is admitted" true "$(row admitted)"
within "packets of the reserved flow" "$(value reserved/run.json '.flows[0].packets.sent')" 10000000 1e9
equal "none of them is lost to greedy traffic" 0 "$(value reserved/run.json \
    '.flows[0].packets | .sent - .delivered')"
within "the flow keeps to its burst" "$(row burst_needed_bytes)" 1 2000
within "the worst delay of all keeps to the bound of $(row bound_ns) ns" "$(row worst_delay_ns)" 15000000 "$(row bound_ns)"
run_or_stop reserved.yaml --duration 60s --set sender.reservation=none --out unreserved
within "without the reservation it loses packets" "$(value unreserved/run.json \
    '.flows[0].packets.dropped_queue')" 1000 1000000
run_or_stop reserved.yaml --duration 5s --set network.forward.2.reservable=50% --out refused
equal "a link without room refuses, and nothing is sent" 'false forward.2 0' "$(value refused/run.json \
    '"\(.reservations[0].admitted) \(.reservations[0].refused.link) \(.flows[0].packets.sent)"')"

finish
