#!/usr/bin/env bash
# Kinetics-Sounds for bss.data.kinetics_sounds: scripts/data/kinetics_sounds.sh DATA_FOLDER
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/extract.sh"
root="$parent/kinetics_sounds"
mkdir -p "$root"
if [ ! -s "$root/my_train.txt" ] || [ ! -s "$root/my_test.txt" ] || [ ! -d "$root/videos" ]; then
  stop "download by hand into $root:
  my_train.txt, my_test.txt   https://github.com/GeWu-Lab/OGM-GE_CVPR2022, data/KineticSound (14,799 and 2,597 rows)
  videos/                     the Kinetics-400 clips that these lists name (https://github.com/cvdfoundation/kinetics-dataset),
                              called as in the lists: videos/<clip>.mp4
then run this again: it extracts sound into {train,test}_wav/ and a frame a second into {train,test}_img/Image-01-FPS/"
fi
need ffmpeg
for split in train test; do
  mkdir -p "$root/${split}_img/Image-01-FPS"
  cut -d, -f1 "$root/my_$split.txt" | while read -r clip; do
    [ -s "$root/videos/$clip.mp4" ] && printf '%q %q\n' "$root/videos/$clip.mp4" "$root/${split}_wav/$clip.wav"
  done | each sound
  cut -d, -f1 "$root/my_$split.txt" | while read -r clip; do
    [ -s "$root/videos/$clip.mp4" ] && printf '%q %q 1\n' "$root/videos/$clip.mp4" "$root/${split}_img/Image-01-FPS/$clip"
  done | each frames
done
finish kinetics_sounds
