"""The contenders take turns on the same camera, in one Chromium; so do the graphs alone, in wasm and native."""

import time

import numpy as np
import onnxruntime as ort
from playwright.sync_api import Browser, Page

from tests.bench import tasks
from tests.bench.stand import Stand
from tests.bench.stats import by_name, summary

CONTENDERS = ("ours", "original", "human")
TWO_THREADS = "ours, two threads"
PACES = {"flat out": "nothing", "display": "display"}
ROUNDS = 15
PATIENCE_MS = 120_000
CREATE = """async ([threads, names]) => {
  const { files, jobs } = await (await fetch("config.json")).json();
  const absolute = (path) => new URL(path, location.href).href;
  const worker = new Worker("forward.js", { type: "module" });
  window.forward = (given) => new Promise((done, failed) => {
    worker.onmessage = ({ data }) => (data.error ? failed(new Error(data.error)) : done(data));
    worker.onerror = (event) => failed(new Error(event.message));
    worker.postMessage(given);
  });
  window.end = () => worker.terminate();
  return window.forward({
    threads,
    files: Object.fromEntries(Object.entries(files).map(([key, path]) => [key, absolute(path)])),
    jobs: jobs.filter(({ name }) => names.includes(name)).map((job) => ({ ...job, url: absolute(job.url) })),
  });
}"""


def frames(browser: Browser, url: str, isolated_url: str, size: tuple[int, int], count: int) -> dict:
    """Each contender judges `count` frames at each pace, in rounds, then as many under trace: name → results.

    `rate` (frames per second) and `stages` (ms) by pace, `tasks` of the main thread (ms per frame, at the display's
    pace), `first` (ms from the page's start to its first judged frame, everything in the cache), `cores` (how many the
    browser's processes keep busy) by pace.
    """
    width, height = size
    pages, made = {}, {}
    places = {name: f"{url}bench/bench.html?contender={name}" for name in CONTENDERS}
    places[TWO_THREADS] = f"{isolated_url}bench/bench.html?contender=ours"  # where memory is shared, the page takes two
    for name, place in places.items():
        page = browser.new_context().new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{place}&width={width}&height={height}")
        page.evaluate("() => bench.ready()")
        page.reload()
        pages[name] = page
        made[name] = {"first": page.evaluate("() => bench.ready()"), "rate": {}, "stages": {}, "cores": {}}
    rows: dict = {name: {pace: [] for pace in PACES} for name in places}
    rates: dict = {name: {pace: [] for pace in PACES} for name in places}
    cores: dict = {name: {pace: [] for pace in PACES} for name in places}
    share = max(2, count // ROUNDS)
    for _ in range(ROUNDS):
        for pace, wait in PACES.items():
            for name, page in pages.items():
                before, began = _processor_seconds(browser), time.perf_counter()
                run = _run(page, share, wait)
                spent, seconds = _processor_seconds(browser) - before, time.perf_counter() - began
                rows[name][pace] += run["rows"]
                rates[name][pace].append(len(run["rows"]) / run["seconds"])
                cores[name][pace].append(spent / seconds)
    for name, page in pages.items():
        for pace in PACES:
            made[name]["cores"][pace] = summary(cores[name][pace])
            made[name]["rate"][pace] = summary(rates[name][pace])
            made[name]["stages"][pace] = by_name(rows[name][pace])
        made[name]["tasks"] = by_name(tasks.per_frame(page, lambda page=page: _run(page, share, "display")))
        page.context.close()
    return made


def _processor_seconds(browser: Browser) -> float:
    """Processor time that all processes of the browser have used so far."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return sum(process["cpuTime"] for process in processes)


def _run(page: Page, count: int, wait: str) -> dict:
    page.bring_to_front()
    return page.evaluate("([count, wait]) => bench.run(count, wait)", [count, wait])


def forwards(browser: Browser, url: str, isolated_url: str, stand: Stand, count: int) -> dict:
    """Every graph alone, ms: `wasm` in a module Worker, `wasm, 2 threads` and `native` ONNX Runtime, all in turns."""
    names = [job["name"] for job in stand.jobs]
    one, two = _forward_page(browser, url), _forward_page(browser, isolated_url)
    if not two.evaluate("() => crossOriginIsolated"):
        raise RuntimeError("the browser gives no threads, although the server sends the headers for them")
    one.evaluate(CREATE, [1, names])
    two.evaluate(CREATE, [2, names])
    native = {job["name"]: _native(stand, job) for job in stand.jobs}
    times: dict[str, dict[str, list[float]]] = {
        kind: {name: [] for name in names} for kind in ("wasm", "wasm, 2 threads", "native")
    }
    share = max(2, count // ROUNDS)
    for _ in range(ROUNDS):
        for kind, page in (("wasm", one), ("wasm, 2 threads", two)):
            spent = page.evaluate("(times) => forward({ times })", share)
            for name in names:
                times[kind][name] += spent[name]
        for _ in range(share):
            for name, run in native.items():
                times["native"][name].append(_spent(run))
    for page in (one, two):
        page.context.close()
    return {kind: {name: summary(values) for name, values in of.items()} for kind, of in times.items()}


def creation(browser: Browser, url: str, count: int) -> dict:
    """Both of our sessions, from bytes in memory to their first run, in a fresh Worker each time: ms."""
    page = _forward_page(browser, url)
    spent = []
    for _ in range(count):
        spent.append(page.evaluate(CREATE, [1, ["detector", "spoofnet ×2"]])["createMs"])
        page.evaluate("() => end()")
    page.context.close()
    return summary(spent)


def _forward_page(browser: Browser, url: str) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{url}bench/blank.html")
    return page


def _native(stand: Stand, job: dict):
    graph = stand.graphs[job["name"].split()[0]]
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0).integers(0, 256, job["shape"], np.uint8)
    given = random if job["type"] == "uint8" else random.astype(np.float32) / 255
    run = lambda: session.run(None, {job["input"]: given})  # noqa: E731
    run()
    return run


def _spent(run) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000
