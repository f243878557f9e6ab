"""Detections → faces: letterbox, weighted merging, order, overlap."""

import make_vectors
import numpy as np
import pytest
import scenes

from spoofweb.contract import CONTRACT
from spoofweb.face import Face, detector_input, faces, largest, letterbox, overlap_percent

RULES = CONTRACT["detector"]
SIDE, STEP, LEAST = RULES["side"], RULES["subpixel"], RULES["score_min"]
POINTS = tuple(range(12))


def detections(*rows: tuple) -> np.ndarray:
    """int32 [896, 17] of rows (score, x0, y0, x1, y1) in pixels of the detector's input."""
    made = np.zeros((896, 17), np.int32)
    for at, (score, *box) in enumerate(rows):
        made[at] = [score, *(round(value * STEP) for value in box), *POINTS]
    return made


@pytest.mark.parametrize("name", ["face", "letterbox", "overlap"])
def test_vectors_are_current(name):
    assert make_vectors.read(name) == make_vectors.VECTORS[name]()


@pytest.mark.parametrize("row", make_vectors.read("letterbox"), ids=lambda row: f"{row[0]}×{row[1]}")
def test_letterbox_is_inside_centred_and_keeps_the_aspect(row):
    width, height, *_ = row
    place = letterbox(width, height)
    assert SIDE in (place.width, place.height)
    assert 1 <= place.width <= SIDE and 1 <= place.height <= SIDE
    assert place.x == (SIDE - place.width) // 2 and place.y == (SIDE - place.height) // 2
    scale = SIDE / max(width, height)
    assert abs(place.width - max(1, width * scale)) <= 0.5
    assert abs(place.height - max(1, height * scale)) <= 0.5


def test_detector_input_is_black_around_the_frame():
    image = detector_input(np.full((240, 320, 3), 200, np.uint8))
    assert image.shape == (1, SIDE, SIDE, 3) and image.dtype == np.uint8
    assert (image[0, 16:112] == 200).all() and (image[0, :16] == 0).all() and (image[0, 112:] == 0).all()


def test_one_detection_becomes_one_face_in_frame_pixels():
    (face,) = faces(detections((60000, 32, 40, 64, 72)), 640, 640)
    assert (face.x0, face.y0, face.x1, face.y1) == (160 * STEP, 200 * STEP, 320 * STEP, 360 * STEP)
    assert face.score == 60000
    assert face.keypoints == tuple(value * 5 for value in POINTS)


def test_the_letterbox_is_taken_off():
    (face,) = faces(detections((60000, 32, 40, 64, 72)), 640, 480)
    assert (face.x0, face.y0, face.x1, face.y1) == (160 * STEP, 120 * STEP, 320 * STEP, 280 * STEP)


def test_scores_weigh_in_the_mean():
    (face,) = faces(detections((60000, 30, 30, 60, 60), (40000, 35, 30, 65, 60)), SIDE, SIDE)
    assert face.x0 == 32 * STEP and face.x1 == 62 * STEP and face.y0 == 30 * STEP
    assert face.score == 60000


def test_weak_detections_do_not_count():
    assert faces(detections((LEAST - 1, 30, 30, 60, 60)), SIDE, SIDE) == []
    (face,) = faces(detections((LEAST, 30, 30, 60, 60), (LEAST - 1, 40, 30, 70, 60)), SIDE, SIDE)
    assert face.x0 == 30 * STEP


def test_little_overlap_is_two_faces_best_first():
    found = faces(detections((40000, 10, 10, 40, 40), (60000, 30, 10, 60, 40)), SIDE, SIDE)
    assert [face.score for face in found] == [60000, 40000]


def test_a_box_inside_out_is_no_face():
    assert faces(detections((60000, 60, 30, 30, 60)), SIDE, SIDE) == []


def test_the_largest_is_judged():
    small, large = Face(0, 0, 10, 10, 9, ()), Face(0, 0, 20, 8, 5, ())
    assert largest([small, large]) is large
    assert largest([small, Face(5, 5, 15, 15, 3, ())]) is small
    assert largest([]) is None


@pytest.mark.parametrize(
    ("a", "b", "percent"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 100),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 33),
        ((0, 0, 10, 10), (0, 0, 5, 10), 50),
        ((-10, -10, 0, 0), (-5, -5, 5, 5), 14),
    ],
)
def test_overlap(a, b, percent):
    assert overlap_percent(a, b) == overlap_percent(b, a) == percent


def test_the_detector_finds_what_is_there(pipeline):
    frame = scenes.placed(480, 320, (130, 160, 200, 0), (350, 160, 200, 0))
    found = pipeline.faces(frame)
    assert len(found) == 2
    middles = sorted((face.x0 + face.x1) / 2 / STEP for face in found)
    assert middles == pytest.approx([130, 350], abs=20)
    assert pipeline.faces(np.full((240, 320, 3), 128, np.uint8)) == []
