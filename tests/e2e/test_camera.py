"""The page before Chromium's fake camera: the same answers as Python's on the same clip, and no dead end."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import fixtures
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from spoofweb import contract, serve, verdict
from spoofweb.cli import judged
from spoofweb.face import Face
from spoofweb.media import read_video
from spoofweb.pipeline import Observation

BOOKS = Path(__file__).with_name("cameras.js")
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
TOLERANCE = 0.02
CLEAR = 0.1  # logits that a fixture keeps from each threshold
START, STOP = "#panel-actions [data-act=start]", "#control-actions [data-act=stop]"


@pytest.fixture(scope="module")
def rules(spoofnet) -> dict:
    """The contract's verdict rules."""
    return contract.verdict_rules(spoofnet.card)


@pytest.fixture(scope="module")
def clips(pipeline, rules) -> dict[str, fixtures.Clip]:
    """Clips by name."""
    bona_fide = decided(fixtures.bona_fides(), pipeline, rules)
    stills = {"bona_fide": bona_fide, "no_face": fixtures.no_face()}
    stills |= {kind: decided(fixtures.attacks(kind), pipeline, rules) for kind in ("print", "phone", "monitor")}
    clips = {name: [still] * 5 for name, still in stills.items()}
    clips["black"] = [np.zeros_like(bona_fide)] * 5
    clips["lost_and_found"] = fixtures.lost_and_found(bona_fide)
    return {name: fixtures.Clip(name, frames) for name, frames in clips.items()}


@pytest.fixture(scope="module")
def camera(launch, clips, tmp_path_factory):
    """A Chromium whose camera shows the bona fide still."""
    file = clips["bona_fide"].write(tmp_path_factory.mktemp("clip"))
    with launch(*FAKE_CAMERA, f"--use-file-for-fake-video-capture={file}") as browser:
        yield browser


@pytest.fixture
def page(camera, server) -> Iterator[Page]:
    """The page in that Chromium, its networks loaded; no error may be left uncaught, no track or loop left over."""
    with camera.new_context(service_workers="block") as context:
        page = context.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(error))
        opened(page, server)
        yield page
        assert page.evaluate("books.mostWaiting") <= 1, "two loops took frames at once"
        assert errors == []


def decided(stills: Iterator[np.ndarray], pipeline, rules: dict) -> np.ndarray:
    """The first still whose answer does not hang on rounding, as in two ways to convert colours."""
    attack, live = verdict.bounds(rules)
    kept = rules["hysteresis"]
    bounds = [bound / rules["logit_one"] for bound in (attack, attack + kept, live - kept, live)]
    rng = np.random.default_rng(0)
    for still in stills:
        steps = (rng.choice((-1, 0, 1), still.shape, p=(0.06, 0.88, 0.06)) for _ in range(4))
        logits = [pipeline.observe(np.clip(still + step, 0, 255).astype(np.uint8)).logit for step in steps]
        if None in logits:
            continue
        lives = [verdict.probability(logit * rules["logit_one"], rules) for logit in logits]
        clear = all(abs(logit - bound) > CLEAR for logit in logits for bound in bounds)
        if clear and max(lives) - min(lives) <= TOLERANCE / 2:
            return still
    raise AssertionError("no still has an answer of its own; add candidates to the fixtures")


def opened(page: Page, url: str) -> None:
    """Load the site with books kept, and wait for its networks."""
    page.add_init_script(path=BOOKS)
    page.goto(url)
    state(page, "ready")


def state(page: Page, name: str) -> None:
    """Wait until the page says that it is in a state."""
    expect(page.locator("html")).to_have_attribute("data-state", name, timeout=30_000)


def until(page: Page, condition: str, seconds: float = 30) -> None:
    """Wait until a JavaScript expression is true; the page's CSP forbids Playwright's own way of doing so."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"never became true: {condition}"
        page.wait_for_timeout(50)


def start(page: Page) -> None:
    """Press the panel's start button and wait for judged frames."""
    page.click(START)
    judging(page)


def judging(page: Page) -> None:
    """Wait until frames are judged, one camera is on and one loop runs."""
    state(page, "running")
    until(page, "Number(document.documentElement.dataset.frames) >= 3")
    assert page.evaluate("books.live()") == 1


def all_off(page: Page) -> None:
    """No camera is on, and no loop waits for a frame."""
    assert page.evaluate("books.live()") == 0
    until(page, "books.waiting.size === 0")


