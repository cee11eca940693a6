# A tiny assert library for tools/checks: one line a fact, "ok - …" or "not ok - …", and a final count. Sourced after
# common.sh, not run. A script that stops early counts as a failure.
# shellcheck shell=bash

# The program under test; an absolute path, as checks change directory.
rubato=${RUBATO:-$release_rubato}
scenarios=$root/Traces/scenarios
passed=0
failed=0

pass() {
    passed=$((passed + 1))
    printf 'ok - %s\n' "$1"
}

# miss FACT [DETAIL]: the detail is printed as comments, at most 20 lines of it.
miss() {
    failed=$((failed + 1))
    printf 'not ok - %s\n' "$1"
    [ -z "${2-}" ] || sed -n '1,20s/^/#   /p' <<<"$2"
}

# ok FACT COMMAND...: the command succeeds; else its output is shown.
ok() {
    local fact=$1 output
    shift
    if output=$("$@" 2>&1); then pass "$fact"; else miss "$fact" "$output"; fi
}

# silent FACT COMMAND...: the command succeeds and says nothing.
silent() {
    local fact=$1 output status=0
    shift
    output=$("$@" 2>&1) || status=$?
    if [ "$status" -eq 0 ] && [ -z "$output" ]; then
        pass "$fact"
    else
        miss "$fact" "exit $status: $output"
    fi
}

# equal FACT EXPECTED ACTUAL
equal() {
    if [ "$2" = "$3" ]; then pass "$1"; else miss "$1" "expected: $2
     got: $3"; fi
}

# within FACT VALUE LOW HIGH: LOW <= VALUE <= HIGH, as numbers; an empty or null value misses.
within() {
    if [[ $2 =~ ^[-+0-9.eE]+$ ]] \
        && awk -v value="$2" -v low="$3" -v high="$4" 'BEGIN { exit !(value >= low && value <= high) }'; then
        pass "$1 ($2)"
    else
        miss "$1" "got ${2:-nothing}, wanted $3 ... $4"
    fi
}

# contains FACT NEEDLE TEXT
contains() {
    if grep -qF -- "$2" <<<"$3"; then pass "$1"; else miss "$1" "no '$2' in:
$3"; fi
}

# exits STATUS FACT COMMAND...: leaves the command's output in $scratch/stdout and $scratch/stderr.
exits() {
    local status=$1 fact=$2 got=0
    shift 2
    "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || got=$?
    if [ "$got" -eq "$status" ]; then
        pass "$fact (exit $status)"
    else
        miss "$fact" "exit $got instead of $status
$(head -n 15 "$scratch/stderr")"
    fi
}

# value FILE FILTER: jq's raw answer.
value() { jq -r "$2" "$1"; }

# A run that the checks stand on: stops the script where it fails. One that misses its own contract (exit 3) is as good
# as another here.
run_or_stop() {
    local got=0
    "$rubato" run --quiet "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || got=$?
    if [ "$got" -ne 0 ] && [ "$got" -ne 3 ]; then
        miss "rubato run $*" "exit $got
$(cat "$scratch/stderr")"
        finish
    fi
}

# The last line of every script.
finish() {
    finished=yes
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

finished=no
report_early_end() {
    [ "$finished" = yes ] && return
    printf 'not ok - %s ended before its last check\n%d passed, %d failed\n' "$(basename "$0")" "$passed" $((failed + 1))
}

[ -x "$rubato" ] || stop "no program at $rubato. Build it with tools/test, or name another in RUBATO."
make_scratch
at_exit report_early_end
