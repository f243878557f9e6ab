"""Error rates: hand-worked cases, scikit-learn, and properties that hold for any scores."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from spoofweb import metrics
from spoofweb.errors import SpoofwebError

# At the threshold 0.5 three of five bona fide pictures are refused and one of four attacks is accepted.
REAL = [0.1, 0.2, 0.4, 0.5, 0.9]
ATTACK = [0.0, 0.15, 0.3, 0.7]
SCORES = np.array(REAL + ATTACK)
LABELS = np.array([1] * 5 + [0] * 4)
SPECIES = np.array([""] * 5 + ["print", "print", "replay", "replay"])


@st.composite
def scored(draw):
    """Integer scores, many of them tied, with both classes."""
    real = draw(st.lists(st.integers(-6, 6), min_size=1, max_size=20))
    attack = draw(st.lists(st.integers(-6, 6), min_size=1, max_size=20))
    return np.array(real + attack, dtype=float), np.array([1] * len(real) + [0] * len(attack))


def test_apcer_and_bpcer_are_not_swapped():
    assert metrics.apcer(SCORES, LABELS, 0.5) == 1 / 4
    assert metrics.bpcer(SCORES, LABELS, 0.5) == 3 / 5


def test_a_score_equal_to_the_threshold_is_accepted():
    assert metrics.bpcer([0.5], [1], 0.5) == 0
    assert metrics.apcer([0.5], [0], 0.5) == 1


def test_apcer_is_reported_per_species_with_its_worst():
    assert metrics.apcer_by_species(SCORES, LABELS, SPECIES, 0.5) == {"print": 0.0, "replay": 0.5}
    assert metrics.worst_apcer(SCORES, LABELS, SPECIES, 0.5) == ("replay", 0.5)
    assert metrics.worst_apcer(SCORES, LABELS, SPECIES, 2.0) == ("print", 0.0)


def test_species_of_bona_fide_pictures_play_no_part():
    named = np.where(LABELS == 1, "mask", SPECIES)
    assert set(metrics.apcer_by_species(SCORES, LABELS, named, 0.5)) == {"print", "replay"}


def test_acer_takes_the_worst_species_and_hter_the_pooled_attacks():
    assert metrics.acer(SCORES, LABELS, SPECIES, 0.5) == pytest.approx((0.5 + 0.6) / 2)
    assert metrics.hter(SCORES, LABELS, 0.5) == pytest.approx((0.25 + 0.6) / 2)


def test_auc_by_hand():
    # Attacks below each bona fide score: 1, 2, 3, 3 and 4 of 4.
    assert metrics.auc(SCORES, LABELS) == pytest.approx(13 / 20)
    assert metrics.auc([1, 1, 0], [1, 0, 0]) == 0.75


def test_eer_by_hand():
    # At 0.3 two of four attacks pass and two of five bona fide are refused: the closest pair.
    assert metrics.eer(SCORES, LABELS) == (pytest.approx(0.45), 0.3)
    assert metrics.eer([1, 2, 3, 4], [0, 0, 1, 1]) == (0.0, 3.0)
    assert metrics.eer([3, 4, 1, 2], [0, 0, 1, 1])[0] == 1.0
    assert metrics.eer([1, 1, 1], [0, 1, 1])[0] == 0.5


def test_threshold_at_bpcer_by_hand():
    assert metrics.threshold_at_bpcer(SCORES, LABELS, 0.0) == 0.1
    assert metrics.threshold_at_bpcer(SCORES, LABELS, 0.19) == 0.1
    assert metrics.threshold_at_bpcer(SCORES, LABELS, 0.2) == 0.2
    assert metrics.threshold_at_bpcer([1, 1, 2], [1, 1, 1], 0.5) == 1  # tied scores fall together


def test_threshold_at_bpcer_uses_up_a_target_that_a_float_cannot_hold():
    scores = np.arange(100)  # 0.29 * 100 is 28.999...
    assert metrics.threshold_at_bpcer(scores, np.ones(100), 0.29) == 29


def test_bpcer_at_apcer_by_hand():
    assert metrics.bpcer_at_apcer(SCORES, LABELS, 0.0) == 0.8
    assert metrics.bpcer_at_apcer(SCORES, LABELS, 0.25) == 0.4
    assert metrics.bpcer_at_apcer(SCORES, LABELS, 1.0) == 0.0
    assert metrics.bpcer_at_apcer([1, 1], [1, 0], 0.5) == 1.0  # a tie: both are refused


def test_calibration_error_by_hand():
    # Bins of width 0.5: (0.1 + 0.3) - 0 and (0.6 + 0.8) - 1, over four pictures.
    assert metrics.expected_calibration_error([0.1, 0.3, 0.6, 0.8], [0, 0, 1, 0], 2) == pytest.approx(0.2)
    assert metrics.expected_calibration_error([0.0, 1.0], [0, 1], 15) == 0
    assert metrics.expected_calibration_error([0.0, 1.0], [1, 0], 15) == 1


def test_temperature_recovers_the_factor_by_which_logits_are_too_large():
    # At p = 0.75 three of four pictures of each side are right: logits of +-log 3 are calibrated.
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 1])
    logits = np.array([1] * 4 + [-1] * 4) * np.log(3)
    assert metrics.fit_temperature(logits, labels) == pytest.approx(1, rel=1e-6)
    assert metrics.fit_temperature(5 * logits, labels) == pytest.approx(5, rel=1e-6)


def test_temperature_weighs_the_classes_alike():
    logits, labels = np.array([2.0, -1, -2, 1]), np.array([1, 1, 0, 0])
    once = metrics.fit_temperature(logits, labels)
    more_attacks = metrics.fit_temperature(np.append(logits, [-2, 1] * 50), np.append(labels, [0, 0] * 50))
    assert more_attacks == pytest.approx(once, rel=1e-9)


def test_temperature_stays_in_its_range():
    low, high = metrics.TEMPERATURE_RANGE
    assert metrics.fit_temperature([5, -5], [1, 0]) == pytest.approx(low)
    assert metrics.fit_temperature([-5, 5], [1, 0]) == pytest.approx(high)


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        assert metrics.sigmoid([-1e4, 0, 1e4]).tolist() == [0, 0.5, 1]


@given(scored())
def test_auc_agrees_with_scikit_learn(sample):
    scores, labels = sample
    weights = np.abs(scores) + 1
    assert metrics.auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))
    assert metrics.auc(scores, labels, weights) == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))


@given(scored())
def test_rates_agree_with_scikit_learns_roc_curve(sample):
    scores, labels = sample
    accepted_attack, accepted_real, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    for a, r, threshold in zip(accepted_attack, accepted_real, thresholds, strict=True):
        assert metrics.apcer(scores, labels, threshold) == pytest.approx(a)
        assert metrics.bpcer(scores, labels, threshold) == pytest.approx(1 - r)
    closest = np.abs(accepted_attack - (1 - accepted_real)).min()
    rate, at = metrics.eer(scores, labels)
    assert metrics.hter(scores, labels, at) == pytest.approx(rate)
    gap = metrics.apcer(scores, labels, at) - metrics.bpcer(scores, labels, at)
    assert abs(gap) == pytest.approx(closest)
    for target in (0.0, 0.1, 0.5):
        lowest = (1 - accepted_real[accepted_attack <= target]).min()
        assert metrics.bpcer_at_apcer(scores, labels, target) == pytest.approx(lowest)


@given(scored(), st.floats(0, 0.99))
def test_rates_do_not_change_under_a_rising_map(sample, target):
    scores, labels = sample
    mapped = scores**3 / 100 + np.exp(scores)
    assert metrics.auc(mapped, labels) == metrics.auc(scores, labels)
    assert metrics.eer(mapped, labels)[0] == metrics.eer(scores, labels)[0]
    assert metrics.bpcer_at_apcer(mapped, labels, target) == metrics.bpcer_at_apcer(scores, labels, target)
    species = np.where(np.arange(len(labels)) % 2, "a", "b")
    before, after = (metrics.threshold_at_bpcer(s, labels, target) for s in (scores, mapped))
    assert metrics.acer(mapped, labels, species, after) == metrics.acer(scores, labels, species, before)


@given(scored(), st.floats(-8, 8), st.floats(-8, 8))
def test_a_higher_threshold_never_accepts_more(sample, one, other):
    scores, labels = sample
    low, high = sorted((one, other))
    assert metrics.apcer(scores, labels, high) <= metrics.apcer(scores, labels, low)
    assert metrics.bpcer(scores, labels, high) >= metrics.bpcer(scores, labels, low)


@given(scored())
def test_turning_scores_and_labels_over_keeps_the_auc_and_the_equal_error(sample):
    scores, labels = sample
    assert metrics.auc(-scores, 1 - labels) == pytest.approx(metrics.auc(scores, labels))
    assert metrics.auc(-scores, labels) == pytest.approx(1 - metrics.auc(scores, labels))


@given(scored(), st.floats(0, 0.99))
def test_threshold_at_bpcer_is_the_largest_that_keeps_the_target(sample, target):
    scores, labels = sample
    threshold = metrics.threshold_at_bpcer(scores, labels, target)
    assert metrics.bpcer(scores, labels, threshold) <= target
    assert metrics.bpcer(scores, labels, np.nextafter(threshold, np.inf)) > target


@given(scored())
@settings(max_examples=25)
def test_the_fitted_temperature_beats_its_neighbours(sample):
    logits, labels = sample
    temperature = metrics.fit_temperature(logits, labels)

    def loss(t):
        real, attack = logits[labels == 1] / t, logits[labels == 0] / t
        return np.logaddexp(0, -real).mean() + np.logaddexp(0, attack).mean()

    low, high = metrics.TEMPERATURE_RANGE
    for neighbour in np.clip([temperature * 0.9, temperature * 1.1], low, high):
        assert loss(temperature) <= loss(neighbour) + 1e-9


def test_bootstrap_equals_the_interval_over_every_draw_of_two_sites():
    # BPCER 0 at one site and 1/2 at the other: a draw of two gives 0, 1/4, 1/4 or 1/2.
    scores, labels, sites = [1, 1, 0, 1], [1, 1, 1, 1], ["a", "a", "b", "b"]

    def rate(s, y):
        return metrics.bpcer(s, y, 0.5)

    assert metrics.bootstrap_over_sites(rate, scores, labels, sites, 400, 0) == (0.0, 0.5)
    assert metrics.bootstrap_over_sites(rate, scores, labels, sites, 400, 0, level=0.3) == (0.25, 0.25)


def test_bootstrap_draws_whole_sites():
    scores, labels = [0, 1, 2, 3, 4, 5], [1, 1, 1, 1, 1, 1]
    sites = ["a", "a", "b", "b", "c", "c"]
    draws = itertools.product([(0, 1), (2, 3), (4, 5)], repeat=3)
    whole = {first + second + third for first, second, third in draws}
    seen = set()

    def statistic(s, _):
        seen.add(tuple(s))
        return 0.0

    metrics.bootstrap_over_sites(statistic, scores, labels, sites, 300, 1)
    assert seen <= whole and len(seen) > len(whole) / 2


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(0, 2**31))
@settings(max_examples=25)
def test_every_draw_holds_both_classes_though_sites_hold_one(real_sites, attack_sites, mixed_sites, seed):
    kinds = [(1,)] * real_sites + [(0,)] * attack_sites + [(0, 1)] * mixed_sites
    labels = np.array([label for kind in kinds for label in kind])
    sites = np.array([index for index, kind in enumerate(kinds) for _ in kind])
    scores = np.arange(len(labels), dtype=float)
    low, high = metrics.bootstrap_over_sites(metrics.auc, scores, labels, sites, 20, seed)
    assert 0 <= low <= high <= 1


def test_bootstrap_is_repeatable_and_widens_with_the_level():
    random = np.random.default_rng(3)
    sites = np.repeat(np.arange(12), 20)
    labels = np.tile([0, 1], 120)
    scores = labels + random.normal(size=240) + random.normal(size=12)[sites]
    first = metrics.bootstrap_over_sites(metrics.auc, scores, labels, sites, 300, 7)
    assert first == metrics.bootstrap_over_sites(metrics.auc, scores, labels, sites, 300, 7)
    assert first != metrics.bootstrap_over_sites(metrics.auc, scores, labels, sites, 300, 8)
    narrow = metrics.bootstrap_over_sites(metrics.auc, scores, labels, sites, 300, 7, level=0.5)
    assert first[0] < narrow[0] < metrics.auc(scores, labels) < narrow[1] < first[1]


NEED_REAL = [
    lambda s, y: metrics.bpcer(s, y, 0.5),
    lambda s, y: metrics.threshold_at_bpcer(s, y, 0.05),
]
NEED_ATTACK = [
    lambda s, y: metrics.apcer(s, y, 0.5),
    lambda s, y: metrics.apcer_by_species(s, y, ["print"] * len(y), 0.5),
    lambda s, y: metrics.worst_apcer(s, y, ["print"] * len(y), 0.5),
]
NEED_BOTH = [
    metrics.auc,
    metrics.eer,
    metrics.fit_temperature,
    lambda s, y: metrics.hter(s, y, 0.5),
    lambda s, y: metrics.acer(s, y, ["print"] * len(y), 0.5),
    lambda s, y: metrics.bpcer_at_apcer(s, y, 0.05),
    lambda s, y: metrics.bootstrap_over_sites(metrics.auc, s, y, y, 10, 0),
]
NEED_NONE = [metrics.expected_calibration_error]


@pytest.mark.parametrize("rate", NEED_REAL + NEED_BOTH)
def test_a_missing_bona_fide_class_is_an_error(rate):
    with pytest.raises(SpoofwebError, match="no bona fide"):
        rate([0.1, 0.2], [0, 0])


@pytest.mark.parametrize("rate", NEED_ATTACK + NEED_BOTH)
def test_a_missing_attack_class_is_an_error(rate):
    with pytest.raises(SpoofwebError, match="no attack"):
        rate([0.1, 0.2], [1, 1])


@pytest.mark.parametrize("rate", NEED_REAL + NEED_ATTACK + NEED_BOTH + NEED_NONE)
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([], [], "no scores"),
        ([0.1, np.nan, 0.3], [0, 1, 1], "finite"),
        ([0.1, np.inf, 0.3], [0, 1, 1], "finite"),
        ([0.1, 0.2, 0.3], [0, 1, 2], "labels must be"),
        ([0.1, 0.2, 0.3], [0, 1], "one length"),
    ],
)
def test_unusable_scores_or_labels_are_an_error(rate, scores, labels, message):
    with pytest.raises(SpoofwebError, match=message):
        rate(scores, labels)


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.apcer(SCORES, LABELS, np.nan),
        lambda: metrics.bpcer(SCORES, LABELS, np.nan),
        lambda: metrics.apcer_by_species(SCORES, LABELS, SPECIES, np.nan),
        lambda: metrics.apcer_by_species(SCORES, LABELS, SPECIES[1:], 0.5),
        lambda: metrics.threshold_at_bpcer(SCORES, LABELS, 1.0),
        lambda: metrics.threshold_at_bpcer(SCORES, LABELS, -0.1),
        lambda: metrics.bpcer_at_apcer(SCORES, LABELS, 1.1),
        lambda: metrics.expected_calibration_error([1.2, 0.1], [1, 0]),
        lambda: metrics.expected_calibration_error([0.2, 0.1], [1, 0], 0),
        lambda: metrics.auc(SCORES, LABELS, -np.ones(9)),
        lambda: metrics.auc(SCORES, LABELS, LABELS),
        lambda: metrics.bootstrap_over_sites(metrics.auc, SCORES, LABELS, LABELS, 0, 0),
        lambda: metrics.bootstrap_over_sites(metrics.auc, SCORES, LABELS, LABELS, 9, -1),
        lambda: metrics.bootstrap_over_sites(metrics.auc, SCORES, LABELS, LABELS, 9, 0, level=1.0),
        lambda: metrics.bootstrap_over_sites(metrics.auc, SCORES, LABELS, ["a"], 9, 0),
    ],
)
def test_an_argument_out_of_range_is_an_error(call):
    with pytest.raises(SpoofwebError):
        call()
