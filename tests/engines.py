"""The page in browsers that the tests do not drive: what it says of each sample against Python, and a camera's frames.

    python -m tests.engines safaridriver
    python -m tests.engines geckodriver --capabilities '{"moz:firefoxOptions": {"args": ["-headless"]}}'
    xvfb-run -a python -m tests.engines WebKitWebDriver --camera --capabilities '{"webkitgtk:browserOptions": {"binary":
        "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser", "args": ["--automation", "--enable-media-stream=true",
        "--enable-mock-capture-devices=true"]}}'

Any driver that speaks W3C WebDriver will do; Safari's wants `safaridriver --enable` once. The last line is for WebKit's
own small browser on Debian (packages webkit2gtk-driver and xvfb; its folder is named after machine and version).
--camera wants a browser that hands out a camera without asking.
"""

import argparse
import contextlib
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from spoofweb import detector, npm, serve, site, trained
from spoofweb.cli import predict
from spoofweb.contract import verdict_rules
from spoofweb.errors import SpoofwebError
from spoofweb.pipeline import Pipeline

WEB = Path(__file__).parents[1] / "web"
TOLERANCE = 1e-3  # of the probability: two JPEG decoders may differ by a step of a pixel
SECONDS = 60  # for the driver, and for each answer of the page
FRAMES = 20  # that a camera has to give
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the driver is on this machine
TOLD = "return Object.assign({}, document.documentElement.dataset)"
TAP = "document.querySelector(`[data-sample$='/${arguments[0]}']`).click()"
START = "document.querySelector('#panel-actions [data-act=start]').click()"


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status: 1 where the page says something else than Python or a camera gives too
    few frames, 2 where the page or the browser could not be asked.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.engines", description="The page in another browser.")
    parser.add_argument("driver", help="command that speaks W3C WebDriver on --port")
    parser.add_argument("--capabilities", type=wishes, default={}, metavar="JSON", help="what it is to start")
    parser.add_argument("--camera", action="store_true", help="start the camera, too")
    args = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as name:
            wanted = build(Path(name) / "site")
            with serve.serving(Path(name) / "site") as url, session(args.driver, args.capabilities) as call:
                alike = samples(call, url, wanted)
                return 0 if (not args.camera or camera(call, url)) and alike else 1
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def build(folder: Path) -> dict[str, dict]:
    """Write the site; what Python says of each sample picture, by its file's name."""
    node_modules = npm.install(WEB)
    network, finder = trained.committed(print), detector.build(node_modules)
    site.write(site.render(site.Parts(WEB, node_modules, network, finder)), folder)
    pipeline, rules = Pipeline(finder, network.graph), verdict_rules(network.card)
    return {file.name: next(predict(file, pipeline, rules)) for file in sorted((WEB / "samples").glob("*.jpg"))}


def wishes(text: str) -> dict:
    """Capabilities as --capabilities gives them."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON ({error})") from None
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"want a JSON object, not {text}")
    return found


@contextlib.contextmanager
def session(driver: str, capabilities: dict) -> Iterator[Callable]:
    """A browser, closed at the end: `call(method, path, body)` gives the answer's value.

    SpoofwebError where the driver or the browser does not start, or gives no answer.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        running = subprocess.Popen([driver, f"--port={port}"])
    except OSError as error:
        raise SpoofwebError(f"{driver}: does not start ({error.strerror}); give the path of a WebDriver") from None

    def listens() -> bool:
        if running.poll() is not None:
            raise SpoofwebError(f"{driver} --port={port}: ended with status {running.returncode}; give a WebDriver")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def ask(method: str, path: str, body: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
        try:
            with OPENER.open(request, timeout=SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise SpoofwebError(f"{driver}: {error.read().decode(errors='replace')}") from None
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            raise SpoofwebError(f"{driver}: no answer to {method} {path} ({error!r}); try again") from None

    try:
        wait(listens, lambda: f"{driver}: does not listen on --port={port}; give a WebDriver")
        begun = ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        print(*(begun["capabilities"].get(name) for name in ("browserName", "browserVersion")))
        own = f"/session/{begun['sessionId']}"
        try:
            yield lambda method, path, body=None: ask(method, own + path, body)
        finally:
            with contextlib.suppress(SpoofwebError):  # what went wrong before it is what matters
                ask("DELETE", own)
    finally:
        running.terminate()
        try:
            running.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()


def samples(call: Callable, url: str, wanted: dict[str, dict]) -> bool:
    """Tap each sample picture and print what the page says beside what Python does; whether all are alike."""
    visit(call, url)
    alike = []
    for name, row in wanted.items():
        run(call, TAP, name)
        until(call, f"{name} is not judged", lambda said: said["state"] == "picture" and said["verdict"])
        said, live = told(call), row["live"]
        near = said["live"] == "" if live is None else abs(float(said["live"] or "nan") - live) < TOLERANCE
        alike.append(near and said["verdict"] == row["verdict"])
        mark = "" if alike[-1] else " – not alike"
        print(f"{name}: {said['verdict']} {said['live'] or '–'}, Python {row['verdict']} {live}{mark}")
    return all(alike)


def camera(call: Callable, url: str) -> bool:
    """Start the camera and print how many frames are judged; whether they are enough."""
    visit(call, url)
    run(call, START)
    try:
        until(call, f"fewer than {FRAMES} frames", lambda said: int(said["frames"]) >= FRAMES)
    except SpoofwebError as error:
        print(f"camera: {error}")
        return False
    print(f"camera: {told(call)['frames']} frames judged")
    return True


def visit(call: Callable, url: str) -> None:
    """Open the page and wait until it is ready; SpoofwebError where it does not get so."""
    call("POST", "/url", {"url": url})
    until(call, "the page does not get ready", lambda said: said.get("state") == "ready")


def until(call: Callable, otherwise: str, reached: Callable[[dict], object]) -> None:
    """Wait until the page says what is wanted; SpoofwebError with what it says instead."""
    wait(lambda: reached(told(call)), lambda: f"{otherwise}: the page says {told(call)}")


def told(call: Callable) -> dict[str, str]:
    """The page's own account of its state."""
    return run(call, TOLD)


def run(call: Callable, script: str, *arguments):
    """What a script gives in the page."""
    return call("POST", "/execute/sync", {"script": script, "args": list(arguments)})


def wait(reached: Callable[[], object], otherwise: Callable[[], str]) -> None:
    """Ask again until it is so; SpoofwebError after SECONDS."""
    end = time.monotonic() + SECONDS
    while not reached():
        if time.monotonic() > end:
            raise SpoofwebError(otherwise())
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
