"""Error rates of presentation attack detection, named as in ISO/IEC 30107-3.

Conventions of every function here:
- `scores`: float array, shape (n,), finite; how live a picture looks, on any scale that rises with liveness
  (a logit, a probability).
- `labels`: integer array, shape (n,); 1 = bona fide (real), 0 = attack presentation. Real is positive.
- A picture is accepted as bona fide if and only if its score >= the threshold.
- Rates are shares in 0..1 of the pictures that have a score; the caller counts the others (non-responses).
- SpoofwebError is raised for an empty class that the rate needs, a score that is not finite, a threshold that
  is NaN, a label other than 0 and 1, and arrays of different lengths.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spoofweb.errors import SpoofwebError

TEMPERATURE_RANGE = (0.05, 20.0)  # logits whose sign is always right have no finite optimum


def apcer(scores: ArrayLike, labels: ArrayLike, threshold: float) -> float:
    """Attack presentation classification error rate: the share of all attacks, species pooled, accepted."""
    _, attack = _by_class(scores, labels, need_real=False)
    return float(np.mean(attack >= _comparable(threshold)))


def bpcer(scores: ArrayLike, labels: ArrayLike, threshold: float) -> float:
    """Bona fide presentation classification error rate: the share of bona fide pictures not accepted."""
    real, _ = _by_class(scores, labels, need_attack=False)
    return float(np.mean(real < _comparable(threshold)))


def apcer_by_species(scores: ArrayLike, labels: ArrayLike, species: ArrayLike, threshold: float) -> dict[str, float]:
    """APCER of each presentation attack instrument species, as the standard reports it.

    `species`: strings, shape (n,); ignored where the label is 1. Keys come sorted.
    """
    scores, labels = _checked(scores, labels)
    species = _alongside(species, labels, "species")
    _by_class(scores, labels, need_real=False)
    threshold = _comparable(threshold)
    names = sorted({str(name) for name in species[labels == 0]})
    return {name: float(np.mean(scores[(labels == 0) & (species == name)] >= threshold)) for name in names}


def worst_apcer(scores: ArrayLike, labels: ArrayLike, species: ArrayLike, threshold: float) -> tuple[str, float]:
    """Species with the highest APCER, and that rate; of equals the first by name."""
    rates = apcer_by_species(scores, labels, species, threshold)
    name = max(rates, key=rates.__getitem__)
    return name, rates[name]


def acer(scores: ArrayLike, labels: ArrayLike, species: ArrayLike, threshold: float) -> float:
    """Mean of the worst species' APCER and BPCER (OULU-NPU protocol; not a term of the standard)."""
    return (worst_apcer(scores, labels, species, threshold)[1] + bpcer(scores, labels, threshold)) / 2


def hter(scores: ArrayLike, labels: ArrayLike, threshold: float) -> float:
    """Half total error rate: mean of pooled APCER and BPCER at a threshold fixed on other pictures."""
    return (apcer(scores, labels, threshold) + bpcer(scores, labels, threshold)) / 2


def auc(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Area under the ROC curve: the chance that a bona fide picture outscores an attack; a tie counts half.

    `weights`: float array, shape (n,), >= 0, a picture's weight within its class; all alike when left out.
    """
    scores, labels = _checked(scores, labels)
    _by_class(scores, labels)
    weights = np.ones(len(scores)) if weights is None else _alongside(weights, labels, "weights")
    weights, is_real = weights.astype(float, copy=True), labels == 1
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise SpoofwebError("weights must be finite and not negative")
    if not (weights[is_real].any() and weights[~is_real].any()):
        raise SpoofwebError("all weights of a class are 0: its share of the area is undefined")
    for members in (is_real, ~is_real):
        weights[members] /= weights[members].max()  # only ratios within a class count; sums and products stay finite
    order = np.argsort(scores[~is_real])
    attack = scores[~is_real][order]
    mass = np.concatenate([[0.0], np.cumsum(weights[~is_real][order])])
    below = mass[np.searchsorted(attack, scores[is_real], "left")]
    not_above = mass[np.searchsorted(attack, scores[is_real], "right")]
    return float(np.average((below + not_above) / 2, weights=weights[is_real]) / mass[-1])


def eer(scores: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Equal error rate and its threshold.

    The threshold is the observed score where APCER and BPCER lie closest together (of equals the one with the
    lower mean, then the lowest score); the rate is their mean there. Nothing is interpolated.
    """
    real, attack = _by_class(scores, labels)
    thresholds = np.unique(np.concatenate([real, attack]))
    # Both rates as integers over the common denominator, so that equal gaps compare equal.
    accepted = (len(attack) - np.searchsorted(np.sort(attack), thresholds, "left")) * len(real)
    refused = np.searchsorted(np.sort(real), thresholds, "left") * len(attack)
    best = np.lexsort((thresholds, accepted + refused, np.abs(accepted - refused)))[0]
    rate = (accepted[best] + refused[best]) / (2 * len(real) * len(attack))
    return float(rate), float(thresholds[best])


def threshold_at_bpcer(scores: ArrayLike, labels: ArrayLike, target: float) -> float:
    """Largest threshold whose BPCER is <= `target` (0 <= target < 1): always a bona fide picture's score.

    The attacks' scores play no part; an array without attacks is accepted.
    """
    if not 0 <= target < 1:
        raise SpoofwebError(f"the BPCER to aim at is a share from 0 to below 1, not {target}")
    real, _ = _by_class(scores, labels, need_attack=False)
    return float(np.sort(real)[_affordable(len(real), target)])


def bpcer_at_apcer(scores: ArrayLike, labels: ArrayLike, target: float) -> float:
    """Lowest BPCER of any threshold whose pooled APCER is <= `target` (0..1); at 0.05 it is named BPCER20."""
    if not 0 <= target <= 1:
        raise SpoofwebError(f"the APCER to aim at is a share from 0 to 1, not {target}")
    real, attack = _by_class(scores, labels)
    accepted = _affordable(len(attack), target)
    if accepted == len(attack):
        return 0.0
    # The threshold lies just above the first attack to be refused, so its equals are refused with it.
    return float(np.mean(real <= np.sort(attack)[::-1][accepted]))


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error of the live probability, over `bins` bins of equal width on 0..1.

    Mean over the pictures of |mean probability - share of bona fide| in each one's bin (Naeini et al., AAAI
    2015). It depends on the share of bona fide pictures in the set. One class alone is accepted.
    """
    probabilities, labels = _checked(probabilities, labels)
    if probabilities.min() < 0 or probabilities.max() > 1:
        raise SpoofwebError("a calibration error needs probabilities in 0..1")
    if bins < 1:
        raise SpoofwebError(f"a calibration error needs at least one bin, not {bins}")
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    surplus = np.bincount(place, weights=probabilities - labels, minlength=bins)
    return float(np.abs(surplus).sum() / len(labels))


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Temperature T that minimises the negative log-likelihood of sigmoid(logit / T), classes weighing alike.

    Temperature scaling after Guo et al., ICML 2017. The loss is convex in 1/T, so its slope is bisected. The
    result lies in TEMPERATURE_RANGE; logits whose sign is always right end at the lower bound.
    """
    real, attack = _by_class(logits, labels)
    low, high = np.log(TEMPERATURE_RANGE)
    largest = max(np.abs(real).max(), np.abs(attack).max(), 1.0)  # only the slope's sign counts
    with np.errstate(over="ignore"):  # a sigmoid of infinity is right
        for _ in range(60):
            middle = (low + high) / 2
            inverse = np.exp(-middle)
            passed = np.mean(attack / largest * sigmoid(attack * inverse))
            slope = passed - np.mean(real / largest * sigmoid(-real * inverse))
            low, high = (middle, high) if slope > 0 else (low, middle)
    return float(np.exp((low + high) / 2))


