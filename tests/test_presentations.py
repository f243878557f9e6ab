"""Which simulated attacks pass: every medium shows the same pictures, and the table counts them by medium."""

from pathlib import Path

import numpy as np
from PIL import Image

from spoofweb.graphs import CHECKPOINT
from tests.pictures import astronaut
from tests.test_dataset import write_dataset
from tests.test_faults import RULES, seen
from training import presentations
from training.dataset import Picture


def test_every_medium_shows_the_picture_and_a_room_or_a_face_of_another(pipeline):
    portrait = presentations.located(astronaut(), pipeline)
    x, y, side = portrait[1]
    assert side > 50 and abs(x + side / 2 - 224) < 25 and abs(y + side / 2 - 115) < 25
    room = np.zeros((300, 260, 3), np.uint8)
    room[..., 1] = 220
    for name, medium in presentations.MEDIA.items():
        frame, _ = medium(portrait, (room, (80.0, 90.0, 90.0)), np.random.default_rng(3))
        code = frame.astype(int)
        green = float(np.mean(code[..., 1] - np.maximum(code[..., 0], code[..., 2]) > 60))
        shows_other = "no edge" not in name and name != presentations.LIVE
        assert (green > 0.01) == shows_other and frame.shape == portrait[0].shape, name
    assert presentations.located(room, pipeline) is None


def test_the_other_picture_is_of_another_site_and_hangs_on_no_place_in_the_list():
    pictures = [Picture(Path(f"{k}.jpg"), f"{k}.jpg", "val", 1, "abc"[k % 3]) for k in range(12)]
    found = [presentations.other(pictures, picture) for picture in pictures]
    assert all(mine.site != their.site for mine, their in zip(pictures, found, strict=True))
    assert found[4:] == [presentations.other(pictures, picture) for picture in pictures[4:]]
    assert len(set(map(id, found))) > 4


def test_a_face_beside_the_presented_one_is_not_judged_in_its_place(tmp_path, pipeline, monkeypatch):
    Image.fromarray(astronaut()).save(tmp_path / "0.png")
    picture = Picture(tmp_path / "0.png", "0.png", "val", 1, "a")
    shown = astronaut(), (400.0, 300.0, 60.0)
    monkeypatch.setattr(presentations, "MEDIA", {"off": lambda *_: shown, "on": lambda shot, *_: shot})
    found = presentations.presented(picture, picture, pipeline)
    assert found["off"] is None and found["on"].face


def test_the_table_counts_what_still_has_a_face():
    media = list(presentations.MEDIA)
    rows = [
        {name: seen(0.0 if name == presentations.LIVE else margin) for name in media} for margin in (0.1, -0.1, -50)
    ]
    rows[2]["mask"] = None
    lines = presentations.table(rows, RULES).splitlines()[2:]
    assert [line.split(" | ")[0].strip("| ") for line in lines] == media
    assert lines[0] == "| live | 100.0 % (3) | 0.0 % (0) | – | 0.0 % (0) |"
    assert lines[1] == f"| {media[1]} | 33.3 % (1) | 33.3 % (1) | 0.667 | 0.0 % (0) |"
    assert lines[-1] == "| mask | 50.0 % (1) | 0.0 % (0) | 0.500 | 33.3 % (1) |"


def test_the_notes_have_the_tables_own_columns_and_media():
    notes = Path(presentations.__file__).with_name("experiments.md").read_text()
    assert presentations.table([], RULES).splitlines()[0] in notes.splitlines()
    assert all(f"\n| {name} | " in notes for name in presentations.MEDIA)


def test_a_run_prints_a_row_for_each_medium(tmp_path, capsys):
    write_dataset(tmp_path / "data", splits=("val",), count=1)
    assert presentations.main([str(CHECKPOINT), "--data", str(tmp_path / "data")]) == 0
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [line[0].strip("| ") for line in lines[2:-2]] == list(presentations.MEDIA)
    assert lines[-1] == ["Of 2 of 2 live pictures: in these a face is found."]


def test_pictures_of_one_site_have_nothing_behind_them(tmp_path, capsys):
    write_dataset(tmp_path / "data", splits=("val",), count=1)
    assert presentations.main([str(CHECKPOINT), "--data", str(tmp_path / "data"), "--every", "2"]) == 2
    assert "live pictures of two sites" in capsys.readouterr().err


def test_a_split_without_a_face_is_an_error(tmp_path, capsys):
    for kind in ("real", "attack"):
        for site in ("a", "b"):
            folder = tmp_path / "data/val" / kind / site
            folder.mkdir(parents=True)
            Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(folder / "0.png")
    assert presentations.main([str(CHECKPOINT), "--data", str(tmp_path / "data")]) == 2
    assert "a face is found" in capsys.readouterr().err


def test_a_picture_without_a_face_is_not_presented_and_one_with_a_face_always_alike(tmp_path, pipeline):
    Image.fromarray(astronaut()).save(tmp_path / "0.png")
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(tmp_path / "1.png")
    face, none = (Picture(tmp_path / f"{k}.png", f"{k}.png", "val", 1, "ab"[k]) for k in (0, 1))
    assert presentations.presented(face, none, pipeline) == presentations.presented(none, face, pipeline) == {}
    first, second = (presentations.presented(face, face, pipeline) for _ in range(2))
    assert list(first) == list(presentations.MEDIA) and first["live"].face
    assert all((first[name] and first[name].logit) == (second[name] and second[name].logit) for name in first)
