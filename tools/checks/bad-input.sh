#!/usr/bin/env bash
# Bad input gives one clear message that names the thing, the right exit code, no stack trace, and no run directory.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

lan=$scenarios/clapper-lan.yaml
clapper=$root/Traces/media/clapper.ts

# refused STATUS LINES NAMED FACT ARGUMENT...: exits so; says at most LINES lines, with NAMED in them; leaves nothing.
refused() {
    local status=$1 lines=$2 named=$3 fact=$4
    shift 4
    exits "$status" "$fact" "$rubato" run "$@" --out "$scratch/runs/refused"
    contains "$fact: the message names it" "$named" "$(cat "$scratch/stderr")"
    within "$fact: lines of message" "$(grep -c . "$scratch/stderr" || true)" 1 "$lines"
    no_trace "$fact"
    equal "$fact: nothing is left behind" "" "$(ls -A "$scratch/runs")"
}

no_trace() {
    equal "$1: no stack trace" "" \
        "$(grep -E 'Fatal error|Crash|Thread [0-9]+|Stack dump|\.swift:[0-9]+| at 0x' "$scratch/stderr" || true)"
}

mkdir "$scratch/runs"

refused 64 2 nowhere.yaml "a scenario that is not there" "$scratch/nowhere.yaml"
refused 64 3 iptvv "a preset that does not exist" iptvv
refused 64 2 nowhere.ts "a program file that is not there" "$lan" --set "program.file=$scratch/nowhere.ts"
: >"$scratch/empty.ts"
refused 64 2 empty.ts "an empty program file" "$lan" --set "program.file=$scratch/empty.ts"
ffmpeg -nostdin -loglevel error -y -f lavfi -i testsrc2=size=640x360 -frames:v 1 "$scratch/picture.jpg"
refused 64 2 picture.jpg "a JPEG for a program" "$lan" --set "program.file=$scratch/picture.jpg"
refused 64 2 "$scratch" "a folder for a program" "$lan" --set "program.file=$scratch"
head -c 2000000 /dev/urandom >"$scratch/noise.ts"
refused 64 2 noise.ts "noise for a program" "$lan" --set "program.file=$scratch/noise.ts"
: >"$scratch/empty.yaml"
refused 64 2 empty.yaml "an empty scenario" "$scratch/empty.yaml"
printf 'name: [broken\n' >"$scratch/broken.yaml"
refused 64 3 broken.yaml "a scenario that is not YAML" "$scratch/broken.yaml"
refused 64 3 --sede "an option that does not exist" "$lan" --sede 3
refused 64 3 network.forward.7 "--set outside the scenario" "$lan" --set network.forward.7.delay=3ms

cat >"$scratch/five.yaml" <<'YAML'
name: five mistakes
duration: 60
program:
  file: nowhere.ts
sender:
  carriage: ts-rpt
network:
  forward:
    - rate: -3 Mbit/s
      dealy: 20ms
      loss: { bernoulli: 130% }
receivers:
  - id: tv
    playout: { fixed: soon }
YAML
refused 64 16 five.yaml "a scenario with mistakes" "$scratch/five.yaml"
for mistake in duration nowhere.ts ts-rpt rate dealy bernoulli soon; do
    contains "all mistakes are reported at once: $mistake" "$mistake" "$(cat "$scratch/stderr")"
done
contains "each with its line" five.yaml:2 "$(cat "$scratch/stderr")"
contains "the nearest known key is offered" delay "$(grep dealy "$scratch/stderr" | tail -n 1 | sed 's/dealy//')"

# An output directory that is there already is neither touched nor mixed with.
mkdir "$scratch/there"
echo mine >"$scratch/there/file"
exits 64 "an existing --out is refused" "$rubato" run "$lan" --out "$scratch/there"
contains "it names the directory" "$scratch/there" "$(cat "$scratch/stderr")"
contains "it names the remedy" --force "$(cat "$scratch/stderr")"
exits 64 "--force does not replace what is no run" "$rubato" run "$lan" --force --out "$scratch/there"
equal "what was there is untouched" mine "$(cat "$scratch/there/"*)"
exits 0 "a run" "$rubato" run "$lan" --quiet --out "$scratch/run"
exits 64 "an existing run is refused" "$rubato" run "$lan" --out "$scratch/run"
exits 0 "--force replaces a run" "$rubato" run "$lan" --quiet --seed 5 --force --out "$scratch/run"
equal "with the new one" 5 "$(value "$scratch/run/run.json" .run.seed)"

