"""Every state of the page under axe-core's rules for accessibility: phones and desktops, light and dark."""

from pathlib import Path

import pytest
import states
from playwright.sync_api import Page, expect

VIEWPORTS = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 800}}
RUN = """
async () => {
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}
"""


@pytest.fixture(scope="module")
def axe(node_modules) -> str:
    """axe-core's source."""
    return Path(node_modules, "axe-core", "axe.min.js").read_text()


def ready(page: Page, url: str, axe: str) -> None:
    """Open the page with axe beside it; evaluated by the debugger, which the page's own rules do not bind."""
    page.goto(url)
    expect(page.locator("html")).to_have_attribute("data-state", "ready", timeout=30_000)
    page.evaluate(axe)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", list(VIEWPORTS))
def test_no_state_has_a_violation(browser, server, app, axe, viewport, scheme):
    options = {"viewport": VIEWPORTS[viewport], "color_scheme": scheme, "reduced_motion": "reduce"}
    with browser.new_context(service_workers="block", **options) as context:
        page = context.new_page()
        ready(page, server, axe)
        found = {}
        for name, state in states.everything().items():
            states.shown_in(page, app, state, show=True)
            if violations := page.evaluate(RUN):
                found[name] = violations
        assert found == {}


def test_german_and_the_open_threshold_have_no_violation(browser, server, app, axe):
    with browser.new_context(service_workers="block", locale="de-DE") as context:
        page = context.new_page()
        ready(page, server, axe)
        page.click("#threshold summary")
        assert page.evaluate(RUN) == []


def test_a_violation_would_be_found(browser, server, axe):
    with browser.new_context(service_workers="block") as context:
        page = context.new_page()
        ready(page, server, axe)
        page.evaluate("document.querySelector('#threshold-slider').removeAttribute('aria-label')")
        page.click("#threshold summary")
        assert any(violation.startswith("label: ") for violation in page.evaluate(RUN))