def replayed(said: list[dict], observations: dict[bool, Observation], rules: dict) -> list[verdict.State]:
    """What Python says of frames taken when the page took its own. observations: of the frame with a face, without."""
    state, states = verdict.State(), []
    for entry in said:
        state = verdict.step(state, judged(observations[entry["face"]], entry["timeMs"], rules), rules)
        states.append(state)
    return states


@pytest.mark.parametrize("name", ["bona_fide", "print", "phone", "monitor", "no_face", "lost_and_found"])
def test_the_page_agrees_with_python(name, clips, launch, server, pipeline, rules, tmp_path):
    file = clips[name].write(tmp_path)
    different = {frame.tobytes(): frame for _, frame in read_video(file)}.values()
    observations = {seen.face is not None: seen for seen in map(pipeline.observe, different)}
    assert len(observations) == len(different), "the page's frames could not be told apart"
    awaited = {"no_face": "none"}.get(name) or verdict.word(verdict.fixed(observations[True].logit, rules), rules)
    enough = f"books.said.some((s) => s.frames >= {rules['window_frames']} && s.verdict === '{awaited}')"
    if name == "lost_and_found":  # with a face, without and with one again
        enough = "books.said.filter((s, i, all) => s.verdict === 'none' && all[i - 1]?.verdict !== 'none').length > 2"
    with launch(*FAKE_CAMERA, f"--use-file-for-fake-video-capture={file}") as browser:
        for facing in ("front", "rear"):
            with browser.new_context() as context:
                page = context.new_page()
                opened(page, server)
                start(page)
                if facing == "rear":
                    page.click("#control-actions [data-act=turn]")
                    until(page, "document.querySelector('#cameras').value === 'rear'")
                until(page, enough, seconds=90)
                said = newest_start(page.evaluate("books.said"))
                if list(observations) == [True]:
                    assert_marked(page, observations[True].face)
            states = replayed(said, observations, rules)
            assert [entry["verdict"] for entry in said] == [state.word for state in states]
            for entry, state in zip(said, states, strict=True):
                assert (entry["live"] == "") == (state.mean is None)
                if state.mean is not None:
                    assert abs(float(entry["live"]) - verdict.probability(state.mean, rules)) <= TOLERANCE


def assert_marked(page: Page, face: Face) -> None:
    """The page's frame has the clip's size, and its face is marked where Python finds it, to two pixels."""
    assert page.get_attribute("#overlay", "viewBox") == f"0 0 {fixtures.WIDTH} {fixtures.HEIGHT}"
    corners = page.get_attribute("#overlay .box", "d")
    x0, x1, *_ = (float(x) for x in re.findall(r"M([\d.-]+) ", corners))
    subpixel = contract.CONTRACT["detector"]["subpixel"]
    assert abs(x0 - face.x0 / subpixel) <= 2 and abs(x1 - face.x1 / subpixel) <= 2


def newest_start(said: list[dict]) -> list[dict]:
    """One entry for each frame that was judged since the camera was started or switched."""
    first = max(i for i, entry in enumerate(said) if entry["frames"] == 0) + 1
    return [entry for i, entry in enumerate(said[first:]) if entry["frames"] == i + 1]


def test_nothing_is_requested_once_the_networks_are_loaded(camera, site):
    requests, live = [], "document.documentElement.dataset.live"
    with camera.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        with serve.serving(site) as url:
            opened(page, url)
            page.evaluate("navigator.serviceWorker.ready.then(() => true)")  # it has its own copy of all by now
            assert requests and all(address.startswith(url) for address in requests if "://" in address), requests
            assert any(address.endswith(".onnx") for address in requests), "the worker's requests are not seen"
        requests.clear()
        context.set_offline(True)  # and the server has gone
        start(page)
        until(page, f"{live} !== ''")
        page.click(STOP)
        page.locator("#file").set_input_files(
            {"name": "room.png", "mimeType": "image/png", "buffer": fixtures.png(fixtures.no_face())}
        )
        expect(page.locator("html")).to_have_attribute("data-verdict", "none")
        start_again = page.locator("#control-actions [data-act=start]")
        start_again.click()
        judging(page)
    assert [address for address in requests if address.startswith("http")] == []


def breaking_down(page: Page, workers: int) -> None:
    """Let the worker's first so many copies die of their fifth frame; what the page's entry checks is as it was."""
    asked = []

    def answer(route: Route) -> None:
        asked.append(route)
        if not 1 < len(asked) <= 1 + workers:
            return route.fallback()
        whole = route.fetch()
        dying = "let left = 5; addEventListener('message', ({ data }) => { if (data.bitmap && !--left) throw 0; });"
        return route.fulfill(response=whole, body=f"{dying}\n{whole.text()}")

    page.route("**/worker.js", answer)
    page.reload()
    state(page, "ready")


