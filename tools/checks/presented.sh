#!/usr/bin/env bash
# What presented.ts shows is what run.json says: in a clapper whose sound takes 120 ms longer than its picture, the offset
# from flash to beep, measured in the frames and samples that ffmpeg decodes, is the lip-sync skew; a stall lasts as long
# in the file. And ffmpeg reads what sessions of their own leave in media files.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"
source "$tools/lib/media.sh"

clapper=$root/Traces/media/clapper.ts
# A picture of 25 a second and a frame of layer II at 48 kHz, ms.
picture_ms=40
frame_ms=24

# clapper_run NAME CARRIAGE AUDIO-DELAY-MS [OPTION...]
clapper_run() {
    local name=$1 carriage=$2 delay=$3
    shift 3
    {
        printf 'program: { file: %s }\nsender: { carriage: %s }\n' "$clapper" "$carriage"
        printf 'network:\n  forward: [ { delay: 20ms } ]\n'
        [ "$carriage" = ts-rtp ] || printf '  flows: { audio: { forward: [ { delay: %sms } ] } }\n' $((20 + delay))
        printf 'receivers: [ { id: tv, playout: { fixed: 100ms } } ]\noutputs: { series: none }\n'
    } >"$scratch/$name.yaml"
    run_or_stop "$scratch/$name.yaml" "$@" --out "$scratch/$name"
}

# The presentation times, seconds, of pictures whose mean luma in raw frames is above 200 of 255.
flashes() {
    ffprobe -loglevel error -select_streams v -show_entries frame=pts_time -of csv=p=0 "$1" \
        | awk -F, '$1 { print $1 }' >"$scratch/times"
    ffmpeg -nostdin -loglevel error -i "$1" -map 0:v -fps_mode passthrough -vf scale=16:9:flags=area,format=gray \
        -f rawvideo - | od -An -v -w144 -tu1 \
        | awk '{ sum = 0; for (n = 1; n <= NF; n++) sum += $n; print sum / NF }' >"$scratch/luma"
    paste "$scratch/times" "$scratch/luma" | awk '$2 > 200 { print $1 }'
}

# The times at which a beep begins, from raw samples: where after 200 ms of quiet one is above a sixteenth of full scale.
# Samples are counted from the first frame's time; frames that are not one behind the other have their own.
beeps() {
    ffprobe -loglevel error -select_streams a -show_entries frame=pts_time,nb_samples -of csv=p=0 "$1" >"$scratch/frames"
    ffmpeg -nostdin -loglevel error -i "$1" -map 0:a -ac 1 -ar 48000 -fps_mode passthrough -f s16le - \
        | od -An -v -w2 -td2 | awk -v frames="$scratch/frames" '
            BEGIN {
                frame = count = 0
                quiet = 9600
                while ((getline line <frames) > 0) {
                    if (split(line, part, ",") < 2) continue
                    start[count] = part[1]
                    size[count++] = part[2]
                }
            }
            {
                while (frame < count && place >= size[frame]) { place = 0; frame++ }
                if ($1 > 2048 || $1 < -2048) { if (quiet >= 9600) print start[frame] + place / 48000; quiet = 0 } else quiet++
                place++
            }'
}

# The median offset from flash to beep, ms, and of how many: each flash with the nearest beep.
offsets() {
    flashes "$1" >"$scratch/flashes"
    beeps "$1" >"$scratch/beeps"
    awk 'FILENAME ~ /beeps$/ { beep[count++] = $1; next }
        { best = 1e9; for (n = 0; n < count; n++) { d = (beep[n] - $1) * 1000; if (d * d < best * best) best = d } print best }' \
        "$scratch/beeps" "$scratch/flashes" | sort -g \
        | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)], NR }'
}

# synchronous NAME: what was sent has flash and beep together, and what was presented as far apart as the skew says, which
# is negative for later sound.
synchronous() {
    local sent presented skew
    read -r sent _ <<<"$(offsets "$scratch/$1/sent.ts")"
    read -r presented count <<<"$(offsets "$scratch/$1/presented.ts")"
    skew=$(value "$scratch/$1/run.json" '.lip_sync[0].skew_ns.p50 / 1e6')
    printf '# %s: flash to beep %s ms as sent, %s ms as presented (%s flashes); skew %s ms\n' \
        "$1" "$sent" "$presented" "$count" "$skew"
    within "$1: flashes measured" "$count" 18 20
    within "$1: flash to beep as sent, ms" "$sent" -1 1
    within "$1: flash to beep and skew differ by a frame of sound and half a picture at most, ms" \
        "$(awk -v a="$presented" -v s="$skew" 'BEGIN { print a + s }')" \
        -$((frame_ms + picture_ms / 2)) $((frame_ms + picture_ms / 2))
}

