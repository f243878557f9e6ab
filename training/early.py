"""Give a trained SpoofNet its second head, which judges by the moments of its early maps.

    python -m training.early runs/framed/spoofnet.safetensors runs/early.safetensors --data FULL_DATASET_FRAMES \\
        --manifest manifest.csv --simulated SIMULATED --recaptured RECAPTURE

Nothing else of the network changes. The pictures are those that the preset `early` draws, each passed through the early
blocks once. Both heads' logits are then calibrated on val, each alone, so that neither outweighs the other in the mean.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spoofweb import checkpoint
from spoofweb.checksum import sha256
from spoofweb.errors import SpoofwebError
from spoofweb.model import STRIDE_8, SpoofNet, early_opinion
from training import calibrate
from training.heads import draws, learn, report
from training.train import Judged, as_pixels, aucs, data_options, load_data, preset_options, read_preset

PRESET = "early"
STEPS = 3000
SEEN_STAGES = 2  # of the backbone, by the second head, with the stem


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.early", description="Add the second head.")
    parser.add_argument("checkpoint", type=Path, help="trained, with one head")
    parser.add_argument("out", type=Path, help="where the network with both heads goes; calibrate it again")
    data_options(parser, whole=True)
    preset_options(parser)
    return report(make, parser.parse_args(argv))


def make(args: argparse.Namespace) -> dict:
    """Write the network with both heads; returns the AUCs of either head and of both on what is judged.

    SpoofwebError where it has a second head already, or was trained on other crops than those that are drawn.
    """
    net, about = checkpoint.load(args.checkpoint)
    config = read_preset(PRESET, args.set) | {"hold_out": args.hold_out}
    if net.early:
        raise SpoofwebError(f"{args.checkpoint}: it has a second head already; give the checkpoint before that")
    if about["scales_percent"] != config["scales_percent"]:
        raise SpoofwebError(
            f"{args.checkpoint}: trained on crops of {about['scales_percent']} % of the face, and the preset {PRESET} "
            f"draws {config['scales_percent']}; change one of them"
        )
    data = load_data(args, config)
    torch.manual_seed(config["seed"])
    net.early = early_opinion()
    _, seen, targets = draws(lambda crops: look(net, crops), data, config, args.workers)
    fit(net.early, seen, targets, config)
    found = compare(net, data.judged)
    own = {"preset": PRESET, "data_sha256": data.digest, "hold_out": args.hold_out, "of": sha256(args.checkpoint)}
    checkpoint.save(net, args.out, about | {"early": own})
    return found


@torch.inference_mode()
def look(net: SpoofNet, crops: Tensor) -> Tensor:
    """uint8 [B, K, 3, 224, 224] → what the second head sees, in the maps' own units, float [B, K, features]."""
    steps = net.walk((as_pixels(crops) - net.mean) / net.std, STRIDE_8)
    return net.early["pool"].taken(net.first_maps(steps)).unflatten(0, crops.shape[:2])


def fit(early: nn.ModuleDict, seen: Tensor, targets: Tensor, config: dict) -> None:
    """Train the second head on what it sees [P, K, features] of pictures with targets [P]."""
    norm = early.eval()["pool"].norm
    norm.running_mean.copy_(seen.mean((0, 1)))
    norm.running_var.copy_(seen.flatten(0, 1).var(0))

    def judge(some: Tensor) -> Tensor:
        standard = norm(some.flatten(0, 1))
        return early["head"](standard + config["jitter"] * torch.randn_like(standard)).view(some.shape[:2])

    learn(early["head"], judge, seen, targets, config, STEPS, config["lr"], config["weight_decay"])


def compare(net: SpoofNet, judged: dict[str, Judged]) -> dict[str, float]:
    """Calibrate either head on val; returns the AUCs of either and of both on all that is judged, as "both, val"."""
    said = {name: hear(net, part) for name, part in judged.items()}
    settle(net, said, judged["val"].labels)
    found = {}
    for name, part in judged.items():
        first, second = said[name]
        voices = {"first": first, "second": second, "both": first + second}
        for voice, logits in voices.items():
            found |= {f"{voice}, {key}": value for key, value in aucs(name, part, logits).items()}
    return found


@torch.inference_mode()
def hear(net: SpoofNet, part: Judged) -> list[np.ndarray]:
    """The mean logit of each picture's fixed crops [P], by either head, not calibrated."""
    said = [torch.stack(net.voices(net.features(as_pixels(crops)))) for crops in part.batches()]
    return list(torch.cat([of.unflatten(1, (-1, part.crops.shape[1])).mean(2) for of in said], 1).numpy())


def settle(net: SpoofNet, said: dict[str, list[np.ndarray]], labels: np.ndarray) -> None:
    """Calibrate each head alone, by its logits of val with these labels [P]: its weights, and all that it has said."""
    net.temperature.fill_(1.0)
    for which, head in enumerate(net.heads):
        temperature, bias = calibrate.fit(said["val"][which], labels)
        with torch.no_grad():
            head[-1].bias += bias
            head[-1].bias /= temperature
            head[-1].weight /= temperature
        for logits in said.values():
            logits[which] = (logits[which] + bias) / temperature


if __name__ == "__main__":
    sys.exit(main())
