"""Judged frames → one word over time: LIVE, ATTACK, UNSURE or NONE. Twin: web/src/verdict.js.

A pure reducer in fixed point: `step(state, frame)` gives the next state, and nothing else is remembered.
"""

import math
from dataclasses import dataclass, replace

from spoofweb.face import overlap_percent

LIVE, ATTACK, UNSURE, NONE = "live", "attack", "unsure", "none"

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Judged:
    """What one frame said. `box` (x0, y0, x1, y1) is None without a face.

    `logit` in fixed point (see `fixed`); None without a face and for a face that a quality gate refused.
    """

    time_ms: int
    box: Box | None = None
    logit: int | None = None


@dataclass(frozen=True)
class State:
    """`word` so far; `mean` is the trimmed mean logit behind it (fixed point), None while nothing was judged."""

    word: str = NONE
    mean: int | None = None
    window: tuple[tuple[int, int], ...] = ()  # (time_ms, logit), oldest first
    box: Box | None = None
    seen_ms: int = 0


def fixed(logit: float, rules: dict) -> int:
    """A logit in the contract's fixed point, halves up, clipped to ± `logit_max`."""
    steps = math.floor(logit * rules["logit_one"] + 0.5)
    return max(-rules["logit_max"], min(rules["logit_max"], steps))


def probability(logit: int, rules: dict) -> float:
    """Live probability (0..1) of a fixed-point logit."""
    return 1 / (1 + math.exp(-logit / rules["logit_one"]))


def bounds(rules: dict) -> tuple[int, int]:
    """The highest logit of an ATTACK and the lowest of a LIVE, fixed point; what lies between them is UNSURE.

    They stand a margin below and above the threshold; but the first so low that nothing that is likelier live than not
    is an ATTACK, nor is kept one.
    """
    return min(-rules["hysteresis"], rules["threshold"] - rules["margin"]), rules["threshold"] + rules["margin"]


def word(logit: int, rules: dict, before: str = UNSURE) -> str:
    """The word for a fixed-point logit; one given `before` is kept until `hysteresis` beyond its bound."""
    attack, live = bounds(rules)
    if logit >= live - (rules["hysteresis"] if before == LIVE else 0):
        return LIVE
    if logit <= attack + (rules["hysteresis"] if before == ATTACK else 0):
        return ATTACK
    return UNSURE


def step(state: State, frame: Judged, rules: dict) -> State:
    """The state after one more frame; `rules` is the compiled contract's `verdict`.

    A clock that jumps, forth or back, starts anew.
    A refused face keeps the window alive but adds nothing to it, so that a word ends with the frames behind it.
    """
    if frame.box is None:
        return State() if state.box is not None and _torn(state, frame, rules) else state
    if state.box and overlap_percent(state.box, frame.box) < rules["same_face_percent"]:
        state = State()
    if _torn(state, frame, rules):
        state = State()
    refused = frame.logit is None
    oldest = frame.time_ms - rules["window_ms"]
    window = [entry for entry in state.window if entry[0] >= oldest]
    window = tuple((window if refused else [*window, (frame.time_ms, frame.logit)])[-rules["window_frames"] :])
    if not window:
        return State(word=UNSURE, box=frame.box, seen_ms=frame.time_ms)
    mean = trimmed_mean([logit for _, logit in window], rules["trim_percent"])
    said = word(mean, rules, state.word) if len(window) >= rules["min_frames"] else UNSURE
    if refused and said != state.word:  # a frame that does not count may end a word, never give one
        said = UNSURE
    return replace(state, word=said, mean=mean, window=window, box=frame.box, seen_ms=frame.time_ms)


def _torn(state: State, frame: Judged, rules: dict) -> bool:
    """Whether a frame does not follow the last face in time."""
    return not 0 <= frame.time_ms - state.seen_ms <= rules["lost_ms"]


def trimmed_mean(values: list[int], percent: int) -> int:
    """Mean of the values without the lowest and highest `percent` of them (counts rounded down), halves up."""
    drop = len(values) * percent // 100
    kept = sorted(values)[drop : len(values) - drop]
    return (2 * sum(kept) + len(kept)) // (2 * len(kept))
