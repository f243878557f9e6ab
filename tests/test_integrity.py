"""Hashes as browsers read them, and the graph of a page's modules."""

import json

from spoofweb.integrity import import_map, imported, integrity


def test_integrity_of_known_bytes():
    assert integrity(b"abc") == "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="


def test_import_map_is_relative_to_the_page():
    entries = json.loads(import_map("app-1", {"b.js": b"abc", "a/c.js": b""}))["integrity"]
    assert list(entries) == ["./app-1/a/c.js", "./app-1/b.js"]
    assert entries["./app-1/b.js"] == integrity(b"abc")


def test_imported_follows_static_imports_only():
    modules = {
        "main.js": b'import { a,\n  b } from "./part/a.js";\nimport "./c.js";\n await import("./late.js");\n',
        "part/a.js": b'export * from "../d.js";\nimport x from "./a.js";\n',
        "c.js": b'/** @typedef {import("./type.js").T} T */\nimport y from "package";\n',
        "d.js": b'export const text = "./none.js";\n',
        **{name: b"" for name in ("late.js", "type.js", "none.js")},
    }
    assert imported("main.js", modules) == ["c.js", "d.js", "main.js", "part/a.js"]
