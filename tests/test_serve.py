"""The local web server: MIME types, caching, the path below which it serves, and a port in use."""

import http.client
import socket
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from spoofweb import serve
from spoofweb.errors import SpoofwebError

HASH = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path):
    site = tmp_path / "site"
    for name in ("index.html", f"app-{HASH}/main.js", f"app-{HASH}/a.json", f"ort-{HASH}/o.mjs", f"ort-{HASH}/o.wasm",
                 f"models/net-{HASH}.onnx", "licences.txt", "manifest.webmanifest", "sw.js", f"samples-{HASH}/one.jpg",
                 f"samples-{HASH}/clip.webm", f"icons-{HASH}/icon.png", f"icons-{HASH}/icon.svg"):  # fmt: skip
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "secret.txt").write_text("not part of the site")
    return site


def get(url, path=None):
    """Status, headers and body; the path goes out as it is, which urllib would tidy up."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", parts.path if path is None else path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        (f"app-{HASH}/main.js", "text/javascript; charset=utf-8"),
        (f"app-{HASH}/a.json", "application/json"),
        (f"ort-{HASH}/o.mjs", "text/javascript; charset=utf-8"),
        (f"ort-{HASH}/o.wasm", "application/wasm"),
        (f"models/net-{HASH}.onnx", "application/octet-stream"),
        ("licences.txt", "text/plain; charset=utf-8"),
        ("manifest.webmanifest", "application/manifest+json"),
        ("sw.js", "text/javascript; charset=utf-8"),
        (f"samples-{HASH}/one.jpg", "image/jpeg"),
        (f"samples-{HASH}/clip.webm", "video/webm"),
        (f"icons-{HASH}/icon.png", "image/png"),
        (f"icons-{HASH}/icon.svg", "image/svg+xml"),
    ],
)
def test_types_and_caching(folder, name, kind):
    with serve.serving(folder) as url:
        status, headers, body = get(url + name)
    assert (status, body) == (200, name)
    assert headers["Content-Type"] == kind
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers.get_all("Cache-Control") == ["public, max-age=31536000, immutable" if HASH in name else "no-cache"]


def test_serves_this_machine_only(folder):
    with serve.serving(folder) as url:
        assert urlsplit(url).hostname == "127.0.0.1"


def test_a_rebuilt_page_is_sent_again(folder):
    """Even within the second that file times are told in."""
    with serve.serving(folder) as url:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        connection.request("GET", "/index.html")
        first = connection.getresponse()
        first.read()
        (folder / "index.html").write_text("rebuilt")
        connection.request("GET", "/index.html", headers={"If-Modified-Since": first.headers["Last-Modified"]})
        second = connection.getresponse()
        assert (second.status, second.read()) == (200, b"rebuilt")
        connection.close()


def test_below_a_path(folder):
    with serve.serving(folder, base="spoofweb/demo") as url:
        assert url.endswith("/spoofweb/demo/")
        assert urlopen(url).read() == b"index.html"
        assert get(f"{url}app-{HASH}/main.js")[2] == f"app-{HASH}/main.js"
        assert get(url, "/spoofweb/demo")[1]["Location"] == "/spoofweb/demo/"
        for outside in ("/", "/index.html", "/spoofweb/", "/spoofweb/demolition/index.html"):
            assert get(url, outside)[0] == 404


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "%2e%2e/secret.txt", "x/../../secret.txt", "models", "models/", "nothing", f"app-{HASH}/none.js"],
)
def test_nothing_but_the_files(folder, path):
    with serve.serving(folder, base="/demo/") as url:
        status, headers, _ = get(url, "/demo/" + path)
        assert status in (301, 404)
        if status == 301:
            status, headers, _ = get(url, headers["Location"])
            assert status == 404
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("text", "path"), [("/", "/"), ("", "/"), ("/repo/", "/repo/"), ("repo", "/repo/"), ("/a-b/c.d/", "/a-b/c.d/")]
)
def test_base_path(text, path):
    assert serve.base_path(text) == path


@pytest.mark.parametrize("text", ["https://host/repo/", "/a b/", "/a?b", "//host/", "/a/../b/", "\n", "/é/"])
def test_no_base_path(text):
    with pytest.raises(ValueError, match="no URL path"):
        serve.base_path(text)


def test_port_in_use(folder):
    with socket.create_server((serve.HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SpoofwebError, match=f"port {port}: .* another port"):
            serve.open_server(folder, port)
