"""Fit the temperature of a checkpoint on val and store it in the weights.

    python -m training.calibrate runs/robust/spoofnet.safetensors val.csv spoofweb/weights/spoofnet.safetensors

val.csv comes from `training.scores CHECKPOINT`. Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

import argparse
import csv
import sys
from pathlib import Path

from spoofweb import checkpoint
from spoofweb.errors import SpoofwebError
from spoofweb.metrics import fit_temperature


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Fit the temperature on val.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("scores", type=Path, help="table of training.scores; only its val rows are used")
    parser.add_argument("out", type=Path, help="where the calibrated checkpoint goes")
    args = parser.parse_args(argv)
    try:
        logits, labels = val_scores(args.scores)
        net, about = checkpoint.load(args.checkpoint)
        temperature = fit_temperature(logits, labels)
        net.temperature *= temperature
        checkpoint.save(net, args.out, about)
        print(f"temperature × {temperature:.4f} over {len(labels)} val pictures; {args.out}")
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def val_scores(path: Path) -> tuple[list[float], list[int]]:
    """Logits and labels of the val rows that have a face."""
    try:
        with open(path, newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == "val" and row["logit"]]
        return [float(row["logit"]) for row in rows], [int(row["label"]) for row in rows]
    except (OSError, KeyError, ValueError) as error:
        raise SpoofwebError(f"{path}: not a table of scores ({error!r}); make it with training.scores") from None


if __name__ == "__main__":
    sys.exit(main())
