"""How many simulated attack presentations of each medium pass: live pictures, turned into attacks one by one.

    python -m training.presentations spoofweb/weights/spoofnet.safetensors --data FULL_DATASET_FRAMES --every 3

For media that a split has no pictures of, as masks, this is all that can be measured: how the network does against the
simulator, not against the world. Every medium takes the same live pictures: it shows them, before a picture of another
site or, as a portrait, in the hands of its people; or their people wear that one's face as a mask. `live` are these
pictures through such a camera without a medium; each presentation draws a camera of its own. The live pictures of val
also set the threshold.
"""

import argparse
import sys
import zlib
from collections.abc import Callable

import numpy as np
from tqdm import tqdm

from spoofweb.errors import SpoofwebError
from spoofweb.face import largest
from spoofweb.media import read_picture
from spoofweb.metrics import auc
from spoofweb.pipeline import Observation, Pipeline
from training.dataset import Picture, face_middle, face_side, is_in, scan
from training.faults import is_called_attack, passes, share
from training.scores import every_option, judge, judge_options
from training.simulate import present, present_pair, recapture_live
from training.simulate.medium import KINDS
from training.simulate.pictures import Face

Shot = tuple[np.ndarray, Face]
"""A frame, uint8 [H, W, 3], and a square about the face in it: x, y and side in px."""
Medium = Callable[[Shot, Shot, np.random.Generator], Shot]
"""A live shot and one of another site → the first by a medium, camera included, with the presented face."""

LIVE = "live"
EDGES = {"edge seen": False, "no edge seen": True}
MEDIA: dict[str, Medium] = {
    LIVE: lambda shot, other, rng: recapture_live(*shot, rng),
    **{
        f"{kind}, {told}": lambda shot, other, rng, kind=kind, borderless=borderless: present(
            kind, *shot, rng, other[0], borderless
        )
        for kind in KINDS
        for told, borderless in EDGES.items()
    },
    "portrait": lambda shot, other, rng: present_pair("portrait", *shot, rng, *other),
    "mask": lambda shot, other, rng: present_pair("mask", *other, rng, *shot),
}
COLUMNS = ("medium", "passed", "called ATTACK", "AUC against live", "another face found, or none")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Error rates of simulated attack presentations, by medium.")
    judge_options(parser)
    every_option(parser)
    args = parser.parse_args(argv)
    try:
        pictures = [picture for picture in scan(args.data, args.split) if picture.label][:: args.every]
        if len({picture.site for picture in pictures}) < 2:
            raise SpoofwebError(f"{args.data}: {args.split} needs live pictures of two sites, for what is seen behind")
        pipeline, rules = judge(args)
        seen = [
            presented(each, other(pictures, each), pipeline) for each in tqdm(pictures, desc="media", unit="picture")
        ]
        rows = [row for row in seen if row]
        if not rows:
            raise SpoofwebError(f"{args.data}: in no live picture of {args.split} a face is found; give others")
        print(
            table(rows, rules),
            f"\n\nOf {len(rows)} of {len(pictures)} live pictures: in these a face is found.",
            sep="",
        )
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def other(pictures: list[Picture], picture: Picture) -> Picture:
    """A picture of another site than this one's, always the same of the same pictures."""
    elsewhere = [each for each in pictures if each.site != picture.site]
    return elsewhere[generator(picture, 0).integers(len(elsewhere))]


def generator(picture: Picture, stream: int) -> np.random.Generator:
    """Random numbers that hang on a picture's name, not on its place in a list."""
    return np.random.default_rng([stream, zlib.crc32(picture.name.encode())])


def presented(picture: Picture, behind: Picture, pipeline: Pipeline) -> dict[str, Observation | None]:
    """What is seen of a picture by each medium, None where that is not the presented face; nothing at all where no face
    is found in the picture, or in the one behind.
    """
    shots = [located(read_picture(each.path), pipeline) for each in (picture, behind)]
    if None in shots:
        return {}
    found = {}
    for name, medium in MEDIA.items():
        frame, face = medium(*shots, generator(picture, 1))
        seen = pipeline.observe(frame)
        found[name] = seen if seen.face and is_in(seen.face, *face) else None
    return found


def located(frame: np.ndarray, pipeline: Pipeline) -> Shot | None:
    """The frame with its largest face, None where there is none."""
    face = largest(pipeline.faces(frame))
    if face is None:
        return None
    (across, down), side = face_middle(face), face_side(face)
    return frame, (across - side / 2, down - side / 2, side)


def table(rows: list[dict[str, Observation | None]], rules: dict) -> str:
    """A Markdown table: how many pass the threshold and how many are called ATTACK, as single pictures, of those whose
    presented face is found; gates refuse nothing here.
    """
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    known = {name: [row[name] for row in rows if row[name]] for name in MEDIA}
    live = [each.logit for each in known[LIVE]]
    for name, seen in known.items():
        passed = share(sum(passes(each, rules) for each in seen), len(seen))
        called = share(sum(is_called_attack(each, rules) for each in seen), len(seen))
        rank = "–"
        if name != LIVE and seen and live:
            rank = f"{auc([*live, *(each.logit for each in seen)], [1] * len(live) + [0] * len(seen)):.3f}"
        lines.append(f"| {name} | {passed} | {called} | {rank} | {share(len(rows) - len(seen), len(rows))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
