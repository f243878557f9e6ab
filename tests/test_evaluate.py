"""Evaluation cards of score tables whose outcome is known."""

import csv
import hashlib
import json
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from training import evaluate
from training.card import Settings, evaluation_card
from training.score_table import COLUMNS, read_table


def picture(path, label, logit, **other):
    row = {
        "path": path,
        "split": path.split("/")[0],
        "source": "webcam",
        "site": "a",
        "label": label,
        "species": "" if label else "print",
        "logit": logit,
        "face_side": 100,
        "brightness": 120,
        "sharpness": 50,
    }
    return row | other


def small_table():
    """One attack of val passes; of the test source three of four attacks and one of five bona fide err."""
    val = [picture(f"val/r{i}", 1, i, site="abc"[i % 3]) for i in range(20)]
    val += [picture(f"val/a{i}", 0, i - 19, site="abc"[i % 3]) for i in range(20)]
    val[-1]["logit"] = 1.5
    far = {"source": "crops", "site": "x"}
    test = [picture(f"test/r{i}", 1, logit, **far) for i, logit in enumerate([0, 1, 2, 3, 4])]
    replay = {"species": "replay_phone/screen", **far}
    test += [picture(f"test/a{i}", 0, logit, **replay) for i, logit in enumerate([5, 6])]
    test += [picture(f"test/a{i}", 0, logit, **far) for i, logit in enumerate([-1, 7], 2)]
    return val + test


def write(path, rows, columns=COLUMNS):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def card_of(folder, rows, bpcer=0.05, **others):
    """The card of `rows` (model `product`) and of `others` (name → rows), without plots."""
    named = {"product": rows, **others}
    tables = {name: read_table(write(folder / f"{name}.csv", table)) for name, table in named.items()}
    return evaluation_card(tables, Settings(bpcer, repeats=20, seed=0))


def run(folder, rows, *options):
    """The card of `rows` that the command writes into `folder`, beside its plots."""
    file = write(folder / "scores.csv", rows)
    out = folder / "card.json"
    arguments = [f"product={file}", "--out", str(out), "--plots", str(folder / "plots"), "--repeats", "20"]
    assert evaluate.main([*arguments, *options]) == 0
    return json.loads(out.read_text())


def test_rates_at_the_threshold_from_val(tmp_path):
    model = card_of(tmp_path, small_table())["models"][0]
    assert model["threshold"] == 1  # one of twenty bona fide pictures may be refused
    val, test = model["groups"]["val"], model["groups"]["test/crops"]
    assert val["bpcer"]["value"] == 0.05
    assert val["worst_apcer"]["value"] == 0.05
    assert val["auc"]["value"] == pytest.approx(1 - 2 / 400)
    assert val == model["groups"]["val/webcam"]
    assert test["bpcer"]["value"] == 0.2
    apcer = {name: item["value"] for name, item in test["apcer"].items()}
    assert apcer == {"print": 0.5, "replay_phone/screen": 1}
    assert test["worst_apcer"]["species"] == "replay_phone/screen"
    assert test["hter"]["value"] == pytest.approx((0.75 + 0.2) / 2)
    assert test["acer"] == pytest.approx((1 + 0.2) / 2)
    assert test["auc"]["value"] == 5 / 20
    assert test["bpcer_at_apcer"] == {"0.01": 1, "0.05": 1, "0.10": 1}
    assert val["bpcer_at_apcer"] == {"0.01": 0.1, "0.05": 0.0, "0.10": 0.0}


def test_neither_threshold_nor_temperature_depends_on_test_pictures(tmp_path):
    rows = small_table()
    before = card_of(tmp_path, rows)["models"][0]
    for row in rows:
        if row["split"] == "test":
            row["logit"] = -3 * row["logit"]
    after = card_of(tmp_path, rows)["models"][0]
    assert (before["threshold"], before["temperature"]) == (after["threshold"], after["temperature"])
    assert before["groups"]["val"] == after["groups"]["val"]
    assert before["groups"]["test/crops"] != after["groups"]["test/crops"]


