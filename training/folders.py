"""The folders of pictures and videos, ROOT/{train,val,test}/{real,attack}/<identity>/: what belongs to them and what is
wrong with them.
"""

from collections import defaultdict
from pathlib import Path

from spoofweb.checksum import sha256
from spoofweb.errors import SpoofwebError

SPLITS = ("train", "val", "test")
CLASSES = {"attack": 0, "real": 1}  # label 1 = bona fide
NAMED = 5  # files that a message lists before it counts the others


def visible(folder: Path, pattern: str) -> list[Path]:
    """What a pattern finds below a folder, without hidden files and folders (thumbnails, what a copy left behind)."""
    found = folder.glob(pattern)
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def check_case(root: Path, split: str) -> None:
    """SpoofwebError where a folder is this split or one of its classes but for upper and lower case.

    Such a folder would be left out without a word.
    """
    for folder, names in ((root, (split,)), (root / split, tuple(CLASSES))):
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path.name.lower() in names and path.name not in names:
                raise SpoofwebError(f"{path}: names are in lower case; rename it to {path.name.lower()!r}")


def check_splits(roots: list[Path]) -> int:
    """Count the pictures whose bytes stand in their own split before; SpoofwebError where some stand in two splits.

    roots: folders of the layout, whose splits of one name belong together; a split may be missing. What was trained on
    cannot be judged by, so nothing may be trained on such data. Only files that share their size with another are read.
    """
    files = [
        (path, split)
        for root in roots
        for split in SPLITS
        for kind in CLASSES
        for path in sorted(visible(root / split / kind, "*/*"))
        if path.is_file()
    ]
    by_size = defaultdict(list)
    for path, split in files:
        by_size[path.stat().st_size].append((path, split))
    seen: dict[str, tuple[Path, str]] = {}
    across, repeated = [], 0
    for path, split in (entry for alike in by_size.values() if len(alike) > 1 for entry in alike):
        first, first_split = seen.setdefault(sha256(path), (path, split))
        if split != first_split:
            across.append(f"{first} and {path}")
        elif path != first:
            repeated += 1
    if across:
        more = f", and {len(across) - NAMED} more pairs" if len(across) > NAMED else ""
        raise SpoofwebError(f"the same picture in two splits: {'; '.join(across[:NAMED])}{more}; take one of each out")
    return repeated
