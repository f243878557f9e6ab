"""The replay: a phone, tablet or monitor that shows the picture, with its lattice, bands, bezel and glare."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from spoofweb.errors import SpoofwebError
from training.simulate.draws import chance, log_uniform, pick
from training.simulate.hand import draw_fingers, draw_palm, drawn_hands, skin_colour
from training.simulate.medium import BORDERLESS_SHARE, KIND_SHARES, KINDS, as_file, placed
from training.simulate.pictures import LINEAR, Face, checked, linear, srgb, to_bytes, white_point
from training.simulate.pose import Pose, drawn_pose
from training.simulate.scene import reflections, surroundings
from training.simulate.shapes import Rect, coverage, rounded_distance


@dataclass(frozen=True)
class Device:
    """Ranges of a kind of device, as common ones have them at the distances of a face in view.

    widths: of the panel in face sides; aspects: height / width; bezel, corner (radius) and finger (None: not
    held in the hand): shares of the panel's shorter side; pitch: of the panel's lattice in sensor px;
    backlight: linear light that black gives off.
    """

    widths: tuple[float, float]
    aspects: tuple[float, float]
    bezel: tuple[float, float]
    corner: tuple[float, float]
    pitch: tuple[float, float]
    backlight: tuple[float, float]
    finger: tuple[float, float] | None


_DEVICES = {
    "phone": Device((1.2, 2.2), (1.5, 2.1), (0.012, 0.06), (0.0, 0.12), (0.28, 1.3), (2e-4, 0.01), (0.07, 0.12)),
    "tablet": Device((1.4, 2.8), (0.7, 1.5), (0.03, 0.09), (0.0, 0.05), (0.3, 1.6), (1e-3, 0.02), (0.035, 0.06)),
    "monitor": Device((1.8, 3.0), (0.55, 0.85), (0.01, 0.05), (0.0, 0.01), (0.5, 3.2), (2e-3, 0.03), None),
}


def simulate_screen(
    picture: np.ndarray,
    face: Face,
    rng: np.random.Generator,
    background: np.ndarray | None = None,
    *,
    kind: str | None = None,
    borderless: bool | None = None,
) -> tuple[np.ndarray, Face]:
    """The scene as shown on a panel and seen by an ideal sensor of the picture's size, before `camera`.

    `kind`: phone, tablet or monitor, drawn if None. `borderless`: the panel fills the view, no bezel is seen;
    drawn (40 %) if None. `background`: what is seen round the device, any size; the picture itself, blurred,
    if None.
    Returns the picture, uint8 of the same shape, and the face's box in it. Raises SpoofwebError on bad input.
    """
    picture, face = checked(picture, face)
    height, width = picture.shape[:2]
    kind = kind or str(rng.choice(KINDS[1:], p=np.array(KIND_SHARES[1:]) / sum(KIND_SHARES[1:])))
    if kind not in _DEVICES:
        raise SpoofwebError(f"unknown screen {kind!r}: choose one of {', '.join(_DEVICES)}")
    device = _DEVICES[kind]
    borderless = chance(rng, BORDERLESS_SHARE) if borderless is None else borderless
    shown = as_file(picture, rng)
    skin = skin_colour(linear(picture), face, rng)
    if borderless:
        pose = drawn_pose(width, height, (width, height), face, rng, fill=True, tilt=0.08, turn=2)
        seen = pose.sample(shown)
    else:
        shown, face, content = placed(shown, face, rng, device.widths, device.aspects)
        u0, v0, u1, v1 = content
        letterbox = rng.uniform(0, 0.35) * (v1 - v0) if kind == "phone" and chance(rng, 0.4) else 0.0
        panel = (u0, v0 - letterbox * rng.random(), u1, v1 + letterbox * rng.random())
        turn = 6 if kind != "monitor" else 2
        pose = drawn_pose(width, height, (shown.shape[1], shown.shape[0]), face, rng, fill=False, tilt=0.12, turn=turn)
        shown, empty = _with_interface(shown, content, panel, rng)
        seen = pose.sample(shown, empty)
    u, v = pose.pixels()
    light = _panel_light(seen, u, v, device, rng)
    glare = reflections(picture if background is None else background, width, height, rng, rng.uniform(0.2, 1))
    # The camera meters on the scene, not on the panel: replays come out too bright more often than too dark.
    exposure = np.float32(np.exp(rng.normal(0.3, 0.3)))
    light = light * exposure + glare
    if not borderless:
        room = linear(surroundings(picture, background, width, height, rng))
        light = _in_device(light, room, glare, pose, u, v, panel, device, skin, rng)
    return to_bytes(srgb(light)), pose.sensor_face()


def _with_interface(
    picture: np.ndarray, content: Rect, panel: Rect, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """What the device displays, in the picture's own px, and the colour of its empty parts."""
    shade = int(pick(rng, 0, 0, 8, 24, 245))
    empty = (shade, shade, shade)
    ink = (235, 235, 235) if shade < 128 else (40, 40, 40)
    # Only a bar above or below is painted: at the other edges the panel ends before the picture does.
    y0 = round(content[1]) if panel[1] < content[1] else 0
    y1 = round(content[3]) if panel[3] > content[3] else picture.shape[0]
    canvas = Image.new("RGB", (picture.shape[1], picture.shape[0]), empty)
    canvas.paste(Image.fromarray(picture[y0:y1]), (0, y0))
    if chance(rng, 0.35):
        draw = ImageDraw.Draw(canvas)
        u0, v0, u1, v1 = panel
        width, height = u1 - u0, v1 - v0
        bar = max(2.0, height * rng.uniform(0.03, 0.08))
        for low in [v0, v1 - bar][: int(rng.integers(1, 3))]:
            if chance(rng, 0.5):
                draw.rectangle((u0, low, u1, low + bar), fill=empty)
            for at in np.sort(rng.uniform(0.05, 0.95, int(rng.integers(2, 6)))):
                size = bar * rng.uniform(0.12, 0.28)
                length = size * pick(rng, 1, 1, 3, 6)
                cu, cv = u0 + at * width, low + bar / 2
                shape = draw.ellipse if length == size and chance(rng, 0.6) else draw.rectangle
                shape((cu, cv - size / 2, cu + length, cv + size / 2), fill=ink)
        if chance(rng, 0.15):
            radius = width * 0.06
            cu, cv = (u0 + u1) / 2, v0 + height * rng.uniform(0.5, 0.85)
            draw.ellipse((cu - radius, cv - radius, cu + radius, cv + radius), fill=(60, 60, 60))
            draw.polygon(
                [(cu - radius / 3, cv - radius / 2), (cu - radius / 3, cv + radius / 2), (cu + radius / 2, cv)],
                fill=(240, 240, 240),
            )
    return np.asarray(canvas), empty


