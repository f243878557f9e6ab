"""Kill a small training again and again, and hold its end against a run that nobody disturbed.

    python -m tests.kill --kills 20 --seed 1 [--json kills.json]

Each kill is SIGKILL, at a random moment or in the middle of writing the state. A killed run is started again until it
ends; its weights, optimiser, average, log and best checkpoint must then be those of the undisturbed run, to the bit.
Exit status 1 where they are not. POSIX only: every attempt is a fork, so that the libraries are loaded once.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a pool of threads does not outlive a fork

import timm
import torch
from safetensors.torch import save_file

from spoofweb.model import BACKBONE
from tests.test_dataset import write_dataset
from training import train

EPOCHS = 4
SMALL = {"epochs": EPOCHS, "samples_per_epoch": 12, "batch": 4, "simulated_share": 0.0}


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Kill a training at random moments and compare its end.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the result here")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        told = kill(Path(folder), args.kills, random.Random(args.seed))
    if args.json:
        args.json.write_text(json.dumps(told))
    print(json.dumps(told))
    return 0 if told["equal"] else 1


def kill(place: Path, kills: int, draw: random.Random) -> dict:
    """Deliver so many kills to one training after another; every one of them is let end and compared."""
    wait_for(forked(lambda: prepare(place)))
    begun = time.monotonic()
    wait_for(attempt(place, "whole", 0))
    seconds = time.monotonic() - begun
    told = {"kills": 0, "while_writing": 0, "runs": 0, "epochs": EPOCHS, "equal": True}
    while told["kills"] < kills:
        name = f"run{told['runs']}"
        part = place / name / "last.pt.part"
        while told["kills"] < kills:
            in_a_write = draw.random() < 0.3
            if in_a_write:
                part.unlink(missing_ok=True)  # of the kill before
            child = attempt(place, name, draw.choice((0, 1)))
            if not killed(child, part if in_a_write else None, draw.uniform(0, seconds / 2)):
                break  # it had ended before
            told["kills"] += 1
            told["while_writing"] += in_a_write
        else:
            wait_for(attempt(place, name, 0))
        told["runs"] += 1
        told["equal"] &= end(place / name) == end(place / "whole")
    return told


def prepare(place: Path) -> None:
    """A small data set and first weights for the backbone."""
    write_dataset(place / "data")
    torch.manual_seed(0)
    save_file(timm.create_model(BACKBONE, features_only=True).state_dict(), place / "backbone.safetensors")


def attempt(place: Path, name: str, workers: int) -> int:
    """Start or go on with a training; returns its process."""
    arguments = ["robust", "--data", place / "data", "--backbone", place / "backbone.safetensors"]
    arguments += ["--cache", place / "cache", "--out", place / name, "--workers", workers]
    arguments += [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    return forked(lambda: train.main([str(word) for word in arguments]))


def forked(task) -> int:
    """Run a task in a process of its own, silent unless it fails; returns the process."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = task() or 0
    finally:
        os._exit(status)


def wait_for(child: int) -> None:
    """Wait until a process has ended well; RuntimeError where it has not."""
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"a training that nobody killed ended with status {status}")


def killed(child: int, part: Path | None, seconds: float) -> bool:
    """Kill a process after some time, or once a file is there; False where it ends before."""
    due = time.monotonic() + seconds
    while not part.exists() if part else time.monotonic() < due:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if status:
                raise RuntimeError(f"a training that nobody killed ended with status {status}")
            return False
        time.sleep(0.0002)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def end(folder: Path) -> list:
    """All that a run has come to: its state, flattened to (name, bytes), and the files that people read."""
    state = torch.load(folder / "last.pt", weights_only=True)
    files = [(folder / name).read_bytes() for name in ("spoofnet.safetensors", "log.jsonl", "curve.svg", "config.json")]
    return [*flattened("", state), *files]


def flattened(name: str, value: object) -> list:
    """(name, value) of every leaf of nested dictionaries and lists; tensors as their bytes."""
    if isinstance(value, torch.Tensor):
        return [(name, value.dtype, value.shape, value.contiguous().numpy().tobytes())]
    if isinstance(value, dict):
        return [leaf for key in value for leaf in flattened(f"{name}.{key}", value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for i, part in enumerate(value) for leaf in flattened(f"{name}.{i}", part)]
    return [(name, value)]


if __name__ == "__main__":
    sys.exit(main())
