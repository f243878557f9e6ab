"""The evaluation card → what the numbers page shows. Every number comes from the card; here it only gets its words."""

from collections.abc import Iterator

from spoofweb import charts

NBSP = "\u00a0"
SOURCES = {  # what stands behind the names of the card's groups of pictures
    "val": "webcams, faces with their surroundings, replays on phones and televisions",
    "test/crops": "tight face crops without surroundings, replays on phones and screens",
    "test/nuaa": "webcams of another laboratory, printed photographs",
}
NETWORKS = {
    "spoofnet": "what this page runs: the crops of the contract, averaged",
    "original": "the recipe that this project started from, on one tight crop",
    "minifasnet": "the small public pair of networks of that name, at its own crops",
}
SPECIES = {  # presentation attack instruments
    "print": "print",
    "replay_phone": "phone",
    "replay_phone+tv": "phone or television",
    "replay_phone/screen": "phone or screen",
}
MEASURED = {"face_side": "Face size, px", "brightness": "Brightness, 0–255", "sharpness": "Sharpness"}
ALL_GATES = "all"  # the card's name for all gates together
SPLITS = {"val": "val", "test": "all test pictures"}


def report(card: dict) -> dict | None:
    """What the template shows, as words and charts; None where the card has no evaluation."""
    if not card.get("models"):
        return None
    models = card["models"]
    product = models[0]
    shown = [(name, product["groups"][name]) for name in card["headline"]["groups"]]
    return {
        "rule": card["threshold_rule"]["text"],
        "level": f"{100 * card['bootstrap']['level']:g} %",
        "repeats": card["bootstrap"]["repeats"],
        "pictures": card["pictures"],
        "data": card["data_sha256"],
        "threshold": f"{product['threshold']:.3f}",
        "probability": percent(product["threshold_probability"]),
        "networks": [{"name": model["name"], "text": NETWORKS.get(model["name"], "")} for model in models],
        "groups": [{"name": name, "text": SOURCES.get(name, ""), **_counts(group)} for name, group in shown],
        "headline": [{"name": name, "text": SOURCES.get(name, ""), **_rates(group)} for name, group in shown],
        "rates": [
            {"group": name, "network": model["name"], **_rates(model["groups"][name])}
            for name, _ in shown
            for model in models
        ],
        "attacks": list(_attacks(models, [name for name, _ in shown])),
        "intervals": charts.intervals("Error rates with their intervals", list(_intervals(shown))),
        "det": [
            {"name": text, "chart": charts.det(f"Error rates on {text}", list(_curves(models, split)))}
            for split, text in SPLITS.items()
            if split in product["curves"]
        ],
        "histograms": [
            {"name": name, "chart": charts.histogram(f"Live probabilities in {name}", *_bars(group, product))}
            for name, group in shown
        ],
        "conditions": list(_conditions(product["error_by"])),
        "calibration": [
            {"name": name, **{key: f"{group['ece'][key]:.3f}" for key in ("before", "after")}} for name, group in shown
        ],
        "size": _size(product["size_matched"]),
        "gates": list(_gates(product.get("gates") or {}, [name for name, _ in shown])),
    }


def percent(share: float | None) -> str:
    """0.1234 → "12.3 %" (with a no-break space); "–" for None."""
    return "–" if share is None else f"{100 * share:.1f}{NBSP}%"


def with_interval(rate: dict) -> str:
    """A rate of the card with its interval; an asterisk where that rests on too few sites."""
    return f"{percent(rate['value'])} ({100 * rate['low']:.1f}–{percent(rate['high'])}){_star(rate)}"


def _counts(group: dict) -> dict:
    return {"real": group["pictures"]["real"], "attack": group["pictures"]["attack"], "sites": group["sites"]["all"]}


def _rates(group: dict) -> dict:
    auc, worst = group["auc"], group["worst_apcer"]
    return {
        "auc": f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f}){_star(auc)}",
        "eer": percent(group["eer"]),
        "hter": with_interval(group["hter"]),
        "bpcer": with_interval(group["bpcer"]),
        "worst": with_interval(worst),
        "species": _species(worst["species"]),
        "passing": percent(worst["value"]),
        "refused": percent(group["bpcer"]["value"]),
        "at": [percent(rate) for rate in group["bpcer_at_apcer"].values()],
        "unanswered": [percent(group["non_response"][kind]) for kind in ("real", "attack")],
    }


def _attacks(models: list[dict], groups: list[str]) -> Iterator[dict]:
    for name in groups:
        for species, rate in models[0]["groups"][name]["apcer"].items():
            others = [model["groups"][name]["apcer"].get(species) for model in models]
            yield {
                "group": name,
                "species": _species(species),
                "pictures": rate["attack"],
                "sites": rate["sites"],
                "rates": [with_interval(other) if other else "–" for other in others],
            }


def _intervals(shown: list[tuple[str, dict]]) -> Iterator[charts.Interval]:
    for name, group in shown:
        rates = [(f"{name}, real faces refused", group["bpcer"])]
        rates += [(f"{name}, {_species(kind)} passing", rate) for kind, rate in group["apcer"].items()]
        for text, rate in rates:
            yield charts.Interval(text, rate["value"], rate["low"], rate["high"], rate["few_sites"])


def _curves(models: list[dict], split: str) -> Iterator[charts.Curve]:
    for model in models:
        curves = model["curves"]
        yield charts.Curve(model["name"], curves[split]["apcer"], curves[split]["bpcer"], curves["chosen"])


def _bars(group: dict, product: dict) -> tuple[list[int], list[int], float]:
    return group["histogram"]["real"], group["histogram"]["attack"], product["threshold_probability"]


def _conditions(error_by: dict) -> Iterator[dict]:
    for split, measures in error_by.items():
        for measure, bins in measures.items():
            rows = [
                {
                    "range": f"{part['low']:.0f} to {part['high']:.0f}",
                    "pictures": part["real"] + part["attack"],
                    "apcer": percent(part["apcer"]),
                    "bpcer": percent(part["bpcer"]),
                }
                for part in bins
            ]
            yield {"split": SPLITS[split], "measure": MEASURED[measure], "rows": rows}


def _gates(gates: dict[str, dict], groups: list[str]) -> Iterator[dict]:
    """A row for each quality gate that refuses anything, and one for all together; none where no gate was measured."""
    for name in groups:
        for gate, found in gates.get(name, {}).items():
            out, error = found["refused"], found["error"]
            if gate == ALL_GATES or any(part["pictures"] for part in out.values()):
                yield {
                    "group": name,
                    "gate": gate.replace("-", " "),
                    **{kind: f"{percent(out[kind]['share'])} ({out[kind]['pictures']})" for kind in ("real", "attack")},
                    "before": percent(error["all"]["hter"]),
                    "after": percent(error["kept"]["hter"]),
                    "wrong": percent(error["refused"]["wrong"]),
                }


def _size(matched: dict) -> dict | None:
    """AUC before and after both classes were weighted to the same face sizes; None where they share none."""
    if matched["auc"] is None:
        return None
    return {key: f"{matched[key]:.3f}" for key in ("auc_all", "auc", "size_auc_all", "size_auc")}


def _species(name: str) -> str:
    return SPECIES.get(name, name.replace("_", " "))


def _star(rate: dict) -> str:
    return "*" if rate["few_sites"] else ""
