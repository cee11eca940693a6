#!/usr/bin/env bash
# The analyzer against the emulator's truth: random scenarios, whose captures give back what run.json says of them.
# Counts, one-way delays and jitter are equal to the last digit; delay variation, which the receiver has from RTP
# timestamps, to their ticks.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

count=200
RANDOM=20260

# pick LOW HIGH: a whole number.
pick() { printf '%s' $(($1 + (RANDOM << 15 | RANDOM) % ($2 - $1 + 1))); }
# one_of WORD...
one_of() { local words=("$@"); printf '%s' "${words[RANDOM % ${#words[@]}]}"; }

# Impairments that this version of the program may not have yet: a whole link with each, if it takes them.
optional=()
for setting in reorder=3% duplicate=2% corrupt=0.1%; do
    if "$rubato" run "$scenarios/clapper-lan.yaml" --print-resolved --set "network.forward.0.$setting" \
        >/dev/null 2>&1; then
        optional+=("$setting")
    else
        printf '# this version does not know %s: not among the impairments\n' "${setting%=*}"
    fi
done

link() {
    printf '    - delay: %sms\n' "$(pick 1 60)"
    if [ "$(pick 0 2)" -gt 0 ]; then
        printf '      rate: %s kbit/s\n' "$(pick 1500 9000)"
        printf '      queue: { drop_tail: { limit: %s ms } }\n' "$(pick 20 300)"
    fi
    case $(pick 0 2) in
        0) printf '      jitter: { normal: { deviation: %sus } }\n' "$(pick 10 6000)" ;;
        1) printf '      jitter: { uniform: { half_range: %sus } }\n' "$(pick 10 900)" ;;
    esac
    case $(pick 0 3) in
        0) printf '      loss: { bernoulli: %s%% }\n' "$(pick 1 6)" ;;
        1) printf '      loss: { gilbert_elliott: { loss: %s%%, mean_burst: %s } }\n' "$(pick 1 5)" "$(pick 2 9)" ;;
    esac
    local setting
    for setting in ${optional[@]+"${optional[@]}"}; do
        if [ "$(pick 0 3)" -eq 0 ]; then printf '      %s: %s\n' "${setting%=*}" "${setting#*=}"; fi
    done
}

scenario() {
    printf 'duration: %s00ms\nseed: %s\nprogram:\n  substreams:\n' "$(pick 12 40)" "$1"
    printf '    - { id: v, kind: video, synthetic: { codec: h264, frame_rate: %s, gop: IBBP, bitrate: %s kbit/s } }\n' \
        "$(one_of 24 25 29.97)" "$(pick 300 1500)"
    printf '    - { id: a, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 128 kbit/s } }\n'
    printf 'sender: { carriage: %s, mux_rate: %s, ts_packets_per_datagram: %s }\n' "$(one_of ts-rtp ts-rtp ts-udp)" \
        "$(one_of auto vbr)" "$(pick 1 7)"
    printf 'network:\n  forward:\n'
    local links
    for ((links = $(pick 1 3); links > 0; links--)); do link; done
    printf 'clocks: { receivers: { offset: %sms, frequency: %s ppm } }\n' "$(pick 0 90)" \
        "$(one_of 0 "$(pick 1 80)")"
    printf 'receivers: [ { id: tv, playout: { fixed: %sms } } ]\ncapture: { points: [ sender, receiver ] }\n' \
        "$(pick 50 300)"
    printf 'outputs: { media: none }\n'
}

# The names of what differs between run.json ($t) and the analysis of its captures ($a), as a list.
read -r -d '' compare <<'JQ' || true
$run[0].flows[0] as $t | $t.packets as $p | $run[0].playout[0] as $playout
| $analysis[0] as $a | ($a.streams[0] // {}) as $s | ($a.one_way[0] // {}) as $w
| ($p.sent - ($p.delivered - $p.duplicates)) as $lost
| def near($x; $y; $within): ($x - $y) as $d | (if $d < 0 then -$d else $d end) <= $within;
def pair($name; $x; $y): if $x == $y then empty else "\($name): measured \($x), true \($y)" end;
[
  pair("streams"; $a.streams | length; 1),
  pair("skipped"; $a.inputs | map(.skipped | length) | add; 0),
  # What was corrupted is in the capture, and is not the same packet any more.
  (if ($p.dropped_checksum // 0) > 0 then empty else
    pair("received"; $s.packets.received; $p.delivered),
    pair("sent"; $w.sent; $p.sent),
    pair("lost one way"; $w.lost; $lost),
    pair("reordered one way"; $w.reordered; $p.reordered),
    pair("truth: received"; $s.truth.packets.received; $p.delivered),
    pair("truth: lost"; $s.truth.packets.lost; $lost),
    (if $w.delay_ns.count != $w.matched then empty else
      # Delays of first copies; run.json has those of all arrivals.
      (if $p.duplicates > 0 then pair("least delay"; $w.delay_ns.min; $t.one_way_delay_ns.min)
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
  end),
  # The replay knows what the receiver's own clock, right or wrong, makes no difference to.
  (if $run[0].clocks | map(.frequency_ppb.true) | any(. != 0) then empty else
    pair("replay: played and late"; ($s.playout.played + $s.playout.late); $p.delivered - $p.duplicates),
    pair("replay: late"; $s.playout.late; $p.late),
    pair("replay: delay"; $s.playout.delay_ns; $playout.delay_ns),
    pair("replay: buffer"; $s.playout.buffer_ns; $playout.buffer_ns),
    pair("replay: underruns"; $s.playout.underruns; $playout.underruns)
  end)
] | .[]
JQ

agreed=0
measured_loss=0
for ((number = 1; number <= count; number++)); do
    scenario "$number" >"$scratch/scenario.yaml"
    run_or_stop "$scratch/scenario.yaml" --force --out "$scratch/run"
    playout=$(awk '/playout:/ { sub(/.*fixed: /, ""); sub(/ .*/, ""); print; exit }' "$scratch/scenario.yaml")
    "$rubato" analyze --json --assume-playout "fixed:$playout" --sender "$scratch/run/capture/sender.pcap" \
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
