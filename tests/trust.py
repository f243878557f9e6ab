"""What was driven, tried and survived, as a Markdown table made of results alone.

    python -m pytest --junitxml tests.xml -o junit_family=legacy
    SPOOFWEB_SOAK_FRAMES=2000 python -m pytest tests/e2e/test_soak.py --junitxml soak.xml -o junit_family=legacy
    python -m tests.fuzz --cases 100000 --json fuzz.json
    python -m tests.kill --kills 20 --json kills.json
    python -m tests.trust tests.xml soak.xml fuzz.json kills.json

A row counts the cases that passed among those that its patterns name. A pattern without a case, a case that failed or
was skipped, and a missing result are errors: the exit status is then 2 and nothing is printed.
"""

import argparse
import fnmatch
import json
import sys
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import NamedTuple

from spoofweb.errors import SpoofwebError

FAULTS = {  # row → patterns of test file and name
    "downloads that are lost, missing, wrong or truncated": [
        "e2e/test_engine: a_file_is_missing*",
        "e2e/test_engine: the_network_breaks_off*",
        "e2e/test_engine: a_contract_that_is_none",
        "e2e/test_engine: a_wrong_byte_stops_everything*",
        "e2e/test_engine: something_else_instead_of_a_graph*",
        "e2e/test_engine: a_truncated_file*",
        "e2e/test_engine: a_published_graph_*",
        "e2e/test_offline: a_wrong_byte_keeps_the_page_from_running*",
        "e2e/test_offline: not_even_the_entry",
        "e2e/test_offline: a_damaged_copy_in_the_browser_is_fetched_again*",
    ],
    "no server, a new version, a full disk": [
        "e2e/test_offline: works_without_a_server_after_the_first_visit",
        "e2e/test_offline: a_newer_version_*",
        "e2e/test_offline: the_other_tab_hears_of_it_and_stays_whole",
        "e2e/test_offline: a_version_with_a_wrong_byte_is_not_taken",
        "e2e/test_offline: a_full_disk_does_no_harm",
        "e2e/test_offline: without_service_workers_the_page_works",
    ],
    "WebAssembly or the worker breaks": [
        "e2e/test_engine: without_webassembly",
        "e2e/test_engine: a_webassembly_that_does_not_start",
        "e2e/test_engine: the_worker_*",
        "e2e/test_page: a_broken_worker_*",
        "e2e/test_camera: a_worker_that_breaks_down_again_*",
        "e2e/test_camera: memory_that_runs_out_*",
    ],
    "the camera fails, freezes, goes or is refused": [
        "e2e/test_camera: an_unplugged_camera_*",
        "e2e/test_camera: a_refusal_is_named_*",
        "e2e/test_camera: a_camera_that_*",
        "e2e/test_camera: a_frozen_picture_*",
        "e2e/test_camera: a_muted_camera_*",
        "e2e/test_camera: empty_frames_*",
        "e2e/test_camera: a_black_picture_*",
        "e2e/test_camera: a_hidden_page_*",
        "e2e/test_camera: a_stop_while_starting_*",
        "e2e/test_camera: switching_while_*",
        "e2e/test_camera: without_anyone_*",
        "e2e/test_camera: another_size_in_mid_run_*",
        "e2e/test_camera: two_cameras_are_swapped_fifty_times*",
        "test_verdict: a_clock_that_jumps_back_*",
    ],
    "pictures and videos that are odd or broken": ["test_media: *"],
    "data folders and training: wrong, full, unwritable, not a number": [
        "test_folders: *",
        "test_files: *",
        "test_frames: *full_disk*",
        "test_dataset: crops_that_the_disk_cannot_hold",
        "test_dataset: runs_that_share_a_cache_*",
        "test_dataset: a_broken_cache_is_named*",
        "test_train: nan_in_a_batch_*",
        "test_train: a_full_disk_*",
        "test_train: a_folder_that_cannot_be_written*",
        "test_train: a_picture_that_breaks_*",
        "test_train: a_picture_in_two_splits_*",
        "test_checkpoint: truncated_*",
        "test_checkpoint: of_another_version",
    ],
}
PRIVACY = [
    "e2e/test_engine: requests_stay_at_home_and_end_with_loading",
    "e2e/test_camera: nothing_is_requested_once_the_networks_are_loaded*",
]
SOAK = ["e2e/test_soak: memory_stays_level_and_nothing_is_left_open"]
POLICY = ["e2e/test_page: *"]  # every page of these tests listens for violations and fails on one


