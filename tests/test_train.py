"""Training resumes where it was killed, samples evenly, and refuses what it cannot use."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from spoofweb.errors import SpoofwebError
from spoofweb.model import BACKBONE
from tests.test_dataset import write_dataset
from training import augment, train
from training.dataset import Picture, locate, scan

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("train")
    write_dataset(root / "data")
    torch.manual_seed(0)
    save_file(timm.create_model(BACKBONE, features_only=True).state_dict(), root / "backbone.safetensors")
    return root


def arguments(place, out, *more):
    fixed = ["--data", place / "data", "--backbone", place / "backbone.safetensors", "--cache", place / "cache"]
    small = ["--set", "batch=4", "--set", "epochs=3", "--workers", "0"]
    return [str(a) for a in ["original", *fixed, *small, "--out", place / out, *more]]


def test_killed_and_resumed_run_ends_with_the_same_weights(place):
    whole = subprocess.run([sys.executable, "-m", "training.train", *arguments(place, "whole")], cwd=ROOT)
    assert whole.returncode == 0
    command = [sys.executable, "-m", "training.train", *arguments(place, "killed")]
    process = subprocess.Popen(command, cwd=ROOT)
    while not (place / "killed/last.pt").exists():
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(torch.load(place / "killed/last.pt", weights_only=True)["log"]) < 3
    assert subprocess.run(command, cwd=ROOT).returncode == 0
    ends = [torch.load(place / name / "last.pt", weights_only=True) for name in ("whole", "killed")]
    assert ends[0]["log"] == ends[1]["log"]
    for name, value in ends[0]["trainer"]["net"].items():
        assert torch.equal(value, ends[1]["trainer"]["net"][name]), name
    best = [load_file(place / name / "spoofnet.safetensors") for name in ("whole", "killed")]
    assert all(torch.equal(value, best[1][name]) for name, value in best[0].items())
    log = [json.loads(line) for line in (place / "killed/log.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in log] == [0, 1, 2] and (place / "killed/curve.svg").exists()


def test_views_preset_trains_with_an_average_and_a_held_out_site(place, capsys):
    more = [
        "--set",
        'augment="views"',
        "--set",
        "scale_ranges=[[110, 140], [200, 300]]",
        "--set",
        "samples_per_epoch=8",
    ]
    more += ["--set", "scales_percent=[130, 270]", "--set", "ema=0.9", "--set", "crop_loss=0.5", "--set", "epochs=1"]
    assert train.main(arguments(place, "views", *more, "--hold-out", "train-b")) == 0
    (entry,) = map(json.loads, (place / "views/log.jsonl").read_text().splitlines())
    assert 0 <= entry["held_out"] <= 1 and np.isfinite(entry["loss"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--set", "epochs"], "--set epochs"),
        (["--set", "colour=1"], "--set colour=1"),
        (["--set", "batch=many"], "--set batch=many"),
        (["--hold-out", "nobody"], "--hold-out nobody"),
        (["--set", "simulated_share=0.5"], "--simulated"),
        (["--backbone", "missing.safetensors"], "missing.safetensors"),
        (["--data", "missing"], "missing"),
    ],
)
def test_bad_arguments(place, change, message, capsys):
    assert train.main(arguments(place, "bad", *change)) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ") or "\nerror: " in shown
    assert message in shown


def test_unknown_preset():
    with pytest.raises(SpoofwebError, match="original"):
        train.read_preset("best", [])


def test_another_runs_folder_and_a_broken_checkpoint_are_refused(place, capsys):
    assert train.main(arguments(place, "taken", "--set", "epochs=1")) == 0
    assert train.main(arguments(place, "taken", "--set", "epochs=2")) == 2
    assert "of another run" in capsys.readouterr().err
    last = place / "taken/last.pt"
    last.write_bytes(last.read_bytes()[:100])
    assert train.main(arguments(place, "taken", "--set", "epochs=1")) == 2
    assert "not a whole checkpoint" in capsys.readouterr().err


def test_nan_loss_is_said_and_the_last_epoch_stays(place, capsys):
    assert train.main(arguments(place, "nan", "--set", "lr=1e30")) == 2
    assert "the loss is" in capsys.readouterr().err


def test_sampling_is_even_over_classes_and_sites():
    sizes = {("a", 1): 90, ("b", 1): 10, ("a", 0): 5, ("c", 0): 45}
    pictures = [
        Picture(Path(), "", "train", label, site) for (site, label), count in sizes.items() for _ in range(count)
    ]
    for power, share in ((0.0, {"a": 0.5, "b": 0.5}), (1.0, {"a": 0.9, "b": 0.1})):
        chances = np.diff(train.sampling_chances(pictures, power), prepend=0) / 2
        assert chances.sum() == pytest.approx(1)
        per = Counter()
        for picture, chance in zip(pictures, chances, strict=True):
            per[picture.site, picture.label] += chance
        assert per["a", 1] + per["b", 1] == pytest.approx(0.5)
        assert per["a", 1] / 0.5 == pytest.approx(share["a"]) and per["b", 1] / 0.5 == pytest.approx(share["b"])


def test_target_mixes_label_smoothing_and_peer():
    config = {"smoothing": 0.1, "peer_weight": 0.5}
    picture = Picture(Path(), "", "train", 1, "a", source="webcam", peer=0.25)
    assert train.target(picture, config) == pytest.approx(0.5 * 0.95 + 0.5 * 0.25)
    tight = Picture(Path(), "", "train", 1, "a", source="crops", peer=0.25)
    assert train.target(tight, config) == pytest.approx(0.95)


def test_views_depend_on_the_seed_alone_and_keep_the_face(place, detector_graph):
    picture = next(p for p in locate(scan(place / "data", "train"), detector_graph, place / "cache") if p.face)
    frame = train.read_picture(picture.path)
    make = lambda seed: augment.views(frame, picture.face, np.random.default_rng(seed), [[110, 140], [200, 300]], 0.5)  # noqa: E731
    assert torch.equal(make(3), make(3)) and not torch.equal(make(3), make(4))
    assert make(3).shape == (2, 3, 224, 224) and make(3).dtype == torch.uint8
