# Captures: rubato analyze beside tshark, which measures the same, and tcpdump, which only reads them. Sourced by
# tools/bench: 500,000 packets of RTP, 690 MB, by the wall clock, the file in memory.
# shellcheck shell=bash

tshark_ratio_wanted=8
tcpdump_ratio_limit=2.5
growth_limit=1.1

# timed NAME COMMAND...: appends the seconds that a command takes to $scratch/NAME, and its memory to NAME-memory.
timed() {
    local name=$1
    shift
    /usr/bin/time --quiet --format='%e %M' --output="$scratch/time" "$@" >"$scratch/stdout" 2>"$scratch/stderr" \
        || stop "$* fails: $(head -n 5 "$scratch/stderr")"
    awk '{ print $1 }' "$scratch/time" >>"$scratch/$name"
    awk '{ print $2 }' "$scratch/time" >>"$scratch/$name-memory"
}

bench_captures() {
    local whole=$scratch/captures/capture/receiver.pcap part=$scratch/part.pcap round
    "$release_rubato" run "$root/Traces/scenarios/bench.yaml" --duration 662s --set 'capture={ points: [ receiver ] }' \
        --quiet --out "$scratch/captures" >&2 || [ $? -eq 3 ]
    editcap -F nsecpcap -r "$whole" "$part" 1-50000 2>"$scratch/stderr" || stop "editcap: $(cat "$scratch/stderr")"
    for ((round = 1; round <= rounds; round++)); do
        timed tcpdump tcpdump -nn -r "$whole" 'udp and port 1'
        timed analyze "$release_rubato" analyze "$whole"
        timed analyze-part "$release_rubato" analyze "$part"
        # Twenty times as slow: three times tell enough.
        [ "$round" -gt 3 ] || timed tshark tshark -n -q -z rtp,streams -r "$whole"
    done
    local ours memory
    ours=$(median <"$scratch/analyze")
    memory=$(median <"$scratch/analyze-memory")
    printf '\nA capture of %s MB\n' "$(($(stat -c %s "$whole") / 1000000))"
    line "rubato analyze" "$ours" s
    line "tshark -q -z rtp,streams over it" "$(divide "$(median <"$scratch/tshark")" "$ours")" times \
        least "$tshark_ratio_wanted"
    line "it over tcpdump -r FILE 'udp and port 1'" "$(divide "$ours" "$(median <"$scratch/tcpdump")")" times \
        most "$tcpdump_ratio_limit"
    line "its peak memory" "$memory" kB
    line "the same over that for a tenth of the file" \
        "$(awk -v a="$memory" -v b="$(median <"$scratch/analyze-part-memory")" 'BEGIN { printf "%.2f", a / b }')" times \
        most "$growth_limit"
    rm -rf "$scratch/captures" "$part"
}
