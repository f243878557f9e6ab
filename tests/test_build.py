"""`python build_site.py` as it is run, and what the repository promises about it."""

import ast
import re
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import build_site
from spoofweb import detector, npm
from tests import miniature

ROOT = Path(__file__).parents[1]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The command with miniature sources, packages and detector; the path of a network that it takes."""
    monkeypatch.setattr(build_site, "WEB", miniature.web(tmp_path / "web"))
    packages = miniature.node_modules(tmp_path / "node_modules")
    monkeypatch.setattr(npm, "install", lambda web: packages)
    monkeypatch.setattr(detector, "build", lambda node_modules: b"detector")
    network = tmp_path / "net" / "net.onnx"
    network.parent.mkdir()
    network.write_bytes(miniature.spoofnet())
    return network


def test_says_what_it_built(small, tmp_path, capsys):
    out = tmp_path / "site"
    assert build_site.main(["--model", str(small), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"{out}: the site, 24 files, 0.0 MB" in said
    assert "--serve" in said
    assert miniature.tree(out)["licences.txt"]


def test_default_place_is_web_dist():
    assert build_site.parse([]).out == ROOT / "web" / "dist"


def test_a_failed_build_leaves_the_last_site(small, tmp_path, capsys):
    out = tmp_path / "site"
    arguments = ["--model", str(small), "--out", str(out)]
    assert build_site.main(arguments) == 0
    before = miniature.tree(out)
    (build_site.WEB / "templates" / "index.html").write_text("{{ nothing.of.the.kind }}")
    assert build_site.main(arguments) == 2
    assert re.match(r"error: .*index\.html: UndefinedError", capsys.readouterr().err)
    assert miniature.tree(out) == before


@pytest.mark.parametrize("content", [None, b"no graph", miniature.spoofnet(pixels="images")])
def test_no_network_nothing_written(small, tmp_path, capsys, content):
    other = tmp_path / "other.onnx"
    if content is not None:
        other.write_bytes(content)
    before = miniature.tree(tmp_path)
    assert build_site.main(["--model", str(other), "--out", str(tmp_path / "site")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert miniature.tree(tmp_path) == before


def test_port_in_use_is_said_before_the_work(small, tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        out = tmp_path / "site"
        assert build_site.main(["--model", str(small), "--out", str(out), "--serve", port]) == 2
    assert capsys.readouterr().err.startswith(f"error: port {port}")
    assert not out.exists()


def test_keeps_off_a_folder_that_is_no_site(small, tmp_path, capsys):
    assert build_site.main(["--model", str(small), "--out", str(tmp_path)]) == 2
    assert "other than a site" in capsys.readouterr().err
    assert small.exists()


@pytest.mark.parametrize(
    "arguments", [["--serve", "70000"], ["--serve", "http"], ["--base", "https://host/"], ["more"]]
)
def test_senseless_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        build_site.main(arguments)
    assert stop.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_for_real(tmp_path, node_modules):
    """Builds without torch, serves below a path, and ends quietly on Ctrl-C."""
    block = (  # a job in the background has inherited that SIGINT is ignored
        "import signal, sys, build_site; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "sys.modules['torch'] = None; sys.exit(build_site.main(sys.argv[1:]))"
    )
    out = tmp_path / "site"
    process = subprocess.Popen(
        [sys.executable, "-c", block, "--out", str(out), "--serve", "0", "--base", "/spoofweb/"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = None
        for line in process.stdout:
            if found := re.match(r"serving it at (\S+)", line):
                url = found[1]
                break
        assert url and url.endswith("/spoofweb/"), process.stderr.read()
        files = miniature.tree(out)
        page = urlopen(url).read()
        assert page == files["index.html"]
        for name in (name for name in files if name.endswith((".onnx", ".wasm", "main.js"))):
            assert urlopen(url + name).read() == files[name]
    finally:
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_readme_and_ci_run_the_same_command():
    command = (ROOT / ".ci" / "run").read_text().rstrip().splitlines()[-1]
    assert "pytest" in command
    assert command in (ROOT / "README.md").read_text().splitlines()


def test_actions_are_pinned_by_commit():
    uses = re.findall(r"uses: *(.*)", (ROOT / ".github" / "workflows" / "pages.yml").read_text())
    assert uses
    assert [line for line in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def locked(name: str) -> dict[str, set[str]]:
    """Package → its versions in a lock of Python packages; each must come with a hash."""
    text = (ROOT / ".lock" / f"{name}.txt").read_text()
    assert not re.search(r"://|--index|--find-links", text), "a lock names no place to install from"
    entries = re.findall(
        r"^([\w.-]+)==([\w.+!]+)[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)", text, re.M
    )
    assert len(entries) == len(re.findall("^[a-z]", text, re.M)), "an entry without a version or a hash"
    versions: dict[str, set[str]] = {}
    for package, version, _ in entries:
        versions.setdefault(canonicalize_name(package), set()).add(version)
    return versions


def test_locks_have_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = project["build-system"]["requires"] + project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    more = [text for text in extras["train"] + extras["test"] if not text.startswith("spoofweb[")]
    for name, wanted in (("light", needs), ("test", needs + more)):
        versions = locked(name)
        for requirement in map(Requirement, wanted):
            found = versions[canonicalize_name(requirement.name)]
            assert all(requirement.specifier.contains(version) for version in found), f"{name}: {requirement}, {found}"
    assert "torch" not in locked("light")


def test_the_site_is_built_from_locked_packages():
    steps = (ROOT / ".github" / "workflows" / "pages.yml").read_text()
    installs = re.findall(r"pip install (.*)", steps)
    assert installs
    assert [line for line in installs if "--require-hashes -r .lock/" not in line and "--no-deps" not in line] == []


def test_no_checkpoint_can_run_code():
    """Whoever reads a file with torch says that it may hold numbers only."""
    calls = []
    for path in (path for room in ("spoofweb", "training", "tests") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "load_state_dict_from_url"):
                calls.append(path.name)
                given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert given.get("weights_only") == "True", f"{path}:{node.lineno}"
    assert calls
