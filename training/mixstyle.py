"""MixStyle: in training, pictures of a class borrow each other's style, so that no site's own look is learnt.

Source: Zhou et al. 2021, "Domain Generalization with MixStyle". The mean and the deviation of each channel of an early
feature map, which carry a camera's colours and sharpness, are mixed with those of another picture of the same class.
"""

import torch
from torch import Tensor, nn

from spoofweb.model import SpoofNet

BETA = 0.1  # of the beta distribution of the mixing shares: most pictures keep nearly all of one style
LEAST = 1e-6  # of a deviation


class MixStyle:
    """Hooks on parts of a network that mix the styles of what comes out of them, while `partners` is set."""

    def __init__(self, parts: list[nn.Module]):
        """parts: modules whose output is a map [N, C, H, W], early ones."""
        self.partners: Tensor | None = None
        for part in parts:
            part.register_forward_hook(lambda module, inputs, output: self.mix(output))

    def mix(self, maps: Tensor) -> Tensor:
        """The maps with mixed styles, or as they are without partners."""
        if self.partners is None:
            return maps
        mean, deviation = maps.mean((2, 3), keepdim=True), maps.var((2, 3), keepdim=True).add(LEAST).sqrt()
        mean, deviation = mean.detach(), deviation.detach()
        share = torch.distributions.Beta(BETA, BETA).sample((len(maps), 1, 1, 1)).to(maps)
        mixed = [share * own + (1 - share) * own[self.partners] for own in (mean, deviation)]
        return (maps - mean) / deviation * mixed[1] + mixed[0]


def early(net: SpoofNet) -> list[nn.Module]:
    """The parts of the backbone whose maps are mixed: its stem and the last block of its first stage."""
    return [net.backbone.bn1, net.backbone.blocks[0][-1]]


def partners(real: Tensor, count: int) -> Tensor:
    """For each of N pictures with `count` crops, in that order, an entry [N * count] of one of its own class.

    real: bool [N]. Crops keep their place: a close crop gets a close crop's style.
    """
    found = torch.arange(len(real))
    for kind in (real, ~real):
        own = kind.nonzero().squeeze(1)
        found[own] = own[torch.randperm(len(own))]
    return (found[:, None] * count + torch.arange(count)).flatten()
