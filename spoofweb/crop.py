"""Face → a square of the frame around it, to be judged or measured. Twin: web/src/crop.js."""

from typing import NamedTuple

from spoofweb.contract import CONTRACT
from spoofweb.face import Face

SUBPIXEL = CONTRACT["detector"]["subpixel"]


class Crop(NamedTuple):
    """A square inside a frame, in whole pixels."""

    x: int
    y: int
    side: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        return self.x, self.y, self.x + self.side, self.y + self.side


def square(face: Face, width: int, height: int, percent: int) -> Crop:
    """The square around a face, `percent` of its box's longer side, in a frame of width × height pixels.

    Shrunk to the frame's shorter side, then shifted into the frame: no pixel is invented.
    """
    steps = max(face.x1 - face.x0, face.y1 - face.y0)
    side = (steps * percent + 50 * SUBPIXEL) // (100 * SUBPIXEL)
    side = max(1, min(side, width, height))
    return Crop(_start(face.x0 + face.x1, side, width), _start(face.y0 + face.y1, side, height), side)


def _start(double_centre: int, side: int, limit: int) -> int:
    """First pixel of a run of `side` pixels centred at double_centre / 2 subpixel steps, moved into 0..limit."""
    start = (double_centre - side * SUBPIXEL + SUBPIXEL) // (2 * SUBPIXEL)
    return max(0, min(start, limit - side))