def test_the_stated_bpcer_moves_the_threshold(tmp_path):
    card = card_of(tmp_path, small_table(), bpcer=0.1)
    assert card["models"][0]["threshold"] == 2
    assert card["threshold_rule"] == {"split": "val", "bpcer": 0.1, "text": "val, BPCER 10 %"}


def test_the_printed_threshold_still_accepts_the_picture_that_set_it(tmp_path):
    rows = small_table()
    rows[1]["logit"] = 1.23456789
    model = card_of(tmp_path, rows)["models"][0]
    assert model["threshold"] == 1.234567
    assert model["groups"]["val"]["bpcer"]["value"] == 0.05


def test_temperature_calibrates_logits_that_are_too_sure(tmp_path):
    random = np.random.default_rng(0)
    rows = []
    for index in range(1200):
        logit = random.normal(0, 2)
        label = int(random.random() < 1 / (1 + math.exp(-logit)))
        rows.append(picture(f"val/{index}", label, 4 * logit, site=f"s{index % 5}"))
    model = card_of(tmp_path, rows)["models"][0]
    ece = model["groups"]["val"]["ece"]
    assert model["temperature"] == pytest.approx(4, rel=0.15)
    assert ece["after"] < 0.05 < 0.1 < ece["before"]
    assert model["threshold_calibrated"] == pytest.approx(model["threshold"] / model["temperature"], abs=1e-5)
    probability = 1 / (1 + math.exp(-model["threshold_calibrated"]))
    assert model["threshold_probability"] == pytest.approx(probability, abs=1e-5)


def test_logits_that_never_err_are_not_made_surer(tmp_path):
    rows = [picture(f"val/{index}", index % 2, 3.0 * (index % 2) - 1, site=f"s{index % 5}") for index in range(100)]
    model = card_of(tmp_path, rows)["models"][0]
    error = model["groups"]["val"]["ece"]
    assert model["temperature"] == 1 and error["after"] == error["before"]


def test_pictures_without_a_face_are_counted_and_not_judged(tmp_path):
    rows = small_table()
    before = card_of(tmp_path, rows)["models"][0]["groups"]["val"]
    blank = {"logit": "", "face_side": "", "brightness": "", "sharpness": ""}
    rows += [picture(f"val/none{i}", 0, **blank, site="a") for i in range(5)]
    after = card_of(tmp_path, rows)["models"][0]["groups"]["val"]
    assert after["pictures"] == {"real": 20, "attack": 25}
    assert after["answered"] == {"real": 20, "attack": 20}
    assert after["non_response"] == {"real": 0.0, "attack": 0.2}
    kept = ("auc", "bpcer", "apcer", "hter", "histogram", "ece")
    assert [after[key] for key in kept] == [before[key] for key in kept]


def test_an_unnamed_species_is_called_unspecified(tmp_path):
    rows = small_table()
    for row in rows:
        row["species"] = ""
    assert list(card_of(tmp_path, rows)["models"][0]["groups"]["val"]["apcer"]) == ["unspecified"]


def test_intervals_resting_on_few_sites_say_so(tmp_path):
    groups = card_of(tmp_path, small_table())["models"][0]["groups"]
    assert groups["val"]["auc"]["sites"] == 3 and not groups["val"]["auc"]["few_sites"]
    assert groups["test/crops"]["auc"]["sites"] == 1 and groups["test/crops"]["auc"]["few_sites"]
    assert groups["test/crops"]["worst_apcer"]["few_sites"]
    for name in ("auc", "hter", "bpcer", "worst_apcer"):
        rate = groups["val"][name]
        assert rate["low"] <= rate["value"] <= rate["high"]
    assert groups["val"]["bpcer"]["low"] < groups["val"]["bpcer"]["high"]


def test_few_sites_are_counted_per_class(tmp_path):
    rows = small_table()
    for row in rows:
        if row["split"] == "val" and row["label"] == 0:
            row["site"] = "a"
    val = card_of(tmp_path, rows)["models"][0]["groups"]["val"]
    assert val["sites"] == {"all": 3, "real": 3, "attack": 1}
    flags = {name: val[name]["few_sites"] for name in ("auc", "hter", "worst_apcer", "bpcer")}
    assert flags == {"auc": True, "hter": True, "worst_apcer": True, "bpcer": False}


