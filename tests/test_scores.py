"""Scores are the pipeline's; calibration keeps their order and only shifts and divides."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

from spoofweb import checkpoint, metrics
from spoofweb.contract import CONTRACT
from spoofweb.graphs import CHECKPOINT
from spoofweb.media import read_picture
from tests.test_dataset import write_dataset
from training import calibrate, scores, turns


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("scores")
    write_dataset(root / "data", splits=("val", "test"), count=1)
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(root / "data/test/real/test-a/dark.png")
    (root / "manifest.csv").write_text("path,source,attack_type,minifasnet\nval/attack/val-a/0.png,web,print,0.25\n")
    arguments = [CHECKPOINT, "--data", root / "data", "--manifest", root / "manifest.csv", "--out", root / "own.csv"]
    assert scores.main([str(a) for a in [*arguments, "--peer", root / "peer.csv"]]) == 0
    return root


def table(path) -> dict[str, dict]:
    with open(path, newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def test_rows_are_what_the_pipeline_says(place, pipeline):
    rows = table(place / "own.csv")
    assert len(rows) == 9
    exported = scores.pipeline_of(CHECKPOINT)  # what is folded in an export has other last bits on other processors
    for name, row in rows.items():
        frame = read_picture(place / "data" / name)
        seen, shipped = exported.observe(frame), pipeline.observe(frame)
        assert row["logit"] == ("" if seen.logit is None else f"{seen.logit:.6f}")
        assert seen.logit == pytest.approx(shipped.logit, abs=1e-4)
        assert row["label"] == ("1" if "/real/" in name else "0") and row["split"] == name.split("/")[0]
    assert rows["test/real/test-a/dark.png"]["face_side"] == ""
    print_row = rows["val/attack/val-a/0.png"]
    assert (print_row["source"], print_row["species"]) == ("web", "print")


def test_measures(place):
    rows = table(place / "own.csv")
    plain, dotted = rows["val/real/val-a/0.png"], rows["val/attack/val-a/0.png"]
    assert 80 < float(plain["face_side"]) < 110
    assert 0 < float(plain["brightness"]) < 255
    assert float(dotted["sharpness"]) > 2 * float(plain["sharpness"])  # the dot screen is all edges


def test_peer_table(place):
    rows = table(place / "peer.csv")
    assert float(rows["val/attack/val-a/0.png"]["logit"]) == pytest.approx(np.log(0.25 / 0.75), abs=1e-5)
    assert rows["val/real/val-a/0.png"]["logit"] == ""


def test_calibration_adds_the_fitted_bias_and_divides_by_the_temperature(place, tmp_path, monkeypatch):
    made = tmp_path / "calibrated.safetensors"
    monkeypatch.setattr(calibrate, "fit", lambda logits, labels: (2.5, -0.75))
    assert calibrate.main([str(CHECKPOINT), str(place / "own.csv"), str(made)]) == 0
    before, after = checkpoint.load(CHECKPOINT), checkpoint.load(made)
    assert after[1] == before[1] and after[1]["scales_percent"] == CONTRACT["crop"]["scales_percent"]
    pixels = torch.rand((2, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain, calibrated = (net.eval()(pixels) for net, _ in (before, after))
    torch.testing.assert_close(calibrated, (plain - 0.75) / 2.5)


def test_the_fitted_calibration_undoes_scale_and_shift():
    random = np.random.default_rng(0)
    right = random.normal(0, 3, 20_000)
    labels = (random.random(20_000) < 1 / (1 + np.exp(-right))).astype(int)
    temperature, bias = calibrate.fit(4 * right - 6, labels)
    assert temperature == pytest.approx(4, rel=0.05) and bias == pytest.approx(6, abs=0.2)


def test_logits_that_never_err_are_not_made_surer_than_their_number_allows():
    labels = np.repeat([0, 1], (30, 50))
    temperature, bias = calibrate.fit(np.where(labels == 1, 9.0, -1.0), labels)
    sure = metrics.sigmoid((np.array([-1.0, 9.0]) + bias) / temperature)
    assert sure == pytest.approx([1 / 32, 51 / 52], abs=1e-3)


def test_a_calibration_never_turns_the_order_round():
    assert calibrate.fit(np.array([-5.0, 5]), np.array([1, 0])) == (metrics.TEMPERATURE_RANGE[1], 0)
    assert calibrate.fit(np.array([5.0, -5]), np.array([1, 0]))[0] > 0


def test_bad_input(place, tmp_path, capsys):
    (tmp_path / "no-table.csv").write_text("a,b\n1,2\n")
    for arguments in ([CHECKPOINT, tmp_path / "no-table.csv"], [tmp_path / "missing", place / "own.csv"]):
        assert calibrate.main([*map(str, arguments), str(tmp_path / "out")]) == 2
    assert scores.main([str(CHECKPOINT), "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    blocked = tmp_path / "file"
    blocked.touch()
    assert calibrate.main([str(CHECKPOINT), str(place / "own.csv"), str(blocked / "out")]) == 2
    assert capsys.readouterr().err.count("error: ") == 4
    assert not (tmp_path / "out").exists()


def test_clips_need_both_classes(tmp_path, capsys):
    root = write_dataset(tmp_path / "data")
    assert turns.main([str(CHECKPOINT), "--data", str(root)]) == 2
    assert "needs a site with 12 pictures in each of its classes" in capsys.readouterr().err
