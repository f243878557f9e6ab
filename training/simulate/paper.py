"""The print: ink on paper with halftone or dither, the paper's relief, curl and edge, in the light of the room."""

import math

import numpy as np
from PIL import Image
from scipy import ndimage

from training.simulate.draws import chance, log_uniform, pick
from training.simulate.hand import draw_fingers, draw_palm, drawn_hands, skin_colour
from training.simulate.medium import BORDERLESS_SHARE, as_file, placed
from training.simulate.pictures import LINEAR, Face, blurred, checked, linear, srgb, to_bytes, white_point
from training.simulate.pose import Pose, drawn_pose
from training.simulate.scene import reflections, surroundings
from training.simulate.shapes import Rect, coverage, ellipse_distance, rounded_distance

Range = tuple[float, float]

SHEET: tuple[Range, Range] = (1.2, 2.8), (1.0, 1.5)
"""What a print shows of the picture: its width in face sides, and its height to its width."""


def simulate_print(
    picture: np.ndarray,
    face: Face,
    rng: np.random.Generator,
    background: np.ndarray | None = None,
    *,
    borderless: bool | None = None,
    cut: tuple[Range, Range] = SHEET,
) -> tuple[np.ndarray, Face]:
    """The scene as a print held into an ideal sensor of the picture's size, before `camera`.

    Arguments and result as in `simulate_screen`; borderless: no edge of the paper is seen; cut: as SHEET.
    """
    picture, face = checked(picture, face)
    height, width = picture.shape[:2]
    borderless = chance(rng, BORDERLESS_SHARE) if borderless is None else borderless
    shown = as_file(picture, rng)
    skin = skin_colour(linear(picture), face, rng)
    bend = (rng.normal(0, 0.05), rng.normal(0, 0.02)) if chance(rng, 0.6) else (0.0, 0.0)
    content = None
    if not borderless:
        shown, face, content = placed(shown, face, rng, *cut)
    pose = drawn_pose(
        width,
        height,
        (shown.shape[1], shown.shape[0]),
        face,
        rng,
        fill=borderless,
        bend=bend,
        tilt=0.08 if borderless else 0.14,
        turn=2 if borderless else 6,
    )
    u, v = pose.pixels()
    light = printed(pose.sample(shown, (255, 255, 255) if content else None), u, v, rng)
    if content:
        on_print, on_paper, bounds = _paper_distance(u, v, pose, content, rng)
        paper = bare_paper(rng)
        light = paper + (light - paper) * coverage(on_print, 1.2)
    t = pose.across(u)
    slope = np.float32(rng.normal(0, 0.05)) * t + np.float32(4 * bend[0] * rng.uniform(-1, 1)) * t**2
    exposure = np.float32(np.exp(rng.normal(0.2, 0.25)))
    lamp = white_point(rng, 0.05) * exposure
    light = light * (np.clip(1 + slope, 0.4, 1.6)[..., None] * lamp) * paper_texture((height, width), rng)
    gloss = pick(rng, 0.15, rng.uniform(0.15, 0.8))
    light += reflections(picture if background is None else background, width, height, rng, gloss)
    if content:
        softness = rng.uniform(0.9, 2.2)
        around = linear(surroundings(picture, background, width, height, rng))
        light = _in_hand(light, around, pose, on_paper, bounds, skin, softness, rng)
    return to_bytes(srgb(light)), pose.sensor_face()


