"""Without a network, with a newer version, a full disk or a wrong byte: whole or not at all, and never mixed."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import fixtures
import pytest
from browser import find_or_install
from counted import counting
from pictures import astronaut
from playwright.sync_api import BrowserContext, Page, expect

from spoofweb import site as website

WEB = Path(__file__).parents[2] / "web"
REGISTRATION = "(await navigator.serviceWorker.getRegistration())"
KEPT = "caches.keys()"
UPDATE = "[data-act=renew]"


@pytest.fixture
def visit(browser) -> Iterator[Callable[[str], Page]]:
    """Opens an address in a context of its own, which keeps its files to itself."""
    contexts: list[BrowserContext] = []

    def visit(url: str, state: str = "ready") -> Page:
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.goto(url)
        in_state(page, state)
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def mine(site, tmp_path) -> Path:
    """A copy of the site that a test may change."""
    return shutil.copytree(site, tmp_path / "mine", copy_function=os.link)


@pytest.fixture(scope="module")
def newer(tmp_path_factory, node_modules, detector_graph, spoofnet) -> dict[str, bytes]:
    """The files of the next version: another module, and with it another page."""
    web = tmp_path_factory.mktemp("newer") / "web"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules", "dist", ".*"))
    with (web / "src" / "latency.js").open("a") as file:
        file.write("// renewed\n")
    return website.render(website.Parts(web, node_modules, spoofnet, detector_graph))


def in_state(page: Page, name: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-state", name, timeout=30_000)


def installed(page: Page) -> None:
    """Wait until the whole site is kept."""
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")


def until(page: Page, promise: str, tries: int = 100) -> None:
    for _ in range(tries):
        if page.evaluate(f"async () => await {promise}"):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never became true: {promise}")


def awaited(page: Page, asked: list[str], name: str) -> None:
    """Wait until a file is asked for; a page that only the service worker wants shows that it installs."""
    for _ in range(600):
        if name in asked:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never asked for: {name}")


def judges_a_picture(page: Page) -> None:
    page.locator("#file").set_input_files(
        {"name": "whole.png", "mimeType": "image/png", "buffer": fixtures.png(astronaut())}
    )
    in_state(page, "picture")
    expect(page.locator("html")).not_to_have_attribute("data-verdict", "", timeout=30_000)


def put(folder: Path, name: str, content: bytes) -> None:
    """Change a file of a copy without touching the file that it was linked from."""
    path = folder / name
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def damage(folder: Path, pattern: str) -> None:
    """Change the last byte of a file of the site."""
    (path,) = folder.glob(pattern)
    content = path.read_bytes()
    put(folder, path.relative_to(folder).as_posix(), content[:-1] + bytes([content[-1] ^ 1]))


def renew(folder: Path, files: dict[str, bytes]) -> None:
    """Put another version in place of the site, as a host does: what is not part of it is gone."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.unlink()
    for name, content in files.items():
        put(folder, name, content)


def apps(page: Page) -> set[str]:
    """Folders of modules that the page has anything from."""
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    return {part for name in names for part in name.split("/") if part.startswith("app-")}


def app_of(names) -> str:
    (folder,) = {name.split("/")[0] for name in names if name.startswith("app-")}
    return folder


