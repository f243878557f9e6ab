"""A checkpoint comes back as it went, and a broken one is refused."""

import pytest
import torch
from safetensors.torch import save_file

from spoofweb import checkpoint
from spoofweb.errors import SpoofwebError
from spoofweb.model import SpoofNet


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("texture", "kernel"), [("plain", 5), ("separable", 3), ("moments", 3)])
def test_round_trip(tmp_path, texture, kernel, early):
    net, path = SpoofNet(texture, kernel, early=early), tmp_path / "net.safetensors"
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor += 1
    checkpoint.save(net, path, {"scales_percent": [120], "preset": "original"})
    loaded, about = checkpoint.load(path)
    assert about == {"scales_percent": [120], "preset": "original"}
    assert not loaded.training and (loaded.texture_kind, loaded.kernel) == (texture, kernel)
    assert len(loaded.heads) == 1 + early and loaded.state_dict().keys() == net.state_dict().keys()
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


def test_of_another_version(tmp_path, monkeypatch):
    net, path = SpoofNet(), tmp_path / "net.safetensors"
    monkeypatch.setattr(checkpoint, "FORMAT", "2")
    checkpoint.save(net, path, {"scales_percent": [120]})
    monkeypatch.undo()
    with pytest.raises(SpoofwebError, match="net.safetensors: a checkpoint of format 2, and this version reads"):
        checkpoint.load(path)


def test_of_the_first_version_which_had_no_number(tmp_path):
    path = tmp_path / "net.safetensors"
    header = {"texture": "plain", "about": '{"scales_percent": [120]}'}
    save_file({name: value.contiguous() for name, value in SpoofNet().state_dict().items()}, path, header)
    assert checkpoint.load(path)[1] == {"scales_percent": [120]}


def test_equal_weights_give_equal_bytes(tmp_path):
    net = SpoofNet()
    for name in range(12):  # the library orders three facts by chance
        checkpoint.save(net, tmp_path / f"{name}.safetensors", {"scales_percent": [120]})
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
