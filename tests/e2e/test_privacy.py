"""What the page promises about pictures: none leaves, none stays, and no script but the page's own runs."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import fixtures
import pytest
from counted import counting
from pictures import astronaut
from playwright.sync_api import Page, expect

BOOKS = Path(__file__).with_name("cameras.js")
VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  violations.push(`${violatedDirective} ${blockedURI}`);
});
"""
STORED = """async () => {
  const kept = {};
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const bytes = await (await cache.match(request)).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      kept[request.url] = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
  }
  const files = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) files.push(name);
  return {
    kept,
    databases: (await indexedDB.databases()).length,
    local: localStorage.length,
    session: sessionStorage.length,
    cookies: document.cookie,
    files,
  };
}"""
START, STOP = "#panel-actions [data-act=start]", "#control-actions [data-act=stop]"


@pytest.fixture(scope="module")
def camera(launch, tmp_path_factory):
    """A Chromium whose camera shows a person."""
    clip = fixtures.Clip("person", [next(fixtures.bona_fides())] * 3).write(tmp_path_factory.mktemp("clip"))
    switches = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with launch(*switches, f"--use-file-for-fake-video-capture={clip}") as browser:
        yield browser


@pytest.fixture
def visit(camera) -> Iterator[Callable[[str], Page]]:
    """Opens the page with books kept of its camera, its violations and its requests."""
    pages = []

    def visit(url: str) -> Page:
        context = camera.new_context()
        page = context.new_page()
        pages.append(page)
        page.add_init_script(script=VIOLATIONS)
        page.add_init_script(path=BOOKS)
        page.goto(url)
        in_state(page, "ready")
        return page

    yield visit
    for page in pages:
        page.context.close()


def in_state(page: Page, name: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-state", name, timeout=30_000)


def uses_everything(page: Page) -> None:
    """Camera, pictures good and bad, a sample, the evidence overlay, another language."""
    page.click(START)
    in_state(page, "running")
    expect(page.locator("html")).not_to_have_attribute("data-verdict", "", timeout=30_000)
    page.click(STOP)
    in_state(page, "stopped")
    for name, content in (("whole.png", fixtures.png(astronaut())), ("room.png", fixtures.png(fixtures.no_face()))):
        page.locator("#file").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
        in_state(page, "picture")
        expect(page.locator("html")).not_to_have_attribute("data-verdict", "", timeout=30_000)
    page.locator("#file").set_input_files({"name": "none.png", "mimeType": "image/png", "buffer": b"none"})
    in_state(page, "unreadable")
    page.locator("#languages button, #languages a").last.click()


def kept_is(page: Page, site: Path, url: str) -> None:
    """Nothing is stored but files of the site, byte for byte."""
    stored = page.evaluate(STORED)
    kept = stored.pop("kept")
    assert stored == {"databases": 0, "local": 0, "session": 0, "cookies": "", "files": []}
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    assert kept.keys() == {url + name for name in files.keys() - {"sw.js", "sbom.json"}}
    for address, digest in kept.items():
        assert digest == hashlib.sha256(files[address.removeprefix(url)].read_bytes()).hexdigest(), address


def test_nothing_is_asked_for_after_loading_and_nothing_is_kept(visit, site):
    with counting(site) as (url, asked):
        page = visit(url)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        asked.clear()
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        uses_everything(page)
        assert asked == []
        # with each new ?lang= Chromium takes the tab's icon anew, from its cache
        assert [address for address in requests if not address.startswith("blob:") and "/icon.svg" not in address] == []
        assert page.evaluate("violations") == []
        kept_is(page, site, url)


def test_not_even_with_the_service_worker_in_charge(visit, site):
    with counting(site) as (url, asked):
        page = visit(url)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        asked.clear()
        page.reload()
        in_state(page, "ready")
        uses_everything(page)
        page.locator("[data-sample]").first.click()
        in_state(page, "picture")
        expect(page.locator("html")).not_to_have_attribute("data-verdict", "", timeout=30_000)
        assert set(asked) <= {"sw.js"}
        assert page.evaluate("violations") == []
        kept_is(page, site, url)


def test_no_request_to_another_origin(visit, site):
    with counting(site) as (url, _):
        hosts = set()
        page = visit(url)
        page.context.on("request", lambda request: hosts.add(urlsplit(request.url)[:2]))
        page.reload()
        in_state(page, "ready")
        uses_everything(page)
        for name in ("numbers.html", "licences.txt"):
            page.goto(url + name)
        assert hosts - {("blob", "")} == {urlsplit(url)[:2]}


def test_a_frame_that_was_smuggled_in_cannot_be_sent(visit, site):
    """The policy itself holds frames back: a request, a picture's address, a form and a beacon all fail."""
    with counting(site) as (url, _):
        page = visit(url)
        outcome = page.evaluate(
            """async () => {
              const elsewhere = "http://127.0.0.1:9/";
              const request = fetch(elsewhere, { method: "POST", body: "frame", mode: "no-cors" });
              const sent = await request.then(() => "sent", () => "held");
              const shown = await new Promise((done) => {
                const image = new Image();
                image.onload = () => done("sent");
                image.onerror = () => done("held");
                image.src = `${elsewhere}?frame`;
              });
              navigator.sendBeacon(elsewhere, "frame");
              const inline = document.createElement("script");
              inline.textContent = "window.ran = true";
              document.head.append(inline);
              await new Promise((done) => setTimeout(done, 100));
              return { sent, shown, ran: window.ran === true, violated: violations.map((line) => line.split(" ")[0]) };
            }"""
        )
        violated = outcome.pop("violated")
        assert outcome == {"sent": "held", "shown": "held", "ran": False}
        assert sorted(set(violated)) == ["connect-src", "img-src", "script-src-elem"]
        assert violated.count("connect-src") == 2, "the request and the beacon"


def test_leaving_the_page_switches_the_camera_off(visit, site):
    """Also where the browser keeps the page for the way back."""
    with counting(site) as (url, _):
        page = visit(url)
        page.click(START)
        in_state(page, "running")
        assert page.evaluate("books.live()") == 1
        page.goto(f"{url}numbers.html")
        page.go_back()
        expect(page.locator("html")).not_to_have_attribute("data-state", "loading", timeout=30_000)
        assert page.evaluate("books.live()") == 0


def test_the_numbers_page_runs_no_script(visit, site):
    with counting(site) as (url, _):
        page = visit(url)
        page.goto(f"{url}numbers.html")
        assert page.evaluate("document.scripts.length") == 0
        assert page.evaluate("violations") == []
