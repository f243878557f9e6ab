"""The engine by itself: the example on the developers' page runs as it stands there, and every call keeps its word."""

import re
import shutil
from collections.abc import Iterator
from html import unescape

import fixtures
import pytest
from pictures import astronaut
from playwright.sync_api import Page, expect

from spoofweb import cli, contract, serve
from spoofweb.quality import CODES

EXAMPLE = "example.html"
LAB = """<!doctype html><script type="module">
import { createDetector, EngineError } from "./spoofweb.js";
window.lab = { createDetector, EngineError };
</script>"""


@pytest.fixture(scope="module")
def code(site) -> str:
    """The example as a reader copies it."""
    page = (site / "developers.html").read_text()
    return unescape(re.search(r'<code id="example-code">(.*?)</code>', page, re.S)[1])


@pytest.fixture(scope="module")
def beside(site, code, tmp_path_factory) -> Iterator[str]:
    """The URL of the site with the example and a page of our own beside it."""
    folder = shutil.copytree(site, tmp_path_factory.mktemp("beside") / "site")
    (folder / EXAMPLE).write_text(code)
    (folder / "lab.html").write_text(LAB)
    (folder / "face.png").write_bytes(fixtures.png(astronaut()))
    with serve.serving(folder) as url:
        yield url


@pytest.fixture
def lab(page, beside) -> Page:
    """A page of our own that has imported the engine."""
    page.goto(f"{beside}lab.html")
    page.wait_for_function("window.lab")
    return page


def test_the_example_is_short(code):
    assert len(code.strip().splitlines()) < 15


def test_the_example_runs(launch, beside, tmp_path):
    file = fixtures.Clip("face", [next(fixtures.bona_fides())] * 5).write(tmp_path)
    switches = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with launch(*switches, f"--use-file-for-fake-video-capture={file}") as browser:
        page = browser.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(f"{beside}{EXAMPLE}")
        said = re.compile("|".join(["live", "attack", "unsure", *CODES]))
        expect(page.locator("output")).to_have_text(said, timeout=30_000)
        assert errors == []


def test_a_picture_is_judged_as_by_predict(lab, pipeline, spoofnet, tmp_path):
    file = tmp_path / "face.png"
    file.write_bytes(fixtures.png(astronaut()))
    (said,) = cli.predict(file, pipeline, contract.verdict_rules(spoofnet.card))
    seen = lab.evaluate(
        """async () => {
          const heard = [];
          const detector = await lab.createDetector({ onProgress: ({ loaded, total }) => heard.push(loaded / total) });
          const file = await (await fetch("face.png")).blob();
          const image = new Image();
          image.src = "face.png";
          await image.decode();
          const both = await Promise.all([detector.detect(file), detector.detect(image)]);
          detector.close();
          const after = await detector.detect(file).catch((error) => error instanceof lab.EngineError && error.reason);
          return { heard, both, after };
        }"""
    )
    assert seen["heard"] == sorted(seen["heard"]) and seen["heard"][-1] == 1
    assert seen["after"] == "closed"
    for detection in seen["both"]:
        assert detection["verdict"] == said["verdict"]
        assert abs(detection["live"] - said["live"]) <= 1e-4
        assert detection["reason"] == (said["reasons"][0] if said["reasons"] else None)
        (box,) = detection["faces"]
        x0, y0, x1, y1 = said["box"]
        assert (box["x"], box["y"], box["width"], box["height"]) == pytest.approx((x0, y0, x1 - x0, y1 - y0), abs=0.02)


def test_a_stream_takes_time_and_starts_over(lab):
    verdicts = lab.evaluate(
        """async () => {
          const detector = await lab.createDetector();
          const face = await createImageBitmap(await (await fetch("face.png")).blob());
          const words = [];
          for (let i = 0; i < 8; i++) words.push((await detector.detect(face, i * 100)).verdict);
          detector.reset();
          words.push((await detector.detect(face, 900)).verdict);
          return words;
        }"""
    )
    first, settled, after = verdicts[0], verdicts[7], verdicts[8]
    assert first == after == "unsure" and settled == verdicts[6], verdicts


def test_what_cannot_be_read_is_named_and_the_next_is_judged(lab):
    answers = lab.evaluate(
        """async () => {
          const detector = await lab.createDetector();
          const broken = await detector.detect(new Blob(["no picture"])).catch(({ reason }) => reason);
          const next = await detector.detect(await createImageBitmap(new ImageData(64, 64)));
          return [broken, next.verdict, next.live];
        }"""
    )
    assert answers == ["frame", "none", None]


def test_loading_can_be_given_up(lab):
    names = lab.evaluate(
        """async () => {
          const early = lab.createDetector({ signal: AbortSignal.abort() });
          const control = new AbortController();
          const late = lab.createDetector({ signal: control.signal, onProgress: () => control.abort() });
          return Promise.all([early, late].map((made) => made.catch(({ name }) => name)));
        }"""
    )
    assert names == ["AbortError", "AbortError"]


def test_a_missing_file_is_named(lab):
    reason = lab.evaluate("lab.createDetector({ contract: 'nowhere.json' }).catch(({ reason }) => reason)")
    assert reason == "download"
