"""Frame → observation: detect, crop, resample, judge. Twin: web/src/pipeline.js.

The reference that the page is held against: the same bytes enter the same graphs on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnxruntime as ort

from spoofweb.contract import CONTRACT
from spoofweb.crop import Crop, square
from spoofweb.errors import SpoofwebError
from spoofweb.face import Face, detector_input, faces, largest
from spoofweb.quality import reasons
from spoofweb.resample import resample
from spoofweb.turns import looks, same_face, turn

SIDE = CONTRACT["input"]["side"]
SCALES = CONTRACT["crop"]["scales_percent"]


@dataclass(frozen=True)
class Observation:
    """What one frame shows. Without a face: `face` and `logit` are None, `crops` and `logits` are empty."""

    faces: list[Face]  # all of them, best score first
    face: Face | None  # the one that is judged: the largest
    crops: list[Crop]  # one square per contract scale
    logits: list[float]  # calibrated, one per crop; above 0 leans towards bona fide
    logit: float | None  # their mean
    evidence: np.ndarray | None = None  # float32 [K, 28, 28], one map per crop; positive speaks for bona fide
    reasons: tuple[str, ...] = ()  # codes of spoofweb/quality.py against judging the face; the logit stands
    time_ms: int = 0  # as given with the frame
    size: tuple[int, int] = (0, 0)  # width and height of the frame, px
    looked_ms: int = 0  # time of the frame in which the face was looked for
    judged: tuple[int, ...] = ()  # indices of the crops judged in this frame; the others' logits are the frame's before


def session(graph: bytes, inputs: dict[str, str], outputs: list[str]) -> ort.InferenceSession:
    """A single-threaded ONNX Runtime session; SpoofwebError unless the graph has just these inputs and outputs.

    inputs: name → ONNX Runtime type, e.g. {"crops": "tensor(uint8)"}.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        made = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a different class for each kind of broken file
        raise SpoofwebError(f"the ONNX graph cannot be loaded ({error}); export it again") from None
    found = {entry.name: entry.type for entry in made.get_inputs()}
    names = [entry.name for entry in made.get_outputs()]
    if found != inputs or names != outputs:
        raise SpoofwebError(
            f"the ONNX graph maps {found} to {names}, not {inputs} to {outputs}; export it with this version"
        )
    return made


def open_detector(graph: bytes) -> ort.InferenceSession:
    """A session of the face detector; SpoofwebError where the graph is none."""
    return session(graph, {"image": "tensor(uint8)"}, ["detections"])


def open_spoofnet(graph: bytes) -> ort.InferenceSession:
    """A session of SpoofNet, tried once; SpoofwebError where the graph is none, or gives no numbers for two crops."""
    made = session(graph, {"crops": "tensor(uint8)"}, ["logit", "live", "evidence"])
    try:
        outputs = made.run(None, {"crops": np.zeros((2, SIDE, SIDE, 3), np.uint8)})
    except Exception as error:  # ONNX Runtime raises a different class for each kind of misfit
        raise SpoofwebError(f"the ONNX graph does not take crops [N, {SIDE}, {SIDE}, 3] ({error}); export it") from None
    shapes = [out.shape for out in outputs]
    if shapes != [(2,), (2,), (2, 28, 28)]:
        raise SpoofwebError(
            f"the ONNX graph gives outputs of shapes {shapes} for 2 crops, not two values and a map each; export it"
        )
    if not all(np.isfinite(out).all() for out in outputs):
        raise SpoofwebError("the ONNX graph gives values that are no numbers; its weights are broken, restore them")
    return made


class Pipeline:
    """Both networks and the arithmetic between them."""

    def __init__(self, detector: bytes, spoofnet: bytes, scales_percent: list[int] = SCALES):
        """The two ONNX graphs as bytes; SpoofwebError where one is broken or has other inputs and outputs.

        scales_percent: side of each crop as a share of the face side; the contract's but for other networks' scores.
        """
        self.scales_percent = scales_percent
        self.detector = open_detector(detector)
        self.spoofnet = open_spoofnet(spoofnet)

    def faces(self, frame: np.ndarray) -> list[Face]:
        """All faces in a uint8 [H, W, 3] RGB frame, best score first."""
        height, width = frame.shape[:2]
        (detections,) = self.detector.run(None, {"image": detector_input(frame)})
        return faces(detections[0], width, height)

    def observe(self, frame: np.ndarray, time_ms: int = 0, before: Observation | None = None) -> Observation:
        """Judge the largest face of a uint8 [H, W, 3] RGB frame; of a stream's frames, by one crop in turn (turns.py).

        time_ms: when the frame was taken. before: what the stream's frame before has shown.
        """
        height, width = frame.shape[:2]
        rules = CONTRACT["verdict"]
        taken = {"time_ms": time_ms, "size": (width, height)}
        next_crop = turn(before, time_ms, (width, height), len(self.scales_percent), rules)
        again = before is not None and next_crop is not None
        if again and not looks(before, time_ms, CONTRACT["stream"]["look_ms"]):
            pixels = crop_pixels(frame, [before.crops[next_crop]])
            return replace(before, **taken, **self._mixed(before, next_crop, pixels))
        found = self.faces(frame)
        face = largest(found)
        taken["looked_ms"] = time_ms
        if face is None:
            return Observation(found, None, [], [], None, **taken)
        crops = [square(face, width, height, percent) for percent in self.scales_percent]
        against = reasons(face, found, width, height, measured_pixels(frame, face), CONTRACT["quality"])
        seen = {"faces": found, "face": face, "crops": crops, "reasons": against, **taken}
        if again and same_face(before.face, face, rules):
            return Observation(**seen, **self._mixed(before, next_crop, crop_pixels(frame, [crops[next_crop]])))
        logits, _, evidence = self.spoofnet.run(None, {"crops": crop_pixels(frame, crops)})
        return Observation(**seen, **_whole([float(value) for value in logits], evidence, range(len(crops))))

    def _mixed(self, before: Observation, index: int, pixels: np.ndarray) -> dict:
        """What a frame says that was judged by one crop, uint8 [1, 224, 224, 3]; the others are the frame's before."""
        (logit,), _, (evidence,) = self.spoofnet.run(None, {"crops": pixels})
        logits, maps = list(before.logits), before.evidence.copy()
        logits[index], maps[index] = float(logit), evidence
        return _whole(logits, maps, [index])


def _whole(logits: list[float], evidence: np.ndarray, judged: Sequence[int]) -> dict:
    return {"logits": logits, "logit": sum(logits) / len(logits), "evidence": evidence, "judged": tuple(judged)}


def measured_pixels(frame: np.ndarray, face: Face) -> np.ndarray:
    """What the gates measure of a face: uint8 [224, 224, 3] RGB."""
    height, width = frame.shape[:2]
    return crop_pixels(frame, [square(face, width, height, CONTRACT["quality"]["crop_percent"])])[0]


def crop_pixels(frame: np.ndarray, crops: list[Crop]) -> np.ndarray:
    """SpoofNet's input for some squares of a frame: uint8 [N, 224, 224, 3] RGB."""
    return np.stack([resample(frame, crop.box, SIDE, SIDE) for crop in crops])
