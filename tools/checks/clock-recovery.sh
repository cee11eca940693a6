#!/usr/bin/env bash
# Receivers whose clocks run at another rate than the sender's: without recovery the buffer runs dry when the clock has
# gained what it holds; with each method it lasts 10 hours, and the delay stays.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

cat >"$scratch/drift.yaml" <<'END'
name: drift
seed: 3
program:
  substreams:
    - { id: audio, kind: audio, synthetic: { codec: opaque, frame_duration: 200ms, unit_size: 160 B } }
sender: { carriage: ts-rtp }
network: { forward: [ { delay: 20ms } ] }
receivers: [ { id: tv, playout: { fixed: 150ms }, clock: { frequency: 100 ppm } } ]
outputs: { media: none, series: none }
END

# drifts DURATION [OPTION...]: leaves the results in $run.
drifts() {
    local duration=$1
    shift
    run=$scratch/run/run.json
    rm -rf "$scratch/run"
    run_or_stop "$scratch/drift.yaml" --duration "$duration" "$@" --out "$scratch/run"
}

# A delay that does not change: 150 ms at 100 ppm last 1,500 s.
drifts 1470s
equal "2 % before the buffer is gained: nothing late, no underrun" "0 0" \
    "$(value "$run" '"\(.flows[0].packets.late) \(.playout[0].underruns)"')"
drifts 1530s
within "2 % behind it: datagrams late" "$(value "$run" '.flows[0].packets.late')" 1 1000
equal "2 % behind it: an underrun" 1 "$(value "$run" '.playout[0].underruns')"
drifts 1530s --set receivers.0.clock.frequency='-100 ppm'
within "a slow clock adds to the delay, ms" \
    "$(value "$run" '.substreams[0].end_to_end_delay_ns | (.max - .min) / 1e6')" 150 156

jitter='network.forward=[ { delay: 20ms, jitter: { exponential: { mean: 2ms } } } ]'
# Sessions of their own have no clock references.
while read -r carriage method; do
    for frequency in '100 ppm' '-100 ppm'; do
        options=(--set "$jitter" --set receivers.0.clock_recovery="$method" --set receivers.0.clock.frequency="$frequency"
            --set sender.carriage="$carriage")
        drifts 1h "${options[@]}"
        hour=$(value "$run" '.substreams[0].end_to_end_delay_ns.mean')
        drifts 10h "${options[@]}"
        equal "$carriage, $method, $frequency, 10 hours: nothing late, no underrun" "0 0" \
            "$(value "$run" '"\(.flows[0].packets.late) \(.playout[0].underruns)"')"
        # The mean of ten hours is that of one and four and a half hours' slope.
        within "$carriage, $method, $frequency: slope of the delay, ms an hour" \
            "$(value "$run" "(.substreams[0].end_to_end_delay_ns.mean - $hour) / 4.5e6")" -1 1
        equal "$carriage, $method, $frequency: all presented" 180000 "$(value "$run" '.substreams[0].presented.on_time')"
    done
done <<'LIST'
ts-rtp pcr
ts-rtp window-min
ts-rtp rtcp
rtp-separate window-min
rtp-separate rtcp
LIST

finish
