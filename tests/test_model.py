"""SpoofNet's shape is the one described: both texture branches, pooled maps, one logit per crop."""

import pytest
import torch
from safetensors.torch import save_file

from spoofweb.errors import SpoofwebError
from spoofweb.model import SpoofNet, initialise_backbone


@pytest.mark.parametrize(
    ("texture", "kernel", "parameters"),
    [("plain", 5, 1_060_129), ("separable", 5, 1_015_865), ("separable", 3, 979_385), ("paired", 3, 991_209)],
)
def test_size_and_maps(texture, kernel, parameters):
    net = SpoofNet(texture, kernel).eval()
    assert sum(p.numel() for p in net.parameters()) == parameters
    fine, *middle, coarse = net.features(torch.rand(3, 3, 224, 224))
    assert fine.shape == (3, 64, 28, 28) and coarse.shape == (3, 576, 7, 7)
    assert [tuple(each.shape) for each in middle] == [(3, 64, 14, 14)] * (texture == "paired")
    assert net.classify(fine, *middle, coarse).shape == (3,)


def test_head_is_the_described_one():
    kinds = [type(layer).__name__ for layer in SpoofNet().head]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear"]
    assert SpoofNet().head[0].out_features == 128 and SpoofNet().head[2].p == 0.3


def test_temperature_divides_the_logit():
    net = SpoofNet().eval()
    pixels = torch.rand(2, 3, 224, 224)
    with torch.inference_mode():
        before = net(pixels)
        net.temperature.fill_(2.0)
        assert torch.allclose(net(pixels) * 2, before)


def test_unknown_texture():
    with pytest.raises(SpoofwebError, match="'plain', 'separable' or 'paired'"):
        SpoofNet("woven")


def test_unknown_kernel():
    with pytest.raises(SpoofwebError, match="use 5 or 3"):
        SpoofNet("plain", 4)


def test_of_larger_kernels_the_middle_is_loaded(tmp_path):
    source, target = SpoofNet(kernel=5), SpoofNet(kernel=3)
    save_file(source.backbone.state_dict(), tmp_path / "backbone.safetensors")
    initialise_backbone(target, tmp_path / "backbone.safetensors")
    narrowed = 0
    for name, value in source.backbone.state_dict().items():
        own = target.backbone.state_dict()[name]
        narrowed += own.shape != value.shape
        assert torch.equal(own, value if own.shape == value.shape else value[:, :, 1:4, 1:4])
    assert narrowed == 8


def test_backbone_weights_are_loaded(tmp_path):
    source, target = SpoofNet(), SpoofNet()
    save_file(source.backbone.state_dict(), tmp_path / "backbone.safetensors")
    initialise_backbone(target, tmp_path / "backbone.safetensors")
    for name, value in source.backbone.state_dict().items():
        assert torch.equal(target.backbone.state_dict()[name], value)


def test_foreign_backbone(tmp_path):
    save_file({"stem": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    for name in ("foreign", "broken", "missing"):
        with pytest.raises(SpoofwebError, match=name):
            initialise_backbone(SpoofNet(), tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize("texture", ["plain", "separable", "paired"])
def test_evidence_is_the_gradient_times_the_features(texture):
    torch.manual_seed(5)
    net = SpoofNet(texture).eval()
    net.temperature.fill_(1.7)
    for _ in range(4):
        maps = [m.detach() for m in net.features(torch.rand(8, 3, 224, 224))]
        pooled = torch.cat([m.mean((2, 3)) for m in maps], 1).requires_grad_()
        (net.head(pooled).squeeze(1) / net.temperature).sum().backward()
        shares = pooled.grad.split([m.shape[1] for m in maps], 1)
        small = [torch.einsum("nc,nchw->nhw", share, m)[:, None] for share, m in zip(shares, maps, strict=True)]
        large = [torch.nn.functional.interpolate(each, (28, 28), mode="bilinear")[:, 0] for each in small[1:]]
        expected = sum(large, small[0][:, 0]) / 28**2
        found = net.evidence(*maps)
        assert found.shape == (8, 28, 28)
        assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()
        assert torch.allclose(found.sum((1, 2)), (pooled.grad * pooled).sum(1), rtol=1e-3, atol=1e-5)
