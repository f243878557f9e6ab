"""One crop of a frame in turn: when the crop before may stand for this face, and what a stream's frame then says."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import astronaut

from spoofweb.contract import CONTRACT
from spoofweb.face import Face
from spoofweb.turns import in_turn

RULES = CONTRACT["verdict"]
FACE = Face(0, 0, 25600, 25600, 60000, ())


def before(**changed) -> SimpleNamespace:
    """An observation of a stream's frame, as far as `in_turn` looks at it."""
    return SimpleNamespace(**{"face": FACE, "reasons": (), "time_ms": 1000, "judged": (0, 1), **changed})


def test_the_first_frame_is_judged_by_all():
    assert in_turn(None, FACE, 0, 2, RULES) == [0, 1]


@pytest.mark.parametrize(("judged", "wanted"), [((0, 1), [0]), ((0,), [1]), ((1,), [0])])
def test_then_one_after_the_other(judged, wanted):
    assert in_turn(before(judged=judged), FACE, 1033, 2, RULES) == wanted


def test_with_one_crop_it_is_always_that():
    assert in_turn(before(judged=(0,)), FACE, 1033, 1, RULES) == [0]


@pytest.mark.parametrize("time_ms", [1000, 1000 + RULES["lost_ms"]])
def test_a_short_gap_is_none(time_ms):
    assert in_turn(before(judged=(0,)), FACE, time_ms, 2, RULES) == [1]


@pytest.mark.parametrize(
    ("changed", "time_ms"),
    [
        ({"face": None, "judged": ()}, 1033),
        ({"face": Face(20000, 20000, 45600, 45600, 60000, ())}, 1033),
        ({"reasons": ("blurred",)}, 1033),
        ({}, 1001 + RULES["lost_ms"]),
        ({}, 999),
    ],
    ids=["no face", "another face", "refused", "gap", "clock"],
)
def test_what_starts_anew(changed, time_ms):
    assert in_turn(before(**{"judged": (0,), **changed}), FACE, time_ms, 2, RULES) == [0, 1]


def test_a_stream_takes_the_other_crop_from_the_frame_before(pipeline):
    frames = [np.clip(astronaut().astype(int) + step, 0, 255).astype(np.uint8) for step in (0, 6, 12, 18)]
    alone = [pipeline.observe(frame) for frame in frames]
    seen, last = [], None
    for i, frame in enumerate(frames):
        last = pipeline.observe(frame, 40 * i, last)
        seen.append(last)
    assert [found.judged for found in seen] == [(0, 1), (0,), (1,), (0,)]
    for i, found in enumerate(seen[1:], 1):
        (now,) = found.judged
        assert found.logits[now] == pytest.approx(alone[i].logits[now], abs=1e-4)
        assert found.logits[1 - now] == seen[i - 1].logits[1 - now]
        assert np.allclose(found.evidence[now], alone[i].evidence[now], atol=1e-4)
        assert np.array_equal(found.evidence[1 - now], seen[i - 1].evidence[1 - now])
        assert math.isclose(found.logit, sum(found.logits) / 2)
        assert found.faces == alone[i].faces and found.crops == alone[i].crops and found.reasons == ()
