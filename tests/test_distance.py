"""A face that comes nearer or goes away: reasons at the ends, and no verdict that size alone turns round."""

import numpy as np
import pytest
import scenes
from pictures import halftoned

from spoofweb import verdict
from spoofweb.cli import judged
from spoofweb.contract import read_card, verdict_rules
from spoofweb.graphs import CARD

WIDTH, HEIGHT = 320, 240
SIDES = [round(60 * 1.02**number) for number in range(124)]  # of the head, px, to beyond the frame
STEP_MS = 100


def watched(pipeline, change) -> list[tuple[tuple[str, ...], str]]:
    """(reasons, word) of each frame in which a face was found, from far to near."""
    rules, state, seen = verdict_rules(read_card(CARD)), verdict.State(), []
    for number, side in enumerate(SIDES):
        frame = change(scenes.placed(WIDTH, HEIGHT, (WIDTH // 2, HEIGHT // 2, side, 0)))
        observed = pipeline.observe(frame)
        state = verdict.step(state, judged(observed, number * STEP_MS, rules), rules)
        if observed.face:
            seen.append((observed.reasons, state.word))
    return seen


@pytest.mark.parametrize("change", [np.asarray, halftoned], ids=["as it is", "halftoned"])
def test_distance_gives_reasons_first_and_never_turns_a_verdict(pipeline, change):
    seen = watched(pipeline, change)
    assert len(seen) > len(SIDES) // 2
    assert "too-small" in seen[0][0] and "too-large" in seen[-1][0]
    words = [word for _, word in seen]
    assert len({verdict.LIVE, verdict.ATTACK} & set(words)) == 1
