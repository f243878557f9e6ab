"""The second head: what it is taught, what of the network stays, and what is refused."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from spoofweb import checkpoint
from spoofweb.checksum import sha256
from spoofweb.contract import CONTRACT
from spoofweb.metrics import auc
from spoofweb.model import STRIDE_8, SpoofNet, early_opinion
from tests.test_dataset import write_all
from training import calibrate, early
from training.train import read_preset

SCALES = CONTRACT["crop"]["scales_percent"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("early")
    write_all(root)
    torch.manual_seed(0)
    net = SpoofNet("separable", 3)
    net.temperature.fill_(3.0)
    checkpoint.save(net, root / "one.safetensors", {"scales_percent": SCALES, "preset": "styled"})
    return root


def run(place, monkeypatch, *more, found="one.safetensors", out="two.safetensors"):
    monkeypatch.setattr(early, "STEPS", 3)
    few = ["epochs=1", "samples_per_epoch=12", "batch=4"]
    fixed = ["--data", "data", "--simulated", "simulated", "--recaptured", "recapture", "--cache", "cache"]
    paths = [str(place / word) if not word.startswith("--") else word for word in [found, out, *fixed]]
    return early.main([*paths, "--workers", "0", *(word for each in few for word in ("--set", each)), *more])


def test_only_a_second_head_is_added(place, monkeypatch, capsys):
    assert run(place, monkeypatch, "--hold-out", "train-b") == 0
    told = json.loads(capsys.readouterr().out)
    parts, voices = ("val", "val_bare", "held_out"), ("first", "second", "both")
    assert set(told) == {f"{voice}, {part}" for voice in voices for part in parts}
    before, after = load_file(place / "one.safetensors"), load_file(place / "two.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"head.3.weight", "head.3.bias", "temperature"} and after["temperature"] == 1
    assert before.keys() < after.keys() and all(name.startswith("early.") for name in after.keys() - before.keys())
    net, about = checkpoint.load(place / "two.safetensors")
    assert about["preset"] == "styled" and about["scales_percent"] == SCALES
    assert about["early"]["hold_out"] == "train-b" and about["early"]["of"] == sha256(place / "one.safetensors")


def test_each_heads_logits_get_their_own_temperature_and_bias(place, monkeypatch, capsys):
    heard, fitted = [], [(2.5, -0.75), (0.5, 2.0)]
    hear = early.hear
    monkeypatch.setattr(early, "hear", lambda net, part: heard.append((part, hear(net, part))) or hear(net, part))
    monkeypatch.setattr(calibrate, "fit", lambda logits, labels: fitted.pop(0))
    assert run(place, monkeypatch, out="calibrated.safetensors") == 0
    told = json.loads(capsys.readouterr().out)
    net, _ = checkpoint.load(place / "calibrated.safetensors")
    for part, (first, second) in heard:
        after = hear(net, part)
        assert np.allclose(after[0], (first - 0.75) / 2.5, atol=1e-4)
        assert np.allclose(after[1], (second + 2) / 0.5, atol=1e-4)
    val, _ = heard[0]
    assert told["both, val"] == pytest.approx(auc(sum(hear(net, val)), val.labels))


def test_what_it_sees_is_what_the_whole_network_hands_its_head(place):
    net, _ = checkpoint.load(place / "one.safetensors")
    net.early = early_opinion().eval()
    crops = torch.randint(0, 256, (3, 2, 3, 224, 224), dtype=torch.uint8)
    seen = early.look(net, crops)
    ((_, _, maps),) = net.opinions(net.features(crops.flatten(0, 1) / 255))[1:]
    assert torch.allclose(seen.flatten(0, 1), net.early["pool"].taken(maps), atol=1e-5)


def test_the_stages_that_it_sees_are_those_named():
    assert sum(len(stage) for stage in SpoofNet().backbone.blocks[: early.SEEN_STAGES]) == STRIDE_8


def test_it_learns_what_tells_the_classes_apart_in_the_units_of_what_it_saw():
    torch.manual_seed(0)
    opinion, targets = early_opinion(), torch.arange(200) % 2
    seen = 5 + 0.1 * torch.randn(200, 2, opinion["pool"].outputs)
    seen[:, :, :50] += 0.2 * targets[:, None, None]
    early.fit(opinion, seen, targets.float(), read_preset("early", []))
    norm = opinion["pool"].norm
    assert torch.allclose(norm.running_mean, seen.mean((0, 1))) and not opinion["head"].training
    standard = norm(seen.flatten(0, 1))
    assert standard.mean().abs() < 0.01 and (standard.std() - 1).abs() < 0.01
    logits = opinion["head"](standard).view(200, 2).mean(1)
    assert ((logits > 0) == (targets > 0)).float().mean() > 0.97


def test_what_it_sees_is_noisy_while_it_learns(monkeypatch):
    monkeypatch.setattr(early, "STEPS", 2)
    opinion, seen, spreads = early_opinion(), 5 + 0.1 * torch.randn(200, 2, early_opinion()["pool"].outputs), []
    opinion["head"].register_forward_pre_hook(lambda _, inputs: spreads.append(inputs[0].std().item()))
    for jitter in ("0.0", "1.0"):
        early.fit(opinion, seen, torch.ones(200), read_preset("early", [f"jitter={jitter}"]))
    assert spreads == pytest.approx([1, 1, 2**0.5, 2**0.5], rel=0.02)


@pytest.mark.parametrize(
    ("about", "second", "said"),
    [
        ({"scales_percent": SCALES}, True, "has a second head already"),
        ({"scales_percent": [120]}, False, "trained on crops of [120] %"),
    ],
)
def test_a_checkpoint_that_it_cannot_use_is_named(place, monkeypatch, capsys, about, second, said):
    checkpoint.save(SpoofNet("separable", 3, early=second), place / "odd.safetensors", about)
    assert run(place, monkeypatch, found="odd.safetensors", out="none.safetensors") == 2
    told = capsys.readouterr().err
    assert "error: " in told and "odd.safetensors" in told and said in told
    assert run(place, monkeypatch, found="missing.safetensors", out="none.safetensors") == 2
    assert "missing.safetensors" in capsys.readouterr().err and not (place / "none.safetensors").exists()
