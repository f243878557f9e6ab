"""Many measurements → the few numbers that stand for them."""

from collections.abc import Iterable

import numpy as np


def summary(values: Iterable[float]) -> dict[str, float]:
    """`median`, `mean`, `p95` and `n` of at least one value."""
    values = list(values)
    middle = {"median": float(np.median(values)), "mean": float(np.mean(values))}
    return {**middle, "p95": float(np.percentile(values, 95)), "n": len(values)}


def by_name(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """The summary of each column of rows that all have the same."""
    return {name: summary(row[name] for row in rows) for name in rows[0]}
