"""The camera that takes every picture, bona fide and attack: lens, sensor, demosaicing, tone and file."""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from training.simulate.draws import chance, log_uniform, pick
from training.simulate.pictures import blurred, jpeg, linear, srgb, to_bytes, white_point


def camera(picture: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """One camera for bona fide and attack: optics → sensor → demosaic → tone → denoise → sharpen → JPEG.

    `strength` in 0..1 scales every fault; 0 returns the picture as it is. Same shape and dtype come back.
    """
    picture = np.asarray(picture)
    if strength <= 0:
        return picture.copy()
    light = _optics(picture, rng, strength)
    light = light * (np.float32(np.exp(rng.normal(0, 0.18) * strength)) * white_point(rng, 0.05 * strength))
    photons, read = log_uniform(rng, 250, 8000) / strength, log_uniform(rng, 0.0006, 0.006) * strength
    if chance(rng, 0.6):
        light = _bayer(np.maximum(light, 0), rng, photons, read)
    else:
        # A sensor with far more photosites than the picture has pixels: no mosaic is left to see.
        noise = rng.standard_normal(light.shape, np.float32)
        light = light + noise * np.sqrt(np.maximum(light, 0) / np.float32(2 * photons) + np.float32(read**2 / 2))
    code = srgb(light)
    bow = np.float32(rng.normal(0, 0.12) * strength / 255)
    code = code + bow * code * (255 - code) / 2
    image = Image.fromarray(to_bytes(code))
    if chance(rng, 0.6):
        luma, cb, cr = image.convert("YCbCr").split()
        chroma = ImageFilter.GaussianBlur(rng.uniform(0.5, 2.5) * strength)
        if chance(rng, 0.25):
            luma = Image.blend(luma, luma.filter(ImageFilter.MedianFilter(3)), 0.7 * strength)
        image = Image.merge("YCbCr", (luma, cb.filter(chroma), cr.filter(chroma))).convert("RGB")
    if chance(rng, 0.6):
        soft = np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0.6, 2.2))), np.float32)
        sharp = np.asarray(image, np.float32)
        image = Image.fromarray(to_bytes(sharp + (sharp - soft) * np.float32(rng.uniform(0.2, 1.6) * strength)))
    quality = int(round(95 - rng.uniform(0, 55) * strength))
    return jpeg(np.asarray(image), quality, int(pick(rng, 0, 2, 2)))


def _optics(picture: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Lens: lateral chromatic aberration, defocus or motion blur, vignette. uint8 → linear light."""
    height, width = picture.shape[:2]
    if chance(rng, 0.5):
        planes = list(Image.fromarray(picture).split())
        for plane in (0, 2):
            k = 1 + rng.normal(0, 0.0012) * strength
            planes[plane] = planes[plane].transform(
                (width, height),
                Image.Transform.AFFINE,
                (k, 0, (1 - k) * width / 2, 0, k, (1 - k) * height / 2),
                Image.Resampling.BILINEAR,
            )
        # The transform leaves the outermost pixels empty where it looks beyond the edge.
        merged = np.array(Image.merge("RGB", planes))
        for rim in ((0, ...), (-1, ...), (slice(None), 0), (slice(None), -1)):
            merged[rim] = picture[rim]
        picture = merged
    light = linear(picture)
    if chance(rng, 0.85):
        light = blurred(light, max(0.05, strength * log_uniform(rng, 0.15, 1.3)))
    if chance(rng, 0.12 * strength):
        reach, axis = int(rng.integers(2, 5)), int(rng.integers(2))
        light = ndimage.uniform_filter1d(light, reach, axis=axis, mode="nearest")
    y, x = np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32)
    fall = 1 - np.float32(rng.uniform(0, 0.15) * strength) * (y[:, None] ** 2 + x**2)
    return light * fall[..., None]


def _bayer(light: np.ndarray, rng: np.random.Generator, photons: float, read: float) -> np.ndarray:
    """Bayer sampling with noise, then bilinear demosaicing; linear in, linear out."""
    height, width = light.shape[:2]
    oy, ox = rng.integers(0, 2, 2)
    rows, cols = (np.arange(height) + oy) % 2 == 0, (np.arange(width) + ox) % 2 == 0
    red, blue = np.outer(rows, cols), np.outer(~rows, ~cols)
    green = ~(red | blue)
    raw = np.where(red, light[..., 0], np.where(blue, light[..., 2], light[..., 1]))
    raw = raw + rng.standard_normal(raw.shape, np.float32) * np.sqrt(raw / np.float32(photons) + np.float32(read**2))
    out = np.empty_like(light)
    for channel, sites in enumerate((red, green, blue)):
        known = np.pad(np.where(sites, raw, 0), 1, mode="reflect")
        vertical = known[:-2] + 2 * known[1:-1] + known[2:]
        total = vertical[:, :-2] + 2 * vertical[:, 1:-1] + vertical[:, 2:]
        if channel == 1:
            cross = known[:-2, 1:-1] + known[2:, 1:-1] + known[1:-1, :-2] + known[1:-1, 2:]
            out[..., 1] = np.where(sites, raw, cross / 4)
        else:
            out[..., channel] = total / 4
    return out