def test_histogram_and_curves_hold_every_picture(tmp_path):
    model = card_of(tmp_path, small_table())["models"][0]
    histogram = model["groups"]["test/crops"]["histogram"]
    assert (sum(histogram["real"]), sum(histogram["attack"])) == (5, 4)
    curves = model["curves"]
    assert len(curves["threshold"]) <= 101
    assert curves["threshold"] == sorted(curves["threshold"])
    assert curves["threshold"][curves["chosen"]] == model["threshold"]
    for split, group in (("val", "val"), ("test", "test/crops")):
        apcer, bpcer = curves[split]["apcer"], curves[split]["bpcer"]
        assert (apcer[0], bpcer[0]) == (1, 0)
        assert apcer == sorted(apcer, reverse=True) and bpcer == sorted(bpcer)
        assert bpcer[curves["chosen"]] == model["groups"][group]["bpcer"]["value"]
    assert curves["test"]["apcer"][curves["chosen"]] == 0.75


def test_error_is_reported_against_what_was_measured_of_the_face(tmp_path):
    rows = small_table()
    for row in rows:
        small = row["label"] == 1 and row["logit"] <= 1  # at the threshold 1, one of two is refused
        row |= {"face_side": 10 if small else 200, "brightness": 7, "sharpness": 1 + row["logit"] ** 2}
    sizes = card_of(tmp_path, rows)["models"][0]["error_by"]
    small, large = sizes["test"]["face_side"][0], sizes["test"]["face_side"][-1]
    assert (small["low"], small["real"], small["attack"]) == (10, 2, 0)
    assert (small["bpcer"], small["apcer"]) == (0.5, None)
    assert (large["bpcer"], large["apcer"]) == (0, 0.75)
    assert [item["real"] + item["attack"] for item in sizes["val"]["brightness"]] == [40]
    assert len(sizes["val"]["sharpness"]) == 5
    for bins in sizes["val"].values():
        assert sum(item["real"] for item in bins) == 20


def sized_table(score):
    """Live faces are larger, each size occurs in both classes; logit = score(label, octave, noise)."""
    random = np.random.default_rng(1)
    rows = []
    for index in range(1600):
        label = index % 2
        octave = random.choice(4, p=[0.1, 0.2, 0.3, 0.4] if label else [0.4, 0.3, 0.2, 0.1])
        side = 50 * 2.0**octave
        logit = score(label, octave, random.normal())
        rows.append(picture(f"val/{index}", label, logit, face_side=side, site=f"s{index % 8 // 2}"))
    return rows


def test_a_verdict_that_follows_face_size_falls_when_sizes_are_matched(tmp_path):
    rows = sized_table(lambda label, octave, noise: octave + 0.1 * noise)
    matched = card_of(tmp_path, rows)["models"][0]["size_matched"]
    assert matched["size_auc_all"] > 0.7
    assert matched["size_auc"] == pytest.approx(0.5, abs=1e-6)
    assert matched["auc"] == pytest.approx(0.5, abs=0.03)
    assert matched["drop"] > 0.2
    assert matched["overlap"] == pytest.approx(0.6, abs=0.05)


def test_a_verdict_that_ignores_face_size_keeps_its_auc(tmp_path):
    card = card_of(tmp_path, sized_table(lambda label, octave, noise: label + noise))
    assert abs(card["headline"]["size_matched_drop"]) < 0.02


def test_sizes_that_do_not_overlap_give_no_matched_auc(tmp_path):
    rows = small_table()
    for row in rows:
        row["face_side"] = 50 + 100 * row["label"]
    matched = card_of(tmp_path, rows)["models"][0]["size_matched"]
    assert (matched["auc"], matched["drop"], matched["real"], matched["overlap"]) == (None, None, 0, 0)
    assert matched["auc_all"] == pytest.approx(1 - 2 / 400)


def test_a_score_without_measures_counts_for_everything_that_needs_none(tmp_path):
    rows = small_table()
    whole = card_of(tmp_path, rows)["models"][0]
    rows[0] |= {"face_side": "", "brightness": "", "sharpness": ""}
    model = card_of(tmp_path, rows)["models"][0]
    assert model["groups"] == whole["groups"]
    assert [sum(item["real"] for item in bins) for bins in model["error_by"]["val"].values()] == [19, 19, 19]
    assert (model["size_matched"]["real"], model["size_matched"]["overlap"]) == (19, 0.95)


