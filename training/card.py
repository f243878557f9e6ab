"""The evaluation card: error rates of scored models as JSON values, computed from score tables.

A model's threshold and temperature come from its own `val` rows and stay as they are for everything else.
Rates cover the pictures that have a logit, those that a quality gate refuses included; non-responses are counted
beside them, and `gates` tells what the refusals would change. A value with an interval is
{value, low, high, sites, few_sites}: a bootstrap that rests on `sites` sites; `few_sites` says that these are
so few that the interval means little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from spoofweb import metrics
from spoofweb.errors import SpoofwebError
from training.gates import gates
from training.score_table import MEASURED, ScoreTable, data_hash

SCHEMA = 1
PLACES = 6  # decimals of every number in the card
LEVEL = 0.95  # of the intervals
FEW_SITES = 3  # with fewer sites than this an interval is marked
APCER_TARGETS = (0.01, 0.05, 0.10)
HISTOGRAM_BINS = 20  # of the calibrated live probability
CALIBRATION_BINS = 15
CURVE_POINTS = 101
QUALITY_BINS = 5  # quantile bins of face side, brightness and sharpness
SIZE_STEP = 0.25  # octaves; faces in one such bin count as equally large


@dataclass(frozen=True)
class Settings:
    """bpcer: share of val's bona fide pictures the threshold may refuse. repeats, seed: of the bootstrap."""

    bpcer: float
    repeats: int
    seed: int


@dataclass(frozen=True)
class Decision:
    """What is fixed on val: accept if logit >= threshold; live probability = sigmoid(logit / temperature)."""

    threshold: float
    temperature: float

    def probability(self, logits: float | np.ndarray) -> np.ndarray:
        """Calibrated live probability, 0..1, of logits of any shape."""
        return metrics.sigmoid(np.asarray(logits) / self.temperature)


def evaluation_card(rows: dict[str, ScoreTable | dict], settings: Settings) -> dict:
    """The whole card, rounded; the first of `rows` is the product's scores and fills the headline.

    rows: name → scores, or an earlier card of the same pictures and settings, whose row of that name is taken over.
    SpoofwebError names the model and the group of pictures in which a class has no logit, or what is not the same.
    """
    (first, product), *others = rows.items()
    models = [model_report(first, product, settings)]
    rule = {"split": "val", "bpcer": settings.bpcer, "text": f"val, BPCER {100 * settings.bpcer:.3g} %"}
    card = {
        "schema": SCHEMA,
        "data_sha256": data_hash(product),
        "pictures": len(product),
        "threshold_rule": rule,
        "bootstrap": {"unit": "site", "level": LEVEL, "repeats": settings.repeats, "seed": settings.seed},
        "headline": headline(models[0]),
        "models": models,
    }
    for name, row in others:
        report = taken_over(name, card, row) if isinstance(row, dict) else model_report(name, row, settings)
        check_pictures(name, report, models[0])
        models.append(report)
    return rounded(card)


def taken_over(name: str, card: dict, earlier: dict) -> dict:
    """The report of a model in an earlier card; SpoofwebError where it has none, or was made of other pictures."""
    for key in ("schema", "data_sha256", "threshold_rule", "bootstrap"):
        if earlier.get(key) != card[key]:
            raise SpoofwebError(f"{name}: its card has another {key} than the product's; score it again")
    for report in earlier["models"]:
        if report["name"] == name:
            return report
    raise SpoofwebError(f"{name}: its card has no row of that name; it has {[r['name'] for r in earlier['models']]}")


def check_pictures(name: str, report: dict, product: dict) -> None:
    """SpoofwebError where a model was scored on other pictures than the product: their rates do not compare."""
    if report["data_sha256"] != product["data_sha256"]:
        raise SpoofwebError(f"{name}: its scores are of other pictures than the product's; score it again")
    if made_up(report) != made_up(product):
        raise SpoofwebError(f"{name}: its scores have other groups of pictures than the product's; score it again")


def made_up(report: dict) -> dict:
    """The groups of a report, by name: how many pictures and sites, and which species."""
    return {
        name: (group["pictures"], group["sites"], sorted(group["apcer"])) for name, group in report["groups"].items()
    }


def model_report(name: str, table: ScoreTable, settings: Settings) -> dict:
    """One model: decision, error rates of every group, curves, error against quality, size-matched AUC."""
    groups = split_into_groups(table)
    for group, rows in groups.items():
        require_both_classes(rows, f"{name}, {group}")
    val = groups["val"].answered()
    decision = decide(val, settings.bpcer)
    parts = {split: table.where(table.split == split).answered() for split in ("val", "test")}
    parts = {split: rows for split, rows in parts.items() if len(rows)}
    return {
        "name": name,
        "data_sha256": data_hash(table),
        "threshold": decision.threshold,
        "threshold_calibrated": decision.threshold / decision.temperature,
        "threshold_probability": float(decision.probability(decision.threshold)),
        "temperature": decision.temperature,
        "groups": {group: group_report(rows, decision, settings) for group, rows in groups.items()},
        "curves": curves(parts, decision),
        "error_by": {split: error_by_quality(rows, decision.threshold) for split, rows in parts.items()},
        "size_matched": size_matched(val),
        "gates": gates({group: rows.answered() for group, rows in groups.items()}, decision.threshold),
    }


