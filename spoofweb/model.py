"""SpoofNet: MobileNetV3-small, texture branches on its mid-level features, one logit. Positive (label 1) = bona fide.

Either the backbone is whole and the head sees the means of its last map and of the branches', or ("moments") it ends at
stride 16, is meant to stay as ImageNet left it, and the head sees the mean and the deviation of every map. A second
head may judge by the moments of the first maps alone: what a medium does to a picture shows there, whatever it is of.

Source of the design: the original SpoofNet (MobileNetV3-small features plus a small convolutional texture branch); of
the backbone: Howard et al. 2019, "Searching for MobileNetV3", as timm's `mobilenetv3_small_100`.
"""

from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from spoofweb.errors import SpoofwebError
from spoofweb.pooling import Means, Moments, Shape

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in 0..1: what the backbone was trained with
STD = (0.229, 0.224, 0.225)
BACKBONE = "mobilenetv3_small_100"
FINE, MIDDLE, COARSE = 28, 14, 7  # cells a side of the maps at stride 8, 16 and 32; the evidence has the first
HIDDEN = 128  # numbers of a head's one hidden layer
STAGES, EARLY = 6, 4  # of the backbone: all, and those up to stride 16
WALKED = [  # of a crop: the backbone's stem and the blocks of its early stages
    Shape(16, 112),
    Shape(16, 56),
    *[Shape(24, FINE)] * 2,
    *[Shape(40, MIDDLE)] * 3,
    *[Shape(48, MIDDLE)] * 2,
]
STRIDE_8, STRIDE_16 = 3, 8  # of those, the last at each of the strides that a branch looks at
LOOKED_INTO = [  # the stem, and up to stride 8 the maps within each block and its own, where that is another
    Shape(16, 112),
    *[Shape(16, 56)] * 2,
    *[Shape(72, 56), Shape(72, FINE), Shape(24, FINE)],
    *[*[Shape(88, FINE)] * 2, *[Shape(24, FINE)] * 2],
]