def test_a_table_without_any_measures_still_makes_a_card_and_plots(tmp_path):
    rows = [row | {"face_side": "", "brightness": "", "sharpness": ""} for row in small_table()]
    model = run(tmp_path, rows)["models"][0]
    assert model["error_by"]["val"] == {"face_side": [], "brightness": [], "sharpness": []}
    assert model["size_matched"]["drop"] is None


def test_models_are_rows_of_one_table_and_the_first_is_the_headline(tmp_path):
    peer = [row | {"logit": 10 * row["logit"]} for row in small_table()]
    card = card_of(tmp_path, small_table(), minifasnet=peer, original=small_table())
    assert [model["name"] for model in card["models"]] == ["product", "minifasnet", "original"]
    assert [model["threshold"] for model in card["models"]] == [1, 10, 1]
    assert len({model["data_sha256"] for model in card["models"]}) == 1
    head = card["headline"]
    assert (head["model"], head["threshold"], set(head["groups"])) == ("product", 1, {"val", "test/crops"})
    worst = head["worst_apcer"]
    assert (worst["group"], worst["species"]) == ("test/crops", "replay_phone/screen")


def test_the_data_hash_is_over_sorted_paths_and_labels(tmp_path):
    rows = small_table()
    lines = sorted(f"{row['path']}\t{row['label']}\n" for row in rows)
    card = card_of(tmp_path, rows)
    assert card["data_sha256"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    rows[0]["path"] = "val/other"
    assert card_of(tmp_path, rows)["data_sha256"] != card["data_sha256"]


def test_the_order_of_the_lines_changes_no_byte_of_card_or_plots(tmp_path):
    rows = small_table()
    run(tmp_path, rows)
    names = ["card.json", "plots/errors.svg", "plots/histograms.svg", "plots/quality.svg"]
    first = {name: (tmp_path / name).read_bytes() for name in names}
    run(tmp_path, rows[::-1])
    assert first == {name: (tmp_path / name).read_bytes() for name in names}
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == [n[6:] for n in names[1:]]
    for name in names[1:]:
        assert ElementTree.fromstring(first[name]).tag.endswith("svg")


def test_the_card_is_sorted_and_rounded(tmp_path):
    card = run(tmp_path, small_table(), "--bpcer", "0.1")
    text = (tmp_path / "card.json").read_text()
    assert card["headline"]["threshold"] == 2
    assert text == json.dumps(card, indent=1, sort_keys=True) + "\n"

    def floats(value):
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                yield from floats(item)
        elif isinstance(value, float):
            yield value

    assert all(number == round(number, 6) for number in floats(card))


def test_val_alone_makes_a_card(tmp_path):
    rows = [row for row in small_table() if row["split"] == "val"]
    model = run(tmp_path, rows)["models"][0]
    assert set(model["groups"]) == {"val", "val/webcam"}
    assert set(model["error_by"]) == {"val"}


def fails(capsys, folder, *arguments):
    """The message of a call that must fail and leave no file."""
    before = sorted(folder.rglob("*"))
    options = ["--out", str(folder / "new" / "card.json"), "--plots", str(folder / "new")]
    assert evaluate.main([*arguments, *options]) == 2
    assert sorted(folder.rglob("*")) == before
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1
    return err


def broken(**change):
    rows = small_table()
    rows[2] |= change
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (broken(logit="high"), "scores.csv:4: logit must be a finite number, not 'high'"),
        (broken(logit="nan"), "scores.csv:4: logit"),
        (broken(logit="inf"), "scores.csv:4: logit"),
        (broken(brightness="dark"), "scores.csv:4: brightness"),
        (broken(logit="", sharpness="nan"), "scores.csv:4: sharpness"),
        (broken(face_side=0), "scores.csv:4: face_side"),
        (broken(label="real"), "scores.csv:4: label"),
        (broken(site=""), "scores.csv:4: site is empty"),
        (broken(path="val/r1"), "val/r1 stands there 2 times"),
        ([], "holds no scored picture"),
        ([r for r in small_table() if r["split"] != "val"], "product, val: no bona fide picture"),
        ([r for r in small_table() if r["label"]], "product, val: no attack with a logit"),
        ([r for r in small_table() if r["label"] or r["split"] == "val"], "product, test/crops: no attack"),
    ],
)
def test_an_unusable_table_is_named(tmp_path, capsys, rows, message):
    write(tmp_path / "scores.csv", rows)
    assert message in fails(capsys, tmp_path, f"product={tmp_path / 'scores.csv'}")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(tmp_path, capsys, column):
    write(tmp_path / "scores.csv", small_table(), [name for name in COLUMNS if name != column])
    assert f"scores.csv: lacks {column};" in fails(capsys, tmp_path, f"product={tmp_path / 'scores.csv'}")


