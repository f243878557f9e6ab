"""Videos become two pictures a second; one that cannot be read is named, skipped and told by the exit status."""

import numpy as np
import pytest
from PIL import Image

from tests.test_media import write_video
from training import frames


def test_two_pictures_a_second(tmp_path):
    source = tmp_path / "videos/train/real/anna"
    source.mkdir(parents=True)
    write_video(source / "x.mp4", [np.full((64, 64, 3), 10 * i, np.uint8) for i in range(20)], rate=10)
    assert frames.main([str(tmp_path / "videos"), str(tmp_path / "out")]) == 0
    made = sorted((tmp_path / "out/train/real/anna").iterdir())
    assert [p.name for p in made] == [f"x.mp4-{i:04d}.jpg" for i in range(4)]
    levels = [np.asarray(Image.open(p)).mean() for p in made]
    assert np.allclose(levels, [0, 50, 100, 150], atol=5)


def test_a_late_start_and_equal_names(tmp_path, monkeypatch):
    source = tmp_path / "videos/train/real/anna"
    source.mkdir(parents=True)
    for name in ("x.mp4", "x.mkv"):
        (source / name).touch()
    late = [(10_000 + 100 * i, np.zeros((8, 8, 3), np.uint8)) for i in range(10)]
    monkeypatch.setattr(frames, "read_video", lambda _: iter(late))
    assert frames.main([str(tmp_path / "videos"), str(tmp_path / "out")]) == 0
    made = sorted(p.name for p in (tmp_path / "out/train/real/anna").iterdir())
    assert made == ["x.mkv-0000.jpg", "x.mkv-0001.jpg", "x.mp4-0000.jpg", "x.mp4-0001.jpg"]


def test_unreadable_video_is_named_and_leaves_nothing(tmp_path, capsys):
    source = tmp_path / "videos/val/attack/anna"
    source.mkdir(parents=True)
    (source / "broken.mp4").write_bytes(b"no video")
    write_video(source / "good.mp4", [np.zeros((64, 64, 3), np.uint8)] * 5)
    assert frames.main([str(tmp_path / "videos"), str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert "error: " in shown.err and "broken.mp4" in shown.err
    assert [p.name for p in (tmp_path / "out/val/attack/anna").iterdir()] == ["good.mp4-0000.jpg"]


def test_no_videos(tmp_path, capsys):
    assert frames.main([str(tmp_path), str(tmp_path / "out")]) == 2
    assert frames.main([str(tmp_path / "missing"), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("error: ") == 2
    assert not (tmp_path / "out").exists()


def test_hidden_files_and_names_in_another_case(tmp_path, capsys):
    source = tmp_path / "videos/train/real/anna"
    source.mkdir(parents=True)
    write_video(source / "x.mp4", [np.zeros((64, 64, 3), np.uint8)])
    (source / "._x.mp4").write_bytes(b"what an archive of another system leaves")
    assert frames.main([str(tmp_path / "videos"), str(tmp_path / "out")]) == 0
    (tmp_path / "videos/Val").mkdir()
    assert frames.main([str(tmp_path / "videos"), str(tmp_path / "out")]) == 2
    assert "Val: names are in lower case" in capsys.readouterr().err


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, capsys):
    resource = pytest.importorskip("resource")
    source = tmp_path / "videos/train/real/anna"
    source.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    write_video(source / "x.mp4", [noise] * 12, rate=10)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        status = frames.main([str(tmp_path / "videos"), str(tmp_path / "out")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    told = capsys.readouterr().err
    assert status == 2 and "anna: cannot be written (" in told and "None" not in told
    assert list((tmp_path / "out/train/real/anna").iterdir()) == []
