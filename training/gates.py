"""What the quality gates refuse, and what that gains in error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoofweb import metrics
from spoofweb.quality import CODES
from training.score_table import ScoreTable

ALL = "all"  # the gates together


def gates(groups: dict[str, ScoreTable], threshold: float) -> dict[str, dict] | None:
    """Group → gate (each of CODES, then ALL) → refusals and error; None for scores without reasons.

    groups: rows that have a logit. See `gate_report`.
    """
    if any(rows.reasons is None for rows in groups.values()):
        return None
    return {name: {gate: gate_report(rows, refused(rows, gate), threshold) for gate in (*CODES, ALL)}
            for name, rows in groups.items()}  # fmt: skip


def refused(rows: ScoreTable, gate: str) -> NDArray[np.bool_]:
    """Which rows a gate refuses, shape (n,)."""
    return np.array([bool(codes) if gate == ALL else gate in codes.split(" ") for codes in rows.reasons])


def gate_report(rows: ScoreTable, out: NDArray[np.bool_], threshold: float) -> dict:
    """`refused`: how many and which share of each class; `error`: EER and HTER of all rows, of those kept and out.

    A rate of rows that lack a class is None. `wrong`: share misjudged at the threshold, both classes in one.
    """
    real = rows.label == 1
    return {
        "refused": {
            kind: {"pictures": int(out[of].sum()), "share": float(out[of].mean())}
            for kind, of in (("real", real), ("attack", ~real))
        },
        "error": {
            name: errors(rows.where(part), threshold)
            for name, part in (("all", np.ones(len(rows), bool)), ("kept", ~out), ("refused", out))
        },
    }


def errors(rows: ScoreTable, threshold: float) -> dict[str, float | None]:
    """EER, HTER and share misjudged at the threshold; None where a class, or all, is missing."""
    both = 0 < rows.label.sum() < len(rows)
    wrong = (rows.logit >= threshold) != (rows.label == 1)
    return {
        "eer": metrics.eer(rows.logit, rows.label)[0] if both else None,
        "hter": metrics.hter(rows.logit, rows.label, threshold) if both else None,
        "wrong": float(wrong.mean()) if len(rows) else None,
    }
