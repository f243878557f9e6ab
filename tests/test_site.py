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
from spoofweb.trained import Trained
from tests import miniature

WEB = Path(__file__).parents[1] / "web"
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
        "app-#/contract.json",
        "app-#/main.js",
        "app-#/part/more.js",
        "app-#/style.css",
        "index.html",
        "licences.txt",
        "models/blazeface-#.onnx",
        "models/spoofnet-#.onnx",
        "ort-#/ort-wasm-simd-threaded.mjs",
        "ort-#/ort-wasm-simd-threaded.wasm",
        "ort-#/ort.wasm.min.mjs",
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
    assert compiled["bytes"].keys() == compiled["files"].keys()
    for key, path in compiled["files"].items():
        assert len(files[posixpath.normpath(f"{app}/{path}")]) == compiled["bytes"][key]


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
                assert url in real, f"{name} → {url}"


def test_modules_import_only_files_of_the_site(real):
    scripts = {name: text.decode() for name, text in real.items() if re.match(r"app-.*\.js$", name)}
    imported = {}
    for name, text in scripts.items():
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)  # types are imported from packages, in comments
        for url in re.findall(r"""(?:\bfrom|\bimport|\bimport\()\s*["']([^"']+)["']""", text):
            imported[posixpath.normpath(posixpath.join(posixpath.dirname(name), url))] = name
    assert imported
    assert {path: name for path, name in imported.items() if path not in real} == {}


def test_no_url_of_another_host(real):
    """In no file of ours; the licences quote addresses, and ONNX Runtime is as it came."""
    for name, content in real.items():
        if re.match(r"app-|.*\.html", name):
            text = content.decode().replace("http://www.w3.org/2000/svg", "")  # a namespace, not an address
            assert not re.search(r"""(https?|wss?)://|["'(=]\s*//\w""", text), name


def test_no_path_from_the_server_root(real):
    for name, content in real.items():
        if re.match(r"app-|.*\.html", name):
            found = re.search(r"""(href|src|from|import|URL|fetch|url)\s*[=(]?\s*["'(]?/\w""", content.decode())
            assert not found, f"{name}: {found[0]}"
