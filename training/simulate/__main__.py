"""Renders simulated attack presentations, and live pictures through the same camera, from live training pictures.

    python -m training.simulate DATA ROOT/train --manifest manifest.csv --count 5000 --live 0.3 --masks 2500 \\
        --portraits 2500

DATA holds train/real/<site>/*.jpg; the manifest's paths are relative to DATA. The second argument, OUT, is meant to be
ROOT/train: `training.train --simulated ROOT` reads ROOT/train/{real,attack}/<site>/*.jpg and ROOT/train/manifest.csv.
"""

import argparse
import sys
from pathlib import Path

from spoofweb.errors import SpoofwebError
from training.simulate.render import run


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.simulate", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder that holds train/real/<site>/*.jpg")
    parser.add_argument(
        "out",
        type=Path,
        help="new folder for pictures and manifest.csv, meant to be ROOT/train of `training.train --simulated ROOT`",
    )
    parser.add_argument("--manifest", type=Path, required=True, help="CSV with path, face_x, face_y, face_side")
    parser.add_argument("--count", type=int, default=8000, help="pictures to render")
    parser.add_argument("--live", type=float, default=0.3, help="share of live pictures through the camera, 0..1")
    parser.add_argument("--masks", type=int, default=0, help="pictures of worn paper masks, beside --count")
    parser.add_argument(
        "--portraits", type=int, default=0, help="pictures of held passport photographs, beside --count"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--contact-sheet", type=Path, help="also draw a sheet of examples into this file")
    try:
        run(**vars(parser.parse_args(argv)))
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
