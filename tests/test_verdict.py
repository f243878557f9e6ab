"""The verdict over time: window, trimming, hysteresis, what starts it anew."""

import random

import make_vectors
import pytest

from spoofweb import verdict
from spoofweb.verdict import ATTACK, LIVE, NONE, UNSURE, Judged, State

RULES = make_vectors.RULES
THRESHOLD, MARGIN, HYSTERESIS = RULES["threshold"], RULES["margin"], RULES["hysteresis"]
ONE, MOST = RULES["logit_one"], RULES["logit_max"]
BOX, ELSEWHERE = (1000, 1000, 9000, 9000), (20000, 1000, 28000, 9000)
SURE = THRESHOLD + 2 * MARGIN


def run(frames: list[Judged], state: State | None = None) -> State:
    """The state after all frames."""
    state = state or State()
    for frame in frames:
        state = verdict.step(state, frame, RULES)
    return state


def steady(logit: int, count: int, *, start: int = 100, gap: int = 50, box=BOX) -> list[Judged]:
    """`count` frames of the same face and logit."""
    return [Judged(start + gap * number, box, logit) for number in range(count)]


def test_vectors_are_current():
    assert make_vectors.read("verdict") == make_vectors.verdict_vectors()


def test_the_vectors_say_every_word():
    words = {state[0] for case in make_vectors.read("verdict")["sequences"] for state in case["states"]}
    assert words == {LIVE, ATTACK, UNSURE, NONE}


def test_nothing_is_said_without_a_face():
    assert run([Judged(100), Judged(5000)]) == State()


def test_no_word_before_enough_frames():
    least = RULES["min_frames"]
    assert run(steady(SURE, least - 1)).word == UNSURE
    assert run(steady(SURE, least)).word == LIVE
    assert run(steady(-SURE, least)).word == ATTACK


@pytest.mark.parametrize(
    ("above", "before", "said"),
    [
        (MARGIN, UNSURE, LIVE),
        (MARGIN - 1, UNSURE, UNSURE),
        (-MARGIN, UNSURE, ATTACK),
        (1 - MARGIN, UNSURE, UNSURE),
        (MARGIN - HYSTERESIS, LIVE, LIVE),
        (MARGIN - HYSTERESIS - 1, LIVE, UNSURE),
        (HYSTERESIS - MARGIN, ATTACK, ATTACK),
        (HYSTERESIS - MARGIN + 1, ATTACK, UNSURE),
        (MARGIN - HYSTERESIS, ATTACK, UNSURE),
        (0, NONE, UNSURE),
    ],
)
def test_margin_and_hysteresis(above, before, said):
    assert verdict.word(THRESHOLD + above, RULES, before) == said


@pytest.mark.parametrize(
    ("logit", "before", "said"),
    [
        (-HYSTERESIS, UNSURE, ATTACK),
        (1 - HYSTERESIS, UNSURE, UNSURE),
        (0, ATTACK, ATTACK),
        (1, ATTACK, UNSURE),
        (3 * ONE - MARGIN, UNSURE, UNSURE),
        (3 * ONE + MARGIN - 1, UNSURE, UNSURE),
        (3 * ONE + MARGIN, UNSURE, LIVE),
    ],
)
def test_what_is_likelier_live_than_not_is_no_attack_however_high_the_threshold(logit, before, said):
    assert verdict.word(logit, RULES | {"threshold": 3 * ONE}, before) == said


@pytest.mark.parametrize("threshold", [-MOST, -MARGIN, 0, MARGIN, MARGIN + 1, 3 * ONE, MOST])
def test_the_bounds_stand_round_any_threshold(threshold):
    attack, live = verdict.bounds(RULES | {"threshold": threshold})
    assert live == threshold + MARGIN and attack <= threshold - MARGIN
    assert attack + HYSTERESIS <= 0, "nor is an attack kept that is likelier live than not"
    assert attack in (threshold - MARGIN, -HYSTERESIS)


def test_a_given_word_holds_inside_the_hysteresis():
    held = THRESHOLD + MARGIN - HYSTERESIS
    state = run(steady(held, 40))
    assert state.word == UNSURE
    state = run(steady(held, 40, start=900), run(steady(SURE, 12)))
    assert state.word == LIVE and state.mean == held


