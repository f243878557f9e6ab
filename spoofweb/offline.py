"""What makes the site installable and lets it work without a network: web manifest and service worker."""

import json

from spoofweb import contract
from spoofweb.icons import SIZES
from spoofweb.integrity import integrity

WORKER = "sw.js"
MANIFEST = "manifest.webmanifest"
NAME = "SpoofNet"
DESCRIPTION = "Says whether the face in front of the camera is really there. Everything is computed on this device."
COLOUR = "#0b5563"


def manifest(icons: str) -> bytes:
    """The web app manifest; `icons` is the folder of the icons, relative to the site's root."""
    pictures = [{"src": f"{icons}/icon.svg", "sizes": "any", "type": "image/svg+xml"}]
    for side in SIZES:
        source = {"src": f"{icons}/icon-{side}.png", "sizes": f"{side}x{side}", "type": "image/png"}
        pictures.append(source | {"purpose": "any maskable"})
    facts = {
        "id": "./",
        "name": NAME,
        "short_name": NAME,
        "description": DESCRIPTION,
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "theme_color": COLOUR,
        "background_color": COLOUR,
        "icons": pictures,
    }
    return json.dumps(facts, indent=1).encode() + b"\n"


def worker(source: bytes, files: dict[str, bytes]) -> bytes:
    """The service worker for a site of these files (path → content): its source behind the list of them."""
    hashes = {path: integrity(content) for path, content in sorted(files.items())}
    site = {"version": contract.digest(hashes)[:16], "files": hashes}
    return b"self.SITE = " + json.dumps(site, indent=1).encode() + b";\n\n" + source
