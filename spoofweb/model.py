"""SpoofNet: MobileNetV3-small, a texture branch on its mid-level features, one logit. Positive (label 1) = bona fide.

Source of the design: the original SpoofNet (MobileNetV3-small features plus a small convolutional texture branch); of
the backbone: Howard et al. 2019, "Searching for MobileNetV3", as timm's `mobilenetv3_small_100`.
"""

from pathlib import Path

import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from spoofweb.errors import SpoofwebError

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in 0..1: what the backbone was trained with
STD = (0.229, 0.224, 0.225)
BACKBONE = "mobilenetv3_small_100"
STRIDE_8, LAST = 2, 4  # indices of the backbone's feature maps


class SpoofNet(nn.Module):
    """uint8-scaled RGB crops → one logit each."""

    def __init__(self, texture: str = "plain", pretrained: bool = False, dropout: float = 0.3):
        """texture: "plain" 3×3 convolutions, or "separable" (depthwise 3×3, then 1×1). pretrained: ask timm's hub."""
        super().__init__()
        self.texture_kind = texture
        try:
            self.backbone = timm.create_model(BACKBONE, features_only=True, pretrained=pretrained)
        except Exception as error:  # the hub's client raises many classes where it is not reached
            raise SpoofwebError(f"timm's hub has no {BACKBONE} for us ({error}); give weights by --backbone") from None
        channels = self.backbone.feature_info.channels()
        self.texture = nn.Sequential(
            *texture_block(texture, channels[STRIDE_8], 64),
            *texture_block(texture, 64, 64),
        )
        self.head = nn.Sequential(
            nn.Linear(64 + channels[LAST], 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, 1)
        )
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("temperature", torch.ones(()))  # of the calibration; 1 until it is fitted

    def forward(self, pixels: Tensor) -> Tensor:
        """float [N, 3, 224, 224] RGB in 0..1 → calibrated logit [N]; above 0 leans towards bona fide."""
        return self.classify(*self.features(pixels))

    def features(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The two maps that the head pools: texture [N, 64, 28, 28] and semantics [N, 576, 7, 7]."""
        maps = self.backbone((pixels - self.mean) / self.std)
        return self.texture(maps[STRIDE_8]), maps[LAST]

    def classify(self, texture: Tensor, semantics: Tensor) -> Tensor:
        """The two maps → calibrated logit [N]."""
        pooled = torch.cat([texture.mean((2, 3)), semantics.mean((2, 3))], 1)
        return self.head(pooled).squeeze(1) / self.temperature


def texture_block(kind: str, inputs: int, outputs: int) -> list[nn.Module]:
    """One 3×3 Conv–BatchNorm–ReLU block, plain or depthwise-separable."""
    if kind == "plain":
        convolution = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)]
    elif kind == "separable":
        convolution = [
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
            nn.Conv2d(inputs, outputs, 1, bias=False),
        ]
    else:
        raise SpoofwebError(f"texture branch {kind!r} is unknown; use 'plain' or 'separable'")
    return [*convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def initialise_backbone(net: SpoofNet, path: Path) -> None:
    """Load backbone weights from a safetensors file named as timm names them; SpoofwebError where they do not fit."""
    try:
        net.backbone.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise SpoofwebError(f"{path}: no such weights file; check --backbone") from None
    except Exception as error:  # safetensors and torch raise several classes for a broken or foreign file
        raise SpoofwebError(f"{path}: no {BACKBONE} weights ({error}); give a whole safetensors file") from None
