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
    "version": 4,
    "input": {
        "side": 224,  # px, square RGB crop that SpoofNet judges
    },
    "crop": {
        "scales_percent": [200, 300],  # crop side as a share of the face box side; one crop per entry, logits averaged
    },
    "detector": {
        "side": 128,  # px, square letterboxed input of BlazeFace short range
        "subpixel": 256,  # fixed-point steps per pixel in every box and keypoint
        "score_one": 65536,  # fixed-point score that means certainty
        "score_min": 32768,  # a detection below is no face
        "overlap_percent": 30,  # detections that overlap more (intersection over union) are one face
    },
    "stream": {
        "look_ms": 100,  # a face that was found so long ago is looked for again; until then it is where it was
    },
    "quality": {  # a face outside of these bounds is not judged
        "small_px": 64,  # px, the least side of a face's box
        "large_percent": 90,  # the largest, as a share of the frame's shorter side
        "outside_percent": 5,  # how far the box may reach out of the frame, as a share of its side
        "aside_percent": 35,  # how far its centre may be from the frame's, as a share of the frame's width and height
        "turned_percent": 150,  # nose beside the eyes' middle, as a share of their distance; from here on turned away
        "crop_percent": 130,  # side of the crop that is measured for light and blur, as a share of the face box side
        "dark": 40,  # the least mean luma of that crop, 0..255
        "bright": 190,  # and the highest
        "blur_block": 4,  # px, side of the squares whose mean luma is looked at for blur
        "blur": 60,  # the least mean squared Laplacian of those means
        "blur_percent": 20,  # and the least as a share of that of squares twice as wide
        "many_percent": 70,  # side of a second face that counts, as a share of the judged one's
    },
    "verdict": {
        "logit_one": 4096,  # fixed-point steps per logit
        "logit_max": 131072,  # logits are clipped to ± this many steps
        "window_frames": 12,  # the newest judged frames that count
        "window_ms": 4000,  # and how old they may be
        "min_frames": 4,  # no word before this many
        "trim_percent": 25,  # share of the window dropped at either end before the mean
        "margin": 2048,  # steps beside the threshold, or more, in which the word is UNSURE, see `verdict.bounds`
        "hysteresis": 1024,  # steps beyond its bound before a given word is taken back
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
    verdict = verdict_rules(card)
    return CONTRACT | {
        "verdict": verdict,
        "graphs": graphs,
        "headline": card["headline"],
        "curve": error_curve(card, verdict["logit_one"]),
    }


def error_curve(card: dict, logit_one: int) -> dict | None:
    """What other thresholds would cost, for the card's first model; None where the card has no curves.

    {threshold: [fixed-point logits, ascending], chosen: the index of the one in force, val and test: {apcer, bpcer:
    [share 0..1 at each threshold]}}; a split that the card lacks is left out. APCER is over all attacks of a split.
    """
    if not card.get("models"):
        return None
    curves = card["models"][0]["curves"]
    return {
        "threshold": [round(logit * logit_one) for logit in curves["threshold"]],
        "chosen": curves["chosen"],
        **{split: curves[split] for split in ("val", "test") if split in curves},
    }


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
        for model in card.get("models", []):
            needed = (model["name"], model["curves"], *(model["groups"][group] for group in card["headline"]["groups"]))
            if None in needed:
                raise ValueError("a part of it is empty")
        return card
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpoofwebError(
            f"{path}: not a whole evaluation card ({error!r}); restore it or run training.evaluate"
        ) from None
