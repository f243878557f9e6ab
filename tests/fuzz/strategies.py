"""What the fuzzing draws: frames, boxes, detections, frames over time, scores with labels.

Domains are those of the functions' docstrings, as wide as the product can reach: coordinates up to ± 16384 px in
1/256 px, detections up to 100 × the detector's square (what its build accepts), logits any finite float32.
"""

import numpy as np
from hypothesis import strategies as st
from scipy import ndimage

from spoofweb.contract import CONTRACT
from spoofweb.face import Face

DETECTOR, VERDICT, QUALITY = CONTRACT["detector"], CONTRACT["verdict"], CONTRACT["quality"]
FAR = 16384 * DETECTOR["subpixel"]
FAR_DETECTION = 100 * DETECTOR["side"] * DETECTOR["subpixel"]
MOST_PIXELS = 30_000  # of a drawn frame: enough for every branch of the resampling

seeds = st.integers(0, 2**32 - 1)
lengths = st.one_of(st.integers(1, 6), st.integers(1, 60), st.integers(1, 400), st.integers(1, 9000))
sizes = st.tuples(st.integers(1, 9000), st.integers(1, 9000)) | st.tuples(st.integers(1, 700), st.integers(1, 700))
percents = st.sampled_from(CONTRACT["crop"]["scales_percent"]) | st.integers(1, 1000)
coordinates = st.integers(-FAR, FAR) | st.integers(-2000, 200_000)
FILLINGS = ("noise", "extremes", "flat", "ramp")


