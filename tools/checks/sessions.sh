#!/usr/bin/env bash
# What rtp-separate sends, others play: sender.pcap replayed to loopback as session.sdp describes it gives ffmpeg and GStreamer
# every decoded frame of the input, and tshark and rubato analyze find every session in it.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"
source "$tools/lib/media.sh"

# Ports on loopback begin so much higher than in the capture.
shift_ports=21000

# replay PCAP: sends its datagrams to loopback at their times, read by tshark, to the ports that they went to and higher.
replay() {
    tshark -r "$1" -Y 'udp.dstport >= 5004 && udp.dstport < 5100 && ip.src == 10.0.0.1' \
        -T fields -e frame.time_relative -e udp.dstport -e udp.payload 2>/dev/null \
        | perl -MTime::HiRes=time,sleep -MIO::Socket::INET -ane '
            BEGIN { $socket = IO::Socket::INET->new(Proto => "udp") or die; $shift = '"$shift_ports"'; }
            $begin //= time() - $F[0];
            $wait = $begin + $F[0] - time();
            sleep($wait) if $wait > 0;
            # The ports in pairs: reports wait a moment, so that a goodbye does not overtake what it ends.
            sleep(0.05) if $F[1] % 2;
            $socket->send(pack("H*", $F[2]), 0, pack_sockaddr_in($F[1] + $shift, inet_aton("127.0.0.1")));
            BEGIN { use Socket qw(pack_sockaddr_in inet_aton); }'
}

# on_loopback SDP: the description with loopback's address and the higher ports.
on_loopback() {
    awk -v shift="$shift_ports" '/^c=/ { sub(/[0-9.]+(\/[0-9]+)?\r?$/, "127.0.0.1\r") }
        /^m=/ { $2 += shift } { print }' "$1"
}

# listening PORT: waits until somebody takes datagrams there.
listening() {
    local tries=0
    until [ -n "$(ss -lunH "sport = :$1")" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        sleep 0.1
    done
}

# Every decoded frame of one medium (v or a): size and MD5.
frames_of() {
    ffmpeg -nostdin -hide_banner -loglevel error "${@:3}" -i "$1" -map "0:$2" -fps_mode passthrough -f framemd5 - \
        | awk -F, '!/^#/ { print $5, $6 }'
}

# played_by_ffmpeg NAME RUN INPUT
played_by_ffmpeg() {
    local name=$1 run=$2 input=$3 player
    on_loopback "$run/session.sdp" >"$scratch/loop.sdp"
    timeout 60 ffmpeg -nostdin -hide_banner -loglevel error -protocol_whitelist file,udp,rtp -buffer_size 4000000 \
        -i "$scratch/loop.sdp" -map 0:v -map 0:a -fps_mode passthrough -f framemd5 "$scratch/$name.md5" \
        >"$scratch/$name.log" 2>&1 &
    player=$!
    listening $((5006 + shift_ports)) || miss "$name: ffmpeg listens" "$(cat "$scratch/$name.log")"
    replay "$run/capture/sender.pcap"
    wait "$player" || true
    for medium in 0:v 1:a; do
        # A transport stream says what a decoder of Opus trims at the beginning, RTP does not.
        [ "$name $medium" != "hevc-opus 1:a" ] || continue
        equal "$name: ffmpeg has every decoded frame of ${medium#*:}" \
            "$(frames_of "$input" "${medium#*:}" | md5sum)" \
            "$(awk -F, -v stream="${medium%:*}" '!/^#/ && $1 == stream { print $5, $6 }' "$scratch/$name.md5" | md5sum)"
    done
    within "$name: frames of video compared" "$(grep -c '^0,' "$scratch/$name.md5")" 140 160
}

# played_by_gstreamer NAME RUN INPUT DEPAYLOADER PARSER DECODER: the pictures, byte for byte.
played_by_gstreamer() {
    local name=$1 run=$2 input=$3 player
    on_loopback "$run/session.sdp" >"$scratch/loop.sdp"
    gst-launch-1.0 -q -e filesrc location="$scratch/loop.sdp" ! sdpdemux latency=500 name=demux \
        demux. ! application/x-rtp,media=video ! "$4" ! "$5" ! "$6" ! filesink location="$scratch/$name.raw" \
        demux. ! application/x-rtp,media=audio ! fakesink sync=false async=false >"$scratch/$name.log" 2>&1 &
    player=$!
    listening $((5006 + shift_ports)) || miss "$name: GStreamer listens" "$(cat "$scratch/$name.log")"
    replay "$run/capture/sender.pcap"
    sleep 2
    # It ends by itself where it takes the goodbyes for the end.
    kill -INT "$player" 2>/dev/null || true
    wait "$player" || true
    ffmpeg -nostdin -loglevel error -y -i "$input" -map 0:v -fps_mode passthrough -pix_fmt yuv420p -f rawvideo "$scratch/$name.yuv"
    ok "$name: GStreamer shows every picture, byte for byte" cmp "$scratch/$name.raw" "$scratch/$name.yuv"
    silent "$name: GStreamer has nothing to say" cat "$scratch/$name.log"
}

# sessions NAME INPUT VIDEO AUDIO: runs it, and what others find in the capture.
sessions() {
    local name=$1 input=$2 run=$scratch/$1
    "$rubato" run "$scenarios/clapper-lan.yaml" --set "program.file=$input" --set sender.carriage=rtp-separate \
        --set outputs.media=none --set 'capture=all' --quiet --out "$run" \
        >"$scratch/log" 2>&1 </dev/null || { miss "$name: rubato runs it" "exit $?: $(cat "$scratch/log")"; return 1; }
    equal "$name: nothing missing, damaged or late" 0 "$(value "$run/run.json" \
        '[.substreams[].presented | .late, .missing, .damaged] | add')"
    local found
    found=$(tshark -r "$run/capture/sender.pcap" -q -z rtp,streams 2>/dev/null)
    contains "$name: tshark finds the $3 session" "$3" "$found"
    contains "$name: tshark finds the $4 session" "$4" "$found"
    "$rubato" analyze "$run/capture/sender.pcap" --sdp "$run/session.sdp" --json >"$scratch/analysis.json"
    equal "$name: rubato analyze finds the same datagrams of the same sessions" \
        "$(value "$run/run.json" '[.flows[].packets.sent] | sort | @csv')" \
        "$(value "$scratch/analysis.json" '[.streams[] | select(.packets.lost == 0) | .packets.unique] | sort | @csv')"
}

mkdir -p "$scratch/media"
while read -r codecs video audio parts; do
    input=$scratch/media/$codecs.ts
    make_with_ffmpeg "$codecs" "$input" || continue
    sessions "$codecs" "$input" "$video" "$audio" || continue
    played_by_ffmpeg "$codecs" "$scratch/$codecs" "$input"
    # shellcheck disable=SC2086
    played_by_gstreamer "$codecs" "$scratch/$codecs" "$input" $parts
done <<'LIST'
h264-aac H264 mpeg4-generic rtph264depay h264parse avdec_h264
hevc-opus H265 opus rtph265depay h265parse avdec_h265
h264-mp3 H264 MPEG-I/II rtph264depay h264parse avdec_h264
LIST

finish
