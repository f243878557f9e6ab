"""Training resumes where it was killed, samples evenly, and refuses what it cannot use."""

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from spoofweb import checkpoint
from spoofweb.errors import SpoofwebError
from spoofweb.model import BACKBONE, SpoofNet
from tests import kill
from tests.test_dataset import write_dataset, write_recaptures, write_simulations
from training import sampling, teachers, train

ROOT = Path(__file__).parents[1]
VIEWS = ["--set", "augment=views", "--set", "samples_per_epoch=4", "--set", "scale_ranges=[[110, 150]]"]
FULL = Path("/dev/full")  # Linux: every write to it finds no space


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


@pytest.fixture(scope="module")
def undisturbed(place):
    """The folder of a run that nothing happened to."""
    assert train.main(arguments(place, "undisturbed")) == 0
    return place / "undisturbed"


def preset():
    """The configuration that `arguments` stands for."""
    return train.read_preset("original", ["batch=4", "epochs=3"]) | {"hold_out": ""}


def parsed(place):
    """The arguments that `load_data` reads."""
    return SimpleNamespace(data=place / "data", manifest=None, simulated=None, recaptured=None, cache=place / "cache")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="every attempt is a fork")
def test_killed_runs_end_with_the_same_weights(tmp_path):
    told = tmp_path / "kills.json"
    command = [sys.executable, "-m", "tests.kill", "--kills", "3", "--seed", "4", "--json", str(told)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(told.read_text())
    assert told["kills"] == 3 and told["runs"] >= 1 and told["equal"] is True


def test_a_run_that_ends_otherwise_would_be_seen(place):
    assert train.main(arguments(place, "one", "--set", "epochs=1")) == 0
    shutil.copytree(place / "one", place / "two")
    assert kill.end(place / "one") == kill.end(place / "two")
    state = torch.load(place / "two/last.pt", weights_only=True)
    state["trainer"]["optimiser"]["state"][0]["exp_avg"] *= 1.0001
    torch.save(state, place / "two/last.pt")
    assert kill.end(place / "one") != kill.end(place / "two")


def test_views_preset_trains_with_all_it_has_and_a_held_out_site(place, tmp_path, capsys):
    write_recaptures(tmp_path)
    more = [
        "--set",
        'augment="views"',
        "--set",
        "scale_ranges=[[110, 140], [200, 300]]",
        "--set",
        "samples_per_epoch=8",
    ]
    more += ["--set", "scales_percent=[130, 270]", "--set", "ema=0.9", "--set", "crop_loss=0.5", "--set", "epochs=1"]
    more += ["--set", "kernel=3", "--set", "mixstyle=1.0"]
    more += ["--set", "recaptured_share=0.5", "--recaptured", str(tmp_path)]
    assert train.main(arguments(place, "views", *more, "--hold-out", "train-b")) == 0
    assert checkpoint.load(place / "views" / "spoofnet.safetensors")[0].kernel == 3
    (entry,) = map(json.loads, (place / "views/log.jsonl").read_text().splitlines())
    assert 0 <= entry["held_out"] <= 1 and np.isfinite(entry["loss"])


@pytest.mark.parametrize(("held", "left"), [("", 2), ("train-b", 1), ("train-a", 0)])
def test_simulated_pictures_of_a_held_out_site_or_before_it_are_kept_away_too(place, tmp_path, held, left):
    write_simulations(tmp_path, behind="train-b")
    args = parsed(place)
    args.simulated = tmp_path
    data = train.load_data(args, preset() | {"simulated_share": 0.5, "hold_out": held})
    assert [len(pool) for _, pool in data.beside] == ([left] if left else [])


def test_portraits_are_drawn_by_a_share_of_their_own(place, tmp_path):
    write_simulations(tmp_path, attack_type="portrait")
    args = parsed(place)
    args.simulated = tmp_path
    shares = {"simulated_share": 0.2, "portrait_share": 0.3, "hold_out": ""}
    data = train.load_data(args, preset() | shares)
    assert [(share, [picture.species for picture in pool]) for share, pool in data.beside] == [
        (0.2, [""]),
        (0.3, ["portrait"]),
    ]
    data = train.load_data(args, preset() | shares | {"portrait_share": 0.0})
    assert [len(pool) for _, pool in data.beside] == [1], "who draws no portraits meets none"


def test_a_preset_that_draws_portraits_wants_some(place, tmp_path):
    write_simulations(tmp_path)
    args = parsed(place)
    args.simulated = tmp_path
    with pytest.raises(SpoofwebError, match="no portraits"):
        train.load_data(args, preset() | {"portrait_share": 0.3, "hold_out": ""})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--set", "epochs"], "--set epochs"),
        (["--set", "colour=1"], "--set colour=1"),
        (["--set", "batch=many"], "--set batch=many"),
        (["--hold-out", "nobody"], "--hold-out nobody"),
        (["--set", "simulated_share=0.5"], "need augment=views"),
        ([*VIEWS, "--set", "simulated_share=0.5"], "--simulated"),
        ([*VIEWS, "--set", "portrait_share=0.5"], "--simulated"),
        ([*VIEWS, "--set", "recaptured_share=0.1"], "--recaptured"),
        ([*VIEWS, "--set", "recaptured_share=0.1", "--recaptured", "missing"], "not a manifest"),
        ([*VIEWS, "--set", "recaptured_share=0.6", "--set", "simulated_share=0.4"], "they must be below 1"),
        ([*VIEWS, "--set", "portrait_share=-0.1", "--set", "simulated_share=0.4"], "none below 0"),
        (["--set", "teacher_weight=0.5"], "--teacher and a teacher_weight"),
        (["--teacher", "missing.safetensors"], "--teacher and a teacher_weight"),
        (["--set", "teacher_weight=1.5"], "teacher_weight is 1.5"),
        (["--set", "teacher_weight=0.5", "--teacher", "missing.safetensors"], "missing.safetensors"),
        (["--set", "kernel=4"], "kernel"),
        (["--backbone", "missing.safetensors"], "missing.safetensors"),
        (["--data", "missing"], "missing"),
        (["--set", "epochs=0"], "epochs is 0"),
        (["--set", "texture=moments", "--set", "batch=7"], "of 8 pictures the last batch is a single crop"),
        (["--set", "texture=moments", "--set", "batch=1"], "of 8 pictures the last batch is a single crop"),
        (["--set", "seed=-1"], "seed is -1"),
        (["--set", "fixed_blocks=7"], "fixed_blocks is 7"),
        (["--set", "texture=moments", "--set", "fixed_blocks=5"], "fixed_blocks is 5; this backbone has 4"),
        (["--set", "lr=-1.0"], "lr is -1.0"),
        (["--set", "ema=1.5"], "ema is 1.5"),
        (["--set", "augment=veiws"], "augment is 'veiws'"),
        ([*VIEWS, "--set", "scale_ranges=[]"], "one of scale_ranges for each"),
    ],
)
def test_bad_arguments(place, change, message, capsys):
    assert train.main(arguments(place, "bad", *change)) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ") or "\nerror: " in shown
    assert message in shown


