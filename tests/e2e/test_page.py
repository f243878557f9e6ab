"""The page without a camera: pictures, problems with a way out, and what every state shows."""

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import fixtures
import numpy as np
import pytest
import states
from pictures import astronaut
from playwright.sync_api import BrowserContext, Page, Route, expect
from states import shown_in

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
CLIP = Path(__file__).parents[2] / "web" / "samples" / "clip.webm"


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
        contexts.append(browser.new_context(service_workers="block", **options))
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


def after_the_check(answer: Callable[[Route], None]) -> Callable[[Route], None]:
    """Let the page's entry see a file as it is, then answer otherwise."""
    asked = []

    def handle(route: Route) -> None:
        asked.append(route)
        route.fallback() if len(asked) == 1 else answer(route)

    return handle


def in_state(page: Page, name: str) -> None:
    """Wait until the page says that it is in a state."""
    expect(page.locator("html")).to_have_attribute("data-state", name, timeout=30_000)


def choose(page: Page, name: str, content: bytes, kind: str = "image/png") -> None:
    """Choose a file as through the browser's dialog."""
    page.locator("#file").set_input_files({"name": name, "mimeType": kind, "buffer": content})


def hand_over(page: Page, event: str, carrier: str, content: bytes) -> None:
    """Let a picture come by an event of the browser's, e.g. "drop" with its "dataTransfer"."""
    page.evaluate(
        """([event, carrier, content]) => {
          const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "whole.png", { type: "image/png" }));
          const Kind = carrier === "clipboardData" ? ClipboardEvent : DragEvent;
          const make = (type) => new Kind(type, { [carrier]: data, bubbles: true, cancelable: true });
          const target = document.querySelector("#stage");
          if (event === "drop") target.dispatchEvent(make("dragover"));
          target.dispatchEvent(make(event));
        }""",
        [event, carrier, base64.b64encode(content).decode()],
    )


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


@pytest.mark.parametrize("event, carrier", [("drop", "dataTransfer"), ("paste", "clipboardData")])
def test_a_picture_is_dropped_or_pasted(visit, event, carrier):
    page = visit()
    hand_over(page, event, carrier, fixtures.png(astronaut()))
    assert judged(page)["verdict"] != "none"


def test_a_paste_without_a_picture_changes_nothing(visit):
    page = visit()
    page.evaluate("document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))")
    in_state(page, "ready")


def test_each_sample_is_judged(visit):
    page = visit()
    samples = page.locator("[data-sample]")
    assert samples.count() >= 5
    for i in range(samples.count()):
        samples.nth(i).click()
        html = page.locator("html")
        expect(html).to_have_attribute("data-state", re.compile("^(picture|watched)$"), timeout=60_000)
        expect(html).not_to_have_attribute("data-verdict", "", timeout=30_000)


@pytest.mark.parametrize("motion, behavior", [("no-preference", "smooth"), ("reduce", "auto")])
@pytest.mark.parametrize("width, height", [(320, 640), (360, 740), (740, 360), (1280, 600)])
def test_who_taps_a_sample_further_down_is_brought_to_the_verdict(visit, width, height, motion, behavior):
    page = visit(viewport={"width": width, "height": height}, reduced_motion=motion)
    page.locator("footer").scroll_into_view_if_needed()
    for name in ("print", "live"):
        page.locator(f"[data-sample*={name}]").click()
        judged(page)
        expect(page.locator("#picture")).to_be_in_viewport(ratio=0.99)
        expect(page.locator("#verdict-word")).to_be_in_viewport(ratio=0.99)
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == behavior


def test_who_reads_below_a_video_is_left_there(visit):
    page = visit(viewport={"width": 360, "height": 740})
    page.locator("[data-sample*=clip]").click()
    in_state(page, "video")
    expect(page.locator("#film")).to_be_in_viewport(ratio=0.99)
    page.locator("footer").scroll_into_view_if_needed()
    in_state(page, "watched")
    page.wait_for_timeout(500)
    expect(page.locator("#film")).not_to_be_in_viewport()


def test_a_sample_that_does_not_come_is_named(visit):
    page = visit(routes={"**/samples-*/print.jpg": lambda route: route.abort()})
    page.click("[data-sample*=print]")
    in_state(page, "unfetched")


