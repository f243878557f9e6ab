"""Clips for Chromium's fake camera: Y4M, BT.601 limited range, 640 × 480, of scikit-image's astronaut and drawn."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pictures import astronaut
from PIL import Image, ImageDraw

from training import simulate

WIDTH, HEIGHT = 640, 480
FRAMES_PER_SECOND = 10
# ITU-R BT.601, 8 bit, limited range: rows give Y', Cb, Cr of full-range R'G'B'
BT601 = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
BT601_ZERO = np.array([16, 128, 128])


@dataclass(frozen=True)
class Clip:
    """What a fake camera shows, over and over."""

    name: str
    frames: list[np.ndarray]  # uint8 [480, 640, 3], RGB

    def write(self, folder: Path) -> Path:
        """The clip as a Y4M file in a folder."""
        path = folder / f"{self.name}.y4m"
        write_y4m(path, self.frames)
        return path


def write_y4m(path: Path, frames: list[np.ndarray], frames_per_second: int = FRAMES_PER_SECOND) -> None:
    """Frames (uint8 [H, W, 3] RGB, even sides, all alike in size) as YUV4MPEG2, 4:2:0 with centred chroma."""
    height, width = frames[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{frames_per_second}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            file.write(b"FRAME\n" + planes(frame))


def planes(frame: np.ndarray) -> bytes:
    """The Y, Cb and Cr planes of a uint8 [H, W, 3] RGB frame of even sides; chroma is the mean of 2 × 2 pixels."""
    height, width = frame.shape[:2]
    luma, *chroma = np.moveaxis(frame @ BT601.T + BT601_ZERO, 2, 0)
    halved = [plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for plane in chroma]
    return b"".join(np.rint(plane).astype(np.uint8).tobytes() for plane in (luma, *halved))


def bona_fides() -> Iterator[np.ndarray]:
    """Stills of a person in a room, near and far: the astronaut's picture, which has both, as seen by a camera."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        yield simulate.camera(_astronaut(rng.uniform(1.3, 2.2))[0], rng, 0.4)


def attacks(kind: str) -> Iterator[np.ndarray]:
    """The same person, held into an empty room on a print, phone, tablet or monitor."""
    picture, face = _astronaut(1.3)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        if kind == "print":
            attack, _ = simulate.simulate_print(picture, face, rng, no_face(), borderless=False)
        else:
            attack, _ = simulate.simulate_screen(picture, face, rng, no_face(), kind=kind, borderless=False)
        yield simulate.camera(attack, rng, 0.4)


def no_face() -> np.ndarray:
    """A room without anyone: a wall, a window, a table and a lamp."""
    x = np.linspace(0, 1, WIDTH)[None, :, None]
    wall = np.broadcast_to(np.array([196, 188, 172]) - 50 * x, (HEIGHT, WIDTH, 3))
    room = Image.fromarray(wall.astype(np.uint8))
    draw = ImageDraw.Draw(room)
    draw.rectangle((60, 60, 230, 250), fill=(150, 190, 220), outline=(90, 70, 50), width=8)
    draw.line((145, 60, 145, 250), fill=(90, 70, 50), width=6)
    draw.rectangle((0, 380, WIDTH, HEIGHT), fill=(110, 78, 52))
    draw.polygon([(480, 200), (560, 200), (590, 270), (450, 270)], fill=(230, 205, 120))
    draw.line((520, 270, 520, 385), fill=(60, 60, 60), width=8)
    return np.asarray(room)


def lost_and_found(face: np.ndarray) -> list[np.ndarray]:
    """Two seconds of a frame with a face, then two seconds of an empty room."""
    return [face] * 2 * FRAMES_PER_SECOND + [no_face()] * 2 * FRAMES_PER_SECOND


def png(frame: np.ndarray) -> bytes:
    """A uint8 [H, W, 3] frame as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "PNG")
    return file.getvalue()


def _astronaut(zoom: float) -> tuple[np.ndarray, tuple[float, float, float]]:
    """uint8 [480, 640, 3] of the astronaut with her surroundings, and her face's (x, y, side) in it."""
    side = round(512 * zoom)
    whole = Image.fromarray(astronaut()).resize((side, side), Image.Resampling.BICUBIC)
    left = (side - WIDTH) // 2
    picture = np.asarray(whole.crop((left, 0, left + WIDTH, HEIGHT)))
    return picture, (165 * zoom - left, 60 * zoom, 120 * zoom)