def test_a_worker_that_breaks_down_is_replaced(page):
    breaking_down(page, 1)
    start(page)
    frames = "Number(document.documentElement.dataset.frames)"
    until(page, f"{frames} > 12")
    state(page, "running")


def test_a_worker_that_breaks_down_again_is_said(page):
    breaking_down(page, 2)
    page.click(START)
    state(page, "worker")
    until(page, "books.live() === 0")
    page.click("#panel-actions [data-act=restart]")
    state(page, "stopped")
    start(page)


def test_memory_that_runs_out_costs_the_engine_once(page):
    asked = []

    def answer(route: Route) -> None:
        asked.append(route)
        if len(asked) != 2:
            return route.fallback()
        whole = route.fetch()
        starving = """let left = 5; const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
        OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...box) {
          if (--left < 0) throw new RangeError("Array buffer allocation failed");
          return read.apply(this, box);
        };"""
        return route.fulfill(response=whole, body=f"{starving}\n{whole.text()}")

    page.route("**/worker.js", answer)
    page.reload()
    state(page, "ready")
    start(page)
    until(page, "Number(document.documentElement.dataset.frames) > 12")
    assert len(asked) == 3, "the page's entry, the starving worker and the one in its place"


def test_another_size_in_mid_run_and_a_device_that_is_turned(page):
    start(page)
    for width, height in ((320, 240), (240, 320), (640, 480)):
        page.evaluate(
            """([width, height]) => books.tracks.at(-1).applyConstraints(
              { width: { exact: width }, height: { exact: height }, resizeMode: "crop-and-scale" })""",
            [width, height],
        )
        until(page, f"video.videoWidth === {width} && video.videoHeight === {height}")
        frames = page.evaluate("Number(document.documentElement.dataset.frames)")
        until(page, f"Number(document.documentElement.dataset.frames) > {frames} + 2")
        assert page.get_attribute("html", "data-state") == "running"
        if page.locator("#overlay .box").count():
            assert page.get_attribute("#overlay", "viewBox") == f"0 0 {width} {height}"


def test_two_cameras_are_swapped_fifty_times(page):
    start(page)
    for number in range(50):
        page.click("#control-actions [data-act=turn]")
        until(page, f"document.querySelector('#cameras').value === '{('rear', 'front')[number % 2]}'")
    judging(page)
    assert page.evaluate("books.live()") == 1 and page.evaluate("books.tracks.length") == 51


def test_the_preview_is_mirrored_for_the_front_camera_only(page):
    over = "'#video, #overlay, #heat'"
    transforms = f"[...document.querySelectorAll({over})].map((e) => getComputedStyle(e).transform)"
    start(page)
    page.check("#heat-switch")
    page.wait_for_selector("#heat:not([hidden])")
    page.wait_for_selector("#overlay .box", state="attached")
    assert page.evaluate(transforms) == ["matrix(-1, 0, 0, 1, 0, 0)"] * 3
    box = page.get_attribute("#overlay .box", "d")
    page.click("#control-actions [data-act=turn]")
    until(page, "document.querySelector('#cameras').value === 'rear'")
    page.wait_for_selector("#overlay .box", state="attached")
    assert page.evaluate(transforms) == ["none"] * 3
    assert page.get_attribute("#overlay .box", "d") == box, "what is judged must not be mirrored"


def test_a_camera_is_chosen_from_the_list(page):
    start(page)
    assert page.locator("#cameras option").all_inner_texts() == ["The front camera", "The rear camera"]
    page.select_option("#cameras", "rear")
    until(page, "books.asked.length === 2")
    judging(page)
    assert page.evaluate("books.asked[1].deviceId") == {"exact": "rear"}
    assert page.input_value("#cameras") == "rear"
    expect(page.locator("#list-note")).to_be_hidden()


def test_a_double_start_starts_once(page):
    page.evaluate("books.delayMs = 200")
    page.evaluate("for (const n of [1, 2]) document.querySelector('[data-act=start]')?.click()")
    judging(page)
    assert page.evaluate("books.tracks.length") == 1


