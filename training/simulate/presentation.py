"""From a live picture to a training picture: through a medium and the camera, or through the camera alone."""

import numpy as np

from training.simulate.camera import camera
from training.simulate.draws import chance
from training.simulate.mask import simulate_mask
from training.simulate.medium import KIND_SHARES, KINDS
from training.simulate.paper import simulate_print
from training.simulate.pictures import Face, checked
from training.simulate.portrait import PORTRAIT, simulate_portrait
from training.simulate.pose import drawn_pose
from training.simulate.screen import simulate_screen

PAIRS = {"mask": simulate_mask, PORTRAIT: simulate_portrait}
"""What needs two people, by its kind: one is printed, the other wears or holds it."""


def simulate(
    picture: np.ndarray, face: Face, rng: np.random.Generator, background: np.ndarray | None = None
) -> tuple[np.ndarray, Face, str]:
    """An attack presentation of a live picture, camera included: (picture, face, kind), kind one of KINDS.

    `background`: what is seen round the medium; the picture itself, blurred, if None. SpoofwebError on bad input.
    """
    kind = str(rng.choice(KINDS, p=KIND_SHARES))
    return *present(kind, picture, face, rng, background), kind


def present(
    kind: str,
    picture: np.ndarray,
    face: Face,
    rng: np.random.Generator,
    background: np.ndarray | None = None,
    borderless: bool | None = None,
) -> tuple[np.ndarray, Face]:
    """As `simulate`, by a medium of one of KINDS: (picture, face). borderless: no edge is seen; drawn if None."""
    if kind == "print":
        attack, box = simulate_print(picture, face, rng, background, borderless=borderless)
    else:
        attack, box = simulate_screen(picture, face, rng, background, kind=kind, borderless=borderless)
    return _taken(attack, rng), box


def present_pair(
    kind: str, picture: np.ndarray, face: Face, rng: np.random.Generator, other: np.ndarray, other_face: Face
) -> tuple[np.ndarray, Face]:
    """A live picture's face as one of PAIRS, worn or held by another's person, camera included: (picture, face).

    SpoofwebError on bad input.
    """
    attack, box = PAIRS[kind](picture, face, rng, other, other_face)
    return _taken(attack, rng), box


def recapture_live(picture: np.ndarray, face: Face, rng: np.random.Generator) -> tuple[np.ndarray, Face]:
    """A live picture through the resampling and the camera that attacks go through, without a medium.

    SpoofwebError on bad input.
    """
    picture, face = checked(picture, face)
    height, width = picture.shape[:2]
    if chance(rng, 0.7):
        pose = drawn_pose(width, height, (width, height), face, rng, fill=True, tilt=0.05, turn=2)
        picture, face = pose.sample(picture), pose.sensor_face()
    return _taken(picture, rng), face


def _taken(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture by a camera that is drawn, as good or bad as they come."""
    strength = float(rng.uniform(0.2, 1.0))
    return camera(picture, rng, strength)
