"""Networks that a run learns from (--teacher): earlier runs of SpoofNet, and the probe that `training.probe` makes."""

import json
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from spoofweb import checkpoint
from spoofweb.errors import SpoofwebError
from spoofweb.model import head

TRUNK = "tf_efficientnet_lite0"
MAPS = (0, 1, 2, 3)  # of the trunk's feature maps, those of stride 2 to 16
FARTHEST = 6.0  # deviations that a feature may lie from its mean
KIND = "probe"


class Probe(nn.Module):
    """Small heads on a network that stays as ImageNet left it: one for each half of the sites, which it never saw.

    The trunk is EfficientNet-Lite0, larger than what fits the page; the heads see the mean and the deviation of each
    channel of its early maps, over the whole crop (a probe as in Alain and Bengio 2016, "Understanding intermediate
    layers using linear classifier probes", here with a hidden layer).
    """

    def __init__(self, hold_out: list[str]):
        """hold_out: the sites that each head never saw, as in --hold-out."""
        super().__init__()
        self.hold_out = hold_out
        self.trunk = timm.create_model(TRUNK, features_only=True, out_indices=MAPS)
        features = 2 * sum(self.trunk.feature_info.channels())
        self.heads = nn.ModuleList(head(features, 0.3, 0.1) for _ in hold_out)
        self.register_buffer("middle", torch.zeros(len(hold_out), features))
        self.register_buffer("spread", torch.ones(len(hold_out), features))

    def forward(self, pixels: Tensor) -> Tensor:
        """float [N, 3, 224, 224] RGB in 0..1 → a logit of each head, [N, heads]."""
        seen = self.statistics(pixels)
        return torch.stack([self.judge(i, seen) for i in range(len(self.heads))], 1)

    def statistics(self, pixels: Tensor) -> Tensor:
        """float [N, 3, 224, 224] RGB in 0..1 → what the heads see, [N, features]."""
        maps = self.trunk((pixels * 255 - 127) / 128)  # as the trunk was trained
        return torch.cat([part for each in maps for part in (each.mean((2, 3)), each.std((2, 3)))], 1)

    def judge(self, index: int, seen: Tensor) -> Tensor:
        """Statistics [..., features] → the logits [...] of one head."""
        standard = (seen - self.middle[index]) / self.spread[index]
        return self.heads[index](standard.clamp(-FARTHEST, FARTHEST)).squeeze(-1)


def save_probe(probe: Probe, path: Path, about: dict) -> None:
    """Write the probe with its trunk and facts (JSON values), whole or not at all."""
    about = json.dumps(about | {"hold_out": probe.hold_out}, sort_keys=True)
    checkpoint.write(probe, path, {"kind": KIND, "about": about})


def load_probe(path: Path, header: dict) -> Probe:
    """The probe in a file with this header, in evaluation mode; SpoofwebError where it is not whole."""
    try:
        probe = Probe(json.loads(header["about"])["hold_out"])
        probe.load_state_dict(load_file(path))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SpoofwebError(f"{path}: not a whole probe ({error}); make it again") from None
    return probe.eval()


def load_teachers(paths: list[Path], config: dict) -> tuple[list[nn.Module], list[str]]:
    """The networks whose mean opinion is a soft target, and the sites that each voice speaks of ("": all).

    A SpoofNet is one voice, a probe as many as it has heads. SpoofwebError unless the preset weighs them, and only
    then, and where unseen_only finds that nothing was held out.
    """
    if bool(paths) != (config["teacher_weight"] > 0):
        raise SpoofwebError("--teacher and a teacher_weight above 0 go together; give both or neither")
    teachers, speak_of = [], []
    for path in paths:
        net, held_out = load_teacher(path)
        if config["unseen_only"] and not all(held_out):
            raise SpoofwebError(f"--teacher {path}: it has seen every site; with unseen_only, train it with --hold-out")
        teachers.append(net)
        speak_of += held_out if config["unseen_only"] else [""] * len(held_out)
    return teachers, speak_of


def load_teacher(path: Path) -> tuple[nn.Module, list[str]]:
    """A teacher in evaluation mode, and what was held out from each of its voices ("": nothing)."""
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
    except (SafetensorError, OSError):
        header = {}  # loading it as a checkpoint says what is wrong
    if header.get("kind") == KIND:
        probe = load_probe(path, header)
        return probe, probe.hold_out
    net, about = checkpoint.load(path)
    return net, [about.get("hold_out", "")]