def _panel_light(
    shown: np.ndarray, u: np.ndarray, v: np.ndarray, device: Device, rng: np.random.Generator
) -> np.ndarray:
    """Linear light given off by a panel that shows the uint8 picture `shown`."""
    light = (LINEAR ** np.float32(rng.normal(1.06, 0.1))).take(shown)
    light = _saturated(light, rng.normal(1.04, 0.12)) * white_point(rng, 0.09)
    light += np.float32(log_uniform(rng, *device.backlight)) * white_point(rng, 0.15)
    pitch = log_uniform(rng, *device.pitch)
    # Most replays show next to nothing of the grid, few a strong pattern.
    contrast = log_uniform(rng, 0.004, 0.07) if chance(rng, 0.88) else log_uniform(rng, 0.07, 0.3)
    light *= lattice(u, v, pitch, contrast, device.pitch[0] < 0.5 and chance(rng, 0.4), rng)
    if chance(rng, 0.3):
        light *= _refresh_bands(light.shape[0], rng)
    return light


def _saturated(light: np.ndarray, amount: float) -> np.ndarray:
    """Moves colours away from (amount > 1) or towards grey."""
    grey = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.maximum(grey[..., None] + (light - grey[..., None]) * np.float32(amount), 0)


def lattice(
    u: np.ndarray, v: np.ndarray, pitch: float, contrast: float, diamond: bool, rng: np.random.Generator
) -> np.ndarray:
    """Brightness of the panel's sub-pixels at the sensor's samples, mean 1, float32 (H, W, 3).

    Fundamental waves of the lattice, evaluated at the sample points under the homography: where the lattice
    is finer than the sensor resolves, sampling folds it to the moiré that a real sensor records. `contrast`
    is what lens and pixel aperture leave of it. Stripes: R, G, B columns up to a third of a pitch apart, rows
    between black gaps. Diamond: green on the square lattice, red and blue on the diagonal one.
    """
    turn = 2 * math.pi / pitch
    a = u * np.float32(turn) + np.float32(rng.uniform(0, 2 * math.pi))
    b = v * np.float32(turn) + np.float32(rng.uniform(0, 2 * math.pi))
    cos_a, cos_b, contrast = np.cos(a), np.cos(b), np.float32(contrast)
    if diamond:
        # cos(d1) + cos(d2) of the diagonals at half the frequency equals a product of cosines.
        cross = np.cos(a / 2) * np.cos(b / 2)
        green = contrast / 2 * (cos_a + cos_b)
        return 1 + np.stack([contrast * cross, green, -contrast * cross], axis=-1)
    sin_a = np.sin(a)
    # Lens colour errors and anti-alias filters leave less of the hue than of the brightness.
    third = 2 * math.pi / 3 * rng.uniform(0.2, 1)
    columns = [cos_a * np.float32(math.cos(p)) + sin_a * np.float32(math.sin(p)) for p in (-third, 0, third)]
    rows = 1 + np.float32(0.7) * contrast * cos_b
    return (1 + contrast * np.stack(columns, axis=-1)) * rows[..., None]


