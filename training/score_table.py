"""The table of scored pictures: CSV file → arrays. `COLUMNS` names the columns that such a file must have.

`REASONS` names one that it may have: why the quality gates refuse the picture, codes with a space between them.
"""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoofweb.errors import SpoofwebError
from spoofweb.quality import CODES

MEASURED = ("face_side", "brightness", "sharpness")  # px; mean luma 0..255; variance of the luma's Laplacian
TEXTS = ("path", "split", "source", "site")
COLUMNS = (*TEXTS, "label", "species", "logit", *MEASURED)
REASONS = "reasons"
UNKNOWN_SPECIES = "unspecified"


@dataclass(frozen=True)
class ScoreTable:
    """Scored pictures, one row each; every field is an array of shape (n,).

    label: 1 = bona fide, 0 = attack presentation. species: kind of attack, UNKNOWN_SPECIES where the file has
    none. logit: raw network logit, rising with liveness; NaN = no face found (a non-response). The fields of
    `MEASURED` are NaN where the file leaves them empty. reasons: codes of spoofweb/quality.py with a space between
    them, "" where no gate refuses the picture; None for a file that lacks the column.
    """

    path: NDArray[np.str_]
    split: NDArray[np.str_]
    source: NDArray[np.str_]
    site: NDArray[np.str_]
    label: NDArray[np.int64]
    species: NDArray[np.str_]
    logit: NDArray[np.float64]
    face_side: NDArray[np.float64]
    brightness: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    reasons: NDArray[np.str_] | None = None

    def where(self, mask: NDArray[np.bool_]) -> ScoreTable:
        """The rows for which `mask`, shape (n,), holds."""
        columns = (getattr(self, field.name) for field in fields(self))
        return ScoreTable(*(None if column is None else column[mask] for column in columns))

    def answered(self) -> ScoreTable:
        """The rows that have a logit."""
        return self.where(np.isfinite(self.logit))

    def __len__(self) -> int:
        return len(self.path)


def read_table(file: Path) -> ScoreTable:
    """Read a CSV file with at least `COLUMNS`; SpoofwebError names file, line and column of what is wrong."""
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise SpoofwebError(f"{file}: lacks {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
            rows = [_row(row, f"{file}:{reader.line_num}") for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpoofwebError(f"{file}: cannot be read as a score table ({error})") from None
    if not rows:
        raise SpoofwebError(f"{file}: holds no scored picture")
    table = ScoreTable(*(np.array(column) for column in zip(*rows, strict=True)))
    names, counts = np.unique(table.path, return_counts=True)
    if counts.max() > 1:
        raise SpoofwebError(f"{file}: {names[counts.argmax()]} stands there {counts.max()} times; keep one")
    return table


def data_hash(table: ScoreTable) -> str:
    """SHA-256 (hex) over the sorted lines `path TAB label`, unanswered pictures included."""
    lines = sorted(f"{path}\t{label}\n" for path, label in zip(table.path, table.label, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _row(row: dict[str, str | None], where: str) -> tuple:
    """The values of one line in the order of ScoreTable's fields."""
    short = [name for name in COLUMNS if row[name] is None]
    if short:
        raise SpoofwebError(f"{where}: the line ends before {short[0]}")
    empty = [name for name in TEXTS if not row[name]]
    if empty:
        raise SpoofwebError(f"{where}: {empty[0]} is empty")
    if row["label"] not in ("0", "1"):
        raise SpoofwebError(f"{where}: label must be 1 (bona fide) or 0 (attack), not {row['label']!r}")
    logit, *measured = (_number(row, name, where) for name in ("logit", *MEASURED))
    if measured[MEASURED.index("face_side")] <= 0:
        raise SpoofwebError(f"{where}: face_side must be above 0 px, not {row['face_side']}")
    species = row["species"] or UNKNOWN_SPECIES
    values = (*(row[name] for name in TEXTS), int(row["label"]), species, logit, *measured)
    return (*values, _reasons(row[REASONS], where)) if REASONS in row else values


def _reasons(cell: str | None, where: str) -> str:
    """The codes in a cell; SpoofwebError for a missing cell or an unknown code."""
    if cell is None:
        raise SpoofwebError(f"{where}: the line ends before {REASONS}")
    unknown = [code for code in cell.split(" ") if cell and code not in CODES]
    if unknown:
        raise SpoofwebError(f"{where}: {REASONS} must be of {', '.join(CODES)}, not {unknown[0]!r}")
    return cell


def _number(row: dict[str, str | None], name: str, where: str) -> float:
    """The number in a cell; NaN for an empty one only."""
    if row[name] == "":
        return math.nan
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SpoofwebError(f"{where}: {name} must be a finite number, not {row[name]!r}")
    return value