class SpoofNet(nn.Module):
    """uint8-scaled RGB crops → one logit each."""

    def __init__(
        self,
        texture: str = "plain",
        kernel: int = 5,
        pretrained: bool = False,
        dropout: float = 0.3,
        early: bool = False,
    ):
        """texture: "plain" 3×3 convolutions, "separable" ones (depthwise 3×3, then 1×1), "paired": separable ones,
        with a second branch at stride 16, or "moments": as paired, beside the moments of all maps up to there. kernel:
        side of the backbone's largest depthwise convolutions, 5 as published, or 3. pretrained: ask timm's hub.
        early: a second head, on the moments of all maps of the backbone up to stride 8, whose logit counts as much.
        """
        super().__init__()
        if kernel not in (5, 3):
            raise SpoofwebError(f"depthwise kernels of {kernel} px are unknown; use 5 or 3")
        self.texture_kind, self.kernel = texture, kernel
        try:
            self.backbone = timm.create_model(BACKBONE, features_only=True, pretrained=pretrained)
        except Exception as error:  # the hub's client raises many classes where it is not reached
            raise SpoofwebError(f"timm's hub has no {BACKBONE} for us ({error}); give weights by --backbone") from None
        for convolution in depthwise(self.backbone):
            if convolution.kernel_size[0] > kernel:
                narrow(convolution, kernel)
        self.texture = nn.Sequential(
            *texture_block(texture, WALKED[STRIDE_8].channels, 64),
            *texture_block(texture, 64, 64),
        )
        self.by_moments, two = texture == "moments", texture in ("paired", "moments")
        middle = [nn.Sequential(*texture_block(texture, WALKED[STRIDE_16].channels, 64))] if two else []
        self.middle = nn.ModuleList(middle)
        shapes = [Shape(64, FINE), *(Shape(64, MIDDLE) for _ in self.middle)]
        if self.by_moments:
            del self.backbone.blocks[EARLY:]
            self.pool = Moments([*shapes, *WALKED])
        else:
            self.pool = Means([*shapes, Shape(self.backbone.feature_info.channels()[-1], COARSE)])
        self.head = head(self.pool.outputs, dropout, dropout if self.by_moments else 0)
        self.early = early_opinion() if early else None
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("temperature", torch.ones(()))  # of the calibration; 1 until it is fitted

    def forward(self, pixels: Tensor) -> Tensor:
        """float [N, 3, 224, 224] RGB in 0..1 → calibrated logit [N]; above 0 leans towards bona fide."""
        return self.classify(*self.features(pixels))

    def features(self, pixels: Tensor) -> list[Tensor]:
        """The maps that the heads pool: texture [N, 64, 28, 28], of a second branch [N, 64, 14, 14], and either
        semantics [N, 576, 7, 7] or those of the backbone's stem and of each of its early blocks, 112 to 14 a side; then
        those of the second head, if any, 112 to 28 a side.
        """
        return self.maps((pixels - self.mean) / self.std)

    def maps(self, normalised: Tensor) -> list[Tensor]:
        """As `features`, of pixels with mean and standard deviation taken out."""
        steps = self.walk(normalised)
        found = [step[-1] for step in steps]
        branches = [self.texture(found[STRIDE_8]), *(branch(found[STRIDE_16]) for branch in self.middle)]
        return branches + (found if self.by_moments else found[-1:]) + (self.first_maps(steps) if self.early else [])

    def walk(self, normalised: Tensor, blocks: int | None = None) -> list[list[Tensor]]:
        """The maps of the backbone's stem and of each of its blocks, or of its first `blocks`, in lists of one map; for
        a second head, those of the blocks that it looks into begin with what is inside them.
        """
        backbone = self.backbone
        found = [[backbone.act1(backbone.bn1(backbone.conv_stem(normalised)))]]
        for block in islice(chain(*backbone.blocks), blocks):
            looked_into = self.early and len(found) <= STRIDE_8
            found.append(inside(block, found[-1][-1]) if looked_into else [block(found[-1][-1])])
        return found

    def first_maps(self, steps: list[list[Tensor]]) -> list[Tensor]:
        """Of what is walked, the maps that the second head sees, as in LOOKED_INTO."""
        return list(chain(*steps[: STRIDE_8 + 1]))

    def classify(self, *maps: Tensor) -> Tensor:
        """The maps → calibrated logit [N]: the mean of what the heads say."""
        first, *second = self.voices(maps)
        return sum(second, first) / (self.temperature * (1 + len(second)))

    def voices(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The logits [N] of each head, before the temperature."""
        return [head(pool(seen)).squeeze(1) for pool, head, seen in self.opinions(maps)]

    @property
    def heads(self) -> list[nn.Sequential]:
        """The first head, and the second where there is one."""
        return [self.head, self.early["head"]] if self.early else [self.head]

    def opinions(self, maps: Sequence[Tensor]) -> list[tuple[nn.Module, nn.Sequential, Sequence[Tensor]]]:
        """Each head with its pooling and with those of the maps that it sees."""
        own = len(self.pool.shapes)
        second = [(self.early["pool"], self.early["head"], maps[own:])] if self.early else []
        return [(self.pool, self.head, maps[:own]), *second]

    def evidence(self, *maps: Tensor) -> Tensor:
        """The maps → where the logit comes from: [N, 28, 28], positive speaks for bona fide. Evaluation mode only.

        The gradient of the calibrated logit with respect to the pooled features, times what each place adds to them, as
        in Grad-CAM (Selvaraju et al. 2017) without its rectification. Exact, because each head is Linear–ReLU–Linear;
        all that is found sums up to the gradient times the pooled features: the logit less the shares of the biases.
        The second head judges a style, which has no place: what it says is spread evenly.
        """
        opinions, found = self.opinions(maps), []
        for pool, head, seen in opinions:
            inner, outer = head[-4], head[-1]  # whether or not a dropout stands before
            pooled = pool(seen)
            active = torch.sign(functional.relu(inner(pooled)))
            scale = self.temperature * (len(opinions) * FINE * FINE)
            gradient = (active * (outer.weight / scale)) @ inner.weight
            if head is self.head:
                placed = zip(pool.placed(gradient, seen), pool.shapes, strict=True)
                found += [rescaled(each, shape.side) for each, shape in placed]
            else:
                found.append((gradient * pooled).sum(1)[:, None, None, None])
        return sum(found[1:], found[0]).squeeze(1)


def inside(block: nn.Module, entering: Tensor) -> list[Tensor]:
    """A block of timm's, layer by layer: its maps after each normalisation, and last its own where it has a skip."""
    found, each = [], entering
    for layer in block.children():
        each = layer(each)
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            found.append(each)
    return [*found, each + entering] if block.has_skip else found


def head(inputs: int, dropout: float, before: float = 0.0) -> nn.Sequential:
    """Pooled features → logit: one hidden layer, with dropout after it, and before it where wanted."""
    layers = [nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Dropout(dropout), nn.Linear(HIDDEN, 1)]
    return nn.Sequential(*([nn.Dropout(before)] if before else []), *layers)


def early_opinion() -> nn.ModuleDict:
    """A head on the moments of the backbone's maps up to stride 8, those within its blocks too.

    A branch off the early maps as in Teerapittayanon et al. 2016, "BranchyNet", but no exit: both opinions count.
    """
    pool = Moments(LOOKED_INTO)
    return nn.ModuleDict({"pool": pool, "head": head(pool.outputs, 0.3, 0.1)})


def rescaled(shares: Tensor, side: int) -> Tensor:
    """[N, 1, side, side] → [N, 1, 28, 28] with the same mean."""
    if side > FINE:
        return functional.avg_pool2d(shares, side // FINE)
    # linear interpolation by a whole factor keeps the mean, so a coarser map's share of the sum stays exact
    return functional.interpolate(shares, scale_factor=FINE // side, mode="bilinear") if side < FINE else shares


def texture_block(kind: str, inputs: int, outputs: int) -> list[nn.Module]:
    """One 3×3 Conv–BatchNorm–ReLU block, plain or else depthwise-separable."""
    if kind == "plain":
        convolution = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)]
    elif kind in ("separable", "paired", "moments"):
        convolution = [
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
            nn.Conv2d(inputs, outputs, 1, bias=False),
        ]
    else:
        raise SpoofwebError(f"texture branch {kind!r} is unknown; use 'plain', 'separable', 'paired' or 'moments'")
    return [*convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def depthwise(backbone: nn.Module) -> list[nn.Conv2d]:
    """The backbone's depthwise convolutions, in their order."""
    return [module for name, module in backbone.named_modules() if name.endswith("conv_dw")]


def narrow(convolution: nn.Conv2d, kernel: int) -> None:
    """Keep the middle of a depthwise convolution's kernels, `kernel` px a side; the output's size stays."""
    convolution.weight = nn.Parameter(middle(convolution.weight.data, kernel))
    convolution.kernel_size, convolution.padding = (kernel, kernel), (kernel // 2, kernel // 2)


def middle(weight: Tensor, kernel: int) -> Tensor:
    """The middle `kernel` × `kernel` of weights [..., H, W]."""
    rim = (weight.shape[-1] - kernel) // 2
    return weight[..., rim : rim + kernel, rim : rim + kernel].clone()


def initialise_backbone(net: SpoofNet, path: Path) -> None:
    """Load backbone weights from a safetensors file named as timm names them; SpoofwebError where they do not fit.

    Of kernels that are larger than the network's, the middle is taken, and of a backbone that ends early the beginning.
    """
    try:
        own = net.backbone.state_dict()
        weights = load_file(path)
        late = tuple(f"blocks.{i}." for i in range(len(net.backbone.blocks), STAGES))
        weights = {name: value for name, value in weights.items() if not name.startswith(late)}
        for name in weights.keys() & own.keys():
            if weights[name].dim() == 4 and weights[name].shape[-1] > own[name].shape[-1]:
                weights[name] = middle(weights[name], own[name].shape[-1])
        net.backbone.load_state_dict(weights)
    except FileNotFoundError:
        raise SpoofwebError(f"{path}: no such weights file; check --backbone") from None
    except Exception as error:  # safetensors and torch raise several classes for a broken or foreign file
        raise SpoofwebError(f"{path}: no {BACKBONE} weights ({error}); give a whole safetensors file") from None
