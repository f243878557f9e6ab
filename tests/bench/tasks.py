"""How long frames keep a page's main thread: from Chromium's own trace, which sees every task of the thread."""

import json
from collections.abc import Callable

from playwright.sync_api import Page

TASK = "ThreadControllerImpl::RunTask"
MARK = "frame"  # the performance.mark that the bench's pages set for each frame


def per_frame(page: Page, act: Callable[[], object]) -> list[dict[str, float]]:
    """Per frame that was marked while `act` ran: `longest` task and `sum` of all tasks, ms by the clock, and
    `longest_cpu`, the CPU time of the task that took most of it.
    """
    return read(_traced(page, act))


def _traced(page: Page, act: Callable[[], object]) -> list[dict]:
    session = page.context.new_cdp_session(page)
    done: list[dict] = []
    session.on("Tracing.tracingComplete", lambda event: done.append(event))  # Playwright wants a function of Python
    config = {"includedCategories": ["toplevel", "blink.user_timing"], "recordMode": "recordContinuously"}
    session.send("Tracing.start", {"traceConfig": config, "transferMode": "ReturnAsStream"})
    act()
    session.send("Tracing.end")
    while not done:
        page.wait_for_timeout(20)
    parts = []
    while True:
        part = session.send("IO.read", {"handle": done[0]["stream"]})
        parts.append(part["data"])
        if part["eof"]:
            break
    session.detach()
    return json.loads("".join(parts))["traceEvents"]


def read(events: list[dict]) -> list[dict[str, float]]:
    """See `per_frame`; events of a trace in Chromium's JSON. ValueError where fewer than two frames were marked."""
    marks = [e for e in events if e["name"] == MARK and "user_timing" in e["cat"]]
    if len(marks) < 2:
        raise ValueError(f"the trace has {len(marks)} frames; at least two are needed")
    thread = marks[0]["pid"], marks[0]["tid"]
    times = sorted(e["ts"] for e in marks)
    tasks = [e for e in events if e["name"] == TASK and e["ph"] == "X" and (e["pid"], e["tid"]) == thread]
    rows = []
    for begin, end in zip(times, times[1:], strict=False):
        # by its end, as a frame's first task begins before it marks the frame
        inside = [e for e in tasks if begin <= e["ts"] + e["dur"] < end]
        longest = max((e["dur"] for e in inside), default=0)
        cpu = max((e.get("tdur", 0) for e in inside), default=0)
        total = sum(e["dur"] for e in inside)
        rows.append({"longest": longest / 1000, "sum": total / 1000, "longest_cpu": cpu / 1000})
    return rows
