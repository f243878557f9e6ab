"""Pictures and videos become upright RGB frames, or a clear error."""

import struct
import zlib

import av
import clips
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


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_back(tmp_path, orientation):
    upright = astronaut()[:100, :60]
    # what a camera stores, by the side of the scene at its row 0 and its column 0 (TIFF 6.0, tag 274)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_picture(tmp_path / "a.png"), upright)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_half_transparent_is_half_as_bright(tmp_path, mode):
    kind = "tiff" if mode == "PA" else "png"
    picture = Image.new("RGBA", (2, 2), (200, 200, 200, 128)).convert("LA" if mode == "LA" else "RGBA")
    if mode == "PA":
        picture = Image.new("PA", (2, 2), (200, 128))
        picture.putpalette([value for grey in range(256) for value in (grey, grey, grey)])
    picture.save(tmp_path / f"a.{kind}")
    assert np.abs(read_picture(tmp_path / f"a.{kind}").astype(int) - 100).max() <= 1


def test_cmyk_keeps_its_colours(tmp_path):
    Image.new("RGB", (8, 8), (200, 60, 90)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_picture(tmp_path / "a.jpg").astype(int) - (200, 60, 90)).max() <= 6


def test_sixteen_bit_grey_of_another_format(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 4 1 65535\n" + np.array([0, 256, 40000, 65535], ">u2").tobytes())
    assert read_picture(tmp_path / "a.pgm")[0, :, 0].tolist() == [0, 1, 156, 255]


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_an_animation_shows_its_first_picture(tmp_path, kind):
    first, *others = (Image.new("RGB", (8, 8), (grey, grey, grey)) for grey in (30, 120, 220))
    first.save(tmp_path / f"a.{kind}", save_all=True, append_images=others, duration=100)
    assert np.abs(read_picture(tmp_path / f"a.{kind}").astype(int) - 30).max() <= 2


def test_one_pixel(tmp_path):
    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").tolist() == [[[1, 2, 3]]]


def test_forty_megapixels(tmp_path):
    Image.new("L", (8000, 5000), 7).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").shape == (5000, 8000, 3)


@pytest.mark.parametrize("side", [10_000, 30_000])
def test_a_decompression_bomb_is_refused_unopened(tmp_path, side):
    header = struct.pack(">II5B", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000)))):
        bomb += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    (tmp_path / "a.png").write_bytes(bomb)
    with pytest.raises(SpoofwebError, match="a.png: too large"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "bmp", "gif"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_truncated_picture_is_named(tmp_path, kind, share):
    Image.fromarray(astronaut()).save(tmp_path / f"a.{kind}")
    whole = (tmp_path / f"a.{kind}").read_bytes()
    (tmp_path / f"a.{kind}").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SpoofwebError, match=f"a.{kind}: not a readable picture"):
        read_picture(tmp_path / f"a.{kind}")


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


def test_a_variable_rate_keeps_its_times(tmp_path):
    times = [0, 40, 80, 1000, 1900, 2500]
    (tmp_path / "a.webm").write_bytes(clips.video(clips.greys(6), times))
    seen = list(read_video(tmp_path / "a.webm"))
    assert [time for time, _ in seen] == times
    for number, (_, frame) in enumerate(seen):
        assert abs(frame.mean() - clips.grey(number)) <= 3


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_video_comes_upright(tmp_path, quarters):
    content = clips.video([clips.corners(0)] * 3, [0, 100, 200], "mp4", "mpeg4")
    (tmp_path / "a.mp4").write_bytes(clips.turned(content, quarters))
    for _, frame in read_video(tmp_path / "a.mp4"):
        assert frame.shape == clips.corners(quarters).shape
        assert np.abs(frame.astype(int) - clips.corners(quarters)).mean() < 4


def test_times_never_go_back(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for frame, time in zip(clips.greys(4), (0, 3, 2, 4), strict=True):
            (packet,) = stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
            packet.pts = time
            container.mux(packet)
    assert [time for time, _ in read_video(tmp_path / "a.mkv")] == [0, 300, 300, 400]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sound.webm", clips.sound()),
        ("empty.webm", clips.empty("webm", "libvpx")),
        ("empty.mp4", clips.empty("mp4", "mpeg4")),
        ("nothing.mp4", b""),
        ("half.mp4", clips.video(clips.noises(6), clips.TIMES[:6], "mp4", "mpeg4")[:20_000]),
        ("spoilt.mp4", clips.spoilt(clips.video(clips.noises(6), clips.TIMES[:6], "mp4", "libvpx-vp9"))),
    ],
)
def test_a_video_without_whole_pictures_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SpoofwebError, match=name):
        list(read_video(tmp_path / name))


def test_of_a_cut_off_webm_the_frames_before_come(tmp_path):
    whole = clips.video(clips.noises(10), clips.TIMES[:10])
    (tmp_path / "a.webm").write_bytes(whole[: len(whole) // 2])
    times = [time for time, _ in read_video(tmp_path / "a.webm")]
    assert times == clips.TIMES[: len(times)] and 2 <= len(times) < 10


def test_find_media(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/2.JPG", "1.mp4", "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in find_media(tmp_path)] == ["1.mp4", "2.JPG"]
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing", tmp_path / (100 * "long")):
        with pytest.raises(SpoofwebError, match=path.name):
            find_media(path)