def test_an_unreadable_picture_is_named_and_another_can_be_chosen(visit):
    page = visit()
    choose(page, "broken.png", fixtures.png(astronaut())[:2000])
    in_state(page, "unreadable")
    assert "broken.png" in page.inner_text("#panel-text")
    with page.expect_file_chooser():
        page.click("#panel-actions [data-act=choose]")
    choose(page, "whole.png", fixtures.png(astronaut()))
    assert judged(page)["verdict"] != "none"


def test_a_picture_that_is_chosen_early_is_judged_when_the_networks_are_there(visit):
    held: list[Route] = []
    page = visit(state="loading", routes={"**/spoofnet-*.onnx": lambda route: held.append(route)})
    page.wait_for_selector("#panel-actions button")
    choose(page, "whole.png", fixtures.png(astronaut()))
    in_state(page, "picture")
    assert page.get_attribute("html", "data-verdict") == ""
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    assert judged(page)["verdict"] != "none"


# ---------------------------------------------------------------- videos


def test_a_video_is_judged_along_its_time_line(visit):
    page = visit()
    choose(page, "clip.webm", CLIP.read_bytes(), "video/webm")
    in_state(page, "video")
    expect(page.locator("#film-progress")).to_be_visible()
    in_state(page, "watched")
    assert page.locator("#film-share").evaluate("(bar) => bar.value") == pytest.approx(1)
    times = page.locator("#runs li").all_inner_texts()
    assert times and times[0].startswith("0:00.0")
    assert page.locator("#trace-plot .said").count() == len(times)
    assert page.evaluate("film.width > 0 && !film.hidden")


def test_a_video_can_be_cancelled_and_keeps_what_was_said(visit):
    page = visit()
    choose(page, "clip.webm", CLIP.read_bytes(), "video/webm")
    in_state(page, "video")
    page.click("[data-act=cancel]")
    in_state(page, "watched")
    assert page.locator("#film-share").evaluate("(bar) => bar.value") < 1
    assert "Cancelled" in page.inner_text("#film-text")
    expect(page.locator("#announcement")).to_contain_text("Cancelled")
    page.wait_for_timeout(500)
    in_state(page, "watched")


def test_a_broken_video_is_named(visit):
    page = visit()
    choose(page, "broken.webm", CLIP.read_bytes()[:300], "video/webm")
    in_state(page, "unreadable")
    assert "broken.webm" in page.inner_text("#panel-text")


def test_of_a_video_and_a_picture_the_latest_wins(visit):
    page = visit()
    choose(page, "clip.webm", CLIP.read_bytes(), "video/webm")
    in_state(page, "video")
    choose(page, "room.png", fixtures.png(fixtures.no_face()))
    assert judged(page)["verdict"] == "none"
    page.wait_for_timeout(500)
    assert judged(page)["verdict"] == "none"


# ---------------------------------------------------------------- threshold and evidence


def test_the_slider_moves_the_verdict_and_tells_what_it_costs(visit, rules):
    page = visit()
    page.click("#threshold summary")
    slider, reset = page.locator("#threshold-slider"), page.locator("#threshold-reset")
    expect(reset).to_be_disabled()
    before = page.inner_text("#threshold-rows")
    page.click("[data-sample*=live]")
    said = judged(page)
    assert said["verdict"] == "live" and said["reason"] == "", "the sample of a live face is accepted and live"
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("html")).to_have_attribute("data-verdict", "unsure")  # refused, but no attack
    assert page.get_attribute("html", "data-live") == said["live"], "only the threshold has changed"
    assert page.inner_text("#threshold-rows") != before
    assert "own threshold" in page.inner_text("#note")
    reset.click()
    expect(slider).to_be_focused()
    expect(page.locator("html")).to_have_attribute("data-verdict", "live")
    assert page.inner_text("#threshold-rows") == before
    page.click("[data-sample*=print]")
    assert judged(page)["verdict"] == "attack"
    for key, verdict in (("End", "attack"), ("Home", "live")):
        slider.focus()
        page.keyboard.press(key)
        expect(page.locator("html")).to_have_attribute("data-verdict", verdict)


@pytest.mark.parametrize("end, back", [("Home", "ArrowRight"), ("End", "ArrowLeft")])
def test_the_slider_tells_every_threshold_from_the_next(visit, end, back):
    page = visit()
    page.click("#threshold summary")
    page.locator("#threshold-slider").focus()
    told = []
    for key in (end, back, back):
        page.keyboard.press(key)
        told.append(page.inner_text("#threshold-state"))
    assert len(set(told)) == len(told), told


