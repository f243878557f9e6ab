"""Golden vectors for the twins: small JSON files that the Python tests and the browser tests both consume.

Run: python tests/make_vectors.py (after a deliberate change of the arithmetic; writes tests/vectors/*.json)
"""

import hashlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from spoofweb import verdict
from spoofweb.contract import CONTRACT
from spoofweb.crop import square
from spoofweb.face import Face, faces, letterbox, overlap_percent

FOLDER = Path(__file__).with_name("vectors")
RULES = CONTRACT["verdict"] | {"threshold": 300}  # no round number, so that a forgotten threshold shows


def pattern(seed: int, width: int, height: int) -> np.ndarray:
    """uint8 [height, width, 3] like noise: a 32-bit hash of each byte's position. Twin: e2e/parity.js."""
    n = np.arange(width * height * 3, dtype=np.uint32) + np.uint32(seed * 7919)
    n *= np.uint32(0x9E3779B1)
    n ^= n >> np.uint32(15)
    n *= np.uint32(0x85EBCA77)
    n ^= n >> np.uint32(13)
    return (n >> np.uint32(24)).astype(np.uint8).reshape(height, width, 3)


def short_hash(pixels: np.ndarray) -> str:
    """First 16 hex digits of the SHA-256 of the bytes."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()[:16]


def resample_vectors() -> list:
    """[seed, frame width, height, left, top, right, bottom, width, height, hash of Pillow's result]."""
    draw = random.Random(1)
    side, letter = CONTRACT["input"]["side"], CONTRACT["detector"]["side"]
    cases = [
        (640, 480, 200, 100, 440, 340, side, side),
        (480, 640, 100, 200, 340, 440, side, side),
        (720, 1280, 10, 300, 700, 990, side, side),  # tall enough for Pillow to turn the order of the passes
        (1280, 720, 300, 10, 990, 700, side, side),
        (640, 480, 0, 0, 640, 480, letter, letter * 3 // 4),
        (360, 640, 0, 0, 360, 640, letter * 9 // 16, letter),
        (300, 300, 40, 40, 40 + side, 40 + side, side, side),  # as large as the result: a copy
        (side, side, 0, 0, side, side, side, side),
        (300, 200, 3, 5, 4, 6, side, side),  # a single pixel
        (1, 1, 0, 0, 1, 1, side, side),
        (500, 1, 0, 0, 500, 1, 7, 1),
        (1, 500, 0, 0, 1, 500, 1, 7),
    ]

    def length() -> int:
        return draw.choice((1, 2, 3, draw.randint(1, 60), draw.randint(60, 400)))

    while len(cases) < 240:
        width, height = length(), length()
        left, top = draw.randrange(width), draw.randrange(height)
        right, bottom = draw.randint(left + 1, width), draw.randint(top + 1, height)
        if draw.random() < 0.2:
            left, top, right, bottom = 0, 0, width, height
        to_width = draw.choice((1, right - left, draw.randint(1, 300), side))
        to_height = draw.choice((1, bottom - top, draw.randint(1, 300), side))
        cases.append((width, height, left, top, right, bottom, to_width, to_height))
    rows = []
    for seed, (width, height, left, top, right, bottom, to_width, to_height) in enumerate(cases):
        image = Image.fromarray(pattern(seed, width, height))
        made = image.resize((to_width, to_height), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
        sizes = [seed, width, height, left, top, right, bottom, to_width, to_height]
        rows.append([*sizes, short_hash(np.asarray(made))])
    return rows


def crop_vectors() -> list:
    """[x0, y0, x1, y1, frame width, height, percent, crop x, y, side]."""
    draw = random.Random(2)
    rows = []
    for _ in range(150):
        width, height = draw.randint(1, 2000), draw.randint(1, 2000)
        x0, y0 = draw.randint(-width * 128, width * 256), draw.randint(-height * 128, height * 256)
        x1, y1 = x0 + draw.randint(1, width * 256), y0 + draw.randint(1, height * 256)
        percent = draw.choice((100, 120, 130, 270, 33))
        rows.append([x0, y0, x1, y1, width, height, percent])
    for half in range(16):  # around the points where a side or a start is rounded
        rows.append([1000 + half, 2000, 1000 + half + 25600 + half, 28000, 640, 480, 100])
        rows.append([1000 + 16 * half, 2000, 30000, 28000, 640, 480, 120])
    return [[*row, *square(Face(*row[:4], 0, ()), *row[4:])] for row in rows]


def letterbox_vectors() -> list:
    """[frame width, height, x, y, width, height inside the detector's input]."""
    draw = random.Random(3)
    sizes = [(1, 1), (1, 4000), (4000, 1), (640, 480), (480, 640), (1280, 720), (255, 256), (128, 128)]
    sizes += [(draw.randint(1, 4096), draw.randint(1, 4096)) for _ in range(60)]
    return [[*size, *letterbox(*size)] for size in sizes]


def overlap_vectors() -> list:
    """[four numbers of a box, four of another, percent]."""
    draw = random.Random(4)
    rows = [[0, 0, 10, 10, 10, 0, 20, 10], [0, 0, 10, 10, 0, 0, 10, 10], [0, 0, 10, 10, 2, 2, 4, 4]]
    for _ in range(60):
        row = []
        for _ in range(2):
            x, y = draw.randint(-5000, 60000), draw.randint(-5000, 60000)
            row += [x, y, x + draw.randint(1, 60000), y + draw.randint(1, 60000)]
        rows.append(row)
    return [[*row, overlap_percent(row[:4], row[4:])] for row in rows]


def face_vectors() -> list:
    """{size of the frame, detections at or near the least score (all other anchors are 0), faces found}."""
    draw = random.Random(5)
    cases = []
    for number in range(40):
        rows = []
        for _ in range(number % 5):
            x, y, side = draw.randint(0, 28000), draw.randint(0, 28000), draw.randint(500, 16000)
            for _ in range(draw.randint(1, 9)):
                score = draw.choice((32767, 32768, 40000, draw.randint(30000, 65536)))
                move = max(1, side // 6)
                points = [x, y, x + side, y + side] + [draw.randint(-500, 33000) for _ in range(12)]
                rows.append([score, *(point + draw.randint(-move, move) for point in points)])
        if number == 39:  # a box turned inside out is no face
            rows = [[60000, 9000, 9000, 4000, 12000, *range(12)]]
        draw.shuffle(rows)
        size = draw.choice(((640, 480), (480, 640), (1280, 720), (333, 777), (128, 128)))
        detections = np.zeros((896, 17), np.int32)
        detections[: len(rows)] = np.array(rows, np.int32).reshape(-1, 17)
        found = [[*face[:5], list(face.keypoints)] for face in faces(detections, *size)]
        cases.append({"size": list(size), "rows": rows, "faces": found})
    return cases


def verdict_vectors() -> dict:
    """`rules`, `fixed`: [logit, steps], `sequences`: frames [time_ms, box, logit] and states."""
    draw = random.Random(6)
    here, there = [1000, 1000, 9000, 9000], [20000, 1000, 28000, 9000]
    threshold, margin, hysteresis = RULES["threshold"], RULES["margin"], RULES["hysteresis"]
    live, attack, line = threshold + 2 * margin, threshold - 2 * margin, threshold + margin
    one, lost_ms, window_ms = RULES["logit_one"], RULES["lost_ms"], RULES["window_ms"]
    least = (margin - hysteresis, margin - hysteresis - 1)  # steps that keep a word, and that lose it

    def run(*parts: tuple, gap: int = 100) -> list:
        """Frames from (count, box, logit), `gap` ms apart."""
        boxes = [(box, logit) for count, box, logit in parts for _ in range(count)]
        return [[(number + 1) * gap, box, logit] for number, (box, logit) in enumerate(boxes)]

    sequences = {
        "nobody": run((5, None, None)),
        "live": run((15, here, live)),
        "attack": run((15, here, attack)),
        "on the line": run((6, here, line), (20, here, line - 1)),
        "hysteresis of live": run((8, here, line), *((20, here, threshold + d) for d in least)),
        "hysteresis of attack": run((8, here, attack), *((20, here, threshold - d) for d in least)),
        "outliers are trimmed": run((9, here, live), (2, here, attack), (9, here, live)),
        "live turns into attack": run((14, here, live), (14, here, attack)),
        "another face": run((8, here, live), (8, there, attack), (3, here, live)),
        "lost and found": run((8, here, live), (lost_ms // 100 + 2, None, None), (8, here, attack)),
        "lost for a moment": run((8, here, live), (5, None, None), (2, here, live)),
        "slow camera": run((12, here, live), gap=window_ms // 8),
        "as slow as may be": run((8, here, live), gap=lost_ms),
        "too slow a camera": run((8, here, live), gap=lost_ms + 1),
        "a clock that starts late": [[t + 10**9, *rest] for t, *rest in run((6, here, live))],
    }
    for number in range(6):
        frames, time_ms, box = [], 0, here
        for _ in range(50):
            time_ms += draw.choice((16, 33, 33, 34, 200, lost_ms + 200))
            box = draw.choice((box, box, box, [v + draw.randint(-900, 900) for v in here], there))
            logit = draw.randint(-2 * one, 3 * one) if number % 2 else draw.randint(one // 2, one)
            frames.append([time_ms, *((None, None) if draw.random() < 0.1 else (box, logit))])
        sequences[f"random {number}"] = frames
    logits = [0.0, 0.25 / one, 0.5 / one, -0.5 / one, -1.5 / one, 40.0, -40.0, 32 - 0.5 / one]
    logits += [draw.uniform(-9, 9) for _ in range(30)]
    return {
        "rules": RULES,
        "fixed": [[logit, verdict.fixed(logit, RULES)] for logit in logits],
        "sequences": [{"name": name, "frames": frames, "states": replay(frames)} for name, frames in sequences.items()],
    }


def replay(frames: list) -> list:
    """The states [word, mean, times in the window] after each frame [time_ms, box, logit]."""
    state, states = verdict.State(), []
    for time_ms, box, logit in frames:
        state = verdict.step(state, verdict.Judged(time_ms, box and tuple(box), logit), RULES)
        states.append([state.word, state.mean, [when for when, _ in state.window]])
    return states


VECTORS: dict[str, Callable] = {
    "resample": resample_vectors,
    "crop": crop_vectors,
    "letterbox": letterbox_vectors,
    "overlap": overlap_vectors,
    "face": face_vectors,
    "verdict": verdict_vectors,
}


def read(name: str):
    """The committed vectors of a name."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def main() -> None:
    """Write all files, one case a line."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in VECTORS.items():
        made = make()
        if isinstance(made, dict):
            parts = [
                f"{json.dumps(key)}: " + (_lines(part) if isinstance(part, list) else json.dumps(part))
                for key, part in made.items()
            ]
            text = "{" + ",\n".join(parts) + "}\n"
        else:
            text = _lines(made) + "\n"
        (FOLDER / f"{name}.json").write_text(text)


def _lines(cases: list) -> str:
    return "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]"


if __name__ == "__main__":
    main()
