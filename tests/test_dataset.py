"""Folders become located, cropped pictures by the product's own detector and crop."""

import os

import numpy as np
import pytest
from PIL import Image

from spoofweb.crop import square
from spoofweb.errors import SpoofwebError
from spoofweb.face import largest
from spoofweb.resample import resample
from tests.pictures import astronaut, halftoned
from training import dataset
from training.dataset import data_digest, fixed_crops, locate, scan


def write_dataset(root, splits=("train", "val"), sites=("a", "b"), count=2):
    """Astronauts as bona fide, halftoned ones as attacks; a little different each."""
    for step, split in enumerate(splits):
        for i, site in enumerate(sites):
            for kind in ("real", "attack"):
                folder = root / split / kind / f"{split}-{site}"
                folder.mkdir(parents=True)
                for n in range(count):
                    start = 10 * n + 5 * i + 2 * step
                    frame = astronaut()[: 400 - start, start:450]
                    frame = halftoned(frame) if kind == "attack" else frame
                    Image.fromarray(frame).save(folder / f"{n}.png")
    return root


def write_recaptures(root):
    """A scene photographed directly and off a screen, as the manifest names them."""
    for kind in ("direct", "recaptured"):
        (root / kind).mkdir(parents=True)
        Image.fromarray(astronaut()[:200, :200]).save(root / kind / "a0.png")
    lines = ["path,label,source,medium", "direct/a0.png,direct,a,", "recaptured/a0.png,recaptured,a,print"]
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")


def write_simulations(root, **attack):
    """A live face and an attack as training.simulate lists them; attack: other values in the row of the latter."""
    write_dataset(root, splits=("train",), sites=("a",), count=1)
    rows = []
    for kind in ("real", "attack"):
        row = {"path": f"{kind}/train-a/0.png", "attack_type": "", "behind": ""}
        row |= {"face_x": 150, "face_y": 50, "face_side": 150}
        rows.append(row | (attack if kind == "attack" else {}))
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    (root / "train/manifest.csv").write_text("\n".join(lines) + "\n")


def write_all(root):
    """A data set, and beside it simulated and recaptured pictures."""
    write_dataset(root / "data")
    write_simulations(root / "simulated")
    write_recaptures(root / "recapture")


def test_recaptures_are_labelled_and_have_no_face(tmp_path):
    write_recaptures(tmp_path)
    direct, recaptured = dataset.recaptures(tmp_path)
    assert (direct.label, recaptured.label) == (1, 0) and direct.face is recaptured.face is None
    assert direct.site == recaptured.site and direct.path.is_file()
    direct.path.unlink()
    with pytest.raises(SpoofwebError, match="direct/a0.png"):
        dataset.recaptures(tmp_path)


def test_simulations_know_whose_site_is_behind_them(tmp_path, detector_graph):
    write_simulations(tmp_path, behind="train-b")
    attack, live = dataset.simulations(tmp_path, detector_graph, tmp_path / "cache")
    assert (attack.label, attack.site, attack.behind) == (0, "train-a", "train-b")
    assert (live.label, live.site, live.behind) == (1, "train-a", "") and live.face


@pytest.mark.parametrize(
    "place", [{"face_x": 300}, {"face_y": 200}, {"face_x": 0}, {"face_y": -100}, {"face_side": 20}]
)
def test_a_face_behind_the_medium_is_not_taken_for_the_one_presented(tmp_path, detector_graph, place):
    write_simulations(tmp_path, **place)
    (live,) = dataset.simulations(tmp_path, detector_graph, tmp_path / "cache")
    assert live.label == 1


@pytest.mark.parametrize(
    ("found", "instead"), [("behind", "before"), (",50,150", ""), (",50,", ",nan,"), (",50,", ",,")]
)
def test_simulations_of_which_the_manifest_says_too_little(tmp_path, detector_graph, found, instead):
    write_simulations(tmp_path)
    manifest = tmp_path / "train/manifest.csv"
    manifest.write_text(manifest.read_text().replace(found, instead))
    with pytest.raises(SpoofwebError, match="manifest.csv: no row .*render into a new folder"):
        dataset.simulations(tmp_path, detector_graph, tmp_path / "cache")
    manifest.unlink()
    with pytest.raises(SpoofwebError, match="not a manifest"):
        dataset.simulations(tmp_path, detector_graph, tmp_path / "cache")


