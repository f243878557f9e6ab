"""The portrait photograph, as for a passport: one head before plain ground, cut small, held before another person."""

import numpy as np

from training.simulate.draws import chance
from training.simulate.paper import simulate_print
from training.simulate.pictures import Face, checked, to_bytes
from training.simulate.shapes import coverage, ellipse_distance

PORTRAIT = "portrait"  # the manifest's word for it
CUT = (1.2, 2.1), (1.15, 1.6)  # the print's width in face sides, and its height to its width
GROUNDS = ((235, 238, 238), (215, 218, 222), (60, 110, 190), (120, 170, 220), (180, 40, 45), (150, 155, 160))
GROUND_SHARES = (0.4, 0.2, 0.12, 0.12, 0.06, 0.1)


def simulate_portrait(
    picture: np.ndarray, face: Face, rng: np.random.Generator, holder: np.ndarray, holder_face: Face
) -> tuple[np.ndarray, Face]:
    """The face of a picture as a small print, held before the body or the room of another, before `camera`.

    Both uint8 [H, W, 3], of any sizes. Returns a picture of the first one's size, and the printed face's box.
    SpoofwebError on bad input.
    """
    picture, face = checked(picture, face)
    holder, holder_face = checked(holder, holder_face)
    if chance(rng, 0.75):
        picture = before_plain_ground(picture, face, rng)
    return simulate_print(picture, face, rng, _behind(holder, holder_face, rng), borderless=False, cut=CUT)


def before_plain_ground(picture: np.ndarray, face: Face, rng: np.random.Generator) -> np.ndarray:
    """The picture's head and shoulders, roughly cut out, before a studio's ground; uint8 [H, W, 3]."""
    x, y, side = face
    middle, height, width = x + side / 2, *picture.shape[:2]
    v, u = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    head = ellipse_distance(
        u, v, (middle, y + 0.38 * side), rng.uniform(0.58, 0.75) * side, rng.uniform(0.75, 0.95) * side
    )
    shoulders = ellipse_distance(u, v, (middle, y + 2.05 * side), rng.uniform(0.95, 1.35) * side, 0.9 * side)
    person = coverage(np.minimum(head, shoulders), rng.uniform(0.05, 0.15) * side)
    colour = np.array(GROUNDS[rng.choice(len(GROUNDS), p=GROUND_SHARES)]) * rng.uniform(0.85, 1.05)
    down, along = rng.normal(0, 0.05, 2)
    fall = 1 + np.float32(down) * (v / height - 0.5) + np.float32(along) * (u / width - 0.5)
    ground = fall[..., None] * (colour + rng.normal(0, 6, 3)).astype(np.float32)
    return to_bytes(ground + (picture - ground) * person)


def _behind(holder: np.ndarray, face: Face, rng: np.random.Generator) -> np.ndarray:
    """What is seen round the print: the holder below the chin, the whole picture, or a part of it from anywhere."""
    height, width = holder.shape[:2]
    chin = max(0, round(face[1] + 1.05 * face[2]))
    if height - chin >= height / 4 and chance(rng, 0.7):
        return holder[chin:]
    if chance(rng, 0.5):
        return holder
    tall, wide = (max(8, round(side * rng.uniform(0.3, 0.7))) for side in (height, width))
    top, left = rng.integers(0, (height - tall + 1, width - wide + 1))
    return holder[top : top + tall, left : left + wide]
