#!/usr/bin/env bash
# The analyzer against the emulator's truth: random scenarios, whose captures give back what run.json says of them.
# Counts, one-way delays and jitter are equal to the last digit; delay variation, which the receiver has from RTP
# timestamps, to their ticks.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

count=${RUBATO_TRUTH:-200}

# scenario NUMBER: always the same one, whatever the shell and the machine.
scenario() {
    awk -v number="$1" '
        # The minimal standard generator (Park and Miller, 1988).
        function pick(low, high) {
            state = state * 16807 % 2147483647
            return low + int(state / 2147483647 * (high - low + 1))
        }
        function one_of(words,    list) { return list[pick(1, split(words, list, " "))] }
        function link() {
            printf "    - delay: %dms\n", pick(1, 60)
            if (pick(0, 2) > 0) {
                printf "      rate: %d kbit/s\n", pick(1500, 9000)
                printf "      queue: { drop_tail: { limit: %d ms } }\n", pick(20, 300)
            }
            kind = pick(0, 2)
            if (kind == 0) printf "      jitter: { normal: { deviation: %dus } }\n", pick(10, 6000)
            if (kind == 1) printf "      jitter: { uniform: { half_range: %dus } }\n", pick(10, 900)
            kind = pick(0, 3)
            if (kind == 0) printf "      loss: { bernoulli: %d%% }\n", pick(1, 6)
            if (kind == 1)
                printf "      loss: { gilbert_elliott: { loss: %d%%, mean_burst: %d } }\n", pick(1, 5), pick(2, 9)
            if (pick(0, 3) == 0) print "      reorder: 3%"
            if (pick(0, 3) == 0) print "      duplicate: 2%"
            if (pick(0, 3) == 0) print "      corrupt: 0.1%"
        }
        BEGIN {
            state = 20260 + number * 7919
            for (index_ = 0; index_ < 8; index_++) pick(0, 1)
            printf "duration: %d00ms\nseed: %d\nprogram:\n  substreams:\n", pick(12, 40), number
            printf "    - { id: v, kind: video, synthetic: { codec: h264, frame_rate: %s, gop: IBBP, bitrate: %d kbit/s } }\n",
                one_of("24 25 29.97"), pick(300, 1500)
            print "    - { id: a, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 128 kbit/s } }"
            printf "sender: { carriage: %s, mux_rate: %s, ts_packets_per_datagram: %d }\n",
                one_of("ts-rtp ts-rtp ts-udp"), one_of("auto vbr"), pick(1, 7)
            print "network:\n  forward:"
            for (links = pick(1, 3); links > 0; links--) link()
            printf "clocks: { receivers: { offset: %dms, frequency: %d ppm } }\n", pick(0, 90), pick(0, 1) * pick(1, 80)
            printf "receivers: [ { id: tv, playout: { fixed: %dms } } ]\n", pick(50, 300)
            print "capture: { points: [ sender, receiver ] }\noutputs: { media: none }"
        }'
}

