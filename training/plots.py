"""Plots of an evaluation card as SVG: trade-off of both errors, score histograms, error against quality."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
from matplotlib.figure import Figure

REAL, ATTACK = "#0072b2", "#d55e00"  # a pair that colour-blind readers tell apart (Okabe and Ito)
FLOOR = 1e-3  # lowest rate on a logarithmic axis
QUALITIES = {  # title and scale of the axis
    "face_side": ("face side, px", "linear"),
    "brightness": ("mean luma of the face", "linear"),
    "sharpness": ("variance of the Laplacian", "log"),
}


def draw(card: dict) -> dict[str, bytes]:
    """File name → SVG of a card (`training.card.evaluation_card`); the same card gives the same bytes."""
    product = card["models"][0]
    figures = {
        "errors.svg": errors(card["models"]),
        "histograms.svg": histograms(product),
        "quality.svg": quality(product["error_by"]),
    }
    return {name: _svg(figure) for name, figure in figures.items()}


def errors(models: list[dict]) -> Figure:
    """Detection error trade-off of every model on val and on all tests pooled; a dot marks its threshold."""
    splits = [split for split in ("val", "test") if split in models[0]["curves"]]
    figure = Figure((5 * len(splits), 4.5), layout="constrained")
    for split, axes in zip(splits, figure.subplots(1, len(splits), squeeze=False)[0], strict=True):
        for model in (model for model in models if split in model["curves"]):
            curve, chosen = model["curves"][split], model["curves"]["chosen"]
            apcer, bpcer = np.maximum(curve["apcer"], FLOOR), np.maximum(curve["bpcer"], FLOOR)
            (line,) = axes.loglog(apcer, bpcer, label=model["name"])
            axes.plot(apcer[chosen], bpcer[chosen], "o", color=line.get_color())
        limits = (FLOOR * 0.9, 1.1)
        axes.set(title=split, xlabel="APCER", ylabel="BPCER", xlim=limits, ylim=limits)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def histograms(model: dict) -> Figure:
    """Live probabilities on val and on each test source, with the threshold."""
    names = ["val", *sorted(name for name in model["groups"] if name.startswith("test/"))]
    figure = Figure((7, 2.2 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 1, squeeze=False, sharex=True)[:, 0]
    for name, axes in zip(names, panels, strict=True):
        for kind, colour in (("real", REAL), ("attack", ATTACK)):
            counts = np.array(model["groups"][name]["histogram"][kind])
            edges = np.linspace(0, 1, len(counts) + 1)
            axes.stairs(counts / counts.sum(), edges, fill=True, alpha=0.55, color=colour, label=kind)
        axes.axvline(model["threshold_probability"], color="black", linestyle=":", label="threshold")
        axes.set(title=name, ylabel="share of the class")
    panels[0].legend()
    panels[-1].set_xlabel("live probability")
    return figure


def quality(error_by: dict[str, dict[str, list[dict]]]) -> Figure:
    """BPCER and APCER in the quantile bins of each quality; one row of panels per split."""
    splits = [split for split in ("val", "test") if split in error_by]
    figure = Figure((4 * len(QUALITIES), 3 * len(splits)), layout="constrained")
    panels = figure.subplots(len(splits), len(QUALITIES), squeeze=False)
    for split, row in zip(splits, panels, strict=True):
        for (name, (title, scale)), axes in zip(QUALITIES.items(), row, strict=True):
            bins = error_by[split][name]
            axes.set(title=split, xlabel=title, xscale=scale, ylim=(-0.02, 1.02))
            axes.grid(alpha=0.3)
            for rate, colour in (("bpcer", REAL), ("apcer", ATTACK)) if bins else ():
                edges = [bins[0]["low"], *(item["high"] for item in bins)]
                rates = [np.nan if item[rate] is None else item[rate] for item in bins]
                axes.stairs(rates, edges, baseline=None, color=colour, linewidth=2, label=rate.upper())
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


def _svg(figure: Figure) -> bytes:
    """The figure, text kept as text, without the date and the random ids that would change every run."""
    stream = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "card"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
