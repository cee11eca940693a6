#!/usr/bin/env bash
# Damaged captures: every prefix, flipped bits, lengths that cannot be. None stops the program, memory stays small, and
# what was skipped is counted by its reason. Over captures made here and those below RUBATO_CORPUS.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"

memory_limit_kb=150000
(cd "$root" && RUBATO_FUZZ=1 swift build -c release --product fuzz --scratch-path "$release_path" --quiet) >&2
fuzz=$root/$release_path/release/fuzz

mkdir "$scratch/captures"
run_or_stop "$scenarios/clapper-lan.yaml" --duration 2s --capture --out "$scratch/run"
whole=$scratch/run/capture/receiver.pcap
editcap -F nsecpcap -r "$whole" "$scratch/captures/nanoseconds.pcap" 1-12
editcap -F pcap -r "$whole" "$scratch/captures/microseconds.pcap" 13-20
editcap -F pcapng -r "$whole" "$scratch/captures/blocks.pcapng" 1-12
editcap -F pcap -r -T rawip -C 14 "$whole" "$scratch/captures/raw.pcap" 1-2
editcap -F nsecpcap -r -s 80 "$whole" "$scratch/captures/cut.pcap" 1-18
gzip -c "$scratch/captures/nanoseconds.pcap" >"$scratch/captures/packed.pcap.gz"
[ -z "${RUBATO_CORPUS-}" ] \
    || find "$RUBATO_CORPUS" \( -name '*.pcap' -o -name '*.pcapng' \) -exec cp {} "$scratch/captures/" \;

# peak TEXT: the memory that the fuzzer says it took, in kilobytes.
peak() { awk '$1 == "peak_kb" { print $2 }' <<<"$1"; }

files=("$scratch"/captures/*)
if output=$("$fuzz" prefixes 2000 "${files[@]}" 2>&1); then
    pass "every prefix of 2000 bytes, and others of longer files, of ${#files[@]} captures"
else
    miss "prefixes of captures" "$(tail -n 20 <<<"$output")"
fi
within "kilobytes that took" "$(peak "$output")" 1 "$memory_limit_kb"
# Lines: prefixes N refused N silent N packets N FILE. What ends with a packet, or with the file's header, is whole.
for file in "$scratch"/captures/{cut,raw}.pcap; do
    read -r _ _ _ refused _ silent _ packets _ < <(grep -F "$file" <<<"$output")
    equal "$(basename "$file"): all of its packets are read" "$(tcpdump -nn -r "$file" 2>/dev/null | wc -l)" "$packets"
    equal "$(basename "$file"): less than a magic number is no capture" 4 "$refused"
    equal "$(basename "$file"): all prefixes but the whole ones are called cut" $((packets + 1)) "$silent"
done
if output=$("$fuzz" flips 100 "${files[@]}" 2>&1); then
    pass "100 damaged copies of each: analyzed, replayed and matched"
else
    miss "damaged copies" "$(tail -n 20 <<<"$output")"
fi
within "kilobytes that took" "$(peak "$output")" 1 "$memory_limit_kb"

# skips REASON COUNT FACT FILE: it is read all the same, and that is counted.
skips() {
    exits 0 "$3" "$rubato" analyze --json "$4"
    equal "$3: it is counted" "$2" "$(value "$scratch/stdout" ".inputs[0].skipped.$1")"
    contains "$3: and said" "$1" "$(cat "$scratch/stderr")"
}
header=$(od -An -v -tx1 -N24 "$whole" | tr -d ' \n')
bytes() { sed 's/../\\x&/g' <<<"$1" | xargs -0 printf '%b'; }
bytes "${header}0000000000000000ffffffffffffffff" | head -c -1 >"$scratch/4gb.pcap"
skips bad_length 1 "a packet of 4 GB" "$scratch/4gb.pcap"
head -c 3000 "$whole" >"$scratch/middle.pcap"
skips truncated_file 1 "a file that ends within a packet" "$scratch/middle.pcap"
equal "the packets before are there" "$(tcpdump -nn -r "$scratch/middle.pcap" 2>/dev/null | wc -l)" \
    "$(value "$scratch/stdout" '.inputs[0].packets')"
{ head -c 28 "$scratch/captures/blocks.pcapng"; printf '\x06\0\0\0\xfc\xff\xff\xff'; } >"$scratch/4gb.pcapng"
head -c 100 "$whole" >>"$scratch/4gb.pcapng"
exits 0 "a block of 4 GB" "$rubato" analyze --json "$scratch/4gb.pcapng"
within "it is counted" "$(value "$scratch/stdout" '.inputs[0].skipped | add')" 1 2
head -c 2000 "$scratch/captures/packed.pcap.gz" >"$scratch/half.gz"
skips damaged_compression 1 "half a compressed capture" "$scratch/half.gz"

# refused NAMED FACT ARGUMENT...: one clear message and no capture, in little memory.
refused() {
    local named=$1 fact=$2
    shift 2
    exits 1 "$fact" bash -c 'ulimit -v 4000000; exec "$@"' - timeout 20 "$rubato" analyze "$@"
    contains "$fact: the message names it" "$named" "$(cat "$scratch/stderr")"
    within "$fact: lines of message" "$(grep -c . "$scratch/stderr" || true)" 1 2
}
refused /dev/zero "/dev/zero" /dev/zero
refused /dev/urandom "/dev/urandom" /dev/urandom
refused "$scratch" "a directory" "$scratch"
: >"$scratch/empty.pcap"
refused empty.pcap "an empty file" "$scratch/empty.pcap"
refused nowhere.pcap "a file that is not there" "$scratch/nowhere.pcap"
refused "$root/README.md" "a text" "$root/README.md"
refused nowhere.pcap "one bad capture among good ones" "$whole" "$scratch/nowhere.pcap"
refused "$scratch" "a directory for a receiver's capture" --sender "$whole" --receiver "$scratch"

finish
