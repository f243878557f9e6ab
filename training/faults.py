"""What a camera's faults do to the answer: the same pictures, more and more out of focus, or ever noisier.

    python -m training.faults spoofweb/weights/spoofnet.safetensors --data FULL_DATASET_FRAMES --fault noise

Blur is a Gaussian in linear light; the sensor's noise, which a lens leaves alone, is blurred with the rest. Noise is
white and Gaussian, added to the sRGB code. Its amount is given as the network would see it in the closest crop, and so
means the same for large faces and small ones, but for one more round of JPEG after it, which pictures without a fault
get too: that takes away half of the colour's detail, and much of what is weak.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from spoofweb.contract import CONTRACT
from spoofweb.crop import square
from spoofweb.errors import SpoofwebError
from spoofweb.face import largest
from spoofweb.media import read_picture
from spoofweb.pipeline import Observation, Pipeline
from spoofweb.verdict import ATTACK, fixed, word
from training.dataset import Picture, scan
from training.scores import every_option, judge, judge_options
from training.simulate.pictures import blurred, jpeg, linear, srgb, to_bytes
from training.table import percent

SIDE = CONTRACT["input"]["side"]
JPEG = 88, 2  # quality and subsampling
COLUMNS = (
    "live: refused",
    "live: called ATTACK",
    "refused: named blurred",
    "passed: named blurred",
    "attacks: passed",
    "no face found",
)


@dataclass(frozen=True)
class Fault:
    """A camera's fault. deviations: how much of it, in `unit`, as seen in the closest crop.

    put: a frame uint8 [H, W, 3], such a deviation and the scale, the frame's px in one of the network's → the same
    with the fault.
    """

    unit: str
    deviations: tuple[float, ...]
    put: Callable[[np.ndarray, float, float], np.ndarray]


def defocused(frame: np.ndarray, deviation: float, scale: float = 1.0) -> np.ndarray:
    """The frame out of focus, see Fault."""
    light = linear(frame)
    return jpeg(to_bytes(srgb(blurred(light, deviation * scale) if deviation else light)), *JPEG)


def noised(frame: np.ndarray, deviation: float, scale: float) -> np.ndarray:
    """The frame by a noisy sensor, see Fault."""
    averaged = 1.5 * max(1.0, scale)  # pixels along each axis, by resampling with a triangle as wide as the scale
    grain = np.random.default_rng(0).standard_normal(frame.shape, np.float32)
    return jpeg(to_bytes(frame + grain * np.float32(deviation * averaged)), *JPEG)


FAULTS = {
    "blur": Fault("px", (0.0, 0.5, 0.8, 1.2, 1.8, 2.5), defocused),
    "noise": Fault("of 255", (0.0, 1.0, 2.0, 4.0, 8.0), noised),
}


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Error rates of pictures that are out of focus or noisy.")
    judge_options(parser)
    parser.add_argument("--fault", choices=FAULTS, default="blur", help="what is wrong with the pictures (blur)")
    every_option(parser)
    args = parser.parse_args(argv)
    try:
        pictures = scan(args.data, args.split)[:: args.every]
        pipeline, rules = judge(args)
        fault = FAULTS[args.fault]
        seen = [observations(picture, pipeline, fault) for picture in tqdm(pictures, desc=args.fault, unit="picture")]
        known = [(picture.label, row) for picture, row in zip(pictures, seen, strict=True) if row]
        if {label for label, _ in known} != {0, 1}:
            raise SpoofwebError(f"{args.data}: {args.split} needs pictures with a face in each of its classes")
        print(table(known, rules, fault))
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def observations(picture: Picture, pipeline: Pipeline, fault: Fault) -> list[Observation]:
    """What is seen of a picture at each of the fault's deviations; empty where no face is found in it as it is."""
    frame = read_picture(picture.path)
    face = largest(pipeline.faces(frame))
    if face is None:
        return []
    scale = square(face, frame.shape[1], frame.shape[0], pipeline.scales_percent[0]).side / SIDE
    return [pipeline.observe(fault.put(frame, deviation, scale)) for deviation in fault.deviations]


def table(known: list[tuple[int, list[Observation]]], rules: dict, fault: Fault) -> str:
    """A Markdown table of labels with what is seen at each deviation: error rates at the threshold, of the pictures
    whose face is still found; how many live ones are called ATTACK, as single pictures; whom the gate names blurred.
    """
    columns = f"deviation, {fault.unit}", *COLUMNS
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for place, deviation in enumerate(fault.deviations):
        at = [(label, row[place]) for label, row in known]
        live, attacks = ([seen for kind, seen in at if kind == label and seen.face] for label in (1, 0))
        called = sum(is_called_attack(seen, rules) for seen in live)
        groups = [[seen for seen in live if passes(seen, rules) == passing] for passing in (False, True)]
        named = [share(sum("blurred" in seen.reasons for seen in group), len(group)) for group in groups]
        passed = share(sum(passes(seen, rules) for seen in attacks), len(attacks))
        lost = share(len(at) - len(live) - len(attacks), len(at))
        rates = [share(len(groups[0]), len(live)), share(called, len(live)), *named, passed, lost]
        lines.append(f"| {deviation} | {' | '.join(rates)} |")
    return "\n".join(lines)


def passes(seen: Observation, rules: dict) -> bool:
    """Whether a picture's logit reaches the threshold; gates refuse nothing here."""
    return fixed(seen.logit, rules) >= rules["threshold"]


def is_called_attack(seen: Observation, rules: dict) -> bool:
    """Whether the word for it is ATTACK, as for a single picture."""
    return word(fixed(seen.logit, rules), rules) == ATTACK


def share(some: int, of: int) -> str:
    """Some of how many, in percent, and how many that are."""
    return f"{percent(some / of if of else None)} ({some})"


if __name__ == "__main__":
    sys.exit(main())
