"""What the site may weigh and what its networks may compute: `python -m tests.bench.budget` writes tests/budget.json.

Only what is the same on every machine; tests/test_budget.py holds the site to it. Written anew when a change is worth
its weight, never to turn a test green.
"""

import gzip
import json
import re
import sys
from collections import Counter

from spoofweb import detector, npm, site, trained
from tests.bench import ROOT
from tests.bench.graph import size

FILE = ROOT / "tests" / "budget.json"
KINDS = {"ort-": "onnxruntime", "models/": "graphs", "samples-": "samples"}
BEFORE_VERDICT = re.compile(r"index\.html$|app-|ort-|models/")  # what a first visit needs until it judges


def budget(files: dict[str, bytes], graphs: dict[str, bytes]) -> dict:
    """`graphs`: bytes, nodes, parameters and MACs of each (of one crop); `first_visit`: compressed bytes by kind."""
    weights: Counter[str] = Counter()
    for path, content in files.items():
        if BEFORE_VERDICT.match(path):
            kind = next((kind for start, kind in KINDS.items() if path.startswith(start)), "page")
            weights[kind] += len(gzip.compress(content, mtime=0))
    return {"graphs": {name: size(graph) for name, graph in graphs.items()}, "first_visit_gzip_bytes": dict(weights)}


def main() -> int:
    """Run the command; returns its exit status."""
    web = ROOT / "web"
    node_modules = npm.install(web)
    network = trained.committed(print)
    graphs = {"detector": detector.build(node_modules), "spoofnet": network.graph}
    files = site.render(site.Parts(web, node_modules, network, graphs["detector"]))
    FILE.write_text(json.dumps(budget(files, graphs), indent=1) + "\n")
    print(f"{FILE}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
