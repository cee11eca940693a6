#!/usr/bin/env bash
# Same seed, same bytes: every file of a run but for wall-clock facts, in debug and in release, and again.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

debug=${RUBATO_DEBUG:-$debug_rubato}
[ -x "$debug" ] || stop "no debug build at $debug. Build it with tools/test, or name another in RUBATO_DEBUG."

# What differs from run to run by nature.
without_wall_clock() { jq -S 'del(.run.id, .run.wall_ns, .run.speed_factor)' "$1"; }

# same_runs A B: every file of both directories is identical, run.json but for wall-clock facts.
same_runs() {
    diff <(cd "$1" && find . -type f | sort) <(cd "$2" && find . -type f | sort) || return 1
    local file
    while read -r file; do
        if [ "$file" = ./run.json ]; then
            diff <(without_wall_clock "$1/$file") <(without_wall_clock "$2/$file") || return 1
        else
            cmp "$1/$file" "$2/$file" || return 1
        fi
    done < <(cd "$1" && find . -type f | sort)
}

# both_builds NAME SCENARIO [OPTION...]
both_builds() {
    local name=$1 option
    shift
    mkdir -p "$scratch/debug" "$scratch/release"
    # A run whose own contract fails is as good as another here.
    for option in debug release; do
        local program=$rubato status=0
        [ "$option" = debug ] && program=$debug
        "$program" run "$@" --quiet --out "$scratch/$option/$name" >"$scratch/log" 2>&1 </dev/null || status=$?
        if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then
            miss "$name runs in $option" "exit $status: $(cat "$scratch/log")"
            return
        fi
    done
    equal "$name: one digest in debug and release" \
        "$(value "$scratch/release/$name/run.json" .run.digest)" "$(value "$scratch/debug/$name/run.json" .run.digest)"
    ok "$name: every file identical in debug and release" same_runs "$scratch/debug/$name" "$scratch/release/$name"
}

for file in "$scenarios"/*.yaml; do
    name=$(basename "$file" .yaml)
    case $name in
        bench) both_builds "$name" "$file" --duration 20s ;;
        *) both_builds "$name" "$file" --set outputs.packets=true ;;
    esac
done
for preset in lan iptv dsl-evening wifi-busy; do
    both_builds "preset-$preset" "$preset" --duration 5s --seed 7 --capture
done

for algorithm in cristian ntp regression berkeley averaging; do
    both_builds "classroom-$algorithm" classroom --duration 20s --capture --set clocks.synchronization="$algorithm" \
        --set receivers.0.clock='{ wander: 20 ppb/sqrt(s), noise: 5 ppb, temperature: { amplitude: 1 ppm, period: 60s } }'
done

run_or_stop "$scenarios/clapper-dsl.yaml" --set outputs.packets=true --out "$scratch/again"
ok "the same build twice: every file identical" same_runs "$scratch/release/clapper-dsl" "$scratch/again"

run_or_stop "$scenarios/clapper-dsl.yaml" --seed 98 --out "$scratch/seed98"
equal "another seed gives another digest" different "$(
    [ "$(value "$scratch/seed98/run.json" .run.digest)" != "$(value "$scratch/again/run.json" .run.digest)" ] \
        && echo different || echo "the same"
)"

exits 0 "verify agrees with the same build" "$rubato" verify "$scratch/again"
exits 0 "verify by the debug build agrees with release" "$debug" verify "$scratch/release/clapper-lan"
cp -r "$scratch/again" "$scratch/forged"
jq '.run.digest |= (if startswith("0") then "1" else "0" end) + .[1:]' "$scratch/again/run.json" \
    >"$scratch/forged/run.json"
exits 3 "verify refuses a digest that is not the run's" "$rubato" verify "$scratch/forged"

finish
