"""The page's WebAssembly kernel is what its source says."""

import subprocess
from pathlib import Path

from spoofweb import npm

WEB = Path(__file__).parents[1] / "web"


def test_the_committed_kernel_is_made_from_its_source(node_modules, tmp_path):
    for name in ("kernel.mjs", "src/kernel.wat"):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes((WEB / name).read_bytes())
    (tmp_path / "node_modules").symlink_to(node_modules)
    made = tmp_path / "kernel.js"
    node, _ = npm.commands()
    subprocess.run([node, "kernel.mjs", made], cwd=tmp_path, check=True)
    assert made.read_bytes() == (WEB / "src" / "kernel.js").read_bytes()
