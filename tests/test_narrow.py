"""Narrowed kernels answer more like the wide ones than their middles do."""

import pytest
import torch

from spoofweb.model import SpoofNet, depthwise
from training import narrow


@pytest.fixture(scope="module")
def nets():
    torch.manual_seed(0)
    wide = SpoofNet("separable", 5)
    net = SpoofNet("separable", 3)
    weights = {name: value for name, value in wide.state_dict().items() if value.shape == net.state_dict()[name].shape}
    net.load_state_dict(weights, strict=False)
    for small, large in zip(depthwise(net.backbone), depthwise(wide.backbone), strict=True):
        size = small.kernel_size[0]
        rim = (large.kernel_size[0] - size) // 2
        small.weight.data = large.weight.data[..., rim : rim + size, rim : rim + size].clone()
    return net, wide


def off(net, wide, pixels):
    """Mean squared difference of the last feature map."""
    with torch.inference_mode():
        return float(((net.eval().features(pixels)[1] - wide.eval().features(pixels)[1]) ** 2).mean())


def test_fit_brings_the_answers_closer(nets):
    net, wide = nets
    pixels = torch.rand(8, 3, 224, 224)
    kept = {n: v.clone() for n, v in net.state_dict().items() if "conv_dw" not in n}
    before = off(net, wide, pixels)
    net.train()
    narrow.fit(net, wide, pixels)
    assert net.training, "the mode is the caller's"
    assert off(net, wide, pixels) < 0.9 * before
    assert all(torch.equal(net.state_dict()[name], value) for name, value in kept.items())


def test_closest_finds_a_kernel_that_is_there():
    torch.manual_seed(1)
    convolution = torch.nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4, bias=False)
    seen = torch.randn(2, 4, 20, 20)
    found = narrow.closest(seen, convolution(seen).detach(), convolution)
    assert torch.allclose(found, convolution.weight, atol=1e-4)
