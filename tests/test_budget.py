"""The site weighs, and its networks compute, no more than tests/budget.json allows; and the allowance is no wider."""

import json
from pathlib import Path

import pytest

from spoofweb import site
from tests.bench import budget

WEB = Path(__file__).parents[1] / "web"
ROOM = 1.02  # compressors differ by a little
ONNXRUNTIME, REST, PAGE = 3.7e6, 5e6, 150e3  # compressed bytes until the first verdict


@pytest.fixture(scope="module")
def allowed() -> dict:
    return json.loads(budget.FILE.read_text())


@pytest.fixture(scope="module")
def measured(node_modules, spoofnet, detector_graph) -> dict:
    files = site.render(site.Parts(WEB, node_modules, spoofnet, detector_graph))
    return budget.budget(files, {"detector": detector_graph, "spoofnet": spoofnet.graph})


def test_graphs_are_as_large_as_allowed(allowed, measured):
    assert measured["graphs"] == allowed["graphs"], "run python -m tests.bench.budget if the change is worth it"


def test_a_first_visit_weighs_what_is_allowed(allowed, measured):
    weights, limits = (found["first_visit_gzip_bytes"] for found in (measured, allowed))
    assert weights.keys() == limits.keys()
    for kind, weight in weights.items():
        assert limits[kind] / ROOM <= weight <= limits[kind] * ROOM, f"{kind}: {weight} bytes, {limits[kind]} allowed"


def test_the_allowance_keeps_the_bars(allowed):
    weights = allowed["first_visit_gzip_bytes"]
    assert weights["onnxruntime"] <= ONNXRUNTIME
    assert weights["graphs"] + weights["page"] <= REST
    assert weights["page"] <= PAGE
    assert allowed["graphs"]["spoofnet"]["parameters"] <= 1.5e6
