"""BlazeFace short range as an ONNX graph: a small TensorFlow Lite → ONNX converter for exactly that network.

The tflite file comes from the npm package `@mediapipe/face_detection` (Apache-2.0), at build time.
Only the operator kinds that the network uses are known; other kinds and options are refused.
The network: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

from spoofweb.contract import CONTRACT
from spoofweb.errors import SpoofwebError
from spoofweb.pipeline import open_detector

PACKAGE = "@mediapipe/face_detection"
FILE = "face_detection_short_range.tflite"
SIDE = CONTRACT["detector"]["side"]
SCORE_ONE = CONTRACT["detector"]["score_one"]
SUBPIXEL = CONTRACT["detector"]["subpixel"]
ANCHOR_GRIDS = ((16, 2), (8, 6))  # (cells a side, anchors a cell), in the order of the network's outputs
ANCHORS = sum(cells * cells * each for cells, each in ANCHOR_GRIDS)
VALUES = 16  # x centre, y centre, width, height, then x, y of six keypoints
RAW_SCORE_LIMIT = 100.0

_OPSET = 13
_IR_VERSION = 7  # the file format that came with opset 13
_DTYPES = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.FLOAT16: "<f2", tflite.TensorType.INT32: "<i4"}


def anchor_centres() -> np.ndarray:
    """Anchor centres: float32 [896, 2], x, y in input pixels; row by row, a cell's anchors side by side."""
    grids = []
    for cells, each in ANCHOR_GRIDS:
        line = (np.arange(cells) + 0.5) * (SIDE / cells)
        y, x = np.meshgrid(line, line, indexing="ij")
        grids.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), each, axis=0))
    return np.concatenate(grids).astype(np.float32)


def convert(tflite_bytes: bytes, provenance: Mapping[str, str] | None = None) -> bytes:
    """Convert the network to one ONNX file (opset 13); the same arguments give the same bytes.

    Graph input `image`: uint8 [1, 128, 128, 3], RGB.
    Graph output `detections`: int32 [1, 896, 17], one row an anchor, rounded half to even:
    column 0 is the score, sigmoid × 65536 (0..65536); columns 1..4 are the box x0, y0, x1, y1;
    columns 5..16 are x, y of right eye, left eye, nose tip, mouth, right ear, left ear (the person's own
    right and left). Coordinates are in 1/256 pixel of the input and may lie outside it.
    `provenance` and the SHA-256 of the tflite file go into `metadata_props`.

    Raises SpoofwebError for what is no whole tflite file, and for an unknown operator, option or shape.
    """
    if tflite_bytes[4:8] != b"TFL3":
        raise _error("not a tflite file (identifier TFL3 is missing)")
    try:
        graph = _Converter(tflite_bytes).graph()
    except (struct.error, ValueError, TypeError, IndexError, AttributeError, KeyError, MemoryError) as error:
        # the flatbuffers reader checks nothing, so damage shows as any of these
        raise _error(f"the tflite file is damaged ({error})") from error
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="spoofweb")
    facts = {**(provenance or {}), "source_sha256": hashlib.sha256(tflite_bytes).hexdigest()}
    helper.set_model_props(model, dict(sorted(facts.items())))
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise _error(f"the converted graph is not valid ({error})") from error
    return model.SerializeToString(deterministic=True)


def build(node_modules: Path) -> bytes:
    """Convert the network of an installed `@mediapipe/face_detection` and run it once; returns the ONNX file.

    Raises SpoofwebError if the package is not there, cannot be converted, or computes nonsense.
    """
    folder = node_modules / PACKAGE
    try:
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
        source = (folder / FILE).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _error(f"no usable {PACKAGE} in {node_modules} ({error})") from error
    model = convert(source, {"source_package": PACKAGE, "source_version": str(version), "source_file": FILE})
    _check_run(model)
    return model


