"""What every medium has in common: its kinds, the file it shows and the part of the picture on it."""

import numpy as np
from PIL import Image

from training.simulate.draws import chance
from training.simulate.pictures import Face, jpeg
from training.simulate.shapes import Rect

KINDS = ("print", "phone", "tablet", "monitor")
KIND_SHARES = (0.35, 0.35, 0.12, 0.18)
BORDERLESS_SHARE = 0.4


def as_file(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture as it was stored before being shown: sometimes fewer pixels, mostly JPEG."""
    height, width = picture.shape[:2]
    if chance(rng, 0.5):
        share = rng.uniform(0.35, 1)
        small = (max(4, round(width * share)), max(4, round(height * share)))
        image = Image.fromarray(picture).resize(small, Image.Resampling.BILINEAR)
        picture = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
    if chance(rng, 0.7):
        picture = jpeg(picture, int(rng.integers(35, 95)), 2)
    return picture


def zoomed_out(picture: np.ndarray, face: Face, share: float) -> tuple[np.ndarray, Face]:
    """A proper reduction, so that a smaller medium brings no aliasing of its own."""
    height, width = picture.shape[:2]
    size = max(4, round(width * share)), max(4, round(height * share))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    ratio = size[0] / width
    return small, (face[0] * ratio, face[1] * size[1] / height, face[2] * ratio)


def _content(
    plane: tuple[int, int],
    face: Face,
    widths: tuple[float, float],
    aspects: tuple[float, float],
    rng: np.random.Generator,
) -> Rect:
    """The part of the picture that the medium shows: widths in face sides, aspect = height / width."""
    x, y, side = face
    width = side * rng.uniform(*widths)
    height = max(width * rng.uniform(*aspects), 1.25 * side)
    cx = x + side / 2 + rng.uniform(-0.5, 0.5) * max(width - 1.15 * side, 0)
    cy = y + side / 2 + rng.uniform(-0.2, 0.5) * max(height - 1.15 * side, 0)
    return (
        max(cx - width / 2, 0.0),
        max(cy - height / 2, 0.0),
        min(cx + width / 2, float(plane[0])),
        min(cy + height / 2, float(plane[1])),
    )


def placed(
    picture: np.ndarray,
    face: Face,
    rng: np.random.Generator,
    widths: tuple[float, float],
    aspects: tuple[float, float],
) -> tuple[np.ndarray, Face, Rect]:
    """Chooses what the medium shows and, if it would fill the view, moves it back until its edge is seen."""
    height, width = picture.shape[:2]
    u0, v0, u1, v1 = _content((width, height), face, widths, aspects, rng)
    room = max((u1 - u0) / width, (v1 - v0) / height)
    share = rng.uniform(0.62, 0.92) / room if room > 0.92 else rng.uniform(0.85, 1.0)
    small, moved = zoomed_out(picture, face, min(share, 1.0))
    ru, rv = small.shape[1] / width, small.shape[0] / height
    # Whole px and off the rim, so that nothing of what lies beyond the content shines through at its edge.
    low = max(1.0, round(u0 * ru)), max(1.0, round(v0 * rv))
    high = min(small.shape[1] - 1.0, round(u1 * ru)), min(small.shape[0] - 1.0, round(v1 * rv))
    return small, moved, (*low, *high)