def test_the_first_visit_loads_each_file_once(playwright, site, tmp_path):
    """What the service worker keeps comes from the browser's cache; only the pages are asked for a second time."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = {"executable_path": find_or_install(), "args": ["--no-sandbox"] if as_root else []}
    with (
        counting(site) as (url, asked),
        playwright.chromium.launch_persistent_context(tmp_path / "profile", **options) as context,
    ):
        page = context.new_page()  # with a profile on disk, as visitors have: a private window keeps no large file
        page.goto(url)
        in_state(page, "ready")
        installed(page)
        inside = {
            path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file() and path.parent != site
        }
        assert Counter(path for path in asked if "/" in path) == Counter(inside)
        assert max(Counter(asked).values()) <= 2


def test_works_without_a_server_after_the_first_visit(visit, site):
    with counting(site) as (url, _):
        page = visit(url)
        installed(page)
    page.context.set_offline(True)
    page.reload()
    in_state(page, "ready")
    judges_a_picture(page)
    assert page.evaluate("crossOriginIsolated"), "the service worker sends the headers for threads"
    page.goto(f"{url}numbers.html")
    expect(page.locator("h1")).to_be_visible()
    page.goto(f"{url}licences.txt")
    assert "MIT" in page.locator("body").inner_text()


def test_what_is_kept_is_asked_for_no_more(visit, site):
    with counting(site) as (url, asked):
        page = visit(url)
        installed(page)
        asked.clear()
        page.goto(f"{url}?lang=en")
        in_state(page, "ready")
        judges_a_picture(page)
        assert set(asked) <= {"sw.js"}, "only whether there is a newer version"


def test_a_newer_version_is_announced_and_taken_when_pressed(visit, mine, newer):
    with counting(mine) as (url, _):
        page = visit(url)
        installed(page)
        page.reload()
        in_state(page, "ready")
        old = apps(page)
        renew(mine, newer)
        page.reload()
        in_state(page, "ready")
        assert apps(page) == old, "a version that waits changes nothing"
        expect(page.locator(UPDATE)).to_be_visible(timeout=30_000)
        judges_a_picture(page)
        assert apps(page) == old
        assert len(page.evaluate(KEPT)) == 2
        page.click(UPDATE)
        expect(page.locator(UPDATE)).to_be_hidden(timeout=30_000)
        in_state(page, "ready")
        assert apps(page) == {app_of(newer)} != old
        until(page, f"{KEPT}.then((names) => names.length === 1)")


def test_the_other_tab_hears_of_it_and_stays_whole(visit, mine, newer):
    with counting(mine) as (url, _):
        page = visit(url)
        installed(page)
        page.reload()
        other = page.context.new_page()
        other.goto(url)
        in_state(other, "ready")
        old = apps(other)
        renew(mine, newer)
        page.reload()
        expect(page.locator(UPDATE)).to_be_visible(timeout=30_000)
        page.click(UPDATE)
        expect(page.locator(UPDATE)).to_be_hidden(timeout=30_000)
        expect(other.locator(UPDATE)).to_be_visible()
        judges_a_picture(other)
        assert apps(other) == old
        other.click(UPDATE)
        expect(other.locator(UPDATE)).to_be_hidden(timeout=30_000)
        in_state(other, "ready")
        assert apps(other) == {app_of(newer)}


def test_a_version_with_a_wrong_byte_is_not_taken(visit, mine, newer):
    with counting(mine) as (url, asked):
        page = visit(url)
        installed(page)
        page.reload()
        in_state(page, "ready")
        before, old = page.evaluate(KEPT), apps(page)
        renew(mine, newer)
        damage(mine, "numbers.html")
        asked.clear()
        page.reload()
        in_state(page, "ready")
        awaited(page, asked, "numbers.html")
        until(page, f"{REGISTRATION}.installing === null")
        assert page.evaluate(f"async () => {REGISTRATION}.waiting === null")
        assert page.evaluate(KEPT) == before
        assert apps(page) == old
        judges_a_picture(page)


def test_a_full_disk_does_no_harm(visit, site):
    with counting(site) as (url, asked):
        page = visit(url)
        installed(page)
        page.evaluate(
            f"async () => {{ await {REGISTRATION}.unregister(); await caches.delete((await caches.keys())[0]); }}"
        )
        devtools = page.context.new_cdp_session(page)
        origin = page.evaluate("origin")
        devtools.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1_000_000})
        asked.clear()
        page.reload()
        in_state(page, "ready")
        awaited(page, asked, "numbers.html")
        until(page, f"!{REGISTRATION}")
        assert page.evaluate(KEPT) == []
        judges_a_picture(page)


def test_without_service_workers_the_page_works(browser, site):
    with counting(site) as (url, asked), browser.new_context() as context:
        context.add_init_script("delete Navigator.prototype.serviceWorker;")
        page = context.new_page()
        complaints = []
        page.on("pageerror", lambda error: complaints.append(error))
        page.goto(url)
        in_state(page, "ready")
        judges_a_picture(page)
        assert "sw.js" not in asked and complaints == []


# ---------------------------------------------------------------- a wrong byte in a module


@pytest.mark.parametrize("name", ["main.js", "view.js", "worker.js", "resample.js", "contract.json"])
def test_a_wrong_byte_keeps_the_page_from_running(visit, mine, name):
    damage(mine, f"app-*/{name}")
    with counting(mine) as (url, asked):
        page = visit(url, "unstarted")
        expect(page.locator("#unstarted")).to_be_visible()
        expect(page.locator("main")).to_be_hidden()
        assert not any(path.startswith(("ort-", "models/")) for path in asked), "nothing was run"


def test_not_even_the_entry(visit, mine):
    damage(mine, "app-*/boot.js")
    with counting(mine) as (url, asked):
        page = visit(url, "loading")
        expect(page.locator("#unstarted")).to_be_hidden()
        page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")  # what time would do
        expect(page.locator("#unstarted")).to_be_visible()
        assert not any(path.startswith(("ort-", "models/")) for path in asked)


def test_a_page_that_runs_says_nothing_of_the_kind(visit, site):
    with counting(site) as (url, _):
        assert visit(url).locator("#unstarted").count() == 0


def test_a_damaged_copy_in_the_browser_is_fetched_again(browser, site):
    """The first answer of each module is wrong, as from a damaged cache; the second is the server's."""
    with counting(site) as (url, _), browser.new_context() as context:
        page = context.new_page()
        wrong = []

        def once(route):
            if route.request.url in wrong:
                return route.continue_()
            wrong.append(route.request.url)
            return route.fulfill(body="// not this", content_type="text/javascript")

        page.route("**/worker.js", once)
        page.goto(url)
        in_state(page, "ready")
        assert len(wrong) == 1
