"""Makes the page's own samples in web/samples: pictures and a clip of one face, live and as simulated attacks.

    python -m training.samples web/samples

samples.json beside them lists what is there, in the order of the gallery: [{"file", "kind", "title"}], kind one of
live, print, phone, tablet, monitor, dark, clip; title the key of the sentence that names it on the page. The face is
scikit-image's astronaut (Eileen Collins, NASA, public domain; in the extra `test`), the room is drawn, the attacks are
those of training.simulate. The seeds were chosen by eye: for each attack one that shows it as people do it.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from spoofweb.errors import SpoofwebError
from spoofweb.files import write_whole
from training import simulate
from training.simulate.pictures import Face, linear, srgb, to_bytes

WIDTH, HEIGHT = 640, 480
PICTURE_BYTES = 33_000
CAMERA_STRENGTH = 0.35
DARK = 0.02  # of the light
SEEDS = {"live": 15, "print": 18, "phone": 7, "tablet": 9, "monitor": 24, "dark": 15}

CLIP_SIZE = 480, 360
CLIP_RATE = 10  # pictures/s
CLIP_SECONDS = 3  # of each of its two scenes
CLIP_OPTIONS = {"crf": "30", "b": "0", "deadline": "good", "cpu-used": "2", "threads": "1"}


def pictures() -> dict[str, np.ndarray]:
    """The samples by kind, uint8 [480, 640, 3] RGB."""
    made = {kind: _scene(kind) for kind in SEEDS if kind != "dark"}
    return made | {"dark": _dark(made["live"])}


def clip(live: np.ndarray, attack: np.ndarray) -> Iterator[np.ndarray]:
    """Two scenes (uint8 [480, 640, 3]) one after the other, from an unsteady camera: uint8 [360, 480, 3] frames."""
    rng = np.random.default_rng(0)
    width, height = CLIP_SIZE
    for number in range(2 * CLIP_SECONDS * CLIP_RATE):
        scene = live if number < CLIP_SECONDS * CLIP_RATE else attack
        t = number / CLIP_RATE
        x, y = 20 + 12 * np.sin(1.9 * t) + 3 * np.sin(7 * t), 15 + 8 * np.sin(2.7 * t + 1) + 2 * np.sin(9 * t)
        box = (x, y, x + WIDTH - 40, y + HEIGHT - 30)
        frame = Image.fromarray(scene).resize((width, height), Image.Resampling.BILINEAR, box)
        yield to_bytes(np.asarray(frame) + rng.normal(0, 1.2, (height, width, 1)))


def room() -> np.ndarray:
    """A room without anyone, drawn: a window, two shelves, a plant on a table; uint8 [480, 640, 3]."""
    twice = 2  # drawn at twice the size, for smooth edges
    wide, high = WIDTH * twice, HEIGHT * twice
    x, y = np.linspace(0, 1, wide)[None, :, None], np.linspace(0, 1, high)[:, None, None]
    wall = np.array([212, 204, 190]) - np.array([70, 72, 74]) * x**1.5 - 20 * y
    picture = Image.fromarray(wall.astype(np.uint8))
    draw = ImageDraw.Draw(picture)

    def box(x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int]) -> None:
        draw.rectangle((x0 * twice, y0 * twice, x1 * twice, y1 * twice), colour)

    box(40, 30, 240, 290, (235, 232, 226))
    picture.paste(_view(188 * twice, 236 * twice), (52 * twice, 42 * twice))
    box(138, 42, 146, 278, (235, 232, 226))
    box(52, 154, 240, 162, (235, 232, 226))
    box(30, 288, 250, 302, (240, 238, 232))
    rng = np.random.default_rng(3)
    books = ((150, 62, 52), (52, 84, 112), (196, 160, 84), (88, 112, 92), (224, 214, 196), (74, 62, 78), (176, 104, 64))
    for board in (150, 270):
        at = 400
        while at < 600:
            thick, tall = int(rng.integers(9, 22)), int(rng.integers(58, 92))
            box(at, board - tall, at + thick - 1, board, books[rng.integers(len(books))])
            at += thick + (25 if rng.random() < 0.12 else 0)
        box(388, board, 622, board + 9, (122, 88, 58))
    box(0, 420, WIDTH, HEIGHT, (128, 94, 64))
    box(0, 416, WIDTH, 422, (150, 112, 78))
    for lean in np.linspace(-1, 1, 9):
        leaf = (320, 368, 320 + lean * 62, 278 + abs(lean) * 52)
        draw.line([value * twice for value in leaf], (70, 112, 66), 7 * twice)
    draw.polygon([(u * twice, v * twice) for u, v in ((300, 416), (340, 416), (346, 366), (294, 366))], (188, 112, 80))
    small = picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    return np.asarray(small.filter(ImageFilter.GaussianBlur(1.2)))


def write(out: Path) -> None:
    """Make all samples and put them into a folder, whole or not at all; SpoofwebError where that cannot be written."""
    made = pictures()
    files = {f"{kind}.jpg": _jpeg(picture) for kind, picture in made.items()}
    files["clip.webm"] = _webm(clip(made["live"], made["phone"]))
    listed = [{"file": name, "kind": Path(name).stem, "title": f"sample.{Path(name).stem}"} for name in files]
    files["samples.json"] = json.dumps(listed, indent=1).encode() + b"\n"
    write_whole({out / name: content for name, content in files.items()})


def _scene(kind: str) -> np.ndarray:
    """The astronaut live, or the picture of her on a medium in the room, seen by the simulated camera."""
    rng = np.random.default_rng(SEEDS[kind])
    picture, face = _astronaut(1.5)
    if kind == "print":
        picture, _ = simulate.simulate_print(picture, face, rng, room(), borderless=False)
    elif kind != "live":
        picture, _ = simulate.simulate_screen(picture, face, rng, room(), kind=kind, borderless=False)
    return simulate.camera(picture, rng, CAMERA_STRENGTH)


def _dark(picture: np.ndarray) -> np.ndarray:
    """A picture with next to no light and the noise that comes with it."""
    rng = np.random.default_rng(SEEDS["dark"])
    return to_bytes(srgb(linear(picture) * DARK) + rng.normal(0, 2, picture.shape))


def _astronaut(zoom: float) -> tuple[np.ndarray, Face]:
    """uint8 [480, 640, 3] of the astronaut with her surroundings, and her face's (x, y, side) in it."""
    side = round(512 * zoom)
    whole = Image.fromarray(data.astronaut()).resize((side, side), Image.Resampling.LANCZOS)
    left = min(max(round(215 * zoom) - WIDTH // 2, 0), side - WIDTH)
    return np.asarray(whole.crop((left, 0, left + WIDTH, HEIGHT))), (165 * zoom - left, 60 * zoom, 120 * zoom)


def _view(width: int, height: int) -> Image.Image:
    """What is seen through the window: sky down to the horizon, and a tree."""
    share = np.linspace(0, 1, height)[:, None, None]
    sky = np.array([150, 195, 228]) * (1 - share) + np.array([214, 228, 230]) * share
    view = Image.fromarray(np.broadcast_to(sky, (height, width, 3)).astype(np.uint8))
    radius = width * 0.36
    x, y = width * 0.2, height * 0.98
    ImageDraw.Draw(view).ellipse((x - radius, y - radius, x + radius, y + radius), (96, 128, 84))
    return view


def _jpeg(picture: np.ndarray) -> bytes:
    """The best JPEG that is small enough."""
    for quality in range(92, 30, -2):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= PICTURE_BYTES:
            break
    return file.getvalue()


def _webm(frames: Iterator[np.ndarray]) -> bytes:
    """Frames as VP9 in WebM."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libvpx-vp9", rate=Fraction(CLIP_RATE), options=CLIP_OPTIONS)
        stream.width, stream.height = CLIP_SIZE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.samples", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the samples, web/samples")
    try:
        write(parser.parse_args(argv).out)
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
