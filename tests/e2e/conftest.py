"""What the browser tests share: one built site, one server, one Chromium, a fresh page for each test."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import find_or_install
from lab import Lab
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from spoofweb import serve
from spoofweb import site as website

WEB = Path(__file__).parents[2] / "web"


@pytest.fixture(scope="session")
def site(tmp_path_factory, node_modules, detector_graph, spoofnet) -> Path:
    """The folder of the built site."""
    out = tmp_path_factory.mktemp("built") / "dist"
    website.write(website.render(website.Parts(WEB, node_modules, spoofnet, detector_graph)), out)
    return out


@pytest.fixture(scope="session")
def app(site) -> str:
    """The name of the site's folder with the page's modules and contract.json."""
    (folder,) = site.glob("app-*")
    return folder.name


@pytest.fixture(scope="session")
def server(site) -> Iterator[str]:
    """The URL at which the site is served, below a path as on a shared host."""
    with serve.serving(site, base="/spoofweb/") as url:
        yield url


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def launch(playwright) -> Iterator[Callable[..., Browser]]:
    """Start a Chromium with more command line switches; closed at the end if the test has not done so."""
    started = []
    executable = find_or_install()

    def start(*switches: str) -> Browser:
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        must = ["--no-sandbox"] if as_root else []  # Chromium refuses root a sandbox
        started.append(playwright.chromium.launch(executable_path=executable, args=[*must, *switches]))
        return started[-1]

    yield start
    for browser in started:
        browser.close()


@pytest.fixture(scope="session")
def browser(launch) -> Browser:
    """The one Chromium that tests without wishes of their own share."""
    return launch()


@contextmanager
def watched_page(browser: Browser) -> Iterator[Page]:
    """An empty page in a context of its own; an error that no script caught fails at the end."""
    context = browser.new_context()
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    yield page
    context.close()
    assert not errors


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A fresh page."""
    with watched_page(browser) as page:
        yield page


@pytest.fixture(scope="session")
def ready(browser, server, app, site) -> Iterator[Lab]:
    """A page with an engine that is loaded once and stays so."""
    with watched_page(browser) as page:
        made = Lab(page, server, app, site)
        loaded = made.call("load")
        assert "contract" in loaded, loaded
        yield made
