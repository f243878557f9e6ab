"""A small part of the fuzzing (`python -m tests.fuzz` is the whole), and that it finds what is wrong."""

import json

import pytest

from spoofweb import face, verdict
from tests.fuzz import targets
from tests.fuzz.__main__ import fuzz, main
from tests.fuzz.targets import TARGETS
from tests.fuzz.twins import Twins


@pytest.mark.parametrize("name", TARGETS)
def test_a_value_or_the_documented_error(name):
    counts = fuzz(TARGETS[name], 60, seed=7)
    assert counts["cases"] >= 60 and counts["values"] + counts["errors"] == counts["cases"]
    assert counts["values"] > 0


def test_a_twin_that_differs_is_found(monkeypatch):
    monkeypatch.setattr(targets, "overlap_percent", lambda a, b: min(100, face.overlap_percent(a, b) + 1))
    with pytest.raises(AssertionError):
        fuzz(TARGETS["overlap"], 60, seed=7)


def test_a_rounding_that_differs_is_found(monkeypatch):
    monkeypatch.setattr(verdict, "fixed", lambda logit, rules: round(max(-32, min(32, logit)) * rules["logit_one"]))
    with pytest.raises(AssertionError):
        fuzz(TARGETS["fixed point"], 300, seed=7)


def test_a_crash_is_no_documented_error():
    def crash(*_: object) -> str:
        raise ValueError

    with pytest.raises(ValueError):
        fuzz(TARGETS["crop"]._replace(check=crash), 10, seed=7)


def test_an_error_in_javascript_is_told():
    with Twins() as twins, pytest.raises(AssertionError, match="JavaScript throws"):
        twins.call("crop", {})


def test_summary(tmp_path, capsys):
    assert main(["--cases", "40", "--seed", "3", "--json", str(tmp_path / "fuzz.json"), "--only", "letterbox"]) == 0
    summary = json.loads((tmp_path / "fuzz.json").read_text())
    assert summary["cases"] >= 40 and summary["targets"].keys() == {"letterbox"}
    assert "| letterbox | 40 |" in capsys.readouterr().out
