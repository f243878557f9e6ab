"""Charts as inline SVG: shapes and classes only, so that the page's style sheet colours them for light and dark.

No style attributes and no scripts, as a strict content security policy wants it. All lengths are SVG user units.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from markupsafe import Markup, escape

WIDTH = 360
DET_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)
DET_RANGE = (0.0005, 0.98)  # what lies outside is drawn at the edge
SHARE_TICKS = (0, 0.25, 0.5, 0.75, 1)


class Curve(NamedTuple):
    """One network's error rates at ascending thresholds."""

    name: str
    apcer: Sequence[float]  # shares, 0..1
    bpcer: Sequence[float]
    chosen: int  # index of the threshold in force


class Interval(NamedTuple):
    """A rate with its interval, shares 0..1."""

    name: str
    value: float
    low: float
    high: float
    weak: bool  # the interval rests on too few sites to mean much


def det(title: str, curves: Sequence[Curve]) -> Markup:
    """Detection error tradeoff (Martin et al. 1997): APCER to the right, BPCER upwards, both as normal deviates.

    The curves have the classes `series-0`, `series-1`, …; a dot marks the threshold in force.
    """
    left, top, side = 52, 12, 290
    bottom = top + side
    low, high = (_deviate(rate) for rate in DET_RANGE)

    def along(rate: float) -> float:
        return side * (_deviate(rate) - low) / (high - low)

    parts = []
    for tick in DET_TICKS:
        x, y = left + along(tick), bottom - along(tick)
        parts += [_line("grid", x, top, x, bottom), _line("grid", left, y, left + side, y)]
        parts.append(_text("tick middle", x, bottom + 16, _percent(tick)))
        parts.append(_text("tick end", left - 6, y + 4, _percent(tick)))
    parts.append(_text("axis middle", left + side / 2, bottom + 36, "APCER: attacks that pass"))
    upwards = f'transform="rotate(-90) translate({-(top + side / 2):g} 12)"'
    parts.append(f'<text class="axis middle" {upwards}>BPCER: real faces refused</text>')
    for number, curve in enumerate(curves):
        spots = [(left + along(a), bottom - along(b)) for a, b in zip(curve.apcer, curve.bpcer, strict=True)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in dict.fromkeys(spots))
        x, y = spots[curve.chosen]
        parts.append(f'<path class="series series-{number}" d="{path}"/>')
        parts.append(f'<circle class="dot series-{number}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
    return _svg(title, bottom + 44, parts)


def histogram(title: str, real: Sequence[int], attack: Sequence[int], threshold: float) -> Markup:
    """Shares of each class over 0..1 of the live probability: bona fide upwards, attacks downwards from one line."""
    left, top, width, half = 52, 12, 290, 90
    middle = top + half
    bottom = middle + half
    shares = [[count / max(sum(counts), 1) for count in counts] for counts in (real, attack)]
    tallest = max(max(row) for row in shares) or 1
    step = width / len(real)
    parts = []
    for name, row, down in (("real", shares[0], False), ("attack", shares[1], True)):
        for number, share in enumerate(row):
            height = half * share / tallest
            y = middle if down else middle - height
            parts.append(_bar(name, left + number * step + 0.5, y, step - 1, height))
    parts += [_line("base", left, middle, left + width, middle)]
    x = left + width * threshold
    parts += [_line("threshold", x, top, x, bottom)]
    for tick in SHARE_TICKS:
        parts.append(_text("tick middle", left + width * tick, bottom + 16, _percent(tick)))
    parts += [_text("axis end", left - 6, top + 12, "real"), _text("axis end", left - 6, bottom - 4, "attack")]
    parts += [_text("axis middle", left + width / 2, bottom + 36, "live probability of a picture")]
    return _svg(title, bottom + 44, parts)


def intervals(title: str, rows: Sequence[Interval]) -> Markup:
    """Rates with their intervals on 0..100 %, one below the other; a hollow dot where the interval means little."""
    left, top, width, step = 16, 8, 320, 38
    bottom = top + step * len(rows)
    parts = []
    for tick in SHARE_TICKS:
        x = left + width * tick
        parts += [_line("grid", x, top, x, bottom), _text("tick middle", x, bottom + 16, f"{100 * tick:g}")]
    for number, row in enumerate(rows):
        y = top + step * number + 26
        parts += [_text("label", left, y - 10, f"{row.name}: {100 * row.value:.1f} %")]
        parts += [_line("range", left + width * row.low, y, left + width * row.high, y)]
        kind = "dot weak" if row.weak else "dot"
        parts.append(f'<circle class="{kind}" cx="{left + width * row.value:.1f}" cy="{y}" r="5"/>')
    return _svg(title, bottom + 24, parts)


def _svg(title: str, height: float, parts: Sequence[str]) -> Markup:
    head = f'<svg class="chart" viewBox="0 0 {WIDTH} {height:g}" role="img"><title>{escape(title)}</title>'
    return Markup(head + "".join(parts) + "</svg>")


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def _bar(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="bar {kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _deviate(rate: float) -> float:
    return NormalDist().inv_cdf(min(max(rate, DET_RANGE[0]), DET_RANGE[1]))


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
