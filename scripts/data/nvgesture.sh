#!/usr/bin/env bash
# NVGesture for bss.data.nvgesture: scripts/data/nvgesture.sh DATA_FOLDER
# Frames come from ffmpeg; ffmpeg computes no dense optical flow, so flow comes from OpenCV (python3 with cv2 and numpy).
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/extract.sh"
here="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
root="$parent/nvgesture"
mkdir -p "$root"
list() { ls "$root"/{,annotations/}nvgesture_"$1"_correct_*v2.lst 2>/dev/null | head -n 1; }
if [ -z "$(list train)" ] || [ -z "$(list test)" ] || [ ! -d "$root/Video_data" ]; then
  stop "download by hand into $root:
  Video_data/                                             https://research.nvidia.com/publication/2016-06_online-detection-and-classification-dynamic-hand-gestures-recurrent-3d-convolutional
  nvgesture_{train,test}_correct_cvpr2016_v2.lst          the same archive (1,050 and 482 rows)
then run this again: it extracts the 80 frames that the lists name from sk_color.avi and sk_depth.avi, and optical flow of the colour
frames into Video_data/flow_data/{train,test}/<row>.npy"
fi
need ffmpeg
for split in train test; do
  # path sensor first end, for colour and depth
  tr -d '\r' <"$(list $split)" | awk '{
    for (i = 1; i <= NF; i++) { split($i, f, ":"); if (f[1] == "path") path = f[2]; if (f[1] == "color" || f[1] == "depth") part[f[1]] = f[2] " " f[3] " " f[4] }
    print path, part["color"]; print path, part["depth"] }' | while read -r path sensor first end; do
    video="$root/${path#./}/$sensor.avi"
    [ -s "$video" ] && printf '%q %q %s %s\n' "$video" "${video%.avi}" "$first" "$end"
  done | each window
  python3 "$here/nvgesture_flow.py" "$root" "$(list $split)" "$split" || say "no flow for $split: pip install opencv-python-headless numpy, then run this again (or use modalities = {\"rgb\", \"depth\"})"
done
finish nvgesture
