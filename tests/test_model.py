"""SpoofNet's shape is the one described: its texture branches, pooled maps, one logit per crop."""

import pytest
import torch
from safetensors.torch import save_file

from spoofweb.errors import SpoofwebError
from spoofweb.model import LOOKED_INTO, STRIDE_8, STRIDE_16, WALKED, SpoofNet, initialise_backbone


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


def test_by_moments_the_backbone_ends_at_stride_16_and_all_its_maps_are_pooled():
    net = SpoofNet("moments", 3).eval()
    assert sum(p.numel() for p in net.parameters()) == 296_193
    fine, middle, *own = net.features(torch.rand(3, 3, 224, 224))
    assert fine.shape == (3, 64, 28, 28) and middle.shape == (3, 64, 14, 14)
    channels, sides = [16, 16, 24, 24, 40, 40, 40, 48, 48], [112, 56, 28, 28, 14, 14, 14, 14, 14]
    assert [tuple(m.shape) for m in own] == [(3, c, s, s) for c, s in zip(channels, sides, strict=True)]
    assert [type(layer).__name__ for layer in net.head] == ["Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert net.head[1].in_features == 2 * (64 + 64 + sum(channels))
    assert net.classify(fine, middle, *own).shape == (3,)


def test_making_one_leaves_the_backbones_statistics_alone():
    counts = [b for name, b in SpoofNet("moments", 3).named_buffers() if name.endswith("num_batches_tracked")]
    assert counts and not any(counts)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("kernel", [5, 3])
def test_the_backbone_is_walked_as_timm_does(kernel, early):
    net = SpoofNet("paired", kernel, early=early).eval()
    with torch.inference_mode():
        pixels = torch.rand(2, 3, 224, 224)
        walked, published = [step[-1] for step in net.walk(pixels)], net.backbone(pixels)
    assert [tuple(m.shape[1:]) for m in walked[: len(WALKED)]] == [(c, s, s) for c, s in WALKED]
    for own, other in zip([0, 1, STRIDE_8, STRIDE_16, -1], published, strict=True):
        assert torch.equal(walked[own], other)


def test_its_branches_see_the_last_maps_of_their_stride():
    net = SpoofNet("moments", 3).eval()
    with torch.inference_mode():
        pixels = torch.rand(2, 3, 224, 224)
        whole = SpoofNet("paired", 3).eval()
        whole.backbone.load_state_dict(whole.backbone.state_dict() | net.backbone.state_dict())
        whole.texture.load_state_dict(net.texture.state_dict())
        whole.middle.load_state_dict(net.middle.state_dict())
        for own, other in zip(net.features(pixels)[:2], whole.features(pixels)[:2], strict=True):
            assert torch.equal(own, other)


def with_second_head(texture="separable", seed=3) -> SpoofNet:
    """A network with two heads, in evaluation mode; its moments have statistics of their own."""
    torch.manual_seed(seed)
    net = SpoofNet(texture, 3, early=True).eval()
    net.early["pool"].norm.running_mean.uniform_(0, 0.5)
    net.early["pool"].norm.running_var.uniform_(0.5, 2)
    return net


@pytest.mark.parametrize("texture", ["separable", "paired", "moments"])
def test_a_second_head_sees_all_maps_up_to_stride_8_and_counts_as_much(texture):
    net, pixels = with_second_head(texture), torch.rand(2, 3, 224, 224)
    one = SpoofNet(texture, 3).eval()
    one.load_state_dict({name: value for name, value in net.state_dict().items() if not name.startswith("early.")})
    net.temperature.fill_(2.0)
    with torch.inference_mode():
        maps = net.features(pixels)
        own = maps[-len(LOOKED_INTO) :]
        assert [tuple(m.shape[1:]) for m in own] == [(c, s, s) for c, s in LOOKED_INTO]
        second = net.early["head"](net.early["pool"](own)).squeeze(1)
        assert torch.allclose(net(pixels), (one(pixels) + second) / 4, atol=1e-5)
        for whole, alone in zip(maps, one.features(pixels), strict=False):
            assert torch.allclose(whole, alone, atol=1e-5)


def test_the_second_heads_maps_are_those_of_timms_own_layers():
    net, pixels, met = with_second_head(), torch.rand(1, 3, 224, 224), []
    layers = [net.backbone.act1]
    for block in (net.backbone.blocks[0][0], *net.backbone.blocks[1]):
        layers += [layer for name, layer in block.named_children() if name.startswith("bn")]
        layers += [block] if block.has_skip else []
    for layer in layers:
        layer.register_forward_hook(lambda *met_by: met.append(met_by[2]))
    with torch.inference_mode():
        net.backbone(pixels)
        published, met[:] = list(met), []
        seen = net.first_maps(net.walk(pixels))
    assert len(seen) == len(published) == len(LOOKED_INTO)
    assert all(torch.equal(own, other) for own, other in zip(seen, published, strict=True))


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
    with pytest.raises(SpoofwebError, match="'plain', 'separable', 'paired' or 'moments'"):
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


def test_of_a_backbone_that_ends_early_the_beginning_is_loaded(tmp_path):
    source, target = SpoofNet(kernel=3), SpoofNet("moments", 3)
    save_file(source.backbone.state_dict(), tmp_path / "backbone.safetensors")
    initialise_backbone(target, tmp_path / "backbone.safetensors")
    own = target.backbone.state_dict()
    assert own and all(torch.equal(value, source.backbone.state_dict()[name]) for name, value in own.items())
    save_file({name: value for name, value in own.items() if "bn1" not in name}, tmp_path / "partly.safetensors")
    with pytest.raises(SpoofwebError, match="partly"):
        initialise_backbone(target, tmp_path / "partly.safetensors")


def test_foreign_backbone(tmp_path):
    save_file({"stem": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    for name in ("foreign", "broken", "missing"):
        with pytest.raises(SpoofwebError, match=name):
            initialise_backbone(SpoofNet(), tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize("texture", ["separable", "moments"])
def test_evidence_is_that_of_both_heads(texture):
    net = with_second_head(texture)
    net.temperature.fill_(1.7)
    maps = [m.detach() for m in net.features(torch.rand(4, 3, 224, 224))]
    pooled = [pool(seen).detach().requires_grad_() for pool, _, seen in net.opinions(maps)]
    logit = sum(head(own) for head, own in zip(net.heads, pooled, strict=True)).squeeze(1) / 2 / net.temperature
    assert torch.allclose(logit, net.classify(*maps), atol=1e-5)
    logit.sum().backward()
    shares = [(own.grad * own).sum(1) for own in pooled]
    evidence = net.evidence(*maps)
    assert evidence.shape == (4, 28, 28)
    assert torch.allclose(evidence.sum((1, 2)), sum(shares), rtol=1e-3, atol=1e-5)
    with torch.no_grad():
        net.head[-1].weight.zero_()
        second = net.evidence(*maps)
    assert torch.allclose(second.sum((1, 2)), shares[1], rtol=1e-3, atol=1e-5)
    assert torch.allclose(second, second[:, :1, :1], rtol=1e-4, atol=1e-7), "spread evenly: a style has no place"


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