def test_aucs_of_each_source_with_both_classes():
    labels, sources = np.array([1, 0, 1, 0, 1]), np.array(["a", "a", "b", "b", "c"])
    judged = train.Judged(np.zeros((5, 1)), labels, sources)
    found = train.aucs("held_out", judged, np.array([2.0, 1.0, -1.0, 0.0, 3.0]))
    assert found == {"held_out": pytest.approx(4 / 6), "held_out/a": 1.0, "held_out/b": 0.0}
    alone = train.Judged(judged.crops[:2], labels[:2], sources[:2])
    assert train.aucs("val", alone, np.array([2.0, 1.0])) == {"val": 1.0}


def test_a_preset_like_another_names_only_what_differs():
    robust, styled = train.read_preset("robust", []), train.read_preset("styled", [])
    assert robust.keys() == styled.keys() and "like" not in styled
    assert (styled["kernel"], styled["augment"], styled["weight_decay"]) == (3, "views", robust["weight_decay"])


def test_unknown_preset():
    with pytest.raises(SpoofwebError, match="original"):
        train.read_preset("best", [])


def test_another_runs_folder_and_a_broken_checkpoint_are_refused(place, capsys):
    assert train.main(arguments(place, "taken", "--set", "epochs=1")) == 0
    assert train.main(arguments(place, "taken", "--set", "epochs=2")) == 2
    assert "of another run" in capsys.readouterr().err
    (place / "targets.csv").write_text("path\n")
    assert train.main(arguments(place, "taken", "--set", "epochs=1", "--manifest", str(place / "targets.csv"))) == 2
    assert "of another run" in capsys.readouterr().err
    last = place / "taken/last.pt"
    whole = last.read_bytes()
    state = torch.load(last, weights_only=True)
    state["trainer"]["net"].pop("head.0.weight")
    torch.save(state, last)
    assert train.main(arguments(place, "taken", "--set", "epochs=1")) == 2
    assert "last.pt: of another version of this program" in capsys.readouterr().err
    last.write_bytes(whole[:100])
    assert train.main(arguments(place, "taken", "--set", "epochs=1")) == 2
    assert "not a whole checkpoint" in capsys.readouterr().err


