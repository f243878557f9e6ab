"""What a preset is worth on train sites that are kept away from it, and how far that varies from run to run.

    python -m training.folds masked --data FULL_DATASET_FRAMES --manifest manifest.csv --simulated SIMULATED \\
        --recaptured RECAPTURE --set epochs=4 --set samples_per_epoch=2496 --set ema=0.99 \\
        --fold 'crops0*' --fold 'crops[12]*' --fold 'nuaa*' --orders 3

Pictures are drawn once, of all sites, and kept in memory (300 kB each). For each fold the networks begin alike, the
backbone as --backbone has it, and meet the pictures of the other sites: each network in an order of its own, with its
own dropout and MixStyle. So the range is that of these; `--set seed=1` draws other pictures, and other initial weights
beside the backbone. Judged is the last epoch. As what shows a site is left out after it was drawn, the preset's shares
shift a little.

The second head is made too where the blocks that it sees stay as they are and its preset cuts the same crops. Prints a
line of JSON for each network, then a table: the mean over the orders, the least and the most.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spoofweb.errors import SpoofwebError
from spoofweb.model import SpoofNet, early_opinion
from training import early
from training.dataset import Picture
from training.heads import draws
from training.sampling import kept_away, told
from training.train import Data, Trainer, aucs, data_options, load_data, network_options, read_preset, set_option, start


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.folds", description="Judge a preset by folds of sites.")
    parser.add_argument("preset")
    data_options(parser, whole=True)
    parser.add_argument("--fold", action="append", required=True, metavar="GLOB", help="train sites kept away; repeat")
    parser.add_argument("--orders", type=int, default=3, choices=range(1, 100), metavar="N", help="networks a fold")
    set_option(parser)
    network_options(parser)
    args = parser.parse_args(argv)
    try:
        print(table(judge(args)))
    except SpoofwebError as error:
        print(f"error: {told(error)}", file=sys.stderr)
        return 2
    return 0


def judge(args: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    """For each fold what its networks are worth, one after the other: AUCs by head and pictures, e.g. "both, val".

    SpoofwebError where a fold names no train site, or the preset does not draw pictures that could be kept.
    """
    config = read_preset(args.preset, args.set) | {"hold_out": ""}
    if config["augment"] != "views" or not config["samples_per_epoch"]:
        raise SpoofwebError(f"preset {args.preset!r}: only what augment=views and samples_per_epoch draw can be kept")
    if config["teacher_weight"]:
        raise SpoofwebError(f"preset {args.preset!r}: there is no teacher here; --set teacher_weight=0.0")
    folds = {fold: load_data(args, config | {"hold_out": fold}) for fold in args.fold}
    whole = load_data(args, config)
    drawn = Kept(*draws(lambda crops: crops, whole, config, args.workers))
    second = second_sight(config, args)
    found = {}
    for fold, data in folds.items():
        away = {picture.site for picture in whole.pictures if kept_away(picture.site, fold)}
        found[fold] = []
        for order in range(args.orders):
            net = begin(config, args.backbone, data)
            if args.compile:
                torch.compiler.reset()
                net.compile(dynamic=False)
            trainer = learn(net, Ordered(drawn, drawn.without(away), config, order), config, order)
            if second:
                entry = add_second(trainer.kept.eval(), *second, away, order, data)
            else:
                entry = first_alone(trainer, data)
            print(json.dumps({"fold": fold, "order": order} | entry), flush=True)
            found[fold].append(entry)
    return found


class Kept:
    """Pictures that were drawn once: what is seen of each, `views` [P, …], and their targets, float [P]."""

    def __init__(self, pictures: list[Picture], views: Tensor, targets: Tensor):
        self.pictures, self.views, self.targets = pictures, views, targets

    def without(self, sites: set[str]) -> Tensor:
        """The places of those that show none of these sites."""
        return torch.tensor([place for place, picture in enumerate(self.pictures) if not picture.sites & sites])


class Ordered:
    """The batches of an epoch, drawn anew from kept pictures; none comes back before all others were seen."""

    def __init__(self, kept: Kept, places: Tensor, config: dict, order: int):
        self.kept, self.places, self.config = kept, places, config
        self.random = torch.Generator().manual_seed(order)
        self.left = places[:0]

    def __len__(self) -> int:
        return math.ceil(self.config["samples_per_epoch"] / self.config["batch"])

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """As `training.sampling.Samples` in batches: crops, targets, and that no teacher speaks."""
        batch = self.config["batch"]
        for _ in range(len(self)):
            while len(self.left) < batch:
                shuffled = torch.randperm(len(self.places), generator=self.random)
                self.left = torch.cat([self.left, self.places[shuffled]])
            own, self.left = self.left[:batch], self.left[batch:]
            yield self.kept.views[own], self.kept.targets[own], torch.zeros(batch, 0, dtype=torch.bool)


def begin(config: dict, backbone: Path | None, data: Data) -> SpoofNet:
    """The network as each of a preset begins."""
    torch.manual_seed(config["seed"])
    return start(config, backbone, data.few)


def learn(net: SpoofNet, batches: Ordered, config: dict, order: int) -> Trainer:
    """Train a network on epochs of such batches; its dropout and MixStyle hang on the order, too."""
    trainer = Trainer(net, config | {"seed": order}, torch.device("cpu"), len(batches))
    for epoch in range(config["epochs"]):
        trainer.run_epoch(epoch, batches)
    return trainer


def first_alone(trainer: Trainer, data: Data) -> dict[str, float]:
    """The AUCs of a network with one head, named as `early.compare` names them."""
    found = [aucs(name, part, trainer.judge(part)) for name, part in data.judged.items()]
    return {f"first, {key}": value for each in found for key, value in each.items()}


def add_second(net: SpoofNet, seen: Kept, config: dict, away: set[str], order: int, data: Data) -> dict[str, float]:
    """Give a network, in evaluation mode, its second head, which learns from what does not show the sites kept away;
    returns all AUCs.
    """
    torch.manual_seed(order)
    net.early, places = early_opinion(), seen.without(away)
    early.fit(net.early, seen.views[places], seen.targets[places], config)
    return early.compare(net, data.judged)


def second_sight(config: dict, args: argparse.Namespace) -> tuple[Kept, dict] | None:
    """What the second head sees of the pictures that its own preset draws, and that preset.

    None where the first head's preset changes the blocks that it sees, or cuts other crops.
    """
    own = read_preset(early.PRESET, []) | {"hold_out": ""}
    if config["fixed_blocks"] < early.SEEN_STAGES or own["scales_percent"] != config["scales_percent"]:
        return None
    net = start(config, args.backbone, None).eval()  # kernels are narrowed in later blocks alone
    net.early = early_opinion()
    return Kept(*draws(lambda crops: early.look(net, crops), load_data(args, own), own, args.workers)), own


def table(found: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: a row for each fold and AUC, with the mean over the orders, the least and the most."""
    lines = ["| kept away | AUC of | mean | least | most |", "|---|---|---|---|---|"]
    for fold, entries in found.items():
        for key in entries[0]:
            values = [entry[key] for entry in entries]
            numbers = (np.mean(values), min(values), max(values))
            lines.append(f"| `{fold}` | {key} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
