"""What the gate `blurred` measures: how much detail there is, and how much of it is fine."""

import numpy as np
import pytest
from PIL import Image

from spoofweb import quality
from spoofweb.contract import CONTRACT
from spoofweb.face import Face
from spoofweb.quality import energy, measures, reasons
from spoofweb.resample import resample
from tests.pictures import astronaut
from training.faults import defocused

RULES = CONTRACT["quality"]
BLOCK = RULES["blur_block"]
SIDE = CONTRACT["input"]["side"]
CROP = astronaut()[:SIDE, 110 : 110 + SIDE]  # her face
FACE = Face(51200, 51200, 102400, 102400, 60000, (64000, 64000, 89600, 64000, 76800, 76800, 0, 0, 0, 0, 0, 0))


def refused(crop: np.ndarray) -> tuple[str, ...]:
    """What is said of a crop of a face in whose size, place and pose there is nothing to refuse."""
    return reasons(FACE, [FACE], 640, 600, crop, RULES)


def toned(contrast: float, light: float) -> np.ndarray:
    """The crop with another contrast round another mean."""
    return np.clip((CROP - CROP.mean()) * contrast + light, 0, 255).astype(np.uint8)


def test_energy_is_the_mean_square_of_what_a_place_differs_from_its_neighbours():
    ramp = np.arange(5)[None] * 7 + np.arange(5)[:, None] * 3
    assert energy(ramp) == 0
    peak = np.zeros((5, 5), int)
    peak[2, 2] = 3
    assert energy(peak) == (12**2 + 4 * 3**2) // 9 == 20
    peak[0] = 1  # the rim counts as a neighbour, but has no Laplacian of its own
    assert energy(peak) == (12**2 + 3 * 3**2 + (3 + 1) ** 2 + 2 * 1**2) // 9 == 21
    peak[0, 1], peak[2, 1] = 2, 1
    assert energy(peak) == (11**2 + 4**2 + 3 * 3**2 + 3 * 1**2) // 9 == 18, "rounded down"


def test_measures_of_squares_by_hand():
    squares = np.zeros((6, 6), np.uint8)
    squares[2, 3] = 100
    light, fine, coarse = measures(np.kron(squares[..., None], np.ones((BLOCK, BLOCK, 3), np.uint8)), BLOCK)
    bright = 100 * BLOCK**2
    assert light == bright
    assert fine == 16 * (((4 * bright) ** 2 + 4 * bright**2) // 16), "16 squares have four neighbours, 5 of them tell"
    assert coarse == (4 * bright) ** 2, "of the squares twice as wide only the one in the middle has four"


@pytest.mark.parametrize("light", [60, 125, 180])
@pytest.mark.parametrize("contrast", [0.2, 0.5, 1.0])
def test_blur_is_told_from_contrast_and_light(contrast, light):
    sharp = toned(contrast, light)
    assert refused(sharp) == ()
    assert refused(defocused(sharp, 2.5)) == refused(defocused(sharp, 4.0)) == ("blurred",)


def test_a_little_blur_is_no_reason():
    assert refused(defocused(CROP, 1.5)) == ()


@pytest.mark.parametrize("strength", [4, 6])
def test_noise_does_not_hide_that_a_blurred_face_has_no_detail(strength):
    noise = np.random.default_rng(0).normal(0, strength, CROP.shape)
    noisy = np.clip(defocused(toned(0.5, 125), 9.0) + noise, 0, 255).astype(np.uint8)
    _, fine, coarse = measures(noisy, BLOCK)
    assert 100 * fine > RULES["blur_percent"] * coarse, "what is fine is the noise's"
    assert refused(noisy) == ("blurred",)


def test_the_bounds_themselves_are_sharp_enough(monkeypatch):
    def said(fine: int, coarse: int) -> tuple[str, ...]:
        monkeypatch.setattr(quality, "measures", lambda *_: (125 * SIDE**2, fine, coarse))
        return refused(CROP)

    least = RULES["blur"] * (2 * BLOCK) ** 4
    widest = 100 * least // RULES["blur_percent"]
    assert said(least, widest) == ()
    assert said(least - 1, 0) == said(least, widest + 1) == ("blurred",)


@pytest.mark.parametrize("side", [64, 100])
def test_a_sharp_face_far_away_is_not_blurred(side):
    far = np.asarray(Image.fromarray(CROP).resize((side, side), Image.Resampling.BOX))
    assert refused(resample(far, (0, 0, side, side), SIDE, SIDE)) == ()


def test_the_smallest_crop_has_one_coarse_square_with_neighbours():
    noise = np.random.default_rng(0).integers(0, 256, (6 * BLOCK, 6 * BLOCK, 3), np.uint8)
    assert min(measures(noise, BLOCK)) > 0
