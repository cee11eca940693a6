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

# What each stage of a link alone is asked: it passes as it is, and each check can fail, by the same packets against
# another wish. Where no chance is in it a few packets do.
while IFS='|' read -r link wish stage what; do
    link=$(sed 's/ *$//' <<<"$link") wish=$(sed 's/^ *//; s/ *$//' <<<"$wish")
    stage=$(sed 's/^ *//; s/ *$//' <<<"$stage") what=$(sed 's/^ *//' <<<"$what")
    cat >"$scratch/link.yaml" <<END
name: link
duration: 1s
program:
  substreams: [ { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 192 kbit/s } } ]
network:
  forward:
    - $link
receivers: [ { id: tv, playout: { fixed: 100ms } } ]
END
    packets=20000
    case $stage in rate | policer | outage) packets=2000 ;; esac
    exits 0 "$link does what it is asked" "$rubato" lab network "$scratch/link.yaml" --packets "$packets" --json
    equal "$link: every check passed" true "$(jq '.passed and (.checks | all(.passed))' "$scratch/stdout")"
    exits 3 "$link, not $wish" "$rubato" lab network "$scratch/link.yaml" --packets "$packets" --json \
        --expect "network.forward.0.$wish"
    equal "$link, not $wish: found by its $what" true "$(jq --arg stage "$stage" --arg what "$what" \
        '(.passed | not) and any(.checks[]; .link == "forward.0" and .stage == $stage and .what == $what and (.passed | not))' \
        "$scratch/stdout")"
    contains "$link, not $wish: told" "not as asked: forward.0 $stage" "$(cat "$scratch/stderr")"
done <<'END'
loss: { bernoulli: 1.3% } | loss.bernoulli=1% | loss | packets lost
loss: { bernoulli: { loss: 5%, correlation: 50% } } | loss.bernoulli.correlation=30% | loss | neighbours both lost
loss: { bernoulli: { loss: 5%, correlation: 50% } } | loss.bernoulli.loss=4% | loss | packets lost
loss: { bernoulli: { loss: 20%, correlation: 80% } } | loss.bernoulli.correlation=60% | loss | mean run of losses
loss: { gilbert_elliott: { loss: 5%, mean_burst: 4 } } | loss.gilbert_elliott.mean_burst=3 | loss | mean run of losses
loss: { gilbert_elliott: { loss: 5%, mean_burst: 4, longest_burst: 6 } } | loss.gilbert_elliott.longest_burst=20 | loss | runs of 8 or more
loss: { gilbert_elliott: { p: 5%, r: 50%, loss_bad: 100%, loss_good: 0% } } | loss.bernoulli=9.0909% | loss | mean run of losses
loss: { markov4: { p13: 2%, p31: 30%, p32: 20%, p23: 50%, p14: 1% } } | loss.markov4.p14=0.2% | loss | runs of 1
loss: { bit_error_rate: 1.0e-6 } | loss.bit_error_rate=1.6e-6 | loss | packets lost
loss: { pattern: { drop: [ 5, 6 ], repeat: 100 } } | loss.pattern.drop=[5, 7] | loss | packets with another fate than listed
corrupt: 2% | corrupt=3% | corrupt | packets damaged
duplicate: 2% | duplicate=1.5% | duplicate | packets copied
delay: 20ms | delay=20.000001ms | delay | delay
{ delay: 20ms, jitter: { normal: { deviation: 5ms } } } | jitter.normal.deviation=5.2ms | delay | deviation
{ delay: 20ms, jitter: { normal: { deviation: 5ms } } } | jitter={ uniform: { half_range: 8.66ms } } | delay | Kolmogorov-Smirnov distance
{ delay: 20ms, jitter: { normal: { deviation: 5ms } } } | delay=20.2ms | delay | mean
jitter: { gamma: { mean: 5ms, shape: 2 } } | jitter.gamma.shape=2.2 | delay | 5 % quantile
jitter: { pareto: { mean: 5ms, shape: 1.5 } } | jitter.pareto.shape=1.6 | delay | 5 % quantile
{ delay: 9ms, jitter: { exponential: { mean: 1ms, correlation: 30% } } } | jitter.exponential.correlation=35% | delay | autocorrelation, lag 1
{ delay: 9ms, jitter: { normal: { deviation: 1ms, reorder: true } } } | jitter.normal.reorder=false | order | overtaken, or not as late as law and order have it
{ delay: 9ms, jitter: { normal: { deviation: 1ms } } } | jitter.normal.reorder=true | order | held up by those ahead
{ delay: 9ms, reorder: 2% } | reorder=1.5% | order | packets early
{ delay: 9ms, reorder: { share: 25%, gap: 5 } } | reorder.share=30% | order | packets early
{ delay: 9ms, reorder: { share: 25%, gap: 5 } } | reorder.gap=4 | order | packets early
{ delay: 9ms, reorder: { share: 25%, gap: 5 } } | reorder.gap=6 | order | early packets nearer than the gap
{ delay: 9ms, reorder: { share: 100%, gap: 7 } } | reorder.share=99% | order | packets early
rate: 6 Mbit/s | rate=6.00001 Mbit/s | rate | rate
{ rate: 6 Mbit/s, overhead: ethernet } | overhead=none | rate | rate
shaper: { rate: 6 Mbit/s, burst: 20 kB } | shaper.burst=21 kB | rate | packets not through at their nanosecond
policer: { rate: 6 Mbit/s, burst: 20 kB } | policer.burst=22 kB | policer | packets that a bucket would judge otherwise
{ rate: 6 Mbit/s, queue: { drop_tail: { limit: 50 packets } } } | queue.drop_tail.limit=51 packets | queue | most packets waiting
{ rate: 20 Mbit/s, queue: { codel: { target: 10ms } } } | queue.codel.target=20ms | queue | mean wait with 12 sources that answer
{ rate: 6 Mbit/s, queue: { codel: { interval: 100ms } } } | queue.codel.interval=110ms | queue | 10th drop after the target was passed
{ rate: 6 Mbit/s, queue: { pie: { target: 15ms } } } | queue.pie.target=25ms | queue | mean wait at 150 % load
{ rate: 6 Mbit/s, queue: { priority: { classes: [ EF, AF41 ] } } } | queue.priority.classes=[AF41, EF] | queue | share of AF41, all at 60 % load
{ rate: 6 Mbit/s, queue: { wfq: { classes: { EF: { rate: 2 Mbit/s } } } } } | queue.wfq.classes.EF.rate=2.1 Mbit/s | queue | share of EF, all at 200 % load
{ rate: 9 Mbit/s, cross_traffic: [ { poisson: { rate: 2 Mbit/s, packet: 500 B } } ] } | cross_traffic.0.poisson.rate=2.1 Mbit/s | cross traffic | source 0, Poisson: rate
{ rate: 9 Mbit/s, schedule: [ { at: 2s, down: 500ms } ] } | schedule.0.down=501ms | outage | length
{ rate: 9 Mbit/s, schedule: [ { at: 2s, rate: 5 Mbit/s } ] } | schedule.0.rate=4 Mbit/s | rate | rate
END

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
