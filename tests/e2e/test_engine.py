"""The engine's promises: what it fetches and when, frame after frame, a named reason for all that can go wrong."""

import hashlib
import json
from urllib.parse import urlsplit

import pytest
from lab import Lab

FILES = ("ort", "ort_loader", "ort_wasm", "detector", "spoofnet")


@pytest.fixture
def lab(page, server, app, site) -> Lab:
    """A page without an engine."""
    return Lab(page, server, app, site)


@pytest.fixture
def contract(site, app) -> dict:
    """The built site's."""
    return json.loads((site / app / "contract.json").read_text())


def spoil(lab: Lab, contract: dict, key: str, **answer) -> None:
    """Let the server answer for a file of the contract with something else."""
    name = contract["files"][key].rsplit("/", 1)[1] if key in contract["files"] else key
    lab.page.route(f"**/{name}", lambda route: route.fulfill(**answer) if answer else route.abort())


def before_worker(lab: Lab, script: str) -> None:
    """Let a line of code run first in the worker."""
    source = lab.page.request.get(f"{lab.app}worker.js").text()
    lab.page.route("**/worker.js", lambda route: route.fulfill(body=script + source, content_type="text/javascript"))


def test_loading_counts_every_byte(lab, contract):
    loaded = lab.call("load")
    assert loaded["contract"] == contract
    counts = [step["loaded"] for step in loaded["progress"]]
    totals = {step["total"] for step in loaded["progress"]}
    assert counts == sorted(counts)
    assert {counts[-1]} == totals == {sum(contract["bytes"][key] for key in FILES)}


def test_requests_stay_at_home_and_end_with_loading(lab, contract):
    asked = []
    lab.page.on("request", lambda request: asked.append(request.url))
    assert "contract" in lab.call("load")
    names = {url.rsplit("/", 1)[1] for url in asked}
    assert names >= {contract["files"][key].rsplit("/", 1)[1] for key in FILES}, "requests of the worker are not seen"
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(lab.app).netloc}

    asked.clear()
    lab.page.context.set_offline(True)
    for time_ms in range(3):
        assert lab.call("observeBlank", time_ms)["timeMs"] == time_ms
    assert asked == []


def test_an_observation_is_whole(ready):
    seen = ready.call("observeBlank", 40)
    parts = {
        "timeMs",
        "width",
        "height",
        "faces",
        "face",
        "crops",
        "lookedMs",
        "judged",
        "logits",
        "logit",
        "evidence",
        "reasons",
        "stages",
    }
    assert set(seen) == parts
    assert (seen["timeMs"], seen["width"], seen["height"], seen["face"], seen["logit"]) == (40, 64, 64, None, None)
    assert set(seen["stages"]) == {"grab", "detect", "crop", "network"}
    assert all(value >= 0 for value in seen["stages"].values())


def test_one_frame_is_judged_one_waits_and_no_more(ready):
    made = ready.call("observeMany")
    *taken, refused = made["all"]
    assert [seen["timeMs"] for seen in taken] == [0, 1] and refused["reason"] == "busy"
    assert made["closed"] == [True, True, True], "a bitmap is still held"
    assert made["later"]["timeMs"] == 9


def test_a_frame_that_cannot_be_read(ready):
    bad, good = ready.call("observeClosed")
    assert bad["reason"] == "frame"
    assert good["timeMs"] == 2


def test_closing(lab):
    lab.call("load")
    assert [asked["reason"] for asked in lab.call("closeInFlight")] == ["closed"] * 3


@pytest.mark.parametrize("key", ["contract.json", *FILES])
def test_a_file_is_missing(lab, contract, key):
    spoil(lab, contract, key, status=404, body="not here")
    failed = lab.call("load")
    assert failed["reason"] == "download" and failed["detail"]


@pytest.mark.parametrize("key", ["contract.json", "ort", "spoofnet"])
def test_the_network_breaks_off(lab, contract, key):
    spoil(lab, contract, key)
    assert lab.call("load")["reason"] == "download"


def test_a_contract_that_is_none(lab, contract):
    spoil(lab, contract, "contract.json", body="<!doctype html>", content_type="text/html")
    assert lab.call("load")["reason"] == "download"


@pytest.mark.parametrize("key", FILES)
def test_a_wrong_byte_stops_everything(lab, contract, site, app, key):
    body = bytearray((site / app / contract["files"][key]).read_bytes())
    body[len(body) // 2] ^= 1
    spoil(lab, contract, key, body=bytes(body), content_type="text/javascript")
    failed = lab.call("load")
    assert failed["reason"] == "integrity" and contract["sha256"][key] in failed["detail"]


@pytest.mark.parametrize("body", [b"<!doctype html>", b""])
def test_something_else_instead_of_a_graph(lab, contract, body):
    spoil(lab, contract, "spoofnet", body=body)
    assert lab.call("load")["reason"] == "integrity"


def test_a_truncated_file(lab, contract, site, app):
    whole = (site / app / contract["files"]["spoofnet"]).read_bytes()
    spoil(lab, contract, "spoofnet", body=whole[: len(whole) // 2])
    assert lab.call("load")["reason"] == "integrity"


def publish(lab: Lab, contract: dict, body: bytes) -> None:
    """Let the server give another spoofnet, and a contract that names it."""
    told = contract | {"sha256": contract["sha256"] | {"spoofnet": hashlib.sha256(body).hexdigest()}}
    spoil(lab, contract, "contract.json", body=json.dumps(told))
    spoil(lab, contract, "spoofnet", body=body)


def test_a_published_graph_is_garbage(lab, contract):
    publish(lab, contract, b"\x08\x07no graph at all")
    assert lab.call("load")["reason"] == "model"


def test_a_published_graph_of_another_kind(lab, contract, detector_graph):
    publish(lab, contract, detector_graph)
    failed = lab.call("load")
    assert failed["reason"] == "model" and "detections" in failed["detail"]


def test_a_contract_of_another_version(lab, contract):
    spoil(lab, contract, "contract.json", body=json.dumps(contract | {"version": contract["version"] - 1}))
    failed = lab.call("load")
    assert failed["reason"] == "model" and "contract of version" in failed["detail"]


def test_without_webassembly(lab):
    before_worker(lab, "delete globalThis.WebAssembly;")
    assert lab.call("load")["reason"] == "no-webassembly"


def test_a_webassembly_that_does_not_start(lab):
    before_worker(lab, "WebAssembly.instantiate = () => Promise.reject(new Error('no SIMD'));")
    assert lab.call("load")["reason"] == "no-webassembly"


def test_the_worker_script_is_missing(lab):
    lab.page.route("**/worker.js", lambda route: route.fulfill(status=404))
    assert lab.call("load")["reason"] == "worker"


def test_the_worker_breaks_down(lab):
    crash = "addEventListener('message', ({data}) => { if (data.timeMs === 666) throw new Error('crash'); });"
    before_worker(lab, crash)
    assert "contract" in lab.call("load")
    assert lab.call("observeBlank", 1)["timeMs"] == 1
    assert lab.call("observeBlank", 666)["reason"] == "worker"
    assert lab.call("observeBlank", 2)["reason"] == "worker"
    assert "contract" in lab.call("load"), "a new engine can be loaded"
    assert lab.call("observeBlank", 3)["timeMs"] == 3
