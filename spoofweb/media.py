"""Files → frames: pictures by Pillow, videos by PyAV."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation
from PIL import Image, ImageOps

from spoofweb.errors import SpoofwebError

# without these flags the conversion from YUV is more than a grey level too dark
EXACT = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
VIDEOS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".y4m", ".m4v"}


def read_picture(path: Path) -> np.ndarray:
    """uint8 [H, W, 3] RGB, turned upright by its EXIF orientation, transparency over black (as a canvas shows it).

    Of an animation, the first picture. Raises SpoofwebError where the file is missing, is no whole picture, or has more
    pixels than Pillow takes for harmless (`Image.MAX_IMAGE_PIXELS`).
    """
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(path) as image,
        ):
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip instead of scale
                image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
            if "A" in image.getbands() or "transparency" in image.info:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
            return np.asarray(image.convert("RGB"))
    except FileNotFoundError:
        raise SpoofwebError(f"{path}: no such file; check the path") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise SpoofwebError(f"{path}: too large a picture ({error}); scale it down") from None
    except Exception as error:  # decoders raise a different class for each kind of broken file
        raise SpoofwebError(f"{path}: not a readable picture ({error!r}); give a whole JPEG, PNG or WebP") from None


def read_video(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """(time in ms, uint8 [H, W, 3] RGB) of each frame in turn, upright, unspecified colour read as BT.601.

    Times never go back, whatever the file says. Raises SpoofwebError where
    the file is missing, is no video, or breaks off in the middle.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SpoofwebError(f"{path}: no video stream in it; give a file with pictures")
            stream = container.streams.video[0]
            time_ms = None
            for frame in container.decode(stream):
                time_ms = max(time_ms or 0, round(1000 * (frame.time or 0)))
                pixels = frame.to_ndarray(format="rgb24", interpolation=EXACT)
                yield time_ms, np.rot90(pixels, frame.rotation // 90).copy()
    except av.error.FFmpegError as error:
        raise SpoofwebError(f"{path}: not a readable video ({error.strerror}); re-encode or check it") from None
    if time_ms is None:
        raise SpoofwebError(f"{path}: a video without a single frame; record it again")


def find_media(path: Path) -> list[Path]:
    """The pictures and videos at a path: itself, or all below a folder in sorted order.

    Raises SpoofwebError where there is nothing of the kind.
    """
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            raise SpoofwebError(f"{path}: no such file or folder; check the path")
        found = [p for p in sorted(path.rglob("*")) if p.suffix.lower() in PICTURES | VIDEOS and p.is_file()]
    except OSError as error:
        raise SpoofwebError(f"{path}: cannot be looked at ({error.strerror}); check the path") from None
    if not found:
        raise SpoofwebError(f"{path}: no picture or video in this folder; name one that has some")
    return found