@pytest.mark.parametrize(("found", "message"), [("Direct", "label 'Direct'"), ("recaptured", "both direct and")])
def test_recaptures_of_another_kind(tmp_path, found, message):
    write_recaptures(tmp_path)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",direct,", f",{found},"))
    with pytest.raises(SpoofwebError, match=message):
        dataset.recaptures(tmp_path)


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


def test_bare_crops_show_no_surroundings(tmp_path, detector_graph):
    root = write_dataset(tmp_path / "data", splits=("val",), count=1)
    seen = [p for p in locate(scan(root, "val"), detector_graph, tmp_path / "cache") if p.face]
    whole = fixed_crops(seen, [120, 270], tmp_path / "cache")
    cut = fixed_crops(seen, [120, 270], tmp_path / "cache", 150)
    for picture, pair, full in zip(seen, cut, whole, strict=True):
        frame = np.asarray(Image.open(picture.path))
        box = square(picture.face, frame.shape[1], frame.shape[0], 150).box
        alone = frame[box[1] : box[3], box[0] : box[2]]
        assert np.array_equal(pair[1], resample(alone, (0, 0, *alone.shape[1::-1]), 224, 224))
        assert np.abs(pair[0].astype(int) - full[0]).max() <= 1  # the face is the same; passes may change places


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


@pytest.fixture
def small_disk():
    """Lets every file end at some size, as a full disk would."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_crops_that_the_disk_cannot_hold(tmp_path, detector_graph, small_disk):
    root, cache = write_dataset(tmp_path / "data", splits=("val",), count=1), tmp_path / "cache"
    pictures = locate(scan(root, "val"), detector_graph, cache)
    small_disk(400_000)  # two of the eight crops
    with pytest.raises(SpoofwebError, match="cache: cannot be written .* --cache"):
        fixed_crops(pictures, [130, 270], cache)
    assert [p.suffix for p in cache.iterdir()] == [".json"]


def test_runs_that_share_a_cache_do_not_write_into_each_other(tmp_path, detector_graph, monkeypatch):
    root, cache = write_dataset(tmp_path / "data", splits=("val",), count=1), tmp_path / "cache"
    pictures = locate(scan(root, "val"), detector_graph, cache)
    wanted = np.array(fixed_crops(pictures, [130], tmp_path / "alone"))
    read, others = dataset.read_picture, []

    def while_another_begins(path):
        if not others:
            others.append(None)
            with monkeypatch.context() as other:
                other.setattr(os, "getpid", lambda: 1)
                fixed_crops(pictures, [130], cache)
        return read(path)

    monkeypatch.setattr(dataset, "read_picture", while_another_begins)
    assert np.array_equal(fixed_crops(pictures, [130], cache), wanted)
    assert sorted(p.suffix for p in cache.iterdir()) == [".json", ".npy"]


def test_what_a_killed_run_left_is_cleared_away(tmp_path, detector_graph):
    root, cache = write_dataset(tmp_path / "data", splits=("val",), count=1), tmp_path / "cache"
    pictures = locate(scan(root, "val"), detector_graph, cache)
    old, young = cache / "crops-0.1.part", cache / "crops-0.2.part"
    for part in (old, young):
        part.touch()
    os.utime(old, (0, 0))
    fixed_crops(pictures, [130], cache)
    assert young.exists() and not old.exists()


@pytest.mark.parametrize("pattern", ["faces-*.json", "crops-*.npy"])
def test_a_broken_cache_is_named(tmp_path, detector_graph, pattern):
    root, cache = write_dataset(tmp_path / "data", splits=("val",), count=1), tmp_path / "cache"
    fixed_crops(locate(scan(root, "val"), detector_graph, cache), [130], cache)
    (broken,) = cache.glob(pattern)
    broken.write_bytes(broken.read_bytes()[:90])
    with pytest.raises(SpoofwebError, match=f"{broken.name}: a broken cache"):
        fixed_crops(locate(scan(root, "val"), detector_graph, cache), [130], cache)
