"""As much blur or noise as said in what the network sees, and what the table says of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spoofweb.contract import CONTRACT, read_card, verdict_rules
from spoofweb.face import Face
from spoofweb.graphs import CHECKPOINT
from spoofweb.pipeline import Observation
from spoofweb.resample import resample
from tests.pictures import astronaut
from tests.test_dataset import write_dataset
from training import faults
from training.dataset import Picture
from training.simulate.pictures import jpeg, linear

SIDE = CONTRACT["input"]["side"]
RULES = verdict_rules(read_card(CHECKPOINT.with_name("card.json")))
BOX = Face(0, 0, 25600, 25600, 60000, ())


def seen(margin: float, *reasons: str, face: Face | None = BOX) -> Observation:
    """A picture whose logit lies so far above the threshold."""
    logit = margin + RULES["threshold"] / RULES["logit_one"]
    return Observation([], face, [], [logit], logit if face else None, reasons=reasons)


@pytest.mark.parametrize("deviation", [2.0, 6.0])
def test_the_blur_is_of_light(deviation):
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[:, 100:] = 255
    edge = linear(faults.defocused(frame, deviation))[100, :, 0]
    assert 1 / (np.diff(edge).max() * np.sqrt(2 * np.pi)) == pytest.approx(deviation, rel=0.1)
    sharp = faults.defocused(frame, 0.0)
    assert np.array_equal(sharp, jpeg(frame, 88, 2))


@pytest.mark.parametrize("scale", [0.7, 1.1, 1.5, 3.0])
def test_noise_is_as_strong_in_what_the_network_sees(monkeypatch, scale):
    monkeypatch.setattr(faults, "jpeg", lambda frame, *_: frame)
    side = round(SIDE * scale)
    grey = np.full((side + 2, side + 2, 3), 128, np.uint8)
    crop = resample(faults.noised(grey, 8.0, scale), (1, 1, side + 1, side + 1), SIDE, SIDE)
    assert crop.astype(float).std() == pytest.approx(8.0, rel=0.15)
    assert np.array_equal(faults.noised(grey, 0.0, scale), grey)


@pytest.mark.parametrize("name", faults.FAULTS)
def test_a_picture_is_seen_at_every_deviation_and_its_own_scale(tmp_path, pipeline, name):
    Image.fromarray(astronaut()).save(tmp_path / "0.png")
    fault, asked = faults.FAULTS[name], []
    watched = replace(fault, put=lambda frame, *how: asked.append(how) or fault.put(frame, *how))
    picture = Picture(tmp_path / "0.png", "0.png", "val", 1, "a")
    found = faults.observations(picture, pipeline, watched)
    side = found[0].crops[0].side
    assert asked == [(deviation, pytest.approx(side / SIDE)) for deviation in fault.deviations]
    assert len({each.logit for each in found}) == len(fault.deviations)
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(tmp_path / "0.png")
    assert faults.observations(picture, pipeline, fault) == []


def test_the_table_counts_what_still_has_a_face():
    fault = replace(faults.FAULTS["blur"], deviations=(0.0, 1.0, 2.0))
    gone = seen(0.0, face=None)
    known = [
        (1, [seen(0.1, "blurred"), seen(-0.1, "too-dark", "blurred"), gone]),
        (1, [seen(0.0), seen(-5.0, "too-dark"), seen(1.0)]),
        (1, [seen(-0.1), gone, gone]),
        (0, [seen(-0.1), seen(0.1), gone]),
        (0, [seen(2.0), gone, gone]),
    ]
    assert faults.table(known, RULES, fault).splitlines()[2:] == [
        "| 0.0 | 33.3 % (1) | 0.0 % (0) | 0.0 % (0) | 50.0 % (1) | 50.0 % (1) | 0.0 % (0) |",
        "| 1.0 | 100.0 % (2) | 50.0 % (1) | 50.0 % (1) | – (0) | 100.0 % (1) | 40.0 % (2) |",
        "| 2.0 | 0.0 % (0) | 0.0 % (0) | – (0) | 0.0 % (0) | – (0) | 80.0 % (4) |",
    ]


def test_the_notes_have_the_tables_own_columns():
    notes = Path(faults.__file__).with_name("experiments.md").read_text().splitlines()
    assert all(faults.table([], RULES, fault).splitlines()[0] in notes for fault in faults.FAULTS.values())


@pytest.mark.parametrize("name", faults.FAULTS)
def test_a_run_prints_a_row_for_each_deviation(tmp_path, capsys, name):
    write_dataset(tmp_path / "data", splits=("val",), count=1)
    assert faults.main([str(CHECKPOINT), "--data", str(tmp_path / "data"), "--fault", name]) == 0
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [float(line[0].strip("| ")) for line in lines[2:]] == list(faults.FAULTS[name].deviations)
    assert lines[2][1] == "0.0 % (0)", "the portraits are live while nothing is wrong"
    assert {line[5] for line in lines[2:]} == {"0.0 % (0)"}, "and behind dots attacks always"
    assert faults.main([str(CHECKPOINT), "--data", str(tmp_path / "data"), "--every", "4"]) == 2, "one picture is left"


def test_a_class_without_a_face_is_an_error(tmp_path, capsys):
    for kind, frame in (("real", astronaut()), ("attack", np.zeros((90, 90, 3), np.uint8))):
        folder = tmp_path / "data/val" / kind / "a"
        folder.mkdir(parents=True)
        Image.fromarray(frame).save(folder / "0.png")
    assert faults.main([str(CHECKPOINT), "--data", str(tmp_path / "data")]) == 2
    assert "error: " in (told := capsys.readouterr().err) and "needs pictures with a face in each" in told
