"""What many tests share: the installed npm packages, both graphs, and the pipeline made of them."""

from pathlib import Path

import pytest

from spoofweb import detector, npm, trained
from spoofweb.pipeline import Pipeline

WEB = Path(__file__).parents[1] / "web"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The locked npm packages, those for development included."""
    return npm.install(WEB, dev=True)


@pytest.fixture(scope="session")
def detector_graph(node_modules) -> bytes:
    """BlazeFace as ONNX."""
    return detector.build(node_modules)


@pytest.fixture(scope="session")
def spoofnet() -> trained.Trained:
    """The committed network with its card."""
    return trained.committed(print)


@pytest.fixture(scope="session")
def spoofnet_graph(spoofnet) -> bytes:
    """The committed network as ONNX."""
    return spoofnet.graph


@pytest.fixture(scope="session")
def pipeline(detector_graph, spoofnet_graph) -> Pipeline:
    """The Python reference."""
    return Pipeline(detector_graph, spoofnet_graph)
