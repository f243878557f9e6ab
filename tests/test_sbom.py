"""The bill of materials: what the lock and the site have, with hashes, and nothing that is for development."""

import json
from pathlib import Path

import pytest

from spoofweb import sbom
from spoofweb.checksum import sha256
from spoofweb.errors import SpoofwebError

WEB = Path(__file__).parents[1] / "web"
FILES = {"index.html": b"page", "models/net.onnx": b"net"}
CONTRACT = {"graphs": {"spoofnet": sha256(b"net"), "detector": sha256(b"detector")}}


@pytest.fixture(scope="module")
def bill():
    return json.loads(sbom.bill(WEB, FILES, CONTRACT))


def of_kind(bill, kind):
    return {part["name"]: part for part in bill["components"] if part["type"] == kind}


def test_packages_are_those_of_the_lock(bill):
    lock = json.loads((WEB / "package-lock.json").read_text())["packages"]
    shipped = {path.rpartition("node_modules/")[2] for path, entry in lock.items() if path and not entry.get("dev")}
    packages = of_kind(bill, "library")
    assert packages.keys() == shipped and "typescript" not in shipped
    runtime = packages["onnxruntime-web"]
    assert runtime["version"] == lock["node_modules/onnxruntime-web"]["version"]
    assert runtime["purl"] == f"pkg:npm/onnxruntime-web@{runtime['version']}"
    assert packages["@mediapipe/face_detection"]["purl"].startswith("pkg:npm/%40mediapipe/face_detection@")
    assert all(len(part["hashes"][0]["content"]) == 128 for part in packages.values())


def test_files_and_models_have_their_hashes(bill):
    files = of_kind(bill, "file")
    assert {name: part["hashes"][0]["content"] for name, part in files.items()} == {
        name: sha256(content) for name, content in FILES.items()
    }
    models = of_kind(bill, "machine-learning-model")
    assert {name: part["hashes"][0]["content"] for name, part in models.items()} == CONTRACT["graphs"]


def test_same_inputs_same_bytes():
    first = sbom.bill(WEB, FILES, CONTRACT)
    assert sbom.bill(WEB, dict(reversed(FILES.items())), CONTRACT) == first
    assert sbom.bill(WEB, {**FILES, "more": b""}, CONTRACT) != first


def test_tools_are_named_with_their_versions(bill):
    tools = bill["metadata"]["tools"]["components"]
    assert [tool["name"] for tool in tools] == list(sbom.BUILDERS)
    assert all(tool["version"][0].isdigit() for tool in tools)


@pytest.mark.parametrize("lock", ["", "{}", '{"packages": {"node_modules/a": {"version": "1"}}}'])
def test_a_broken_lock_is_named(tmp_path, lock):
    (tmp_path / "package-lock.json").write_text(lock)
    with pytest.raises(SpoofwebError, match="package-lock.json"):
        sbom.bill(tmp_path, FILES, CONTRACT)
