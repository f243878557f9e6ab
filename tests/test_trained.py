"""Which network a site gets, and what is said where there is none that fits."""

import json
import sys

import pytest

from spoofweb import export, graphs, trained
from spoofweb.errors import SpoofwebError
from tests import miniature

CARD = {"headline": {"threshold": 0.75, "apcer": 0.1}}


@pytest.fixture
def said():
    return []


@pytest.fixture
def weights(tmp_path):
    """Checkpoint, exported file and card; the export is taken for current or not by what a test says."""
    files = [tmp_path / name for name in ("spoofnet.safetensors", "spoofnet.onnx", "card.json")]
    files[0].write_bytes(b"weights")
    files[1].write_bytes(miniature.spoofnet())
    files[2].write_text(json.dumps(CARD))
    return files


@pytest.fixture
def no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


def test_current_export_is_used_as_it_is(weights, said, monkeypatch, no_torch):
    monkeypatch.setattr(trained, "is_current", lambda graph, checkpoint: True)
    assert trained.committed(said.append, *weights) == (miniature.spoofnet(), CARD)
    assert said == []


def test_stale_export_is_made_again(weights, said, monkeypatch):
    monkeypatch.setattr(trained, "export", lambda checkpoint: miniature.spoofnet(2.0))
    assert trained.committed(said.append, *weights).graph == miniature.spoofnet(2.0)
    assert weights[1].read_bytes() == miniature.spoofnet(2.0)
    assert len(said) == 1 and "exported again" in said[0]
    assert not list(weights[1].parent.glob("*.part"))


def test_stale_export_without_torch(weights, said, no_torch):
    with pytest.raises(SpoofwebError, match=r"spoofnet\.onnx: not made from .* torch .*\[train\]"):
        trained.committed(said.append, *weights)
    assert weights[1].read_bytes() == miniature.spoofnet()


def test_failed_export_leaves_the_file(weights, said, monkeypatch):
    def fail(checkpoint):
        raise SpoofwebError("does not agree with torch")

    monkeypatch.setattr(trained, "export", fail)
    with pytest.raises(SpoofwebError, match="does not agree"):
        trained.committed(said.append, *weights)
    assert weights[1].read_bytes() == miniature.spoofnet()


@pytest.mark.parametrize("position", [0, 2])
def test_missing_file_is_named(weights, said, position):
    weights[position].unlink()
    with pytest.raises(SpoofwebError, match=weights[position].name):
        trained.committed(said.append, *weights)


def test_the_committed_files_belong_together(no_torch):
    """What a machine without torch builds from."""
    assert export.is_current(graphs.SPOOFNET, graphs.CHECKPOINT)
    assert trained.committed(pytest.fail).card["headline"]


def test_given_network_with_and_without_a_card(weights, said):
    _, graph, card = weights
    assert trained.given(graph, said.append) == (miniature.spoofnet(), CARD)
    assert said == []
    card.unlink()
    assert trained.given(graph, said.append).card == {"headline": {"threshold": 0}}
    assert len(said) == 1 and "no card.json" in said[0]


def test_given_checkpoint_is_exported(weights, said, monkeypatch):
    monkeypatch.setattr(trained, "export", lambda checkpoint: miniature.spoofnet(3.0))
    before = miniature.tree(weights[0].parent)
    assert trained.given(weights[0], said.append) == (miniature.spoofnet(3.0), CARD)
    assert miniature.tree(weights[0].parent) == before


def test_given_checkpoint_without_torch(weights, said, no_torch):
    with pytest.raises(SpoofwebError, match="torch to export it is not installed"):
        trained.given(weights[0], said.append)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.onnx", None, r"none\.onnx: cannot be read"),
        ("net.pt", b"", "neither a .onnx nor a .safetensors"),
        ("net.onnx", b"no graph", "cannot be loaded"),
        ("net.onnx", miniature.spoofnet()[:-9], "cannot be loaded"),
        ("net.onnx", miniature.spoofnet(pixels="images"), "images"),
        ("net.safetensors", b"no checkpoint", "not a whole"),
    ],
)
def test_given_something_else(tmp_path, said, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpoofwebError, match=message):
        trained.given(path, said.append)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"headline": {}}', '{"headline": {"threshold": "high"}}', '{"headline": [1]}'),
        '{"headline": {"threshold": 0, "groups": {}}, "models": [{"name": "x", "groups": {}}]}',
        '{"headline": {"threshold": 0, "groups": {"val": {}}}, "models": [{"name": "x", "curves": {}, "groups": {}}]}',
    ],
)
def test_broken_card(weights, said, text):
    weights[2].write_text(text)
    with pytest.raises(SpoofwebError, match=r"card\.json"):
        trained.given(weights[1], said.append)
