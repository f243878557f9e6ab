"""The built folder: layout, relative URLs, names that follow the content, and a swap that never loses the last site."""

import json
import posixpath
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from spoofweb import site
from spoofweb.checksum import sha256
from spoofweb.contract import CONTRACT
from spoofweb.errors import SpoofwebError
from spoofweb.integrity import integrity
from spoofweb.trained import Trained
from tests import miniature

WEB = Path(__file__).parents[1] / "web"
IMPORTED = re.compile(r"""(?:^(?:import|export)\s(?:[\w$*{},\s]*\bfrom\s)?\s*|\bimport\()["']([^"']+)["']""", re.M)
CARD = {"headline": {"threshold": 1.5, "apcer": 0.25}}


@pytest.fixture
def parts(tmp_path):
    return site.Parts(
        web=miniature.web(tmp_path / "web"),
        node_modules=miniature.node_modules(tmp_path / "node_modules"),
        spoofnet=Trained(b"spoofnet", CARD),
        detector=b"detector",
    )


def app_of(files):
    (name,) = {path.split("/")[0] for path in files if path.startswith("app-")}
    return name


def test_layout(parts):
    files = site.render(parts)
    shapes = sorted(re.sub(r"-[0-9a-f]{16}(?=[/.])", "-#", path) for path in files)
    assert shapes == [
        "app-#/boot.js",
        "app-#/contract.json",
        "app-#/main.js",
        "app-#/numbers.css",
        "app-#/part/more.js",
        "app-#/spoofweb.js",
        "app-#/style.css",
        "icons-#/icon-180.png",
        "icons-#/icon-192.png",
        "icons-#/icon-512.png",
        "icons-#/icon.svg",
        "index.html",
        "licences.txt",
        "manifest.webmanifest",
        "models/blazeface-#.onnx",
        "models/spoofnet-#.onnx",
        "ort-#/ort-wasm-simd-threaded.mjs",
        "ort-#/ort-wasm-simd-threaded.wasm",
        "ort-#/ort.wasm.min.mjs",
        "samples-#/one.jpg",
        "samples-#/samples.json",
        "sbom.json",
        "spoofweb.js",
        "sw.js",
    ]


def test_contract_names_files_sizes_and_hashes(parts):
    files = site.render(parts)
    app = app_of(files)
    compiled = json.loads(files[f"{app}/contract.json"])
    assert compiled["crop"] == CONTRACT["crop"]
    assert compiled["verdict"]["threshold"] == round(1.5 * CONTRACT["verdict"]["logit_one"])
    assert compiled["headline"] == CARD["headline"]
    assert compiled["graphs"] == {"detector": sha256(b"detector"), "spoofnet": sha256(b"spoofnet")}
    assert compiled["files"].keys() == {"ort", "ort_loader", "ort_wasm", "detector", "spoofnet"}
    assert compiled["bytes"].keys() == compiled["sha256"].keys() == compiled["files"].keys()
    for key, path in compiled["files"].items():
        content = files[posixpath.normpath(f"{app}/{path}")]
        assert (len(content), sha256(content)) == (compiled["bytes"][key], compiled["sha256"][key])


def test_templates_get_their_values(parts):
    files = site.render(parts)
    assert f'href="{app_of(files)}/style.css"' in files["index.html"].decode()
    assert "<p>224</p>" in files["index.html"].decode()
    assert re.fullmatch(r"1\.2\.3 & 4\.5\.6: ort-[0-9a-f]{16}/ort\.wasm\.min\.mjs\n", files["licences.txt"].decode())


def test_markup_in_a_value_is_escaped(parts):
    (parts.web / "templates/index.html").write_text("{{ contract.headline.note }}")
    spoofnet = Trained(b"spoofnet", {"headline": {"threshold": 0, "note": "<b>"}})
    files = site.render(site.Parts(parts.web, parts.node_modules, spoofnet, parts.detector))
    assert files["index.html"] == b"&lt;b&gt;"


def test_same_inputs_same_bytes(parts, tmp_path):
    copy = shutil.copytree(parts.web, tmp_path / "elsewhere" / "web")
    again = site.Parts(copy, parts.node_modules, parts.spoofnet, parts.detector)
    assert site.render(again) == site.render(parts)


