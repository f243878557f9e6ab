"""Fit the temperature of a checkpoint on val and store it in the weights.

    python -m training.calibrate runs/robust/spoofnet.safetensors val.csv spoofweb/weights/spoofnet.safetensors

val.csv comes from `training.scores CHECKPOINT`. Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from spoofweb import checkpoint
from spoofweb.errors import SpoofwebError
from spoofweb.metrics import fit_temperature
from training.score_table import read_table


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Fit the temperature on val.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("scores", type=Path, help="table of training.scores; only its val rows are used")
    parser.add_argument("out", type=Path, help="where the calibrated checkpoint goes")
    args = parser.parse_args(argv)
    try:
        table = read_table(args.scores)
        used = (table.split == "val") & np.isfinite(table.logit)
        net, about = checkpoint.load(args.checkpoint)
        temperature = fit_temperature(table.logit[used], table.label[used])
        net.temperature *= temperature
        checkpoint.save(net, args.out, about)
        print(f"temperature × {temperature:.4f} over {used.sum()} val pictures; {args.out}")
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