def test_nan_in_a_batch_is_said_and_the_last_epoch_stays(place, undisturbed, capsys, monkeypatch):
    wanted = sampling.target
    bad = sampling.draw(train.load_data(parsed(place), preset()).pictures, [], preset(), epoch=1)[0][0].name
    epochs = []
    monkeypatch.setattr(train, "loader", lambda *given, inner=train.loader: epochs.append(given[3]) or inner(*given))
    poisoned = lambda picture, config: math.nan if epochs[-1] == 1 and picture.name == bad else wanted(picture, config)  # noqa: E731
    monkeypatch.setattr(sampling, "target", poisoned)
    assert train.main(arguments(place, "nan")) == 2
    assert "epoch 1, batch 0: the loss is nan; the epochs before are kept" in capsys.readouterr().err
    assert [entry["epoch"] for entry in torch.load(place / "nan/last.pt", weights_only=True)["log"]] == [0]
    monkeypatch.undo()
    assert train.main(arguments(place, "nan")) == 0
    assert kill.end(place / "nan") == kill.end(undisturbed)


def test_weights_that_are_no_numbers_are_said(place, capsys):
    assert train.main(arguments(place, "inf", "--set", "lr=1e30")) == 2
    assert "the loss is" in capsys.readouterr().err and not (place / "inf/last.pt").exists()


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_and_the_last_epoch_stays(place, undisturbed, capsys, monkeypatch):
    finish = train.Run.finish_epoch

    def on_a_full_disk(run, trainer, epoch, entry):
        if epoch == 1:
            os.symlink(FULL, run.folder / "last.pt.part")
        finish(run, trainer, epoch, entry)

    monkeypatch.setattr(train.Run, "finish_epoch", on_a_full_disk)
    assert train.main(arguments(place, "full")) == 2
    assert "last.pt: cannot be written (No space left on device)" in capsys.readouterr().err
    assert len(torch.load(place / "full/last.pt", weights_only=True)["log"]) == 1
    monkeypatch.undo()
    assert train.main(arguments(place, "full")) == 0
    assert kill.end(place / "full") == kill.end(undisturbed)


@pytest.mark.parametrize("what", ["--out", "--cache"])
def test_a_folder_that_cannot_be_written(place, capsys, what):
    (place / "file").touch()
    assert train.main(arguments(place, "free", what, str(place / "file/below"))) == 2
    assert "below: cannot be written (Not a directory)" in capsys.readouterr().err


def test_a_picture_that_breaks_during_the_run_is_named(place, tmp_path, capsys):
    shutil.copytree(place / "data", tmp_path / "data")
    views = ["--set", 'augment="views"', "--set", "scale_ranges=[[110, 140]]", "--workers", "1"]
    given = arguments(place, tmp_path / "broken", *views, "--data", str(tmp_path / "data"))
    assert train.main([*given, "--set", "epochs=1"]) == 0
    broken = tmp_path / "data/train/real/train-a/0.png"
    found, before = broken.read_bytes(), os.stat(broken)
    broken.write_bytes(b"x" * len(found))
    os.utime(broken, ns=(before.st_atime_ns, before.st_mtime_ns))
    capsys.readouterr()
    given[given.index("--out") + 1] = str(tmp_path / "again")
    assert train.main(given) == 2
    (told,) = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert told.startswith(f"error: {broken}: not a readable picture")


def test_a_picture_in_two_splits_stops_the_training(place, tmp_path, capsys):
    shutil.copytree(place / "data", tmp_path / "data")
    copy = tmp_path / "data/test/real/x/copy.png"
    copy.parent.mkdir(parents=True)
    shutil.copy(place / "data/train/real/train-a/0.png", copy)
    assert train.main(arguments(place, "leak", "--data", str(tmp_path / "data"))) == 2
    assert "error: the same picture in two splits: " in capsys.readouterr().err
    assert not (place / "leak").exists()


