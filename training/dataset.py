"""Pictures on disk → crops for training: found with the product's detector, cut with the product's crop, cached.

Layout: ROOT/{train,val,test}/{real,attack}/<identity>/*.jpg, names in lower case; what begins with a dot is left alone.
A manifest (CSV) beside it may add what a folder name cannot: `path` (relative to ROOT), `source`, `attack_type` and
`minifasnet` (a peer's live probability, a soft target).
"""

import contextlib
import csv
import hashlib
import json
import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from spoofweb.checksum import sha256
from spoofweb.contract import CONTRACT, digest
from spoofweb.crop import square
from spoofweb.errors import SpoofwebError
from spoofweb.face import Face, detector_input, faces, largest
from spoofweb.files import write_whole
from spoofweb.media import read_picture
from spoofweb.pipeline import open_detector
from spoofweb.resample import resample
from training.folders import CLASSES, NAMED, check_case, visible
from training.simulate.pictures import row_face

SIDE = CONTRACT["input"]["side"]
RECAPTURE_LABELS = {"direct": 1, "recaptured": 0}
STALE_SECONDS = 3600  # nothing writes a cropped picture so slowly: the run that did was killed


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
    behind: str = ""  # of a simulated attack: the site seen round its medium or mirrored in it, or that of its wearer

    @property
    def sites(self) -> set[str]:
        """All sites that a network has seen which has seen this picture."""
        return {self.site, self.behind} if self.behind else {self.site}