def test_the_slider_shows_the_cards_rates(visit, spoofnet):
    page = visit()
    page.click("#threshold summary")
    curve = contract.compiled(spoofnet.card, {})["curve"]
    for key, at in (("Home", 0), ("End", -1)):
        page.locator("#threshold-slider").focus()
        page.keyboard.press(key)
        rates = [curve[split][rate][at] for split in ("val", "test") for rate in ("apcer", "bpcer")]
        shown = [f"{100 * rate:.1f}\u00a0%" for rate in rates]
        expect(page.locator("#threshold-rows td")).to_have_text(shown)


def test_a_video_is_said_anew_at_another_threshold(visit):
    page = visit()
    choose(page, "clip.webm", CLIP.read_bytes(), "video/webm")
    in_state(page, "watched")
    page.click("#threshold summary")
    page.locator("#threshold-slider").focus()
    for key, never in (("Home", "attack"), ("End", "live")):
        page.keyboard.press(key)
        expect(page.locator(f"#runs [data-said={never}]")).to_have_count(0)


# ---------------------------------------------------------------- problems


def test_a_failed_download_is_named_and_can_be_tried_again(visit):
    page = visit(state="download", routes={"**/spoofnet-*.onnx": lambda route: route.abort()})
    page.context.unroute("**/spoofnet-*.onnx")
    page.click("#panel-actions [data-act=restart]")
    in_state(page, "ready")
    choose(page, "whole.png", fixtures.png(astronaut()))
    assert judged(page)["verdict"] != "none"


def test_a_broken_network_is_named_and_can_be_loaded_again(visit):
    page = visit(state="integrity", routes={"**/spoofnet-*.onnx": lambda route: route.fulfill(body=b"no graph")})
    page.context.unroute("**/spoofnet-*.onnx")
    page.click("#panel-actions [data-act=restart]")
    in_state(page, "ready")


def test_a_broken_worker_is_named_and_can_be_started_again(visit):
    page = visit(state="worker", routes={"**/worker.js": after_the_check(lambda route: route.abort())})
    page.context.unroute("**/worker.js")
    page.click("#panel-actions [data-act=restart]")
    in_state(page, "ready")


def test_a_browser_without_webassembly(visit):
    def without(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=f"delete globalThis.WebAssembly;\n{answer.text()}")

    page = visit(state="no-webassembly", routes={"**/worker.js": after_the_check(without)})
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
        assert judged(page)["verdict"] != "none"
        page.click("#control-actions [data-act=start]")
        in_state(page, "insecure")


def test_a_browser_without_camera_access_takes_pictures(visit):
    page = visit(state="unsupported", script=NO_CAMERA_API)
    choose(page, "whole.png", fixtures.png(astronaut()))
    assert judged(page)["verdict"] != "none"


def test_without_javascript_the_page_says_so(browser, server):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(server)
        assert "JavaScript" in page.inner_text(".noscript")


# ---------------------------------------------------------------- what is shown


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_state_has_words_and_a_way_out(visit, app, language):
    page = visit()
    for name, state in states.everything().items():
        shown = shown_in(page, app, state, language)
        ways = [way["act"] for way in (shown["panel"] or {}).get("actions", []) + shown["controls"]]
        assert ways, name
        assert shown["announcement"] and shown["verdict"]["text"], name
        assert "{" not in shown["announcement"] + shown["verdict"]["text"] + shown["verdict"]["note"], name
        if shown["panel"]:
            assert shown["panel"]["title"] and shown["panel"]["text"], name
            assert page.locator(f"#icon-{shown['panel']['icon']}").count() == 1, name


def test_numbers_are_written_as_the_language_does(visit, app):
    page, all_states = visit(), states.everything()
    for language, loaded, refused, time in (("en", "7.3", "4.9", "0:04.0"), ("de", "7,3", "4,9", "0:04,0")):
        assert f" {loaded} " in shown_in(page, app, all_states["loading"], language)["progress"]["text"]
        cancelled = shown_in(page, app, all_states["cancelled"], language)
        assert cancelled["threshold"]["rows"][0]["bpcer"].startswith(refused)
        assert time in cancelled["film"]["text"]


def test_every_verdict_has_a_word_a_sentence_and_a_sign(visit, app):
    page = visit()
    said, all_states = set(), states.everything()
    for source in ("running", "picture"):
        for word, percent in (("live", "95"), ("attack", "3"), ("unsure", "22"), ("none", "–")):
            verdict = shown_in(page, app, all_states[f"{source} {word}"])["verdict"]
            assert (verdict["name"], verdict["percent"].split("\u00a0")[0]) == (word, percent)
            assert page.locator(f"#icon-{word}").count() == 1
            said.add((verdict["word"], verdict["text"]))
    assert len({word for word, _ in said}) == 4 and len({text for _, text in said}) == 6