def test_of_two_starts_at_once_the_latest_wins(page, app):
    page.evaluate("books.delayMs = 200")
    name, facing = page.evaluate(
        """async (app) => {
          const { Camera } = await import(new URL(`${app}/camera.js`, document.baseURI));
          const camera = new Camera(() => {});
          await Promise.all([
            camera.start({ facing: "user" }),
            camera.start({ facing: "user" }),
            camera.start({ facing: "environment" }),
          ]);
          return [camera.state.name, camera.state.stream.getVideoTracks()[0].getSettings().facingMode];
        }""",
        app,
    )
    assert (name, facing) == ("running", "environment")
    assert page.evaluate("books.live()") == 1


def test_switching_while_a_switch_is_under_way(page):
    start(page)
    page.evaluate("books.delayMs = 300")
    page.select_option("#cameras", "rear")
    state(page, "asking")
    page.evaluate(
        """() => {
          const list = document.querySelector("#cameras");
          list.replaceChildren(new Option("front", "front"));
          list.dispatchEvent(new Event("change"));
        }"""
    )
    judging(page)
    page.wait_for_timeout(700)  # the overtaken camera would be here by now
    assert page.evaluate("books.live()") == 1
    assert page.evaluate("books.tracks.find((t) => t.readyState === 'live').getSettings().deviceId") == "front"


def test_a_stop_while_starting_leaves_no_camera_on(page):
    page.evaluate("books.delayMs = 300")
    page.click(START)
    state(page, "asking")
    page.click("#panel-actions [data-act=stop]")
    state(page, "stopped")
    page.wait_for_timeout(700)
    all_off(page)
    start(page)


def test_stop_and_start_again(page):
    start(page)
    page.click(STOP)
    state(page, "stopped")
    all_off(page)
    start(page)


def test_an_unplugged_camera_is_named_and_can_be_started_again(page):
    start(page)
    page.evaluate("books.tracks[0].stop(), books.tracks[0].dispatchEvent(new Event('ended'))")
    state(page, "ended")
    all_off(page)
    start(page)


@pytest.mark.parametrize(
    "error, permission, name",
    [
        ("NotAllowedError", "denied", "denied"),
        ("NotAllowedError", "prompt", "dismissed"),
        ("NotFoundError", "granted", "no-camera"),
        ("NotReadableError", "granted", "busy"),
        ("AbortError", "granted", "busy"),
    ],
)
def test_a_refusal_is_named_and_the_next_start_works(page, error, permission, name):
    page.evaluate("(change) => Object.assign(books, change)", {"refusals": [error], "permission": permission})
    page.click(START)
    state(page, name)
    assert error in page.inner_text("#panel-detail")
    all_off(page)
    start(page)


def test_a_camera_that_is_gone_is_replaced_by_another(page):
    start(page)
    page.evaluate("books.refusals = ['OverconstrainedError']")
    page.select_option("#cameras", "rear")
    until(page, "books.asked.length === 3")
    judging(page)
    assert "deviceId" not in page.evaluate("books.asked[2]")
    expect(page.locator("#list-note")).to_be_visible()
    page.select_option("#cameras", "rear")
    until(page, "books.asked.length === 4")
    assert "deviceId" in page.evaluate("books.asked[3]"), "it is there again, and asked for again"


def test_the_keyboard_stays_in_the_list_of_cameras(page):
    start(page)
    page.focus("#cameras")
    page.select_option("#cameras", "rear")
    until(page, "books.asked.length === 2")
    judging(page)
    expect(page.locator("#cameras")).to_be_focused()


def test_a_camera_that_cannot_do_it_is_named(page):
    page.evaluate("books.refusals = ['OverconstrainedError', 'OverconstrainedError']")
    page.click(START)
    state(page, "overconstrained")
    assert page.evaluate("books.asked.length") == 2
    start(page)


