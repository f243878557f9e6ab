"""What is wrong with a folder of pictures is said, and what does not belong to it is left alone."""

import os
import shutil

import pytest

from spoofweb.errors import SpoofwebError
from tests.test_dataset import write_dataset
from training.dataset import data_digest, locate, scan
from training.folders import NAMED, check_splits


@pytest.fixture
def root(tmp_path):
    return write_dataset(tmp_path / "data")


@pytest.mark.parametrize(("right", "wrong"), [("train", "Train"), ("train/real", "train/REAL")])
def test_names_in_another_case(root, right, wrong):
    (root / right).rename(root / wrong)
    with pytest.raises(SpoofwebError, match=f"{wrong}: .* rename it to '{right.rpartition('/')[2]}'"):
        scan(root, "train")


def test_a_second_class_folder_in_another_case_is_not_left_out(root):
    shutil.copytree(root / "train/real", root / "train/Real")
    with pytest.raises(SpoofwebError, match="train/Real"):
        scan(root, "train")


def test_hidden_files_are_left_alone(root):
    before = scan(root, "train")
    folder = before[0].path.parent
    (folder / "._0.png").write_bytes(b"what an archive of another system leaves")
    (folder.parent / ".thumbnails").mkdir()
    shutil.copy(before[0].path, folder.parent / ".thumbnails/0.png")
    assert scan(root, "train") == before and check_splits([root]) == 0


def test_links_that_go_round_are_harmless(root, detector_graph, tmp_path):
    before = scan(root, "train")
    for place in ("train/real/round", "train/real/train-a/up", "train/round"):
        os.symlink(root / "train", root / place, target_is_directory=True)
    os.symlink(".", root / "train/real/self", target_is_directory=True)
    assert scan(root, "train") == before and check_splits([root]) == 0
    assert len(locate(before, detector_graph, tmp_path / "cache")) == len(before)


@pytest.mark.parametrize("target", ["turn.png", "nowhere.png"])
def test_a_picture_that_is_a_link_to_nowhere_is_named(root, detector_graph, tmp_path, target):
    os.symlink(target, root / "train/real/train-a/turn.png")
    assert check_splits([root]) == 0
    with pytest.raises(SpoofwebError, match=r"turn\.png: cannot be read"):
        locate(scan(root, "train"), detector_graph, tmp_path / "cache")
    with pytest.raises(SpoofwebError, match=r"turn\.png: cannot be read"):
        data_digest(scan(root, "train"))


def test_unreadable_pictures_are_named_and_the_others_are_kept(root, detector_graph, tmp_path, monkeypatch):
    folder = root / "train/real/train-a"
    for number in range(NAMED + 2):
        (folder / f"broken{number}.jpg").write_bytes(b"\xff\xd8 no picture")
    (folder / "folder.jpg").mkdir()
    with pytest.raises(SpoofwebError) as caught:
        locate(scan(root, "train"), detector_graph, tmp_path / "cache")
    lines = str(caught.value).splitlines()
    assert len(lines) == NAMED + 1 and "broken0.jpg" in lines[0] and lines[-1] == "and 3 more"
    shutil.rmtree(folder)
    monkeypatch.setattr("training.dataset.read_picture", lambda path: pytest.fail(f"{path} is looked at again"))
    assert locate(scan(root, "train"), detector_graph, tmp_path / "cache")


def test_a_picture_in_two_splits_is_refused(root):
    assert check_splits([root]) == 0
    shutil.copy(root / "train/real/train-a/0.png", root / "val/attack/val-b/other.png")
    with pytest.raises(SpoofwebError) as caught:
        check_splits([root])
    assert "train-a/0.png and " in str(caught.value) and "val-b/other.png" in str(caught.value)


def test_many_pictures_in_two_splits_are_counted(root):
    shutil.copytree(root / "train", root / "test")
    with pytest.raises(SpoofwebError, match=f"and {8 - NAMED} more pairs"):
        check_splits([root])


def test_a_picture_in_two_roots_is_refused(root, tmp_path):
    folder = tmp_path / "simulated/train/attack/x"
    folder.mkdir(parents=True)
    shutil.copy(root / "val/real/val-a/0.png", folder)
    with pytest.raises(SpoofwebError, match="two splits"):
        check_splits([root, tmp_path / "simulated"])


def test_repeats_within_a_split_are_counted(root):
    shutil.copy(root / "train/real/train-a/0.png", root / "train/attack/train-b/copy.png")
    shutil.copytree(root / "val/real/val-a", root / "val/real/again")
    assert check_splits([root]) == 3
