#!/usr/bin/env bash
# What units.csv says a decoder makes of each picture, against what ffmpeg makes of it: files of four kinds, each with five
# seeds over a lossy link. Pictures that ffmpeg does not show are those that are undecodable or missing; those that look
# wrong are among the impaired or undecodable ones; and impaired ones really differ from what was sent.
#
# What is left of a picture without its head ffmpeg may put behind the one before it, with a timestamp that it guesses: then
# it shows a picture that never came, and counts as one that differs from ours.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"
source "$tools/lib/media.sh"

# scenario FILE SEED LOSS: a file over a link that loses datagrams two in a row, on the average.
scenario() {
    cat <<YAML
seed: $2
program: { file: $1 }
network:
  forward:
    - { delay: 10ms, loss: { gilbert_elliott: { loss: $3, mean_burst: 2 } } }
receivers: [ { id: tv, playout: { fixed: 100ms } } ]
outputs: { media: [sent, received], series: none, units: true }
YAML
}

# decoded_pictures DIRECTORY ORIGINAL: what ffmpeg decodes of received.ts, by PTS: MD5s, and the SSIM with what it decodes of
# sent.ts at that time. ORIGINAL gets the MD5s of sent.ts, which is the same whatever the seed.
decoded_pictures() {
    ffmpeg -nostdin -hide_banner -loglevel fatal -y -copyts -i "$1/received.ts" -copyts -i "$1/sent.ts" -filter_complex \
        "[0:v]split[plain][a];[a][1:v]ssim,metadata=print:key=lavfi.ssim.All:file=$1/ssim[b]" \
        -map '[b]' -f null - -map '[plain]' -fps_mode passthrough -enc_time_base 1:90000 -f framemd5 "$1/received.md5"
    [ -e "$2" ] || ffmpeg -nostdin -hide_banner -loglevel fatal -copyts -i "$1/sent.ts" -map 0:v -fps_mode passthrough \
        -enc_time_base 1:90000 -f framemd5 "$2"
}

# judge DIRECTORY ORIGINAL: counts of one run, one line.
judge() {
    awk -F'[ ,:=]+' '
        FILENAME ~ /units.csv$/ {
            if ($2 != "video") next
            sent++
            state[$5] = /,missing,,/ ? "missing" : /,undecodable,/ ? "undecodable" : /,impaired,/ ? "impaired" : "intact"
            count[state[$5]]++
            next
        }
        FILENAME ~ /ssim$/ { if (/pts:/) { pts = $4 } else { ssim[pts] = $2 } next }
        /^#/ { next }
        FILENAME ~ /received.md5$/ { received[$3] = $6; next }
        { original[$3] = $6 }
        END {
            for (pts in state) {
                dark = state[pts] == "missing" || state[pts] == "undecodable"
                shown = pts in received
                if (!shown) hidden++
                if (dark != !shown) wrong++
                if (shown && ssim[pts] < 0.98) {
                    ugly++
                    if (state[pts] != "intact") ugly_known++
                }
                if (shown && state[pts] == "impaired") {
                    impaired_shown++
                    if (received[pts] != original[pts]) differing++
                }
                if (shown && state[pts] == "intact" && received[pts] != original[pts]) intact_differing++
            }
            print sent + 0, count["intact"] + 0, count["impaired"] + 0, count["undecodable"] + 0, count["missing"] + 0, \
                hidden + 0, wrong + 0, ugly + 0, ugly_known + 0, impaired_shown + 0, differing + 0, intact_differing + 0
        }' "$1/units.csv" "$1/ssim" "$1/received.md5" "$2"
}

# compare NAME VIDEO LOSS: five seeds, and what must hold of them together.
compare() {
    local name=$1 file=$scratch/$2.ts counts=$scratch/$2.counts seed
    make_moving_pictures "$2" "$file" || return 0
    for seed in 1 2 3 4 5; do
        scenario "$file" "$seed" "$3" >"$scratch/scenario.yaml"
        run_or_stop "$scratch/scenario.yaml" --force --out "$scratch/run"
        equal "$name: units.csv has what run.json counts, seed $seed" \
            "$(value "$scratch/run/run.json" '.substreams[0] | [.decodable.intact, .decodable.impaired,
                .decodable.undecodable, .presented.missing] | map(tostring) | join(" ")')" \
            "$(awk -F, '{ count[$10 == "missing" ? "missing" : $11]++ }
                END { print count["intact"] + 0, count["impaired"] + 0, count["undecodable"] + 0, count["missing"] + 0 }' \
                "$scratch/run/units.csv")"
        decoded_pictures "$scratch/run" "$scratch/$2.md5"
        judge "$scratch/run" "$scratch/$2.md5" >>"$counts"
    done
    awk -v name="$name" '{ for (n = 1; n <= NF; n++) sum[n] += $n }
        END { printf "# %s: %d pictures sent, %d intact, %d impaired, %d undecodable, %d missing; ffmpeg shows all but %d, %d of which differ from ours; SSIM < 0.98: %d, known %d; of %d impaired shown differ %d, of the intact %d\n",
            name, sum[1], sum[2], sum[3], sum[4], sum[5], sum[6], sum[7], sum[8], sum[9], sum[10], sum[11], sum[12] }' "$counts"
    share() { awk "{ a += \$$1; b += \$$2 } END { printf \"%.4f\", b ? a / b : 0 }" "$counts"; }
    within "$name: impaired pictures" "$(awk '{ sum += $3 } END { print sum }' "$counts")" 50 1000000
    within "$name: share of pictures shown by one and not by the other" "$(share 7 1)" 0 0.01
    within "$name: share of those with SSIM < 0.98 that are not intact" "$(share 9 8)" 0.99 1
    within "$name: share of impaired ones that differ from what was sent" "$(share 11 10)" 0.8 1
    # Where a picture has many slices, those of the next one, whose head is lost, are decoded into it.
    within "$name: share of intact ones that differ" "$(share 12 2)" 0 0.02
}

compare "H.264, a group of 250" "h264-250" 1%
compare "H.264, groups of 12 with a pyramid of B pictures" "h264-12" 1%
compare "H.265" "hevc" 1%
compare "MPEG-2" "mpeg2video" 1%

finish