def test_repeats_within_a_split_are_only_counted(place, tmp_path, capsys):
    shutil.copytree(place / "data", tmp_path / "data")
    shutil.copy(tmp_path / "data/train/real/train-a/0.png", tmp_path / "data/train/real/train-b/copy.png")
    assert train.main(arguments(place, "repeat", "--data", str(tmp_path / "data"), "--set", "epochs=1")) == 0
    assert "1 pictures stand in their split more than once" in capsys.readouterr().err


def test_a_split_without_a_face_of_one_class(place, tmp_path, capsys):
    shutil.copytree(place / "data", tmp_path / "data")
    for path in (tmp_path / "data/val/real").glob("*/*.png"):
        Image.fromarray(np.full((64, 64, 3), int(path.stem), np.uint8)).save(path)
    assert train.main(arguments(place, "faceless", "--data", str(tmp_path / "data"))) == 2
    assert "val: a face is found in no real picture" in capsys.readouterr().err


def test_a_fold_and_the_other_sites_are_named_by_one_glob():
    sites = ["webcam02", "webcam12", "crops06", "nuaa0007"]
    assert [train.kept_away(site, "*0[1-6]") for site in sites] == [True, False, True, False]
    assert [train.kept_away(site, "!*0[1-6]") for site in sites] == [False, True, False, True]


def moved_by_a_step(net, changes):
    """The names in a network's state that a step of training with a changed preset changes."""
    before = {name: value.clone() for name, value in net.state_dict().items()}
    trainer = train.Trainer(net, preset() | changes, torch.device("cpu"), steps_per_epoch=1)
    crops = torch.randint(0, 256, (2, 1, 3, 224, 224), dtype=torch.uint8)
    trainer.run_epoch(0, [(crops, torch.tensor([0.0, 1.0]), torch.tensor([True, True]))])
    return {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}


def test_the_backbone_has_a_learning_rate_of_its_own():
    net = SpoofNet()
    parameters = {name for name, _ in net.named_parameters()}
    moved = moved_by_a_step(net, {"backbone_lr": 0.0}) & parameters
    assert moved == {name for name in parameters if not name.startswith("backbone.")}


@pytest.mark.parametrize(
    ("texture", "blocks", "first"),
    [("plain", 0, "conv_stem."), ("plain", 2, "blocks.2."), ("plain", 6, None), ("moments", 4, None)],
    ids=["none", "two and the stem", "all", "all that there are"],
)
def test_fixed_blocks_stay_with_the_statistics_of_their_normalisation(texture, blocks, first):
    net = SpoofNet(texture)
    names = [name for name in net.state_dict() if name.startswith("backbone.")]
    start = next((i for i, name in enumerate(names) if first and name.startswith(f"backbone.{first}")), len(names))
    moved = moved_by_a_step(net, {"fixed_blocks": blocks})
    assert moved & set(names) == set(names[start:]) and moved - set(names)


def test_a_run_goes_on_from_a_checkpoint_and_says_from_which(place, undisturbed, tmp_path, capsys):
    first = undisturbed / "spoofnet.safetensors"
    more = ["--set", "epochs=1", "--set", "lr=0.0", "--set", "keep_last=true", "--set", "texture=plain"]
    assert train.main(arguments(place, "on", *more, "--begin", str(first))) == 0
    (before, _), (after, about) = (checkpoint.load(f) for f in (first, place / "on/spoofnet.safetensors"))
    assert about["begun_from"] == hashlib.sha256(first.read_bytes()).hexdigest()
    own = dict(after.named_parameters())
    assert own and all(torch.equal(value, own[name]) for name, value in before.named_parameters())
    assert train.main(arguments(place, "on", *more)) == 2  # the folder's run has begun elsewhere
    capsys.readouterr()
    checkpoint.save(SpoofNet(early=True), tmp_path / "two.safetensors", {"scales_percent": [120]})
    for change, said in (
        (["--set", "kernel=3", "--begin", str(first)], "texture, kernel and crops are"),
        (["--begin", str(tmp_path / "two.safetensors")], "has a second head"),
        (["--begin", "missing.safetensors"], "missing.safetensors: no such checkpoint"),
    ):
        assert train.main(arguments(place, "bad", *more, *change)) == 2
        assert said in capsys.readouterr().err


