"""Fuzz the arithmetic of the product, Python and JavaScript side by side.

    python -m tests.fuzz --cases 100000 --seed 1 [--json fuzz.json] [--only verdict]

A table at the end: how many cases, how many different ones, how many gave a value and how many the documented error,
the slowest. What fails is shrunk by Hypothesis and raised.
"""

import argparse
import json
import pickle
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.twins import Twins

CHUNK = 1000  # cases of one Hypothesis run: its memory of them grows
HANGS_SECONDS = 60  # the slowest case takes a fraction of a second, also on a machine with other work


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Fuzz the product's arithmetic on both sides.")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=TARGETS, help="one target takes all cases")
    parser.add_argument("--json", type=Path, help="also write the summary here")
    args = parser.parse_args(argv)
    chosen = {args.only: TARGETS[args.only]._replace(share=1)} if args.only else TARGETS
    whole = sum(target.share for target in chosen.values())
    summary = {"seed": args.seed, "targets": {}}
    for name, target in chosen.items():
        summary["targets"][name] = fuzz(target, round(args.cases * target.share / whole), args.seed)
        print(name, summary["targets"][name], file=sys.stderr)
    summary["cases"] = sum(row["cases"] for row in summary["targets"].values())
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2))
    print(table(summary))
    return 0


def fuzz(target: Target, cases: int, seed: int) -> dict:
    """Check at least so many cases; returns counts and times. Raises what a check raises, on its smallest case."""
    said, different, slowest_ms, started = Counter(), set(), 0.0, time.perf_counter()
    with Twins() as twins:

        def one(case: object) -> None:
            nonlocal slowest_ms
            different.add(hash(pickle.dumps(case)))
            begun = time.perf_counter()
            signal.alarm(HANGS_SECONDS)  # SIGALRM ends the whole command: a case that hangs cannot be caught otherwise
            try:
                said[target.check(case, twins)] += 1
            finally:
                signal.alarm(0)
            slowest_ms = max(slowest_ms, 1000 * (time.perf_counter() - begun))

        while said.total() < cases:
            test = given(target.cases)(one)
            test = settings(
                max_examples=min(CHUNK, cases - said.total()), deadline=None, database=None,
                phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
            )(test)  # fmt: skip
            hypothesis.seed(seed * 1_000_003 + said.total())(test)()
    return {
        "cases": said.total(),
        "different": len(different),
        "values": said["value"],
        "errors": said["error"],
        "slowest_ms": round(slowest_ms, 1),
        "seconds": round(time.perf_counter() - started, 1),
    }


def table(summary: dict) -> str:
    """The summary as a Markdown table."""
    lines = ["| target | cases | different | a value | the error | slowest, ms | s |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {name} | {' | '.join(f'{value:,}' for value in row.values())} |" for name, row in summary["targets"].items()
    ]
    return "\n".join([*lines, f"{summary['cases']:,} cases, seed {summary['seed']}"])


if __name__ == "__main__":
    sys.exit(main())
