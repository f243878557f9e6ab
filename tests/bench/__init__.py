"""What speed and size come to: `python -m tests.bench` measures against peers, `python -m tests.bench.budget` writes
tests/budget.json.

Apart from the tests: nothing here is collected by pytest, because the clock decides nothing in the suite.
"""

import sys
from pathlib import Path

BENCH = Path(__file__).parent
PAGES = BENCH / "pages"
ROOT = BENCH.parents[1]
# the tests' own modules find each other by their bare names, as under pytest
sys.path[:0] = [str(BENCH.parent), str(BENCH.parent / "e2e")]
