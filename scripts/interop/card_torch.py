#!/usr/bin/env python3
"""PyTorch's side of scripts/gpu-check on the same card: the MLP step of card_speed.lua, eager and as a CUDA graph, and a product.

Lines "name<tab>value<tab>unit". Exit 9 without PyTorch or a card that it can use.
"""
import sys, time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    sys.exit(9)
if not torch.cuda.is_available():
    sys.exit(9)
torch.backends.cuda.matmul.allow_tf32 = False
device = torch.device("cuda")


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a = nn.Sequential(nn.Linear(100, width), nn.ReLU())
        self.b = nn.Sequential(nn.Linear(74, width), nn.ReLU())
        self.fusion = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 6))

    def forward(self, a, b):
        return self.fusion(torch.cat((self.a(a), self.b(b)), 1))


def rate(body, count=2000):
    for _ in range(20):
        body()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(count):
        body()
    torch.cuda.synchronize()
    return count / (time.perf_counter() - start)


def steps(width, batch, graphed):
    model = Model(width).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4, fused=True)
    a, b = torch.randn(batch, 100, device=device), torch.randn(batch, 74, device=device)
    y = torch.randint(6, (batch,), device=device)

    def step():
        optimizer.zero_grad(set_to_none=False)
        F.cross_entropy(model(a, b), y).backward()
        optimizer.step()

    if not graphed:
        return rate(step)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return rate(graph.replay)


print(f"MLP step, eager\t{steps(128, 64, False):.6g}\tsteps/s")
print(f"MLP step, graphed\t{steps(128, 64, True):.6g}\tsteps/s")
x, z = torch.randn(4096, 4096, device=device), torch.randn(4096, 4096, device=device)
print(f"product 4096 f32\t{2 * 4096**3 * rate(lambda: x @ z, 20) / 1e12:.6g}\tTFLOP/s")
big = torch.randn(1 << 26, device=device)
print(f"copy\t{2 * big.numel() * 4 * rate(big.clone, 50) / 1e9:.6g}\tGB/s")
