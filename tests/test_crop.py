"""The square crop: always inside the frame, shifted rather than stretched, shrunk only where it must be."""

import random

import make_vectors
import pytest

from spoofweb.contract import CONTRACT
from spoofweb.crop import square
from spoofweb.face import Face

STEP = CONTRACT["detector"]["subpixel"]


def face(x0: float, y0: float, x1: float, y1: float) -> Face:
    """A face with its box in pixels."""
    return Face(*(round(value * STEP) for value in (x0, y0, x1, y1)), 60000, ())


def test_vectors_are_current():
    assert make_vectors.read("crop") == make_vectors.crop_vectors()


@pytest.mark.parametrize("seed", range(20))
def test_is_inside_the_frame_and_as_near_as_can_be(seed):
    draw = random.Random(seed)
    for _ in range(50):
        width, height = draw.randint(1, 1500), draw.randint(1, 1500)
        x0, y0 = draw.uniform(-width, width), draw.uniform(-height, height)
        box = face(x0, y0, x0 + draw.uniform(0.1, width), y0 + draw.uniform(0.1, height))
        percent = draw.choice((100, 120, 270))
        crop = square(box, width, height, percent)
        left, top, right, bottom = crop.box
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert right - left == bottom - top == crop.side

        wanted = max(box.x1 - box.x0, box.y1 - box.y0) / STEP * percent / 100
        assert crop.side == pytest.approx(min(wanted, width, height), abs=1)
        for start, low, high, limit in ((left, box.x0, box.x1, width), (top, box.y0, box.y1, height)):
            ideal = (low + high) / 2 / STEP - crop.side / 2
            assert start == pytest.approx(min(max(ideal, 0), limit - crop.side), abs=0.51)


def test_of_a_face_in_the_middle():
    assert square(face(100, 100, 200, 180), 640, 480, 120) == (90, 80, 120)


def test_at_the_edge_it_is_shifted_and_keeps_its_side():
    middle, edge = face(300, 200, 400, 300), face(-20, 200, 80, 300)
    assert square(edge, 640, 480, 130).side == square(middle, 640, 480, 130).side == 130
    assert square(edge, 640, 480, 130).x == 0


def test_a_face_larger_than_the_frame_takes_the_shorter_side():
    assert square(face(-50, -50, 700, 600), 640, 480, 120) == (85, 0, 480)


def test_a_vanishing_face_still_has_a_pixel():
    assert square(Face(0, 0, 1, 1, 60000, ()), 640, 480, 33).side == 1