def _in_hand(
    light: np.ndarray,
    around: np.ndarray,
    pose: Pose,
    on_paper: np.ndarray,
    bounds: Rect,
    skin: np.ndarray,
    softness: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """The paper's light amid the light `around` it, with shadow and hand; `on_paper`: distance to its edge, px."""
    size = pose.face[2]
    shadow = np.float32(rng.uniform(0, 0.5)) * np.exp(-np.maximum(on_paper, 0) / (0.1 * size))
    around = around * (1 - shadow)[..., None]
    hands = drawn_hands(size * rng.uniform(0.06, 0.14), skin, softness, rng) if chance(rng, 0.7) else []
    for hand in hands:
        draw_palm(around, pose, bounds, hand, rng)
    out = around + (light - around) * coverage(on_paper, softness)
    for hand in hands:
        draw_fingers(out, pose, bounds, hand, rng)
    return out


def printed(shown: np.ndarray, u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reflectance of a print of the uint8 picture `shown`: ink on paper, float32 in 0..1."""
    if chance(rng, 0.12):
        shown = np.asarray(Image.fromarray(shown).convert("L").convert("RGB"))
    cover = 1 - (LINEAR ** np.float32(0.5 * rng.normal(1.0, 0.12))).take(shown)
    if chance(rng, 0.5):
        cover = _halftone(cover, u, v, rng)
    else:
        cover = _ink_noise(cover, rng)
    if chance(rng, 0.35):
        passes = rng.standard_normal(257).astype(np.float32)
        passes = ndimage.gaussian_filter1d(passes, rng.uniform(0.4, 1.5))
        height = max(float(np.ptp(v)), 1.0)
        at = (v - v.min()) * np.float32(rng.uniform(30, 256) / height)
        cover = cover + (np.float32(log_uniform(rng, 0.004, 0.03)) * passes[at.astype(np.int32)])[..., None]
    # Real inks are impure: each also absorbs some of its neighbours' light.
    impure = rng.uniform(0.02, 0.14)
    mix = np.full((3, 3), impure / 2) + np.eye(3) * (1 - 1.5 * impure)
    cover = np.clip(cover, 0, 1) @ mix.astype(np.float32)
    paper = np.float32(rng.uniform(0.72, 0.95)) * white_point(rng, 0.035)
    ink = np.float32(log_uniform(rng, 0.006, 0.05)) * white_point(rng, 0.08)
    return ink + (paper - ink) * (1 - cover) ** 2


def _halftone(cover: np.ndarray, u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ink coverage with the dot screens of a press, one angle an ink; evaluated as `screen.lattice` is."""
    turn = 2 * math.pi / log_uniform(rng, 0.45, 2.6)
    contrast = log_uniform(rng, 0.006, 0.1) if chance(rng, 0.9) else log_uniform(rng, 0.1, 0.25)
    out = cover.copy()
    for ink, angle in enumerate(np.radians((15, 75, 0))):
        # Dots are strongest at half coverage and vanish on bare paper and on full ink.
        out[..., ink] += np.float32(2 * contrast) * cover[..., ink] * (1 - cover[..., ink]) * dots(u, v, angle, turn)
    return out


def dots(u: np.ndarray, v: np.ndarray, angle: float, turn: float = 1.0) -> np.ndarray:
    """The two waves of a square dot screen at places u, v, float32 in -2..2; turn: radians per unit of length."""
    cos, sin = np.float32(turn * math.cos(angle)), np.float32(turn * math.sin(angle))
    return np.cos(u * cos + v * sin) + np.cos(v * cos - u * sin)


def _ink_noise(cover: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ink coverage with the grain of dithered droplets."""
    grain = rng.standard_normal(cover.shape, np.float32)
    if chance(rng, 0.6):
        grain = blurred(grain, rng.uniform(0.4, 0.9))
    return cover + np.float32(log_uniform(rng, 0.005, 0.06)) * grain * 2 * np.sqrt(np.clip(cover * (1 - cover), 0, 1))


def bare_paper(rng: np.random.Generator) -> np.ndarray:
    """Reflectance of paper without ink, float32 (3,)."""
    return np.float32(rng.uniform(0.78, 0.95)) * white_point(rng, 0.03)


def paper_texture(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Fibres and fine relief, float32 (H, W, 1), mean 1."""
    fine = blurred(rng.standard_normal(shape, np.float32), rng.uniform(0.6, 1.6))
    return (1 + fine * np.float32(log_uniform(rng, 0.004, 0.03)))[..., None]


def _paper_distance(
    u: np.ndarray, v: np.ndarray, pose: Pose, content: Rect, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, Rect]:
    """Signed distances to the printed area and to the paper's edge (px), and the paper's bounds."""
    side = pose.face[2]
    cu, cv = pose.centre
    if chance(rng, 0.15):
        ru, rv = side * rng.uniform(0.55, 0.8), side * rng.uniform(0.72, 0.95)
        edge = ellipse_distance(u, v, (cu, cv - 0.08 * side), ru, rv)
        if chance(rng, 0.5):
            # Head and shoulders: a second, wide ellipse below.
            shoulders = ellipse_distance(u, v, (cu, cv + 1.5 * side), rng.uniform(0.9, 1.3) * side, 0.9 * side)
            edge = np.minimum(edge, shoulders)
        edge = np.maximum(edge, rounded_distance(u, v, content, 0))
        u0, v0, u1, v1 = content
        bounds = (max(cu - ru, u0), max(cv - rv, v0), min(cu + ru, u1), min(cv + rv, v1))
        return edge + pick(rng, 0, rng.uniform(0, 0.05)) * side, edge, bounds
    margin = side * pick(rng, 0, 0, rng.uniform(0.02, 0.2))
    u0, v0, u1, v1 = content
    paper = (u0 - margin, v0 - margin, u1 + margin, v1 + margin)
    corner = side * pick(rng, 0, 0, 0.04)
    # A borderless print is inked to its very edge, one that was cut out often shows a hair of white.
    bleed = 2.0 if not margin and chance(rng, 0.6) else 0.0
    return rounded_distance(u, v, content, 0) - bleed, rounded_distance(u, v, paper, corner), paper