def headline(model: dict) -> dict:
    """What the product shows of itself: val, each test source, and the worst species of them all."""
    shown = {n: group for n, group in model["groups"].items() if n == "val" or n.startswith("test/")}
    worst = max(shown, key=lambda name: shown[name]["worst_apcer"]["value"])
    decision = ("threshold", "threshold_calibrated", "threshold_probability", "temperature")
    rates = ("pictures", "sites", "auc", "eer", "hter", "bpcer", "worst_apcer", "non_response")
    return {
        "model": model["name"],
        **{key: model[key] for key in decision},
        "groups": {name: {key: group[key] for key in rates} for name, group in shown.items()},
        "worst_apcer": {"group": worst, **shown[worst]["worst_apcer"]},
        "size_matched_drop": model["size_matched"]["drop"],
    }


def split_into_groups(table: ScoreTable) -> dict[str, ScoreTable]:
    """`val` as a whole, and each `split/source`."""
    keys = np.char.add(np.char.add(table.split, "/"), table.source)
    by_source = {str(key): table.where(keys == key) for key in np.unique(keys)}
    return {"val": table.where(table.split == "val"), **by_source}


def require_both_classes(rows: ScoreTable, where: str) -> None:
    """SpoofwebError unless each class has a picture with a logit."""
    for label, kind in ((1, "bona fide picture"), (0, "attack")):
        if not np.isfinite(rows.logit[rows.label == label]).any():
            raise SpoofwebError(f"{where}: no {kind} with a logit; score some or leave the group out")


def decide(val: ScoreTable, bpcer: float) -> Decision:
    """Threshold at the stated BPCER and temperature, both from val and with the decimals of the card.

    No temperature below 1: that val's few pictures are told apart does not show that others will be.
    """
    threshold = metrics.threshold_at_bpcer(val.logit, val.label, bpcer)
    # Rounded down, not to nearest: the picture whose logit gave the threshold must still be accepted.
    printed = Decimal(threshold).quantize(Decimal(1).scaleb(-PLACES), ROUND_FLOOR)
    return Decision(float(printed), round(max(1.0, metrics.fit_temperature(val.logit, val.label)), PLACES))


def group_report(rows: ScoreTable, decision: Decision, settings: Settings) -> dict:
    """Every error rate of one group of pictures at the fixed decision; both classes have logits."""
    scored, threshold = rows.answered(), decision.threshold
    logit, label = scored.logit, scored.label
    real, attack = scored.where(label == 1), scored.where(label == 0)
    pairs = min(count_sites(real), count_sites(attack))
    total, answered = by_class(rows), by_class(scored)
    probability = decision.probability(logit)

    def hter(scores: np.ndarray, labels: np.ndarray) -> float:
        return metrics.hter(scores, labels, threshold)

    def bpcer(scores: np.ndarray, labels: np.ndarray) -> float:
        return metrics.bpcer(scores, labels, threshold)

    species = {
        str(name): species_report(attack.where(attack.species == name), threshold, settings)
        for name in np.unique(attack.species)
    }
    worst, _ = metrics.worst_apcer(logit, label, scored.species, threshold)
    return {
        "pictures": total,
        "answered": answered,
        "non_response": {kind: 1 - answered[kind] / total[kind] for kind in total},
        "sites": {"all": count_sites(rows), "real": count_sites(real), "attack": count_sites(attack)},
        "auc": with_interval(metrics.auc, scored, pairs, settings),
        "eer": metrics.eer(logit, label)[0],
        "hter": with_interval(hter, scored, pairs, settings),
        "acer": metrics.acer(logit, label, scored.species, threshold),
        "bpcer": with_interval(bpcer, real, count_sites(real), settings),
        "apcer": species,
        "worst_apcer": {"species": worst, **species[worst]},
        "bpcer_at_apcer": {f"{t:.2f}": metrics.bpcer_at_apcer(logit, label, t) for t in APCER_TARGETS},
        "ece": {
            "before": metrics.expected_calibration_error(metrics.sigmoid(logit), label, CALIBRATION_BINS),
            "after": metrics.expected_calibration_error(probability, label, CALIBRATION_BINS),
        },
        "histogram": histogram(probability, label),
    }


def species_report(attack: ScoreTable, threshold: float, settings: Settings) -> dict:
    """APCER of the attacks of one species, with its interval, and how many they are."""

    def apcer(scores: np.ndarray, labels: np.ndarray) -> float:
        return metrics.apcer(scores, labels, threshold)

    return {"attack": len(attack), **with_interval(apcer, attack, count_sites(attack), settings)}


def with_interval(
    statistic: Callable[[np.ndarray, np.ndarray], float], rows: ScoreTable, sites: int, settings: Settings
) -> dict:
    """`statistic(logits, labels)` over the rows and its bootstrap interval, which rests on `sites` sites."""
    low, high = metrics.bootstrap_over_sites(
        statistic, rows.logit, rows.label, rows.site, settings.repeats, settings.seed, LEVEL
    )
    value = statistic(rows.logit, rows.label)
    return {"value": value, "low": low, "high": high, "sites": sites, "few_sites": sites < FEW_SITES}


