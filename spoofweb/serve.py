"""A small web server for the built site, on this machine only (camera access needs HTTPS or the local host).

Any static web server will do; this one has the right MIME types everywhere, and can put the site below a path, as
project pages on a shared host are.
"""

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from spoofweb.errors import SpoofwebError
from spoofweb.site import HASH_DIGITS

HOST = "127.0.0.1"
TYPES = {
    "": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
}
_HASHED = re.compile(rf"-[0-9a-f]{{{HASH_DIGITS}}}[/.]")


def base_path(text: str) -> str:
    """A URL path in the form `/…/`; ValueError where the text is none."""
    if not re.fullmatch(r"/?([\w.~-]+/)*[\w.~-]*", text, re.ASCII) or {".", ".."} & set(text.split("/")):
        raise ValueError(f"{text!r} is no URL path; give one like /spoofweb/")
    inner = text.strip("/")
    return f"/{inner}/" if inner else "/"


def open_server(directory: Path, port: int = 0, base: str = "/") -> ThreadingHTTPServer:
    """A server bound to the port (0: any free one) that hands out a folder below the path `base` once it is run.

    Raises SpoofwebError where the port is in use or may not be used.
    """
    try:
        return _Server((HOST, port), partial(_Handler, directory=str(directory), base=base_path(base)))
    except OSError as error:
        raise SpoofwebError(f"port {port}: cannot be used ({error.strerror}); give --serve another port") from None


def address(server: ThreadingHTTPServer, base: str = "/") -> str:
    """The URL under which a server hands out its folder."""
    return f"http://{HOST}:{server.server_address[1]}{base_path(base)}"


@contextlib.contextmanager
def serving(directory: Path, port: int = 0, base: str = "/") -> Iterator[str]:
    """Hand out a folder while the block runs; gives the URL."""
    with open_server(directory, port, base) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield address(server, base)
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # on Windows it would let two servers share the port

    def handle_error(self, request, client_address):
        """Nothing: a browser that drops a connection is no error of the server."""


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = TYPES

    def __init__(self, *args, base: str, **options):
        self.base = base
        super().__init__(*args, **options)

    def send_head(self):
        path = urlsplit(self.path).path
        if path + "/" == self.base:
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", self.base)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        if not path.startswith(self.base):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        del self.headers["If-Modified-Since"]  # file times have whole seconds: a quick rebuild would look unchanged
        return super().send_head()

    def translate_path(self, path):
        return super().translate_path("/" + path[len(self.base) :])

    def list_directory(self, path):
        self.send_error(HTTPStatus.NOT_FOUND)

    def send_response(self, code, message=None):
        super().send_response(code, message)
        kept = code == HTTPStatus.OK and _HASHED.search(urlsplit(self.path).path[len(self.base) :])
        self.send_header("Cache-Control", "public, max-age=31536000, immutable" if kept else "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")

    def log_message(self, format, *args):
        """Nothing: the terminal stays readable."""