def test_a_few_outliers_change_nothing():
    frames = steady(SURE, 12)
    for number in (3, 7, 9):
        frames[number] = Judged(frames[number].time_ms, BOX, -SURE)
    assert run(frames).mean == SURE


def test_old_frames_leave_the_window():
    state = run(steady(SURE, 30))
    assert len(state.window) == RULES["window_frames"]
    slow = run(steady(SURE, 10, gap=500))
    assert all(when >= slow.seen_ms - RULES["window_ms"] for when, _ in slow.window)
    assert len(slow.window) == RULES["window_ms"] // 500 + 1


def test_another_face_starts_anew():
    state = run(steady(SURE, 12))
    state = run([Judged(700, ELSEWHERE, SURE)], state)
    assert state.word == UNSURE and len(state.window) == 1


def test_a_face_that_moves_a_little_goes_on():
    frames = [Judged(100 + 50 * n, tuple(value + 300 * n for value in BOX), SURE) for n in range(12)]
    assert len(run(frames).window) == 12


def test_a_moment_without_a_face_is_overlooked():
    state = run(steady(SURE, 12))
    assert run([Judged(state.seen_ms + RULES["lost_ms"])], state) == state


def test_a_lost_face_empties_the_window():
    state = run(steady(SURE, 12))
    assert run([Judged(state.seen_ms + RULES["lost_ms"] + 1)], state) == State()


def test_a_gap_between_frames_starts_anew_too():
    state = run(steady(SURE, 12))
    late = run([Judged(state.seen_ms + RULES["lost_ms"] + 1, BOX, SURE)], state)
    assert late.word == UNSURE and len(late.window) == 1


def test_a_clock_that_jumps_back_starts_anew():
    state = run(steady(SURE, 12, start=60_000))
    early = run([Judged(500, BOX, SURE)], state)
    assert early.word == UNSURE and early.window == ((500, SURE),)
    assert run([Judged(500)], state) == State()


def test_a_steady_face_has_a_word_within_a_second_at_15_frames_a_second():
    frames = [Judged(round(number * 1000 / 15), BOX, SURE) for number in range(16)]
    said = next(frame.time_ms for i, frame in enumerate(frames, 1) if run(frames[:i]).word == LIVE)
    assert said - frames[0].time_ms <= 1000


def test_states_are_values():
    state = run(steady(SURE, 5))
    before = (state.word, state.mean, state.window, state.box, state.seen_ms)
    run(steady(-SURE, 5, start=400), state)
    assert (state.word, state.mean, state.window, state.box, state.seen_ms) == before


@pytest.mark.parametrize(
    ("logit", "steps"),
    [(0.0, 0), (1.0, ONE), (-1.0, -ONE), (0.5 / ONE, 1), (-0.5 / ONE, 0), (99.0, MOST), (-99.0, -MOST)],
)
def test_fixed_point(logit, steps):
    assert verdict.fixed(logit, RULES) == steps


def test_probability():
    assert verdict.probability(0, RULES) == 0.5
    assert verdict.probability(ONE, RULES) == pytest.approx(0.7310586)
    assert verdict.probability(-ONE, RULES) == pytest.approx(1 - 0.7310586)


@pytest.mark.parametrize(
    ("values", "percent", "mean"),
    [
        ([5], 25, 5),
        ([1, 2], 25, 2),
        ([-1, -2], 25, -1),
        ([100, 1, 2, 3], 25, 3),
        ([9, 1, 1, 1, 1, 1, 1, -9], 25, 1),
        ([1, 2, 3, 90], 0, 24),
    ],
)
def test_trimmed_mean(values, percent, mean):
    assert verdict.trimmed_mean(values, percent) == mean


def test_the_order_of_logits_does_not_matter_to_the_mean():
    draw = random.Random(1)
    values = [draw.randint(-9000, 9000) for _ in range(12)]
    turned = values[::-1]
    assert verdict.trimmed_mean(values, 25) == verdict.trimmed_mean(turned, 25)
