"""The page without a camera: pictures, problems with a way out, and what every state shows."""

import base64
from collections.abc import Callable, Iterator

import fixtures
import numpy as np
import pytest
from pictures import astronaut
from playwright.sync_api import BrowserContext, Page, Route, expect

from spoofweb import cli, contract

TOLERANCE = 1e-4
PICTURES = {
    "whole": astronaut(),
    "no face": fixtures.no_face(),
    "a part of odd size": astronaut()[20:361, 60:433],
    "upright": np.ascontiguousarray(astronaut()[:, 130:330]),
    "grey": astronaut()[..., 1],
}
WATCH = """
window.complaints = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  complaints.push(`${violatedDirective} ${blockedURI}`);
});
"""
NO_CAMERA_API = "Object.defineProperty(Navigator.prototype, 'mediaDevices', { value: undefined });"
CAMERA_STATES = [
    *("idle", "asking", "running", "paused", "stopped", "denied", "dismissed", "blocked", "no-camera", "busy"),
    *("overconstrained", "ended", "insecure", "unsupported"),
]
ENGINE_PROBLEMS = ["no-webassembly", "download", "model", "worker", "frame"]
PICTURE_STATES = ["reading", "picture", "unreadable", "unjudged"]


@pytest.fixture(scope="module")
def rules(spoofnet) -> dict:
    """The contract's verdict rules."""
    return contract.verdict_rules(spoofnet.card)


@pytest.fixture
def visit(browser, server) -> Iterator[Callable[..., Page]]:
    """Opens the page in a context of its own; at the end the browser may have nothing to complain about."""
    contexts: list[BrowserContext] = []
    complaints = []

    def visit(state: str = "ready", script: str = "", routes: dict | None = None, **options) -> Page:
        contexts.append(browser.new_context(**options))
        for pattern, answer in (routes or {}).items():
            contexts[-1].route(pattern, answer)
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if not routes:  # a request that is refused for the test is an error on the console
            page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.add_init_script(script=WATCH + script)
        page.goto(server)
        in_state(page, state)
        return page

    yield visit
    for context in contexts:
        for page in context.pages:
            complaints += page.evaluate("complaints")
        context.close()
    assert complaints == []


def in_state(page: Page, name: str) -> None:
    """Wait until the page says that it is in a state."""
    expect(page.locator("html")).to_have_attribute("data-state", name, timeout=30_000)


def choose(page: Page, name: str, content: bytes) -> None:
    """Choose a file as through the browser's dialog."""
    page.locator("#file").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})


def judged(page: Page) -> dict[str, str]:
    """The root element's data once there is a verdict on the picture that is shown."""
    in_state(page, "picture")
    expect(page.locator("html")).not_to_have_attribute("data-verdict", "", timeout=30_000)
    return page.evaluate("({ ...document.documentElement.dataset })")


# ---------------------------------------------------------------- pictures


def test_a_picture_is_judged_as_by_predict(visit, pipeline, rules, tmp_path):
    page = visit()
    for name, frame in PICTURES.items():
        file = tmp_path / f"{name}.png"
        file.write_bytes(fixtures.png(frame))
        choose(page, file.name, file.read_bytes())
        shown = judged(page)
        (said,) = cli.predict(file, pipeline, rules)
        assert shown["verdict"] == said["verdict"], name
        assert (shown["live"] == "") == (said["live"] is None), name
        if said["live"] is not None:
            assert abs(float(shown["live"]) - said["live"]) <= TOLERANCE, name
        assert page.locator("#overlay .box").count() == (said["box"] is not None), name


def test_the_face_is_marked_where_it_is(visit, pipeline, rules):
    page = visit()
    choose(page, "whole.png", fixtures.png(astronaut()))
    judged(page)
    face = pipeline.observe(astronaut()).face
    marked, shown = (page.locator(selector).bounding_box() for selector in ("#overlay .box", "#picture"))
    assert page.get_attribute("#overlay", "viewBox") == "0 0 512 512"
    scale = shown["height"] / 512  # the picture is higher than the stage is wide
    left = shown["x"] + (shown["width"] - 512 * scale) / 2
    assert abs(marked["x"] - (left + face.x0 / 256 * scale)) < 5
    assert abs(marked["width"] - (face.x1 - face.x0) / 256 * scale) < 10


