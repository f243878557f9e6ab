"""The page computes what Python computes: same bytes, same integers, probabilities within 1e-4, same words."""

import io
import math

import make_vectors
import numpy as np
import pytest
from pictures import astronaut
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from scenes import scenes

from spoofweb import verdict
from spoofweb.contract import verdict_rules
from spoofweb.face import detector_input
from spoofweb.media import read_picture
from spoofweb.pipeline import Observation, crop_pixels

LIVE_TOLERANCE = 1e-4
JPEG_TOLERANCE = 1e-3  # two JPEG decoders may differ by a step of a pixel


@pytest.fixture(scope="module")
def rules(spoofnet) -> dict:
    """The verdict rules of the built site."""
    return verdict_rules(spoofnet.card)


# ---------------------------------------------------------------- the same arithmetic


def test_resample_is_pillow_to_the_byte(ready):
    rows = make_vectors.read("resample")
    assert len(rows) >= 200
    made = ready.call("resampled", rows)
    assert [row for row, got in zip(rows, made, strict=True) if row[-1] != got] == []


@pytest.mark.parametrize(
    ("vectors", "function", "answers"),
    [("crop", "cropped", 3), ("letterbox", "letterboxed", 4), ("overlap", "overlapped", 1)],
)
def test_integers(ready, vectors, function, answers):
    rows = make_vectors.read(vectors)
    wanted = [row[-answers:] if answers > 1 else row[-1] for row in rows]
    assert ready.call(function, rows) == wanted


def test_detections_become_the_same_faces(ready):
    cases = make_vectors.read("face")
    assert ready.call("detected", cases) == [case["faces"] for case in cases]


def test_the_verdict_takes_the_same_way(ready):
    vectors = make_vectors.read("verdict")
    assert ready.call("fixed", vectors) == [steps for _, steps in vectors["fixed"]]
    for case, states in zip(vectors["sequences"], ready.call("replayed", vectors), strict=True):
        assert states == case["states"], case["name"]


# ---------------------------------------------------------------- the same frames


def summary(seen: Observation, rules: dict) -> dict:
    """What parity.js tells of an observation."""
    steps = None if seen.logit is None else verdict.fixed(seen.logit, rules)
    listed = [[*face[:5], list(face.keypoints)] for face in seen.faces]
    return {
        "faces": listed,
        "face": None if seen.face is None else [*seen.face[:5], list(seen.face.keypoints)],
        "crops": [list(crop) for crop in seen.crops],
        "live": None if seen.logit is None else 1 / (1 + math.exp(-seen.logit)),
        "word": verdict.NONE if steps is None else verdict.word(steps, rules),
    }


@pytest.fixture(scope="module")
def judged(ready, pipeline, rules) -> list[tuple[str, np.ndarray, Observation, dict]]:
    """(name, frame, what Python sees, what the page sees) of every scene."""
    names, frames = zip(*scenes(), strict=True)
    urls = ready.hand_out("scene", [frame.tobytes() for frame in frames])
    entries = [
        {"url": url, "width": frame.shape[1], "height": frame.shape[0]} for url, frame in zip(urls, frames, strict=True)
    ]
    seen = ready.call("observeFrames", entries)
    return list(zip(names, frames, map(pipeline.observe, frames), seen, strict=True))


def test_the_scenes_are_varied(judged):
    counts = [len(reference.faces) for _, _, reference, _ in judged]
    assert len(counts) >= 60
    assert counts.count(0) >= 10 and counts.count(1) >= 30 and sum(count > 1 for count in counts) >= 4


def test_the_same_bytes_enter_the_detector(judged):
    wrong = [name for name, frame, _, seen in judged if seen["input"] != make_vectors.short_hash(detector_input(frame))]
    assert wrong == []


def test_the_same_faces_and_crops(judged):
    for name, frame, reference, seen in judged:
        assert (seen["height"], seen["width"]) == frame.shape[:2], name
        assert seen["crops"] == [list(crop) for crop in reference.crops], name
        assert len(seen["faces"]) == len(reference.faces), name


def test_face_boxes_are_equal(judged, rules):
    wrong = {
        name: (seen["faces"], summary(reference, rules)["faces"])
        for name, _, reference, seen in judged
        if [face[:4] for face in seen["faces"]] != [list(face[:4]) for face in reference.faces]
    }
    assert wrong == {}


def test_the_same_bytes_enter_spoofnet(judged):
    for name, frame, reference, seen in judged:
        if reference.face:
            assert seen["crops_hash"] == make_vectors.short_hash(crop_pixels(frame, reference.crops)), name


def test_the_same_probability_and_word(judged, rules):
    for name, _, reference, seen in judged:
        wanted = summary(reference, rules)
        assert seen["word"] == wanted["word"], name
        assert seen["live"] == pytest.approx(wanted["live"], abs=LIVE_TOLERANCE), name


