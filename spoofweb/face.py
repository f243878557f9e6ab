"""Frame → faces: letterbox in, integer detections out. Twin: web/src/face.js.

The network is BlazeFace short range (Bazarevsky et al. 2019, arXiv:1907.05047); its graph decodes the anchors and
rounds to fixed point, so everything here is integer arithmetic and the same on both sides.
"""

from typing import NamedTuple

import numpy as np

from spoofweb.contract import CONTRACT
from spoofweb.resample import resample

DETECTOR = CONTRACT["detector"]
SIDE, SUBPIXEL = DETECTOR["side"], DETECTOR["subpixel"]


class Face(NamedTuple):
    """A face in frame coordinates. All lengths in 1/256 px, `score` in 1/65536; a box may reach out of the frame."""

    x0: int
    y0: int
    x1: int
    y1: int
    score: int
    keypoints: tuple[int, ...]  # x, y of right eye, left eye, nose tip, mouth centre, right ear, left ear


class Letterbox(NamedTuple):
    """Where the whole frame lies inside the detector's square input, in whole pixels."""

    x: int
    y: int
    width: int
    height: int


def letterbox(width: int, height: int) -> Letterbox:
    """The largest centred placement of a width × height frame, aspect ratio kept to the nearest pixel."""
    longer = max(width, height)
    w = max(1, (2 * width * SIDE + longer) // (2 * longer))
    h = max(1, (2 * height * SIDE + longer) // (2 * longer))
    return Letterbox((SIDE - w) // 2, (SIDE - h) // 2, w, h)


def detector_input(frame: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] → uint8 [1, 128, 128, 3]: the frame shrunk into the letterbox, black around it."""
    height, width = frame.shape[:2]
    place = letterbox(width, height)
    image = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    shrunk = resample(frame, (0, 0, width, height), place.width, place.height)
    image[0, place.y : place.y + place.height, place.x : place.x + place.width] = shrunk
    return image


def faces(detections: np.ndarray, width: int, height: int) -> list[Face]:
    """All faces of a width × height frame, best score first.

    detections: int32 [896, 17], the detector's output: score, box, six keypoints, in fixed point of its input square.
    Overlapping detections become one by score-weighted means (BlazeFace's blending instead of suppression).
    """
    place = letterbox(width, height)
    rows = [[int(v) for v in row] for row in detections[detections[:, 0] >= DETECTOR["score_min"]]]
    rows.sort(key=lambda row: -row[0])
    found = []
    while rows:
        best = rows[0]
        group = [best] + [row for row in rows[1:] if _overlap(best, row)]
        rows = [row for row in rows[1:] if not _overlap(best, row)]
        weight = sum(row[0] for row in group)
        mean = [_divide(sum(row[0] * row[i] for row in group), weight) for i in range(1, 17)]
        xs = [_divide((v - place.x * SUBPIXEL) * width, place.width) for v in mean[0::2]]
        ys = [_divide((v - place.y * SUBPIXEL) * height, place.height) for v in mean[1::2]]
        keypoints = tuple(v for point in zip(xs[2:], ys[2:], strict=True) for v in point)
        found.append(Face(xs[0], ys[0], xs[1], ys[1], best[0], keypoints))
    return [face for face in found if face.x1 > face.x0 and face.y1 > face.y0]


def largest(found: list[Face]) -> Face | None:
    """The face that is judged: largest box area, the better score where equal; None if there is none."""
    return max(found, key=lambda face: (face.x1 - face.x0) * (face.y1 - face.y0), default=None)


def overlap_percent(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Intersection over union of two boxes (x0, y0, x1, y1; integers), in percent, rounded down."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    common = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return 100 * common // union


def _overlap(a: list[int], b: list[int]) -> bool:
    return overlap_percent(a[1:5], b[1:5]) >= DETECTOR["overlap_percent"]


def _divide(a: int, b: int) -> int:
    """a / b to the nearest integer, halves up; b > 0."""
    return (2 * a + b) // (2 * b)
