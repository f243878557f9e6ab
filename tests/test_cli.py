"""`spoofweb predict` prints what the pipeline and the verdict say, and names bad input."""

import json

import numpy as np
import pytest
from PIL import Image

from spoofweb import cli, verdict
from spoofweb.contract import read_card, verdict_rules
from spoofweb.graphs import CARD
from tests.pictures import astronaut
from tests.test_media import write_video

RULES = verdict_rules(read_card(CARD))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("media")
    Image.fromarray(astronaut()).save(root / "face.png")
    Image.fromarray(np.full((120, 160, 3), 90, np.uint8)).save(root / "wall.png")
    face, wall = astronaut()[:400], np.full((400, 512, 3), 90, np.uint8)
    write_video(root / "clip.mp4", [face] * 8 + [wall] * 12)
    return root


def rows(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_picture(folder, pipeline, capsys):
    assert cli.main(["predict", "--format", "json", str(folder / "face.png")]) == 0
    (row,) = rows(capsys)
    seen = pipeline.observe(astronaut())
    assert row["logit"] == seen.logit and row["crops"] == [list(crop) for crop in seen.crops]
    fixed = verdict.fixed(seen.logit, RULES)
    assert row["verdict"] == verdict.word(fixed, RULES)
    assert row["live"] == pytest.approx(1 / (1 + np.exp(-seen.logit)), abs=1e-3)


def test_no_face(folder, capsys):
    assert cli.main(["predict", "--format", "json", str(folder / "wall.png")]) == 0
    (row,) = rows(capsys)
    assert (row["faces"], row["live"], row["verdict"]) == (0, None, "none")


def test_video_has_a_row_per_frame_and_a_summary(folder, capsys):
    assert cli.main(["predict", "--format", "json", str(folder / "clip.mp4")]) == 0
    *frames, summary = rows(capsys)
    assert [row["frame"] for row in frames] == list(range(20)) and summary["frames"] == 20
    said = [row["verdict"] for row in frames]
    assert summary["words"] == [word for i, word in enumerate(said) if i == 0 or word != said[i - 1]]
    assert said[0] == "unsure" and said[-1] == "none"


def test_folder_as_a_table(folder, capsys):
    assert cli.main(["predict", str(folder)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split("\t") == list(cli.COLUMNS)
    assert len(lines) == 20 + 1 + 2 and all(len(line.split("\t")) == len(cli.COLUMNS) for line in lines)


def test_bad_files_are_named_and_the_others_judged(folder, tmp_path, capsys):
    (tmp_path / "broken.png").write_text("no picture")
    assert cli.main(["predict", str(tmp_path), str(folder / "face.png")]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ") and "broken.png" in shown.err
    assert "face.png" in shown.out


@pytest.mark.parametrize("arguments", [["missing"], ["--model", "missing.onnx", "."]])
def test_bad_arguments(arguments, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert cli.main(["predict", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: missing")


def test_foreign_model(folder, tmp_path, capsys):
    (tmp_path / "foreign.onnx").write_bytes(b"no graph")
    assert cli.main(["predict", "--model", str(tmp_path / "foreign.onnx"), str(folder / "face.png")]) == 2
    shown = capsys.readouterr()
    assert "error: the ONNX graph cannot be loaded" in shown.err and "live" not in shown.out.splitlines()[1:]
