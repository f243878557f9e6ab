"""Pictures on disk → crops for training: found with the product's detector, cut with the product's crop, cached.

Layout: ROOT/{train,val,test}/{real,attack}/<identity>/*.jpg. A manifest (CSV) beside it may add what a folder name
cannot: `path` (relative to ROOT), `source`, `attack_type` and `minifasnet` (a peer's live probability, a soft target).
"""

import csv
import hashlib
import json
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from spoofweb.contract import CONTRACT, digest
from spoofweb.crop import square
from spoofweb.errors import SpoofwebError
from spoofweb.face import Face, detector_input, faces, largest
from spoofweb.files import write_whole
from spoofweb.media import read_picture
from spoofweb.pipeline import open_detector
from spoofweb.resample import resample

SPLITS = ("train", "val", "test")
CLASSES = {"attack": 0, "real": 1}
SIDE = CONTRACT["input"]["side"]


@dataclass(frozen=True)
class Picture:
    """One labelled picture. label: 1 = bona fide. site: the identity folder. face: None where none was found."""

    path: Path
    name: str  # relative to the root, with forward slashes
    split: str
    label: int
    site: str
    source: str = ""
    species: str = ""
    peer: float | None = None  # soft target, live probability 0..1
    face: Face | None = None


def scan(root: Path, split: str, manifest: Path | None = None) -> list[Picture]:
    """All pictures of a split in a fixed order; SpoofwebError for a missing folder or an empty class."""
    facts = read_manifest(manifest)
    pictures = []
    for kind, label in CLASSES.items():
        folder = root / split / kind
        if not folder.is_dir():
            raise SpoofwebError(
                f"{folder}: no such folder; expected ROOT/{{train,val,test}}/{{real,attack}}/<identity>/"
            )
        found = sorted(p for p in folder.glob("*/*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        if not found:
            raise SpoofwebError(f"{folder}: no picture in any identity folder; both classes need some")
        for path in found:
            name = path.relative_to(root).as_posix()
            row = facts.get(name, {})
            pictures.append(
                Picture(
                    path=path, name=name, split=split, label=label, site=path.parent.name,
                    source=row.get("source") or "data", species=row.get("attack_type", ""),
                    peer=opinion(row, name),
                )
            )  # fmt: skip
    return pictures


def opinion(row: dict[str, str], name: str) -> float | None:
    """The peer's live probability in a manifest row, None where it gives none; SpoofwebError where it is no share."""
    if not row.get("minifasnet"):
        return None
    try:
        value = float(row["minifasnet"])
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise SpoofwebError(f"manifest, {name}: minifasnet {row['minifasnet']!r} is no number from 0 to 1; mend it")
    return value


def read_manifest(path: Path | None) -> dict[str, dict[str, str]]:
    """Rows of a manifest by their `path`; empty without a manifest, SpoofwebError where it is none."""
    if path is None:
        return {}
    try:
        with open(path, newline="") as file:
            return {row["path"]: row for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise SpoofwebError(f"{path}: not a manifest ({error!r}); it needs a CSV with a column `path`") from None


def data_digest(pictures: list[Picture]) -> str:
    """SHA-256 (hex) over names, labels and bytes of the pictures: two runs with equal digests saw equal data."""
    total = hashlib.sha256()
    for picture in sorted(pictures, key=lambda p: p.name):
        total.update(f"{picture.name} {picture.label} ".encode())
        total.update(hashlib.sha256(picture.path.read_bytes()).digest())
    return total.hexdigest()


def locate(pictures: list[Picture], detector: bytes, cache: Path) -> list[Picture]:
    """The pictures with their `face` as the product's detector finds it (None: not found), cached."""
    key = hashlib.sha256(detector + digest(CONTRACT["detector"]).encode()).hexdigest()[:16]
    file = cache / f"faces-{key}.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    stamps = [f"{p.path.resolve()}:{(s := p.path.stat()).st_size}:{s.st_mtime_ns}" for p in pictures]
    todo = [(stamp, picture) for stamp, picture in zip(stamps, pictures, strict=True) if stamp not in known]
    if todo:
        run = open_detector(detector)
        for stamp, picture in tqdm(todo, desc="finding faces", unit="picture"):
            frame = read_picture(picture.path)
            detections = run.run(None, {"image": detector_input(frame)})[0][0]
            known[stamp] = largest(faces(detections, frame.shape[1], frame.shape[0]))
        write_whole({file: json.dumps(known).encode()})
    located = []
    for stamp, picture in zip(stamps, pictures, strict=True):
        face = known[stamp] and Face(*known[stamp][:5], tuple(known[stamp][5]))
        located.append(replace(picture, face=face))
    return located


def fixed_crops(pictures: list[Picture], scales_percent: list[int], cache: Path) -> np.ndarray:
    """The product's own crops of located pictures, one per scale: uint8 [P, K, 224, 224, 3], a cached memory map."""
    if not all(picture.face for picture in pictures):
        raise ValueError("only pictures with a face can be cropped")
    told = json.dumps([[p.name, p.path.stat().st_size, p.face] for p in pictures] + [scales_percent])
    file = cache / f"crops-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npy"
    if not file.exists():
        beside = file.with_suffix(".part")
        try:
            cache.mkdir(parents=True, exist_ok=True)
            shape = (len(pictures), len(scales_percent), SIDE, SIDE, 3)
            crops = np.lib.format.open_memmap(beside, "w+", np.uint8, shape)
        except OSError as error:
            raise SpoofwebError(f"{cache}: cannot be written ({error.strerror}); choose another --cache") from None
        for i, picture in enumerate(tqdm(pictures, desc="cropping", unit="picture")):
            frame = read_picture(picture.path)
            for k, percent in enumerate(scales_percent):
                box = square(picture.face, frame.shape[1], frame.shape[0], percent).box
                crops[i, k] = resample(frame, box, SIDE, SIDE)
        crops.flush()
        os.replace(beside, file)
    return np.load(file, mmap_mode="r")