def folders(files):
    """Kind → name of each hashed folder."""
    return {name.split("-")[0]: name for name in {path.split("/")[0] for path in files} if "-" in name}


@pytest.mark.parametrize(
    ("changed", "renamed"),
    [
        ("web/src/part/more.js", {"app"}),
        ("web/style.css", {"app"}),
        ("node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", {"app", "ort"}),
    ],
)
def test_names_follow_the_content(parts, tmp_path, changed, renamed):
    before = folders(site.render(parts))
    with (tmp_path / changed).open("a") as file:
        file.write(" ")
    after = folders(site.render(parts))
    assert {kind for kind in before if before[kind] != after[kind]} == renamed


def test_a_new_graph_renames_it_and_the_app(parts):
    before = site.render(parts)
    after = site.render(site.Parts(parts.web, parts.node_modules, Trained(b"other", CARD), parts.detector))
    gone = {path.split("-")[0] for path in before.keys() - after.keys()}
    assert gone == {"app", "models/spoofnet"}


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("web/src/main.js", "main.js"),
        ("web/src/boot.js", "boot.js"),
        ("web/src/sw.js", "sw.js"),
        ("web/numbers.css", "numbers.css"),
        ("web/samples/samples.json", "samples.json"),
        ("web/samples/one.jpg", "one.jpg"),
        ("web/package-lock.json", "package-lock.json"),
        ("web/style.css", "style.css"),
        ("web/templates/index.html", "index.html"),
        ("web/templates/licences.txt", "licences.txt"),
        ("node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.mjs"),
        ("node_modules/@mediapipe/face_detection/package.json", "package.json"),
    ],
)
def test_a_missing_source_is_named(parts, tmp_path, missing, said):
    (tmp_path / missing).unlink()
    with pytest.raises(SpoofwebError, match=re.escape(said)):
        site.render(parts)


@pytest.mark.parametrize(
    "template", ["{{ unknown }}", "{% if %}", '{% include "none.html" %}', "{{ contract.unknown }}"]
)
def test_a_broken_template_is_named(parts, template):
    (parts.web / "templates/index.html").write_text(template)
    with pytest.raises(SpoofwebError, match=r"index\.html"):
        site.render(parts)


def test_samples_come_with_their_place(parts):
    (parts.web / "templates/index.html").write_text(
        "{% for s in samples %}{{ s.url }} {{ s.kind }} {{ s.title }}{% endfor %}"
    )
    files = site.render(parts)
    url, *rest = files["index.html"].decode().split()
    assert (files[url], rest) == (b"drawn", ["live", "sample.live"])


def test_the_service_worker_lists_every_file_but_itself_and_the_bill(parts):
    files = site.render(parts)
    head, _, source = files["sw.js"].partition(b";\n\n")
    listed = json.loads(head.removeprefix(b"self.SITE = "))
    assert source == (parts.web / "src/sw.js").read_bytes()
    assert listed["files"] == {
        name: integrity(content) for name, content in files.items() if name not in ("sw.js", "sbom.json")
    }


def test_any_change_of_the_site_is_a_new_version(parts):
    def version():
        return re.search(rb'"version": "(\w{16})"', site.render(parts)["sw.js"])[1]

    first = version()
    assert version() == first
    with (parts.web / "templates/index.html").open("a") as file:
        file.write(" ")
    assert version() != first


def test_the_manifest_names_files_of_the_site(parts):
    files = site.render(parts)
    manifest = json.loads(files["manifest.webmanifest"])
    for icon in manifest["icons"]:
        assert icon["src"] in files
    assert [manifest[key] for key in ("id", "start_url", "scope")] == ["./"] * 3


def test_write_replaces_the_whole_site(parts, tmp_path):
    out = tmp_path / "new" / "dist"
    files = site.render(parts)
    site.write(files, out)
    assert miniature.tree(out) == files
    (parts.web / "src/part/more.js").unlink()
    fewer = site.render(parts)
    site.write(fewer, out)
    assert miniature.tree(out) == fewer
    assert list(out.parent.iterdir()) == [out]
    assert out.stat().st_mode & 0o055 == Path(tmp_path / "web").stat().st_mode & 0o055  # other users may read it


