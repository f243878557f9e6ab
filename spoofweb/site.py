"""The static site: templates, page sources, ONNX Runtime and both graphs → a folder that any web server can hand out.

Every URL is relative, so the folder works under any path. All but the pages stand under names that carry a hash of
their content: they can be cached for good. The same inputs give the same bytes.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from posixpath import relpath

import jinja2

from spoofweb import __version__, contract, numbers, offline, quality, sbom
from spoofweb.checksum import sha256
from spoofweb.errors import SpoofwebError
from spoofweb.icons import icons
from spoofweb.integrity import import_map, imported, integrity
from spoofweb.trained import Trained

HASH_DIGITS = 16
ORT_PACKAGE = "onnxruntime-web"
ORT_FILES = {
    "ort": "ort.wasm.min.mjs",
    "ort_loader": "ort-wasm-simd-threaded.mjs",
    "ort_wasm": "ort-wasm-simd-threaded.wasm",
}
DETECTOR_PACKAGE = "@mediapipe/face_detection"
LICENCES = "licences.txt"
ENTRY = "boot.js"
ENGINE = "spoofweb.js"
STYLES = ("style.css", "numbers.css")


@dataclass(frozen=True)
class Parts:
    """What a site is made of."""

    web: Path  # folder with src/, templates/ and style.css
    node_modules: Path  # the installed npm packages
    spoofnet: Trained
    detector: bytes  # ONNX


def render(parts: Parts) -> dict[str, bytes]:
    """All files of the site: path relative to its root → content.

    Raises SpoofwebError where a source or package file is missing, or a template is broken.
    """
    assets, files = _assets(parts)
    app_files = _sources(parts.web)
    worker = app_files.pop(offline.WORKER)
    graphs = {"detector": sha256(parts.detector), "spoofnet": sha256(parts.spoofnet.graph)}
    compiled = contract.compiled(parts.spoofnet.card, graphs) | {
        "files": {key: relpath(path, "app") for key, path in assets.items()},
        "bytes": {key: len(files[path]) for key, path in assets.items()},
        "sha256": {key: sha256(files[path]) for key, path in assets.items()},
    }
    app_files["contract.json"] = json.dumps(compiled, indent=1, ensure_ascii=False).encode() + b"\n"
    samples = _read_all(parts.web / "samples")
    app, icon_folder, sample_folder = (
        _add(files, name, content) for name, content in (("app", app_files), ("icons", icons()), ("samples", samples))
    )
    scripts = {name: content for name, content in app_files.items() if name.endswith((".js", ".json"))}
    packages = {"ort": ORT_PACKAGE, "detector": DETECTOR_PACKAGE}
    context = {
        "contract": compiled,
        "app": app,
        "icons": icon_folder,
        "assets": assets,
        "samples": _samples(samples, sample_folder, parts.web),
        "numbers": numbers.report(parts.spoofnet.card),
        "modules": imported("main.js", scripts),
        "integrity": {name: integrity(content) for name, content in app_files.items()},
        "import_map": import_map(app, scripts),
        "import_map_hash": integrity(import_map(app, scripts).encode()),
        "reasons": quality.CODES,
        "version": __version__,
        "packages": {key: _package_version(parts.node_modules, package) for key, package in packages.items()},
    }
    files |= _pages(parts.web / "templates", context)
    files[ENGINE] = f'export * from "./{app}/{ENGINE}";\n'.encode()
    files[offline.MANIFEST] = offline.manifest(icon_folder)
    files[offline.WORKER] = offline.worker(worker, files)
    files[sbom.NAME] = sbom.bill(parts.web, files, compiled)
    return files


def write(files: dict[str, bytes], out: Path) -> None:
    """Put a site in place of the folder `out`, whole or not at all: written beside, then renamed.

    Raises SpoofwebError where `out` holds something other than a site, or cannot be written.
    """
    out = out.resolve()
    try:
        _check_target(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent, ignore_cleanup_errors=True) as beside:
            fresh, old = Path(beside, "new"), Path(beside, "old")
            for name, content in files.items():
                path = fresh / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            if out.exists():
                out.rename(old)
            try:
                fresh.rename(out)
            except OSError:
                if old.exists():
                    old.rename(out)
                raise
    except OSError as error:
        raise SpoofwebError(f"{out}: the site cannot be written there ({error.strerror}); give another --out") from None


def _assets(parts: Parts) -> tuple[dict[str, str], dict[str, bytes]]:
    """Paths of what the page loads beside its own sources (by their names in contract.json), and the files."""
    folder = parts.node_modules / ORT_PACKAGE / "dist"
    ort = {name: _read(folder / name) for name in ORT_FILES.values()}
    files: dict[str, bytes] = {}
    ort_folder = _add(files, "ort", ort)
    assets = {key: f"{ort_folder}/{name}" for key, name in ORT_FILES.items()}
    models = {"detector": ("blazeface", parts.detector), "spoofnet": ("spoofnet", parts.spoofnet.graph)}
    for key, (name, graph) in models.items():
        assets[key] = f"models/{name}-{sha256(graph)[:HASH_DIGITS]}.onnx"
        files[assets[key]] = graph
    return assets, files


def _sources(web: Path) -> dict[str, bytes]:
    """The page's modules and styles, by their paths in the app folder."""
    modules = {path.relative_to(web / "src").as_posix(): _read(path) for path in (web / "src").rglob("*.js")}
    for name in ("main.js", ENTRY, ENGINE, offline.WORKER):
        if name not in modules:
            raise SpoofwebError(f"{web / 'src' / name}: missing, so there is no page to build; check the checkout")
    styles = {name: _read(web / name) for name in STYLES}
    return dict(sorted(modules.items())) | styles