def test_a_line_that_ends_early_is_named(tmp_path, capsys):
    file = write(tmp_path / "scores.csv", small_table())
    lines = file.read_text().splitlines()
    lines[5] = "val/r4,val,webcam"
    file.write_text("\n".join(lines))
    assert "scores.csv:6: the line ends before site" in fails(capsys, tmp_path, f"product={file}")


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path, capsys):
    assert "gone.csv" in fails(capsys, tmp_path, f"product={tmp_path / 'gone.csv'}")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff\xe0\x00")
    assert "picture.csv" in fails(capsys, tmp_path, f"product={tmp_path / 'picture.csv'}")


@pytest.mark.parametrize("options", [["--bpcer", "1"], ["--repeats", "0"], ["--seed", "-1"]])
def test_an_option_out_of_range_is_an_error(tmp_path, capsys, options):
    file = write(tmp_path / "scores.csv", small_table())
    fails(capsys, tmp_path, f"product={file}", *options)


def test_a_model_needs_a_name_of_its_own(tmp_path, capsys):
    file = write(tmp_path / "scores.csv", small_table())
    assert "NAME=FILE.csv" in fails(capsys, tmp_path, str(file))
    assert "NAME=FILE.csv" in fails(capsys, tmp_path, f"product={file}", f"product={file}")


def test_a_row_of_an_earlier_card_is_taken_over(tmp_path, capsys):
    scores, other = write(tmp_path / "scores.csv", small_table()), tmp_path / "other.csv"
    write(other, [row | {"logit": 2 * row["logit"] + 1} for row in small_table()])
    options = ["--plots", str(tmp_path / "plots"), "--repeats", "5", "--out"]
    both, again = tmp_path / "both.json", tmp_path / "again.json"
    assert evaluate.main([f"product={scores}", f"other={other}", f"last={scores}", *options, str(both)]) == 0
    assert evaluate.main([f"product={scores}", f"other={both}", f"last={scores}", *options, str(again)]) == 0
    assert again.read_bytes() == both.read_bytes()
    assert "no row of that name" in fails(capsys, tmp_path, f"product={scores}", f"third={both}", "--repeats", "5")
    assert "another bootstrap" in fails(capsys, tmp_path, f"product={scores}", f"other={both}", "--repeats", "6")
    write(scores, small_table()[1:])
    assert "another data_sha256" in fails(capsys, tmp_path, f"product={scores}", f"other={both}", "--repeats", "5")
    assert "no scores of the product" in fails(capsys, tmp_path, f"other={both}")


def test_scores_of_other_pictures_are_no_row_beside_the_products(tmp_path, capsys):
    whole, part = write(tmp_path / "whole.csv", small_table()), write(tmp_path / "part.csv", small_table()[1:])
    assert "peer: its scores are of other pictures" in fails(capsys, tmp_path, f"product={whole}", f"peer={part}")


def test_a_failed_write_leaves_the_last_card(tmp_path, capsys):
    file = write(tmp_path / "scores.csv", small_table())
    out, blocked = tmp_path / "card.json", tmp_path / "plots"
    out.write_text("the last card")
    blocked.write_text("a file where the folder should be")
    arguments = [f"product={file}", "--out", str(out), "--plots", str(blocked), "--repeats", "5"]
    assert evaluate.main(arguments) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert out.read_text() == "the last card"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.json", "plots", "scores.csv"]
