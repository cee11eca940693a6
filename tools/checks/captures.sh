#!/usr/bin/env bash
# tshark and tcpdump read the captures with no flags, and count what run.json counts.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

# The one RTP stream of a capture by `tshark -z rtp,streams`: "packets lost meanJitter maxJitter" (ms).
rtp_stream() {
    tshark -n -q -r "$1" -z rtp,streams 2>/dev/null | awk '
        $3 ~ /^10\.0\./ && $4 ~ /^[0-9]+$/ {
            # start end source port destination port SSRC payload... packets lost (percent) 3 deltas 3 jitters
            for (field = 1; field <= NF; field++) {
                if ($field ~ /^\(.*%\)$/) {
                    print $(field - 2), $(field - 1), $(field + 5), $(field + 6)
                    streams++
                    break
                }
            }
        }
        END { exit streams != 1 }'
}

# packets_matching CAPTURE FILTER [OPTION...]; what tshark says of being root is no finding.
packets_matching() { tshark -n -r "$1" -Y "$2" "${@:3}" 2>/dev/null | wc -l; }

# The magic number says the resolution: a1b23c4d is nanoseconds (either byte order).
file_precision() {
    case $(od -An -tx1 -N4 "$1" | tr -d ' ') in
        a1b23c4d | 4d3cb2a1) echo nanoseconds ;;
        *) echo other ;;
    esac
}

# readable NAME CAPTURE none|gaps: what holds for every capture.
readable() {
    local name=$1 capture=$2
    equal "$name: the first packet is SAP with SDP" 1 "$(packets_matching "$capture" 'frame.number == 1 && sap && sdp')"
    equal "$name: no other SAP packet" 1 "$(packets_matching "$capture" sap)"
    # Pictures with packets missing cannot but look malformed; they are no fault of the capture.
    local fault='(_ws.malformed || _ws.expert.severity == error)'
    [ "$3" = none ] || fault="$fault && !mp2t"
    equal "$name: nothing malformed" 0 "$(packets_matching "$capture" "$fault")"
    equal "$name: IP and UDP checksums are right" 0 "$(packets_matching "$capture" \
        'ip.checksum.status == 0 || udp.checksum.status == 0' -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE)"
    equal "$name: continuity gaps only where packets were lost" "$3" \
        "$(packets_matching "$capture" 'mp2t.cc.drop' | awk '{ print ($1 > 0 ? "gaps" : "none") }')"
    equal "$name: tcpdump sees as many packets as tshark" "$(tshark -n -r "$capture" 2>/dev/null | wc -l)" \
        "$(tcpdump -nn -r "$capture" 2>/dev/null | wc -l)"
    within "$name: RTCP sender reports" "$(packets_matching "$capture" 'rtcp.pt == 200')" 2 1000000
    within "$name: RTCP receiver reports" "$(packets_matching "$capture" 'rtcp.pt == 201')" 2 1000000
    equal "$name: timestamps in nanoseconds" nanoseconds "$(file_precision "$capture")"
}

for name in clapper-lan clapper-dsl; do
    run=$scratch/$name
    run_or_stop "$scenarios/$name.yaml" --out "$run"
    flow=$(value "$run/run.json" '.flows | length')
    equal "$name: one flow" 1 "$flow"
    sent=$(value "$run/run.json" '.flows[0].packets.sent')
    delivered=$(value "$run/run.json" '.flows[0].packets.delivered')

    readable "$name sender" "$run/capture/sender.pcap" none
    readable "$name receiver" "$run/capture/receiver.pcap" "$([ "$sent" -eq "$delivered" ] && echo none || echo gaps)"

    read -r packets lost _ _ <<<"$(rtp_stream "$run/capture/sender.pcap" || echo "no one stream")"
    equal "$name sender: tshark counts the packets sent" "$sent" "$packets"
    equal "$name sender: tshark sees none lost" 0 "$lost"

    read -r packets lost mean max <<<"$(rtp_stream "$run/capture/receiver.pcap" || echo "no one stream")"
    equal "$name receiver: tshark counts the packets delivered" "$delivered" "$packets"
    # tshark cannot see losses before the first or after the last arrival; the scenarios' seeds have none there.
    equal "$name receiver: tshark counts the packets lost" $((sent - delivered)) "$lost"
    # tshark computes in floating-point milliseconds and prints three decimals.
    for which in mean max; do
        ours=$(value "$run/run.json" ".flows[0].interarrival_jitter_ns.$which / 1e6")
        within "$name receiver: $which jitter is tshark's ${!which} ms to its last digit" \
            "$(awk -v a="$ours" -v b="${!which}" 'BEGIN { printf "%.6f", (a > b ? a - b : b - a) }')" 0 0.00051
    done
done

run=$scratch/clapper-multicast
run_or_stop "$scenarios/clapper-multicast.yaml" --out "$run"
for receiver in $(value "$run/run.json" '.flows[].receiver'); do
    read -r packets _ <<<"$(rtp_stream "$run/capture/receiver-$receiver.pcap" || echo none)"
    equal "clapper-multicast: tshark counts what reached $receiver" \
        "$(value "$run/run.json" ".flows[] | select(.receiver == \"$receiver\") | .packets.delivered")" "$packets"
done

finish
