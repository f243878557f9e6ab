"""The page's JavaScript under TypeScript's strict checks (JSDoc types, nothing is emitted)."""

import subprocess
from pathlib import Path

from spoofweb import npm

WEB = Path(__file__).parents[1] / "web"


def check(project: Path, node_modules: Path) -> subprocess.CompletedProcess:
    """The compiler's verdict on a folder with a tsconfig.json."""
    node, _ = npm.commands()
    compiler = node_modules / "typescript" / "bin" / "tsc"
    command = [node, compiler, "--project", project, "--pretty", "false"]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_page_has_no_type_error(node_modules):
    done = check(WEB, node_modules)
    assert done.returncode == 0, done.stdout


def test_a_type_error_is_found(node_modules, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "wrong.js").write_text('export const side = /** @type {number} */ ("wide");\n')
    (tmp_path / "tsconfig.json").write_bytes((WEB / "tsconfig.json").read_bytes())
    done = check(tmp_path, node_modules)
    assert done.returncode != 0 and "wrong.js(1," in done.stdout


def test_every_module_is_checked():
    for module in sorted((WEB / "src").rglob("*.js")):
        assert module.read_text().startswith("// @ts-check\n"), module.name
