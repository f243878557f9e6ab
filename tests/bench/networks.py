"""Networks to compare with, made at bench time with random weights: their speed is that of the trained ones."""

import io

import onnx
import onnxsim
import torch
from torch import Tensor, nn

from spoofweb import export
from spoofweb.contract import CONTRACT
from spoofweb.model import SpoofNet

SIDE = CONTRACT["input"]["side"]
PEER_SIDE = 128


def original() -> bytes:
    """The original page's graph: `pixels` float [1, 3, 224, 224], normalised outside → `logit` [1]; plain texture."""
    torch.manual_seed(0)
    net = SpoofNet("plain")
    # the original normalises in JavaScript, so its graph must not do it once more
    net.mean, net.std = torch.zeros_like(net.mean), torch.ones_like(net.std)
    return _export(net, SIDE)


def minifasnet() -> bytes:
    """A small public anti-spoof network as used at 128 × 128: `pixels` float [1, 3, 128, 128] → `logit` [1, 2]."""
    torch.manual_seed(0)
    return _export(MiniFASNetV2SE(), PEER_SIDE)


def without(graph: bytes, output: str) -> bytes:
    """A graph without one of its outputs and without the nodes that only this output needs."""
    model = onnx.load_from_string(graph)
    (unwanted,) = (found for found in model.graph.output if found.name == output)
    model.graph.output.remove(unwanted)
    return onnxsim.simplify(model)[0].SerializeToString()


def wide() -> bytes:
    """SpoofNet with the backbone's 5 × 5 depthwise kernels as published, to see what narrowing them saves."""
    torch.manual_seed(0)
    return export.convert(SpoofNet("separable", 5, early=True).eval(), {})


def _export(net: nn.Module, side: int) -> bytes:
    buffer = io.BytesIO()
    torch.onnx.export(
        net.eval(),
        torch.rand(1, 3, side, side),
        buffer,
        input_names=["pixels"],
        output_names=["logit"],
        opset_version=export.OPSET,
        dynamo=False,
    )
    return onnxsim.simplify(onnx.load_from_string(buffer.getvalue()))[0].SerializeToString()


class MiniFASNetV2SE(nn.Module):
    """MiniFASNetV2 with squeeze-and-excitation, two classes, for 128 × 128: 0.47 M parameters, 0.10 G MACs.

    Source of the shapes: minivision's Silent-Face-Anti-Spoofing (Apache-2.0), whose channel counts a pruning found.
    """

    WIDE = 64, 128, 128  # channels between the blocks of each stage
    DOWN = 103, 231, 308  # inner channels of the block that begins a stage and halves the size
    INNER = (13, 13, 13, 13), (231, 52, 26, 77, 26, 26), (26, 26)  # and of the blocks that follow

    def __init__(self, classes: int = 2):
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, 32, 3, stride=2), _convolution(32, 32, 3, groups=32)]
        channels = 32
        for wide, down, inner in zip(self.WIDE, self.DOWN, self.INNER, strict=True):
            layers.append(_bottleneck(channels, down, wide, stride=2))
            layers += [_Residual(wide, width, squeezed=i == len(inner) - 1) for i, width in enumerate(inner)]
            channels = wide
        last = PEER_SIDE // 16
        layers += [
            _convolution(channels, 512, 1),
            _convolution(512, 512, last, groups=512, padding=0, active=False),
            nn.Flatten(),
            nn.Linear(512, 128, bias=False),
            nn.BatchNorm1d(128),
            nn.Linear(128, classes, bias=False),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, pixels: Tensor) -> Tensor:
        """float [N, 3, 128, 128] → logits [N, classes]."""
        return self.layers(pixels)


class _Residual(nn.Module):
    def __init__(self, wide: int, inner: int, squeezed: bool):
        super().__init__()
        self.block = _bottleneck(wide, inner, wide, stride=1)
        self.weigh = _squeeze(wide) if squeezed else None

    def forward(self, x: Tensor) -> Tensor:
        made = self.block(x)
        return x + (made * self.weigh(made) if self.weigh else made)


def _squeeze(wide: int) -> nn.Sequential:
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(wide, wide // 4, 1, bias=False),
        nn.BatchNorm2d(wide // 4),
        nn.ReLU(),
        nn.Conv2d(wide // 4, wide, 1, bias=False),
        nn.BatchNorm2d(wide),
        nn.Sigmoid(),
    )


def _bottleneck(inputs: int, inner: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        _convolution(inputs, inner, 1),
        _convolution(inner, inner, 3, stride=stride, groups=inner),
        _convolution(inner, outputs, 1, active=False),
    )


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, padding: int | None = None, active=True
) -> nn.Sequential:
    around = kernel // 2 if padding is None else padding
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, around, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), *([nn.PReLU(outputs)] if active else []))
