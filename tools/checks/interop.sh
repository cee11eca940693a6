#!/usr/bin/env bash
# ffmpeg and ffprobe read what Rubato writes: on a perfect network received.ts is sent.ts, and every access unit,
# timestamp and decoded frame of the input is there. For streams made by ffmpeg and by GStreamer.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"
source "$tools/lib/media.sh"

perfect_network clapper "$root/Traces/media/clapper.ts"

mkdir -p "$scratch/media"
for codecs in h264-aac mpeg2video-mp2 hevc-ac3 h264-opus h264-mp3; do
    if make_with_ffmpeg "$codecs" "$scratch/media/ffmpeg-$codecs.ts"; then
        perfect_network "ffmpeg-$codecs" "$scratch/media/ffmpeg-$codecs.ts"
    fi
done
if make_with_gstreamer "$scratch/media/gstreamer.ts"; then
    perfect_network gstreamer "$scratch/media/gstreamer.ts"
fi

# The same over the other carriage and at a constant rate with null packets.
perfect_network clapper-ts-udp "$root/Traces/media/clapper.ts" --set sender.carriage=ts-udp
perfect_network clapper-constant-rate "$root/Traces/media/clapper.ts" --set "sender.mux_rate=2 Mbit/s"

# What a lossy network leaves is damaged, but both files are still transport streams that a decoder survives.
run_or_stop "$scenarios/clapper-dsl.yaml" --out "$scratch/dsl"
silent "clapper-dsl: ffmpeg reads sent.ts without a word" decode "$scratch/dsl/sent.ts"
ok "clapper-dsl: ffmpeg reads received.ts to its end" ffprobe -loglevel error -count_packets "$scratch/dsl/received.ts"

finish
