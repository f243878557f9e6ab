"""The exported graph computes what torch computes, in the promised form."""

import numpy as np
import onnx
import pytest
import torch

from spoofweb import checkpoint, export
from spoofweb.contract import CONTRACT, preprocessing_digest
from spoofweb.errors import SpoofwebError
from spoofweb.graphs import CHECKPOINT, SPOOFNET
from spoofweb.model import SpoofNet
from spoofweb.pipeline import open_spoofnet
from spoofweb.resample import resample
from tests.pictures import astronaut, halftoned

SCALES = CONTRACT["crop"]["scales_percent"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("export") / "net.safetensors"
    checkpoint.save(SpoofNet(), path, {"scales_percent": SCALES})
    return path


@pytest.fixture(scope="module")
def graph(saved):
    return export.export(saved)


def varied_crops() -> np.ndarray:
    """uint8 [64, 224, 224, 3]: parts of the astronaut, prints of it, flat colours and noise."""
    rng, crops = np.random.default_rng(0), []
    for i in range(64):
        source = halftoned(astronaut(), 3 + i % 5) if i % 2 else astronaut()
        side = int(rng.integers(20, 400))
        x, y = rng.integers(0, 512 - side, 2)
        crops.append(resample(source, (x, y, x + side, y + side), 224, 224))
    crops[10] = np.zeros_like(crops[0])
    crops[11] = np.full_like(crops[0], 255)
    crops[12] = rng.integers(0, 256, crops[0].shape, np.uint8)
    return np.stack(crops)


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("weights", ["random", "committed"])
def test_agrees_with_torch(saved, graph, weights, batch):
    path, data = (saved, graph) if weights == "random" else (CHECKPOINT, SPOOFNET.read_bytes())
    net, _ = checkpoint.load(path)
    run, crops = open_spoofnet(data), varied_crops()
    for i in range(0, len(crops), batch):
        part = crops[i : i + batch]
        logit, live, evidence = run.run(export.OUTPUTS, {"crops": part})
        with torch.inference_mode():
            pixels = torch.from_numpy(part).permute(0, 3, 1, 2).float() / 255
            expected, places = net(pixels).numpy(), net.evidence(*net.features(pixels)).numpy()
        assert np.abs(logit - expected).max() <= 1e-4
        assert np.abs(evidence - places).max() <= 1e-4
        assert np.allclose(live, 1 / (1 + np.exp(-logit.astype(float))), atol=1e-6)


def test_form(graph):
    model = onnx.load_from_string(graph)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 13)]
    (entry,) = model.graph.input
    assert entry.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert entry.type.tensor_type.shape.dim[0].dim_param and [d.dim_value for d in entry.type.tensor_type.shape.dim][
        1:
    ] == [224, 224, 3]
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert len(graph) < 4.5e6


def test_same_checkpoint_same_bytes(saved, graph):
    assert export.export(saved) == graph


def test_provenance(saved, graph, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(graph)
    assert export.is_current(path, saved)
    told = {entry.key: entry.value for entry in onnx.load_from_string(graph).metadata_props}
    assert told["preprocessing_sha256"] == preprocessing_digest()
    other = tmp_path / "other.safetensors"
    checkpoint.save(SpoofNet(), other, {"scales_percent": SCALES})
    assert not export.is_current(path, other)
    assert not export.is_current(tmp_path / "missing.onnx", saved)


def test_committed_files_belong_together():
    assert export.is_current(SPOOFNET, CHECKPOINT)


def test_other_crops_are_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    checkpoint.save(SpoofNet(), path, {"scales_percent": [100]})
    with pytest.raises(SpoofwebError, match="trained on crops of"):
        export.export(path)


def test_a_graph_that_computes_something_else_is_refused(saved, monkeypatch):
    monkeypatch.setattr(export, "max_difference", lambda *_: 1.0)
    with pytest.raises(SpoofwebError, match="off torch"):
        export.export(saved)


def test_a_network_that_gives_no_numbers_is_refused(saved):
    net, _ = checkpoint.load(saved)
    with torch.no_grad():
        net.head[-1].bias.fill_(float("nan"))
    with pytest.raises(SpoofwebError, match="no numbers"):
        export.convert(net, {})


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("texture", "kernel"), [("separable", 3), ("paired", 3), ("moments", 3)])
def test_every_kind_of_network_is_exported_without_a_warning(texture, kernel, early, recwarn):
    torch.manual_seed(2)
    net = SpoofNet(texture, kernel, early=early).eval()
    for pool, _, _ in net.opinions([]):
        for name, statistics in pool.named_buffers():
            if "running" in name:
                statistics.uniform_(0.2, 0.6)
    run, crops = open_spoofnet(export.convert(net, {})), varied_crops()[:16]  # some without any variance
    assert not [warning for warning in recwarn if "trace" in str(warning.message)]
    with torch.inference_mode():
        expected = export.outputs(net, torch.from_numpy(crops))
    for own, other in zip(run.run(export.OUTPUTS, {"crops": crops}), expected, strict=True):
        assert np.abs(own - other.numpy()).max() <= 1e-4


@pytest.mark.parametrize("output", ["classify", "evidence"])
def test_both_outputs_are_held_against_torch(saved, graph, monkeypatch, output):
    net, _ = checkpoint.load(saved)
    computed = getattr(SpoofNet, output)
    monkeypatch.setattr(SpoofNet, output, lambda net, *maps: computed(net, *maps) + 0.5)
    assert export.max_difference(net, graph) == pytest.approx(0.5, abs=0.01)


def test_foreign_onnx_is_refused(graph):
    model = onnx.load_from_string(graph)
    del model.graph.output[1]
    fixed = onnx.load_from_string(graph)
    fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    for broken in (fixed.SerializeToString(), model.SerializeToString(), graph[: len(graph) // 2], b"no onnx"):
        with pytest.raises(SpoofwebError, match="ONNX graph"):
            open_spoofnet(broken)
