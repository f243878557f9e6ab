"""Frames for the tests: scikit-image's astronaut (public domain) in many places, and frames drawn by code."""

from collections.abc import Iterator

import numpy as np
from make_vectors import pattern
from pictures import astronaut
from PIL import Image, ImageDraw


def placed(width: int, height: int, *places: tuple[int, int, int, int], grey: int = 110) -> np.ndarray:
    """uint8 [height, width, 3]: a head at each (x, y of its centre, side in px, degrees it is turned)."""
    frame = Image.new("RGB", (width, height), (grey, grey, grey))
    for x, y, side, degrees in places:
        head = Image.fromarray(astronaut()[28:228, 124:324]).resize((side, side), Image.Resampling.BICUBIC)
        mask = Image.new("L", head.size, 255)
        turn = {"resample": Image.Resampling.BICUBIC, "expand": True}
        head, mask = head.rotate(degrees, **turn), mask.rotate(degrees, **turn)
        frame.paste(head, (x - head.width // 2, y - head.height // 2), mask)
    return np.asarray(frame)


def drawn_face(width: int, height: int) -> np.ndarray:
    """uint8 [height, width, 3]: an oval with eyes and a mouth, as a child would draw it."""
    frame = Image.new("RGB", (width, height), (70, 90, 120))
    draw = ImageDraw.Draw(frame)
    x, y, r = width // 2, height // 2, min(width, height) // 4
    draw.ellipse((x - r, y - r * 5 // 4, x + r, y + r * 5 // 4), fill=(222, 178, 150))
    for side in (-1, 1):
        eye = x + side * r * 2 // 5
        draw.ellipse((eye - r // 7, y - r // 3, eye + r // 7, y - r // 6), fill=(40, 30, 30))
    draw.arc((x - r // 2, y, x + r // 2, y + r * 3 // 4), 20, 160, fill=(150, 60, 60), width=max(1, r // 10))
    return np.asarray(frame)


def scenes() -> Iterator[tuple[str, np.ndarray]]:
    """(name, uint8 [H, W, 3]) of at least sixty frames: no face, one, several, at the edge, turned."""
    whole = astronaut()
    yield "whole", whole
    yield "whole, mirrored", np.ascontiguousarray(whole[:, ::-1])
    yield "whole, dark", whole // 4
    yield "whole, bright", (whole.astype(np.uint16) * 3 // 2).clip(0, 255).astype(np.uint8)
    for turns in (1, 2, 3):
        yield f"whole, {90 * turns} degrees", np.ascontiguousarray(np.rot90(whole, turns))
    for width, height in ((640, 480), (480, 640), (641, 359), (360, 640), (320, 240), (213, 377), (720, 405)):
        for side in (height // 4, height // 2, height * 4 // 5):
            yield f"{width}×{height}, {side} px", placed(width, height, (width // 2, height // 2, side, 0))
    for degrees in (-40, -25, -12, 7, 18, 33, 60):
        yield f"turned {degrees} degrees", placed(400, 300, (190, 150, 180, degrees))
    edges = {"left": (40, 180), "right": (440, 180), "top": (240, 40), "bottom": (240, 320)}
    edges |= {"top left": (50, 50), "bottom right": (430, 310)}
    for name, (x, y) in edges.items():
        yield f"at the {name} edge", placed(480, 360, (x, y, 200, 0))
    yield "two alike", placed(480, 320, (130, 160, 200, 0), (350, 160, 200, 0))
    yield "two, one larger", placed(480, 320, (120, 160, 150, 0), (340, 160, 230, 5))
    yield "three", placed(640, 360, (110, 120, 160, 0), (320, 220, 190, -8), (530, 130, 170, 10))
    yield "five", placed(640, 480, *[(90 + 115 * i, 120 + 55 * i, 150, 4 * i) for i in range(5)])
    yield "overlapping", placed(400, 300, (170, 150, 200, 0), (240, 170, 200, 0))
    yield "one in another", placed(480, 480, (240, 240, 420, 0), (240, 330, 120, 0))
    for value in (0, 128, 255):
        yield f"flat {value}", np.full((240, 320, 3), value, np.uint8)
    for seed, (width, height) in enumerate(((320, 240), (128, 128), (97, 203), (500, 20))):
        yield f"noise {width}×{height}", pattern(seed, width, height)
    yield "a face in noise", placed(320, 240, (160, 120, 170, 0)) // 2 + pattern(9, 320, 240) // 2
    for width, height in ((320, 320), (480, 270), (100, 160)):
        yield f"drawn {width}×{height}", drawn_face(width, height)
    for width, height in ((1, 1), (3, 5), (640, 2), (2, 300), (17, 16)):
        yield f"tiny {width}×{height}", pattern(width, width, height)
    yield "a portrait of 720×1280", placed(720, 1280, (360, 560, 640, 0))
    yield "a landscape of 1280×720", placed(1280, 720, (640, 360, 600, 3))
