"""Pictures and videos become upright RGB frames, or a clear error."""

import av
import numpy as np
import pytest
from PIL import Image

from spoofweb.errors import SpoofwebError
from spoofweb.media import find_media, read_picture, read_video
from tests.pictures import astronaut


def write_video(path, frames, rate=10):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def test_png_comes_as_it_is(tmp_path):
    Image.fromarray(astronaut()).save(tmp_path / "a.png")
    assert np.array_equal(read_picture(tmp_path / "a.png"), astronaut())


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    Image.fromarray(astronaut()[:100]).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_picture(tmp_path / "a.png"), np.rot90(astronaut()[:100], -1))


def test_transparency_shows_black(tmp_path):
    pixels = np.dstack([astronaut(), np.zeros((512, 512), np.uint8)])
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert not read_picture(tmp_path / "a.png").any()


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK"])
def test_other_modes_become_rgb(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.fromarray(astronaut()).convert(mode).save(path)
    assert read_picture(path).shape == (512, 512, 3)


def test_sixteen_bit_grey_is_scaled(tmp_path):
    Image.fromarray(np.array([[0, 256, 40000, 65535]], np.uint16)).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png")[0, :, 0].tolist() == [0, 1, 156, 255]


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_transparent_colour_shows_black(tmp_path, mode):
    picture = Image.new(mode, (2, 1), 1 if mode == "P" else "white")
    if mode == "P":
        picture.putpalette([0, 0, 0, 255, 255, 255])
    key = (255, 255, 255) if mode == "RGB" else 1 if mode == "P" else 255
    picture.save(tmp_path / "a.png", transparency=key)
    assert not read_picture(tmp_path / "a.png").any()


def test_no_picture(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    Image.fromarray(astronaut()).save(tmp_path / "b.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:5000])
    for name in ("a.png", "b.png", "missing.png"):
        with pytest.raises(SpoofwebError, match=name):
            read_picture(tmp_path / name)


def test_video_frames_and_times(tmp_path):
    write_video(tmp_path / "a.mp4", [np.full((64, 96, 3), 20 * i, np.uint8) for i in range(6)])
    seen = list(read_video(tmp_path / "a.mp4"))
    assert [time for time, _ in seen] == [0, 100, 200, 300, 400, 500]
    for i, (_, frame) in enumerate(seen):
        assert frame.shape == (64, 96, 3) and abs(int(frame.mean()) - 20 * i) <= 4


def test_no_video(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    for name in ("a.mp4", "missing.mp4"):
        with pytest.raises(SpoofwebError, match=name):
            list(read_video(tmp_path / name))


def test_find_media(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/2.JPG", "1.mp4", "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in find_media(tmp_path)] == ["1.mp4", "2.JPG"]
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(SpoofwebError, match=path.name):
            find_media(path)
