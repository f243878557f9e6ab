"""What the fuzzing checks of each drawn case: a value within its bounds, the same on both sides, or the one error.

A check returns "value" or "error" (a SpoofwebError, the documented answer to bad input); anything else is raised.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from spoofweb import metrics, quality, verdict
from spoofweb.contract import CONTRACT
from spoofweb.crop import square
from spoofweb.errors import SpoofwebError
from spoofweb.face import Face, detector_input, faces, largest, letterbox, overlap_percent
from spoofweb.resample import resample
from tests.fuzz import strategies as draw
from tests.fuzz.twins import Twins, digest, packed, plain

DETECTOR = CONTRACT["detector"]
SCALES = CONTRACT["crop"]["scales_percent"]


class Target(NamedTuple):
    """A function under fuzzing. share: its part of all cases."""

    cases: st.SearchStrategy
    check: Callable[[object, Twins], str]
    share: float


def check_resample(case: tuple, twins: Twins) -> str:
    frame, box, size = case
    made = resample(np.ascontiguousarray(frame[..., :3]), box, *size)
    assert made.shape == (size[1], size[0], 3) and made.dtype == np.uint8
    assert twins.call("resample", {"frame": sent(frame), "box": box, "size": size}) == digest(made)
    return "value"


def check_input(frame: np.ndarray, twins: Twins) -> str:
    made = detector_input(np.ascontiguousarray(frame[..., :3]))
    assert made.shape == (1, DETECTOR["side"], DETECTOR["side"], 3)
    assert twins.call("input", {"frame": sent(frame), "rules": DETECTOR}) == digest(made)
    return "value"


def check_letterbox(size: tuple[int, int], twins: Twins) -> str:
    place, side = letterbox(*size), DETECTOR["side"]
    assert 0 <= place.x < place.x + place.width <= side and 0 <= place.y < place.y + place.height <= side
    assert twins.call("letterbox", {"size": size, "rules": DETECTOR}) == list(place)
    return "value"


def check_overlap(case: tuple, twins: Twins) -> str:
    a, b = case
    percent = overlap_percent(a, b)
    assert 0 <= percent <= 100 and overlap_percent(b, a) == percent and overlap_percent(a, a) == 100
    assert twins.call("overlap", {"a": a, "b": b}) == percent
    return "value"


def check_faces(case: tuple, twins: Twins) -> str:
    rows, size = case
    found = faces(rows, *size)
    face = largest(found)
    crops = [square(face, *size, percent) for percent in SCALES] if face else []
    assert all(f.x1 > f.x0 and f.y1 > f.y0 and f.score >= DETECTOR["score_min"] for f in found)
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    given = {"rows": packed(rows), "size": size, "percents": SCALES, "rules": DETECTOR}
    assert twins.call("faces", given) == plain([found, face, crops])
    return "value"


def check_crop(case: tuple, twins: Twins) -> str:
    box, (width, height), percent = case
    crop = square(Face(*box, 0, ()), width, height, percent)
    left, top, right, bottom = crop.box
    assert 0 <= left < right <= width and 0 <= top < bottom <= height and right - left == bottom - top
    given = {"box": box, "size": (width, height), "percent": percent, "rules": DETECTOR}
    assert twins.call("crop", given) == list(crop)
    return "value"


def check_quality(case: tuple, twins: Twins) -> str:
    found, size, crop = case
    said = quality.reasons(found[0], found, *size, crop, CONTRACT["quality"])
    assert sorted(said, key=quality.CODES.index) == list(said) and len(set(said)) == len(said)
    given = {"face": found[0], "found": found, "size": size, "crop": packed(crop), "subpixel": DETECTOR["subpixel"]}
    measured = quality.measures(crop, CONTRACT["quality"]["blur_block"])
    assert twins.call("quality", given | {"rules": CONTRACT["quality"]}) == [list(measured), list(said)]
    return "value"


def check_fixed(case: tuple, twins: Twins) -> str:
    logit, rules = case
    steps = verdict.fixed(logit, rules)
    assert abs(steps) <= rules["logit_max"] and 0 <= verdict.probability(steps, rules) <= 1
    assert twins.call("fixed", {"logit": logit, "rules": rules}) == [steps, verdict.word(steps, rules)]
    return "value"


def check_verdict(case: tuple, twins: Twins) -> str:
    frames, rules = case
    state, states = verdict.State(), []
    for time_ms, box, logit in frames:
        state = verdict.step(state, verdict.Judged(time_ms, box, logit), rules)
        states.append([state.word, state.mean, state.window, state.box])
        assert len(state.window) <= rules["window_frames"]
        assert (state.mean is None) == (not state.window)
        decided = state.word in (verdict.LIVE, verdict.ATTACK)
        assert not decided or len(state.window) >= rules["min_frames"]
    assert twins.call("verdict", {"frames": frames, "rules": rules}) == plain(states)
    return "value"


def check_metrics(case: tuple, _: Twins) -> str:
    (scores, labels, species), threshold, share = case
    said = [outcome(check, scores, labels, species, threshold, share) for check in METRICS]
    return "value" if "value" in said else "error"  # some rates need one class only


def outcome(check: Callable, *given: object) -> str:
    """Whether a check passes or meets the documented error."""
    try:
        check(*given)
    except SpoofwebError:
        return "error"
    return "value"


def check_rates(scores: list, labels: list, species: list, threshold: float, _: float) -> None:
    accepted = [score >= threshold for score in scores]
    wanted = [flag for flag, label in zip(accepted, labels, strict=False) if label == 0]
    assert close(metrics.apcer(scores, labels, threshold), sum(wanted) / max(1, len(wanted)))
    name, worst = metrics.worst_apcer(scores, labels, species, threshold)
    rates = metrics.apcer_by_species(scores, labels, species, threshold)
    assert worst == max(rates.values()) and rates[name] == worst
    for rate in (metrics.hter(scores, labels, threshold), metrics.acer(scores, labels, species, threshold)):
        assert 0 <= rate <= 1


def check_auc(scores: list, labels: list, *_: object) -> None:
    area = metrics.auc(scores, labels)
    real, attack = by_class(scores, labels)
    wins = sum((r > a) + (r == a) / 2 for r in real for a in attack)
    assert close(area, wins / (len(real) * len(attack)))


def check_weighted_auc(scores: list, labels: list, species: list, threshold: float, share: float) -> None:
    weights = [abs(threshold) if kind == "a" else share for kind in species]
    area = metrics.auc(scores, labels, weights)
    assert 0 <= area <= 1 + 1e-12


def check_eer(scores: list, labels: list, *_: object) -> None:
    rate, threshold = metrics.eer(scores, labels)
    assert 0 <= rate <= 1 and threshold in scores
    assert close(rate, metrics.hter(scores, labels, threshold))
    gap = abs(metrics.apcer(scores, labels, threshold) - metrics.bpcer(scores, labels, threshold))
    for other in scores:
        assert gap <= abs(metrics.apcer(scores, labels, other) - metrics.bpcer(scores, labels, other)) + 1e-12


def check_threshold(scores: list, labels: list, species: list, threshold: float, share: float) -> None:
    chosen = metrics.threshold_at_bpcer(scores, labels, share)
    assert metrics.bpcer(scores, labels, chosen) <= share
    above = [score for score, label in zip(scores, labels, strict=True) if label == 1 and score > chosen]
    assert all(metrics.bpcer(scores, labels, other) > share for other in above)


def check_bpcer_at_apcer(scores: list, labels: list, species: list, threshold: float, share: float) -> None:
    rate = metrics.bpcer_at_apcer(scores, labels, share)
    cuts = [*scores, *(math.nextafter(score, math.inf) for score in scores)]
    affordable = [cut for cut in cuts if metrics.apcer(scores, labels, cut) <= share]
    assert close(rate, min(metrics.bpcer(scores, labels, cut) for cut in affordable))


def check_calibration(scores: list, labels: list, species: list, threshold: float, share: float) -> None:
    low, high = metrics.TEMPERATURE_RANGE
    assert low * 0.999 <= metrics.fit_temperature(scores, labels) <= high * 1.001
    live = metrics.sigmoid(scores)
    assert 0 <= metrics.expected_calibration_error(live, labels, len(scores)) <= 1 + 1e-12


def check_unfit_calibration(scores: list, labels: list, *_: object) -> None:
    error = metrics.expected_calibration_error(scores, labels, len(labels) - 1)
    assert 0 <= error <= 1 + 1e-12


def check_bootstrap(scores: list, labels: list, species: list, threshold: float, share: float) -> None:
    low, high = metrics.bootstrap_over_sites(metrics.auc, scores, labels, species, 3, len(scores), share)
    assert 0 <= low <= high <= 1


METRICS = (
    check_rates, check_auc, check_weighted_auc, check_eer, check_threshold, check_bpcer_at_apcer, check_calibration,
    check_unfit_calibration, check_bootstrap,
)  # fmt: skip


def by_class(scores: list, labels: list) -> tuple[list, list]:
    """Scores of the bona fide pictures and of the attacks."""
    pairs = list(zip(scores, labels, strict=True))
    return [score for score, label in pairs if label == 1], [score for score, label in pairs if label == 0]


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, abs_tol=1e-12)


def sent(frame: np.ndarray) -> dict:
    """A uint8 [H, W, 4] frame as the twins take it."""
    return {"rgba": packed(frame), "width": frame.shape[1], "height": frame.shape[0]}


TARGETS = {
    "resample": Target(draw.parts(), check_resample, 0.08),
    "detector input": Target(draw.frames(), check_input, 0.06),
    "letterbox": Target(draw.sizes, check_letterbox, 0.10),
    "overlap": Target(st.tuples(draw.boxes(), draw.boxes()), check_overlap, 0.14),
    "face decoding": Target(st.tuples(draw.detections(), draw.sizes), check_faces, 0.08),
    "crop": Target(st.tuples(draw.boxes(), draw.sizes, draw.percents), check_crop, 0.18),
    "quality": Target(draw.judged_faces(), check_quality, 0.06),
    "fixed point": Target(st.tuples(draw.logits, draw.rules), check_fixed, 0.14),
    "verdict": Target(st.tuples(draw.sequences(), draw.rules), check_verdict, 0.10),
    "metrics": Target(st.tuples(draw.graded(), draw.thresholds, draw.shares), check_metrics, 0.06),
}
