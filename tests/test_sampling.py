"""An epoch sees classes and sites as the preset wants, and its targets are the described ones."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.pictures import FACE, astronaut
from training import sampling
from training.dataset import Picture
from training.train import read_preset


@pytest.fixture
def portrait(tmp_path):
    """A file that shows the astronaut."""
    Image.fromarray(astronaut()).save(tmp_path / "live.png")
    return tmp_path / "live.png"


def pictures(counts):
    """Pictures by (site, label) → how many."""
    return [
        Picture(Path(), f"{site}{label}", "train", label, site)
        for (site, label), count in counts.items()
        for _ in range(count)
    ]


def shares(made, chances, key):
    """The chance of each group of pictures."""
    per = Counter()
    for picture, chance in zip(made, np.diff(chances, prepend=0) / 2, strict=True):
        per[key(picture)] += chance
    return per


@pytest.mark.parametrize(("power", "share"), [(0.0, {"a": 0.5, "b": 0.5}), (1.0, {"a": 0.9, "b": 0.1})])
def test_even_over_classes_and_sites(power, share):
    made = pictures({("a", 1): 90, ("b", 1): 10, ("a", 0): 5, ("c", 0): 45})
    per = shares(made, sampling.sampling_chances(made, power), lambda p: (p.site, p.label))
    assert sum(per.values()) == pytest.approx(1)
    assert per["a", 1] + per["b", 1] == pytest.approx(0.5)
    assert per["a", 1] / 0.5 == pytest.approx(share["a"]) and per["b", 1] / 0.5 == pytest.approx(share["b"])


def test_what_stands_beside_gets_its_share():
    config = {"seed": 0, "samples_per_epoch": 4000, "site_power": 1.0}
    own, first, second = (pictures({(name, 1): 3, (name, 0): 3}) for name in "abc")
    drawn = sampling.draw(own, [(0.2, first), (0.05, second)], config, epoch=0)
    per = Counter(picture.site for picture, _ in drawn)
    assert per["b"] / 4000 == pytest.approx(0.2, abs=0.03) and per["c"] / 4000 == pytest.approx(0.05, abs=0.015)
    assert {index is None for picture, index in drawn if picture.site == "a"} == {False}
    assert {index for picture, index in drawn if picture.site != "a"} == {None}
    assert drawn == sampling.draw(own, [(0.2, first), (0.05, second)], config, epoch=0)


def test_target_mixes_label_smoothing_and_peer():
    config = {"smoothing": 0.1, "peer_weight": 0.5}
    picture = Picture(Path(), "", "train", 1, "a", source="webcam", peer=0.25)
    assert sampling.target(picture, config) == pytest.approx(0.5 * 0.95 + 0.5 * 0.25)
    tight = Picture(Path(), "", "train", 1, "a", source="crops", peer=0.25)
    assert sampling.target(tight, config) == pytest.approx(0.95)


def test_a_coarse_print_of_a_live_face_is_an_attack_of_which_no_teacher_has_a_say(portrait):
    live = Picture(portrait, "live.png", "train", 1, "a", source="webcam", peer=0.9, face=FACE)
    made = {}
    for share in (0.0, 1.0):
        config = read_preset("taught", [f"dotted_share={share}", "plain_share=1.0", "patch_share=0.0"])
        made[share] = sampling.Samples([(live, 0)], None, config, epoch=0, speak_of=["", "a"])[0]
    assert made[0.0][1] == sampling.target(live, config) and made[0.0][2].tolist() == [True, True]
    assert made[1.0][1] == pytest.approx(config["smoothing"] / 2) and made[1.0][2].tolist() == [False, False]
    edges = [crops.float().diff(dim=-1).abs().mean().item() for crops, *_ in (made[0.0], made[1.0])]
    assert edges[1] > 1.5 * edges[0]


def test_a_pasted_picture_keeps_its_label_and_no_teacher_has_a_say_of_it(portrait):
    live = Picture(portrait, "", "train", 1, "a", source="webcam", face=FACE)
    made = {}
    for share in (0.0, 0.5, 1.0):
        config = read_preset("taught", [f"pasted_share={share}", "dotted_share=0.0"])
        made[share] = [sampling.Samples([(live, 0)] * 20, None, config, 0, speak_of=[""])[i] for i in range(20)]
    assert {each[1] for each in made[1.0]} == {sampling.target(live, config)}
    heard = {share: [each[2].item() for each in made[share]] for share in made}
    assert all(heard[0.0]) and not any(heard[1.0]) and 5 <= sum(heard[0.5]) <= 15
    for half, as_it_is in zip(made[0.5], made[0.0], strict=True):
        assert torch.equal(half[0], as_it_is[0]) == half[2].item()


def test_a_teacher_speaks_of_its_sites_and_of_scenes_that_no_one_holds_out(portrait):
    whose = [("web01", "webcam"), ("nuaa02", "nuaa"), ("recapture-a", "recapture")]
    drawn = [(Picture(portrait, "", "train", 1, *who, face=FACE), None) for who in whose]
    drawn += [
        (Picture(portrait, "", "train", 0, "web01", face=FACE, behind=site), None) for site in ("web02", "nuaa02")
    ]
    samples = sampling.Samples(drawn, None, read_preset("steady", []), 0, speak_of=["web*", "!web*", ""])
    heard = [samples[i][2].tolist() for i in range(5)]
    assert heard[:3] == [[True, False, True], [False, True, True], [True, True, True]]
    assert heard[3:] == [[True, False, True], [False, False, True]]