# ---------------------------------------------------------------- a stream


def test_a_stream_is_judged_by_the_same_crops(ready, pipeline, rules):
    """Two streams that take turns, with a gap, another face, a frame without any, and a face that is refused."""
    still = astronaut()
    aside = np.roll(still, -200, axis=1)
    shown = [
        *((1, time_ms, np.clip(still.astype(int) + time_ms // 10, 0, 255).astype(np.uint8)) for time_ms in (0, 40, 80)),
        (2, 90, still),
        (1, 120, still),
        (2, 130, still),
        (1, 3000, still),
        (1, 3099, aside),  # not looked for yet
        (1, 3120, still),
        (1, 3140, aside),
        (1, 3240, np.zeros_like(still)),
        (1, 3300, still),
        (1, 3340, still),
        (1, 3380, still),
        (1, 3420, still // 12),
        (1, 3460, still // 12),
        (1, 3500, still),
    ]
    last, wanted = {}, []
    for stream, time_ms, frame in shown:
        # the page remembers one stream only: the other's frame makes it start anew
        last = {stream: pipeline.observe(frame, time_ms, last.get(stream))}
        wanted.append(last[stream])
    urls = ready.hand_out("stream", [frame.tobytes() for *_, frame in shown])
    seen = ready.call(
        "observeFrames",
        [
            {"url": url, "width": frame.shape[1], "height": frame.shape[0], "stream": stream, "timeMs": time_ms}
            for url, (stream, time_ms, frame) in zip(urls, shown, strict=True)
        ],
    )
    judged = [tuple(found["judged"]) for found in seen]
    assert judged == [found.judged for found in wanted]
    assert judged[:5] == [(0, 1), (0,), (1,), (0, 1), (0, 1)] and () in judged
    for mine, theirs in zip(seen, wanted, strict=True):
        assert mine["lookedMs"] == theirs.looked_ms and mine["crops"] == summary(theirs, rules)["crops"]
        assert mine["live"] == pytest.approx(summary(theirs, rules)["live"], abs=LIVE_TOLERANCE)


# ---------------------------------------------------------------- picture files


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    """A picture file's bytes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def translucent() -> Image.Image:
    """The astronaut, fading out from the middle of the face."""
    y, x = np.indices((512, 512)) - np.array([128, 224])[:, None, None]
    alpha = np.clip(255 - np.hypot(x, y), 0, 255).astype(np.uint8)
    return Image.fromarray(np.dstack([astronaut(), alpha]))


def turned(orientation: int) -> bytes:
    """A JPEG that only its EXIF orientation turns upright."""
    way_back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(astronaut()[:400]).transpose(way_back[orientation])
    return encoded(image, "jpeg", quality=92, exif=exif)


def pictures() -> dict[str, tuple[bytes, float]]:
    """Name → (a picture file, how far the live probabilities may be apart)."""
    whole = Image.fromarray(astronaut())
    made = {
        "plain.png": encoded(whole, "png"),
        "grey.png": encoded(whole.convert("L"), "png"),
        "palette.png": encoded(whole.quantize(200), "png"),
        "palette with a transparent colour.png": encoded(whole.quantize(200), "png", transparency=3),
        "translucent.png": encoded(translucent(), "png"),
        "gamma.png": encoded(whole, "png", pnginfo=gamma()),
        "lossless.webp": encoded(whole, "webp", lossless=True),
        "plain.bmp": encoded(whole, "bmp"),
    }
    jpegs = {
        "plain.jpg": encoded(whole, "jpeg", quality=90),
        "progressive.jpg": encoded(whole, "jpeg", quality=85, progressive=True),
        **{f"turned {orientation}.jpg": turned(orientation) for orientation in (3, 6, 8)},
    }
    exact = {name: (data, LIVE_TOLERANCE) for name, data in made.items()}
    return exact | {name: (data, JPEG_TOLERANCE) for name, data in jpegs.items()}


def gamma() -> PngInfo:
    """A chunk that asks for other colours than the stored ones."""
    info = PngInfo()
    info.add(b"gAMA", (100000).to_bytes(4, "big"))
    return info


def test_picture_files(ready, pipeline, rules, tmp_path):
    files = pictures()
    urls = ready.hand_out("picture", [data for data, _ in files.values()])
    for (name, (data, tolerance)), seen in zip(files.items(), ready.call("observePictures", urls), strict=True):
        path = tmp_path / name
        path.write_bytes(data)
        wanted = summary(pipeline.observe(read_picture(path)), rules)
        assert wanted["face"], name
        assert seen["crops"] == wanted["crops"], name
        assert seen["word"] == wanted["word"], name
        assert seen["live"] == pytest.approx(wanted["live"], abs=tolerance), name