# Where nobody can write: the mode stops all but root, who is stopped by the kernel's own file systems.
closed=$scratch/closed
mkdir -m 555 "$closed"
for candidate in "$closed" /sys /proc; do
    closed=$candidate
    mkdir "$closed/probe" 2>/dev/null || break
    rmdir "$closed/probe"
done
exits 1 "an unwritable --out" "$rubato" run "$lan" --out "$closed/run"
contains "it names the directory" "$closed" "$(cat "$scratch/stderr")"
no_trace "an unwritable --out"
exits 1 "--out below a file" "$rubato" run "$lan" --out "$scratch/empty.ts/run"
contains "it names the path" empty.ts "$(cat "$scratch/stderr")"

# A full disk: 1 MB of memory file system, mounted as root or in a user namespace. Where neither is allowed (some
# containers), a limit on the size of files stands in for it, as the write fails the same way with another reason.
cat >"$scratch/on-full-disk" <<'BASH'
set -eu
mkdir -p "$1"
mount -t tmpfs -o size=1m rubato-full "$1"
status=0
"${@:2}" --out "$1/run" || status=$?
ls -A "$1" >"$1.left"
umount "$1"
exit "$status"
BASH
cat >"$scratch/on-limited-disk" <<'BASH'
set -eu
mkdir -p "$1"
trap '' XFSZ
status=0
(ulimit -f 1000 && "${@:2}" --out "$1/run") || status=$?
ls -A "$1" >"$1.left"
exit "$status"
BASH
reason="No space left"
if bash "$scratch/on-full-disk" "$scratch/probe" true 2>/dev/null; then
    full_disk=(bash "$scratch/on-full-disk")
elif unshare --user --map-root-user --mount bash "$scratch/on-full-disk" "$scratch/probe" true 2>/dev/null; then
    full_disk=(unshare --user --map-root-user --mount bash "$scratch/on-full-disk")
else
    printf '# No right to mount here: a file-size limit stands in for the full disk\n'
    full_disk=(bash "$scratch/on-limited-disk")
    reason="File too large"
fi
exits 1 "a full disk" "${full_disk[@]}" "$scratch/full" "$rubato" run "$lan" --quiet
contains "it says so" "$reason" "$(cat "$scratch/stderr")"
contains "it names where" "$scratch/full" "$(cat "$scratch/stderr")"
equal "a full disk: nothing is left behind" "" "$(cat "$scratch/full.left")"
no_trace "a full disk"

# Not what one hoped for, but programs all the same.
head -c 1500077 "$clapper" >"$scratch/truncated.ts"
exits 0 "a truncated stream runs" "$rubato" run "$lan" --quiet --set "program.file=$scratch/truncated.ts" \
    --out "$scratch/truncated"
within "with a warning in validity" "$(value "$scratch/truncated/run.json" '.validity.warnings | length')" 1 10
within "as far as it goes" "$(value "$scratch/truncated/run.json" '.substreams[] | select(.kind == "video").sent.units')" \
    200 400

ffmpeg -nostdin -loglevel error -y -i "$clapper" -map 0:a -c copy -f mpegts "$scratch/radio.ts"
exits 0 "a stream without video runs" "$rubato" run "$lan" --quiet --set "program.file=$scratch/radio.ts" \
    --out "$scratch/radio"
within "with a warning in validity" "$(value "$scratch/radio/run.json" '.validity.warnings | length')" 1 10
equal "its only substream is audio" audio "$(value "$scratch/radio/run.json" '.substreams[].kind')"

# verify and compare of what is no run.
exits 1 "verify of a folder that is no run" "$rubato" verify "$scratch/runs"
no_trace "verify of a folder that is no run"
exits 1 "compare of a folder that is no run" "$rubato" compare "$scratch/radio" "$scratch/runs"
no_trace "compare of a folder that is no run"

finish
