"""Videos → training pictures, two a second.

    python -m training.frames VIDEOS FULL_DATASET_FRAMES

VIDEOS holds {train,val,test}/{real,attack}/<identity>/*.mp4 (or any other video); a frame becomes
OUT/<split>/<class>/<identity>/<video>-<number>.jpg. A video that cannot be read is named and skipped; the exit
status is then 2.
"""

import argparse
import io
import math
import os
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from spoofweb.errors import SpoofwebError
from spoofweb.media import VIDEOS, read_video
from training.folders import CLASSES, SPLITS, check_case, visible

JPEG_QUALITY = 95


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, or 2 where something could not be read."""
    parser = argparse.ArgumentParser(description="Cut videos into training pictures.")
    parser.add_argument("videos", type=Path, metavar="VIDEOS")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--per-second", type=float, default=2.0, help="pictures per second of video (2)")
    args = parser.parse_args(argv)
    try:
        if not args.per_second > 0:
            raise SpoofwebError(f"--per-second {args.per_second}: must be above 0")
        found = find_videos(args.videos)
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    failed = 0
    for video in tqdm(found, unit="video"):
        target = args.out / video.parent.relative_to(args.videos)
        try:
            extract(video, target, args.per_second)
        except SpoofwebError as error:
            tqdm.write(f"error: {error}", file=sys.stderr)
            failed += 1
    print(f"{len(found) - failed} of {len(found)} videos cut into pictures under {args.out}")
    return 2 if failed else 0


def find_videos(root: Path) -> list[Path]:
    """All videos of the layout in sorted order; SpoofwebError for a misspelt folder, or where there is none."""
    if not root.is_dir():
        raise SpoofwebError(f"{root}: no such folder; give the folder that holds train/, val/ and test/")
    for split in SPLITS:
        check_case(root, split)
    found = [
        path
        for split in SPLITS
        for kind in CLASSES
        for path in sorted(visible(root / split / kind, "*/*"))
        if path.suffix.lower() in VIDEOS
    ]
    if not found:
        raise SpoofwebError(f"{root}: no video under {{train,val,test}}/{{real,attack}}/<identity>/; check the layout")
    return found


def extract(video: Path, target: Path, per_second: float) -> int:
    """Write a video's pictures into a folder, all or none; returns how many."""
    beside = target / f".{video.name}.part"
    try:
        shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed
        beside.mkdir(parents=True)
        count, due, step = 0, -math.inf, 1000 / per_second
        for time_ms, frame in read_video(video):
            if time_ms >= due:
                (beside / f"{video.name}-{count:04d}.jpg").write_bytes(jpeg(frame))
                # a late start or a gap begins a new beat; else the beat is kept exactly
                due = (due if time_ms < due + step else time_ms) + step
                count += 1
        for picture in sorted(beside.iterdir()):
            os.replace(picture, target / picture.name)
        return count
    except OSError as error:
        raise SpoofwebError(f"{target}: cannot be written ({error.strerror}); free some space or check it") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def jpeg(frame: np.ndarray) -> bytes:
    """A uint8 [H, W, 3] frame as a JPEG file, made in memory: Pillow is silent when a full disk takes half of it."""
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
