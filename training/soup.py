"""The mean of the weights of several runs from one start: one network, as fast as each of them.

    python -m training.soup CHECKPOINT CHECKPOINT… OUT [--shares 0.7 0.3]

Source: Wortsman et al. 2022, "Model soups". It works where the runs began with the same weights and drew the same
pictures (one seed) and differ in little else, as in their teachers. Judge the mean on val: nothing here does.
"""

import argparse
import math
import sys
from pathlib import Path

import torch
from torch import Tensor

from spoofweb import checkpoint
from spoofweb.checksum import sha256
from spoofweb.errors import SpoofwebError


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.soup", description="Mean of several checkpoints.")
    parser.add_argument("checkpoint", type=Path, nargs="+", help="two or more, not calibrated")
    parser.add_argument("out", type=Path, help="where the mean goes")
    parser.add_argument("--shares", type=float, nargs="+", help="of each in the mean, adding up to 1; else all alike")
    args = parser.parse_args(argv)
    try:
        mix(args.checkpoint, args.out, args.shares)
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def mix(paths: list[Path], out: Path, shares: list[float] | None = None) -> None:
    """Write the mean of the checkpoints; SpoofwebError where they are fewer than two, differ in build or crops, or the
    shares are not one for each that add up to 1.
    """
    if len(paths) < 2:
        raise SpoofwebError(f"{paths[0]}: a mean needs two checkpoints or more; name another")
    shares = shares or [1 / len(paths)] * len(paths)
    if len(shares) != len(paths) or min(shares) < 0 or not math.isclose(sum(shares), 1):
        raise SpoofwebError(f"--shares {' '.join(map(str, shares))}: give each checkpoint one, adding up to 1")
    loaded = [checkpoint.load(path) for path in paths]
    built = [(net.texture_kind, net.kernel, net.early is None, about["scales_percent"]) for net, about in loaded]
    for path, each in zip(paths, built, strict=True):
        if each != built[0]:
            raise SpoofwebError(
                f"{path}: its texture, kernel, heads or crops are not those of {paths[0]}; choose another"
            )
    states = [net.state_dict() for net, _ in loaded]
    made, first = loaded[0]
    made.load_state_dict({name: mean([state[name] for state in states], shares) for name in states[0]})
    parts = [
        about | {"sha256": sha256(path), "share": share}
        for path, (_, about), share in zip(paths, loaded, shares, strict=True)
    ]
    checkpoint.save(made, out, {"scales_percent": first["scales_percent"], "mean_of": parts})


def mean(tensors: list[Tensor], shares: list[float]) -> Tensor:
    """The weighted mean of equal tensors; of counts, which no network computes with, the first."""
    if not tensors[0].is_floating_point():
        return tensors[0]
    weighed = [tensor * (share * len(shares)) for share, tensor in zip(shares, tensors, strict=True)]
    return torch.stack(weighed).mean(0)


if __name__ == "__main__":
    sys.exit(main())