# The names of what differs between run.json ($t) and the analysis of its captures ($a), as a list.
read -r -d '' compare <<'JQ' || true
$run[0].flows[0] as $t | $t.packets as $p | $run[0].playout[0] as $playout
| $analysis[0] as $a | ($a.streams[0] // {}) as $s | ($a.one_way[0] // {}) as $w
| $p.unrepaired as $lost
| def near($x; $y; $within): ($x - $y) as $d | (if $d < 0 then -$d else $d end) <= $within;
def pair($name; $x; $y): if $x == $y then empty else "\($name): measured \($x), true \($y)" end;
[
  pair("streams"; $a.streams | length; 1),
  # What was damaged is in the capture of its receiver, whose network stack drops it.
  pair("skipped"; $a.inputs | map(.skipped | to_entries | map(select(.key != "bad_udp_checksum")) | length) | add; 0),
  (
    pair("received"; $s.packets.received; $p.delivered),
    pair("sent"; $w.sent; $p.sent),
    pair("truth: received"; $s.truth.packets.received; $p.delivered),
    pair("truth: lost"; $s.truth.packets.lost; $lost),
    # Packets that are alike, of which some were lost, cannot be told apart.
    (if $w.delay_ns.count != $w.matched then empty else
      pair("lost one way"; $w.lost; $lost),
      pair("reordered one way"; $w.reordered; $p.reordered),
      # Delays of first copies; run.json has those of all arrivals.
      (if $p.duplicated > 0 then pair("least delay"; $w.delay_ns.min; $t.one_way_delay_ns.min)
       else pair("delay"; $w.delay_ns; $t.one_way_delay_ns) end) end),
    (if $t.carriage != "ts-rtp" then empty else
      pair("duplicates"; $s.packets.duplicates; $p.duplicates),
      pair("duplicates one way"; $w.duplicates; $p.duplicates),
      pair("reordered"; $s.packets.reordered; $p.reordered),
      pair("lost between first and last"; $s.packets.lost; $lost - $w.lost_at_ends),
      (if $w.lost_at_ends > 0 then empty else pair("loss runs"; $s.loss_runs; $t.loss_runs) end),
      pair("jitter"; $s.interarrival_jitter_ns; $t.interarrival_jitter_ns),
      pair("pdv count"; $s.pdv_ns.count; $t.pdv_ns.count),
      pair("ipdv count"; $s.ipdv_ns.count; $t.ipdv_ns.count),
      # A tick of 90 kHz at either end, and a bin of 0.1 %.
      (("mean", "p5", "p50", "p95", "p99", "max") as $q
        | if near($s.pdv_ns[$q]; $t.pdv_ns[$q]; 22224 + 0.0021 * $t.pdv_ns[$q]) then empty
          else pair("pdv \($q)"; $s.pdv_ns[$q]; $t.pdv_ns[$q]) end),
      (("min", "max") as $q | if near($s.ipdv_ns[$q]; $t.ipdv_ns[$q]; 22224) then empty
          else pair("ipdv \($q)"; $s.ipdv_ns[$q]; $t.ipdv_ns[$q]) end)
    end)
  ),
  # The replay knows what the receiver's own clock, right or wrong, makes no difference to.
  (if $run[0].clocks | map(.frequency_ppb.true) | any(. != 0) then empty else
    pair("replay: played and late"; ($s.playout.played + $s.playout.late); $p.delivered - $p.duplicates),
    pair("replay: late"; $s.playout.late; $p.late),
    pair("replay: delay"; $s.playout.delay_ns; $playout.delay_ns),
    pair("replay: buffer"; $s.playout.buffer_ns; $playout.buffer_ns),
    # What was lost behind the last datagram that came was due on an empty buffer: the run knows that, its capture does not.
    pair("replay: underruns"; $s.playout.underruns + (if $w.lost_at_ends > 0
      and $playout.underruns == $s.playout.underruns + 1 then 1 else 0 end); $playout.underruns)
  end)
] | .[]
JQ

agreed=0
measured_loss=0
for ((number = 1; number <= count; number++)); do
    scenario "$number" >"$scratch/scenario.yaml"
    run_or_stop "$scratch/scenario.yaml" --force --out "$scratch/run"
    playout=$(awk '/playout:/ { sub(/.*fixed: /, ""); sub(/ .*/, ""); print; exit }' "$scratch/scenario.yaml")
    "$rubato" analyze --json --check-checksums --assume-playout "fixed:$playout" --sender "$scratch/run/capture/sender.pcap" \
        --receiver "$scratch/run/capture/receiver.pcap" >"$scratch/analysis.json"
    differences=$(jq -rn --slurpfile run "$scratch/run/run.json" --slurpfile analysis "$scratch/analysis.json" \
        "$compare" 2>&1)
    if [ -z "$differences" ]; then
        agreed=$((agreed + 1))
    else
        miss "scenario $number" "$differences
$(cat "$scratch/scenario.yaml")"
    fi
    measured_loss=$((measured_loss + $(value "$scratch/analysis.json" '.one_way[0].lost')))
done
equal "scenarios whose captures give back the truth" "$count" "$agreed"
within "packets that were lost in them" "$measured_loss" 1000 10000000

finish
