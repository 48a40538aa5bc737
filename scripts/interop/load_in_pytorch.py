#!/usr/bin/env python3
"""A model of bss-lua in PyTorch, and back: nothing is needed but the file that model:save(path) wrote.

    from load_in_pytorch import load, save
    model = load("model.safetensors")                 # torch.nn.Module; encoders mlp and resnet18, fusions concat and sum
    total, fused, unimodal = model({"audio": raw, "image": raw})      # raw values: the file's standardisation is applied
    save(model, "weights.pt")                         # bss.model.load("model.safetensors"):load("weights.pt") takes them

    load_in_pytorch.py MODEL [INPUTS.safetensors] [--save WEIGHTS.pt]   # prints the total logits of raw inputs as JSON
"""
import json
import struct
import sys

import torch
from torch import nn

TYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "BOOL": torch.bool}


def read(path):
    """Tensors and metadata of a safetensors file."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = data[8 + size + begin : 8 + size + end]
        tensors[name] = torch.frombuffer(raw, dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


class LinearReLU(nn.Linear):
    def forward(self, x):
        return torch.relu(super().forward(x))


ACTIVATIONS = {
    "relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "silu": nn.SiLU,
    "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "none": nn.Identity,
}


class MLP(nn.Module):
    def __init__(self, options, shape):
        super().__init__()
        steps, size = [nn.Flatten()], torch.Size(shape).numel()
        fused = options["activation"] == "relu" and options["norm"] == "none"
        for width in options["hidden"]:
            steps.append((LinearReLU if fused else nn.Linear)(size, width))
            if options["norm"] != "none":
                steps.append({"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}[options["norm"]](width))
            if not fused:
                steps.append(ACTIVATIONS[options["activation"]]())
            if options["dropout"] > 0:
                steps.append(nn.Dropout(options["dropout"]))
            size = width
        if options.get("features"):
            steps.append(nn.Linear(size, options["features"]))
            size = options["features"]
        self.layers, self.size = nn.Sequential(*steps), size

    def forward(self, x):
        return self.layers(x)


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet(nn.Module):
    def __init__(self, options, shape):
        super().__init__()
        width = size = options["width"]
        self.conv1 = nn.Conv2d(shape[-3] if len(shape) > 2 else 1, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.depth = len(options["blocks"])
        for stage, count in enumerate(options["blocks"]):
            blocks = []
            for place in range(count):
                blocks.append(Block(size, width << stage, 2 if stage > 0 and place == 0 else 1))
                size = width << stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        for name, option in (("fc", "logits"), ("fix", "features")):
            if options.get(option):
                setattr(self, name, nn.Linear(size, options[option]))
                size = options[option]
        self.size = size

    def forward(self, x):
        frames = x.shape[1] if x.dim() == 5 else 1
        x = x.flatten(0, 1) if x.dim() == 5 else x.unsqueeze(1) if x.dim() == 3 else x
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(self.depth):
            x = getattr(self, f"layer{stage + 1}")(x)
        x = x.mean((2, 3)).unflatten(0, (-1, frames)).mean(1)
        for name in ("fc", "fix"):
            x = getattr(self, name)(x) if hasattr(self, name) else x
        return x


class Model(nn.Module):
    """Modules carry the names that the file has, so that a state dict goes both ways."""

    ENCODERS = {"mlp": MLP, "resnet18": ResNet}

    def __init__(self, card):
        super().__init__()
        self.card, self.options = card, card["model"]
        self.names = list(self.options["encoders"])
        self.forms = {modality["name"]: modality for modality in card["modalities"]}
        classes = len(card["classes"])
        self.encoder = nn.ModuleDict()
        for name, options in self.options["encoders"].items():
            kind = options["name"]
            if kind not in self.ENCODERS:
                raise ValueError(f"encoder '{kind}' of '{name}' is not rebuilt here; known: {list(self.ENCODERS)}")
            self.encoder[name] = self.ENCODERS[kind](options, self.forms[name]["shape"])
        sizes = [self.encoder[name].size for name in self.names]
        shared = self.options["head_sharing"]
        self.head = nn.ModuleDict(
            {"shared": nn.Linear(sizes[0], classes)} if shared
            else {name: nn.Linear(size, classes) for name, size in zip(self.names, sizes)})
        fusion = self.options["fusion"]
        if fusion["name"] == "sum":
            self.fusion = nn.ModuleList(nn.Linear(size, classes) for size in sizes)
        elif fusion["name"] == "concat":
            widths = [sum(sizes)] + list(fusion["hidden"])
            steps = [LinearReLU(a, b) for a, b in zip(widths, widths[1:])] + [nn.Linear(widths[-1], classes)]
            self.fusion = nn.ModuleDict({"layers": nn.Sequential(*steps)})
        else:
            raise ValueError(f"fusion '{fusion['name']}' is not rebuilt here; known: concat, sum")

    def standardised(self, name, x):
        form = self.forms[name]
        if "mean" not in form:
            return x
        axis = {"audio": 1, "image": 1, "video": 2}.get(form["kind"], x.dim() - 1)
        shape = [-1 if place == axis else 1 for place in range(x.dim())]
        mean, deviation = (torch.tensor(form[key], dtype=torch.float64).reshape(shape) for key in ("mean", "deviation"))
        return ((x.double() - mean) / deviation).to(x.dtype)

    def fuse(self, features):
        if isinstance(self.fusion, nn.ModuleList):
            return sum(layer(h) for layer, h in zip(self.fusion, features))
        return self.fusion["layers"](torch.cat(features, 1))

    def forward(self, inputs):
        features = [self.encoder[name](self.standardised(name, inputs[name])) for name in self.names]
        heads = [self.head["shared" if "shared" in self.head else name] for name in self.names]
        fused = self.fuse(features)
        rule = self.card["inference"]
        unimodal = [head(h) for head, h in zip(heads, features)]
        if rule and rule["unimodal"] == "mask":
            zeros = [torch.zeros_like(h) for h in features]
            unimodal = [self.fuse(zeros[:m] + [h] + zeros[m + 1 :]) for m, h in enumerate(features)]
        elif rule and rule["unimodal"] == "slice":
            unimodal = self.slices(features)
        total = None if rule is None else sum(w * z for w, z in zip(rule["weights"], [fused] + unimodal) if w != 0)
        return total, fused, dict(zip(self.names, unimodal))

    def slices(self, features):
        if isinstance(self.fusion, nn.ModuleList):
            return [layer(h) for layer, h in zip(self.fusion, features)]
        layer, start, parts = self.fusion["layers"][-1], 0, []
        for h in features:
            weight = layer.weight[:, start : start + h.shape[1]]
            parts.append(h @ weight.T + layer.bias / len(features))
            start += h.shape[1]
        return parts


def load(path):
    tensors, metadata = read(path)
    if "bss_model" not in metadata:
        raise ValueError(f"{path} holds weights alone, without their architecture")
    model = Model(json.loads(metadata["bss_model"]))
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unexpected {unexpected}")
    return model.eval()


def save(model, path):
    """A state dict that model:load(path) of bss-lua reads."""
    torch.save({k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}, path)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    target = arguments.pop(arguments.index("--save") + 1) if "--save" in arguments else None
    arguments = [one for one in arguments if one != "--save"]
    network = load(arguments[0])
    if target:
        save(network, target)
    if len(arguments) > 1:
        with torch.no_grad():
            print(json.dumps(network(read(arguments[1])[0])[0].tolist()))
