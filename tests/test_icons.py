"""The icons: sizes, and shapes inside the circle that masks leave."""

import io

import numpy as np
import pytest
from PIL import Image

from spoofweb import icons


@pytest.mark.parametrize("side", [icons.TOUCH, *icons.SIZES])
def test_pngs(side):
    picture = Image.open(io.BytesIO(icons.icons()[f"icon-{side}.png"]))
    assert (picture.size, picture.mode) == ((side, side), "RGB")
    pixels = np.asarray(picture).astype(int)
    drawn = np.argwhere(np.abs(pixels - pixels[0, 0]).sum(axis=2) > 30)
    assert 0.05 < len(drawn) / side**2 < 0.3
    assert np.hypot(*(drawn + 0.5 - side / 2).T).max() <= 0.4 * side, "a round mask would cut the drawing"


def test_same_bytes_each_time():
    assert icons.icons() == icons.icons()
