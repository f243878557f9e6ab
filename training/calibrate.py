"""Fit the temperature and the bias of a checkpoint's logits on val and store them in the weights.

    python -m training.calibrate runs/early.safetensors val.csv spoofweb/weights/spoofnet.safetensors

val.csv comes from `training.scores CHECKPOINT`. The method is Platt scaling as in Guo et al. 2017, "On Calibration of
Modern Neural Networks": the order of the pictures stays, so no error rate at a threshold from val changes.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from spoofweb import checkpoint
from spoofweb.errors import SpoofwebError
from spoofweb.metrics import TEMPERATURE_RANGE
from training.score_table import read_table

WEAKEST = 1e6  # inverse weight of scikit-learn's penalty: so weak that it does not count


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Fit temperature and bias on val.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("scores", type=Path, help="table of training.scores; only its val rows are used")
    parser.add_argument("out", type=Path, help="where the calibrated checkpoint goes")
    args = parser.parse_args(argv)
    try:
        table = read_table(args.scores)
        used = (table.split == "val") & np.isfinite(table.logit)
        net, about = checkpoint.load(args.checkpoint)
        temperature, bias = fit(table.logit[used], table.label[used])
        with torch.no_grad():
            for head in net.heads:
                head[-1].bias += bias * net.temperature
        net.temperature *= temperature
        checkpoint.save(net, args.out, about)
        print(f"logits + {bias:.4f}, then temperature × {temperature:.4f}, over {used.sum()} val pictures; {args.out}")
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def fit(logits: NDArray, labels: NDArray) -> tuple[float, float]:
    """(temperature, bias) for which (logit + bias) / temperature is most likely, classes weighing alike.

    logits, labels: [P]. SpoofwebError where a class is missing. Each of a class's n pictures counts as one of the other
    class with a weight of 1 / (n + 2), as in Platt 1999, "Probabilistic Outputs for Support Vector Machines": else
    logits that never err would have no likeliest temperature. The temperature stays in TEMPERATURE_RANGE.
    """
    if len(np.unique(labels)) < 2:
        raise SpoofwebError("calibration needs val pictures of both classes; score some of each")
    pictures = np.bincount(labels.astype(int))[labels.astype(int)]
    doubt, weight = 1 / (pictures + 2), len(labels) / (2 * pictures)
    both = np.concatenate([logits, logits])[:, None], np.concatenate([labels, 1 - labels])
    weights = np.concatenate([weight * (1 - doubt), weight * doubt])
    found = LogisticRegression(C=WEAKEST, tol=1e-8).fit(*both, weights)
    slope, offset = float(found.coef_[0, 0]), float(found.intercept_[0])
    if slope <= 0:  # the likeliest line would turn the pictures' order round
        return TEMPERATURE_RANGE[1], 0.0
    return float(np.clip(1 / slope, *TEMPERATURE_RANGE)), offset / slope


if __name__ == "__main__":
    sys.exit(main())
