"""What the measurements stand on: the built site with the bench's pages beside it, and Chromium with a fake camera."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from browser import find_or_install
from fixtures import write_y4m
from pictures import astronaut
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Playwright

from spoofweb import detector, npm, serve, site, trained
from tests.bench import BENCH, PAGES, ROOT, networks

WEB = ROOT / "web"
SIZES = (640, 480), (1280, 720)
CAMERA_RATE = 60  # frames per second: more than any contender judges
ZOOM = 1.7  # of the astronaut in a frame of 480 rows: her face is a third of the frame's height
HUMAN_MODELS = ("antispoof", "blazeface", "liveness")


class Stand:
    """A folder to serve, and the graphs in it."""

    def __init__(self, folder: Path):
        """Build everything; the first time, the peers' locked npm packages are installed beside this file."""
        node_modules = npm.install(WEB)
        network = trained.committed(print)
        self.graphs = {
            "detector": detector.build(node_modules),
            "spoofnet": network.graph,
            "unexplained": networks.without(network.graph, "evidence"),
            "wide": networks.wide(),
            "original": networks.original(),
            "minifasnet": networks.minifasnet(),
        }
        self.site = site.render(site.Parts(WEB, node_modules, network, self.graphs["detector"]))
        self.folder = folder / "site"
        site.write(self.site, self.folder)
        (entry,) = (name for name in self.site if name.endswith("/contract.json"))
        self.app = Path(entry).parent.name
        self.contract = json.loads(self.site[entry])
        self.files = {key: f"../{self.app}/{path}" for key, path in self.contract["files"].items()}
        self.jobs = [
            _job("spoofnet", self.files["spoofnet"], "crops", [1, 224, 224, 3]),
            _job("spoofnet ×2", self.files["spoofnet"], "crops", [2, 224, 224, 3]),
            _job("unexplained ×2", "unexplained.onnx", "crops", [2, 224, 224, 3]),
            _job("wide", "wide.onnx", "crops", [1, 224, 224, 3]),
            _job("detector", self.files["detector"], "image", [1, 128, 128, 3]),
            _job("original", "original.onnx", "pixels", [1, 3, 224, 224]),
            _job("minifasnet", "minifasnet.onnx", "pixels", [1, 3, 128, 128]),
        ]
        bench = self.folder / "bench"
        shutil.copytree(PAGES, bench)
        for name in ("original", "minifasnet", "unexplained", "wide"):
            (bench / f"{name}.onnx").write_bytes(self.graphs[name])
        (bench / "config.json").write_text(json.dumps({"app": self.app, "files": self.files, "jobs": self.jobs}))
        _add_human(npm.install(BENCH), bench / "human")


def _job(name: str, url: str, entry: str, shape: list[int]) -> dict:
    """How forward.js runs a graph; `name` begins with the graph's own."""
    kind = "uint8" if shape[-1] == 3 else "float32"
    return {"name": name, "url": url, "input": entry, "type": kind, "shape": shape}


def _add_human(node_modules: Path, folder: Path) -> None:
    folder.mkdir()
    human = node_modules / "@vladmandic" / "human"
    shutil.copy(human / "dist" / "human.esm.js", folder)
    for model in HUMAN_MODELS:
        for suffix in ("json", "bin"):
            shutil.copy(human / "models" / f"{model}.{suffix}", folder)
    for path in (node_modules / "@tensorflow" / "tfjs-backend-wasm" / "dist").glob("*.wasm"):
        shutil.copy(path, folder)


def camera(folder: Path, width: int, height: int) -> Path:
    """A Y4M file of a person before the camera, the same scene at each size."""
    side = round(512 * ZOOM * height / 480)
    left = (side - width) // 2
    whole = Image.fromarray(astronaut()).resize((side, side), Image.Resampling.BICUBIC)
    path = folder / f"{width}x{height}.y4m"
    scene = np.asarray(whole.crop((left, 0, left + width, height))).astype(int)
    random = np.random.default_rng(0)  # a camera that sends the same picture twice is taken for frozen
    noises = (random.integers(-2, 3, scene.shape) for _ in range(8))
    write_y4m(path, [np.clip(scene + noise, 0, 255).astype(np.uint8) for noise in noises], CAMERA_RATE)
    return path


def _switches(film: Path) -> list[str]:
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [
        *(["--no-sandbox"] if as_root else []),  # Chromium refuses root a sandbox
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]


class _Isolating(SimpleHTTPRequestHandler):
    extensions_map = serve.TYPES

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, format, *args):
        """Nothing: the tables stay readable."""


@contextmanager
def isolated(folder: Path) -> Iterator[str]:
    """Hand out a folder with the headers that threads ask for; gives the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Isolating, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@contextmanager
def chromium(playwright: Playwright, film: Path) -> Iterator[Browser]:
    """A Chromium whose camera shows a film."""
    browser = playwright.chromium.launch(executable_path=find_or_install(), args=_switches(film))
    yield browser
    browser.close()


@contextmanager
def visitor(playwright: Playwright, film: Path, profile: Path, service_workers: str) -> Iterator[BrowserContext]:
    """A Chromium that keeps its caches in a folder, as a visitor's does. service_workers: "allow" or "block"."""
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=find_or_install(), args=_switches(film), service_workers=service_workers
    )
    yield context
    context.close()
