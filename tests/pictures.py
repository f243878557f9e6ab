"""Pictures that tests share: the astronaut (public domain, in scikit-image), placed and changed by code."""

from functools import cache

import numpy as np
from PIL import Image
from skimage import data

from spoofweb.face import Face

FACE_BOX = (160, 50, 290, 200)  # around the astronaut's face, px of its 512 × 512
FACE = Face(170 * 256, 60 * 256, 290 * 256, 180 * 256, 65536, ())  # as a detector might find it


@cache
def astronaut() -> np.ndarray:
    """uint8 [512, 512, 3]: one face, about 95 px, left of the middle."""
    return data.astronaut()


def halftoned(frame: np.ndarray, period: int = 4) -> np.ndarray:
    """A crude print of a uint8 [H, W, 3] picture: paper tone, less contrast and a dot screen of `period` px."""
    y, x = np.indices(frame.shape[:2])
    dots = 24 * np.cos(2 * np.pi * x / period) * np.cos(2 * np.pi * y / period)
    return np.clip(frame * 0.7 + 40 + dots[..., None], 0, 255).astype(np.uint8)


def scaled(frame: np.ndarray, side: int) -> np.ndarray:
    """A square picture at another size, uint8 [side, side, 3]."""
    return np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR))