def _check_run(model: bytes) -> None:
    """Run the graph on a fixed gradient: shape, dtype and value ranges must be those of the contract."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    image = np.stack([2 * x, 2 * y, x + y], axis=-1).astype(np.uint8)
    (found,) = open_detector(model).run(["detections"], {"image": image[None]})
    if found.shape != (1, ANCHORS, 1 + VALUES) or found.dtype != np.int32:
        raise _error(f"output is {found.dtype} {found.shape}")
    score, places = found[..., 0], found[..., 1:]
    far = 100 * SIDE * SUBPIXEL  # a value that is not finite becomes an extreme integer
    if score.min() < 0 or score.max() > SCORE_ONE or places.min() < -far or places.max() > far:
        raise _error("scores or coordinates are out of range")


class _Converter:
    """Walks the tflite graph once. Tensors of four dimensions are NHWC there, NCHW here; others are alike."""

    def __init__(self, data: bytes) -> None:
        self.model = tflite.Model.GetRootAsModel(data, 0)
        if self.model.SubgraphsLength() != 1:
            raise _error(f"{self.model.SubgraphsLength()} subgraphs in place of one")
        self.source = self.model.Subgraphs(0)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[TensorProto] = []
        self.folded: dict[int, np.ndarray] = {}  # constants that a DEQUANTIZE has widened, by tensor index

    def graph(self) -> onnx.GraphProto:
        image = self._only(self.source.InputsAsNumpy(), (1, SIDE, SIDE, 3))
        regressors = self._only(self.source.OutputsAsNumpy(), (1, ANCHORS, VALUES))
        scores = self._only(self.source.OutputsAsNumpy(), (1, ANCHORS, 1))
        self._normalise("image", _name(image))
        for index in range(self.source.OperatorsLength()):
            self._operator(self.source.Operators(index))
        self._decode(_name(scores), _name(regressors), "detections")
        return helper.make_graph(
            self.nodes,
            "blazeface_short_range",
            [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, SIDE, SIDE, 3])],
            [helper.make_tensor_value_info("detections", TensorProto.INT32, [1, ANCHORS, 1 + VALUES])],
            self.weights,
        )

    # what stands before and after the network

    def _normalise(self, image: str, output: str) -> None:
        """Bytes to -1..1, then NHWC to NCHW."""
        self._node("Cast", [image], "image_float", to=TensorProto.FLOAT)
        self._node("Div", ["image_float", self._weight("byte_half", np.float32(127.5))], "image_scaled")
        self._node("Sub", ["image_scaled", self._weight("one", np.float32(1))], "image_signed")
        self._node("Transpose", ["image_signed"], output, perm=[0, 3, 1, 2])

    def _decode(self, scores: str, regressors: str, output: str) -> None:
        """Raw scores and offsets from the anchor centres to integers."""
        low = self._weight("raw_score_min", np.float32(-RAW_SCORE_LIMIT))
        high = self._weight("raw_score_max", np.float32(RAW_SCORE_LIMIT))
        self._node("Clip", [scores, low, high], "score_clipped")
        self._node("Sigmoid", ["score_clipped"], "score")
        self._node("Mul", ["score", self._weight("score_one", np.float32(SCORE_ONE))], "score_scaled")

        # factors are powers of two and sums have two terms, so every runtime rounds alike
        corners = np.eye(VALUES, dtype=np.float32)
        corners[0:4, 0:4] = [[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]]
        self._node("MatMul", [regressors, self._weight("corners", corners * SUBPIXEL)], "offsets")
        self._reshape("offsets", "offset_points", (1, ANCHORS, VALUES // 2, 2))
        centres = self._weight("anchor_centres", anchor_centres()[None, :, None, :] * SUBPIXEL)
        self._node("Add", ["offset_points", centres], "points")
        self._reshape("points", "places", (1, ANCHORS, VALUES))

        self._node("Concat", ["score_scaled", "places"], "exact", axis=2)
        self._node("Round", ["exact"], "rounded")
        self._node("Cast", ["rounded"], output, to=TensorProto.INT32)

    # the network

    def _operator(self, operator: tflite.Operator) -> None:
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        kind = tflite.opcode2name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        handlers: dict[str, Callable[[tflite.Operator, list[int], int], None]] = {
            "ADD": self._add,
            "CONCATENATION": self._concatenation,
            "CONV_2D": self._conv,
            "DEPTHWISE_CONV_2D": self._depthwise_conv,
            "DEQUANTIZE": self._dequantize,
            "MAX_POOL_2D": self._max_pool,
            "PAD": self._pad,
            "RELU": self._relu,
            "RESHAPE": self._to_rows,
        }
        if kind not in handlers:
            raise _error(f"operator {kind} is not known to the converter")
        handlers[kind](operator, [int(i) for i in operator.InputsAsNumpy()], int(operator.Outputs(0)))

    def _dequantize(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        self.folded[output] = self._constant(inputs[0]).astype(np.float32)

    def _relu(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        self._node("Relu", [_name(inputs[0])], _name(output))

    def _add(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        self._require("ADD", _options(operator, tflite.AddOptions()), FusedActivationFunction=0)
        if self._shape(inputs[0]) != self._shape(inputs[1]):
            raise _error("operator ADD would have to broadcast")
        self._node("Add", [_name(i) for i in inputs], _name(output))

    def _concatenation(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.ConcatenationOptions())
        self._require("CONCATENATION", options, FusedActivationFunction=0)
        if len(self._shape(output)) == 4:
            raise _error("operator CONCATENATION of images is not known")
        self._node("Concat", [_name(i) for i in inputs], _name(output), axis=options.Axis())

    def _conv(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.Conv2DOptions())
        weight = self._constant(inputs[1]).transpose(0, 3, 1, 2)  # output, height, width, input
        self._convolve("CONV_2D", options, inputs, output, weight, groups=1)

    def _depthwise_conv(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.DepthwiseConv2DOptions())
        self._require("DEPTHWISE_CONV_2D", options, DepthMultiplier=1)
        weight = self._constant(inputs[1]).transpose(3, 0, 1, 2)  # 1, height, width, channel
        self._convolve("DEPTHWISE_CONV_2D", options, inputs, output, weight, groups=weight.shape[0])

    def _convolve(self, kind: str, options, inputs: list[int], output: int, weight: np.ndarray, groups: int) -> None:
        self._require(kind, options, FusedActivationFunction=0, DilationHFactor=1, DilationWFactor=1)
        kernel = weight.shape[2:]
        names = [
            _name(inputs[0]),
            self._weight(f"{_name(output)}_weight", weight),
            self._weight(f"{_name(output)}_bias", self._constant(inputs[2])),
        ]
        window = self._window(options, inputs[0], kernel)
        self._node("Conv", names, _name(output), group=groups, kernel_shape=kernel, **window)

    def _max_pool(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.Pool2DOptions())
        self._require("MAX_POOL_2D", options, FusedActivationFunction=0)
        kernel = (options.FilterHeight(), options.FilterWidth())
        window = self._window(options, inputs[0], kernel)
        self._node("MaxPool", [_name(inputs[0])], _name(output), kernel_shape=kernel, **window)

    def _pad(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        before, after = self._constant(inputs[1]).reshape(4, 2)[[0, 3, 1, 2]].T
        pads = self._weight(f"{_name(output)}_pads", np.concatenate([before, after]).astype(np.int64))
        self._node("Pad", [_name(inputs[0]), pads], _name(output), mode="constant")

    def _to_rows(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        if len(self._shape(inputs[0])) != 4 or len(self._shape(output)) == 4:
            raise _error("operator RESHAPE other than image to rows is not known")
        image = f"{_name(inputs[0])}_nhwc"
        self._node("Transpose", [_name(inputs[0])], image, perm=[0, 2, 3, 1])
        self._reshape(image, _name(output), self._shape(output))

    # small parts

    def _window(self, options, image: int, kernel: tuple[int, ...]) -> dict[str, list[int]]:
        """Strides and explicit pads; tflite's SAME puts the odd pixel at the end."""
        strides = [options.StrideH(), options.StrideW()]
        begin, end = [0, 0], [0, 0]
        if options.Padding() == tflite.Padding.SAME:
            for axis, size in enumerate(self._shape(image)[1:3]):
                missing = max((-(-size // strides[axis]) - 1) * strides[axis] + kernel[axis] - size, 0)
                begin[axis], end[axis] = missing // 2, missing - missing // 2
        return {"strides": strides, "pads": begin + end}

    def _require(self, kind: str, options, **wanted: int) -> None:
        for option, value in wanted.items():
            if getattr(options, option)() != value:
                raise _error(f"operator {kind} with {option} other than {value}")

    def _only(self, indices: np.ndarray, shape: tuple[int, ...]) -> int:
        found = [int(i) for i in indices if self._shape(int(i)) == shape]
        if len(found) != 1:
            shapes = [self._shape(int(i)) for i in indices]
            raise _error(f"expected one tensor of shape {shape} among {shapes}")
        return found[0]

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(n) for n in self.source.Tensors(tensor).ShapeAsNumpy())

    def _constant(self, tensor: int) -> np.ndarray:
        """A tensor's stored values in tflite's own order; widened ones where a DEQUANTIZE has been."""
        if tensor in self.folded:
            return self.folded[tensor]
        entry = self.source.Tensors(tensor)
        data = np.asarray(self.model.Buffers(entry.Buffer()).DataAsNumpy(), dtype=np.uint8)
        return data.view(_DTYPES[entry.Type()]).reshape(self._shape(tensor))

    def _weight(self, name: str, value: np.ndarray | np.generic) -> str:
        self.weights.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def _reshape(self, source: str, output: str, shape: tuple[int, ...]) -> None:
        self._node("Reshape", [source, self._weight(f"{output}_shape", np.array(shape, np.int64))], output)

    def _node(self, kind: str, inputs: list[str], output: str, **attributes) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes))


def _name(tensor: int) -> str:
    return f"t{tensor}"


def _error(what: str) -> SpoofwebError:
    return SpoofwebError(f"face detector: {what}; delete node_modules and install {PACKAGE} ({FILE}) again")


def _options(operator: tflite.Operator, options):
    """`options` filled with what the file says for this operator."""
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options
