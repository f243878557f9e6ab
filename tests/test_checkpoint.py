"""A checkpoint comes back as it went, and a broken one is refused."""

import pytest
import torch

from spoofweb import checkpoint
from spoofweb.errors import SpoofwebError
from spoofweb.model import SpoofNet


@pytest.mark.parametrize("texture", ["plain", "separable"])
def test_round_trip(tmp_path, texture):
    net, path = SpoofNet(texture), tmp_path / "net.safetensors"
    checkpoint.save(net, path, {"scales_percent": [120], "preset": "original"})
    loaded, about = checkpoint.load(path)
    assert about == {"scales_percent": [120], "preset": "original"}
    assert not loaded.training and loaded.texture_kind == texture
    for name, value in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_truncated_missing_and_foreign(tmp_path):
    path = tmp_path / "net.safetensors"
    checkpoint.save(SpoofNet(), path, {"scales_percent": [120]})
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(SpoofwebError, match="not a whole SpoofNet checkpoint"):
        checkpoint.load(path)
    path.write_bytes(b"\x08" + bytes(30))
    with pytest.raises(SpoofwebError, match="not a whole SpoofNet checkpoint"):
        checkpoint.load(path)
    checkpoint.save(SpoofNet(), path, {"preset": "no scales"})
    with pytest.raises(SpoofwebError, match="scales_percent"):
        checkpoint.load(path)
    with pytest.raises(SpoofwebError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "none.safetensors")
