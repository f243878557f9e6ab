"""The hand that holds a medium: palm and forearm behind its body, fingers in front of its edge."""

from dataclasses import dataclass

import numpy as np

from training.simulate.draws import chance, log_uniform
from training.simulate.pictures import Face
from training.simulate.pose import Pose
from training.simulate.shapes import Rect, coverage


def skin_colour(light: np.ndarray, face: Face, rng: np.random.Generator) -> np.ndarray:
    """A hand's colour (linear, shape (3,)): the face's median, somewhat off, as hands are."""
    x, y, side = face
    height, width = light.shape[:2]
    x0, x1 = np.clip([x + 0.3 * side, x + 0.7 * side], 0, width).astype(int)
    y0, y1 = np.clip([y + 0.4 * side, y + 0.8 * side], 0, height).astype(int)
    patch = light[y0:y1, x0:x1] if x1 > x0 and y1 > y0 else light
    colour = np.median(patch.reshape(-1, 3), axis=0)
    usual = np.array([0.45, 0.24, 0.16], np.float32)
    mixed = 0.6 * colour + 0.4 * usual
    return (mixed * log_uniform(rng, 0.5, 1.5) * rng.uniform(0.93, 1.07, 3)).astype(np.float32)


@dataclass(frozen=True)
class Hand:
    """A hand that holds a body by `side` (-1 left, 1 right, 0 from below) at height `at` of its edge."""

    side: int
    at: float
    finger: float
    skin: np.ndarray
    lit: float
    softness: float


def drawn_hands(finger: float, skin: np.ndarray, softness: float, rng: np.random.Generator) -> list[Hand]:
    """One hand or one at each side; `finger`: a finger's radius in px of the plane, `softness`: of the edges, px."""
    sides = [(-1,), (1,), (-1, 1), (0,)][rng.choice(4, p=(0.2, 0.2, 0.4, 0.2))]
    lit = rng.uniform(-1, 1)
    return [Hand(side, rng.uniform(0.45, 0.95), finger, skin, lit, softness) for side in sides]


def _draw_finger(
    light: np.ndarray,
    tip: np.ndarray,
    root: np.ndarray,
    radius: float,
    skin: np.ndarray,
    softness: float,
    lit: float,
    nail: bool = False,
) -> None:
    """Draws a finger or an arm into `light` (in place): a capsule, wider at `root`, shaded like a cylinder.

    `lit` in -1..1 says from which side the light falls; `softness` is the width of the edge, px.
    """
    height, width = light.shape[:2]
    wide = 1.2 * radius + softness
    x0, y0 = np.floor(np.minimum(tip, root) - wide).astype(int)
    x1, y1 = np.ceil(np.maximum(tip, root) + wide).astype(int) + 1
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if x0 >= x1 or y0 >= y1:
        return
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32) + np.float32(0.5)
    length = max(float(np.hypot(*(root - tip))), 1e-3)
    ax, ay = (root - tip) / length
    along = (x - np.float32(tip[0])) * np.float32(ax) + (y - np.float32(tip[1])) * np.float32(ay)
    across = (y - np.float32(tip[1])) * np.float32(ax) - (x - np.float32(tip[0])) * np.float32(ay)
    share = np.clip(along / np.float32(length), 0, 1)
    reach = radius * (1 + 0.2 * share)
    distance = np.hypot(along - share * np.float32(length), across)
    round_off = np.sqrt(np.clip(1 - (distance / (1.08 * reach)) ** 2, 0, 1))
    shade = (0.3 + 0.7 * round_off) * (1 + np.float32(0.35 * lit) * across / reach)
    if nail:
        at_nail = np.hypot((along - 0.1 * radius) / (0.55 * radius), across / (0.5 * radius))
        shade = shade * (1 + 0.22 * np.clip(1.5 - 1.5 * at_nail, 0, 1))
    cover = coverage(distance - reach, softness)
    patch = light[y0:y1, x0:x1]
    light[y0:y1, x0:x1] = patch + (skin * shade[..., None] - patch) * cover


def draw_palm(room: np.ndarray, pose: Pose, body: Rect, hand: Hand, rng: np.random.Generator) -> None:
    """Draws palm and forearm behind the body (in place): they come from below or from the hand's side."""
    u0, v0, u1, v1 = body
    radius = hand.finger * rng.uniform(2.2, 3.2)
    if hand.side:
        edge = u0 if hand.side < 0 else u1
        palm = (edge - hand.side * radius * rng.uniform(-0.5, 0.5), v0 + hand.at * (v1 - v0))
    else:
        palm = (u0 + (u1 - u0) * rng.uniform(0.3, 0.7), v1)
    elbow = (
        palm[0] + (hand.side * rng.uniform(0, 1.2) + rng.normal(0, 0.2)) * 8 * radius,
        palm[1] + 8 * radius,
    )
    ends = pose.points(np.array([palm, elbow]))
    _draw_finger(room, ends[0], ends[1], radius, hand.skin * np.float32(0.75), hand.softness + 1, hand.lit)


def draw_fingers(light: np.ndarray, pose: Pose, body: Rect, hand: Hand, rng: np.random.Generator) -> None:
    """Draws fingers that reach round the body's edge (in place)."""
    u0, v0, u1, v1 = body
    nails = chance(rng, 0.5)
    for k in range(int(rng.integers(1, 5)) if hand.side else int(rng.integers(1, 3))):
        grip = hand.finger * (rng.uniform(-0.3, 1.0) if chance(rng, 0.8) else rng.uniform(1, 3))
        out, lean = hand.finger * rng.uniform(0.6, 2.0), hand.finger * rng.normal(0.4, 0.3)
        if hand.side:
            edge, at = (u0 if hand.side < 0 else u1), v0 + hand.at * (v1 - v0) - k * 2.0 * hand.finger
            tip, root = (edge - hand.side * grip, at), (edge + hand.side * out, at + lean)
        else:
            at = u0 + (u1 - u0) * hand.at + (k - 2) * 2.0 * hand.finger
            tip, root = (at, v1 - grip), (at + lean, v1 + 2 * out)
        ends = pose.points(np.array([tip, root]))
        _draw_finger(
            light,
            ends[0],
            ends[1],
            hand.finger * rng.uniform(0.85, 1.1),
            hand.skin * np.float32(rng.uniform(0.8, 1.1)),
            hand.softness + 1,
            hand.lit,
            nails,
        )
