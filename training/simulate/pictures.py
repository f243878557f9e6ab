"""Pictures as bytes and as light: their check, sRGB ↔ linear light, white point, blur and JPEG."""

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image
from scipy import ndimage

from spoofweb.errors import SpoofwebError

SMALLEST_SIDE = 8

FACE_COLUMNS = ("face_x", "face_y", "face_side")

Face = tuple[float, float, float]


def checked(picture: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    """The arguments as array and floats; SpoofwebError unless uint8 (H, W, 3) of 8 px or more and a finite box."""
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise SpoofwebError(f"picture is {picture.dtype} {picture.shape}, want uint8 (H, W, 3): convert it to RGB")
    if min(picture.shape[:2]) < SMALLEST_SIDE:
        raise SpoofwebError(f"picture is {picture.shape[1]}x{picture.shape[0]} px: give {SMALLEST_SIDE} or more a side")
    return picture, checked_face(face)


def checked_face(face: Sequence[float | str]) -> Face:
    """x, y and side as floats; SpoofwebError unless they are a finite box, ValueError where one is no number at all."""
    x, y, side = map(float, face)
    if not (math.isfinite(x + y + side) and side > 0):
        raise SpoofwebError(f"face {face} is no box: give x, y and a positive side in px")
    return x, y, side


def row_face(row: Mapping[str, str]) -> Face:
    """The face in a manifest's row; KeyError or TypeError where it has none, else as `checked_face`."""
    return checked_face([row[column] for column in FACE_COLUMNS])


def _srgb_to_linear_table() -> np.ndarray:
    code = np.arange(256) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _linear_to_srgb_table(steps: int = 4096) -> np.ndarray:
    light = np.arange(steps + 1) / steps
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32) * 255


LINEAR = _srgb_to_linear_table()
_SRGB = _linear_to_srgb_table()


def linear(picture: np.ndarray) -> np.ndarray:
    """uint8 sRGB → float32 linear light in 0..1 (IEC 61966-2-1)."""
    return LINEAR.take(picture)


def srgb(light: np.ndarray) -> np.ndarray:
    """Linear light → float32 sRGB code values in 0..255."""
    steps = np.clip(light, 0, 1) * np.float32(len(_SRGB) - 1) + np.float32(0.5)
    return _SRGB.take(steps.astype(np.uint16))


def to_bytes(code: np.ndarray) -> np.ndarray:
    """Code values in 0..255, rounded and limited → uint8."""
    return np.clip(code + np.float32(0.5), 0, 255).astype(np.uint8)


def white_point(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Gains of R, G, B along blue-to-warm and a little green-to-magenta; their mean is 1."""
    warm, green = rng.normal(0, spread), rng.normal(0, spread / 4)
    gains = np.exp(np.array([warm, green, -warm]))
    return (gains / gains.mean()).astype(np.float32)


def blurred(light: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur over the first two axes; `sigma` in px."""
    for axis in (0, 1):
        light = ndimage.gaussian_filter1d(light, sigma, axis=axis, mode="nearest", truncate=2.5)
    return light


def jpeg(picture: np.ndarray, quality: int, subsampling: int) -> np.ndarray:
    """The uint8 picture after one round of JPEG; `subsampling` as Pillow counts it (0: 4:4:4, 2: 4:2:0)."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer))
