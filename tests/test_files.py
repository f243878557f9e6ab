"""Files are written whole or not at all, and what goes wrong is said with the file's name."""

import os
from pathlib import Path

import pytest

from spoofweb.errors import SpoofwebError
from spoofweb.files import write_whole

FULL = Path("/dev/full")  # Linux: every write to it finds no space


def test_folders_are_made_and_nothing_is_left_beside(tmp_path):
    write_whole({tmp_path / "a/b/x": b"1", tmp_path / "y": b"2"})
    assert (tmp_path / "a/b/x").read_bytes() == b"1" and (tmp_path / "y").read_bytes() == b"2"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "b", "x", "y"]


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_full_disk_keeps_what_was_there(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).write_bytes(b"before")
    os.symlink(FULL, tmp_path / "second.part")
    with pytest.raises(SpoofwebError, match=r"second: cannot be written \(No space left on device\)"):
        write_whole({tmp_path / "first": b"after", tmp_path / "second": b"after"})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"first": b"before", "second": b"before"}


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SpoofwebError, match="file: cannot be written"):
        write_whole({tmp_path / "file/below": b""})


def test_a_folder_in_a_files_place_keeps_the_others(tmp_path):
    (tmp_path / "first").write_bytes(b"before")
    (tmp_path / "second").mkdir()
    with pytest.raises(SpoofwebError, match="second: cannot be written"):
        write_whole({tmp_path / "first": b"after", tmp_path / "second": b"after"})
    assert (tmp_path / "first").read_bytes() == b"before"
    assert {p.name for p in tmp_path.iterdir()} == {"first", "second"}