def _refresh_bands(height: int, rng: np.random.Generator) -> np.ndarray:
    """Soft bands of a dimmed panel against a rolling shutter, float32 (height, 1, 1), mean about 1."""
    y = np.linspace(0, 1, height, dtype=np.float32)
    wave = np.cos(2 * math.pi * (y * rng.uniform(0.6, 9) + rng.random()))
    # A duty cycle below a half flattens one side of the wave.
    wave = np.tanh(wave * np.float32(rng.uniform(0.5, 3)))
    return (1 + np.float32(log_uniform(rng, 0.008, 0.12)) * wave)[:, None, None]


def _in_device(
    light: np.ndarray,
    room: np.ndarray,
    glare: np.ndarray,
    pose: Pose,
    u: np.ndarray,
    v: np.ndarray,
    panel: Rect,
    device: Device,
    skin: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Panel light with bezel, rim, shadow, surroundings and hand."""
    u0, v0, u1, v1 = panel
    size = min(u1 - u0, v1 - v0)
    bezel = max(1.0, size * rng.uniform(*device.bezel))
    corner = size * rng.uniform(*device.corner)
    # Some devices have a chin or a forehead.
    top, bottom = bezel * pick(rng, 1, 1, 1, 3), bezel * pick(rng, 1, 1, 1, 3)
    body = (u0 - bezel, v0 - top, u1 + bezel, v1 + bottom)
    softness = rng.uniform(1.0, 2.2)
    on_panel = rounded_distance(u, v, panel, corner)
    on_body = rounded_distance(u, v, body, corner + bezel)
    room = room * (1 - np.float32(rng.uniform(0, 0.5)) * np.exp(-np.maximum(on_body, 0) / (0.08 * size)))[..., None]
    hands = []
    if device.finger and chance(rng, 0.7):
        hands = drawn_hands(size * rng.uniform(*device.finger), skin, softness, rng)
    for hand in hands:
        draw_palm(room, pose, body, hand, rng)
    tone = log_uniform(rng, 0.002, 0.03) if chance(rng, 0.85) else rng.uniform(0.2, 0.8)
    frame = np.float32(tone) * white_point(rng, 0.06) + np.float32(0.5) * glare
    rim = np.clip(1 - np.abs(on_body + 0.2 * bezel) / max(0.25 * bezel, 0.8), 0, 1)[..., None]
    frame = frame + rim * np.float32(log_uniform(rng, 0.005, 0.25)) * white_point(rng, 0.1)
    out = room + (frame - room) * coverage(on_body, softness)
    out = out + (light - out) * coverage(on_panel, softness)
    for hand in hands:
        draw_fingers(out, pose, body, hand, rng)
    return out
