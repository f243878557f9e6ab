"""Which crops of a stream's frame are judged: one in turn, as long as the same face stays. Twin: web/src/turns.js."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spoofweb.face import Face, overlap_percent

if TYPE_CHECKING:
    from spoofweb.pipeline import Observation


def in_turn(before: Observation | None, face: Face, time_ms: int, count: int, rules: dict) -> list[int]:
    """Indices of the crops to judge, of `count`.

    All crops at first, and again after whatever makes the logits before no witness of this face: another face, a
    refused frame, a gap, a clock that went back. Else the one that comes after the last judged.

    before: of the stream's frame before, None where there is none. rules: the contract's `verdict`.
    """
    if before is not None and before.face is not None and not before.reasons:
        gap = time_ms - before.time_ms
        same = overlap_percent(before.face[:4], face[:4]) >= rules["same_face_percent"]
        if same and 0 <= gap <= rules["lost_ms"]:
            return [(before.judged[-1] + 1) % count]
    return list(range(count))
