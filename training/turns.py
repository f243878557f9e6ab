"""What it costs to judge a stream by one crop in turn instead of by all: the verdict after a window of frames.

    python -m training.turns spoofweb/weights/spoofnet.safetensors --data FULL_DATASET_FRAMES --split val

A clip is as many pictures of one site and class as the verdict's window holds, in their order, taken as frames of 15 a
second. They lie half a second apart, so that a logit held from the frame before is a worse witness than in a video.
"""

import argparse
import itertools
import sys

import numpy as np
from tqdm import tqdm

from spoofweb import verdict
from spoofweb.contract import CONTRACT
from spoofweb.errors import SpoofwebError
from spoofweb.media import read_picture
from spoofweb.metrics import auc, eer
from spoofweb.pipeline import Pipeline
from training.dataset import Picture, scan
from training.scores import judge, judge_options

FRAME_MS = 67


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="One crop of a frame in turn against all crops of every frame.")
    judge_options(parser)
    args = parser.parse_args(argv)
    try:
        length = CONTRACT["verdict"]["window_frames"]
        found = clips(scan(args.data, args.split), length)
        if {clip[0].label for clip in found} != {0, 1}:
            raise SpoofwebError(f"{args.data}: {args.split} needs a site with {length} pictures in each of its classes")
        pipeline, rules = judge(args)
        rows = [compare(clip, pipeline, rules) for clip in tqdm(found, desc="clips", unit="clip")]
        print(table(rows, [clip[0].label for clip in found]))
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def clips(pictures: list[Picture], length: int) -> list[list[Picture]]:
    """Pictures of one site and class in a row, `length` at a time; what is left over at the end is dropped."""
    groups = itertools.groupby(pictures, key=lambda picture: (picture.label, picture.site))
    whole = [list(group) for _, group in groups]
    return [group[i : i + length] for group in whole for i in range(0, len(group) - length + 1, length)]


def compare(clip: list[Picture], pipeline: Pipeline, rules: dict) -> dict[str, verdict.State]:
    """The last state of the verdict on a clip, by "all" crops and by one "in turn"; gates refuse nothing here."""
    states, before = {"all": verdict.State(), "in turn": verdict.State()}, None
    for number, picture in enumerate(clip):
        frame, time_ms = read_picture(picture.path), number * FRAME_MS
        whole = pipeline.observe(frame, time_ms)
        before = pipeline.observe(frame, time_ms, before)
        for name, seen in (("all", whole), ("in turn", before)):
            box = seen.face and seen.face[:4]
            logit = None if seen.logit is None else verdict.fixed(seen.logit, rules)
            states[name] = verdict.step(states[name], verdict.Judged(time_ms, box, logit), rules)
    return states


def table(rows: list[dict[str, verdict.State]], labels: list[int]) -> str:
    """A Markdown table of the clips' verdicts, and in how many the word is another."""
    wrong = {0: verdict.LIVE, 1: verdict.ATTACK}
    lines = ["| crops a frame | clips | AUC | EER | wrong word | unsure |", "|---|---|---|---|---|---|"]
    for name in ("all", "in turn"):
        states = [row[name] for row in rows]
        judged = [(state.mean, label) for state, label in zip(states, labels, strict=True) if state.mean is not None]
        means, truth = np.array(judged, float).T
        mistakes = sum(state.word == wrong[label] for state, label in zip(states, labels, strict=True))
        unsure = sum(state.word == verdict.UNSURE for state in states)
        figures = f"{auc(means, truth):.4f} | {100 * eer(means, truth)[0]:.1f} %"
        lines.append(f"| {name} | {len(judged)} | {figures} | {mistakes} | {unsure} |")
    other = sum(row["all"].word != row["in turn"].word for row in rows)
    return "\n".join([*lines, "", f"Another word in {other} of {len(rows)} clips."])


if __name__ == "__main__":
    sys.exit(main())
