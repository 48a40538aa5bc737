"""Dense optical flow (Farneback) of the 80 extracted colour frames of every row: float32 [256, 256, 2, 80] in .npy files.

usage: nvgesture_flow.py ROOT LIST SPLIT. Finished files are skipped; the last frame repeats the flow before it.
"""
import os
import sys

import cv2
import numpy as np

root, path, split = sys.argv[1:4]
folder = os.path.join(root, "Video_data", "flow_data", split)
os.makedirs(folder, exist_ok=True)
rows = [line.split() for line in open(path) if line.strip()]
for number, row in enumerate(rows):
    target = os.path.join(folder, f"{number}.npy")
    if os.path.exists(target):
        continue
    fields = {part.split(":")[0]: part.split(":")[1:] for part in row}
    sensor, first, end = fields["color"][0], int(fields["color"][1]), int(fields["color"][2])
    frames = []
    for n in range(first, end):
        file = os.path.join(root, fields["path"][0], sensor, f"{n:05d}.jpg")
        picture = cv2.imread(file, cv2.IMREAD_GRAYSCALE)
        if picture is None:
            break
        frames.append(cv2.resize(picture, (256, 256)))
    if len(frames) != end - first:
        print(f"row {number}: frame {first + len(frames)} is missing, no flow", file=sys.stderr)
        continue
    flow = np.zeros((256, 256, 2, len(frames)), np.float32)
    for t in range(len(frames) - 1):
        flow[..., t] = cv2.calcOpticalFlowFarneback(frames[t], frames[t + 1], None, 0.5, 3, 15, 3, 5, 1.2, 0)
    flow[..., -1] = flow[..., -2]
    with open(target + ".part", "wb") as out:
        np.save(out, flow)
    os.rename(target + ".part", target)
    if number % 20 == 0:
        print(f"flow {split} {number + 1}/{len(rows)}", file=sys.stderr)
