"""Is a face fit to be judged? Reasons against it, as codes. Twin: web/src/quality.js.

A gate looks at the size and place of the face, at its keypoints, or at the pixels of a crop of it; integers only.
"""

import numpy as np

from spoofweb.contract import CONTRACT
from spoofweb.face import Face

SUBPIXEL = CONTRACT["detector"]["subpixel"]
CODES = (
    "too-small",
    "too-large",
    "out-of-frame",
    "off-centre",
    "turned-away",
    "too-dark",
    "too-bright",
    "blurred",
    "many-faces",
)  # worst first: mending an earlier one often mends those after it


def reasons(
    face: Face, faces: list[Face], width: int, height: int, crop_pixels: np.ndarray, rules: dict
) -> tuple[str, ...]:
    """Codes of all gates that refuse `face`, worst first; () where it may be judged.

    faces: all of the frame, `face` among them. width, height: of the frame, px. crop_pixels: of `crop_percent` of the
    face, as `measures` takes them. rules: the contract's `quality`.
    """
    light, fine, coarse = measures(crop_pixels, rules["blur_block"])
    area = crop_pixels.shape[0] ** 2
    across, down = width * SUBPIXEL, height * SUBPIXEL
    size = side(face)
    outside = max(-face.x0, -face.y0, face.x1 - across, face.y1 - down)
    aside, above = abs(face.x0 + face.x1 - across), abs(face.y0 + face.y1 - down)  # twice the distance
    refused = {
        "too-small": size < rules["small_px"] * SUBPIXEL,
        "too-large": 100 * size > rules["large_percent"] * min(across, down),
        "out-of-frame": 100 * outside > rules["outside_percent"] * size,
        "off-centre": 50 * aside > rules["aside_percent"] * across or 50 * above > rules["aside_percent"] * down,
        "turned-away": turned(face.keypoints, rules["turned_percent"]),
        "too-dark": light < rules["dark"] * area,
        "too-bright": light > rules["bright"] * area,
        "blurred": fine < rules["blur"] * (2 * rules["blur_block"]) ** 4 or 100 * fine < rules["blur_percent"] * coarse,
        "many-faces": sum(100 * side(other) >= rules["many_percent"] * size for other in faces) > 1,
    }
    return tuple(code for code in CODES if refused[code])


def side(face: Face) -> int:
    """The longer side of a face's box, in 1/256 px."""
    return max(face.x1 - face.x0, face.y1 - face.y0)


def turned(keypoints: tuple[int, ...], percent: int) -> bool:
    """Whether the nose stands `percent` of the eyes' distance or more beside their middle, along the line of the eyes.

    Measured along that line, so that a head tilted to a shoulder is not turned away. Eyes in one point are.
    """
    right_x, right_y, left_x, left_y, nose_x, nose_y = keypoints[:6]
    x, y = left_x - right_x, left_y - right_y
    twice = (2 * nose_x - right_x - left_x) * x + (2 * nose_y - right_y - left_y) * y
    return 50 * abs(twice) >= percent * (x * x + y * y)


def measures(crop_pixels: np.ndarray, block: int) -> tuple[int, int, int]:
    """Light, fine detail and coarse detail of uint8 [S, S, 3] RGB pixels; S a multiple of 2 × `block`, from 6 × on.

    Light: sum of the luma (0..255, BT.601 weights in 1/256) of all pixels. Detail: `energy` of the luma summed over
    squares of `block` px, times 16 to stand on one scale with the other, and over squares twice as wide. A blur
    takes more from the fine than from the coarse, while contrast scales both and added light changes neither: a
    picture is held against a coarser one of itself, much as in Crete et al. 2007, "The Blur Effect". Squares,
    because enlarging a small face and the camera's noise change single pixels more than a blur that hides the
    traces of a screen; noise adds to the fine all the same, so a dim, noisy picture may only be told by how little
    detail there is at all.
    """
    red, green, blue = np.moveaxis(crop_pixels.astype(np.int64), 2, 0)
    luma = (77 * red + 150 * green + 29 * blue) >> 8
    sums = summed(luma, block)
    return int(luma.sum()), 16 * energy(sums), energy(summed(sums, 2))


def summed(values: np.ndarray, block: int) -> np.ndarray:
    """int64 [S, S] → the sums of squares of `block` × `block`, int64 [S / block, S / block]."""
    count = len(values) // block
    return values.reshape(count, block, count, block).sum((1, 3))


def energy(values: np.ndarray) -> int:
    """The mean squared 4-neighbour Laplacian of int64 [N, N], N 3 or more, rounded down; its rim has none."""
    inner = values[1:-1, 1:-1]
    edges = 4 * inner - values[:-2, 1:-1] - values[2:, 1:-1] - values[1:-1, :-2] - values[1:-1, 2:]
    return int((edges * edges).sum()) // edges.size
