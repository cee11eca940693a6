#!/usr/bin/env bash
# Streams of other people, which cannot be part of this repository: every *.mp4 (remuxed by ffmpeg) and *.ts below the
# folder named in RUBATO_CORPUS. Those that ffmpeg reads without complaint go through whole; the others run to their end.
# Rate traces hsdpa*.txt ("seconds Mbit/s") carry a program.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"
source "$tools/lib/media.sh"

if [ -z "${RUBATO_CORPUS-}" ]; then
    printf '# RUBATO_CORPUS is not set: no corpus on this machine, nothing to check here\n0 passed, 0 failed\n'
    finished=yes
    exit 0
fi

# damaged_stream NAME FILE COMPLAINT: it runs to its end, or is refused for having no program at all.
damaged_stream() {
    local status=0
    "$rubato" run "$scenarios/clapper-lan.yaml" --quiet --set "program.file=$2" --set "qos={}" --out "$scratch/$1" \
        >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || status=$?
    if [ "$status" -eq 64 ]; then
        contains "$1: refused, having no program tables" "no program tables" "$(cat "$scratch/stderr")"
        return
    fi
    equal "$1: a stream that ffmpeg complains of runs to its end" 0 "$status"
    # For the reader to compare: what is found here, and what ffmpeg found.
    [ ! -e "$scratch/$1/run.json" ] || value "$scratch/$1/run.json" '.validity.warnings[] | "#   \(.)"'
    sed -n '1,3s/^/#   ffmpeg: /p' <<<"$3"
}

while read -r file; do
    name=$(basename "$file" .mp4)
    ffmpeg -nostdin -hide_banner -loglevel error -y -i "$file" -map '0:v?' -map '0:a?' -c copy -f mpegts \
        "$scratch/$name.ts" || { miss "$name: ffmpeg remuxes it"; continue; }
    perfect_network "$name" "$scratch/$name.ts"
done < <(find "$RUBATO_CORPUS" -name '*.mp4' | sort)

while read -r file; do
    name=$(basename "$file" .ts)
    complaint=$(decode "$file") || complaint=${complaint:-failed}
    if [ -z "$complaint" ]; then
        perfect_network "$name" "$file"
        continue
    fi
    damaged_stream "$name" "$file" "$complaint"
done < <(find "$RUBATO_CORPUS" -name '*.ts' | sort)

# Rate traces: they carry no more than they can, and what is offered beyond waits or is dropped.
while read -r file; do
    name=$(basename "$file" .txt)
    run_or_stop "$scenarios/bench.yaml" --duration 300s --set 'network.forward=[{ delay: 20ms }]' \
        --set "network.forward.0.rate_trace.hsdpa=$file" --out "$scratch/$name"
    mean=$(value "$scratch/$name/run.json" '.links[0].rate_bps')
    within "$name: mean rate of the trace" "$mean" 100000 100000000
    # The run is about two laps of the trace, not whole ones: a quarter of it is left for what the laps differ.
    within "$name: delivers at about that rate under twice the load" \
        "$(value "$scratch/$name/run.json" '.flows[0].bitrate_bps.delivered')" $((mean * 3 / 4)) $((mean * 5 / 4))
    within "$name: utilization" "$(value "$scratch/$name/run.json" '.links[0].utilization')" 0.9 1.02
done < <(find "$RUBATO_CORPUS" -name 'hsdpa*.txt' | sort)

finish
