"""From maps to numbers that the head judges, and back: which place of a map a number came from."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

LEAST = 1e-5  # added to a variance, whose root is infinitely steep at 0


class Shape(NamedTuple):
    """Of a square map: its channels, and its cells a side. In plain numbers, because the exported graph would else
    compute them anew for every batch.
    """

    channels: int
    side: int


class Means(nn.Module):
    """The mean of each channel, one map after the other."""

    def __init__(self, shapes: Sequence[Shape]):
        """shapes: of the maps."""
        super().__init__()
        self.shapes = list(shapes)
        self.outputs = sum(shape.channels for shape in shapes)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps [N, channels, side, side] → [N, outputs]."""
        return torch.cat([each.mean((2, 3)) for each in maps], 1)

    def placed(self, gradient: Tensor, maps: Sequence[Tensor]) -> list[Tensor]:
        """The gradient [N, outputs] of something after the means → of each map the shares of its places [N, 1, S, S],
        whose mean over all places is the gradient times the means.
        """
        shares = gradient.unsqueeze(1).split([shape.channels for shape in self.shapes], 2)
        return [weighed(*of) for of in zip(shares, maps, self.shapes, strict=True)]


class Moments(nn.Module):
    """The mean and the deviation of each channel, less what they are on average, in units of how they vary.

    Together they are what style transfer calls the style of a picture (Huang and Belongie 2017, "Arbitrary Style
    Transfer in Real-time with Adaptive Instance Normalization"); a medium shows as one.
    """

    def __init__(self, shapes: Sequence[Shape]):
        """shapes: of the maps."""
        super().__init__()
        self.shapes = list(shapes)
        self.outputs = 2 * sum(shape.channels for shape in shapes)
        self.norm = nn.BatchNorm1d(self.outputs, affine=False, momentum=0.02)  # batches are small

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps [N, channels, side, side] → [N, outputs]."""
        return self.norm(self.taken(maps))

    def taken(self, maps: Sequence[Tensor]) -> Tensor:
        """As `forward`, in the maps' own units: means and deviations of a map, then those of the next.

        All maps of a side are looked at as one: few large steps cost an engine less than many small ones, above all at
        its start.
        """
        found = {}
        for side in dict.fromkeys(shape.side for shape in self.shapes):
            places = [place for place, shape in enumerate(self.shapes) if shape.side == side]
            channels = [self.shapes[place].channels for place in places]
            mean, _, deviation = spread(torch.cat([maps[place] for place in places], 1), side)
            for place, *both in zip(places, mean.split(channels, 1), deviation.split(channels, 1), strict=True):
                found[place] = both
        return torch.cat([part for place in range(len(maps)) for part in found[place]], 1)

    def placed(self, gradient: Tensor, maps: Sequence[Tensor]) -> list[Tensor]:
        """As `Means.placed`, in evaluation mode.

        Exact too: a deviation is (the mean of the squares + LEAST) / itself, so a place adds its square over it.
        """
        scaled = (gradient / (self.norm.running_var + self.norm.eps).sqrt()).unsqueeze(1)
        both = [2 * shape.channels for shape in self.shapes]
        of_each = zip(scaled.split(both, 2), self.norm.running_mean.split(both), maps, self.shapes, strict=True)
        found = []
        for share, usual, each, shape in of_each:
            _, squares, deviation = spread(each, shape.side)
            of_means, of_deviations = share.split(shape.channels, 2)
            of_squares = of_deviations / deviation.unsqueeze(1)
            less = (share * usual).sum(2) - LEAST * of_squares.sum(2)
            placed = weighed(of_means, each, shape) + weighed(of_squares, squares, shape)
            found.append(placed - less[:, :, None, None])
        return found


def spread(each: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of each channel of a map [N, C, S, S]: the mean [N, C], the squares of what differs from it [N, C, S, S], and the
    deviation [N, C], the root of (the mean of these squares + LEAST). Never in half precision.
    """
    each = each.to(torch.promote_types(each.dtype, torch.float32))
    mean = averaged(each, side)
    squares = (each - mean[:, :, None, None]).square()
    return mean, squares, (averaged(squares, side) + LEAST).sqrt()


def averaged(each: Tensor, side: int) -> Tensor:
    """The mean of each channel of a map [N, C, S, S]: [N, C].

    Down the columns by a product, then along what is left. ONNX Runtime's own mean adds all S × S numbers one after the
    other in single precision: a channel that hardly varies loses its last digits, and it is slower.
    """
    with torch.autocast(each.device.type, enabled=False):  # it takes products for something that bears half precision
        return (each.new_full((1, side), 1 / side) @ each).mean(3).flatten(1)


def weighed(share: Tensor, each: Tensor, shape: Shape) -> Tensor:
    """The channels of a map [N, C, S, S] of that shape, weighed by [N, 1, C] and summed: [N, 1, S, S]."""
    flat = each.reshape(-1, shape.channels, shape.side * shape.side)
    return (share @ flat).reshape(-1, 1, shape.side, shape.side)