def test_a_refusal_stands_in_the_verdicts_place(visit, app):
    page = visit()
    told, words = set(), {"LIVE", "ATTACK", "UNSURE", "NO FACE"}
    all_states = states.everything()
    for name in [f"refused {reason}" for reason in states.REASONS] + [f"signal {name}" for name in states.SIGNALS]:
        shown = shown_in(page, app, all_states[name], show=True)
        reason = name.split()[1]
        assert page.get_attribute("html", "data-reason") == shown["verdict"]["reason"] == reason
        assert page.inner_text("#percent") == "–" and shown["target"]["tone"] == "warn"
        told.add((page.inner_text("#verdict-word"), page.inner_text("#verdict-text")))
    assert len(told) == len(states.REASONS) + len(states.SIGNALS)
    assert not words & {word for word, _ in told}
    for reason in states.REASONS:
        shown = shown_in(page, app, all_states[f"picture {reason}"])
        assert shown["verdict"]["reason"] == reason and shown["verdict"]["word"] == "NOT JUDGED"


def test_all_that_is_ever_refused_has_words(visit, app):
    page = visit()
    codes = page.evaluate("async (app) => (await import(new URL(`${app}/quality.js`, document.baseURI))).CODES", app)
    assert sorted(codes) == sorted(states.REASONS)


def test_a_face_that_fills_the_oval_is_not_refused(visit, app):
    page = visit()
    refused = page.evaluate(
        """async (app) => {
          const load = (name) => import(new URL(`${app}/${name}.js`, document.baseURI));
          const [{ oval }, { reasons }] = await Promise.all([load("guidance"), load("quality")]);
          const { quality, detector } = await (await fetch(`${app}/contract.json`)).json();
          const pixels = new Uint8Array(224 * 224 * 3).map((_, i) => (i * 7919) % 251);
          const side = detector.subpixel;
          return [[640, 480], [480, 640], [1280, 720]].flatMap(([width, height]) => {
            const { cx, cy, rx } = oval(width, height);
            const [x0, y0, x1, y1] = [cx - rx, cy - rx, cx + rx, cy + rx].map((value) => Math.round(value * side));
            const eyes = [x0, y0, x1, y0, (x0 + x1) / 2, cy * side, cx * side, y1, x0, y0, x1, y0];
            const face = { x0, y0, x1, y1, score: 65536, keypoints: eyes };
            return reasons(face, [face], width, height, pixels, quality, side);
          });
        }""",
        app,
    )
    assert refused == []


def test_the_oval_is_told_apart_by_its_dashes(visit, app):
    page = visit()
    dashes = set()
    for name, tone in (("running live", "ok"), ("running none", "neutral"), ("refused blurred", "warn")):
        shown_in(page, app, states.everything()[name], show=True)
        oval = page.locator(f"#overlay .oval.{tone}")
        dashes.add(oval.evaluate("(e) => getComputedStyle(e).strokeDasharray"))
    assert len(dashes) == 3


def test_loading_shows_how_much_has_come(visit, app):
    page = visit()
    progress = shown_in(page, app, states.everything()["loading"])["progress"]
    assert "7.3 of 18.9 MB" in progress["text"]
    assert progress["share"] == pytest.approx(7.34 / 18.9)
    assert shown_in(page, app, {})["progress"]["share"] is None


def test_the_keyboard_reaches_everything_and_is_not_lost(visit):
    page = visit()
    focus = "document.activeElement.dataset.act ?? document.activeElement.className"
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(focus))
    assert reached == ["skip", "", "", "start", "choose"]  # between them the two languages
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("html")).not_to_have_attribute("data-state", "ready")
    expect(page.locator("#panel-actions > :first-child")).to_be_focused()


def test_a_screen_reader_hears_the_verdict(visit):
    page = visit()
    choose(page, "room.png", fixtures.png(fixtures.no_face()))
    judged(page)
    expect(page.locator("#announcement")).to_contain_text("NO FACE")
    choose(page, "wall.png", fixtures.png(fixtures.no_face()))
    expect(page.locator("#announcement")).to_contain_text(re.compile("wall.png.*NO FACE"))


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("width, height", [(320, 640), (740, 360), (768, 1024), (1280, 800)])
def test_nothing_sticks_out_of_the_window(visit, app, width, height, language):
    page = visit(viewport={"width": width, "height": height})
    page.evaluate("threshold.open = true")
    for name, state in states.everything().items():
        shown_in(page, app, state, language, show=True)
        assert page.evaluate("document.documentElement.scrollWidth") == width, name


