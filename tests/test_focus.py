"""Out of focus by so many pixels of what the network sees, and what the table says of it."""

import numpy as np
import pytest
from PIL import Image

from spoofweb.contract import CONTRACT, read_card, verdict_rules
from spoofweb.crop import square
from spoofweb.face import Face
from spoofweb.graphs import CHECKPOINT
from spoofweb.pipeline import Observation
from spoofweb.resample import resample
from tests.pictures import astronaut
from tests.test_dataset import write_dataset
from training import focus

SIDE = CONTRACT["input"]["side"]
PERCENT = CONTRACT["crop"]["scales_percent"][0]
RULES = verdict_rules(read_card(CHECKPOINT.with_name("card.json")))
BOX = Face(0, 0, 25600, 25600, 60000, ())


def seen(margin: float, *reasons: str, face: Face | None = BOX) -> Observation:
    """A picture whose logit lies so far above the threshold."""
    logit = margin + RULES["threshold"] / RULES["logit_one"]
    return Observation([], face, [], [logit], logit if face else None, reasons=reasons)


@pytest.mark.parametrize("face_px", [60, 200])
def test_the_blur_is_as_wide_in_what_the_network_sees_whatever_the_face_measures(face_px):
    frame = np.zeros((640, 640, 3), np.uint8)
    frame[:, 320:] = 255
    low, high = (320 - face_px // 2) * 256, (320 + face_px // 2) * 256
    face = Face(low, low, high, high, 60000, ())
    edge = resample(focus.blurred(frame, face, 2.5), square(face, 640, 640, PERCENT).box, SIDE, SIDE)[SIDE // 2, :, 0]
    steepest = np.diff(edge.astype(float)).max() / 255
    assert 1 / (steepest * np.sqrt(2 * np.pi)) == pytest.approx(2.5, rel=0.12)
    assert np.array_equal(focus.blurred(frame, face, 0.0), frame)


def test_the_table_counts_what_still_has_a_face():
    count = len(focus.DEVIATIONS) - 1
    gone = [seen(0.0, face=None)] * count
    known = [
        (1, [seen(0.1)] + [seen(-0.1, "too-dark", "blurred")] * count),
        (1, [seen(0.0)] + [seen(-5.0, "too-dark")] * count),
        (1, [seen(-0.1)] + gone),
        (0, [seen(-0.1)] + [seen(0.1)] * count),
        (0, [seen(2.0)] + gone),
    ]
    first, *others = focus.table(known, RULES).splitlines()[2:]
    assert first == "| 0.0 | 33 % (1) | 0 % (0) | 50 % (1) | 0 % (0) |"
    assert [line.split(" | ", 1)[1] for line in others] == ["100 % (2) | 50 % (1) | 100 % (1) | 40 % (2) |"] * count


def test_a_run_judges_each_picture_at_every_deviation(tmp_path, capsys):
    write_dataset(tmp_path / "data", splits=("val",), count=1)
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(tmp_path / "data/val/real/val-a/dark.png")
    assert focus.main([str(CHECKPOINT), "--data", str(tmp_path / "data")]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [float(line.split("|")[1]) for line in lines] == list(focus.DEVIATIONS)
    assert "0 % (0)" in lines[0].split("|")[2], "the portrait is live while it is sharp"
    assert all("0 % (0)" in line.split("|")[4] for line in lines), "and behind dots an attack, sharp or not"


@pytest.mark.parametrize("kept", ["real", "none"])
def test_too_few_pictures_are_an_error(tmp_path, capsys, kept):
    folder = tmp_path / "data/val/real/a"
    folder.mkdir(parents=True)
    if kept == "real":
        Image.fromarray(astronaut()).save(folder / "0.png")
    assert focus.main([str(CHECKPOINT), "--data", str(tmp_path / "data")]) == 2
    assert "error: " in capsys.readouterr().err
