# Making small streams with other programs, and comparing them before and after. Sourced after check.sh.
# shellcheck shell=bash

# decode FILE: every warning of ffmpeg on reading and decoding all of it.
decode() { ffmpeg -nostdin -hide_banner -nostats -loglevel warning -xerror -i "$1" -map 0 -f null - 2>&1; }

# make_with_ffmpeg VIDEO-AUDIO FILE: six seconds.
make_with_ffmpeg() {
    local video=() audio=()
    case $1 in
        h264-*) video=(libx264 -bf 2 -g 25) ;;
        mpeg2video-*) video=(mpeg2video -bf 2 -g 12 -b:v 1500k) ;;
        hevc-*) video=(libx265 -g 25 -x265-params log-level=none) ;;
    esac
    case $1 in
        *-opus) audio=(libopus -b:a 96k) ;;
        *-mp3) audio=(libmp3lame) ;;
        *) audio=("${1#*-}") ;;
    esac
    local output
    output=$(ffmpeg -nostdin -hide_banner -loglevel error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=6 \
        -f lavfi -i sine=frequency=440:sample_rate=48000:duration=6 \
        -pix_fmt yuv420p -c:v "${video[@]}" -c:a "${audio[@]}" -f mpegts "$2" 2>&1) \
        || { miss "ffmpeg makes $1" "$output"; return 1; }
}

# make_moving_pictures VIDEO FILE: fifteen seconds without sound in which every part of the picture moves.
make_moving_pictures() {
    local video=() output
    case $1 in
        h264-250) video=(libx264 -g 250 -b:v 600k) ;;
        h264-12) video=(libx264 -g 12 -bf 3 -b_strategy 0 -x264-params b-pyramid=normal -b:v 600k) ;;
        hevc) video=(libx265 -preset veryfast -g 50 -b:v 600k -x265-params log-level=none) ;;
        mpeg2video) video=(mpeg2video -bf 2 -g 12 -b:v 1500k) ;;
    esac
    output=$(ffmpeg -nostdin -hide_banner -loglevel error -y -f lavfi \
        -i 'testsrc2=size=320x180:rate=25:duration=15,scroll=horizontal=0.011:vertical=0.007' \
        -pix_fmt yuv420p -c:v "${video[@]}" -f mpegts "$2" 2>&1) || { miss "ffmpeg makes $1" "$output"; return 1; }
}

# make_with_gstreamer FILE: six seconds of H.264 and AAC.
make_with_gstreamer() {
    local output
    output=$(gst-launch-1.0 -q mpegtsmux name=mux alignment=7 ! filesink location="$1" \
        videotestsrc num-buffers=150 ! video/x-raw,width=320,height=180,framerate=25/1 \
        ! x264enc key-int-max=25 bframes=2 bitrate=500 ! h264parse ! mux. \
        audiotestsrc num-buffers=281 samplesperbuffer=1024 ! audio/x-raw,rate=48000,channels=2 \
        ! avenc_aac ! aacparse ! mux. 2>&1) \
        || { miss "GStreamer makes a transport stream" "$output"; return 1; }
}

# Every decoded frame of video and audio: stream, duration, size and MD5, in order of stream. Timestamps are compared
# on their own, below.
decoded_frames() {
    ffmpeg -nostdin -hide_banner -loglevel error -i "$1" -map '0:v?' -map '0:a?' -fps_mode passthrough -f framemd5 - \
        | awk -F, '!/^#/ { print $1, $5, $6 }' | sort -s -k 1,1
}

# Every access unit as ffprobe sees it: kind, PTS and size, with the timestamps counted from the first of the file, so
# that one shift of all (and only that) goes unnoticed.
access_units() {
    ffprobe -loglevel error -show_entries packet=codec_type,pts,size -of compact=print_section=0:nokey=1 "$1" \
        | awk -F'|' 'NF == 3 { line[++count] = $0; if (count == 1 || $2 + 0 < first) first = $2 + 0 }
            END { for (n = 1; n <= count; n++) { split(line[n], part, "|"); print part[1], part[2] - first, part[3] } }' \
        | sort -s -k 1,1
}

same_decoded_frames() { diff <(decoded_frames "$1") <(decoded_frames "$2"); }
same_access_units() { diff <(access_units "$1") <(access_units "$2"); }

# perfect_network NAME FILE [OPTION...]: everything that must hold when nothing is lost.
perfect_network() {
    local name=$1 input=$2 run=$scratch/$1
    shift 2
    "$rubato" run "$scenarios/clapper-lan.yaml" --set "program.file=$input" "$@" --quiet --out "$run" \
        >"$scratch/log" 2>&1 </dev/null || { miss "$name: rubato runs it" "exit $?: $(cat "$scratch/log")"; return; }
    ok "$name: received.ts is sent.ts" cmp "$run/sent.ts" "$run/received.ts"
    silent "$name: ffprobe reads sent.ts without a word" ffprobe -loglevel warning "$run/sent.ts"
    silent "$name: ffmpeg decodes sent.ts without a word" decode "$run/sent.ts"
    silent "$name: ffprobe reads received.ts without a word" ffprobe -loglevel warning "$run/received.ts"
    silent "$name: ffmpeg decodes received.ts without a word" decode "$run/received.ts"
    silent "$name: ffprobe reads presented.ts without a word" ffprobe -loglevel warning "$run/presented.ts"
    silent "$name: ffmpeg decodes presented.ts without a word" decode "$run/presented.ts"
    ok "$name: every frame presented equals the input's" same_decoded_frames "$input" "$run/presented.ts"
    ok "$name: every access unit of the input, in its place in time" same_access_units "$input" "$run/received.ts"
    ok "$name: every decoded frame equals the input's" same_decoded_frames "$input" "$run/received.ts"
    equal "$name: nothing missing, damaged or late" 0 "$(value "$run/run.json" \
        '[.substreams[].presented | .late, .missing, .damaged] | add')"
}
