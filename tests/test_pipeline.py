"""Frame → observation: what it holds, what it is made of, and graphs that are none."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import scenes
from onnx import TensorProto, helper
from pictures import astronaut

from spoofweb.contract import CONTRACT
from spoofweb.errors import SpoofwebError
from spoofweb.pipeline import Pipeline, crop_pixels
from spoofweb.quality import measures
from spoofweb.resample import resample

SIDE, SCALES = CONTRACT["input"]["side"], CONTRACT["crop"]["scales_percent"]


@pytest.fixture(scope="module")
def seen(pipeline):
    """The observation of the astronaut."""
    return pipeline.observe(astronaut())


def test_a_face_is_judged(seen):
    assert seen.face in seen.faces
    assert len(seen.crops) == len(seen.logits) == len(SCALES)
    assert seen.logit == sum(seen.logits) / len(seen.logits)
    assert np.isfinite(seen.logit)


def test_the_face_is_where_it_is(seen):
    step = CONTRACT["detector"]["subpixel"]
    assert seen.face.x0 / step < 224 < seen.face.x1 / step
    assert seen.face.y0 / step < 128 < seen.face.y1 / step


def test_the_same_frame_gives_the_same(pipeline, seen):
    again = pipeline.observe(astronaut())
    assert replace(again, evidence=None) == replace(seen, evidence=None)
    assert np.array_equal(again.evidence, seen.evidence) and seen.evidence.shape == (len(SCALES), 28, 28)


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (240, 320)])
def test_no_face(pipeline, shape):
    seen = pipeline.observe(np.full((*shape, 3), 90, np.uint8))
    assert (seen.faces, seen.face, seen.crops, seen.logits, seen.logit) == ([], None, [], [], None)


def test_of_two_faces_the_larger_is_judged(pipeline):
    seen = pipeline.observe(scenes.placed(480, 320, (120, 160, 150, 0), (340, 160, 230, 5)))
    assert len(seen.faces) == 2
    assert seen.face.x0 / CONTRACT["detector"]["subpixel"] > 240


def test_the_network_sees_the_crop(pipeline, seen):
    frame = astronaut()
    pixels = crop_pixels(frame, seen.crops)
    assert pixels.shape == (len(seen.crops), SIDE, SIDE, 3) and pixels.dtype == np.uint8
    assert np.array_equal(pixels[0], resample(frame, seen.crops[0].box, SIDE, SIDE))
    logits, live, _ = pipeline.spoofnet.run(None, {"crops": pixels})
    assert logits.tolist() == seen.logits
    assert live == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-6)


def test_a_light_wall_behind_a_face_is_no_bright_face(detector_graph, spoofnet_graph):
    frame = scenes.placed(640, 480, (320, 240, 260, 0), grey=255)
    far = Pipeline(detector_graph, spoofnet_graph, [300, 330]).observe(frame)
    light, *_ = measures(crop_pixels(frame, far.crops[:1])[0], CONTRACT["quality"]["blur_block"])
    assert light > CONTRACT["quality"]["bright"] * SIDE**2  # what the network sees of it would be refused
    assert far.reasons == ()


def graph(name: str, kind: int, output: str) -> bytes:
    """An ONNX file that copies its input."""
    ends = [helper.make_tensor_value_info(end, kind, [1]) for end in (name, output)]
    made = helper.make_graph([helper.make_node("Identity", [name], [output])], "copy", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 13)]
    return helper.make_model(made, opset_imports=opsets, ir_version=7).SerializeToString()


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no graph",
        graph("crops", TensorProto.UINT8, "logit"),
        graph("crops", TensorProto.FLOAT, "logit"),
        graph("image", TensorProto.UINT8, "logit"),
    ],
    ids=["empty", "text", "an output is missing", "another type", "another name"],
)
def test_a_graph_that_is_none_is_refused(broken, detector_graph, spoofnet_graph):
    with pytest.raises(SpoofwebError, match="ONNX graph"):
        Pipeline(detector_graph, broken)
    with pytest.raises(SpoofwebError, match="ONNX graph"):
        Pipeline(broken, spoofnet_graph)


def test_a_truncated_graph_is_refused(detector_graph, spoofnet_graph):
    onnx.load_from_string(spoofnet_graph)  # it is whole before
    with pytest.raises(SpoofwebError, match="ONNX graph"):
        Pipeline(detector_graph, spoofnet_graph[: len(spoofnet_graph) // 2])
