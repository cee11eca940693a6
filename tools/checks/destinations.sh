#!/usr/bin/env bash
# Receivers that play together (idms, RFC 7272): fifty of them, up to 200 ms apart and with clocks 1 ms off, present within
# 10 ms of each other, and what they report and are told is read by tshark.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

# together CARRIAGE IDMS RECEIVERS FARTHEST: the scenario, its receivers from 0 to FARTHEST ms farther than the first.
together() {
    cat <<END
name: together
duration: 60s
seed: 11
idms: $2
program:
  substreams:
    - { id: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 300 kbit/s } }
    - { id: audio, synthetic: { codec: mp2, bitrate: 64 kbit/s } }
sender: { carriage: $1 }
network: { forward: [ { delay: 20ms } ] }
outputs: { media: none, series: 100ms }
receivers:
END
    local index
    for ((index = 0; index < $3; index++)); do
        printf '  - { id: r%d, playout: { fixed: 100ms }, last_links: [ { delay: %dms } ], clock: { offset: %dms } }\n' \
            "$index" $((index * $4 / ($3 - 1))) $((index % 3 - 1))
    done
}

for carriage in ts-rtp rtp-separate; do
    together "$carriage" true 50 200 >"$scratch/$carriage.yaml"
    run_or_stop "$scratch/$carriage.yaml" --out "$scratch/$carriage"
    course=$(awk -F, '$2 == "receivers" && $3 == "position_spread" && $4 != "" { print $1 / 1e9, $4 / 1e6 }' \
        "$scratch/$carriage/series.csv")
    within "$carriage: at first as far apart as their ways are, ms" "$(awk '$1 >= 1 { print $2; exit }' <<<"$course")" 199 201
    within "$carriage: the farthest apart from 30 s to the end, ms" \
        "$(awk '$1 >= 30 && $1 <= 59 && $2 > most { most = $2 } END { print most }' <<<"$course")" 0 10
    within "$carriage: values in the series of that time" "$(awk '$1 >= 30 && $1 <= 59' <<<"$course" | wc -l)" 290 292
    within "$carriage: in the end, ms" \
        "$(value "$scratch/$carriage/run.json" '.idms.final_position_spread_ns / 1e6')" 0 10
    equal "$carriage: who waits loses nothing" 0 "$(value "$scratch/$carriage/run.json" '[.flows[].packets.late] | add')"
done
together ts-rtp false 50 200 >"$scratch/apart.yaml"
run_or_stop "$scratch/apart.yaml" --out "$scratch/apart"
equal "without it nothing is told of it" null "$(value "$scratch/apart/run.json" '.idms.position_spread_ns.max')"

together ts-rtp true 3 100 >"$scratch/three.yaml"
run_or_stop "$scratch/three.yaml" --capture --out "$scratch/three"
fields() { tshark -r "$scratch/three/capture/sender.pcap" -Y "$1" -T fields "${@:2}" 2>/dev/null; }
# tshark shows whole bytes: SPST 1 is in the upper half of one whose lowest bit is P, payload type 33 in the upper seven bits.
equal "tshark reads the reports' block: from a client, with a presentation, of payload type MP2T and the group" "17 66 1" \
    "$(fields rtcp.xr.idms.spst -e rtcp.xr.idms.spst -e rtcp.xr.idms.pt -e rtcp.xr.idms.msci | sort -u | tr '\t' ' ')"
within "tshark finds reports" "$(fields rtcp.xr.idms.spst -e frame.number | wc -l)" 15 60
equal "tshark finds the reports' stream" \
    "$(printf '%d' "$(fields 'rtcp.pt == 200 && ip.src == 10.0.0.1' -E occurrence=f -e rtcp.senderssrc | sort -u)")" \
    "$(fields rtcp.xr.idms.spst -e rtcp.xr.idms.source_ssrc | sort -u)"
# It has no name for settings (type 211) and stops before them: read from the payload, as RFC 7272 section 7 lays them out.
told=$(fields 'rtcp.pt == 200' -e udp.payload | perl -ne '
    next unless /80d30008(.{64})/;
    my ($sender, $source, $group, $seconds, $fraction, $stamp, $until, $rest) = unpack "N8", pack "H*", $1;
    printf "%d %d %.0f\n", $group, $sender == $source, 1e3 * ($until - $seconds + ($rest - $fraction) / 2 ** 32);')
within "settings behind the sender's reports" "$(wc -l <<<"$told")" 5 20
# The farthest one's: 100 ms of playout.
equal "they are the sender's own, of the group, and as late as the farthest receiver presents" "1 1 100" \
    "$(tail -n +2 <<<"$told" | sort -u)"
contains "the description says who plays together" "a=rtcp-idms:sync-group=1" "$(cat "$scratch/three/session.sdp")"

finish
