#!/usr/bin/env bash
# Our time server and clients against Debian's chronyd, over sockets on loopback: a millisecond of wall-clock time counts,
# so these tests run alone and not among the unit tests.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

cd "$root"
status=0
RUBATO_CHRONYD=1 swift test --scratch-path "$debug_path" -Xswiftc -warnings-as-errors --skip-build --filter ChronydTests \
    >"$scratch/log" 2>&1 || status=$?
equal "our server and clients agree with chronyd to a millisecond" 0 "$status"
[ "$status" -eq 0 ] || grep -E '✘|error' "$scratch/log" | sed 's/^/# /' || true
contains "both tests ran" "Test run with 2 tests in 1 suite passed" "$(cat "$scratch/log")"

finish
