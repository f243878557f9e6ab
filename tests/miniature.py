"""Small stand-ins for what a site is built from, so that tests of the build need no network and no large file."""

import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

PACKAGE = {"version": "7.8.9", "integrity": "sha512-AAAA", "license": "MIT"}
PAGE = '<!doctype html><title>{{ version }}</title><link href="{{ app }}/style.css"><p>{{ contract.input.side }}</p>\n'


def web(folder: Path) -> Path:
    """A folder of page sources as the build takes them."""
    files = {
        "src/boot.js": 'await import("./main.js");\n',
        "src/main.js": 'import "./part/more.js";\n',
        "src/spoofweb.js": "export const engine = 1;\n",
        "src/sw.js": "self.SITE;\n",
        "src/part/more.js": "export const more = 1;\n",
        "style.css": "body { margin: 0 }\n",
        "numbers.css": "table { margin: 0 }\n",
        "samples/samples.json": json.dumps([{"file": "one.jpg", "kind": "live", "title": "sample.live"}]),
        "samples/one.jpg": "drawn",
        "package-lock.json": json.dumps({"packages": {"": {}, "node_modules/@scope/part": PACKAGE}}),
        "templates/index.html": PAGE,
        "templates/licences.txt": "{{ packages.ort }} & {{ packages.detector }}: {{ assets.ort }}\n",
    }
    return _written(folder, files)


def node_modules(folder: Path) -> Path:
    """Installed packages with just the files that the build looks for, and one that it must leave."""
    files = {
        "onnxruntime-web/package.json": json.dumps({"version": "1.2.3"}),
        "onnxruntime-web/dist/ort.wasm.min.mjs": "export {};\n",
        "onnxruntime-web/dist/ort-wasm-simd-threaded.mjs": "export default 1;\n",
        "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm": "\0asm",
        "onnxruntime-web/dist/ort.webgpu.min.mjs": "not in use\n",
        "@mediapipe/face_detection/package.json": json.dumps({"version": "4.5.6"}),
    }
    return _written(folder, files)


def spoofnet(offset: float = 0.0, *, pixels: str = "crops") -> bytes:
    """An ONNX graph with SpoofNet's inputs and outputs: the logit is the mean byte plus an offset."""
    nodes = [
        helper.make_node("Cast", [pixels], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Add", ["mean", "offset"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["live"]),
        helper.make_node("Reshape", ["logit", "one_cell"], ["cells"]),
        helper.make_node("Expand", ["cells", "map"], ["evidence"]),
    ]
    graph = helper.make_graph(
        nodes,
        "miniature",
        [helper.make_tensor_value_info(pixels, TensorProto.UINT8, ["N", 224, 224, 3])],
        [
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in ("logit", "live")),
            helper.make_tensor_value_info("evidence", TensorProto.FLOAT, ["N", 28, 28]),
        ],
        [
            helper.make_tensor("offset", TensorProto.FLOAT, [], [offset]),
            helper.make_tensor("one_cell", TensorProto.INT64, [3], [-1, 1, 1]),
            helper.make_tensor("map", TensorProto.INT64, [3], [1, 28, 28]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder: relative path → content."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder
