"""What a picture goes through before the network sees it in training. Nothing here depends on the label."""

import io

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from spoofweb.contract import CONTRACT
from spoofweb.crop import square
from spoofweb.face import Face
from spoofweb.resample import resample
from training.dataset import bare, face_middle, face_side, moved
from training.simulate.draws import log_uniform
from training.simulate.paper import dots
from training.simulate.pictures import blurred, linear, srgb, to_bytes

SIDE = CONTRACT["input"]["side"]
PATCH_LEAST = 24  # px, side of a patch that is still worth looking at
RESAMPLERS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)

original = v2.Compose(
    [
        v2.RandomHorizontalFlip(),
        v2.RandomResizedCrop(SIDE, scale=(0.9, 1.0), antialias=True),
        v2.ColorJitter(0.2, 0.2, 0.2, 0.05),
    ]
)
"""The original recipe on a uint8 [3, 224, 224] crop; draws from torch's global generator."""


def views(frame: np.ndarray, face: Face, rng: np.random.Generator, config: dict, dotted: bool = False) -> torch.Tensor:
    """A frame as some other camera at some other distance could have seen it, cropped: uint8 [K, 3, 224, 224].

    frame: uint8 [H, W, 3] RGB. config: a preset (presets.toml): scale_ranges, K pairs of percent of the face side, one
    crop drawn from each, the closest first; patch_share, bare_share, plain_share, noisy_share, least_side. dotted: a
    coarse print.
    """
    if picked(config["patch_share"], rng):
        frame, face = patch(frame, face, rng)
    if rng.random() < config["bare_share"]:
        frame, face = bare(frame, face, int(rng.integers(110, 201)))
    plain = picked(config["plain_share"], rng)
    image, ratio = Image.fromarray(frame), 1.0
    if not plain:
        image, ratio = shrink(image, face, rng, config["least_side"])
        image = recolour(image, rng)
    closest = sum(config["scale_ranges"][0]) / 200 * face_side(face) * ratio  # the crop's side, px, where it has room
    if picked(config["noisy_share"], rng):
        image = noisy(image, min(closest, *image.size), rng)
    pixels = np.asarray(image if plain else degrade(image, rng))
    if dotted:
        pixels = screened(pixels, closest, rng)
    height, width = pixels.shape[:2]
    crops = []
    for low, high in config["scale_ranges"]:
        crop = square(jitter(face, ratio, rng), width, height, int(rng.integers(low, high + 1)))
        crops.append(resample(pixels, crop.box, SIDE, SIDE))
    stacked = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
    return F.horizontal_flip(stacked) if rng.random() < 0.5 else stacked


def picked(share: float, rng: np.random.Generator) -> bool:
    """True for a share of all pictures; for 0 nothing is drawn, so that runs of presets without it stay repeatable."""
    return share > 0 and rng.random() < share


def patch(frame: np.ndarray, face: Face, rng: np.random.Generator) -> tuple[np.ndarray, Face]:
    """A part of the face alone, 40..80 % of its side, with a square inside it to be looked at as if it were a face.

    What is left is the medium: skin, paper or pixels. Both stay as they are where the part would be too small.
    """
    one = CONTRACT["detector"]["subpixel"]
    part = face_side(face) * rng.uniform(0.4, 0.8)
    shift = rng.uniform(-0.5, 0.5, 2) * (face_side(face) - part)
    middle = np.array(face_middle(face)) + shift
    left, top, right, bottom = np.concatenate([middle - part / 2, middle + part / 2]).round().clip(0).astype(int)
    cut = frame[top:bottom, left:right]
    size = np.array(cut.shape[1::-1])
    if min(size) < PATCH_LEAST:
        return frame, face
    half = min(size) * rng.uniform(0.5, 0.8) / 2
    corners = np.concatenate([size / 2 - half, size / 2 + half]) * one
    return cut, Face(*(round(value) for value in corners), face.score, ())


def pasted(frame: np.ndarray, face: Face, rng: np.random.Generator) -> tuple[np.ndarray, Face]:
    """A square of 120..330 % of the face's side, alone on plain ground up to 2.5 times as wide and as high.

    Its edges are no medium's, and tell nothing.
    """
    cut, face = bare(frame, face, int(rng.integers(120, 331)))
    height, width = cut.shape[:2]
    tall, wide = (np.array([height, width]) * rng.uniform(1, 2.5, 2)).astype(int)
    ground = np.empty((tall, wide, 3), np.uint8)
    ground[:] = (rng.uniform(0, 255) + rng.normal(0, 12, 3)).clip(0, 255)
    y, x = rng.integers(0, (tall - height + 1, wide - width + 1))
    ground[y : y + height, x : x + width] = cut
    return ground, moved(face, int(x), int(y))


def screened(pixels: np.ndarray, side: float, rng: np.random.Generator) -> np.ndarray:
    """The picture as a coarse print: less contrast, and the dots of one ink or of three. side: of its crop, px.

    The dots are 2..8 px apart, of the picture or of the crop, whichever are larger: the network can see them.
    """
    period = log_uniform(rng, 2, 8) * max(1.0, side / SIDE)
    y, x = np.indices(pixels.shape[:2], np.float32) * np.float32(2 * np.pi / period)
    ink, paper = 255 * rng.uniform(0, 0.25), 255 * rng.uniform(0.75, 1)
    strength = 255 * log_uniform(rng, 0.05, 0.2)
    turn, inks = rng.uniform(0, np.pi / 2), np.radians((15, 75, 0)) if rng.random() < 0.5 else np.zeros(3)
    printed = ink + pixels * np.float32((paper - ink) / 255)
    for channel, angle in enumerate(inks + turn):
        printed[..., channel] += np.float32(strength / 2) * dots(x, y, angle)
    return np.clip(printed + 0.5, 0, 255).astype(np.uint8)


def noisy(image: Image.Image, side: float, rng: np.random.Generator) -> Image.Image:
    """The picture, as bright as it was, with the noise of a dim room. side: of its closest crop, px.

    Its variance grows with the light; at middle grey its deviation, averaged over each pixel of the network's, is 1..13
    in 255, of which resampling leaves two thirds. Every second time softened, as by a denoiser.
    """
    variance, soft = np.float32(log_uniform(rng, 1e-4, 1e-2)), rng.uniform(0.4, 1)
    light = linear(np.asarray(image))
    grain = rng.standard_normal(light.shape, np.float32)
    scale = max(1.0, side / SIDE)  # px of the picture in one of the network's, over which noise is averaged
    if rng.random() < 0.5:
        grain = blurred(grain, soft * scale)
        grain /= grain.std()
    else:
        grain *= np.float32(scale)
    return Image.fromarray(to_bytes(srgb(light + grain * np.sqrt(variance * (light + np.float32(0.02))))))


def shrink(image: Image.Image, face: Face, rng: np.random.Generator, least_side: int) -> tuple[Image.Image, float]:
    """The picture from farther away, so that face size says nothing about the label; with the shrinking ratio."""
    wanted = log_uniform(rng, least_side, 320)
    ratio = min(1.0, wanted / face_side(face))
    return resize(image, ratio, rng), ratio


def somewhere(frame: np.ndarray, rng: np.random.Generator) -> Face:
    """A square anywhere in a picture without a face, to be looked at as if it were one."""
    height, width = frame.shape[:2]
    side = rng.uniform(0.25, 0.6) * min(height, width)
    x, y = rng.uniform(0, (width - side, height - side))
    one = CONTRACT["detector"]["subpixel"]
    return Face(*(round(value * one) for value in (x, y, x + side, y + side)), CONTRACT["detector"]["score_one"], ())


def resize(image: Image.Image, ratio: float, rng: np.random.Generator) -> Image.Image:
    """Both sides times a ratio, at least 16 px, by a filter drawn at random."""
    size = tuple(max(16, round(side * ratio)) for side in image.size)
    return image if size == image.size else image.resize(size, RESAMPLERS[rng.integers(len(RESAMPLERS))])


def jitter(face: Face, ratio: float, rng: np.random.Generator) -> Face:
    """The face in the shrunk picture, shifted by up to 6 % of its side as another detector would."""
    dx, dy = rng.uniform(-0.06, 0.06, 2) * face_side(face) * CONTRACT["detector"]["subpixel"]
    box = [face.x0 + dx, face.y0 + dy, face.x1 + dx, face.y1 + dy]
    return Face(*(round(value * ratio) for value in box), face.score, ())


def recolour(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Another exposure, gamma, white balance and saturation."""
    gains = rng.uniform(0.94, 1.06, 3) * np.exp(rng.uniform(-0.15, 0.15))
    gamma, contrast = np.exp(rng.uniform(-0.25, 0.25)), rng.uniform(0.8, 1.2)
    levels = np.arange(256) / 255
    curve = (levels[None] ** gamma * gains[:, None] - 0.45) * contrast + 0.45
    image = image.point((np.clip(curve, 0, 1) * 255 + 0.5).astype(int).ravel().tolist())
    if rng.random() < 0.5:
        image = F.adjust_saturation(image, rng.uniform(0.6, 1.4))
    return F.rgb_to_grayscale(image, 3) if rng.random() < 0.02 else image


def degrade(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Defocus, another sampling, sensor noise and compression, each now and then and in moderation."""
    if rng.random() < 0.2:
        image = F.gaussian_blur(image, 7, rng.uniform(0.3, 1.5))
    if rng.random() < 0.25:
        size, ratio = image.size, rng.uniform(0.5, 0.95)
        image = resize(image, ratio, rng).resize(size, RESAMPLERS[rng.integers(1, 4)])
    if rng.random() < 0.15:
        image = F.adjust_sharpness(image, rng.uniform(1.2, 2.5))
    if rng.random() < 0.25:
        pixels = np.asarray(image)
        noise = rng.standard_normal(pixels.shape, np.float32) * rng.uniform(1, 8)
        image = Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=int(rng.integers(45, 96)), subsampling=int(rng.choice([0, 2])))
        image = Image.open(packed).convert("RGB")
    return image
