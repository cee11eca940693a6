#!/usr/bin/env bash
# Ctrl-C: the sources stop, what is under way drains, a whole run directory is written, exit 130.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

# interrupt DIRECTORY: starts a run of twenty hours (a minute or so), sends it SIGINT after two seconds, leaves its exit in $status.
interrupt() {
    # Job control, for without it a shell starts background processes with SIGINT ignored.
    set -m
    "$rubato" run "$scenarios/bench.yaml" --duration 20h --out "$1" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null &
    local pid=$!
    set +m
    sleep 2
    kill -s INT "$pid" 2>/dev/null || true
    # A guard against a program that does not stop.
    (sleep 60 && kill -KILL "$pid") 2>/dev/null &
    local guard=$!
    status=0
    wait "$pid" || status=$?
    kill "$guard" 2>/dev/null || true
    wait "$guard" 2>/dev/null || true
}

run=$scratch/interrupted
interrupt "$run"
equal "exit 130" 130 "$status"
equal "no stack trace" "" "$(grep -E 'Fatal error|Crash| at 0x' "$scratch/stderr" || true)"
ok "a whole run directory" jq -e .run.digest "$run/run.json"
equal "nothing beside it" interrupted "$(find "$scratch" -mindepth 1 -maxdepth 1 -type d -printf '%P\n')"
if [ -e "$run/run.json" ]; then
    equal "its status" interrupted "$(value "$run/run.json" .run.status)"
    equal "what was under way drained: every datagram met one fate" true "$(value "$run/run.json" '[.flows[].packets |
        .sent + .duplicated == .delivered + .lost_link + .lost_node + .dropped_queue + .dropped_checksum] | all and length > 0')"
fi

finish
