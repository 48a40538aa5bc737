#!/usr/bin/env bash
# VGGSound for bss.data.vggsound: scripts/data/vggsound.sh DATA_FOLDER
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/extract.sh"
root="$parent/vggsound"
mkdir -p "$root"
if { [ ! -s "$root/vggsound.csv" ] && [ ! -s "$root/train.csv" ]; } || [ ! -d "$root/videos" ]; then
  stop "download by hand into $root:
  vggsound.csv                https://www.robots.ox.ac.uk/~vgg/data/vggsound (video, start second, label, split; CC BY 4.0),
                              or train.csv and test.csv (file, label)
  videos/                     the clips of 10 seconds, called <video>_<start as six digits>.mp4 (about 200,000, 300 GB;
                              https://huggingface.co/datasets/Loie/VGGSound holds them as archives)
then run this again: it extracts sound into AudioWAV/ and a frame a second into Image-01-FPS/"
fi
need ffmpeg
mkdir -p "$root/Image-01-FPS" "$root/AudioWAV"
for video in "$root"/videos/*.mp4; do printf '%q %q\n' "$video" "$root/AudioWAV/$(basename "$video" .mp4).wav"; done | each sound
for video in "$root"/videos/*.mp4; do printf '%q %q 1\n' "$video" "$root/Image-01-FPS/$(basename "$video" .mp4)"; done | each frames
finish vggsound
