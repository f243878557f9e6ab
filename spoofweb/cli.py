"""The command `spoofweb`: the page's pipeline on pictures, videos and folders."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from spoofweb import graphs, trained, verdict
from spoofweb.contract import CONTRACT, verdict_rules
from spoofweb.errors import SpoofwebError
from spoofweb.media import VIDEOS, find_media, read_picture, read_video
from spoofweb.pipeline import Observation, Pipeline

COLUMNS = ("path", "frame", "time_ms", "faces", "live", "verdict", "reasons")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, or 2 after `error: …`.

    A path where nothing is ends it at once; a file that cannot be read does not keep the others from being judged.
    """
    parser = argparse.ArgumentParser(prog="spoofweb", description="Real face or attack? On the command line.")
    commands = parser.add_subparsers(required=True)
    predict = commands.add_parser("predict", help="judge pictures, videos and folders of them")
    predict.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    predict.add_argument("--format", choices=("table", "json"), default="table", help="json: one object a line")
    predict.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="another network, as build_site.py takes it; its card.json lies beside it",
    )
    predict.set_defaults(run=run_predict)
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader had enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def run_predict(args: argparse.Namespace) -> int:
    """`spoofweb predict`: print a row per frame and, after a video, one with all its words in order."""
    files = [file for path in args.paths for file in find_media(path)]
    network = trained.given(args.model, tell) if args.model else trained.committed(tell)
    pipeline = Pipeline(graphs.detector_graph(), network.graph)
    rules = verdict_rules(network.card)
    show = print_json if args.format == "json" else print_row
    if args.format == "table":
        print(*COLUMNS, sep="\t")
    failed = False
    for file in files:
        try:
            for row in predict(file, pipeline, rules):
                show(row)
        except SpoofwebError as error:  # the other files are still worth judging
            print(f"error: {error}", file=sys.stderr)
            failed = True
    return 2 if failed else 0


def predict(file: Path, pipeline: Pipeline, rules: dict) -> Iterator[dict]:
    """Rows for one picture (one row) or video (one per frame, then its summary). rules: the contract's `verdict`."""
    if file.suffix.lower() not in VIDEOS:
        seen = pipeline.observe(read_picture(file))
        logit = judged(seen, 0, rules).logit
        refused = verdict.UNSURE if seen.face else verdict.NONE
        word = refused if logit is None else verdict.word(logit, rules)
        yield {"path": str(file)} | facts(seen) | {"live": live(logit, rules), "verdict": word}
        return
    state, words = verdict.State(), []
    for number, (time_ms, frame) in enumerate(read_video(file)):
        seen = pipeline.observe(frame)
        here = judged(seen, time_ms, rules)
        state = verdict.step(state, here, rules)
        words += [state.word] if words[-1:] != [state.word] else []
        row = {"path": str(file), "frame": number, "time_ms": time_ms} | facts(seen)
        yield row | {"live": live(here.logit, rules), "verdict": state.word}
    yield {
        "path": str(file),
        "frames": number + 1,
        "words": words,
        "live": live(state.mean, rules),
        "verdict": state.word,
    }


def judged(seen: Observation, time_ms: int, rules: dict) -> verdict.Judged:
    """An observation as the verdict takes it; a refused face has no logit there."""
    if seen.face is None:
        return verdict.Judged(time_ms)
    return verdict.Judged(time_ms, seen.face[:4], None if seen.reasons else verdict.fixed(seen.logit, rules))


def facts(seen: Observation) -> dict:
    """An observation as JSON values; boxes in pixels."""
    return {
        "faces": len(seen.faces),
        "box": None
        if seen.face is None
        else [round(value / CONTRACT["detector"]["subpixel"], 2) for value in seen.face[:4]],
        "crops": [list(crop) for crop in seen.crops],
        "logits": seen.logits,
        "logit": seen.logit,
        "reasons": list(seen.reasons),
    }


def live(logit: int | None, rules: dict) -> float | None:
    """Live probability of a fixed-point logit, or None."""
    return None if logit is None else verdict.probability(logit, rules)


def tell(text: str) -> None:
    """A remark for the person, beside the rows."""
    print(text, file=sys.stderr)


def print_json(row: dict) -> None:
    """One object on one line."""
    print(json.dumps(row), flush=True)


def print_row(row: dict) -> None:
    """The columns of the table; a video's summary shows its number of frames and the words in order."""
    row = row | {"reasons": " ".join(row.get("reasons", []))}
    if "words" in row:
        row = row | {"frame": f"all {row['frames']}", "verdict": " → ".join(row["words"])}
    values = [row.get(column, "") for column in COLUMNS]
    print(
        *(f"{value:.4f}" if isinstance(value, float) else "" if value is None else value for value in values),
        sep="\t",
    )


if __name__ == "__main__":
    sys.exit(main())