def test_a_run_learns_from_teachers_and_says_from_which(place, undisturbed):
    teacher = str(undisturbed / "spoofnet.safetensors")
    more = ["--set", "teacher_weight=0.5", "--set", "epochs=1"]
    assert train.main(arguments(place, "taught", *more, "--teacher", teacher)) == 0
    assert train.main(arguments(place, "taught", *more, "--teacher", teacher, "--teacher", teacher)) == 2
    config = json.loads((place / "taught/config.json").read_text())
    assert config["teachers"] == [hashlib.sha256(Path(teacher).read_bytes()).hexdigest()]


def test_teachers_move_the_targets_by_the_mean_of_their_logits():
    crops, targets = torch.zeros((4, 2, 3, 224, 224), dtype=torch.uint8), torch.tensor([1.0, 0.0, 1.0, 0.0])
    # picture by picture
    said = torch.tensor(
        [[2.0, 4.0, 0.0, -8.0, -9.0, -9.0, 9.0, 9.0], [0.0, 2.0, -4.0, 4.0, -9.0, -9.0, 1.0, 3.0], [7.0] * 8]
    )
    one, several = torch.nn.Module(), torch.nn.Module()
    one.forward = lambda pixels: said[0]
    several.forward = lambda pixels: said[1:].T  # of two voices
    config = preset() | {"teacher_weight": 0.25}
    trainer = train.Trainer(SpoofNet(), config, torch.device("cpu"), 1, [one, several])
    heard = torch.tensor([[True, True, False], [True, True, False], [False] * 3, [False, True, False]])
    together, alone = trainer.wanted(crops, targets, heard)

    def mixed(target, logit):
        return 0.75 * target + 0.25 / (1 + math.exp(-logit))

    assert together.tolist() == pytest.approx([mixed(1, 2.0), mixed(0, -2.0), 1, mixed(0, 2.0)])
    crops_alone = [[mixed(1, 1.0), mixed(1, 3.0)], [mixed(0, -2.0), mixed(0, -2.0)], [1, 1], [mixed(0, 1), mixed(0, 3)]]
    assert alone.numpy() == pytest.approx(np.array(crops_alone))


def test_without_teachers_every_crop_has_its_pictures_target():
    crops, targets = torch.zeros((2, 2, 3, 224, 224), dtype=torch.uint8), torch.tensor([1.0, 0.0])
    trainer = train.Trainer(SpoofNet(), preset(), torch.device("cpu"), 1)
    together, alone = trainer.wanted(crops, targets, torch.zeros((2, 0), dtype=torch.bool))
    assert together.tolist() == [1, 0] and alone.tolist() == [[1, 1], [0, 0]]


def test_teachers_speak_of_what_was_held_out_from_them_where_the_preset_wants_that(place, undisturbed):
    assert train.main(arguments(place, "folded", "--hold-out", "train-b", "--set", "epochs=1")) == 0
    teacher = place / "folded/spoofnet.safetensors"
    config = preset() | {"teacher_weight": 0.5}
    assert teachers.load_teachers([teacher], config | {"unseen_only": True})[1] == ["train-b"]
    assert teachers.load_teachers([teacher], config | {"unseen_only": False})[1] == [""]
    with pytest.raises(SpoofwebError, match="it has seen every site"):
        teachers.load_teachers([teacher, undisturbed / "spoofnet.safetensors"], config | {"unseen_only": True})


@pytest.mark.parametrize(("more", "epoch"), [([], 1), (["--set", "keep_last=true"], 2)])
def test_the_epoch_that_is_best_on_val_is_kept_or_the_last(place, capsys, monkeypatch, more, epoch):
    drawn = {"val": iter([0.8, 0.9, 0.7]), "val_bare": iter([0.5, 0.6, 0.9])}
    monkeypatch.setattr(train, "aucs", lambda name, part, logits: {name: next(drawn[name])})
    assert train.main(arguments(place, f"kept-{epoch}", *more)) == 0
    assert f"kept epoch {epoch}" in capsys.readouterr().out
    assert checkpoint.load(place / f"kept-{epoch}" / "spoofnet.safetensors")[1]["epoch"] == epoch
