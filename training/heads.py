"""Small heads on what a network that stays as it is sees: pictures drawn and passed once, then learnt from often."""

import argparse
import json
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from tqdm import tqdm

from spoofweb.errors import SpoofwebError
from training.dataset import Picture
from training.sampling import draw, loader, told
from training.train import Data, cross_entropy

BATCH = 128  # pictures


def report(make: Callable[[argparse.Namespace], dict], args: argparse.Namespace) -> int:
    """Make the heads and print what they are worth, as JSON; returns the command's exit status."""
    try:
        print(json.dumps(make(args), indent=1))
    except SpoofwebError as error:
        print(f"error: {told(error)}", file=sys.stderr)
        return 2
    return 0


def draws(
    look: Callable[[Tensor], Tensor], data: Data, config: dict, workers: int
) -> tuple[list[Picture], Tensor, Tensor]:
    """Every picture that the epochs of a preset draw, what is seen of it [P, …], and its target [P].

    look: crops uint8 [B, K, 3, 224, 224] → what is seen of each picture [B, …], e.g. float [B, K, features].
    """
    drawn, seen, targets, at = [], None, [], 0
    for epoch in range(config["epochs"]):
        own = draw(data.pictures, data.beside, config, epoch)
        for crops, wanted, _ in tqdm(loader(own, None, config, epoch, workers), desc=f"draw {epoch}", unit="batch"):
            found = look(crops)
            if seen is None:  # all the room at once: a list of parts, put together, would take it twice
                seen = found.new_empty((config["epochs"] * len(own), *found.shape[1:]))
            seen[at : at + len(found)] = found
            at += len(found)
            targets.append(wanted.float())
        drawn += [picture for picture, _ in own]
    return drawn, seen, torch.cat(targets)


def learn(
    head: nn.Module,
    judge: Callable[[Tensor], Tensor],
    seen: Tensor,
    targets: Tensor,
    config: dict,
    steps: int,
    rate: float,
    decay: float,
) -> None:
    """Train a head on what is seen [P, K, features] of pictures with targets [P]; it ends in evaluation mode.

    judge: [B, K, features] → the head's logits [B, K]. AdamW, the rate falling to 0 in a half cosine.
    """
    head.train()
    optimiser = torch.optim.AdamW(head.parameters(), rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        some = torch.randint(len(seen), (BATCH,))
        logits, wanted = judge(seen[some]), targets[some]
        optimiser.zero_grad()
        cross_entropy(logits, wanted, wanted[:, None].expand_as(logits), config["crop_loss"]).backward()
        optimiser.step()
        schedule.step()
    head.eval()
