"""The site's icons, drawn from one list of shapes: as SVG, and as PNG for places that take no SVG."""

import io
from collections.abc import Iterator

from PIL import Image, ImageDraw

SIDE = 32  # of the drawing, units
SIZES = (192, 512)  # px, of the PNG icons in the web manifest
TOUCH = 180  # px, for iOS home screens
GROUND, INK = "#0b5563", "#ffffff"
STROKE = 2.2
CORNERS = ((8, 8), (24, 8), (24, 24), (8, 24))  # of the frame; in the circle that masks leave (80 % of the side)
ARM, RADIUS = 5.0, 2.0
FACE = (16, 16, 4.2, 5.4)  # ellipse: centre and radii
OVERSAMPLING = 8


def icons() -> dict[str, bytes]:
    """File name → content."""
    pngs = {f"icon-{side}.png": png(side) for side in (TOUCH, *SIZES)}
    return {"icon.svg": svg(), **pngs}


def svg() -> bytes:
    """The icon with rounded corners, for browser tabs."""
    x, y, rx, ry = FACE
    path = "".join(
        f"M{cx + ax * ARM:g} {cy}H{cx + ax * RADIUS:g}Q{cx} {cy} {cx} {cy + ay * RADIUS:g}V{cy + ay * ARM:g}"
        for (cx, cy), ax, ay in _corners()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}">'
        f'<rect width="{SIDE}" height="{SIDE}" rx="7" fill="{GROUND}"/>'
        f'<g fill="none" stroke="{INK}" stroke-width="{STROKE}" stroke-linecap="round">'
        f'<path d="{path}"/><ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}"/></g></svg>\n'
    ).encode()


def png(side: int) -> bytes:
    """The icon on a full square, `side` px wide."""
    scale = side * OVERSAMPLING / SIDE
    image = Image.new("RGB", (side * OVERSAMPLING, side * OVERSAMPLING), GROUND)
    draw = ImageDraw.Draw(image)
    width = round(STROKE * scale)

    def dot(x: float, y: float) -> None:
        reach = STROKE / 2
        draw.ellipse([(v + d) * scale for d in (-reach, reach) for v in (x, y)], fill=INK)

    for (cx, cy), ax, ay in _corners():
        curve = [_curve(cx, cy, ax, ay, step / 16) for step in range(17)]
        line = [(cx + ax * ARM, cy), *curve, (cx, cy + ay * ARM)]
        draw.line([(x * scale, y * scale) for x, y in line], fill=INK, width=width, joint="curve")
        for x, y in line:
            dot(x, y)
    x, y, rx, ry = FACE
    grow = STROKE / 2
    box = [x - rx - grow, y - ry - grow, x + rx + grow, y + ry + grow]
    draw.ellipse([value * scale for value in box], outline=INK, width=width)
    file = io.BytesIO()
    image.resize((side, side), Image.Resampling.BOX).save(file, "PNG", optimize=True)
    return file.getvalue()


def _corners() -> Iterator[tuple[tuple[int, int], int, int]]:
    """Each corner of the frame, with the directions of its two arms."""
    for x, y in CORNERS:
        yield (x, y), (1 if x < SIDE / 2 else -1), (1 if y < SIDE / 2 else -1)


def _curve(x: float, y: float, ax: int, ay: int, t: float) -> tuple[float, float]:
    """A point of the rounded corner at (x, y): a quadratic Bézier curve, as SVG's Q, at t in 0..1."""
    return x + ax * RADIUS * (1 - t) ** 2, y + ay * RADIUS * t**2
