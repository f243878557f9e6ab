"""The converter: the astronaut's face, rows of another interpreter, equal bytes, refused files."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import tflite
from PIL import Image
from skimage.data import astronaut

from spoofweb import detector, npm
from spoofweb.errors import SpoofwebError
from spoofweb.pipeline import open_detector

WEB = Path(__file__).parents[1] / "web"
LOGISTIC = tflite.BuiltinOperator.LOGISTIC

# rows of the resized astronaut, computed with the LiteRT 2.3.0 interpreter and float64 decoding
LITERT_ROWS = {
    0: [1006, -2076, -2401, 4514, 4188, 885, -106, 1855, 52, 1508, 909, 1282, 1980, -709, 471, 2379, 668],
    141: [60353, 11468, 5243, 17521, 11296, 13038, 6589, 15944, 7008, 14273, 8078, 14110, 9405, 11350, 7135,
          17458, 7991],
    806: [8993, 660, 20501, 12255, 32095, 5715, 23613, 10486, 25120, 8498, 26091, 7414, 27784, 1275, 24154,
          11421, 26676],
    895: [0, 16429, 17717, 44462, 45779, 28526, 27285, 33508, 30354, 28275, 32500, 27129, 35735, 26073, 25395,
          38611, 31275],
}  # fmt: skip


@pytest.fixture(scope="module")
def node_modules() -> Path:
    return npm.install(WEB)


@pytest.fixture(scope="module")
def source(node_modules: Path) -> bytes:
    return (node_modules / detector.PACKAGE / detector.FILE).read_bytes()


@pytest.fixture(scope="module")
def graph(node_modules: Path) -> bytes:
    return detector.build(node_modules)


@pytest.fixture(scope="module")
def detections(graph: bytes) -> np.ndarray:
    image = np.asarray(Image.fromarray(astronaut()).resize((128, 128), Image.Resampling.BILINEAR))
    (found,) = open_detector(graph).run(None, {"image": image[None]})
    return found[0]


def test_contract(graph: bytes, detections: np.ndarray) -> None:
    model = onnx.load_from_string(graph)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 13)]
    assert detections.shape == (896, 17) and detections.dtype == np.int32
    assert detections[:, 0].min() >= 0 and detections[:, 0].max() <= 65536


def test_provenance(graph: bytes, source: bytes) -> None:
    facts = {entry.key: entry.value for entry in onnx.load_from_string(graph).metadata_props}
    assert facts["source_package"] == detector.PACKAGE
    assert facts["source_version"] in (WEB / "package.json").read_text(encoding="utf-8")
    assert facts["source_sha256"] == "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"


def test_face_is_found(detections: np.ndarray) -> None:
    best = detections[detections[:, 0].argmax()]
    assert best[0] > 65536 // 2
    x0, y0, x1, y1 = best[1:5] / 256 * 4  # in pixels of the 512×512 picture
    assert 150 < x0 < 200 and 60 < y0 < 110 and 250 < x1 < 300 and 160 < y1 < 210
    right_eye, left_eye, nose, mouth, right_ear, left_ear = best[5:].reshape(6, 2)
    assert right_ear[0] < right_eye[0] < nose[0] < left_eye[0] < left_ear[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < mouth[1]
    assert best[1] < right_eye[0] and left_eye[0] < best[3] and best[2] < right_eye[1] and mouth[1] < best[4]


@pytest.mark.parametrize("anchor", LITERT_ROWS)
def test_same_as_another_interpreter(detections: np.ndarray, anchor: int) -> None:
    assert np.abs(detections[anchor] - LITERT_ROWS[anchor]).max() <= 1  # a last bit may round another way


def test_no_face_in_an_even_picture(graph: bytes) -> None:
    (found,) = open_detector(graph).run(None, {"image": np.full((1, 128, 128, 3), 128, np.uint8)})
    assert found[..., 0].max() < 65536 // 2


def test_anchor_centres() -> None:
    centres = detector.anchor_centres()
    assert centres.shape == (896, 2)
    assert centres[[0, 1, 2, 32, 511, 512, 518, 560, 895]].tolist() == [
        [4, 4], [4, 4], [12, 4], [4, 12], [124, 124], [8, 8], [24, 8], [8, 24], [120, 120],
    ]  # fmt: skip


def test_same_bytes(graph: bytes, node_modules: Path) -> None:
    assert detector.build(node_modules) == graph


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file(source: bytes, share: float) -> None:
    with pytest.raises(SpoofwebError, match="damaged|expected one tensor"):
        detector.convert(source[: int(share * len(source))])


@pytest.mark.parametrize("content", [b"", b"TFL3", b"<!doctype html><html></html>"])
def test_not_a_tflite_file(content: bytes) -> None:
    with pytest.raises(SpoofwebError, match="not a tflite file"):
        detector.convert(content)


def test_unknown_operator_is_named(source: bytes) -> None:
    changed = bytearray(source)
    model = tflite.Model.GetRootAsModel(changed, 0)
    code = next(
        model.OperatorCodes(i)
        for i in range(model.OperatorCodesLength())
        if model.OperatorCodes(i).DeprecatedBuiltinCode() == tflite.BuiltinOperator.RELU
    )
    for field in (4, 10):  # the vtable slots of the old one-byte code and of the new code
        if place := code._tab.Offset(field):
            changed[code._tab.Pos + place] = LOGISTIC
    with pytest.raises(SpoofwebError, match="operator LOGISTIC is not known"):
        detector.convert(bytes(changed))


def test_wrong_shape_is_named(source: bytes) -> None:
    changed = bytearray(source)
    graph = tflite.Model.GetRootAsModel(changed, 0).Subgraphs(0)
    graph.Tensors(graph.Inputs(0)).ShapeAsNumpy()[1] = 192
    with pytest.raises(SpoofwebError, match=r"\(1, 128, 128, 3\) among \[\(1, 192, 128, 3\)\]"):
        detector.convert(bytes(changed))


def test_unknown_option_is_named(source: bytes) -> None:
    changed = bytearray(source)
    graph = tflite.Model.GetRootAsModel(changed, 0).Subgraphs(0)
    for i in range(graph.OperatorsLength()):
        if graph.Operators(i).BuiltinOptionsType() == tflite.BuiltinOptions.DepthwiseConv2DOptions:
            table = graph.Operators(i).BuiltinOptions()
            place = table.Offset(10)  # the vtable slot of depth_multiplier
            changed[table.Pos + place] = 2
            break
    with pytest.raises(SpoofwebError, match="DEPTHWISE_CONV_2D with DepthMultiplier other than 1"):
        detector.convert(bytes(changed))


def test_missing_package(tmp_path: Path) -> None:
    with pytest.raises(SpoofwebError, match="no usable @mediapipe/face_detection"):
        detector.build(tmp_path)
