"""The probe: what it sees, what its halves know, and how it is kept and read again."""

import json
import os
import shutil

import numpy as np
import pytest
import timm
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from spoofweb.errors import SpoofwebError
from tests.test_dataset import write_all
from training import probe, teachers
from training.train import read_preset


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("probe")
    write_all(root)
    torch.manual_seed(0)
    weights = timm.create_model(teachers.TRUNK).state_dict()
    save_file(weights, root / "trunk.safetensors")
    torch.save(type(weights)((f"other.{name}", value) for name, value in weights.items()), root / "trunk.pth")
    return root


def run(place, monkeypatch, *more, glob="train-b", trunk="trunk.safetensors", out="probe.safetensors"):
    monkeypatch.setattr(probe, "PRESET", ("steady", ["epochs=1", "samples_per_epoch=12", "batch=4"]))
    monkeypatch.setattr(probe, "STEPS", 3)
    fixed = ["--data", "data", "--simulated", "simulated", "--recaptured", "recapture", "--trunk", trunk]
    paths = [str(place / word) if not word.startswith("--") else word for word in fixed]
    rest = ["--hold-out", glob, "--cache", str(place / "cache"), "--workers", "0", "--out", str(place / out)]
    return probe.main([*paths, *rest, *more])


def test_a_probe_is_made_and_speaks_for_each_half_of_what_it_never_saw(place, monkeypatch, capsys):
    assert run(place, monkeypatch) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["train-b", "!train-b"]
    assert all(set(half) == {"held_out", "val", "val_bare"} for half in told.values())
    config = read_preset("crossed", [])
    loaded, speak_of = teachers.load_teachers([place / "probe.safetensors"], config)
    assert speak_of == ["train-b", "!train-b"]
    assert teachers.load_teachers([place / "probe.safetensors"], config | {"unseen_only": False})[1] == ["", ""]
    (net,) = loaded
    assert not net.training and net(torch.rand(3, 3, 224, 224)).shape == (3, 2)
    with safe_open(place / "probe.safetensors", "pt") as file:
        assert json.loads(file.metadata()["about"])["auc"] == told


def test_the_trunk_stays_as_it_was_and_a_pth_in_its_order_gives_the_same(place, monkeypatch):
    assert run(place, monkeypatch, trunk="trunk.pth", out="other.safetensors") == 0
    (net,), _ = teachers.load_teachers([place / "other.safetensors"], read_preset("crossed", []))
    whole = timm.create_model(teachers.TRUNK)
    probe.load_trunk(whole, place / "trunk.safetensors")
    kept = net.trunk.state_dict()
    assert kept and all(torch.equal(value, whole.state_dict()[name]) for name, value in kept.items())


def test_statistics_are_the_mean_and_the_deviation_of_each_channel():
    torch.manual_seed(0)
    net = teachers.Probe(["a"]).eval()
    pixels = torch.rand(2, 3, 224, 224)
    first = net.trunk((pixels * 255 - 127) / 128)[0]
    found = net.statistics(pixels)
    channels = first.shape[1]
    assert torch.allclose(found[:, :channels], first.mean((2, 3)))
    assert torch.allclose(found[:, channels : 2 * channels], first.flatten(2).std(2))


def test_a_head_learns_and_a_far_feature_counts_no_more_than_a_bound():
    torch.manual_seed(0)
    net = teachers.Probe(["a", "b"]).eval()
    labels = torch.arange(200) % 2
    seen = torch.randn(200, 2, net.middle.shape[1])
    seen[:, :, :50] += 2 * labels[:, None, None]
    before = net.judge(1, seen[:1])
    probe.fit(net, 0, seen, labels, read_preset("steady", []))
    logits = probe.judge(net, 0, seen)
    assert ((logits > 0) == (labels.numpy() > 0)).mean() > 0.97
    assert torch.equal(net.judge(1, seen[:1]), before), "the other half's head has moved"
    bound = net.middle[0] + teachers.FARTHEST * net.spread[0]
    assert torch.allclose(net.judge(0, bound), net.judge(0, net.middle[0] + 100 * net.spread[0]), atol=1e-3)


@pytest.mark.parametrize(
    ("glob", "trunk", "said"),
    [
        ("train-*", "trunk.safetensors", "--hold-out train-*: both halves"),
        ("train-b", "missing.safetensors", "give whole ones by --trunk"),
    ],
)
def test_what_it_cannot_use_is_named(place, monkeypatch, capsys, glob, trunk, said):
    assert run(place, monkeypatch, glob=glob, trunk=trunk, out="none.safetensors") == 2
    assert said in capsys.readouterr().err and not (place / "none.safetensors").exists()


def test_a_picture_that_breaks_in_a_loader_process_is_named(place, monkeypatch, tmp_path, capsys):
    shutil.copytree(place / "data", tmp_path / "data")
    more = ["--data", str(tmp_path / "data"), "--workers", "1"]
    assert run(place, monkeypatch, *more) == 0
    for broken in (tmp_path / "data/train").rglob("*.png"):
        found, before = broken.read_bytes(), os.stat(broken)
        broken.write_bytes(b"x" * len(found))
        os.utime(broken, ns=(before.st_atime_ns, before.st_mtime_ns))
    capsys.readouterr()
    assert run(place, monkeypatch, *more) == 2
    (told,) = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert told.startswith(f"error: {tmp_path / 'data/train'}") and "not a readable picture" in told


def test_a_broken_probe_is_named(place, monkeypatch, tmp_path):
    net = teachers.Probe(["a", "!a"])
    file = tmp_path / "probe.safetensors"
    teachers.save_probe(net, file, {})
    assert np.array_equal(teachers.load_teacher(file)[0].middle, net.middle)
    save_file({"heads.0": torch.zeros(1)}, file, {"kind": teachers.KIND, "about": '{"hold_out": ["a"]}'})
    with pytest.raises(SpoofwebError, match="not a whole probe"):
        teachers.load_teacher(file)
