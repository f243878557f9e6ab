"""Folds: what is kept away is met by no network, every order is another, and the table says what was found."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from spoofweb.model import SpoofNet
from tests.test_dataset import write_all
from training import early, folds
from training.dataset import Picture
from training.train import read_preset

FEW = ["epochs=2", "samples_per_epoch=12", "batch=4"]
VOICES = [f"{voice}, {part}" for part in ("val", "val_bare", "held_out") for voice in ("first", "second", "both")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("folds")
    write_all(root)
    torch.manual_seed(0)
    save_file(SpoofNet().backbone.state_dict(), root / "backbone.safetensors")
    return root


def run(place, monkeypatch, *more, preset="framed"):
    monkeypatch.setattr(early, "STEPS", 3)
    monkeypatch.setattr(folds, "read_preset", lambda name, given: read_preset(name, [*FEW, *given]))
    fixed = "--data data --simulated simulated --recaptured recapture --cache cache --backbone backbone.safetensors"
    paths = [word if word.startswith("--") else str(place / word) for word in fixed.split()]
    return folds.main([preset, *paths, "--workers", "0", "--orders", "2", *more])


def spied(monkeypatch, where, name):
    """What a function is called with from now on, the weights that its first argument has then, and what it returns."""
    calls, function = [], getattr(where, name)

    def spy(*given):
        weights = given[0].state_dict() if isinstance(given[0], nn.Module) else {}
        begun = {key: value.clone() for key, value in weights.items()}
        calls.append((given, begun, found := function(*given)))
        return found

    monkeypatch.setattr(where, name, spy)
    return calls


def test_every_network_begins_alike_and_each_head_is_judged(place, monkeypatch, capsys):
    learnt, compared = spied(monkeypatch, folds, "learn"), spied(monkeypatch, early, "compare")
    assert run(place, monkeypatch, "--fold", "train-b") == 0
    assert [given[0].training for given, *_ in compared] == [False, False]
    *lines, head, rule, first = capsys.readouterr().out.splitlines()[: 2 + 2 + 1]
    found = [json.loads(line) for line in lines]
    assert [(each.pop("fold"), each.pop("order")) for each in found] == [("train-b", 0), ("train-b", 1)]
    assert all(list(each) == VOICES and all(0 <= value <= 1 for value in each.values()) for each in found)
    assert head.startswith("| kept away") and rule.startswith("|---") and first.startswith("| `train-b` | first, val |")
    (_, one, trainer), (_, two, other) = learnt
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    assert [each.config["seed"] for each in (trainer, other)] == [0, 1]


def test_no_network_and_no_head_meets_what_is_kept_away(place, monkeypatch):
    begun, learnt, fitted = (spied(monkeypatch, *of) for of in ((folds, "begin"), (folds, "learn"), (early, "fit")))
    kept, init = [], folds.Kept.__init__
    monkeypatch.setattr(folds.Kept, "__init__", lambda self, *given: kept.append(self) or init(self, *given))
    assert run(place, monkeypatch, "--fold", "train-b") == 0
    drawn, seen = kept
    shows = [["train-b" in picture.sites for picture in each.pictures] for each in kept]
    assert all(any(some) and not all(some) for some in shows)
    for (_, batches, *_), *_ in learnt:
        assert batches.places.tolist() == [place for place, away in enumerate(shows[0]) if not away]
    for (_, views, targets, _), *_ in fitted:
        others = [place for place, away in enumerate(shows[1]) if not away]
        assert torch.equal(views, seen.views[others]) and torch.equal(targets, seen.targets[others])
    assert len(begun) == len(learnt) == len(fitted) == 2
    for (_, _, data), *_ in begun:
        assert data.pictures and all(picture.site != "train-b" for picture in data.pictures)


def test_the_same_command_trains_the_same_networks(place, monkeypatch):
    learnt = spied(monkeypatch, folds, "learn")
    assert [run(place, monkeypatch, "--fold", "train-b") for _ in range(2)] == [0, 0]
    one, other, again, _ = [trainer.kept.state_dict() for *_, trainer in learnt]
    assert one.keys() == again.keys() and all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["head.0.weight"], other["head.0.weight"])


@pytest.mark.parametrize("change", ["fixed_blocks=1", "scales_percent=[130,270]"])
def test_a_second_head_stands_on_what_stays_as_it_is(place, monkeypatch, capsys, change):
    more = ["--set", change, "--set", "scale_ranges=[[105,155],[190,330]]"]
    assert run(place, monkeypatch, "--fold", "train-b", *more) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[0])
    assert [key for key in told if ", " in key] == ["first, val", "first, val_bare", "first, held_out"]


def picture(site: str, behind: str = "") -> Picture:
    return Picture(Path("a.jpg"), "a.jpg", "train", 1, site, behind=behind)


def kept(count: int) -> folds.Kept:
    pictures = [picture("abc"[place % 3], "b" if place % 5 == 0 else "") for place in range(count)]
    return folds.Kept(pictures, torch.arange(count), torch.arange(count) / count)


def test_what_shows_a_site_that_is_kept_away_is_left_out_behind_a_medium_too():
    places = kept(20).without({"b"})
    assert places.tolist() == [place for place in range(20) if place % 3 != 1 and place % 5]
    assert kept(20).without(set()).tolist() == list(range(20))


def epoch(batches: folds.Ordered) -> tuple[torch.Tensor, torch.Tensor]:
    """What one epoch meets, and its targets."""
    seen, targets, _ = zip(*batches, strict=True)
    return torch.cat(seen), torch.cat(targets)


def test_all_kept_pictures_come_before_one_comes_again_and_in_another_order():
    config = {"samples_per_epoch": 24, "batch": 5}
    several = [folds.Ordered(kept(20), torch.arange(3, 20), config, order) for order in (0, 0, 1)]
    (one, targets), (again, _), (other, _) = map(epoch, several)
    assert len(several[0]) == 5 and len(one) == 25
    assert sorted(one[:17].tolist()) == list(range(3, 20)) and torch.equal(targets, one / 20)
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert set(Counter([*one.tolist(), *epoch(several[0])[0].tolist()]).values()) == {2, 3}


def test_the_table_gives_mean_and_range():
    found = {"a*": [{"first, val": 0.9, "both, val": 0.5}, {"first, val": 0.8, "both, val": 0.7}]}
    *_, first, both = folds.table(found).splitlines()
    assert first == "| `a*` | first, val | 0.850 | 0.800 | 0.900 |"
    assert both == "| `a*` | both, val | 0.600 | 0.500 | 0.700 |"


@pytest.mark.parametrize(
    ("preset", "more", "said"),
    [
        ("framed", ["--fold", "nobody*"], "nobody*: no train site has such a name"),
        ("framed", ["--fold", "train-*"], "train without what is held out"),
        ("original", ["--fold", "train-b"], "'original': only what augment=views"),
        ("taught", ["--fold", "train-b"], "'taught': there is no teacher here"),
    ],
)
def test_what_cannot_be_judged_is_named(place, monkeypatch, capsys, preset, more, said):
    assert run(place, monkeypatch, *more, preset=preset) == 2
    assert "error: " in (told := capsys.readouterr().err) and said in told
