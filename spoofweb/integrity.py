"""What lets a browser refuse a file that is not the published one: hashes for links, the import map and the CSP."""

import base64
import hashlib
import json
import posixpath
import re

IMPORT = re.compile(r"""^(?:import|export)\s(?:[\w$*{},\s]*\bfrom\s)?\s*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)


def integrity(content: bytes) -> str:
    """A file's `integrity` value, as in HTML's attribute of that name; also its source expression in a CSP."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()


def import_map(folder: str, files: dict[str, bytes]) -> str:
    """An import map (JSON) that names the integrity of all files (by path in the folder), relative to the page.

    Browsers apply it to all imports of the page's modules, dynamic ones too; the page's entry checks the rest with it.
    """
    entries = {f"./{folder}/{name}": integrity(content) for name, content in sorted(files.items())}
    return json.dumps({"integrity": entries}, separators=(",", ":"))


def imported(entry: str, modules: dict[str, bytes]) -> list[str]:
    """Paths of the modules that an entry imports statically, directly or not, itself included; sorted."""
    found, open_ones = set(), [entry]
    while open_ones:
        name = open_ones.pop()
        if name in found or name not in modules:
            continue
        found.add(name)
        targets = IMPORT.findall(modules[name].decode())
        open_ones += [posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) for target in targets]
    return sorted(found)
