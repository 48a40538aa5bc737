"""The other side of benchmark (l): loader.py make DIR writes media in the layout of bss.data.crema_d; sounds DIR and
pictures DIR read them.

Recordings: 2.5 s, 16 kHz; librosa.load to 22050 Hz, repeated to 20 s, STFT, log. Pictures: 480 x 360 JPEG, quality 90;
RandomResizedCrop(224), flip, ImageNet normalisation, by Pillow + torchvision and by torchvision alone (the faster counts).
"""
import os
import sys
import time

import numpy as np


def make(root):
    import soundfile
    from PIL import Image

    rng = np.random.default_rng(1)
    rows = []
    for i in range(48):
        clip = f"clip{i:03d}"
        folder = os.path.join(root, "crema_d", "Image-01-FPS", clip)
        os.makedirs(folder, exist_ok=True)
        os.makedirs(os.path.join(root, "crema_d", "AudioWAV"), exist_ok=True)
        t = np.arange(40000) / 16000
        sound = 0.3 * np.sin(2 * np.pi * (150 + 10 * i) * t) * np.exp(-t) + 0.02 * rng.standard_normal(len(t))
        soundfile.write(os.path.join(root, "crema_d", "AudioWAV", clip + ".wav"), sound, 16000, subtype="PCM_16")
        # Smooth shapes with some grain, as photographs have.
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((480, 360), Image.BICUBIC)
        picture = np.clip(np.asarray(coarse, dtype=np.float64) + 6 * rng.standard_normal((360, 480, 3)), 0, 255)
        Image.fromarray(picture.astype(np.uint8)).save(os.path.join(folder, "00001.jpg"), quality=90)
        rows.append(f"{clip},{['NEU', 'HAP', 'SAD', 'FEA', 'DIS', 'ANG'][i % 6]}\n")
    for name, lines in [("train.csv", rows), ("test.csv", rows[:1])]:
        with open(os.path.join(root, "crema_d", name), "w") as out:
            out.writelines(lines)


def speed(files, read):
    start = time.perf_counter()
    for path in files:
        read(path)
    return len(files) / (time.perf_counter() - start)


def listed(root, folder, name="{}"):
    folder = os.path.join(root, "crema_d", folder)
    return [os.path.join(folder, name.format(clip)) for clip in sorted(os.listdir(folder))]


def sounds(root):
    import librosa

    def spectrogram(path):
        samples, rate = librosa.load(path, sr=22050)
        samples = np.clip(np.tile(samples, 20)[: rate * 20], -1, 1)
        return np.log(np.abs(librosa.stft(samples, n_fft=512, hop_length=353)) + 1e-7)

    files = listed(root, "AudioWAV")
    speed(files, spectrogram)
    print("l_audio", speed(files, spectrogram))
    print("kernel librosa", librosa.__version__)


def pictures(root):
    import torch
    import torchvision
    from PIL import Image
    from torchvision import io, transforms
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    classic = transforms.Compose([
        transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize(mean, std),
    ])
    tensors = v2.Compose([
        v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(mean, std),
    ])

    def pillow(path):
        return classic(Image.open(path).convert("RGB"))

    def plain(path):
        return tensors(io.decode_jpeg(io.read_file(path)))

    files = listed(root, "Image-01-FPS", "{}/00001.jpg")
    best = 0
    for way in (pillow, plain):
        speed(files, way)
        best = max(best, speed(files, way))
    print("l_video", best)
    print("kernel torchvision", torchvision.__version__)


if __name__ == "__main__":
    {"make": make, "sounds": sounds, "pictures": pictures}[sys.argv[1]](sys.argv[2])
