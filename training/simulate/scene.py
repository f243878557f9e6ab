"""What the room adds to a medium: the surroundings seen round it and the reflections seen on it."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.simulate.draws import chance, log_uniform, pick
from training.simulate.pictures import linear


def surroundings(
    picture: np.ndarray, background: np.ndarray | None, width: int, height: int, rng: np.random.Generator
) -> np.ndarray:
    """What is seen round the medium, uint8 (height, width, 3): another picture, or this one blurred."""
    image = Image.fromarray(picture if background is None else np.ascontiguousarray(background))
    part = rng.uniform(0.55, 0.9) if background is None else rng.uniform(0.8, 1.0)
    aspect = width / height
    box_w = min(image.width, image.height * aspect) * part
    box_h = min(image.height, image.width / aspect) * part
    x0, y0 = rng.uniform(0, 1, 2) * (image.width - box_w, image.height - box_h)
    image = image.resize((width, height), Image.Resampling.BILINEAR, box=(x0, y0, x0 + box_w, y0 + box_h))
    if chance(rng, 0.5):
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    share = rng.uniform(0.01, 0.05) if background is None else pick(rng, 0, rng.uniform(0, 0.012))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(share * max(width, height))))


def reflections(room: np.ndarray, width: int, height: int, rng: np.random.Generator, gloss: float) -> np.ndarray:
    """Linear light mirrored by a glossy surface, float32 (height, width, 3): lamps, windows, the room.

    `gloss` in 0..1 scales how much of it there is.
    """
    total = np.zeros((height, width, 3), np.float32)
    coarse = 96
    for probability, kind in ((0.3, "lamp"), (0.15, "window"), (0.4, "sheen")):
        if not chance(rng, probability * (0.4 + 0.6 * gloss)):
            continue
        canvas = Image.new("L", (coarse, coarse))
        draw = ImageDraw.Draw(canvas)
        cx, cy = rng.uniform(0, coarse, 2)
        if kind == "lamp":
            rx, ry = rng.uniform(3, 22, 2)
            draw.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), fill=255)
            blur, peak = rng.uniform(2, 10), log_uniform(rng, 0.03, 0.6)
        elif kind == "window":
            w, h, slant = rng.uniform(10, 40), rng.uniform(15, 50), rng.uniform(-12, 12)
            panes = int(rng.integers(1, 4))
            for pane in range(panes):
                a, b = cx + w * pane / panes, cx + w * (pane + 0.88) / panes
                draw.polygon([(a, cy), (b, cy + slant / panes), (b + slant, cy + h), (a + slant, cy + h)], fill=255)
            blur, peak = rng.uniform(0.8, 4), log_uniform(rng, 0.015, 0.2)
        else:
            angle = rng.uniform(0, 2 * math.pi)
            y, x = np.mgrid[-1 : 1 : coarse * 1j, -1 : 1 : coarse * 1j]
            ramp = np.clip((x * math.cos(angle) + y * math.sin(angle) + rng.uniform(-0.3, 1)) / 1.6, 0, 1)
            canvas = Image.fromarray((ramp * 255).astype(np.uint8))
            blur, peak = 1.0, log_uniform(rng, 0.01, 0.12)
        spot = canvas.filter(ImageFilter.GaussianBlur(blur)).resize((width, height), Image.Resampling.BICUBIC)
        tint = (gloss * peak / 255 * rng.uniform(0.88, 1.12, 3)).astype(np.float32)
        total += np.asarray(spot, np.float32)[..., None] * tint
    if chance(rng, 0.3 * gloss):
        mirrored = Image.fromarray(room[:, ::-1]).resize((coarse, coarse), Image.Resampling.BOX)
        mirrored = mirrored.filter(ImageFilter.GaussianBlur(rng.uniform(1, 4)))
        mirrored = mirrored.resize((width, height), Image.Resampling.BICUBIC)
        total += linear(np.asarray(mirrored)) * np.float32(log_uniform(rng, 0.01, 0.1))
    return total
