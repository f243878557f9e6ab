"""The mean of checkpoints is the mean of their weights, and only of such as are built alike."""

import pytest
import torch

from spoofweb import checkpoint
from spoofweb.checksum import sha256
from spoofweb.model import SpoofNet
from training import soup


def saved(path, seed, scales=(130, 270), **build):
    torch.manual_seed(seed)
    net = SpoofNet(**build)
    net.backbone.bn1.running_mean += seed
    net.backbone.bn1.num_batches_tracked += seed
    checkpoint.save(net, path, {"scales_percent": list(scales), "seed": seed})
    return path


def test_every_weight_and_statistic_is_the_mean(tmp_path):
    paths = [saved(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2, 6)]
    out = tmp_path / "mean.safetensors"
    assert soup.main([*map(str, paths), str(out)]) == 0
    states = [checkpoint.load(path)[0].state_dict() for path in paths]
    net, about = checkpoint.load(out)
    for name, made in net.state_dict().items():
        parts = [state[name] for state in states]
        wanted = torch.stack(parts).mean(0) if made.is_floating_point() else parts[0]
        assert torch.equal(made, wanted), name
    assert net.backbone.bn1.running_mean[0] == 3
    assert about["scales_percent"] == [130, 270]
    assert [(part["seed"], part["sha256"]) for part in about["mean_of"]] == [
        (seed, sha256(path)) for seed, path in zip((1, 2, 6), paths, strict=True)
    ]


def test_shares_weigh_the_mean(tmp_path):
    paths = [saved(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 5)]
    out = tmp_path / "mean.safetensors"
    assert soup.main([*map(str, paths), str(out), "--shares", "0.75", "0.25"]) == 0
    net, about = checkpoint.load(out)
    assert net.backbone.bn1.running_mean[0] == 2
    assert [part["share"] for part in about["mean_of"]] == [0.75, 0.25]


@pytest.mark.parametrize("shares", [["1"], ["0.5", "0.6"], ["1.5", "-0.5"], ["nan", "1"]], ids=" ".join)
def test_shares_that_make_no_mean_are_refused(tmp_path, capsys, shares):
    paths = [saved(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    assert soup.main([*map(str, paths), str(tmp_path / "out.safetensors"), "--shares", *shares]) == 2
    assert capsys.readouterr().err.startswith("error: --shares") and not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize(
    "other",
    [{"texture": "paired"}, {"texture": "moments"}, {"kernel": 3}, {"early": True}, {"scales": (120,)}],
    ids=str,
)
def test_networks_that_are_not_built_alike_are_refused(tmp_path, capsys, other):
    one, two = saved(tmp_path / "one.safetensors", 1), saved(tmp_path / "two.safetensors", 2, **other)
    assert soup.main([str(one), str(two), str(tmp_path / "out.safetensors")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "two.safetensors" in said
    assert not (tmp_path / "out.safetensors").exists()


def test_one_alone_or_a_missing_one_is_an_error(tmp_path, capsys):
    one, out = saved(tmp_path / "one.safetensors", 1), str(tmp_path / "out.safetensors")
    assert soup.main([str(one), out]) == 2
    assert "two checkpoints" in capsys.readouterr().err
    assert soup.main([str(one), str(tmp_path / "none.safetensors"), out]) == 2
    assert "none.safetensors" in capsys.readouterr().err