def test_a_failed_write_leaves_the_last_site(parts, tmp_path, monkeypatch):
    out = tmp_path / "new" / "dist"
    files = site.render(parts)
    site.write(files, out)
    rename = Path.rename

    def refuse(self, target):
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(SpoofwebError, match="No space left"):
        site.write({"index.html": b"half"}, out)
    assert miniature.tree(out) == files
    assert list(out.parent.iterdir()) == [out]


def test_write_keeps_off_other_folders(parts, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear")
    for target in (home, home / "letter.txt"):
        with pytest.raises(SpoofwebError, match="other than a site"):
            site.write(site.render(parts), target)
    assert miniature.tree(home) == {"letter.txt": b"dear"}
    empty = tmp_path / "empty"
    empty.mkdir()
    site.write(site.render(parts), empty)
    assert (empty / "index.html").is_file()


class Links(HTMLParser):
    """Collects every URL that a page refers to."""

    def __init__(self):
        super().__init__()
        self.urls = []

    def handle_starttag(self, tag, attributes):
        self.urls += [value for name, value in attributes if name in ("href", "src", "action", "poster", "srcset")]


@pytest.fixture(scope="module")
def real(node_modules):
    """The site of this repository, with stand-ins for both graphs."""
    return site.render(site.Parts(WEB, node_modules, Trained(b"spoofnet", CARD), b"detector"))


def test_the_page_links_only_to_files_of_the_site(real):
    for name in [name for name in real if name.endswith(".html")]:
        links = Links()
        links.feed(real[name].decode())
        assert links.urls
        for url in links.urls:
            if not url.startswith(("#", "data:")):
                assert (url if url != "./" else "index.html") in real, f"{name} → {url}"


def test_each_page_carries_the_hashes_of_what_it_loads(real):
    """The policy allows the import map by its hash, and the map has every module and the contract."""
    app = app_of(real)
    page = real["index.html"].decode()
    (text,) = re.findall(r'<script type="importmap">(.*?)</script>', page)
    assert f"'{integrity(text.encode())}'" in re.search(r'content="([^"]*script-src[^"]*)"', page)[1]
    hashed = {name for name in real if name.startswith(f"{app}/") and not name.endswith(".css")}
    assert json.loads(text)["integrity"] == {f"./{name}": integrity(real[name]) for name in hashed}
    tags = re.findall(r'<(?:link|script)[^>]*(?:href|src)="(app-[^"]+)"[^>]*>', page)
    assert f"{app}/boot.js" in tags and f"{app}/main.js" in tags and f"{app}/style.css" in tags
    for name in (name for name in real if name.endswith(".html")):
        for url, given in re.findall(
            r'(?:href|src)="(app-[^"]+\.(?:js|css))" integrity="([^"]*)"', real[name].decode()
        ):
            assert given == integrity(real[url]).replace("+", "&#43;") or given == integrity(real[url])


def test_no_inline_script_or_style(real):
    for name in (name for name in real if name.endswith(".html")):
        text = real[name].decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=", text), name
        assert re.findall(r"<script(?![^>]*src=)[^>]*>", text) in ([], ['<script type="importmap">']), name
        assert "unsafe-inline" not in text and "'unsafe-eval'" not in text, name


def test_modules_import_only_files_of_the_site(real):
    scripts = {name: text.decode() for name, text in real.items() if re.match(r"app-.*\.js$", name)}
    imported = {}
    for name, text in scripts.items():
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)  # types are imported from packages, in comments
        for url in IMPORTED.findall(text):
            imported[posixpath.normpath(posixpath.join(posixpath.dirname(name), url))] = name
    assert imported
    assert {path: name for path, name in imported.items() if path not in real} == {}


def test_no_url_of_another_host(real):
    """In no file of ours; the licences quote addresses, and ONNX Runtime is as it came."""
    for name, content in real.items():
        if re.match(r"app-|sw|manifest|.*\.html", name):
            text = content.decode().replace("http://www.w3.org/2000/svg", "")  # a namespace, not an address
            assert not re.search(r"""(https?|wss?)://|["'(=]\s*//\w""", text), name


def test_no_path_from_the_server_root(real):
    for name, content in real.items():
        if re.match(r"app-|.*\.html", name):
            found = re.search(r"""(href|src|from|import|URL|fetch|url)\s*[=(]?\s*["'(]?/\w""", content.decode())
            assert not found, f"{name}: {found[0]}"
