"""Evaluation card of one or more models, as JSON, and its plots.

    python -m training.evaluate spoofnet=scores.csv [NAME=FILE.csv ...] --out card.json --plots plots/

Each file is a table of scored pictures (training/score_table.py) and becomes a row of the card
(training/card.py); the first one is the product. NAME=CARD.json takes over that row of an earlier card of the same
pictures, for a network that is not scored again. The same files and options give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from spoofweb.contract import read_card
from spoofweb.errors import SpoofwebError
from spoofweb.files import write_whole
from training.card import Settings, evaluation_card
from training.plots import draw
from training.score_table import read_table


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser("python -m training.evaluate", description="Write an evaluation card.")
    parser.add_argument("scores", nargs="+", metavar="NAME=FILE", help="scores (CSV), or a card (JSON)")
    parser.add_argument("--out", type=Path, required=True, help="the card to write (JSON)")
    parser.add_argument("--plots", type=Path, required=True, help="folder for the plots (SVG)")
    parser.add_argument("--bpcer", type=float, default=0.05, help="BPCER on val, sets the threshold (0.05)")
    parser.add_argument("--repeats", type=int, default=1000, help="draws of the bootstrap over sites (1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (0)")
    options = parser.parse_args(argv)
    try:
        files = named_files(options.scores)
        rows = {name: (read_card if file.suffix == ".json" else read_table)(file) for name, file in files.items()}
        card = evaluation_card(rows, Settings(options.bpcer, options.repeats, options.seed))
        text = json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        drawn = {options.plots / name: svg for name, svg in draw(card).items()}
        write_whole({options.out: text.encode(), **drawn})
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def named_files(arguments: list[str]) -> dict[str, Path]:
    """NAME=FILE arguments as name → path, in order; SpoofwebError for another form or a repeated name."""
    files: dict[str, Path] = {}
    for argument in arguments:
        name, _, file = argument.partition("=")
        if not (name and file) or name in files:
            raise SpoofwebError(f"{argument}: scores are given as NAME=FILE.csv, each name once")
        files[name] = Path(file)
    if next(iter(files.values())).suffix == ".json":
        raise SpoofwebError(f"{arguments[0]}: an earlier card is no scores of the product; give NAME=FILE.csv first")
    return files


if __name__ == "__main__":
    sys.exit(main())
