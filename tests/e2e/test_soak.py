"""Frames upon frames through the page's engine: memory stays level, every bitmap is closed, nothing is asked for.

The frames' clock runs 0.9 s from one to the next, so that 2,000 of them are half an hour:

    SPOOFWEB_SOAK_FRAMES=2000 python -m pytest tests/e2e/test_soak.py --junitxml soak.xml -o junit_family=legacy
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from lab import Lab
from playwright.sync_api import Browser, CDPSession, Page
from scenes import placed

from tests.pictures import halftoned

SCRIPT = Path(__file__).with_name("soak.js")
FRAMES = int(os.environ.get("SPOOFWEB_SOAK_FRAMES", "120"))
EARLY = min(200, FRAMES // 3)  # what is made once has been made by then
GAP_MS = 900
LEVEL = 1.05  # of the memory then
ROOM = 300_000  # bytes, what garbage collectors keep or give up as they please

TALLY = """
let received = 0, closed = 0, memory = null;
addEventListener("message", ({ data }) => { if (data.type === "frame") received++; });
const close = ImageBitmap.prototype.close;
ImageBitmap.prototype.close = function () { closed++; close.call(this); };
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) { memory = this; return grow.call(this, pages); };
const tally = new BroadcastChannel("tally");
tally.onmessage = () => tally.postMessage({ received, closed, wasm: memory?.buffer.byteLength ?? 0 });
"""
COMPLAINTS = """
window.complaints = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  complaints.push(`${violatedDirective} ${blockedURI}`);
});
"""


class Soak:
    """An engine in a page of its own, with what it costs."""

    def __init__(self, page: Page, server: str, app: str, site, before_worker: str = TALLY):
        page.add_init_script(script=COMPLAINTS)
        self.page, self.lab = page, Lab(page, server, app, site)
        source = page.request.get(f"{self.lab.app}worker.js").text()
        page.route("**/soak.js", lambda r: r.fulfill(path=SCRIPT, content_type="text/javascript"))
        page.route("**/worker.js", lambda r: r.fulfill(body=before_worker + source, content_type="text/javascript"))
        self.lab.module = f"./{app}/soak.js"
        self.workers = Workers(page)
        frames = list(room())
        urls = self.lab.hand_out("frame", [frame.tobytes() for frame in frames])
        self.lab.call(
            "begin",
            [{"url": url, "width": f.shape[1], "height": f.shape[0]} for url, f in zip(urls, frames, strict=True)],
        )

    def run(self, first: int, end: int) -> dict:
        """Judge some frames; a call lasts some seconds at most."""
        total, words = Counter(), Counter()
        for start in range(first, end, 50):
            part = self.lab.call("run", start, min(end, start + 50), GAP_MS)
            words.update(part.pop("words"))
            total.update(part)
        return {"words": words, **total}

    def memory(self) -> dict[str, int]:
        """Bytes in use after a collection: the page's heap, the worker's, WebAssembly's memory."""
        page, worker = self.workers.heaps()
        return {"page": page, "worker": worker, "wasm": self.lab.call("counted")["wasm"]}

    def open_bitmaps(self) -> int:
        """Bitmaps that the worker has received and not closed."""
        counted = self.lab.call("counted")
        return counted["received"] - counted["closed"]


class Workers:
    """The developer tools of a page and of its one worker."""

    def __init__(self, page: Page):
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.page, self.worker, self.answers, self.last = page, None, {}, 0
        self.session.on("Target.attachedToTarget", self._attached)
        self.session.on("Target.receivedMessageFromTarget", self._received)
        self.session.send(
            "Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": False}
        )

    def heaps(self) -> tuple[int, int]:
        """Bytes in use on the page's and on the worker's heap after a collection."""
        used = []
        for send in (self.session.send, self._send):
            send("HeapProfiler.collectGarbage")
            used.append(send("Runtime.getHeapUsage")["usedSize"])
        return used[0], used[1]

    def _attached(self, event: dict) -> None:
        if event["targetInfo"]["type"] == "worker":
            self.worker = event["sessionId"]

    def _received(self, event: dict) -> None:
        answer = json.loads(event["message"])
        self.answers[answer.get("id")] = answer

    def _send(self, method: str) -> dict:
        self.last += 1
        message = json.dumps({"id": self.last, "method": method})
        self.session.send("Target.sendMessageToTarget", {"sessionId": self.worker, "message": message})
        for _ in range(1000):
            if self.last in self.answers:
                return self.answers.pop(self.last)["result"]
            self.page.wait_for_timeout(10)
        raise TimeoutError(method)


def room():
    """uint8 [480, 640, 3]: nobody, someone near and far, someone on paper."""
    yield placed(640, 480)
    for side in (120, 180, 240, 300):
        for x in (250, 320, 400):
            frame = placed(640, 480, (x, 240, side, 0))
            yield frame
            yield halftoned(frame)


@pytest.fixture
def soak(browser: Browser, page: Page, server, app, site) -> Soak:
    """An engine that has just been loaded."""
    return Soak(page, server, app, site)


def test_memory_stays_level_and_nothing_is_left_open(soak, record_property):
    asked = []
    soak.page.on("request", lambda request: asked.append(request.url))
    soak.page.context.set_offline(True)
    first = soak.run(0, EARLY)
    early = soak.memory()
    second = soak.run(EARLY, FRAMES)
    late = soak.memory()
    words = dict(first["words"] + second["words"])
    complaints = soak.page.evaluate("complaints")
    told = {
        "frames": FRAMES,
        "minutes": FRAMES * GAP_MS / 60_000,
        "faces": first["faces"] + second["faces"],
        "words": words,
        "requests": len(asked),
        "violations": len(complaints),
        "open_bitmaps": soak.open_bitmaps() + first["open"] + second["open"],
        "early_frames": EARLY,
        "early": early,
        "late": late,
    }
    record_property("soak", json.dumps(told))
    assert sum(words.values()) == FRAMES and told["faces"] > FRAMES / 2
    assert soak.lab.call("counted")["received"] == FRAMES
    assert told["open_bitmaps"] == 0
    assert asked == [] and complaints == []
    for place, before in early.items():
        assert before > 0, place
        assert late[place] <= before * LEVEL + ROOM, (place, early, late)


def test_an_open_bitmap_would_be_seen(page, server, app, site):
    keeps = TALLY + "ImageBitmap.prototype.close = () => {};"
    soak = Soak(page, server, app, site, keeps)
    soak.run(0, 3)
    assert soak.open_bitmaps() == 3
