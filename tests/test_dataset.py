"""Folders become located, cropped pictures by the product's own detector and crop."""

import numpy as np
import pytest
from PIL import Image

from spoofweb.crop import square
from spoofweb.errors import SpoofwebError
from spoofweb.face import largest
from spoofweb.resample import resample
from tests.pictures import astronaut, halftoned
from training.dataset import data_digest, fixed_crops, locate, scan


def write_dataset(root, splits=("train", "val"), sites=("a", "b"), count=2):
    """Astronauts as bona fide, halftoned ones as attacks; a little different each."""
    for split in splits:
        for i, site in enumerate(sites):
            for kind in ("real", "attack"):
                folder = root / split / kind / f"{split}-{site}"
                folder.mkdir(parents=True)
                for n in range(count):
                    start = 10 * n + 5 * i
                    frame = astronaut()[: 400 - start, start:450]
                    frame = halftoned(frame) if kind == "attack" else frame
                    Image.fromarray(frame).save(folder / f"{n}.png")
    return root


def test_scan_reads_labels_sites_and_manifest(tmp_path):
    root = write_dataset(tmp_path / "data")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,source,attack_type,minifasnet\ntrain/attack/train-a/0.png,webcam,print,0.25\n")
    pictures = scan(root, "train", manifest)
    assert len(pictures) == 8 and sum(p.label for p in pictures) == 4
    assert {p.site for p in pictures} == {"train-a", "train-b"}
    (known,) = [p for p in pictures if p.source != "data"]
    assert (known.name, known.source, known.species, known.peer) == (
        "train/attack/train-a/0.png",
        "webcam",
        "print",
        0.25,
    )


@pytest.mark.parametrize("missing", ["train", "train/real"])
def test_missing_folder(tmp_path, missing):
    root = write_dataset(tmp_path / "data")
    (root / missing).rename(root / "elsewhere")
    with pytest.raises(SpoofwebError, match="no such folder"):
        scan(root, "train")


def test_empty_class(tmp_path):
    root = write_dataset(tmp_path / "data", count=0)
    with pytest.raises(SpoofwebError, match="no picture"):
        scan(root, "train")


def test_manifest_without_paths(tmp_path):
    (tmp_path / "manifest.csv").write_text("name\nx\n")
    with pytest.raises(SpoofwebError, match="column `path`"):
        scan(write_dataset(tmp_path / "data"), "train", tmp_path / "manifest.csv")


def test_crops_are_the_products(tmp_path, pipeline, detector_graph):
    root = write_dataset(tmp_path / "data", splits=("val",), count=1)
    Image.fromarray(np.zeros((80, 80, 3), np.uint8)).save(root / "val/real/val-a/dark.png")
    pictures = locate(scan(root, "val"), detector_graph, tmp_path / "cache")
    assert [p.path.name for p in pictures if p.face is None] == ["dark.png"]
    seen = [p for p in pictures if p.face]
    crops = fixed_crops(seen, [120, 270], tmp_path / "cache")
    for picture, pair in zip(seen, crops, strict=True):
        frame = np.asarray(Image.open(picture.path))
        face = largest(pipeline.faces(frame))
        assert picture.face == face
        for percent, crop in zip([120, 270], pair, strict=True):
            box = square(face, frame.shape[1], frame.shape[0], percent).box
            assert np.array_equal(crop, resample(frame, box, 224, 224))


def test_caches_are_used_and_follow_the_files(tmp_path, detector_graph, monkeypatch):
    root = write_dataset(tmp_path / "data", splits=("val",), count=1)
    located = locate(scan(root, "val"), detector_graph, tmp_path / "cache")
    monkeypatch.setattr("training.dataset.open_detector", lambda _: pytest.fail("looked again"))
    assert locate(scan(root, "val"), detector_graph, tmp_path / "cache") == located
    Image.fromarray(astronaut()).save(located[0].path)
    with pytest.raises(BaseException, match="looked again"):
        locate(scan(root, "val"), detector_graph, tmp_path / "cache")


def test_digest_follows_bytes_and_not_order(tmp_path):
    pictures = scan(write_dataset(tmp_path / "data"), "train")
    before = data_digest(pictures)
    assert data_digest(pictures[::-1]) == before
    Image.fromarray(astronaut()).save(pictures[0].path)
    assert data_digest(pictures) != before
