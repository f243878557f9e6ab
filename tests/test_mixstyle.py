"""MixStyle changes mean and deviation of a map towards another picture of the class, and nothing else."""

import pytest
import torch
from torch import nn

from spoofweb.model import SpoofNet
from training.mixstyle import MixStyle, early, partners


def styles(maps):
    return maps.mean((2, 3)), maps.std((2, 3))


def test_partners_are_of_the_same_class_and_place():
    torch.manual_seed(0)
    real = torch.tensor([True, False, True, False, False, True])
    for _ in range(20):
        found = partners(real, 2)
        assert sorted(found.tolist()) == list(range(12))
        assert torch.equal(real.repeat_interleave(2)[found], real.repeat_interleave(2))
        assert torch.equal(found % 2, torch.arange(12) % 2)


def test_styles_lie_between_the_two_and_the_pattern_stays():
    torch.manual_seed(0)
    part = nn.Identity()
    mixing = MixStyle([part])
    maps = torch.rand(4, 3, 16, 16) * torch.rand(4, 3, 1, 1) * 5 + torch.rand(4, 3, 1, 1)
    assert torch.equal(part(maps), maps), "without partners nothing is changed"
    mixing.partners = torch.tensor([1, 0, 3, 2])
    mixed = part(maps)
    for own, made in zip(styles(maps), styles(mixed), strict=True):
        other = own[mixing.partners]
        assert (made >= torch.minimum(own, other) - 1e-3).all() and (made <= torch.maximum(own, other) + 1e-3).all()
    plain, changed = ((m - styles(m)[0][..., None, None]) / styles(m)[1][..., None, None] for m in (maps, mixed))
    assert torch.allclose(plain, changed, atol=1e-3) and not torch.allclose(maps, mixed)


@pytest.mark.parametrize("texture", ["plain", "moments"])
@pytest.mark.parametrize("part", [slice(None), slice(0, 1), slice(1, 2)], ids=["both", "stem", "stage"])
def test_the_early_parts_of_the_network_are_mixed(texture, part):
    torch.manual_seed(0)
    net = SpoofNet(texture).eval()
    mixing, pixels = MixStyle(early(net)[part]), torch.rand(2, 3, 224, 224)
    with torch.inference_mode():
        before = net(pixels)
        mixing.partners = torch.tensor([1, 0])
        assert not torch.allclose(net(pixels), before)
        mixing.partners = None
        assert torch.equal(net(pixels), before)
