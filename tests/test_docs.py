"""The documents say what the committed card and budget say."""

import json
import re
from pathlib import Path

from spoofweb.contract import read_card
from spoofweb.graphs import CARD
from tests.bench import budget
from training import table

ROOT = Path(__file__).parents[1]


def test_the_readme_shows_the_cards_numbers():
    readme, card = (ROOT / "README.md").read_text(), read_card(CARD)
    assert table.results(card) in readme
    _, _, gates = table.refusals(card).partition("\n\n")
    assert gates and gates in readme


def test_the_readme_shows_the_budgets_numbers():
    readme, told = (ROOT / "README.md").read_text(), json.loads(budget.FILE.read_text())
    assert f"{told['graphs']['spoofnet']['parameters'] / 1e6:.2f} M parameters" in readme
    runtime, graphs, page = (told["first_visit_gzip_bytes"][kind] for kind in ("onnxruntime", "graphs", "page"))
    assert f"{runtime / 1e6:.2f} MB of ONNX Runtime, {graphs / 1e6:.2f} MB of graphs and {page / 1e3:.0f} kB" in readme


def test_the_bars_show_the_cards_numbers():
    overview, groups = (ROOT / "training" / "README.md").read_text(), read_card(CARD)["headline"]["groups"]
    val, crops, nuaa = (groups[name] for name in ("val", "test/crops", "test/nuaa"))
    of_val, of_crops = (f"{group['auc']['value']:.3f}".lstrip("0") for group in (val, crops))
    hters = ", ".join(table.percent(group["hter"]["value"]) for group in (crops, nuaa))
    worst = max(group["worst_apcer"]["value"] for group in (crops, nuaa))
    assert f"| {of_val}, {table.percent(val['eer'])} |" in overview
    assert f"| `test/crops` AUC | ≥ .985 | {of_crops} |" in overview
    assert f"`test/crops`, `test/nuaa` | ≤ 8 % | {hters} |" in overview
    assert f"| ≤ 10 % | {table.percent(worst)} (" in overview


def test_every_section_that_is_named_is_there():
    experiments = (ROOT / "training" / "experiments.md").read_text()
    headings = set(re.findall(r"^## (.+)$", experiments, re.M))
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    readme, overview = (ROOT / "README.md").read_text(), (ROOT / "training" / "README.md").read_text()
    linked = re.findall(r"\]\(experiments\.md#([^)]+)\)", overview)
    named = re.findall(r'experiments\.md`,\s+"([^"]+)"', readme + overview)
    assert linked and set(linked) <= anchors
    assert named and set(named) <= headings


def test_percent_and_interval():
    rates = {
        "auc": {"value": 0.9, "low": 0.8, "high": 1.0},
        "eer": 0.1234,
        "hter": {"value": 0.2},
        "bpcer": {"value": 0.05},
        "worst_apcer": {"value": 0.5, "low": 0.25, "high": 0.75},
        "non_response": {"real": 0.0, "attack": 0.01},
    }
    assert table.row("net", "val", rates) == (
        "| net | val | 0.900 (0.800–1.000) | 12.3 % | 20.0 % | 5.0 % | 50.0 % (25.0 %–75.0 %) | 0.0 % / 1.0 % |"
    )


def test_bad_arguments(tmp_path, capsys):
    assert table.main([]) == 2 and table.main([str(tmp_path / "missing.json")]) == 2
    (tmp_path / "bare.json").write_text('{"headline": {"threshold": 0.0}}')
    assert table.main([str(tmp_path / "bare.json")]) == 2
    assert capsys.readouterr().err.count("error: ") == 3
