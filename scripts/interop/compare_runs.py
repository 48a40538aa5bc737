#!/usr/bin/env python3
"""compare_runs.py CPU CARD CARD-AGAIN: folders of results of one script, on the CPU and twice on a card.

Losses of the first epoch agree within 1e-4, accuracies of every epoch within two samples; the second run on the card has
the bits of the first. Exit 1 with what does not.
"""
import json, pathlib, sys


def runs(folder):
    found = {}
    for path in sorted(pathlib.Path(folder).glob("runs/*/run.json")):
        record = json.loads(path.read_text())
        metrics = {}
        for line in (path.parent / "metrics.jsonl").read_text().splitlines():
            entry = json.loads(line)
            metrics[entry["step"], entry["name"]] = entry["value"]
        found[record["name"], record["seed"]] = record, metrics
    return found


cpu, card, again = (runs(folder) for folder in sys.argv[1:4])
problems, losses, accuracies = [], 0, 0
if not cpu or not cpu.keys() == card.keys() == again.keys():
    problems.append(f"{len(cpu)}, {len(card)} and {len(again)} runs that do not pair")
for name in sorted(cpu.keys() & card.keys() & again.keys()):
    (record, here), (_, there), (_, twice) = cpu[name], card[name], again[name]
    if there != twice:
        problems.append(f"{name}: other numbers the second time")
    for (step, metric), value in here.items():
        other, kind = there.get((step, metric), float("nan")), metric.rsplit(".", 1)[-1]
        samples = record["data"]["samples"].get(metric.split(".")[0], 0)
        if kind == "loss" and step == 1:
            losses += 1
            limit = 1e-4
        elif kind == "accuracy":
            accuracies += 1
            limit = 2.001 / max(samples, 1)
        else:
            continue
        if not abs(value - other) <= limit:
            problems.append(f"{name}: epoch {step} {metric} is {value} on the CPU, {other} on the card")
print(f"runs compared: {len(cpu)} of {len(cpu)}; {losses} losses of the first epoch, {accuracies} accuracies, {len(problems)} problems")
for problem in problems[:20]:
    print(" ", problem)
sys.exit(1 if problems else 0)
