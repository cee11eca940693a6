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

finish
