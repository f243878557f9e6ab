"""The table of what was survived: rows come from results, and from nothing else."""

import fnmatch
import json
import re
from pathlib import Path

import pytest

from tests import trust

TESTS = Path(__file__).parent
PATTERNS = [*(p for names in trust.FAULTS.values() for p in names), *trust.PRIVACY, *trust.POLICY, *trust.SOAK]
SOAK = {
    "frames": 90, "minutes": 1.35, "requests": 0, "violations": 0, "open_bitmaps": 0, "early_frames": 30,
    "early": {"page": 1_000_000, "wasm": 20_000_000}, "late": {"page": 1_200_000, "wasm": 20_000_000},
}  # fmt: skip
FUZZ = {"cases": 1234, "seed": 1, "targets": {"crop": {}}}
KILLS = {"kills": 21, "while_writing": 6, "equal": True}


def functions(file: Path) -> list[str]:
    """Names of a module's tests, without "test_"."""
    return re.findall(r"^def test_(\w+)\(", file.read_text(), re.MULTILINE)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_names_a_test(pattern):
    file, _, name = pattern.partition(": ")
    assert fnmatch.filter(functions(TESTS / f"{file}.py"), name), pattern


def results(folder: Path, change: dict | None = None, body: dict | None = None) -> list[str]:
    """Files of a run in which every test that a row names has passed once; `change` and `body` spoil some."""
    names = [*PATTERNS, "test_fuzz: *", "test_train: killed_runs_end_with_the_same_weights"]
    cases = ""
    for name in dict.fromkeys(pattern.replace("*", "x") for pattern in names):
        file, _, test = name.partition(": ")
        inside = (
            f"<properties><property name='soak' value='{json.dumps(SOAK)}'/></properties>" if "soak" in file else ""
        )
        inside += (body or {}).get(name, "")
        cases += f"<testcase classname='tests.{file.replace('/', '.')}' name='test_{test}'>{inside}</testcase>"
    found = {"tests.xml": f"<testsuites><testsuite>{cases}</testsuite></testsuites>"}
    found |= {"fuzz.json": json.dumps(FUZZ), "kills.json": json.dumps(KILLS)} | (change or {})
    for name, text in found.items():
        (folder / name).write_text(text)
    return [str(folder / name) for name in found]


def test_rows_come_from_results(tmp_path, capsys):
    assert trust.main(results(tmp_path)) == 0
    shown = capsys.readouterr().out
    for part in (
        "1,234;",
        "| 90, 1 minutes",
        "21.0 MB in use after 30 frames, 21.2 MB at",
        "| 21, 6 of them",
        "| 0 in",
    ):
        assert part in shown
    offline = len(trust.FAULTS["no server, a new version, a full disk"])
    assert f"a full disk | {offline} survived | `tests/e2e/test_offline.py` ({offline}) |" in shown


@pytest.mark.parametrize("outcome", ["<failure/>", "<error/>", "<skipped/>"])
def test_what_did_not_pass_is_no_row(tmp_path, capsys, outcome):
    assert trust.main(results(tmp_path, body={"e2e/test_camera: a_muted_camera_x": outcome})) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and "a_muted_camera_x did not pass" in shown.err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("kills.json", json.dumps(KILLS | {"equal": False}), "equal weights"),
        ("fuzz.json", "{}", "tests.fuzz"),
        ("fuzz.json", "{", "no result"),
        ("tests.xml", "<testsuites/>", "no such test was run"),
        ("tests.xml", "<test", "no result"),
    ],
)
def test_a_missing_or_bad_result_is_named(tmp_path, capsys, name, text, said):
    assert trust.main(results(tmp_path, {name: text})) == 2
    assert said in capsys.readouterr().err


def test_a_later_run_stands_for_an_earlier(tmp_path, capsys):
    given = results(tmp_path, body={"e2e/test_soak: memory_stays_level_and_nothing_is_left_open": "<failure/>"})
    (tmp_path / "later").mkdir()
    assert trust.main(given) == 2
    assert trust.main([*given, *results(tmp_path / "later")]) == 0
