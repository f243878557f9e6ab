"""The training curve of a run: loss, and AUC on the judged pictures, over epochs."""

import io

from matplotlib import rc_context
from matplotlib.figure import Figure


def draw_curve(log: list[dict]) -> bytes:
    """A run's log entries ({"epoch", "loss", and an AUC for each judged part}) as SVG."""
    figure = Figure((7, 4), layout="constrained")
    left = figure.add_subplot()
    epochs = [entry["epoch"] for entry in log]
    left.plot(epochs, [entry["loss"] for entry in log], color="0.5", label="loss (train)")
    left.set(xlabel="epoch", ylabel="loss")
    right = left.twinx()
    for name in sorted(log[0].keys() - {"epoch", "loss"}):
        right.plot(epochs, [entry[name] for entry in log], marker=".", label=f"AUC ({name})")
    right.set(ylabel="AUC")
    figure.legend(loc="outside upper center", ncols=3)
    drawn = io.BytesIO()
    with rc_context({"svg.hashsalt": "curve"}):  # equal logs, equal bytes
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()
