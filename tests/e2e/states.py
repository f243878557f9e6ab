"""Every state that the page can show, as data, and a way to put one on the page through its own screen and view."""

import math

from playwright.sync_api import Page

FRAME = {"width": 640, "height": 480}
BOX = {"x0": 250, "y0": 150, "x1": 390, "y1": 290}
RULES = {"logit_one": 4096, "threshold": -5392, "margin": 2048, "hysteresis": 1024}
CURVE = {
    "threshold": [-20000, -5392, 10000],
    "chosen": 1,
    "val": {"apcer": [0.6, 0.067, 0.01], "bpcer": [0.0, 0.049, 0.4]},
    "test": {"apcer": [0.8, 0.2, 0.05], "bpcer": [0.0, 0.1, 0.3]},
}
CAMERA_STATES = [
    *("idle", "asking", "paused", "asleep", "stopped", "denied", "dismissed", "blocked", "no-camera", "busy"),
    *("overconstrained", "ended", "insecure", "unsupported"),
]
ENGINE_PROBLEMS = ["no-webassembly", "download", "integrity", "model", "worker", "frame"]
FILE_PROBLEMS = ["unreadable", "unjudged", "no-picture", "too-long", "unfetched"]
REASONS = [
    *("too-small", "too-large", "out-of-frame", "off-centre", "turned-away", "too-dark", "too-bright", "blurred"),
    "many-faces",
]
SIGNALS = ["muted", "frozen", "black"]
WORDS = {"live": 0.95, "attack": 0.03, "unsure": 0.22, "none": None}

SHOW = """
async ([app, given, language, show]) => {
  const load = (name) => import(new URL(`${app}/${name}.js`, document.baseURI));
  const { screen } = await load("screen");
  const { speak } = await load("strings");
  speak(language);
  const camera = { name: "idle", choice: {}, detail: "", stream: null, deviceId: "", cameras: [] };
  const state = {
    engine: { name: "ready", loaded: 1, total: 1, reason: "", detail: "" },
    camera: { ...camera, mirrored: false, turnable: false, substituted: false, muted: false },
    signal: "", file: null, judged: null, frames: 0, points: [], latency: null, rules: null, curve: null, at: 0,
    heat: false, renewable: false,
  };
  const isPart = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const merged = Object.entries(given).map(([key, part]) => [key, isPart(part) ? { ...state[key], ...part } : part]);
  const now = { ...state, ...Object.fromEntries(merged) };
  const heat = now.judged?.heat;
  if (heat) heat.values = Float32Array.from(heat.values);
  const shown = screen(now);
  if (show) {
    const { View } = await load("view");
    const deaf = () => {};
    window.labView ??= new View({ act: deaf, pick: deaf, slide: deaf, heat: deaf, language: deaf });
    labView.translate(language);
    labView.show(shown, now.frames);
  }
  return shown;
}
"""


def judged(word: str, reason: str = "", *, faces: int = 1, heat: bool = False) -> dict:
    """What is known of a frame: a word, maybe a reason, and a blob of evidence."""
    boxes = [BOX, {"x0": 60, "y0": 180, "x1": 120, "y1": 240}][: faces if word != "none" else 0]
    cells = [math.sin(i / 90) * math.cos(i % 28 / 4) for i in range(28 * 28)]
    return FRAME | {
        "word": word,
        "live": WORDS[word],
        "reason": reason,
        "boxes": boxes,
        "judged": 0 if boxes else -1,
        "heat": {"values": cells, "crop": {"x": 229, "y": 129, "side": 182}} if heat else None,
    }


def points(seconds: float) -> list[dict]:
    """A trace that goes through all that can be said."""
    made = []
    for i in range(round(seconds * 10)):
        logit = 9000 * math.cos(i / 15) - 5392
        said = "live" if logit > -3344 else "attack" if logit < -7440 else "unsure"
        silent = i % 40 > 30
        made.append({"timeMs": i * 100, "mean": None if silent else logit, "said": "none" if silent else said})
    return made


def everything() -> dict[str, dict]:
    """All states by name, as changes to a page where all is well and nothing has begun."""
    known = {"rules": RULES, "curve": CURVE, "at": 1}
    running = known | {
        "camera": {
            "name": "running",
            "deviceId": "front",
            "cameras": [{"id": "front", "label": "The front camera"}, {"id": "rear", "label": ""}],
            "turnable": True,
        },
        "points": points(10),
        "latency": {"ms": 31.7, "count": 60},
    }
    picture = known | {"file": {"name": "picture", "file": "face.jpg"}}
    film = known | {"points": points(8)}
    loading = {"engine": {"name": "loading", "loaded": 7_340_000, "total": 18_900_000}}
    states = {
        "loading": loading,
        "warming": {"engine": {"name": "loading", "loaded": 18_900_000, "total": 18_900_000}},
        "renewable": known | {"renewable": True},
        "reading": known | {"file": {"name": "reading", "file": "face.jpg"}},
        "pending": running | {"points": []},
        "pending, loading": running | {"points": []} | loading,
        "substituted": running | {"camera": running["camera"] | {"substituted": True}, "judged": judged("live")},
        "two faces": running | {"judged": judged("live", faces=2)},
        "evidence": running | {"judged": judged("attack", heat=True), "heat": True},
        "own threshold": running | {"judged": judged("live"), "at": 2},
        "video": film
        | {
            "file": {"name": "video", "file": "clip.webm", "timeMs": 4000, "durationMs": 8000},
            "judged": judged("live"),
            "points": points(4),
        },
        "watched": film
        | {
            "file": {"name": "watched", "file": "clip.webm", "timeMs": 8000, "durationMs": 8000},
            "judged": judged("attack"),
        },
        "cancelled": film
        | {
            "file": {"name": "watched", "file": "clip.webm", "timeMs": 4000, "durationMs": 8000, "cancelled": True},
            "judged": judged("unsure"),
            "points": points(4),
        },
    }
    states |= {f"camera {name}": known | {"camera": {"name": name}} for name in CAMERA_STATES}
    states |= {f"engine {name}": {"engine": {"name": "failed", "reason": name}} for name in ENGINE_PROBLEMS}
    states |= {f"file {name}": known | {"file": {"name": name, "file": "face.jpg"}} for name in FILE_PROBLEMS}
    states |= {f"running {word}": running | {"judged": judged(word)} for word in WORDS}
    states |= {f"picture {word}": picture | {"judged": judged(word)} for word in WORDS}
    states |= {f"refused {reason}": running | {"judged": judged("live", reason)} for reason in REASONS}
    states |= {f"picture {reason}": picture | {"judged": judged("unsure", reason)} for reason in REASONS}
    states |= {f"signal {name}": running | {"signal": name, "judged": judged("none")} for name in SIGNALS[1:]}
    states["signal muted"] = running | {"camera": running["camera"] | {"muted": True}, "judged": judged("none")}
    return states


def shown_in(page: Page, app: str, state: dict, language: str = "en", *, show: bool = False) -> dict:
    """What screen.js makes of a state; with `show`, put on the page as well."""
    return page.evaluate(SHOW, [app, state, language, show])
