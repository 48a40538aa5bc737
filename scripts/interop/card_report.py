#!/usr/bin/env python3
"""card_report.py FOLDER: what scripts/gpu-check gathered, as JSON on standard output; exit 1 if something does not hold."""
import json, pathlib, sys

work = pathlib.Path(sys.argv[1])


def part(name):
    """Lines, exit code, milliseconds; None: it did not run."""
    if not (work / f"{name}.end").exists():
        return None
    code, milliseconds = (work / f"{name}.end").read_text().split()
    return (work / f"{name}.out").read_text().splitlines(), int(code), int(milliseconds)


def apart(here, there):
    """Pairs of lines of which a number differs by more than 1e-4 of it; hashes are not numbers."""
    found = []
    for p, q in zip(here, there):
        for u, v in zip(p.split(), q.split()):
            try:
                u, v = float(u), float(v)
            except ValueError:
                continue
            if not abs(u - v) <= 1e-4 * max(1, abs(u)):
                found.append([p, q])
                break
    return found


def figures(name):
    lines, code, _ = part(name) or ([], 9, 0)
    rows = [line.split("\t") for line in lines if line.count("\t") == 2]
    return {row[0]: {"value": float(row[1]), "unit": row[2]} for row in rows} if code == 0 else None


numbers = {name: part(name) for name in ("cpu", "cuda", "cuda-again", "cuda-own")}
lines = {name: found[0] if found else [] for name, found in numbers.items()}
ours, theirs = figures("speed"), figures("torch")
ratios = {}
for name, other in (("MLP step", "MLP step, eager"), ("MLP step", "MLP step, graphed"), ("product 4096 f32", "product 4096 f32")):
    if ours and theirs and name in ours and other in theirs:
        ratios[f"{name} / {other} of PyTorch"] = ours[name]["value"] / theirs[other]["value"]
absent = {
    "table": "no op-table beside the program", "memcheck": "no compute-sanitizer", "racecheck": "no compute-sanitizer",
}
not_run = {name: reason for name, reason in absent.items() if part(name) is None}
if theirs is None:
    not_run["torch"] = "Python has no PyTorch that sees a card"
doctor = part("doctor")
card = json.loads("\n".join(doctor[0])).get("card", {}) if doctor and doctor[1] == 0 else {}
peaks = {name: value for name, value in card.items() if isinstance(value, float)}
report = {
    "card": part("card")[0][0],
    "doctor": json.loads("\n".join(doctor[0])) if doctor and doctor[1] == 0 else None,
    "lines": len(lines["cuda"]), "lines_on_cpu": len(lines["cpu"]),
    "beyond_1e-4": apart(lines["cpu"], lines["cuda"]), "own_kernels_beyond_1e-4": apart(lines["cpu"], lines["cuda-own"]),
    "same_bits_twice": bool(lines["cuda"]) and lines["cuda"] == lines["cuda-again"],
    "peaks": peaks, "figures": ours, "pytorch": theirs, "ratios": ratios, "not_run": not_run,
    "parts": {
        path.stem: dict(zip(("exit", "milliseconds"), map(int, path.read_text().split())))
        for path in sorted(work.glob("*.end"))
    },
}
failed = [name for name, end in report["parts"].items() if end["exit"] and not (name == "torch" and end["exit"] == 9)]
whole = all(len(found) == len(lines["cpu"]) > 0 for found in lines.values())
report["failed"] = failed
print(json.dumps(report, indent=1))
agrees = not report["beyond_1e-4"] and not report["own_kernels_beyond_1e-4"] and report["same_bits_twice"]
sys.exit(0 if whole and agrees and not failed else 1)
