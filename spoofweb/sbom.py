"""The site's bill of materials, as CycloneDX 1.6 JSON: what it carries, from where, with hashes.

Without times or random numbers, so that the same build gives the same file.
"""

import base64
import json
import uuid
from importlib.metadata import version
from pathlib import Path

from spoofweb import __version__, contract
from spoofweb.checksum import sha256
from spoofweb.errors import SpoofwebError

NAME = "sbom.json"
# Python packages that shape the site's bytes
BUILDERS = ("jinja2", "numpy", "onnx", "onnxruntime", "pillow", "tflite")
MODELS = {"spoofnet": "SpoofNet", "detector": "BlazeFace short range, converted to ONNX"}


def bill(web: Path, files: dict[str, bytes], compiled: dict) -> bytes:
    """The bill for a site of these files (path → content) with this contract, its packages from the lock in `web`.

    Raises SpoofwebError where the lock cannot be read.
    """
    components = [
        *_packages(web / "package-lock.json"),
        *(_model(name, text, compiled["graphs"][name]) for name, text in MODELS.items()),
        *({"type": "file", "name": path, **_hashes(sha256(content))} for path, content in sorted(files.items())),
    ]
    site = {"type": "application", "bom-ref": "site", "name": "spoofweb", "version": __version__}
    facts = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, contract.digest(components))}",
        "version": 1,
        "metadata": {
            "component": site | {"licenses": [{"license": {"id": "MIT"}}]},
            "tools": {"components": [_python_package(name) for name in BUILDERS]},
        },
        "components": components,
    }
    return json.dumps(facts, indent=1).encode() + b"\n"


def _packages(lock: Path) -> list[dict]:
    """The npm packages of a lock that are not for development alone."""
    try:
        entries = json.loads(lock.read_bytes())["packages"]
        return [
            _npm_package(path.rpartition("node_modules/")[2], entry)
            for path, entry in entries.items()
            if path and not entry.get("dev")
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpoofwebError(f"{lock}: not a whole npm lock ({error!r}); take it from the repository") from None


def _npm_package(name: str, entry: dict) -> dict:
    kind, _, digest = entry["integrity"].partition("-")
    if kind != "sha512":
        raise ValueError(f"{name} has no SHA-512")
    return {
        "type": "library",
        "name": name,
        "version": entry["version"],
        "purl": f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}",
        "licenses": [{"license": {"id": entry["license"]}}],
        "hashes": [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}],
    }


def _python_package(name: str) -> dict:
    number = version(name)
    return {"type": "library", "name": name, "version": number, "purl": f"pkg:pypi/{name}@{number}"}


def _model(name: str, text: str, digest: str) -> dict:
    return {"type": "machine-learning-model", "name": name, "description": text, **_hashes(digest)}


def _hashes(digest: str) -> dict:
    return {"hashes": [{"alg": "SHA-256", "content": digest}]}
