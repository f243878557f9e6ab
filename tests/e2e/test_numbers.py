"""The numbers page: every number is the card's, charts show them, and it is readable everywhere."""

import json
import re
from copy import deepcopy
from html import unescape
from pathlib import Path

import pytest
from markupsafe import Markup
from playwright.sync_api import expect

from spoofweb import charts, numbers
from spoofweb import site as website
from spoofweb.trained import NO_CARD, Trained

WEB = Path(__file__).parents[2] / "web"


@pytest.fixture(scope="module")
def card(spoofnet) -> dict:
    return spoofnet.card


@pytest.fixture(scope="module")
def text(site) -> str:
    """The page's words."""
    return words((site / "numbers.html").read_text())


def words(html: str) -> str:
    body = re.sub(r"<head>.*?</head>|<svg.*?</svg>", " ", html, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_every_rate_of_the_card_is_shown(card, text):
    for name in card["headline"]["groups"]:
        for model in card["models"]:
            group = model["groups"][name]
            for rate in (group["bpcer"], group["hter"], group["worst_apcer"], *group["apcer"].values()):
                value, low, high = (f"{100 * rate[key]:.1f}" for key in ("value", "low", "high"))
                star = "*" if rate["few_sites"] else ""
                assert " ".join(f"{value}\u00a0% ({low}–{high}\u00a0%){star}".split()) in text
            assert f"{group['auc']['value']:.3f} (" in text
        counts = card["models"][0]["groups"][name]["pictures"]
        assert f"{counts['real']} real, {counts['attack']} attacks" in text


def test_other_numbers_where_the_card_has_others(card, node_modules):
    """No number of the evaluation stands in the template: a changed card changes the page everywhere."""
    other = json.loads(re.sub(r"\b0\.\d{3,}", "0.123456", json.dumps(card)))
    other["threshold_rule"]["text"], other["pictures"] = "val, otherwise", 77
    page = website.render(website.Parts(WEB, node_modules, Trained(b"net", other), b"detector"))[
        "numbers.html"
    ].decode()
    shown = words(page)
    assert "12.3 % (12.3–12.3 %)" in shown and "77 pictures" in shown and "val, otherwise" in shown
    rates = set(re.findall(r"\d+\.\d %", shown))
    kept = {f"{100 * value:.1f} %" for value in _values(other)}
    assert rates <= kept, f"not from the card: {rates - kept}"


def _values(part) -> list[float]:
    if isinstance(part, dict):
        return [value for item in part.values() for value in _values(item)]
    if isinstance(part, list):
        return [value for item in part for value in _values(item)]
    return [part] if isinstance(part, int | float) else []


def test_a_network_without_an_evaluation_says_so(node_modules):
    files = website.render(website.Parts(WEB, node_modules, Trained(b"net", NO_CARD), b"detector"))
    page = words(files["numbers.html"].decode())
    assert "No evaluation is known" in page and "APCER" not in page
    (contract,) = (content for name, content in files.items() if name.endswith("/contract.json"))
    assert json.loads(contract)["curve"] is None


def test_an_unknown_attack_keeps_its_name(card):
    strange = deepcopy(card)
    group = strange["models"][0]["groups"]["val"]
    group["apcer"] = {"silicone_mask": next(iter(group["apcer"].values()))}
    report = numbers.report(strange)
    row = next(row for row in report["attacks"] if row["group"] == "val")
    assert row["species"] == "silicone mask"
    assert row["rates"][1:] == ["–"] * (len(strange["models"]) - 1), "the others were not measured on it"


def test_gates_are_shown_where_they_were_measured(card, node_modules):
    def gate(pictures):
        refused = {"real": {"pictures": pictures, "share": 0.031}, "attack": {"pictures": 0, "share": 0.0}}
        rates = {
            name: {"eer": None, "hter": value, "wrong": value} for name, value in (("all", 0.052), ("kept", 0.048))
        }
        return {"refused": refused, "error": rates | {"refused": {"eer": None, "hter": None, "wrong": 0.25}}}

    measured = deepcopy(card)
    measured["models"][0]["gates"] = {"val": {"too-small": gate(14), "blurred": gate(0), "all": gate(14)}}
    assert [row["gate"] for row in numbers.report(measured)["gates"]] == ["too small", "all"]
    site = website.render(website.Parts(WEB, node_modules, Trained(b"net", measured), b"detector"))
    assert "val too small 3.1 % (14) 0.0 % (0) 5.2 % 4.8 % 25.0 %" in words(site["numbers.html"].decode())
    measured["models"][0]["gates"] = None
    assert numbers.report(measured)["gates"] == []


# ---------------------------------------------------------------- charts


def places(svg: str, pattern: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(pattern, svg)]


def test_det_puts_the_better_network_nearer_to_the_origin():
    good = charts.Curve("good", [0.5, 0.05, 0.01], [0.01, 0.05, 0.5], 1)
    poor = charts.Curve("poor", [0.5, 0.2, 0.1], [0.1, 0.2, 0.5], 1)
    svg = charts.det("Errors", [good, poor])
    (near, far) = places(svg, r'<circle class="dot series-\d" cx="([\d.]+)" cy="([\d.]+)"')
    assert near[0] < far[0] and near[1] > far[1]
    same = places(charts.det("Errors", [charts.Curve("a", [0.2], [0.2], 0)]), r'cx="([\d.]+)" cy="([\d.]+)"')[0]
    assert same[0] - 52 == pytest.approx(12 + 290 - same[1]), "both axes have one scale"


def test_rates_of_nothing_and_all_stay_in_the_picture():
    svg = charts.det("Errors", [charts.Curve("edge", [1.0, 0.0], [0.0, 1.0], 0)])
    assert all(0 <= x <= charts.WIDTH and 0 <= y <= 346 for x, y in places(svg, r"[ML](-?[\d.]+) (-?[\d.]+)"))


def test_histogram_bars_are_shares_of_their_class():
    svg = charts.histogram("Scores", [0, 10], [40, 0], 0.25)
    bars = re.findall(r'<rect class="bar (\w+)" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg)
    assert [(name, float(height)) for name, _, height in bars] == [
        ("real", 0), ("real", 90), ("attack", 90), ("attack", 0),
    ]  # fmt: skip
    (threshold,) = re.findall(r'class="threshold" d="M([\d.]+) ', svg)
    assert float(threshold) == 52 + 290 * 0.25


def test_intervals_tell_weak_ones_apart():
    rows = [charts.Interval("a & b", 0.5, 0.25, 1.0, False), charts.Interval("weak", 0.1, 0.1, 0.1, True)]
    svg = charts.intervals("Rates", rows)
    assert "a &amp; b: 50.0 %" in svg
    assert re.findall(r'<circle class="([^"]+)"', svg) == ["dot", "dot weak"]
    assert 'class="range" d="M96.0 34.0L336.0 34.0"' in svg


def test_charts_carry_no_style_of_their_own():
    svg = charts.det("<b>", []) + charts.histogram("t", [1], [1], 0.5) + charts.intervals("t", [])
    assert not re.search(r"style|fill=|stroke=|<b>", svg)
    assert svg.count("<title>") == 3 and isinstance(svg, Markup)


# ---------------------------------------------------------------- in the browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_in_the_browser(browser, server, width, scheme):
    complaints = []
    with browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme) as context:
        page = context.new_page()
        page.on("console", lambda line: complaints.append(line.text))
        page.goto(f"{server}numbers.html")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for chart in page.locator(".chart").all():
            expect(chart).to_be_visible()
        colours = page.evaluate(
            """() => {
              const style = (name) => getComputedStyle(document.querySelector(name));
              const lines = [0, 1, 2].map((number) => style(`path.series-${number}`).stroke);
              return [style(".real").fill, style(".attack").fill, style(".chart").backgroundColor, ...lines];
            }"""
        )
        assert len(set(colours)) >= 5, "bars, ground and lines can be told apart"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
    assert complaints == []


def test_the_demonstration_links_to_it(browser, server):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(server)
        expect(page.locator("html")).to_have_attribute("data-state", "ready", timeout=30_000)
        page.locator('footer a[href="numbers.html"]').click()
        expect(page.locator("h1")).to_have_text("How well it works")
        page.locator(".wordmark a").click()
        expect(page.locator("html")).to_have_attribute("data-state", "ready", timeout=30_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(browser, server, node_modules, width, scheme):
    with browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{server}numbers.html")
        page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text())
        found = page.evaluate("axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)")
        assert [(violation["id"], violation["nodes"][0]["target"]) for violation in found] == []