# legal NAME FILE: nobody finds anything wrong with it.
legal() {
    silent "$1: ffprobe reads it without a word" ffprobe -loglevel warning "$2"
    silent "$1: ffmpeg decodes it without a word" decode "$2"
    equal "$1: rubato analyze finds no error in it" '{}' \
        "$("$rubato" analyze "$2" --json | jq -c '[.streams[0].transport_stream.tr101290 | to_entries[] | select(.value != 0 and .value != null)] | from_entries')"
}

clapper_run together ts-rtp 0
synchronous together
legal "together: presented.ts" "$scratch/together/presented.ts"

clapper_run apart rtp-separate 120
synchronous apart
within "apart: the skew is what the sound takes longer, ms" "$(value "$scratch/apart/run.json" '.lip_sync[0].skew_ns.p50 / 1e6')" -121 -119
for file in sent received presented; do legal "apart: $file.ts" "$scratch/apart/$file.ts"; done
ok "apart: every frame presented is the input's" same_decoded_frames "$clapper" "$scratch/apart/presented.ts"
ok "apart: every frame received is the input's" same_decoded_frames "$clapper" "$scratch/apart/received.ts"

# A link that is down for two seconds: the pictures around it are as far apart as the longest freeze.
clapper_run stalled ts-rtp 0 --set 'network.forward.0.schedule=[ { at: 8s, down: 2s } ]'
gap=$(ffprobe -loglevel error -select_streams v -show_entries frame=pts_time -of csv=p=0 "$scratch/stalled/presented.ts" 2>/dev/null \
    | awk -F, '!$1 { next } last && $1 - last > most { most = $1 - last } { last = $1 } END { print most * 1000 }')
freeze=$(value "$scratch/stalled/run.json" '.substreams[0].freezes.longest_ns / 1e6')
within "stalled: the longest freeze, ms" "$freeze" 1900 3100
within "stalled: it is as long in presented.ts" "$(awk -v a="$gap" -v b="$freeze" 'BEGIN { print a - b }')" -$picture_ms $picture_ms
silent "stalled: ffprobe reads presented.ts without a word" ffprobe -loglevel warning "$scratch/stalled/presented.ts"
ok "stalled: ffmpeg copies presented.ts" ffmpeg -nostdin -loglevel error -xerror -i "$scratch/stalled/presented.ts" -map 0 -c copy -f null -
equal "asking for it changes nothing" "$(value "$scratch/stalled/run.json" .run.digest)" \
    "$("$rubato" run "$scratch/stalled.yaml" --set 'network.forward.0.schedule=[ { at: 8s, down: 2s } ]' --set outputs.media=none \
        --json --out "$scratch/none" 2>/dev/null | jq -r .run.digest)"

# What sessions of their own carry, ffmpeg finds in transport streams, and G.711 in WAVE.
mkdir -p "$scratch/media"
for codecs in h264-aac hevc-opus h264-mp3 mpeg2video-mp2; do
    input=$scratch/media/$codecs.ts
    make_with_ffmpeg "$codecs" "$input" || continue
    run_or_stop "$scenarios/clapper-lan.yaml" --set "program.file=$input" --set sender.carriage=rtp-separate \
        --set 'qos={}' --out "$scratch/$codecs"
    for file in sent received presented; do
        silent "$codecs: ffmpeg decodes $file.ts without a word" decode "$scratch/$codecs/$file.ts"
        ok "$codecs: every frame in $file.ts is the input's" same_decoded_frames "$input" "$scratch/$codecs/$file.ts"
    done
done
run_or_stop voip --duration 4s --out "$scratch/voip"
wave=$(ls "$scratch"/voip/presented*.wav)
equal "voip: ffprobe knows the samples" "pcm_mulaw,8000,1" \
    "$(ffprobe -loglevel error -show_entries stream=codec_name,sample_rate,channels -of csv=p=0 "$wave")"
silent "voip: ffmpeg decodes them without a word" \
    ffmpeg -nostdin -loglevel error -xerror -i "$wave" -f null -
finish
