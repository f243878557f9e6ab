"""Renders a set of simulated pictures: draws the jobs, spreads them over processes, writes files and manifest."""

import csv
import multiprocessing
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from spoofweb.errors import SpoofwebError
from training.simulate.draws import chance
from training.simulate.medium import KINDS
from training.simulate.pictures import FACE_COLUMNS, row_face
from training.simulate.portrait import PORTRAIT
from training.simulate.presentation import PAIRS, present_pair, recapture_live, simulate

ATTACK_TYPES = {kind: kind if kind == "print" else f"replay_{kind}" for kind in KINDS} | {kind: kind for kind in PAIRS}
STREAMS = {"mask": 2, PORTRAIT: 3}  # of random numbers, 0 and 1 are those of the other pictures

Row = dict[str, str]


def run(
    data: Path,
    out: Path,
    manifest: Path,
    count: int,
    live: float,
    seed: int,
    workers: int,
    masks: int = 0,
    portraits: int = 0,
    contact_sheet: Path | None = None,
) -> None:
    """Renders `count` pictures, then `masks` more of masks and `portraits` of portrait photographs, and a manifest into
    a new folder `out`, whole or not at all; then the contact sheet.
    """
    if min(count, workers) < 1 or min(seed, masks, portraits) < 0 or not 0 <= live <= 1:
        raise SpoofwebError(
            "--count and --workers start at 1, --seed, --masks and --portraits at 0, and --live lies in 0..1: mend the "
            "option"
        )
    if contact_sheet and Image.registered_extensions().get(contact_sheet.suffix.lower()) not in Image.SAVE:
        raise SpoofwebError(f"--contact-sheet {contact_sheet}: a picture's name ends in .jpg or .png: mend the option")
    if out.exists():
        raise SpoofwebError(f"{out} exists already: remove it or name another folder")
    live_rows = read_live_rows(data, manifest)
    jobs = plan(live_rows, count, live, seed) + plan_pairs("mask", live_rows, masks, count, seed)
    jobs += plan_pairs(PORTRAIT, live_rows, portraits, len(jobs), seed)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise SpoofwebError(f"{out}: cannot be made ({error.strerror}): name another folder") from None
    try:
        render = partial(_render, data=data, out=beside, seed=seed)
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            rows = list(tqdm(pool.imap(render, jobs, chunksize=8), total=len(jobs), unit="picture"))
        with (beside / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        beside.chmod(0o755)
        beside.rename(out)
        if contact_sheet:
            _contact_sheet(out, rows, contact_sheet)
    except OSError as error:
        raise SpoofwebError(f"{error.filename or out}: cannot be written ({error.strerror}): free space") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def read_live_rows(data: Path, manifest: Path) -> list[Row]:
    """The manifest's rows of live training pictures; no other split is ever read."""
    try:
        with manifest.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            wanted = {"path", *FACE_COLUMNS}
            if lacking := wanted - set(reader.fieldnames or ()):
                raise SpoofwebError(f"{manifest} has no column {', '.join(sorted(lacking))}: give the data's manifest")
            rows = [row for row in reader if Path(row["path"]).parts[:2] == ("train", "real")]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpoofwebError(f"cannot read the manifest {manifest}: {error}: give the data's manifest") from error
    if not rows:
        raise SpoofwebError(f"{manifest} lists no picture under train/real: give the data's manifest")
    if not (data / rows[0]["path"]).is_file():
        raise SpoofwebError(f"{data / rows[0]['path']} does not exist: DATA must be the folder that holds train/")
    for row in rows:
        try:
            row_face(row)
        except (TypeError, ValueError, SpoofwebError):
            told = f"{manifest} gives no face for {row['path']}: fill in face_x, face_y and face_side"
            raise SpoofwebError(told) from None
    return rows


@dataclass(frozen=True)
class Job:
    """One picture to render: its manifest row, whether it stays live, the row of what is seen behind, if any, and
    which of PAIRS the two make, if any.
    """

    index: int
    live: bool
    row: Row
    behind: Row | None
    pair: str | None = None


def plan(rows: list[Row], count: int, live: float, seed: int) -> list[Job]:
    """Draws `count` jobs evenly over sites; a share `live` of them are live pictures through the camera."""
    rng = np.random.default_rng([seed, 0])
    sites = by_site(rows)
    names = sorted(sites)
    # Drawn, not counted off: a fixed beat would fall in with that of the sites and tie the label to the site.
    live_jobs = set(rng.permutation(count)[: round(count * live)].tolist())
    jobs = []
    for index in range(count):
        site = names[index % len(names)]
        row = sites[site][rng.integers(len(sites[site]))]
        other = sites[site if chance(rng, 0.3) else names[rng.integers(len(names))]]
        behind = other[rng.integers(len(other))] if chance(rng, 0.9) else None
        live_job = index in live_jobs
        jobs.append(Job(index, live_job, row, None if live_job else behind))
    return jobs


def plan_pairs(kind: str, rows: list[Row], count: int, first: int, seed: int) -> list[Job]:
    """Draws jobs of one of PAIRS, evenly over the sites of both people; indices from `first` on.

    From a stream of its own: what comes before them does not hang on how many of these there are. (How a picture is
    rendered hangs on its index.)
    """
    rng = np.random.default_rng([seed, STREAMS[kind]])
    sites = by_site(rows)
    names = sorted(sites)
    jobs = []
    for index in range(count):
        printed, other = sites[names[index % len(names)]], sites[names[rng.integers(len(names))]]
        row, behind = (some[rng.integers(len(some))] for some in (printed, other))
        jobs.append(Job(first + index, False, row, behind, kind))
    return jobs


def by_site(rows: list[Row]) -> dict[str, list[Row]]:
    """Site → its rows."""
    sites = defaultdict(list)
    for row in rows:
        sites[site_of(row)].append(row)
    return sites


def site_of(row: Row) -> str:
    """The site that a live picture's path names."""
    return Path(row["path"]).parts[2]


def _render(job: Job, data: Path, out: Path, seed: int) -> dict[str, object]:
    """Renders one job to a file below `out` and returns its manifest row."""
    rng = np.random.default_rng([seed, 1, job.index])
    face = row_face(job.row)
    picture = _read(data / job.row["path"])
    behind = _read(data / job.behind["path"]) if job.behind else None
    if job.live:
        (result, box), kind = recapture_live(picture, face, rng), "live"
    elif job.pair:
        kind = job.pair
        result, box = present_pair(kind, picture, face, rng, behind, row_face(job.behind))
    else:
        result, box, kind = simulate(picture, face, rng, behind)
    label, site = ("real" if job.live else "attack"), site_of(job.row)
    path = Path(label, site, f"{Path(job.row['path']).stem}-{kind}-{job.index}.jpg")
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(result).save(out / path, quality=92)
    x, y, side = (round(value, 1) for value in box)
    return dict(
        path=path.as_posix(),
        split="train",
        label=label,
        source="simulated",
        site=site,
        attack_type=ATTACK_TYPES.get(kind, ""),
        behind=site_of(job.behind) if job.behind else "",
        face_x=x,
        face_y=y,
        face_side=side,
        width=result.shape[1],
        height=result.shape[0],
    )


def _read(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        raise SpoofwebError(f"cannot read the picture {path}: {error}") from error


def _contact_sheet(out: Path, rows: list[dict[str, object]], file: Path, cell: int = 220, columns: int = 8) -> None:
    """Lays up to 48 of the pictures, evenly chosen, on one sheet."""
    chosen = [rows[place] for place in np.linspace(0, len(rows) - 1, min(48, len(rows))).astype(int)]
    sheet = Image.new("RGB", (columns * cell, -(-len(chosen) // columns) * cell))
    for k, row in enumerate(chosen):
        with Image.open(out / str(row["path"])) as image:
            image.thumbnail((cell, cell))
            sheet.paste(image, (k % columns * cell, k // columns * cell))
    sheet.save(file)
