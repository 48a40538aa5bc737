#!/usr/bin/env bash
# CREMA-D for bss.data.crema_d: scripts/data/crema_d.sh DATA_FOLDER
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/extract.sh"
root="$parent/crema_d"
mkdir -p "$root"
if [ ! -d "$root/AudioWAV" ] || [ ! -d "$root/VideoFlash" ] || { [ ! -s "$root/train.csv" ] && [ ! -s "$root/annotations/train.csv" ]; }; then
  stop "download by hand into $root:
  AudioWAV/ and VideoFlash/   git lfs clone https://github.com/CheyneyComputerScience/CREMA-D (7,442 clips, about 8 GB; Open Database License)
  train.csv and test.csv      https://github.com/GeWu-Lab/OGM-GE_CVPR2022, data/CREMAD (6,698 and 744 rows)
then run this again: it extracts a frame a second into Image-01-FPS/"
fi
need ffmpeg
mkdir -p "$root/Image-01-FPS"
for video in "$root"/VideoFlash/*.flv; do printf '%q %q 1\n' "$video" "$root/Image-01-FPS/$(basename "$video" .flv)"; done | each frames
finish crema_d
