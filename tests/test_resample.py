"""Resampling: the golden bytes, and what a triangle filter in fixed point must do."""

import make_vectors
import numpy as np
import pytest

from spoofweb.resample import resample


@pytest.mark.parametrize("row", make_vectors.read("resample"), ids=lambda row: f"{row[0]}")
def test_golden_bytes(row):
    """A Pillow that turns the order of the passes, or rounds otherwise, shows here."""
    seed, frame_width, frame_height, *box, width, height, wanted = row
    made = resample(make_vectors.pattern(seed, frame_width, frame_height), tuple(box), width, height)
    assert made.shape == (height, width, 3) and made.dtype == np.uint8
    assert make_vectors.short_hash(made) == wanted


def test_vectors_are_many():
    assert len(make_vectors.read("resample")) >= 200


def triangle(size: int, start: int, end: int, outputs: int) -> np.ndarray:
    """float64 [outputs, size]: the weights as the textbook has them, on pixel centres."""
    scale = (end - start) / outputs
    centres = start + (np.arange(outputs) + 0.5) * scale
    distance = np.abs(np.arange(size) + 0.5 - centres[:, None]) / max(scale, 1)
    weights = np.maximum(1 - distance, 0)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("frame", "box", "size"),
    [
        ((640, 480), (200, 100, 440, 340), (224, 224)),
        ((480, 640), (0, 0, 480, 640), (96, 128)),
        ((720, 1280), (10, 300, 700, 990), (224, 224)),
        ((60, 50), (7, 9, 19, 21), (224, 224)),
    ],
)
def test_is_a_triangle_filter(frame, box, size):
    pixels = make_vectors.pattern(5, *frame)
    across = triangle(frame[0], box[0], box[2], size[0])
    down = triangle(frame[1], box[1], box[3], size[1])
    exact = np.einsum("yr,rcd,xc->yxd", down, pixels.astype(np.float64), across, optimize=True)
    made = resample(pixels, box, *size)
    assert np.abs(made - exact).max() <= 1.01  # half a step for each of the two passes


def test_same_size_is_a_copy():
    frame = make_vectors.pattern(1, 50, 40)
    assert np.array_equal(resample(frame, (10, 5, 40, 35), 30, 30), frame[5:35, 10:40])


@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_flat_stays_flat(value):
    frame = np.full((333, 517, 3), value, np.uint8)
    assert (resample(frame, (11, 7, 501, 322), 224, 224) == value).all()


def test_the_filter_reads_beyond_the_box():
    frame = np.zeros((40, 40, 3), np.uint8)
    frame[:, 10:30] = 255
    inside = resample(frame, (10, 10, 30, 30), 5, 5)
    assert (inside[:, 0] < 255).all() and (inside[:, 2] == 255).all() and (inside[:, -1] < 255).all()