def test_of_two_pictures_at_once_the_latest_wins(visit):
    page = visit()
    choose(page, "whole.png", fixtures.png(astronaut()))
    choose(page, "room.png", fixtures.png(fixtures.no_face()))
    assert judged(page)["verdict"] == "none"
    page.wait_for_timeout(500)
    assert judged(page)["verdict"] == "none"


def test_a_picture_is_dropped(visit):
    page = visit()
    page.evaluate(
        """(content) => {
          const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], "whole.png", { type: "image/png" }));
          const target = document.querySelector("#stage");
          for (const type of ["dragover", "drop"])
            target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        base64.b64encode(fixtures.png(astronaut())).decode(),
    )
    assert judged(page)["live"] != ""


def test_an_unreadable_picture_is_named_and_another_can_be_chosen(visit):
    page = visit()
    choose(page, "broken.png", fixtures.png(astronaut())[:2000])
    in_state(page, "unreadable")
    assert "broken.png" in page.inner_text("#panel-text")
    with page.expect_file_chooser():
        page.click("#panel-actions [data-act=choose]")
    choose(page, "whole.png", fixtures.png(astronaut()))
    assert judged(page)["live"] != ""


def test_a_picture_that_is_chosen_early_is_judged_when_the_networks_are_there(visit):
    held: list[Route] = []
    page = visit(state="loading", routes={"**/spoofnet-*.onnx": lambda route: held.append(route)})
    choose(page, "whole.png", fixtures.png(astronaut()))
    in_state(page, "picture")
    assert page.get_attribute("html", "data-verdict") == ""
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    assert judged(page)["live"] != ""


# ---------------------------------------------------------------- problems


def test_a_failed_download_is_named_and_can_be_tried_again(visit):
    page = visit(state="download", routes={"**/spoofnet-*.onnx": lambda route: route.abort()})
    page.context.unroute("**/spoofnet-*.onnx")
    page.click("#panel-actions [data-act=restart]")
    in_state(page, "ready")
    choose(page, "whole.png", fixtures.png(astronaut()))
    assert judged(page)["live"] != ""


def test_a_broken_network_is_named_and_the_page_can_be_reloaded(visit):
    page = visit(state="model", routes={"**/spoofnet-*.onnx": lambda route: route.fulfill(body=b"no graph")})
    page.context.unroute("**/spoofnet-*.onnx")
    page.click("#panel-actions [data-act=reload]")
    in_state(page, "ready")


def test_a_broken_worker_is_named_and_can_be_started_again(visit):
    page = visit(state="worker", routes={"**/worker.js": lambda route: route.abort()})
    page.context.unroute("**/worker.js")
    page.click("#panel-actions [data-act=restart]")
    in_state(page, "ready")


def test_a_browser_without_webassembly(visit):
    def without(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=f"delete globalThis.WebAssembly;\n{answer.text()}")

    page = visit(state="no-webassembly", routes={"**/worker.js": without})
    page.context.unroute("**/worker.js")
    page.click("#panel-actions [data-act=restart]")
    in_state(page, "ready")


def test_an_insecure_page_names_the_way_to_a_secure_one(launch, server):
    with launch("--host-resolver-rules=MAP spoofweb.test 127.0.0.1") as browser, browser.new_context() as context:
        page = context.new_page()
        page.goto(server.replace("127.0.0.1", "spoofweb.test"))
        in_state(page, "insecure")
        assert page.locator("#panel-actions a").get_attribute("href").startswith("https://spoofweb.test:")
        choose(page, "whole.png", fixtures.png(astronaut()))
        assert judged(page)["live"] != ""
        page.click("#control-actions [data-act=start]")
        in_state(page, "insecure")


def test_a_browser_without_camera_access_takes_pictures(visit):
    page = visit(state="unsupported", script=NO_CAMERA_API)
    choose(page, "whole.png", fixtures.png(astronaut()))
    assert judged(page)["live"] != ""


def test_without_javascript_the_page_says_so(browser, server):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(server)
        assert "JavaScript" in page.inner_text(".noscript")


# ---------------------------------------------------------------- what is shown


def shown_in(page: Page, app: str, **state) -> dict:
    """What screen.js makes of a state; parts that are not given are as when all is well and nothing has begun."""
    return page.evaluate(
        """async ([app, given]) => {
          const { screen } = await import(new URL(`${app}/screen.js`, document.baseURI));
          const camera = { name: "idle", choice: {}, detail: "", stream: null, deviceId: "", cameras: [] };
          const state = {
            engine: { name: "ready", loaded: 1, total: 1, reason: "", detail: "" },
            camera: { ...camera, mirrored: false, turnable: false, substituted: false },
            picture: null, judged: null, frames: 0, latency: null, unsure: [0.4, 0.6],
          };
          const merged = Object.entries(given).map(([key, part]) => [key, { ...state[key], ...part }]);
          return screen({ ...state, ...Object.fromEntries(merged) });
        }""",
        [app, state],
    )


def test_every_state_has_words_and_a_way_out(visit, app):
    page = visit()
    states = [{"camera": {"name": name}} for name in CAMERA_STATES]
    states += [{"engine": {"name": "failed", "reason": reason}} for reason in ENGINE_PROBLEMS]
    states += [{"picture": {"name": name, "file": "a.png"}} for name in PICTURE_STATES]
    for state in states:
        shown = shown_in(page, app, **state)
        ways = [way["act"] for way in (shown["panel"] or {}).get("actions", []) + shown["controls"]]
        assert ways or shown["name"] == "reading", state
        assert shown["announcement"] and shown["verdict"]["text"], state
        if shown["panel"]:
            assert shown["panel"]["title"] and shown["panel"]["text"] and "{" not in shown["panel"]["text"], state
            assert page.locator(f"#icon-{shown['panel']['icon']}").count() == 1, state


def test_every_verdict_has_a_word_a_sentence_and_a_sign(visit, app):
    page = visit()
    said = set()
    for source in ({"camera": {"name": "running"}}, {"picture": {"name": "picture", "file": "a.png"}}):
        for word, live, percent in (
            *(("live", 0.999, "over 99\u00a0%"), ("attack", 0.004, "under 1\u00a0%")),
            *(("unsure", 0.523, "52\u00a0%"), ("none", None, "–")),
        ):
            judged = {"word": word, "live": live, "boxes": [], "judged": -1, "width": 4, "height": 3}
            verdict = shown_in(page, app, judged=judged, **source)["verdict"]
            assert (verdict["name"], verdict["percent"]) == (word, percent)
            assert page.locator(f"#icon-{word}").count() == 1
            said.add((verdict["word"], verdict["text"]))
    assert len({word for word, _ in said}) == 4 and len({text for _, text in said}) == 6


def test_loading_shows_how_much_has_come(visit, app):
    page = visit()
    engine = {"name": "loading", "loaded": 7_340_000, "total": 18_900_000}
    progress = shown_in(page, app, engine=engine)["progress"]
    assert "7.3 of 18.9 MB" in progress["text"]
    assert progress["share"] == pytest.approx(7.34 / 18.9)
    assert shown_in(page, app)["progress"]["share"] is None


def test_the_keyboard_reaches_everything_and_is_not_lost(visit):
    page = visit()
    focus = "document.activeElement.dataset.act ?? document.activeElement.className"
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(focus))
    assert reached == ["skip", "start", "choose"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("html")).not_to_have_attribute("data-state", "ready")
    expect(page.locator("#panel-actions > :first-child")).to_be_focused()


def test_a_screen_reader_hears_the_verdict(visit):
    page = visit()
    choose(page, "room.png", fixtures.png(fixtures.no_face()))
    judged(page)
    expect(page.locator("[role=status]")).to_contain_text("NO FACE")


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_sticks_out_of_the_window(visit, width):
    page = visit(viewport={"width": width, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    choose(page, "whole.png", fixtures.png(astronaut()))
    judged(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_every_label_is_filled_in(visit):
    page = visit()
    assert page.locator("[data-text]:empty, [data-label]:not([aria-label])").count() == 0
    assert page.locator("#picture").get_attribute("alt")