def histogram(probability: np.ndarray, label: np.ndarray) -> dict[str, list[int]]:
    """Pictures of each class in HISTOGRAM_BINS bins of equal width on 0..1 of the live probability."""
    return {
        kind: np.histogram(probability[label == value], HISTOGRAM_BINS, (0, 1))[0].tolist()
        for kind, value in (("real", 1), ("attack", 0))
    }


def curves(parts: dict[str, ScoreTable], decision: Decision) -> dict:
    """APCER (species pooled) and BPCER of val and of all tests pooled, over one list of thresholds.

    The thresholds stand evenly between the lowest and the highest logit, with the chosen one (at index
    `chosen`) among them.
    """
    logits = np.concatenate([rows.logit for rows in parts.values()])
    grid = np.linspace(logits.min(), logits.max(), CURVE_POINTS - 1)
    thresholds = np.unique(np.append(grid, decision.threshold))
    rates = {
        split: {
            name: [rate(rows.logit, rows.label, threshold) for threshold in thresholds]
            for name, rate in (("apcer", metrics.apcer), ("bpcer", metrics.bpcer))
        }
        for split, rows in parts.items()
    }
    return {
        "threshold": thresholds.tolist(),
        "probability": decision.probability(thresholds).tolist(),
        "chosen": int(np.searchsorted(thresholds, decision.threshold)),
        **rates,
    }


def error_by_quality(rows: ScoreTable, threshold: float) -> dict[str, list[dict]]:
    """BPCER and APCER in quantile bins of each of MEASURED."""
    return {name: list(quantile_bins(getattr(rows, name), rows, threshold)) for name in MEASURED}


def quantile_bins(values: np.ndarray, rows: ScoreTable, threshold: float) -> Iterator[dict]:
    """Bins low <= value < high (the last one closed) of about equally many pictures.

    The rate of a class that a bin lacks is None; pictures without the value are left out.
    """
    rows, values = rows.where(np.isfinite(values)), values[np.isfinite(values)]
    if not len(values):
        return
    edges = np.unique(np.quantile(values, np.linspace(0, 1, QUALITY_BINS + 1)))
    place = np.searchsorted(edges[1:-1], values, "right")
    for index in range(max(len(edges) - 1, 1)):
        inside = rows.where(place == index)
        counts = by_class(inside)
        yield {
            "low": float(edges[index]),
            "high": float(edges[min(index + 1, len(edges) - 1)]),
            **counts,
            "bpcer": metrics.bpcer(inside.logit, inside.label, threshold) if counts["real"] else None,
            "apcer": metrics.apcer(inside.logit, inside.label, threshold) if counts["attack"] else None,
        }


def size_matched(val: ScoreTable) -> dict:
    """AUC on val with both classes weighted to one histogram of face sides, against all of val.

    `real`, `attack`: pictures that keep a weight; `overlap`: share of the bona fide weight that remains. With
    none, the matched values are None. `size_auc` is the AUC of the face side taken as the score, near 0.5
    where size is matched; `size_auc_all` is the same before matching. Pictures without a face side weigh 0.
    """
    sized = val.where(np.isfinite(val.face_side))
    weights = matching_weights(sized.face_side, sized.label)
    auc_all = metrics.auc(val.logit, val.label)
    matched = metrics.auc(sized.logit, sized.label, weights) if weights.any() else None
    return {
        **by_class(sized.where(weights > 0)),
        "overlap": float(weights[sized.label == 1].sum() / np.sum(val.label == 1)),
        "auc_all": auc_all,
        "auc": matched,
        "drop": None if matched is None else auc_all - matched,
        "size_auc_all": metrics.auc(sized.face_side, sized.label) if all(by_class(sized).values()) else None,
        "size_auc": metrics.auc(sized.face_side, sized.label, weights) if weights.any() else None,
    }


def matching_weights(face_side: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Weights in 0..1 under which both classes have the same histogram of face sides.

    In each bin of SIZE_STEP octaves the class with the larger share is weighted down to the smaller share, so
    no picture weighs more than 1.
    """
    bins = np.floor(np.log2(face_side) / SIZE_STEP)
    weights = np.zeros(len(bins))
    for inside in (bins == index for index in np.unique(bins)):
        shares = {value: inside[label == value].sum() / max(np.sum(label == value), 1) for value in (0, 1)}
        for value, share in shares.items():
            if share:
                weights[inside & (label == value)] = min(shares.values()) / share
    return weights


def count_sites(rows: ScoreTable) -> int:
    return len(np.unique(rows.site))


def by_class(rows: ScoreTable) -> dict[str, int]:
    return {"real": int((rows.label == 1).sum()), "attack": int((rows.label == 0).sum())}


def rounded(value):
    """JSON values with every float rounded to PLACES decimals."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, PLACES) + 0.0 if isinstance(value, float) else value  # + 0.0 turns -0.0 into 0.0
