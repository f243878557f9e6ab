"""The paper mask: a printed face, cut out and worn over another one, so that head, hair and body are really there."""

import numpy as np
from PIL import Image

from training.simulate.draws import chance, pick
from training.simulate.medium import as_file, zoomed_out
from training.simulate.paper import bare_paper, paper_texture, printed
from training.simulate.pictures import Face, blurred, checked, linear, srgb, to_bytes, white_point
from training.simulate.pose import Pose, drawn_pose
from training.simulate.scene import reflections
from training.simulate.shapes import coverage, ellipse_distance, rounded_distance

WHITE = (255, 255, 255)


def simulate_mask(
    picture: np.ndarray, face: Face, rng: np.random.Generator, wearer: np.ndarray, wearer_face: Face
) -> tuple[np.ndarray, Face]:
    """The face of a picture as a paper mask on the wearer of another, before `camera`.

    Both uint8 [H, W, 3], of any sizes. Returns the wearer's picture with the mask, and a square about the printed face,
    as large as the one that it hides. SpoofwebError on bad input.
    """
    picture, face = checked(picture, face)
    wearer, (x, y, side) = checked(wearer, wearer_face)
    height, width = wearer.shape[:2]
    worn = side * rng.uniform(0.92, 1.15)
    middle = np.array([x, y]) + side / 2 + rng.normal(0, 0.03, 2) * side
    sheet = laid(as_file(picture, rng), face, (*(middle - worn / 2), worn), (width, height))
    # Paper before a head: its sides turn away a little, and so show more of the picture in less room.
    bend = (rng.normal(0, 0.08), rng.uniform(0, 0.15))
    seen = (*(middle - side / 2), side)
    pose = drawn_pose(width, height, (width, height), seen, rng, fill=False, bend=bend, tilt=0.05, turn=3)
    u, v = pose.pixels()
    cut = _outline(u, v, pose, rng)
    light = printed(pose.sample(sheet, WHITE), u, v, rng)
    paper = bare_paper(rng)
    rim = cut + np.float32(pick(rng, 0, 0, rng.uniform(0.005, 0.04)) * side)
    light = paper + (light - paper) * coverage(rim, 1.2)
    around = linear(wearer)
    light = _lit(light, around, cut < 0, pose.across(u), rng) * paper_texture((height, width), rng)
    light += reflections(wearer, width, height, rng, pick(rng, 0.1, rng.uniform(0.1, 0.6)))
    softness = rng.uniform(0.9, 2.0)
    worn_over = coverage(_with_holes(cut, u, v, pose, rng), softness)
    shade = np.float32(rng.uniform(0, 0.5)) * blurred(worn_over, max(0.5, rng.uniform(0.01, 0.05) * side))
    return to_bytes(srgb(around * (1 - shade) * (1 - worn_over) + light * worn_over)), pose.sensor_face()


def laid(picture: np.ndarray, face: Face, place: Face, size: tuple[int, int]) -> np.ndarray:
    """The picture on white ground of a size (width, height), its face moved and scaled to a place; uint8 [H, W, 3]."""
    small, _ = zoomed_out(picture, face, min(place[2] / face[2], 1.0))
    ky, kx = (new / old for new, old in zip(small.shape[:2], picture.shape[:2], strict=True))
    step = face[2] / place[2]  # px of the picture in one of the ground's
    left, top = ((face[axis] + face[2] / 2 - (place[axis] + place[2] / 2) * step) for axis in (0, 1))
    affine = (step * kx, 0, left * kx, 0, step * ky, top * ky)
    moved = Image.fromarray(small).transform(
        size, Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC, fillcolor=WHITE
    )
    return np.asarray(moved)


def _outline(u: np.ndarray, v: np.ndarray, pose: Pose, rng: np.random.Generator) -> np.ndarray:
    """Signed distance to where the mask was cut, px: round the face by hand, with its hair, or a whole sheet."""
    side, (cu, cv) = np.float32(pose.face[2]), pose.centre
    if chance(rng, 0.15):
        half, low, high = rng.uniform(0.55, 0.8) * side, rng.uniform(0.7, 1.0) * side, rng.uniform(0.6, 0.85) * side
        return rounded_distance(u, v, (cu - half, cv - low, cu + half, cv + high), pick(rng, 0, 0.1) * side)
    tall = rng.uniform(0.58, 0.75) if chance(rng, 0.7) else rng.uniform(0.75, 0.95)
    edge = ellipse_distance(u, v, (cu, cv - (tall - 0.58) * side), rng.uniform(0.45, 0.64) * side, tall * side)
    if chance(rng, 0.6):
        waves, turn = rng.integers(3, 10), rng.uniform(0, 6.3)
        edge = edge + side * np.float32(rng.uniform(0.005, 0.03)) * np.sin(waves * np.arctan2(v - cv, u - cu) + turn)
    return edge.astype(np.float32)


def _with_holes(cut: np.ndarray, u: np.ndarray, v: np.ndarray, pose: Pose, rng: np.random.Generator) -> np.ndarray:
    """The outline's distance, holes for the eyes and the mouth left out now and then."""
    side, (cu, cv) = pose.face[2], pose.centre
    holes = []
    if chance(rng, 0.35):
        apart, up = rng.uniform(0.17, 0.23), rng.uniform(0.12, 0.22)
        size = side * rng.uniform(0.05, 0.1), side * rng.uniform(0.03, 0.06)
        holes += [ellipse_distance(u, v, (cu + at * side, cv - up * side), *size) for at in (-apart, apart)]
    if chance(rng, 0.1):
        holes.append(ellipse_distance(u, v, (cu, cv + 0.28 * side), 0.12 * side, 0.05 * side))
    for hole in holes:
        cut = np.maximum(cut, -hole)
    return cut


def _lit(
    light: np.ndarray, around: np.ndarray, inside: np.ndarray, across: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The mask in the wearer's light: about as bright as the face it hides, a little darker where it turns away.

    inside: bool [H, W], where the mask is; across: float [H, W], see `Pose.across`.
    """
    hidden = around[inside].mean() / max(1e-3, light[inside].mean()) if inside.any() else 1.0
    exposure = np.float32(np.clip(hidden, 0.1, 3) * rng.uniform(0.8, 1.5))
    turned = np.float32(rng.normal(0, 0.12)) * across - np.float32(rng.uniform(0, 0.5)) * across**2
    return light * (np.clip(1 + turned, 0.4, 1.6)[..., None] * (white_point(rng, 0.05) * exposure))
