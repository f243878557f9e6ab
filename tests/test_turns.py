"""One crop of a frame in turn: when the crop before may stand for this face, and what a stream's frame then says."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import astronaut

from spoofweb.contract import CONTRACT
from spoofweb.face import Face
from spoofweb.pipeline import crop_pixels
from spoofweb.turns import looks, same_face, turn

RULES = CONTRACT["verdict"]
LOOK_MS = CONTRACT["stream"]["look_ms"]
FACE = Face(0, 0, 25600, 25600, 60000, ())
SIZE = (640, 480)


def before(**changed) -> SimpleNamespace:
    """An observation of a stream's frame, as far as `turn` looks at it."""
    usual = {"face": FACE, "reasons": (), "time_ms": 1000, "looked_ms": 1000, "size": SIZE, "judged": (0, 1)}
    return SimpleNamespace(**{**usual, **changed})


def test_the_first_frame_starts():
    assert turn(None, 0, SIZE, 2, RULES) is None


@pytest.mark.parametrize(("judged", "wanted"), [((0, 1), 0), ((0,), 1), ((1,), 0)])
def test_then_one_after_the_other(judged, wanted):
    assert turn(before(judged=judged), 1033, SIZE, 2, RULES) == wanted


def test_with_one_crop_it_is_always_that():
    assert turn(before(judged=(0,)), 1033, SIZE, 1, RULES) == 0


@pytest.mark.parametrize("time_ms", [1000, 1000 + RULES["lost_ms"]])
def test_a_short_gap_is_none(time_ms):
    assert turn(before(judged=(0,)), time_ms, SIZE, 2, RULES) == 1


@pytest.mark.parametrize(
    ("changed", "time_ms"),
    [
        ({"face": None, "judged": ()}, 1033),
        ({"reasons": ("blurred",)}, 1033),
        ({"size": (480, 640)}, 1033),
        ({}, 1001 + RULES["lost_ms"]),
        ({}, 999),
    ],
    ids=["no face", "refused", "turned", "gap", "clock"],
)
def test_what_starts_anew(changed, time_ms):
    assert turn(before(**{"judged": (0,), **changed}), time_ms, SIZE, 2, RULES) is None


@pytest.mark.parametrize(("age", "wanted"), [(LOOK_MS - 1, False), (LOOK_MS, True), (9999, True)])
def test_a_face_is_looked_for_again_after_a_while(age, wanted):
    assert looks(before(time_ms=1990), 1000 + age, LOOK_MS) is wanted


def test_a_face_elsewhere_is_another():
    assert same_face(FACE, Face(5000, 5000, 30600, 30600, 50000, ()), RULES)
    assert not same_face(FACE, Face(20000, 20000, 45600, 45600, 60000, ()), RULES)


def test_a_stream_takes_the_other_crop_from_the_frame_before(pipeline):
    frames = [np.clip(astronaut().astype(int) + step, 0, 255).astype(np.uint8) for step in (0, 6, 12, 18, 24, 30)]
    seen, last = [], None
    for i, frame in enumerate(frames):
        last = pipeline.observe(frame, 50 * i, last)
        seen.append(last)
    assert [found.looked_ms for found in seen] == [0, 0, 100, 100, 200, 200]
    assert [found.judged for found in seen] == [(0, 1), (0,), (1,), (0,), (1,), (0,)]
    assert [found.time_ms for found in seen] == [0, 50, 100, 150, 200, 250]
    for i, found in enumerate(seen[1:], 1):
        (now,) = found.judged
        logits, _, evidence = pipeline.spoofnet.run(None, {"crops": crop_pixels(frames[i], found.crops)})
        assert found.logits[now] == pytest.approx(logits[now], abs=1e-4)
        assert found.logits[1 - now] == seen[i - 1].logits[1 - now]
        assert np.allclose(found.evidence[now], evidence[now], atol=1e-4)
        assert np.array_equal(found.evidence[1 - now], seen[i - 1].evidence[1 - now])
        assert math.isclose(found.logit, sum(found.logits) / 2)
        alone = pipeline.observe(frames[found.looked_ms // 50])
        assert found.faces == alone.faces and found.crops == alone.crops and found.reasons == ()


def test_another_face_is_judged_by_all(pipeline):
    first = pipeline.observe(astronaut(), 0)
    aside = np.roll(astronaut(), -200, axis=1)
    assert pipeline.observe(aside, LOOK_MS, first).judged == (0, 1)
    assert pipeline.observe(aside, LOOK_MS - 1, first).judged == (0,), "found where it was, and not looked for"
