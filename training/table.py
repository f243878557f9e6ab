"""The README's tables from the evaluation card: results, and what the quality gates refuse.

python -m training.table spoofweb/weights/card.json
"""

import sys
from pathlib import Path

from spoofweb.contract import read_card
from spoofweb.errors import SpoofwebError

HEAD = ("network", "pictures", "AUC (95 %)", "EER", "HTER", "BPCER", "worst APCER (95 %)", "no answer")
GATES = ("gate", "bona fide refused", "attacks refused", "EER", "HTER", "misjudged among the refused")
GATES_NOTE = "The gates on `val`, for {}; rates of all other tables count every picture, refused ones too."


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        print("error: one evaluation card, please; run python -m training.table card.json", file=sys.stderr)
        return 2
    try:
        card = read_card(Path(arguments[0]))
        if not card.get("models"):
            raise SpoofwebError(f"{arguments[0]}: a card without any model; run training.evaluate")
        print(results(card), *([refusals(card)] if card["models"][0].get("gates") else []), sep="\n\n")
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


def refusals(card: dict) -> str:
    """A Markdown table of the first model: a row per gate on val, and what its refusals make of the error there."""
    model = card["models"][0]
    gates = model["gates"]["val"]
    before = next(iter(gates.values()))["error"]["all"]
    lines = [GATES_NOTE.format(model["name"]), "", f"| {' | '.join(GATES)} |", "|---|---|---|---|---|---|"]
    lines.append(f"| none | – | – | {percent(before['eer'])} | {percent(before['hter'])} | – |")
    for name, gate in gates.items():
        out, error = gate["refused"], gate["error"]
        shares = [f"{percent(out[kind]['share'])} ({out[kind]['pictures']})" for kind in ("real", "attack")]
        kept = [percent(error["kept"][rate]) for rate in ("eer", "hter")]
        lines.append(f"| {' | '.join([name, *shares, *kept, percent(error['refused']['wrong'])])} |")
    return "\n".join(lines)


def percent(share: float | None) -> str:
    """0.1234 → "12.3 %", None → "–"."""
    return "–" if share is None else f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
