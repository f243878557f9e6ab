"""Every number that Python and JavaScript share, once.

`CONTRACT` is what a human decides. `compiled()` adds what the build knows (threshold, hashes, headline error rates);
the site carries the result as contract.json, and JavaScript, templates and tests read it from there.
"""

import hashlib
import json
import math
from pathlib import Path

from spoofweb.errors import SpoofwebError

CONTRACT = {
    "version": 1,
    "input": {
        "side": 224,  # px, square RGB crop that SpoofNet judges
    },
    "crop": {
        "scales_percent": [130, 270],  # crop side as a share of the face box side; one crop per entry, logits averaged
    },
    "detector": {
        "side": 128,  # px, square letterboxed input of BlazeFace short range
        "subpixel": 256,  # fixed-point steps per pixel in every box and keypoint
        "score_one": 65536,  # fixed-point score that means certainty
        "score_min": 32768,  # a detection below is no face
        "overlap_percent": 30,  # detections that overlap more (intersection over union) are one face
    },
    "verdict": {
        "logit_one": 4096,  # fixed-point steps per logit
        "logit_max": 131072,  # logits are clipped to ± this many steps
        "window_frames": 12,  # the newest judged frames that count
        "window_ms": 4000,  # and how old they may be
        "min_frames": 4,  # no word before this many
        "trim_percent": 25,  # share of the window dropped at either end before the mean
        "margin": 2048,  # steps around the threshold in which the word is UNSURE
        "hysteresis": 1024,  # steps inside the margin before a given word is taken back
        "lost_ms": 1000,  # without a face for longer, the window is emptied
        "same_face_percent": 20,  # boxes of two frames that overlap less are two faces
    },
}


def digest(part: object) -> str:
    """SHA-256 (hex) of a JSON value in canonical form: sorted keys, no spaces."""
    text = json.dumps(part, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def preprocessing_digest() -> str:
    """SHA-256 (hex) of all that decides which pixels SpoofNet sees; the exported graph carries it."""
    return digest({name: CONTRACT[name] for name in ("input", "crop", "detector")})


def compiled(card: dict, graphs: dict[str, str]) -> dict:
    """The contract as the product carries it.

    card: the evaluation card; its `headline` is taken over: error rates, and the `threshold` (logit at or above which a
    frame counts as bona fide, chosen on `val`). graphs: name of each ONNX graph → SHA-256 (hex) of its bytes.
    """
    return CONTRACT | {"verdict": verdict_rules(card), "graphs": graphs, "headline": card["headline"]}


def verdict_rules(card: dict) -> dict:
    """The contract's `verdict` with the card's threshold in fixed point."""
    verdict = CONTRACT["verdict"]
    return verdict | {"threshold": round(card["headline"]["threshold"] * verdict["logit_one"])}


def read_card(path: Path) -> dict:
    """The evaluation card of the committed weights; SpoofwebError where it is missing or not whole."""
    try:
        card = json.loads(path.read_text())
        if not math.isfinite(card["headline"]["threshold"]):
            raise ValueError("its threshold is no number")
        return card
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpoofwebError(
            f"{path}: not a whole evaluation card ({error!r}); restore it or run training.evaluate"
        ) from None
