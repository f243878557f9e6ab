"""The trained network that a site is built from, with its evaluation card: the committed one, or one given by path."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from spoofweb import graphs
from spoofweb.contract import read_card
from spoofweb.errors import SpoofwebError
from spoofweb.export import export, is_current
from spoofweb.files import write_whole
from spoofweb.pipeline import open_spoofnet

EXPORTERS = ("torch", "timm", "safetensors", "onnxsim")
NO_CARD = {"headline": {"threshold": 0.0}}


class Trained(NamedTuple):
    """A network that is ready to run."""

    graph: bytes  # ONNX, inputs and outputs as SpoofNet's
    card: dict  # the evaluation card; its `headline` has the `threshold` (logit)


def committed(
    say: Callable[[str], None],
    checkpoint: Path = graphs.CHECKPOINT,
    graph: Path = graphs.SPOOFNET,
    card: Path = graphs.CARD,
) -> Trained:
    """The network of this repository, exported again where its file is out of date and torch is installed.

    `say` is told of a new export. Raises SpoofwebError where a file is missing or broken, or where the export is out of
    date and cannot be made again.
    """
    facts = read_card(card)
    if not is_current(graph, checkpoint):
        if missing := _missing():
            raise SpoofwebError(
                f"{graph}: not made from {checkpoint.name} and this contract, and {', '.join(missing)} to export it "
                'again is not installed; run `pip install -e ".[train]"`, or restore the committed file'
            )
        say(f"{graph}: not made from {checkpoint.name} and this contract, so it is exported again")
        write_whole({graph: export(checkpoint)})
    return _checked(graphs.spoofnet_graph(graph), facts)


def given(path: Path, say: Callable[[str], None]) -> Trained:
    """The network at a path: a .onnx file as it is, or a .safetensors checkpoint, exported in memory.

    Its card is the `card.json` beside it; without one the threshold is logit 0, no error rates are known, and `say` is
    told so. Raises SpoofwebError where a file is missing or broken, or has other inputs and outputs than SpoofNet.
    """
    if path.suffix == ".onnx":
        graph = graphs.spoofnet_graph(path)
    elif path.suffix == ".safetensors":
        if missing := _missing():
            raise SpoofwebError(
                f"{path}: {', '.join(missing)} to export it is not installed; "
                'run `pip install -e ".[train]"`, or give a .onnx file'
            )
        graph = export(path)
    else:
        raise SpoofwebError(f"{path}: neither a .onnx nor a .safetensors file; give one of them")
    card = path.with_name("card.json")
    if card.exists():
        return _checked(graph, read_card(card))
    say(f"{path}: no card.json beside it, so LIVE begins at a probability of 0.5")
    return _checked(graph, NO_CARD)


def _checked(graph: bytes, card: dict) -> Trained:
    open_spoofnet(graph)
    return Trained(graph, card)


def _missing() -> list[str]:
    """What an export needs and is not installed; looked for without an import, which would take seconds."""
    return [name for name in EXPORTERS if importlib.util.find_spec(name) is None]