def _read_all(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name, sorted."""
    try:
        return {path.name: _read(path) for path in sorted(folder.iterdir()) if path.is_file()}
    except OSError as error:
        raise SpoofwebError(f"{folder}: cannot be read ({error.strerror}); check the checkout") from None


def _samples(files: dict[str, bytes], folder: str, web: Path) -> list[dict]:
    """The entries of samples.json, each with the `url` of its file, relative to the page."""
    index = web / "samples" / "samples.json"
    try:
        listed = [entry | {"url": f"{folder}/{entry['file']}"} for entry in json.loads(files[index.name])]
        missing = [entry["file"] for entry in listed if entry["file"] not in files]
    except (ValueError, KeyError, TypeError) as error:
        raise SpoofwebError(f"{index}: no list of samples ({error!r}); check the checkout") from None
    if missing:
        raise SpoofwebError(f"{index}: lists {', '.join(missing)}, which {index.parent} lacks; check the checkout")
    return listed


def _add(files: dict[str, bytes], kind: str, content: dict[str, bytes]) -> str:
    """Put files into a folder of the site whose name follows their content; gives the name."""
    folder = f"{kind}-{_hash_of(content)}"
    files |= {f"{folder}/{name}": data for name, data in content.items()}
    return folder


def _pages(templates: Path, context: dict) -> dict[str, bytes]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=jinja2.select_autoescape(("html", "svg")),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    pages = {}
    for name in (*sorted(path.name for path in templates.glob("*.html")), LICENCES):
        try:
            pages[name] = environment.get_template(name).render(context).encode()
        except jinja2.TemplateError as error:
            raise SpoofwebError(f"{templates / name}: {type(error).__name__}: {error}; mend the template") from None
    if "index.html" not in pages:
        raise SpoofwebError(f"{templates / 'index.html'}: missing, so there is no page to build; check the checkout")
    return pages


def _check_target(out: Path) -> None:
    """SpoofwebError where a site must not take the place of `out`: something else lives there."""
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or any(out.glob("app-*/contract.json")))):
        raise SpoofwebError(f"{out}: holds something other than a site; give --out a new or an empty folder")


def _package_version(node_modules: Path, package: str) -> str:
    path = node_modules / package / "package.json"
    try:
        return json.loads(_read(path))["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise SpoofwebError(f"{path}: names no version ({error!r}); delete {node_modules} and build again") from None


def _hash_of(files: dict[str, bytes]) -> str:
    """A hash over names and contents, short enough for a folder's name."""
    return contract.digest({name: sha256(content) for name, content in files.items()})[:HASH_DIGITS]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpoofwebError(f"{path}: cannot be read ({error.strerror}); check the checkout") from None
