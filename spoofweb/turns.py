"""What of a stream's frame is looked at: the face is judged by one crop in turn, where it was; now and then it is
looked for again. Twin: web/src/turns.js.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spoofweb.face import Face, overlap_percent

if TYPE_CHECKING:
    from spoofweb.pipeline import Observation


def turn(before: Observation | None, time_ms: int, size: tuple[int, int], count: int, rules: dict) -> int | None:
    """The index of the crop whose turn it is, of `count`.

    None to start anew, with all crops, as the logits before are no witness any more: no face or a refused one, a gap, a
    clock that went back, a frame of another size.

    before: of the stream's frame before, None where there is none. size: width, height. rules: the contract's
    `verdict`.
    """
    if before is None or before.face is None or before.reasons:
        return None
    if not 0 <= time_ms - before.time_ms <= rules["lost_ms"] or size != before.size:
        return None
    return (before.judged[-1] + 1) % count


def looks(before: Observation, time_ms: int, look_ms: int) -> bool:
    """Whether the face is looked for again in a frame: once it was found `look_ms` ago (the contract's)."""
    return time_ms - before.looked_ms >= look_ms


def same_face(a: Face, b: Face, rules: dict) -> bool:
    """Whether two frames show the same face, by where it is."""
    return overlap_percent(a[:4], b[:4]) >= rules["same_face_percent"]
