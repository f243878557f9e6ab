"""Our page, the original's loop and a public peer side by side, in one Chromium and one run; needs `.[test]` and npm.

    python -m tests.bench                    # a table of ratios in Markdown; --json FILE keeps every number
    python -m tests.bench --frames 20 --visits 1 --endurance 100     # a quick look

Times differ from machine to machine and from minute to minute, so what counts are ratios of what was measured in turns.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from spoofweb import serve
from tests.bench import contest, visit
from tests.bench.stand import SIZES, Stand, camera, chromium, isolated

SIZE = SIZES[0]


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed beside peers, as ratios.")
    parser.add_argument("--frames", type=int, default=300, help="judged by each contender at each pace")
    parser.add_argument("--visits", type=int, default=3, help="first visits, cold, warm and offline")
    parser.add_argument("--endurance", type=int, default=2000, help="frames after which memory is looked at again")
    parser.add_argument("--json", type=Path, help="write every number there")
    args = parser.parse_args(argv)
    measured = measure(args.frames, args.visits, args.endurance)
    if args.json:
        args.json.write_text(json.dumps(measured, indent=1) + "\n")
    print(table(measured))
    return 0


def measure(frames: int, visits: int, endurance: int) -> dict:
    """All measurements, in JSON's types; ms, MB and frames per second."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        stand = Stand(folder)
        film = camera(folder, *SIZE)
        with serve.serving(stand.folder) as url, isolated(stand.folder) as isolated_url:
            with chromium(playwright, film) as browser:
                made = {
                    "contest": contest.frames(browser, url, isolated_url, SIZE, frames),
                    "forward": contest.forwards(browser, url, isolated_url, stand, frames),
                    "creation": contest.creation(browser, url, max(visits, 2)),
                }
            made["visit"] = visit.first_verdicts(playwright, film, stand, url, folder, visits)
            made["endurance"] = visit.endurance(playwright, film, url, folder, (endurance // 10, endurance))
    return made


def table(measured: dict) -> str:
    """The ratios as a Markdown table."""
    rate = {name: found["rate"]["flat out"]["median"] for name, found in measured["contest"].items()}
    held = {name: found["tasks"]["longest"]["median"] for name, found in measured["contest"].items()}
    stages = {name: found["mean"] for name, found in measured["contest"]["ours"]["stages"]["flat out"].items()}
    forward = {kind: {name: t["median"] for name, t in of.items()} for kind, of in measured["forward"].items()}
    wasm, two, native = forward["wasm"], forward["wasm, 2 threads"], forward["native"]
    first = {kind: measured["visit"][kind]["judged"]["median"] for kind in ("cold", "warm", "offline")}
    least = 1.2 * measured["creation"]["median"] + 3000 / rate["ours"]
    heap = [sum(at[part] for part in ("page", "worker")) for at in measured["endurance"]["heap"].values()]
    rows = [
        ("judged frames per second, against the original's loop", rate["ours"] / rate["original"]),
        ("the same with two threads", rate[contest.TWO_THREADS] / rate["original"]),
        ("with one, against `@vladmandic/human`", rate["ours"] / rate["human"]),
        ("longest main-thread task of a frame, against the original's", held["ours"] / held["original"]),
        ("the same in ms, median", held["ours"]),
        ("SpoofNet, one crop: wasm against native", wasm["spoofnet"] / native["spoofnet"]),
        ("SpoofNet, both crops: wasm against native", wasm["spoofnet ×2"] / native["spoofnet ×2"]),
        ("both crops against the original's single pass, wasm", wasm["spoofnet ×2"] / wasm["original"]),
        ("one crop against MiniFASNet at 128 × 128, wasm", wasm["spoofnet"] / wasm["minifasnet"]),
        ("both crops with `evidence` against without, wasm", wasm["spoofnet ×2"] / wasm["unexplained ×2"]),
        ("one crop, with 3 × 3 depthwise kernels against 5 × 5, wasm", wasm["spoofnet"] / wasm["wide"]),
        ("two threads against one, both crops", two["spoofnet ×2"] / wasm["spoofnet ×2"]),
        ("detect, crop and resample, against the network", (stages["detect"] + stages["crop"]) / stages["network"]),
        ("page start to first verdict, warm, against 1.2 × session creation + 3 frames", first["warm"] / least),
        ("the same, cold", first["cold"] / least),
        ("the same, offline", first["offline"] / least),
        ("heap at the end against that after a tenth of the frames", heap[-1] / heap[0]),
    ]
    lines = ["| what | ratio |", "|---|---|", *(f"| {what} | {ratio:.2f} |" for what, ratio in rows)]
    spent = ", ".join(f"{name} {ms:.1f}" for name, ms in stages.items())
    warm = ", ".join(f"{name} {found['median']:.0f}" for name, found in measured["visit"]["warm"].items())
    cores = {name: found["cores"]["flat out"]["mean"] for name, found in measured["contest"].items()}
    busy = "; ".join(f"{name} {mean:.1f}" for name, mean in cores.items())
    notes = [
        f"Stages of a frame, mean ms: {spent}; the next frame waits in the worker while one is judged.",
        f"Cores that the browser keeps busy meanwhile, flat out: {busy}.",
        f"A warm visit, ms after its start: {warm}; creating the sessions alone {measured['creation']['median']:.0f}.",
    ]
    return "\n".join([*lines, "", *notes])


if __name__ == "__main__":
    sys.exit(main())
