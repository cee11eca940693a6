#!/usr/bin/env bash
# Live capture of a real sender (ffmpeg, RTP over loopback): every packet that tcpdump counts, the stream found through
# its SDP. In a network namespace of its own where that is allowed, else on this machine's loopback.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

if [ "${1-}" != --inside ]; then
    for namespace in "unshare --net" "unshare --user --map-current-user --keep-caps --net" ""; do
        # Without a namespace of its own: only where this user may capture at all.
        if $namespace sh -c '[ "$0" = none ] || ip link set lo up; tcpdump -i lo -L' "${namespace:-none}" \
            >/dev/null 2>&1; then
            [ -n "$namespace" ] || printf "# No right to make a network namespace here: on this machine's loopback\n"
            status=0
            RUBATO=$rubato $namespace bash "${BASH_SOURCE[0]}" --inside "${namespace:-none}" || status=$?
            finished=yes
            exit "$status"
        fi
    done
    miss "this user may capture" "neither as root, nor in a namespace: run tools/test as root, or allow user namespaces"
    finish
fi

[ "$2" = none ] || ip link set lo up
# Two ports each for two streams and their RTCP, that nobody listens at.
base=$((20000 + RANDOM % 10000 * 2))
while ss -Hlun 2>/dev/null | awk '{ print $4 }' | grep -qE ":($base|$((base + 1))|$((base + 2))|$((base + 3)))\$"; do
    base=$((20000 + RANDOM % 10000 * 2))
done
filter="udp dst portrange $base-$((base + 3))"

# started FILE TEXT: waits, 10 seconds at most, until a program has said that it listens.
started() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        grep -q "$2" "$1" && return
        sleep 0.1
    done
    miss "$2 is said within 10 seconds" "$(cat "$1")"
    finish
}

# What runs beside this script, by its process id; empty once it has ended.
peer=""
ours=""
at_exit '[ -z "$peer" ] || kill "$peer"'
at_exit '[ -z "$ours" ] || kill "$ours"'

# stop_capture PID: an orderly end; its exit status is left in $ended.
stop_capture() {
    kill -INT "$1"
    ended=0
    wait "$1" || ended=$?
}

# send SECONDS: the clapper's picture and sound, each in an RTP session, at its own pace.
send() {
    timeout 60 ffmpeg -nostdin -loglevel error -re -t "$1" -i "$root/Traces/media/clapper.ts" \
        -map 0:v -c copy -f rtp "rtp://127.0.0.1:$base" -map 0:a -c copy -f rtp "rtp://127.0.0.1:$((base + 2))" \
        -sdp_file "$scratch/session.sdp" >"$scratch/ffmpeg.log" 2>&1 \
        || miss "ffmpeg sends" "$(cat "$scratch/ffmpeg.log")"
}

tcpdump -i lo --immediate-mode -U -w - "$filter" >"$scratch/tcpdump.pcap" 2>"$scratch/tcpdump.log" &
peer=$!
"$rubato" capture -i lo -f "$filter" -o "$scratch/ours.pcap" --json >"$scratch/capture.json" 2>"$scratch/capture.log" &
ours=$!
started "$scratch/tcpdump.log" "listening on"
started "$scratch/capture.log" "capturing from"
send 4
stop_capture "$ours"
ours=""
equal "Ctrl-C ends a capture without a duration in good order" 0 "$ended"
stop_capture "$peer"
peer=""

packets() { tcpdump -nn -r "$1" 2>/dev/null | wc -l; }
count=$(packets "$scratch/tcpdump.pcap")
within "tcpdump saw the sender's packets" "$count" 100 100000
equal "as many packets as tcpdump's" "$count" "$(packets "$scratch/ours.pcap")"
equal "as many as it says" "$count" "$(value "$scratch/capture.json" .packets)"
equal "the kernel dropped none" 0 "$(value "$scratch/capture.json" .dropped.kernel)"
equal "the same bytes in the same order" "$(tcpdump -nn -t -x -r "$scratch/tcpdump.pcap" 2>/dev/null | sha256sum)" \
    "$(tcpdump -nn -t -x -r "$scratch/ours.pcap" 2>/dev/null | sha256sum)"

"$rubato" analyze --sdp "$scratch/session.sdp" --json "$scratch/ours.pcap" >"$scratch/ours.json"
for port in "$base" "$((base + 2))"; do
    stream=".streams[] | select(.destination == \"127.0.0.1:$port\")"
    equal "port $port: a stream, described by its SDP" sdp \
        "$(value "$scratch/ours.json" "$stream | .clock_rate_source")"
    equal "port $port: its packets are tcpdump's" \
        "$(tcpdump -nn -r "$scratch/tcpdump.pcap" "udp dst port $port" 2>/dev/null | wc -l)" \
        "$(value "$scratch/ours.json" "$stream | .packets.received")"
    equal "port $port: none lost on loopback" 0 "$(value "$scratch/ours.json" "$stream | .packets.lost")"
done
equal "picture and sound are a pair by their sender reports" 1 "$(value "$scratch/ours.json" '.pairs | length')"

# Through a pipe, as the packets come.
mkfifo "$scratch/pipe"
timeout 60 "$rubato" analyze --json - <"$scratch/pipe" >"$scratch/piped.json" &
reader=$!
timeout 60 "$rubato" capture -i lo -f "udp dst port $base" -o - --count 50 2>"$scratch/capture.log" >"$scratch/pipe" &
ours=$!
started "$scratch/capture.log" "capturing from"
send 4
wait "$ours" || miss "capture to standard output" "$(cat "$scratch/capture.log")"
ours=""
wait "$reader" || miss "analyze from standard input"
equal "--count 50 through a pipe" 50 "$(value "$scratch/piped.json" '.inputs[0].packets')"

exits 0 "a duration without packets" timeout 20 "$rubato" capture -i lo -f "udp port 1" -o "$scratch/none.pcap" \
    --duration 300ms
equal "its capture is empty and whole" 0 "$(packets "$scratch/none.pcap")"
exits 64 "an interface that is not there" "$rubato" capture -i nowhere0 -o "$scratch/x.pcap"
contains "it names those that are" lo "$(cat "$scratch/stderr")"
exits 64 "a filter with a mistake" "$rubato" capture -i lo -f "udp prot 1" -o "$scratch/x.pcap"
exits 1 "a folder for a file" "$rubato" capture -i lo -o "$scratch" --duration 1s

# A user without the right: whoever is root gives it away.
exits 1 "without the right to capture" setpriv --inh-caps=-all --bounding-set=-all --ambient-caps=-all \
    "$rubato" capture -i lo -o "$scratch/x.pcap"
contains "it says so" "not permitted" "$(cat "$scratch/stderr")"
contains "and the remedy" "setcap cap_net_raw,cap_net_admin+ep" "$(cat "$scratch/stderr")"

finish