class Case(NamedTuple):
    """A test that was run. name: "folder/file: name" without "test_" before the name."""

    name: str
    passed: bool
    properties: dict[str, str]


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="A table of what was driven, tried and survived.")
    parser.add_argument("results", nargs="+", type=Path, help="JUnit XML of pytest, JSON of tests.fuzz and tests.kill")
    args = parser.parse_args(argv)
    try:
        print(table(*read(args.results)))
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def read(paths: list[Path]) -> tuple[list[Case], list[dict]]:
    """All cases and all JSON results; a later run of a test stands for an earlier one."""
    cases, results = {}, []
    for path in paths:
        try:
            if path.suffix == ".json":
                results.append(json.loads(path.read_text()))
            else:
                cases.update((case.name, case) for case in map(read_case, xml.parse(path).iter("testcase")))
        except (OSError, ValueError, xml.ParseError) as error:
            raise SpoofwebError(f"{path}: no result of a test run ({error}); run it again") from None
    return list(cases.values()), results


def read_case(element: xml.Element) -> Case:
    """A case of pytest's JUnit XML."""
    file = element.get("classname", "").removeprefix("tests.").replace(".", "/")
    passed = not any(element.find(kind) is not None for kind in ("failure", "error", "skipped"))
    properties = {entry.get("name"): entry.get("value") for entry in element.iter("property")}
    return Case(f"{file}: {element.get('name').removeprefix('test_')}", passed, properties)


def table(cases: list[Case], results: list[dict]) -> str:
    """The Markdown table."""
    rows = [(f"faults: {what}", f"{len(chosen(cases, names))} survived", names) for what, names in FAULTS.items()]
    soak = json.loads(chosen(cases, SOAK)[0].properties.get("soak", "null"))
    if not soak:
        raise SpoofwebError("the soak has told nothing; run it with -o junit_family=legacy")
    fuzzed = [result for result in results if "targets" in result]
    killed = [result for result in results if "kills" in result]
    if not fuzzed or not killed or not all(result["equal"] for result in killed):
        raise SpoofwebError("a result of tests.fuzz and one of tests.kill with equal weights are needed; run them")
    targets = sorted({name for result in fuzzed for name in result["targets"]})
    kills = sum(result["kills"] for result in killed)
    early, late = (sum(soak[when].values()) / 1e6 for when in ("early", "late"))
    rows += [
        (
            f"inputs tried: {', '.join(targets)}",
            f"{sum(result['cases'] for result in fuzzed):,}; each gave a value, alike in Python and JavaScript, "
            "or the documented error",
            ["test_fuzz: *"],
        ),
        ("requests seen after loading, and elsewhere ever", f"{soak['requests']} in the soak", [*PRIVACY, *SOAK]),
        ("violations of the content security policy", f"{soak['violations']} in the soak", [*POLICY, *SOAK]),
        (
            "frames judged in the soak",
            f"{soak['frames']:,}, {soak['minutes']:.0f} minutes of their clock; {soak['open_bitmaps']} bitmaps left "
            f"open; {early:.1f} MB in use after {soak['early_frames']} frames, {late:.1f} MB at the end",
            SOAK,
        ),
        (
            "kills (SIGKILL) survived by a training",
            f"{kills}, {sum(result['while_writing'] for result in killed)} of them while it wrote; "
            "the same weights at the end, to the bit",
            ["test_train: killed_runs_end_with_the_same_weights"],
        ),
    ]
    lines = ["| what | result | tests |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {said} | {named(chosen(cases, names))} |" for what, said, names in rows])


def chosen(cases: list[Case], patterns: list[str]) -> list[Case]:
    """The cases that the patterns name; SpoofwebError for a pattern that names none and a case that did not pass."""
    found = {}
    for pattern in patterns:
        matching = [case for case in cases if fnmatch.fnmatchcase(case.name, glob(pattern))]
        if not matching:
            raise SpoofwebError(f"{pattern}: no such test was run; run the whole suite, or mend the pattern")
        found.update((case.name, case) for case in matching)
    if failed := [case.name for case in found.values() if not case.passed]:
        raise SpoofwebError(f"{failed[0]} did not pass, nor did {len(failed) - 1} others; there is nothing to show off")
    return list(found.values())


def glob(pattern: str) -> str:
    """A pattern whose brackets stand for themselves: they hold a test's parameters."""
    return pattern.replace("[", "[[]")


def named(cases: list[Case]) -> str:
    """The files of some cases and how many are in each."""
    files: dict[str, int] = {}
    for case in cases:
        file = case.name.partition(":")[0]
        files[file] = files.get(file, 0) + 1
    return ", ".join(f"`tests/{file}.py` ({count})" for file, count in files.items())


if __name__ == "__main__":
    sys.exit(main())
