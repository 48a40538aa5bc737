"""PyTorch's side of scripts/bench: pytorch.py JOB prints lines "JOB VALUE"; what is timed equals ours.lua's jobs.

pytorch.py JOB compiled: forward, loss and backward of (a) and (b) through torch.compile.
"""
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def peak_kib():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


QUICK = os.environ.get("BENCH_QUICK") == "true"
compiled = torch.compile if sys.argv[2:] == ["compiled"] else lambda function: function


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Linear(100, 128), nn.ReLU())
        self.b = nn.Sequential(nn.Linear(74, 128), nn.ReLU())
        self.head_a, self.head_b = nn.Linear(128, 6), nn.Linear(128, 6)
        self.fusion = nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 6))

    def fused(self, a, b):
        return self.fusion(torch.cat((self.a(a), self.b(b)), 1))

    def forward(self, a, b):
        a, b = self.a(a), self.b(b)
        return self.head_a(a), self.head_b(b), self.fusion(torch.cat((a, b), 1))


def data(n):
    generator = torch.Generator().manual_seed(1)
    y = torch.randint(6, (n,), generator=generator)
    centres = torch.randn(6, 174, generator=generator)
    x = centres[y] + 2 * torch.randn(n, 174, generator=generator)
    return x[:, :100].contiguous(), x[:, 100:].contiguous(), y


def optimizer(parameters, fused):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=1e-4, fused=fused)


def steps():
    """Steps/s: shuffling, batches by tensor indexing (no DataLoader: its best), the loss of every step; no metrics."""
    a, b, y = data(6400)
    best = 0
    for fused in (False, True):
        torch.manual_seed(1)
        model = Model()
        used = [*model.a.parameters(), *model.b.parameters(), *model.fusion.parameters()]
        step = optimizer(used, fused)
        loss_of = compiled(lambda a, b, y: F.cross_entropy(model.fused(a, b), y))

        def epochs(count):
            total = 0.0
            for _ in range(count):
                order = torch.randperm(len(y))
                for i in range(0, len(y), 64):
                    rows = order[i : i + 64]
                    loss = loss_of(a[rows], b[rows], y[rows])
                    step.zero_grad()
                    loss.backward()
                    step.step()
                    total += loss.item()
            return total

        count = 5 if QUICK else 20
        epochs(5)
        start = time.perf_counter()
        epochs(count)
        best = max(best, count * 100 / (time.perf_counter() - start))
    print("a", best)
    print("f", peak_kib())


def epoch():
    """Milliseconds of an epoch as the paper's scripts write it (score every sample: softmax, cosine, losses, min-max; a
    multinomial order; training on three losses), without the DataLoader and without metrics, the loss of every step read."""
    a, b, y = data(10000)
    best = float("inf")
    for fused in (False, True):
        torch.manual_seed(1)
        model = Model()
        step = optimizer(model.parameters(), fused)

        def minmax(x):
            return (x - x.min()) / (x.max() - x.min())

        @compiled
        def scores(a, b, t):
            za, zb, z = model(a, b)
            ce = [F.cross_entropy(logits, t, reduction="none") for logits in (z, za, zb)]
            return F.cosine_similarity(F.softmax(za, 1), F.softmax(zb, 1)), 0.8 * ce[0] + 0.2 * ce[1] + 0.2 * ce[2]

        @compiled
        def loss_of(a, b, t):
            za, zb, z = model(a, b)
            return 0.8 * F.cross_entropy(z, t) + 0.2 * F.cross_entropy(za, t) + 0.2 * F.cross_entropy(zb, t)

        def one():
            similarity, loss = [], []
            with torch.no_grad():
                for i in range(0, len(y), 64):
                    values = scores(a[i : i + 64], b[i : i + 64], y[i : i + 64])
                    similarity.append(values[0])
                    loss.append(values[1])
                weights = 1 + minmax(torch.cat(similarity)) - minmax(torch.cat(loss)) + 0.01
                order = torch.multinomial(weights / weights.sum(), len(y), replacement=False)
            total = 0.0
            for i in range(0, len(y), 64):
                rows = order[i : i + 64]
                loss = loss_of(a[rows], b[rows], y[rows])
                step.zero_grad()
                loss.backward()
                step.step()
                total += loss.item()
            return total

        count = 2 if QUICK else 5
        one()
        start = time.perf_counter()
        for _ in range(count):
            one()
        best = min(best, (time.perf_counter() - start) / count * 1000)
    print("b", best)


def order():
    weights = torch.rand(10_000_000, generator=torch.Generator().manual_seed(1)) * 1.99 + 0.01
    torch.multinomial(weights[:1000], 1000)
    for _ in range(3):
        start = time.perf_counter()
        torch.multinomial(weights, len(weights), replacement=False)
        print("c", (time.perf_counter() - start) * 1000)


def bert():
    """Milliseconds of a training step of BERT-base with Adam; the best of the optimizer's two implementations, attention as
    transformers chooses it (scaled_dot_product_attention)."""
    from transformers import BertConfig, BertModel

    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(30522, (8, 128), generator=generator)
    mask, labels = torch.ones_like(ids), torch.arange(8) % 3
    for fused in (False, True):
        torch.manual_seed(1)
        model, head = BertModel(BertConfig()).train(), nn.Linear(768, 3)
        step = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=1e-5, fused=fused)
        times = []
        for _ in range(4):
            start = time.perf_counter()
            loss = F.cross_entropy(head(model(input_ids=ids, attention_mask=mask).pooler_output), labels)
            step.zero_grad()
            loss.backward()
            step.step()
            loss.item()
            times.append((time.perf_counter() - start) * 1000)
        best = times[1:] if not fused or sum(times[1:]) < sum(best) else best
    for value in best:
        print("g", value)
    print("g_memory", peak_kib())


def resnet():
    """Images/s of torchvision's ResNet-18, ten classes, on one fixed batch: in both memory formats, the best of some pairs of steps
    after two to warm up. The better format counts."""
    from torchvision.models import resnet18

    for size, batch, pairs in ((64, 16, 11), (64, 64, 7), (224, 16, 4), (224, 64, 2)):
        if [str(size), str(batch)][: len(sys.argv) - 2] != sys.argv[2:4]:
            continue
        best = {}
        for name, layout in (("nchw", torch.contiguous_format), ("nhwc", torch.channels_last)):
            torch.manual_seed(1)
            model = resnet18(num_classes=10).to(memory_format=layout)
            step = optimizer(model.parameters(), True)
            x = torch.randn(batch, 3, size, size).to(memory_format=layout)
            y = torch.arange(batch) % 10

            def two():
                start = time.perf_counter()
                for _ in range(2):
                    step.zero_grad()
                    loss = F.cross_entropy(model(x), y)
                    loss.backward()
                    step.step()
                    loss.item()
                return 2 * batch / (time.perf_counter() - start)

            two()
            best[name] = max(two() for _ in range(pairs))
            print(f"r_{size}_{batch}_{name}", best[name])
        print(f"r_{size}_{batch}", max(best.values()))


if __name__ == "__main__":
    {"a": steps, "b": epoch, "c": order, "g": bert, "r": resnet}[sys.argv[1]]()
    blas = "MKL" if torch.backends.mkl.is_available() else "no MKL"
    print("kernel", f"PyTorch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}, {blas}, oneDNN")