def hide(page: Page, hidden: bool) -> None:
    """Let the page believe that its tab went out of sight, or came back."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


@pytest.mark.parametrize("permission", ["granted", "prompt"])
def test_a_hidden_page_switches_the_camera_off(page, permission):
    start(page)
    page.evaluate("(permission) => { books.permission = permission; }", permission)
    hide(page, True)
    state(page, "paused")
    all_off(page)
    hide(page, False)
    if permission == "prompt":  # going on by itself would make the browser ask out of the blue
        state(page, "paused")
        page.click(START)
    judging(page)


def test_a_camera_that_comes_while_the_page_is_hidden_is_switched_off(page):
    page.evaluate("books.delayMs = 200")
    page.click(START)
    hide(page, True)
    state(page, "paused")
    all_off(page)


def test_the_trace_and_the_evidence_follow_the_camera(page):
    start(page)
    until(page, "document.querySelectorAll('#trace-plot .curve').length > 0")
    assert "10 seconds" in page.get_attribute("#trace-plot", "aria-label")
    expect(page.locator("#heat")).to_be_hidden()
    page.get_by_role("switch").check()
    until(page, "!document.querySelector('#heat').hidden")
    painted = page.evaluate(
        """() => {
          const canvas = document.querySelector("#heat");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const inked = [...Array(canvas.width * canvas.height).keys()].filter((i) => data[4 * i + 3] > 0);
          const columns = inked.map((i) => i % canvas.width);
          return [canvas.width, columns.reduce((a, b) => Math.min(a, b)), columns.reduce((a, b) => Math.max(a, b))];
        }"""
    )
    x0, *_ = re.findall(r"M([\d.-]+) ", page.get_attribute("#overlay .box", "d"))
    width, left, right = painted
    assert width == fixtures.WIDTH and left <= float(x0) <= right, "the evidence lies on the face, not mirrored itself"
    page.get_by_role("switch").uncheck()
    expect(page.locator("#heat")).to_be_hidden()


def test_a_frozen_picture_is_told_and_the_word_withheld(page):
    start(page)
    expect(page.locator("html")).to_have_attribute("data-reason", "", timeout=5000)
    page.evaluate("books.noise = false")
    expect(page.locator("html")).to_have_attribute("data-reason", "frozen", timeout=20_000)
    assert page.locator("#verdict-card").get_attribute("data-tone") == "hint"
    page.evaluate("books.noise = true")
    expect(page.locator("html")).to_have_attribute("data-reason", "", timeout=10_000)


def test_a_muted_camera_is_told(page):
    start(page)
    page.evaluate(
        """() => {
          const [track] = books.tracks;
          window.mute = (muted) => {
            Object.defineProperty(track, "muted", { value: muted, configurable: true });
            track.dispatchEvent(new Event(muted ? "mute" : "unmute"));
          };
          mute(true);
        }"""
    )
    expect(page.locator("html")).to_have_attribute("data-reason", "muted")
    page.evaluate("mute(false)")
    expect(page.locator("html")).to_have_attribute("data-reason", "")


def test_empty_frames_are_passed_over(page):
    start(page)
    frames = "Number(document.documentElement.dataset.frames)"
    page.evaluate("Object.defineProperty(video, 'videoWidth', { value: 0, configurable: true })")
    page.wait_for_timeout(300)  # a frame may be under way
    before = page.evaluate(frames)
    page.wait_for_timeout(500)
    assert page.evaluate(frames) == before
    page.evaluate("delete video.videoWidth")
    until(page, f"{frames} > {before}")
    state(page, "running")


def test_a_black_picture_is_told(clips, launch, server, tmp_path):
    file = clips["black"].write(tmp_path)
    with launch(*FAKE_CAMERA, f"--use-file-for-fake-video-capture={file}") as browser:
        with browser.new_context(service_workers="block") as context:
            page = context.new_page()
            opened(page, server)
            start(page)
            expect(page.locator("html")).to_have_attribute("data-reason", "black")


def test_without_anyone_the_camera_goes_off_after_two_minutes(clips, launch, server, tmp_path):
    file = clips["no_face"].write(tmp_path)
    with launch(*FAKE_CAMERA, f"--use-file-for-fake-video-capture={file}") as browser:
        with browser.new_context(service_workers="block") as context:
            page = context.new_page()
            page.clock.install()
            opened(page, server)
            start(page)
            page.clock.fast_forward(110_000)
            page.keyboard.press("Shift")  # someone is there
            page.clock.fast_forward(110_000)
            judging(page)
            page.clock.fast_forward(20_000)
            state(page, "asleep")
            all_off(page)
            start(page)


def test_a_face_keeps_the_camera_on(page):
    page.clock.install()
    page.reload()
    state(page, "ready")
    start(page)
    for _ in range(2):
        page.clock.fast_forward(110_000)
        before = page.evaluate("Number(document.documentElement.dataset.frames)")
        until(page, f"Number(document.documentElement.dataset.frames) > {before + 1}")
    state(page, "running")


def test_a_machine_without_camera(launch, server):
    with launch() as browser, browser.new_context(permissions=["camera"]) as context:
        page = context.new_page()
        page.goto(server)
        state(page, "ready")
        page.click(START)
        state(page, "no-camera")


def test_a_browser_that_says_no(launch, server):
    with launch("--use-fake-device-for-media-stream", "--deny-permission-prompts") as browser:
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(server)
            state(page, "ready")
            page.click(START)
            expect(page.locator("html")).to_have_attribute("data-state", "denied")