@st.composite
def frames(draw) -> np.ndarray:
    """uint8 [H, W, 4], at most MOST_PIXELS: noise, only 0 and 255, one colour or a ramp; alpha is anything."""
    width = draw(lengths)
    height = min(draw(lengths), max(1, MOST_PIXELS // width))
    return filled(draw(st.sampled_from(FILLINGS)), draw(seeds), height, width, 4)


def filled(filling: str, seed: int, *shape: int) -> np.ndarray:
    """A uint8 array of a shape whose values depend on filling and seed alone."""
    rng = np.random.default_rng(seed)
    if filling == "flat":
        return np.broadcast_to(rng.integers(0, 256, shape[-1], np.uint8), shape)
    if filling == "ramp":
        return (np.arange(np.prod(shape)) * int(rng.integers(1, 256)) // 8).astype(np.uint8).reshape(shape)
    noise = rng.integers(0, 256, shape, np.uint8)
    return noise if filling == "noise" else (noise > rng.integers(0, 256)).astype(np.uint8) * 255


@st.composite
def parts(draw) -> tuple[np.ndarray, tuple[int, int, int, int], tuple[int, int]]:
    """A frame, a box inside it that is not empty, and the size that the box is brought to."""
    frame = draw(frames())
    height, width = frame.shape[:2]
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    if draw(st.booleans()):
        left, top, right, bottom = 0, 0, width, height
    side = CONTRACT["input"]["side"]
    size = draw(
        st.sampled_from([(side, side), (right - left, bottom - top), (1, 1), (right - left, 1)])
        | st.tuples(st.integers(1, 80), st.integers(1, 80))
        | st.tuples(st.integers(1, 400), st.integers(1, 12))
    )
    return frame, (left, top, right, bottom), size


@st.composite
def boxes(draw) -> tuple[int, int, int, int]:
    """x0 < x1 and y0 < y1, in 1/256 px."""
    (x0, x1), (y0, y1) = sorted((draw(coordinates), draw(coordinates))), sorted((draw(coordinates), draw(coordinates)))
    return x0, y0, x1 + (x0 == x1), y1 + (y0 == y1)


@st.composite
def detections(draw) -> np.ndarray:
    """int32 [896, 17]: clusters of detections around some places, scores around the least one that counts."""
    rng = np.random.default_rng(draw(seeds))
    least, most = DETECTOR["score_min"], DETECTOR["score_one"]
    made = np.zeros((896, 17), np.int32)
    at = 0
    for _ in range(draw(st.integers(0, 6))):
        count = draw(st.integers(1, 5) | st.integers(1, 40))
        reach = draw(st.sampled_from([DETECTOR["side"] * DETECTOR["subpixel"], FAR_DETECTION]))
        spread = draw(st.integers(0, 12)) ** 3 * reach // 4000
        centre = rng.integers(-reach // 8, reach + 1, 16)
        rows = np.clip(centre + rng.integers(-spread, spread + 1, (count, 16)), -FAR_DETECTION, FAR_DETECTION)
        scores = rng.choice([least - 1, least, most, *rng.integers(0, most + 1, 3)], count)
        made[at : at + count] = np.column_stack([scores, rows])
        at += count
    return rng.permutation(made) if draw(st.booleans()) else made


@st.composite
def judged_faces(draw) -> tuple[list[Face], tuple[int, int], np.ndarray]:
    """Faces in a frame, the first to be judged, its size, and a crop: sides, light and blur near the bounds."""
    width, height = draw(sizes)
    step, near = DETECTOR["subpixel"], st.integers(-2, 2)
    least, most = QUALITY["small_px"] * step, QUALITY["large_percent"] * min(width, height) * step // 100
    side = st.sampled_from([least, most, most // 2]) | st.integers(1, 4 * least)
    inside = st.builds(
        lambda x, y, s, d: placed(x, y, max(1, s + d)), st.integers(0, 100), st.integers(0, 100), side, near
    )

    def placed(x: int, y: int, side: int) -> tuple[int, int, int, int]:
        left, top = (width * step * x - 50 * side) // 100, (height * step * y - 50 * side) // 100
        return left, top, left + side, top + side

    points = st.lists(coordinates | st.integers(0, 40), min_size=12, max_size=12).map(tuple)
    found = [Face(*box, 0, draw(points)) for box in draw(st.lists(inside | boxes(), min_size=1, max_size=4))]
    crop_side = 2 * QUALITY["blur_block"] * draw(st.integers(3, 8))
    pixels = filled(draw(st.sampled_from(FILLINGS)), draw(seeds), crop_side, crop_side, 3).astype(np.float32)
    pixels = ndimage.gaussian_filter(pixels, draw(st.integers(0, 2 * QUALITY["blur_block"])), axes=(0, 1))
    lift = draw(st.integers(0, 255) | st.sampled_from([QUALITY["dark"], QUALITY["bright"]]))
    contrast = (255 - lift) / max(1, np.ptp(pixels)) / draw(st.integers(1, 16))
    return found, (width, height), (lift + contrast * (pixels - pixels.min())).astype(np.uint8)


logits = st.floats(width=32, allow_nan=False, allow_infinity=False)
logits |= st.integers(-300_000, 300_000).map(lambda half: half / (2 * VERDICT["logit_one"]))  # where rounding turns
rules = st.builds(lambda threshold: VERDICT | {"threshold": threshold}, st.integers(-40_000, 40_000))
steps = st.integers(-VERDICT["logit_max"], VERDICT["logit_max"]) | st.integers(-6000, 6000)
gaps = st.sampled_from(
    [0, 1, 33, 100, VERDICT["lost_ms"], VERDICT["lost_ms"] + 1, VERDICT["window_ms"] + 1, -40, -5000]
)
gaps |= st.integers(-(10**10), 10**10) | st.floats(0, 300)  # a clock that jumps; the page's clock has fractions


@st.composite
def sequences(draw) -> list[tuple[float, tuple[int, int, int, int] | None, int | None]]:
    """Judged frames (time_ms, box, logit): a face that stays, moves, is refused (no logit), goes, or is another."""
    here = draw(boxes())
    place = st.sampled_from([None, here, here, here, tuple(v + 400 for v in here)]) | boxes()
    time_ms, made = draw(st.integers(0, 10**9)), []
    for gap, box, logit in draw(st.lists(st.tuples(gaps, place, st.none() | steps | steps), max_size=25)):
        time_ms += gap
        made.append((time_ms, box, None if box is None else logit))
    return made


@st.composite
def graded(draw) -> tuple[list[float], list[int], list[str]]:
    """Scores, labels and species of one length, now and then with something in them that must be refused."""
    fair = (
        st.sampled_from([-1.0, 0.0, 0.25, 1.0]) | st.floats(-30, 30) | st.floats(allow_nan=False, allow_infinity=False)
    )
    score = fair if draw(st.integers(0, 5)) else fair | st.sampled_from([float("nan"), float("inf")])
    label = st.sampled_from([0, 1]) if draw(st.integers(0, 9)) else st.sampled_from([0, 1, 2, -1])
    least = 2 if draw(st.integers(0, 9)) else 0
    rows = draw(st.lists(st.tuples(score, label, st.sampled_from("abc")), min_size=least, max_size=14))
    scores, labels, species = ([row[i] for row in rows] for i in range(3))
    return scores if draw(st.integers(0, 19)) else scores + [0.5], labels, species


thresholds = st.floats() | st.sampled_from([-1.0, 0.0, 0.25, 1.0])
shares = st.floats(0, 1) | st.sampled_from([0.0, 0.05, 0.25, 0.5, 1.0]) | st.floats()