def scan(root: Path, split: str, manifest: Path | None = None) -> list[Picture]:
    """All pictures of a split in a fixed order; SpoofwebError for a missing or misspelt folder or an empty class."""
    facts = read_manifest(manifest)
    pictures = []
    check_case(root, split)
    for kind, label in CLASSES.items():
        folder = root / split / kind
        if not folder.is_dir():
            raise SpoofwebError(
                f"{folder}: no such folder; expected ROOT/{{train,val,test}}/{{real,attack}}/<identity>/"
            )
        found = sorted(p for p in visible(folder, "*/*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
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


def recaptures(root: Path) -> list[Picture]:
    """Scenes without a face, photographed directly (label 1) or off a screen or print: `path`, `label` (direct or
    recaptured) and `source` in ROOT/manifest.csv. SpoofwebError where that is none, or a picture cannot be read.
    """
    manifest, pictures = root / "manifest.csv", []
    for name, row in read_manifest(manifest).items():
        if row.get("label") not in RECAPTURE_LABELS:
            raise SpoofwebError(f"{manifest}, {name}: label {row.get('label')!r} is none of {list(RECAPTURE_LABELS)}")
        read_picture(root / name)  # a broken one is said now, not when it is drawn
        label, site = RECAPTURE_LABELS[row["label"]], f"recapture-{row.get('source', '')}"
        pictures.append(Picture(root / name, f"recapture/{name}", "train", label, site, "recapture"))
    if len({picture.label for picture in pictures}) < 2:
        raise SpoofwebError(f"{manifest}: both {' and '.join(RECAPTURE_LABELS)} pictures are needed")
    return pictures


def simulations(root: Path, detector: bytes, cache: Path) -> list[Picture]:
    """What training.simulate rendered into ROOT/train, located, with its ROOT/train/manifest.csv.

    Left out is where no face is found or another than the one presented, as that of somebody behind the medium.
    SpoofwebError where the manifest says too little.
    """
    manifest, pictures, presented = root / "train" / "manifest.csv", [], []
    rows = read_manifest(manifest)
    for picture in scan(root, "train"):
        row = rows.get(picture.name.removeprefix("train/"), {})
        try:
            if row["behind"] is None:
                raise ValueError
            presented.append(row_face(row))
        except (KeyError, TypeError, ValueError, SpoofwebError):
            raise SpoofwebError(
                f"{manifest}: no row with face_x, face_y, face_side and behind for {picture.name}; "
                "render into a new folder (training.simulate)"
            ) from None
        pictures.append(replace(picture, behind=row["behind"], species=row.get("attack_type", "")))
    located = zip(locate(pictures, detector, cache), presented, strict=True)
    return [picture for picture, face in located if picture.face and is_in(picture.face, *face)]


def is_in(face: Face, x: float, y: float, side: float) -> bool:
    """Whether the middle of a face lies in a square, px."""
    across, down = face_middle(face)
    return 0 <= across - x <= side and 0 <= down - y <= side


def face_side(face: Face) -> float:
    """The longer side of a face's box, px."""
    return max(face.x1 - face.x0, face.y1 - face.y0) / CONTRACT["detector"]["subpixel"]


def face_middle(face: Face) -> tuple[float, float]:
    """The middle of a face's box: x and y, px."""
    twice = 2 * CONTRACT["detector"]["subpixel"]
    return (face.x0 + face.x1) / twice, (face.y0 + face.y1) / twice


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
        total.update(bytes.fromhex(sha256(picture.path)))
    return total.hexdigest()


def locate(pictures: list[Picture], detector: bytes, cache: Path) -> list[Picture]:
    """The pictures with their `face` as the product's detector finds it (None: not found), cached.

    SpoofwebError names those that cannot be read, once the others have been looked at.
    """
    key = hashlib.sha256(detector + digest(CONTRACT["detector"]).encode()).hexdigest()[:16]
    file = cache / f"faces-{key}.json"
    known = read_known(file)
    stamps = [stamp_of(picture.path) for picture in pictures]
    todo = [(stamp, picture) for stamp, picture in zip(stamps, pictures, strict=True) if stamp not in known]
    unreadable = []
    if todo:
        run = open_detector(detector)
        for stamp, picture in tqdm(todo, desc="finding faces", unit="picture"):
            try:
                frame = read_picture(picture.path)
            except SpoofwebError as error:
                unreadable.append(str(error))
                continue
            detections = run.run(None, {"image": detector_input(frame)})[0][0]
            known[stamp] = largest(faces(detections, frame.shape[1], frame.shape[0]))
        write_whole({file: json.dumps(known).encode()})
    if unreadable:
        more = f"\nand {len(unreadable) - NAMED} more" if len(unreadable) > NAMED else ""
        raise SpoofwebError("\n".join(unreadable[:NAMED]) + more)
    located = []
    for stamp, picture in zip(stamps, pictures, strict=True):
        face = known[stamp] and Face(*known[stamp][:5], tuple(known[stamp][5]))
        located.append(replace(picture, face=face))
    return located


def fixed_crops(
    pictures: list[Picture], scales_percent: list[int], cache: Path, bare_percent: int | None = None
) -> np.ndarray:
    """The product's own crops of located pictures, one per scale: uint8 [P, K, 224, 224, 3], a cached memory map.

    bare_percent: first cut the pictures to so much of the face's side, as where a face fills the frame.
    """
    if not all(picture.face for picture in pictures):
        raise ValueError("only pictures with a face can be cropped")
    told = json.dumps([[p.name, p.path.stat().st_size, p.face] for p in pictures] + [scales_percent, bare_percent])
    file = cache / f"crops-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npy"
    if not file.exists():
        write_crops(file, pictures, scales_percent, bare_percent)
    try:
        return np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise SpoofwebError(f"{file}: a broken cache ({error}); delete it") from None


def bare(frame: np.ndarray, face: Face, percent: int) -> tuple[np.ndarray, Face]:
    """The frame without the face's surroundings, and the face in it: a square of `percent` of the face's side."""
    box = square(face, frame.shape[1], frame.shape[0], percent).box
    return frame[box[1] : box[3], box[0] : box[2]], moved(face, -box[0], -box[1])


def moved(face: Face, right: int, down: int) -> Face:
    """The face's box moved by whole pixels."""
    x, y = (pixels * CONTRACT["detector"]["subpixel"] for pixels in (right, down))
    return face._replace(x0=face.x0 + x, y0=face.y0 + y, x1=face.x1 + x, y1=face.y1 + y)


def write_crops(file: Path, pictures: list[Picture], scales_percent: list[int], bare_percent: int | None) -> None:
    """Cut all crops into an .npy file, whole or not at all; SpoofwebError where it cannot be written.

    Each process writes beside the place under a name of its own, for runs that share a cache.
    """
    part = file.with_name(f"{file.stem}.{os.getpid()}.part")
    shape = (len(pictures), len(scales_percent), SIDE, SIDE, 3)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for old in file.parent.glob("crops-*.part"):
            if time.time() - old.stat().st_mtime > STALE_SECONDS:
                old.unlink(missing_ok=True)
        # written in turn, not through a memory map: on a full disk that ends the process without a word
        with open(part, "wb") as out:
            np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for picture in tqdm(pictures, desc="cropping", unit="picture"):
                frame, face = read_picture(picture.path), picture.face
                if bare_percent:
                    frame, face = bare(frame, face, bare_percent)
                for percent in scales_percent:
                    box = square(face, frame.shape[1], frame.shape[0], percent).box
                    out.write(resample(frame, box, SIDE, SIDE).tobytes())
        os.replace(part, file)
    except OSError as error:
        raise SpoofwebError(
            f"{file.parent}: cannot be written ({error.strerror}); free space or choose another --cache"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def read_known(file: Path) -> dict:
    """The faces that a cache knows, by stamp; empty where there is no cache."""
    try:
        return json.loads(file.read_text()) if file.exists() else {}
    except (OSError, ValueError) as error:
        raise SpoofwebError(f"{file}: a broken cache ({error}); delete it") from None


def stamp_of(path: Path) -> str:
    """What tells one state of a picture file from another; SpoofwebError where there is none (a link to nowhere)."""
    try:
        found = path.stat()
        return f"{path.resolve()}:{found.st_size}:{found.st_mtime_ns}"
    except (OSError, RuntimeError) as error:  # RuntimeError: how Python 3.11 and 3.12 tell of a link to itself
        raise SpoofwebError(f"{path}: cannot be read ({error}); restore it or take it out") from None
