"""The README's table of results, from the evaluation card.

python -m training.table spoofweb/weights/card.json
"""

import sys
from pathlib import Path

from spoofweb.contract import read_card
from spoofweb.errors import SpoofwebError

HEAD = ("network", "pictures", "AUC (95 %)", "EER", "HTER", "BPCER", "worst APCER (95 %)", "no answer")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        print("error: one evaluation card, please; run python -m training.table card.json", file=sys.stderr)
        return 2
    try:
        print(results(read_card(Path(arguments[0]))))
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def results(card: dict) -> str:
    """A Markdown table: a row per group of pictures and network; threshold from val, rates in percent."""
    lines = [f"| {' | '.join(HEAD)} |", "|---|---|---|---|---|---|---|---|"]
    for group in card["headline"].get("groups", []):
        for model in card["models"]:
            lines.append(row(model["name"], group, model["groups"][group]))
    return "\n".join(lines)


def row(name: str, group: str, rates: dict) -> str:
    """One row. "no answer" is the share of bona fide and of attack pictures in which no face was found."""
    auc, worst, missing = rates["auc"], rates["worst_apcer"], rates["non_response"]
    cells = (
        name,
        group,
        f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})",
        *(percent(rates[key] if key == "eer" else rates[key]["value"]) for key in ("eer", "hter", "bpcer")),
        f"{percent(worst['value'])} ({percent(worst['low'])}–{percent(worst['high'])})",
        f"{percent(missing['real'])} / {percent(missing['attack'])}",
    )
    return f"| {' | '.join(cells)} |"


def percent(share: float) -> str:
    """0.1234 → "12.3 %"."""
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