@pytest.mark.parametrize("width, height", [(320, 640), (360, 740), (740, 360), (1280, 800)])
def test_face_and_verdict_fit_on_the_screen_together(visit, app, width, height):
    page = visit(viewport={"width": width, "height": height})
    page.evaluate("stage.style.setProperty('--ratio', '4 / 3')")
    for name in ("running live", "refused too-dark", "picture attack", "watched"):
        shown_in(page, app, states.everything()[name], "de", show=True)
        assert page.locator("#verdict-text").evaluate("(e) => e.getBoundingClientRect().bottom") <= height, name


def test_every_label_is_filled_in(visit):
    page = visit()
    assert page.locator("[data-text]:empty, [data-label]:not([aria-label])").count() == 0
    assert page.locator("#picture").get_attribute("alt")


# ---------------------------------------------------------------- languages


def test_the_dictionaries_have_the_same_keys_and_placeholders(visit, app):
    page = visit()
    languages = page.evaluate(
        "async (app) => (await import(new URL(`${app}/strings.js`, document.baseURI))).LANGUAGES", app
    )
    assert len(languages) >= 2
    holes = {
        code: {key: sorted(re.findall(r"\{(\w+)\}", sentence)) for key, sentence in sentences.items()}
        for code, sentences in languages.items()
    }
    for code, sentences in languages.items():
        assert holes[code] == holes["en"], code
        assert all(sentence.strip() for sentence in sentences.values()), code


def test_no_sentence_is_left_over(visit, app, site):
    page = visit()
    keys = page.evaluate(
        "async (app) => Object.keys((await import(new URL(`${app}/strings/en.js`, document.baseURI))).en)", app
    )
    sources = [path for path in (site / app).rglob("*.js") if path.parent.name != "strings"]
    written = "\n".join(path.read_text() for path in [*sources, site / "index.html"])
    made = ("word", "text", "title", "still", "act", "name")  # their first half is the name of a state, word or reason
    unused = [
        key
        for key in keys
        if f'"{key}"' not in written
        and not key.startswith(("threshold.", "language", "noscript"))
        and not (key.split(".")[-1] in made and f".{key.split('.')[-1]}`" in written)
    ]
    assert unused == ["act.https", "act.tab"], "said by `act.${how}`"


def test_without_javascript_and_before_it_the_page_says_the_dictionarys_words(visit, app, site):
    page = visit()
    languages = page.evaluate(
        "async (app) => (await import(new URL(`${app}/strings.js`, document.baseURI))).LANGUAGES", app
    )
    html = (site / "index.html").read_text()
    english = languages["en"]
    assert f"<title>{english['title']}</title>" in html and f">{english['heading']}</h1>" in html
    assert f'name="description" content="{english["description"]}"' in html
    assert all(sentences["noscript"] in html for sentences in languages.values())


@pytest.mark.parametrize(
    "locale, query, spoken",
    [
        ("de-AT", "", "de"),
        ("en-GB", "", "en"),
        ("fr-FR", "", "en"),
        ("de-DE", "?lang=en", "en"),
        ("en-US", "?lang=de", "de"),
    ],
)
def test_the_language_follows_the_address_then_the_browser(visit, server, locale, query, spoken):
    page = visit(locale=locale)
    page.goto(server + query)
    in_state(page, "ready")
    assert page.get_attribute("html", "lang") == spoken
    assert page.inner_text("#languages [aria-current]") == {"en": "English", "de": "Deutsch"}[spoken]


def test_the_language_is_switched_in_place_and_kept(visit):
    page = visit(locale="en-US")
    choose(page, "room.png", fixtures.png(fixtures.no_face()))
    assert judged(page)["verdict"] == "none"
    page.get_by_role("link", name="Deutsch").click()
    assert page.inner_text("#verdict-word") == "KEIN GESICHT"
    assert (page.get_attribute("html", "lang"), page.title()) == ("de", "SpoofNet · Ist dieses Gesicht wirklich da?")
    assert page.get_attribute("#threshold-slider", "aria-label") == "Schwelle"
    expect(page.get_by_role("link", name="Deutsch")).to_be_focused()
    page.reload()
    in_state(page, "ready")
    assert page.get_attribute("html", "lang") == "de"
