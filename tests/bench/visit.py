"""The built page as a visitor has it: time and bytes to the first verdict, its pace, its main thread, its memory."""

import gzip
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, Playwright

from tests.bench import PAGES, tasks
from tests.bench.stand import Stand, visitor
from tests.bench.stats import by_name

PATIENCE_MS = 120_000
PACE_SECONDS = 10
READINGS = 10  # of the heap, of which the least counts: a frame in flight holds more than a megabyte
FORGET = "() => { seen.frames = []; performance.clearMarks(); }"  # else what was written down would count as a leak
WORKER = """() => ({
  began: performance.timeOrigin,
  files: performance.timeOrigin + Math.max(...performance.getEntriesByType("resource").map((file) => file.responseEnd)),
})"""
SETTLED = "async () => { await navigator.serviceWorker.ready; }"


def first_verdicts(playwright: Playwright, film: Path, stand: Stand, url: str, folder: Path, count: int) -> dict:
    """From the page's start to its first judged frame and first word, ms, `count` times: `cold` (an empty profile),
    `warm` (a profile that has the files in the browser's cache), `offline` (service worker, no network). `requests`:
    what a cold visit fetched until then.
    """
    times: dict[str, list[dict]] = {"cold": [], "warm": [], "offline": []}
    requests: set[str] = set()
    for i in range(count):
        with visitor(playwright, film, folder / f"plain-{i}", "block") as context:
            asked: list[str] = []
            context.on("request", lambda request, asked=asked: asked.append(request.url))
            times["cold"].append(_visit(context, url))
            requests |= {urlsplit(address).path.lstrip("/") or "index.html" for address in asked}
            times["warm"].append(_visit(context, url))
        with visitor(playwright, film, folder / f"worker-{i}", "allow") as context:
            page = _open(context, url)
            page.evaluate(SETTLED)
            page.close()
            context.set_offline(True)
            times["offline"].append(_visit(context, url))
    return {
        **{kind: by_name(rows) for kind, rows in times.items()},
        "requests": {path: _bytes(stand.site[path]) for path in sorted(requests & stand.site.keys())},
    }


def endurance(playwright: Playwright, film: Path, url: str, folder: Path, frames: tuple[int, int]) -> dict:
    """The page left running: `heap` in MB by frames judged, `rate` of judged frames at the camera's pace, `stages`
    (ms) and `tasks` of the main thread (ms per frame).
    """
    with visitor(playwright, film, folder / "endurance", "block") as context:
        page = _open(context, url)
        marks = tasks.per_frame(page, lambda: page.wait_for_timeout(1000 * PACE_SECONDS / 2))
        before = _seen(page)
        page.wait_for_timeout(1000 * PACE_SECONDS)
        after = _seen(page)
        rate = len(after) - len(before)
        rate /= (after[-1]["atMs"] - before[-1]["atMs"]) / 1000
        heap = {}
        for wanted in frames:
            _until(page, f"seen.count >= {wanted}", 10 * PATIENCE_MS)
            page.evaluate(FORGET)
            readings = [_heap(context, page) for _ in range(READINGS)]
            heap[str(page.evaluate("seen.count"))] = {
                part: min(each[part] for each in readings) for part in readings[0]
            }
        return {
            "heap": heap,
            "rate": rate,
            "stages": by_name([frame["stages"] for frame in after[len(before) :]]),
            "tasks": by_name(marks),
        }


def _visit(context: BrowserContext, url: str) -> dict[str, float]:
    """ms after the page's start: its button pressed, the worker begun and its last file come, ready, judged, word."""
    page = _open(context, url)
    first, origin = page.evaluate("() => [seen.first, performance.timeOrigin]")
    worker = {name: at - origin for name, at in page.workers[0].evaluate(WORKER).items()}
    page.close()
    return {"pressed": first["pressed"], **worker, **{name: first[name] for name in ("ready", "judged", "word")}}


def _open(context: BrowserContext, url: str) -> Page:
    """The page once it has given its first word."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(path=PAGES / "watch.js")
    page.goto(url)
    _until(page, "seen.first.word")
    return page


def _until(page: Page, condition: str, patience_ms: int = PATIENCE_MS) -> None:
    """Wait until a JavaScript expression is true; the page's CSP forbids Playwright's own way of doing so."""
    deadline = time.monotonic() + patience_ms / 1000
    while not page.evaluate(condition):
        if time.monotonic() > deadline:
            raise TimeoutError(f"never became true: {condition}")
        page.wait_for_timeout(20)


def _seen(page: Page) -> list[dict]:
    return page.evaluate("() => seen.frames")


def _bytes(content: bytes) -> dict[str, int]:
    return {"raw": len(content), "gzip": len(gzip.compress(content, mtime=0))}


def _heap(context: BrowserContext, page: Page) -> dict[str, float]:
    """After a collection, MB: JavaScript `heap` of the page and of its `worker`."""
    session = context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    answers: list[dict] = []
    workers: list[str] = []
    session.on("Target.attachedToTarget", lambda event: workers.append(event["sessionId"]))
    session.on("Target.receivedMessageFromTarget", lambda event: answers.append(json.loads(event["message"])))
    session.send("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": False})
    for number, method in enumerate(("HeapProfiler.collectGarbage", "Runtime.getHeapUsage"), 1):
        message = json.dumps({"id": number, "method": method})
        session.send("Target.sendMessageToTarget", {"sessionId": workers[0], "message": message})
        while not any(answer.get("id") == number for answer in answers):
            page.wait_for_timeout(20)
    (worker,) = (answer["result"] for answer in answers if answer.get("id") == 2)
    session.detach()
    return {"page": _held(used), "worker": _held(worker)}


def _held(usage: dict) -> float:
    return (usage["usedSize"] + usage.get("embedderHeapUsedSize", 0) + usage.get("backingStorageSize", 0)) / 1e6
