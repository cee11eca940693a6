#!/usr/bin/env bash
# What rubato quality says of each picture, against the squared errors between raw frames: of what ffmpeg decodes of
# sent.ts, and of what it decodes of presented.ts at the instant at which quality.csv says that the picture, or the one in
# whose place it stood, was shown.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tools/lib/common.sh"
source "$tools/lib/check.sh"
source "$tools/lib/media.sh"

# frames FILE NAME: every decoded picture, raw, and their PTS.
frames() {
    ffmpeg -nostdin -loglevel fatal -y -threads 1 -copyts -i "$1" -map 0:v -fps_mode passthrough -enc_time_base 1:90000 \
        -pix_fmt yuv420p -f rawvideo "$2.yuv"
    ffmpeg -nostdin -loglevel fatal -threads 1 -copyts -i "$1" -map 0:v -fps_mode passthrough -enc_time_base 1:90000 \
        -f framemd5 - | awk -F'[ ,]+' '!/^#/ { print $3 }' >"$2.pts"
}

# judge RUN BYTES-A-PICTURE: of the pictures that are not as they were sent, how many there are, how many of them were not
# shown, and how many have another PSNR than quality.csv says, by more than 0.05 dB.
judge() {
    perl -e '
        my ($run, $scratch, $size) = @ARGV;
        sub table { my %place; open my $in, "<", "$_[0].pts" or die; my $n = 0; while (<$in>) { $place{$_ + 0} = $n++ } \%place }
        my ($sent, $shown) = (table("$scratch/sent"), table("$scratch/shown"));
        open my $sent_frames, "<:raw", "$scratch/sent.yuv" or die;
        open my $shown_frames, "<:raw", "$scratch/shown.yuv" or die;
        sub frame { my ($in, $n) = @_; seek $in, $n * $size, 0; read $in, my $bytes, $size; $bytes }
        open my $rows, "<", "$run/quality.csv" or die;
        <$rows>;
        my ($latest, $differing, $hidden, $wrong, $unknown) = (undef, 0, 0, 0, 0);
        while (<$rows>) {
            chomp;
            my ($captured, $receiver, $substream, $unit, $pts, $presented, $decodable, $instant, $ssim, $psnr) = split /,/, $_, -1;
            my $origin = $pts - sprintf "%.0f", $captured * 0.00009;
            $latest = $origin + sprintf "%.0f", $instant * 0.00009 if length $instant;
            next if !length $psnr || $psnr eq "inf" && length $instant;
            my ($place) = grep { defined } map { $shown->{$latest + $_} } 0, -1, 1;
            if (!defined $place || !defined $sent->{$pts}) { $unknown++; next }
            $differing++;
            $hidden++ unless length $instant;
            my $sum = 0;
            my @a = unpack "C*", frame($sent_frames, $sent->{$pts});
            my @b = unpack "C*", frame($shown_frames, $place);
            $sum += ($a[$_] - $b[$_]) ** 2 for 0 .. $#a;
            my $own = $sum ? 10 * log(255 * 255 * @a / $sum) / log(10) : 1e9;
            $wrong++ if abs($own - ($psnr eq "inf" ? 1e9 : $psnr)) > 0.05;
        }
        print "$differing $hidden $wrong $unknown\n"' "$1" "$scratch" "$2"
}

make_moving_pictures h264-12 "$scratch/moving.ts"
cat >"$scratch/scenario.yaml" <<YAML
program: { file: $scratch/moving.ts }
network: { forward: [ { delay: 10ms, loss: { gilbert_elliott: { loss: 1%, mean_burst: 3 } }, schedule: [ { at: 6s, down: 400ms } ] } ] }
receivers: [ { id: tv, playout: { fixed: 100ms } } ]
outputs: { series: none }
YAML
for carriage in ts-rtp rtp-separate; do
    run=$scratch/$carriage
    run_or_stop "$scratch/scenario.yaml" --set "sender.carriage=$carriage" --out "$run"
    exits 0 "$carriage: quality" "$rubato" quality "$run"
    equal "$carriage: a row for each picture" 375 "$(($(wc -l <"$run/quality.csv") - 1))"
    frames "$run/sent.ts" "$scratch/sent"
    frames "$run/presented.ts" "$scratch/shown"
    read -r differing hidden wrong unknown <<<"$(judge "$run" $((320 * 180 * 3 / 2)))"
    printf '# %s: %d pictures are not as they were sent, %d of them not shown; another PSNR: %d, frame not found: %d\n' \
        "$carriage" "$differing" "$hidden" "$wrong" "$unknown"
    within "$carriage: pictures that are not as they were sent" "$differing" 20 375
    within "$carriage: those of them in whose place another stands" "$hidden" 8 100
    within "$carriage: those with another PSNR" "$wrong" 0 0
    within "$carriage: those whose frames are not found" "$unknown" 0 4
    equal "$carriage: the summary counts what the rows say" \
        "$(awk -F, 'NR > 1 { n++; if ($8 != "") shown++; if ($9 == "" || $9 < 0.98) below++ } END { print n, shown, below }' "$run/quality.csv")" \
        "$(value "$run/quality.json" '.quality[0] | "\(.pictures) \(.shown) \(.below_098 * .pictures | round)"')"
done

run=$scratch/perfect
run_or_stop "$scratch/scenario.yaml" --set 'network.forward=[ { delay: 10ms } ]' --set outputs.media=none --out "$run"
exits 0 "without loss: quality, of a run that kept no media" "$rubato" quality "$run" --quiet
equal "without loss every picture is what was sent" "375 375 1 0" \
    "$(value "$run/quality.json" '.quality[0] | "\(.pictures) \(.shown) \(.ssim.min) \(.below_098)"')"
contains "compare shows it" "quality[video].ssim.mean" "$("$rubato" compare "$scratch/ts-rtp" "$run")"
exits 0 "verify is not disturbed by it" "$rubato" verify "$run" --quiet
exits 1 "without ffmpeg" env PATH=/nonexistent "$rubato" quality "$run"
contains "without ffmpeg it says so" "ffmpeg" "$(cat "$scratch/stderr")"
run_or_stop iptv --duration 2s --out "$scratch/made"
exits 64 "a made program has no pictures to compare" "$rubato" quality "$scratch/made"
finish
