"""Score val and test through the product's pipeline, one CSV row per picture.

    python -m training.scores spoofweb/weights/spoofnet.safetensors --data FULL_DATASET_FRAMES --out product.csv

`training.evaluate` turns such tables into the evaluation card.
"""

import argparse
import csv
import io
import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from spoofweb import checkpoint, export, graphs
from spoofweb.contract import read_card, verdict_rules
from spoofweb.errors import SpoofwebError
from spoofweb.files import write_whole
from spoofweb.media import read_picture
from spoofweb.pipeline import Observation, Pipeline, measured_pixels
from training.dataset import Picture, face_side, scan
from training.score_table import COLUMNS, REASONS


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Score val and test pictures.")
    parser.add_argument("checkpoint", type=Path, help="SpoofNet weights, judged at the crops that they were trained on")
    parser.add_argument("--data", type=Path, required=True, help="ROOT of {val,test}/{real,attack}/<identity>/")
    parser.add_argument("--manifest", type=Path, help="CSV with sources and attack types")
    parser.add_argument("--splits", nargs="+", default=["val", "test"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--peer", type=Path, help="also write the manifest's peer opinion as a table of the same form")
    args = parser.parse_args(argv)
    try:
        pictures = [picture for split in args.splits for picture in scan(args.data, split, args.manifest)]
        pipeline = pipeline_of(args.checkpoint)
        rows = [score(picture, pipeline) for picture in tqdm(pictures, desc="scoring", unit="picture")]
        write_table(args.out, rows)
        if args.peer:
            write_table(args.peer, [row | {"logit": peer_logit(p)} for p, row in zip(pictures, rows, strict=True)])
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def judge_options(parser: argparse.ArgumentParser) -> None:
    """Add what names calibrated weights, their threshold, and pictures to judge."""
    parser.add_argument("checkpoint", type=Path, help="calibrated SpoofNet weights, those of the card")
    parser.add_argument("--data", type=Path, required=True, help="ROOT of {train,val,test}/{real,attack}/<identity>/")
    parser.add_argument("--card", type=Path, default=Path("spoofweb/weights/card.json"), help="threshold to judge at")
    parser.add_argument("--split", default="val")


def every_option(parser: argparse.ArgumentParser) -> None:
    """Add what leaves most of the pictures out, for a quick look."""
    parser.add_argument("--every", type=int, default=1, choices=range(1, 1001), metavar="N", help="only each Nth")


def judge(args: argparse.Namespace) -> tuple[Pipeline, dict]:
    """The pipeline and the verdict's rules that `judge_options` name; SpoofwebError where one is unreadable."""
    return pipeline_of(args.checkpoint), verdict_rules(read_card(args.card))


def pipeline_of(weights: Path) -> Pipeline:
    """The product's pipeline with these weights, at the crops they were trained on; SpoofwebError where unreadable."""
    net, about = checkpoint.load(weights)
    return Pipeline(graphs.detector_graph(), export.convert(net, {}), about["scales_percent"])


def score(picture: Picture, pipeline: Pipeline) -> dict:
    """One row; `logit` and the measures of the face are empty where no face is found (a non-response)."""
    frame = read_picture(picture.path)
    seen = pipeline.observe(frame)
    row = {"path": picture.name, "split": picture.split, "source": picture.source, "site": picture.site}
    row |= {"label": picture.label, "species": picture.species}
    if not seen.face:
        return row
    return row | measures(frame, seen) | {"logit": f"{seen.logit:.6f}", REASONS: " ".join(seen.reasons)}


def measures(frame: np.ndarray, seen: Observation) -> dict:
    """Face side (px); mean luma (0..255) and variance of the Laplacian of the crop that the gates measure."""
    luma = np.asarray(Image.fromarray(measured_pixels(frame, seen.face)).convert("L"), float)
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    return {
        "face_side": f"{face_side(seen.face):.1f}",
        "brightness": f"{luma.mean():.2f}",
        "sharpness": f"{laplacian.var():.2f}",
    }


def peer_logit(picture: Picture) -> str:
    """The peer's probability as a logit, clipped to ± 13.8; empty where it gave none."""
    if picture.peer is None:
        return ""
    live = min(max(picture.peer, 1e-6), 1 - 1e-6)
    return f"{math.log(live / (1 - live)):.6f}"


def write_table(path: Path, rows: list[dict]) -> None:
    """Rows as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, (*COLUMNS, REASONS), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole({path: text.getvalue().encode()})


if __name__ == "__main__":
    sys.exit(main())
