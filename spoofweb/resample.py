"""Pixels → the exact bytes that the networks see. Twin: web/src/resample.js, a port of the same arithmetic."""

import numpy as np
from PIL import Image


def resample(frame: np.ndarray, box: tuple[int, int, int, int], width: int, height: int) -> np.ndarray:
    """Shrink or enlarge a part of a frame.

    frame: uint8 [H, W, 3]. box: left, top, right, bottom in whole pixels inside the frame, not empty.
    Returns uint8 [height, width, 3] by Pillow's BILINEAR: a triangle filter as wide as the shrinking factor, in 8-bit
    fixed point, a pass along each axis in Pillow 13's order. The filter reads the frame's own pixels beyond the box
    where there are any.
    """
    image = Image.fromarray(frame)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box))