def sigmoid(logits: ArrayLike) -> NDArray[np.float64]:
    """Logistic function of an array of any shape, without overflow."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(logits, dtype=float)))


def bootstrap_over_sites(
    statistic: Callable[[NDArray, NDArray], float],
    scores: ArrayLike,
    labels: ArrayLike,
    sites: ArrayLike,
    repeats: int,
    seed: int,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval (low, high) of `statistic(scores, labels)`, drawing whole sites with replacement.

    `sites`: strings or integers, shape (n,). Pictures of a site resemble each other, so the site is the unit.
    Sites with both classes, with bona fide pictures only and with attacks only are drawn apart from each
    other, each kind as often as it occurs, so every draw holds the classes that the whole holds. A kind with
    a single site adds no width: with few sites the interval is too narrow. One class alone is accepted if
    `statistic` accepts it.
    """
    scores, labels = _checked(scores, labels)
    sites = _alongside(sites, labels, "sites")
    if repeats < 1 or seed < 0 or not 0 < level < 1:
        given = f"{repeats}, {seed} and {level}"
        raise SpoofwebError(f"a bootstrap needs repeats >= 1, seed >= 0 and 0 < level < 1, not {given}")
    members = [np.flatnonzero(sites == site) for site in np.unique(sites)]
    kinds: dict[tuple[int, ...], list[int]] = {}
    for index, rows in enumerate(members):
        kinds.setdefault(tuple(np.unique(labels[rows])), []).append(index)
    random = np.random.default_rng(seed)
    values = []
    for _ in range(repeats):
        drawn = np.concatenate([random.choice(kinds[kind], len(kinds[kind])) for kind in sorted(kinds)])
        rows = np.concatenate([members[index] for index in drawn])
        values.append(statistic(scores[rows], labels[rows]))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _comparable(threshold: float) -> float:
    """The threshold itself; infinities accept all or nothing, but NaN would make every rate 0."""
    if np.isnan(threshold):
        raise SpoofwebError("the threshold is not a number")
    return threshold


def _affordable(count: int, target: float) -> int:
    """Largest k with k / count <= target, compared as the rates themselves are computed."""
    return int(np.count_nonzero(np.arange(1, count + 1) / count <= target))


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray]:
    scores, labels = np.asarray(scores, dtype=float), np.asarray(labels)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise SpoofwebError(f"scores {scores.shape} and labels {labels.shape} must be lists of one length")
    if scores.size == 0:
        raise SpoofwebError("there are no scores to measure")
    if not np.isfinite(scores).all():
        raise SpoofwebError("a score is not a finite number: leave pictures without one out")
    if not ((labels == 0) | (labels == 1)).all():
        raise SpoofwebError("labels must be 1 (bona fide) or 0 (attack)")
    return scores, labels


def _by_class(
    scores: ArrayLike, labels: ArrayLike, need_real: bool = True, need_attack: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the bona fide pictures and of the attacks."""
    scores, labels = _checked(scores, labels)
    real, attack = scores[labels == 1], scores[labels == 0]
    if need_real and not real.size:
        raise SpoofwebError("there is no bona fide picture (label 1) with a score; this rate needs some")
    if need_attack and not attack.size:
        raise SpoofwebError("there is no attack (label 0) with a score; this rate needs some")
    return real, attack


def _alongside(values: ArrayLike, labels: NDArray, what: str) -> NDArray:
    values = np.asarray(values)
    if values.shape != labels.shape:
        raise SpoofwebError(f"{what} {values.shape} and labels {labels.shape} must have one length")
    return values
