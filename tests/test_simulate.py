"""Attack simulation: invariants of shape, place and chance, and the physics a network is to learn from."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from spoofweb.errors import SpoofwebError
from training import simulate as sim
from training.simulate.__main__ import main
from training.simulate.medium import KINDS
from training.simulate.pictures import Face
from training.simulate.portrait import before_plain_ground
from training.simulate.presentation import PAIRS
from training.simulate.render import plan, plan_pairs, read_live_rows, site_of
from training.simulate.screen import lattice

SIZES = [(240, 180), (61, 97), (20, 33), (8, 8), (9, 200)]


def scene(width: int = 240, height: int = 180) -> tuple[np.ndarray, Face]:
    """A drawn head before a wall, and its box."""
    image = Image.new("RGB", (width, height), (120, 140, 150))
    draw = ImageDraw.Draw(image)
    side = 0.4 * min(width, height)
    x, y = 0.5 * width - side / 2, 0.4 * height - side / 2
    draw.rectangle((0, 0, width // 3, height // 2), fill=(60, 90, 60))
    draw.ellipse((x, y - 0.2 * side, x + side, y + 1.1 * side), fill=(200, 150, 125))
    for eye in (0.3, 0.7):
        draw.ellipse(
            (x + (eye - 0.07) * side, y + 0.3 * side, x + (eye + 0.07) * side, y + 0.4 * side),
            fill=(30, 20, 20),
        )
    return np.asarray(image), (x, y, side)


def attacks(borderless=None):
    yield lambda p, f, r, b=None: sim.simulate_print(p, f, r, b, borderless=borderless)
    for kind in ("phone", "tablet", "monitor"):
        yield lambda p, f, r, b=None, kind=kind: sim.simulate_screen(p, f, r, b, kind=kind, borderless=borderless)


def grain(picture: np.ndarray) -> float:
    """Energy above half the Nyquist frequency, the three colours together."""
    code = picture.astype(float) - picture.mean((0, 1))
    power = np.abs(np.fft.fft2(code, axes=(0, 1))) ** 2
    fy, fx = np.meshgrid(np.fft.fftfreq(code.shape[0]), np.fft.fftfreq(code.shape[1]), indexing="ij")
    return float(power[np.hypot(fx, fy) > 0.25].mean())


@pytest.mark.parametrize("size", SIZES)
def test_every_size_keeps_shape_dtype_and_input(size):
    picture, face = scene(*size)
    before = picture.copy()
    for seed in range(6):
        for attack in attacks():
            result, box = attack(picture, face, np.random.default_rng(seed))
            assert result.shape == picture.shape and result.dtype == np.uint8
            assert np.isfinite(box).all() and box[2] > 0
        for kind in PAIRS:
            attack, box = sim.present_pair(kind, picture, face, np.random.default_rng(seed), picture, face)
            assert attack.shape == picture.shape and attack.dtype == np.uint8
            assert np.isfinite(box).all() and box[2] > 0
        shot = sim.camera(picture, np.random.default_rng(seed), 1.0)
        assert shot.shape == picture.shape and shot.dtype == np.uint8
        live, _ = sim.recapture_live(picture, face, np.random.default_rng(seed))
        assert live.shape == picture.shape
    assert np.array_equal(picture, before)


def test_same_seed_same_picture_other_seed_another():
    picture, face = scene()
    first, second, other = (sim.simulate(picture, face, np.random.default_rng(s), picture[::-1]) for s in (3, 3, 4))
    assert np.array_equal(first[0], second[0]) and first[1:] == second[1:]
    assert not np.array_equal(first[0], other[0])
    assert {sim.simulate(picture, face, np.random.default_rng(s))[2] for s in range(40)} == set(KINDS)


@pytest.mark.parametrize("borderless", [True, False])
def test_face_stays_inside_and_near_its_size(borderless):
    picture, _ = scene()
    for seed in range(25):
        rng = np.random.default_rng(seed)
        side = rng.uniform(30, 150)
        face = (rng.uniform(0, 240 - side), rng.uniform(0, 180 - side), side)
        for attack in attacks(borderless):
            _, (x, y, mapped) = attack(picture, face, np.random.default_rng(seed))
            assert x >= -0.01 and y >= -0.01 and x + mapped <= 240.01 and y + mapped <= 180.01
            assert (0.95 if borderless else 0.3) * side < mapped < 1.3 * side


def test_box_follows_the_face():
    """A bright blob in the middle of the face's box is still there in the mapped box."""
    picture = np.full((200, 220, 3), 40, np.uint8)
    face = (90.0, 60.0, 60.0)
    picture[80:100, 110:130] = 250
    for seed in range(15):
        for borderless in (True, False):
            result, (x, y, side) = sim.simulate_print(picture, face, np.random.default_rng(seed), borderless=borderless)
            grey = result[int(y) : int(y + side), int(x) : int(x + side)].astype(float).mean(-1)
            height, width = grey.shape
            middle = grey[int(0.42 * height) : int(0.58 * height), int(0.42 * width) : int(0.58 * width)].mean()
            ring = np.median(np.concatenate([grey[: height // 6].ravel(), grey[:, : width // 6].ravel()]))
            assert middle > ring + 15


def test_borderless_hides_and_bordered_shows_the_surroundings():
    """A pure green room can be seen round a medium with an edge only."""
    picture, face = np.full((160, 160, 3), 128, np.uint8), (55.0, 50.0, 50.0)
    room = np.zeros((90, 120, 3), np.uint8)
    room[..., 1] = 220
    for seed in range(8):
        for full, bordered in zip(attacks(True), attacks(False), strict=True):

            def green(attack, seed=seed):
                code = attack(picture, face, np.random.default_rng(seed), room)[0].astype(int)
                return float(np.mean(code[..., 1] - np.maximum(code[..., 0], code[..., 2]) > 60))

            assert green(full) == 0
            assert green(bordered) > 0.02


def test_a_mask_hides_the_wearer_s_face_and_leaves_the_room_around_the_head():
    """A grey picture's face on a wearer who is pure green: no green where the face was, nothing else far from it."""
    picture, face = np.full((120, 200, 3), 128, np.uint8), (80.0, 40.0, 40.0)
    wearer = np.zeros((240, 240, 3), np.uint8)
    wearer[..., 1] = 200
    worn = (90.0, 90.0, 60.0)
    for seed in range(15):
        result, (x, y, side) = sim.simulate_mask(picture, face, np.random.default_rng(seed), wearer, worn)
        assert abs(x - 90) < 30 and abs(y - 90) < 30 and 50 < side < 70
        top, left, half = int(y + side / 2), int(x + side / 2), int(side / 10)
        nose = result[top - half : top + half, left - half : left + half].astype(float)
        assert (nose[..., 1] - nose[..., 0]).mean() < 60
        rim = np.ones((240, 240), bool)
        rim[8:-8, 20:-20] = False
        assert np.array_equal(result[rim], wearer[rim])


def test_a_printed_face_lies_on_that_of_the_wearer_enlarged_or_reduced():
    """A bright blob in the middle of the printed face's box is in the middle of the mask's."""
    for sides in ((30.0, 80.0), (80.0, 30.0)):
        (x, y), (side, worn) = (60.0, 50.0), sides
        picture, wearer = np.full((180, 200, 3), 60, np.uint8), np.full((160, 220, 3), 90, np.uint8)
        low, high = (int(start + 0.4 * side) for start in (x, y)), (int(start + 0.6 * side) for start in (x, y))
        (left, top), (right, bottom) = low, high
        picture[top:bottom, left:right] = 250
        for seed in range(10):
            rng = np.random.default_rng(seed)
            result, (u, v, mapped) = sim.simulate_mask(picture, (x, y, side), rng, wearer, (80.0, 50.0, worn))
            box = result[int(v) : int(v + mapped), int(u) : int(u + mapped)].astype(float).mean(-1)
            at = np.argwhere(
                box >= np.quantile(box[len(box) // 4 : -len(box) // 4, len(box) // 4 : -len(box) // 4], 0.95)
            )
            inner = at[(abs(at - len(box) / 2) < len(box) / 4).all(1)]
            assert np.allclose(inner.mean(0) / len(box), 0.5, atol=0.1)


def test_media_leave_texture_on_a_flat_surface_and_the_camera_at_rest_none():
    flat, face = np.full((160, 160, 3), 128, np.uint8), (50.0, 50.0, 60.0)
    assert np.array_equal(sim.camera(flat, np.random.default_rng(0), 0), flat)
    for attack in attacks(True):
        energies = [grain(attack(flat, face, np.random.default_rng(seed))[0]) for seed in range(15)]
        assert np.median(energies) > 10 * max(grain(flat), 0.1)


def test_a_lattice_finer_than_the_sensor_folds_to_its_alias():
    """A pitch of 10/11 px has 1.1 cycles a px, which unit sampling shows as 0.1."""
    u, v = np.meshgrid(np.arange(200, dtype=np.float32), np.arange(200, dtype=np.float32))
    light = lattice(u, v, 10 / 11, 0.1, False, np.random.default_rng(0))
    assert light.mean() == pytest.approx(1, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(light[:, :, 1].mean(0) - 1))
    assert np.argmax(spectrum) == 20


def test_panel_light_is_periodic_while_a_live_recapture_is_not():
    """On a flat wall a strong grid stands far above its spectrum's floor; the camera's own noise does not."""
    flat, face = np.full((128, 128, 3), 128, np.uint8), (40.0, 40.0, 50.0)

    def peak(picture):
        code = picture[..., 1] - picture[..., 1].mean()
        power = np.abs(np.fft.rfft2(code * np.outer(np.hanning(128), np.hanning(128)))) ** 2
        power[:6, :6] = power[-6:, :6] = 0
        return power.max() / max(power[power > 0].mean(), 1e-9)

    screens, lives = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        screens.append(peak(sim.simulate_screen(flat, face, rng, borderless=True)[0].astype(float)))
        lives.append(peak(sim.recapture_live(flat, face, np.random.default_rng(seed))[0].astype(float)))
    assert np.median(screens) > 5 * np.median(lives)


def test_strength_scales_the_camera_and_a_sharp_edge_gets_no_colour_of_its_own_at_the_rim():
    picture, _ = scene()
    change = [
        np.mean(
            [np.abs(sim.camera(picture, np.random.default_rng(s), k).astype(int) - picture).mean() for s in range(8)]
        )
        for k in (0.1, 1.0)
    ]
    assert 0 < change[0] < change[1]
    white = np.full((40, 40, 3), 200, np.uint8)
    for seed in range(10):
        shot = sim.camera(white, np.random.default_rng(seed), 0.2).astype(int)
        assert np.abs(shot[0].mean(0) - shot[3].mean(0)).max() < 20


def test_bad_input_is_named():
    picture, face = scene()
    rng = np.random.default_rng(0)
    for bad in (picture[..., 0], picture.astype(float), picture[:4]):
        with pytest.raises(SpoofwebError, match="picture is"):
            sim.simulate(bad, face, rng)
    with pytest.raises(SpoofwebError, match="no box"):
        sim.simulate(picture, (0, 0, 0), rng)
    with pytest.raises(SpoofwebError, match="picture is"):
        sim.present_pair("mask", picture, face, rng, picture[..., 0], face)
    with pytest.raises(SpoofwebError, match="no box"):
        sim.present_pair("mask", picture, face, rng, picture, (0, 0, 0))
    with pytest.raises(SpoofwebError, match="unknown screen"):
        sim.simulate_screen(picture, face, rng, kind="mirror")


@pytest.fixture
def data(tmp_path):
    rows = []
    for split, label, site in [
        ("train", "real", "a"),
        ("train", "real", "b"),
        ("val", "real", "c"),
        ("train", "attack", "a"),
    ]:
        picture, (x, y, side) = scene(96, 80)
        path = tmp_path / "data" / split / label / site / "0000.jpg"
        path.parent.mkdir(parents=True)
        Image.fromarray(picture).save(path)
        rows.append({"path": f"{split}/{label}/{site}/0000.jpg", "face_x": x, "face_y": y, "face_side": side})
    with open(tmp_path / "manifest.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


def test_command_reads_live_training_pictures_only_and_writes_a_manifest(data):
    command = [str(data / "data"), str(data / "out"), "--manifest", str(data / "manifest.csv")]
    options = ["--count", "8", "--live", "0.25", "--workers", "1", "--contact-sheet", str(data / "sheet.png")]
    # As a module of its own process: what the workers run must be importable from there.
    line = [sys.executable, "-m", "training.simulate", *command, *options]
    subprocess.run(line, check=True, cwd=Path(__file__).parents[1])
    rows = list(csv.DictReader(open(data / "out" / "manifest.csv")))
    assert [row["label"] for row in rows].count("real") == 2 and len(rows) == 8
    assert {row["site"] for row in rows} == {"a", "b"}
    for row in rows:
        with Image.open(data / "out" / row["path"]) as image:
            assert image.size == (int(row["width"]), int(row["height"]))
        assert (row["attack_type"] == "") == (row["label"] == "real")
        assert row["path"].split("/")[:2] == [row["label"], row["site"]]
    jobs = plan(read_live_rows(data / "data", data / "manifest.csv"), 8, 0.25, 0)
    seen = [site_of(job.behind) if job.behind else "" for job in jobs]
    assert [row["behind"] for row in rows] == seen
    assert any(row["behind"] not in ("", row["site"]) for row in rows)
    assert (data / "sheet.png").exists()
    assert sorted(p.name for p in data.iterdir()) == ["data", "manifest.csv", "out", "sheet.png"]


@pytest.mark.parametrize("option, kind", [("--masks", "mask"), ("--portraits", "portrait")])
def test_pairs_stand_beside_the_other_pictures_and_change_none_of_them(data, option, kind):
    made = {}
    for name, more in (("without", []), ("with", [option, "5"])):
        command = [str(data / "data"), str(data / name), "--manifest", str(data / "manifest.csv"), "--count", "4"]
        assert main([*command, "--workers", "1", *more]) == 0
        made[name] = list(csv.DictReader(open(data / name / "manifest.csv")))
    assert made["with"][:4] == made["without"] and len(made["with"]) == 9
    for row in made["without"]:
        assert (data / "with" / row["path"]).read_bytes() == (data / "without" / row["path"]).read_bytes()
    for row in made["with"][4:]:
        assert (row["label"], row["attack_type"]) == ("attack", kind) and row["behind"] in ("a", "b")
        assert (data / "with" / row["path"]).exists()


@pytest.mark.parametrize(
    "wreck",
    [
        "exists",
        "no manifest",
        "no text",
        "no column",
        "no face",
        "no data",
        "seed",
        "sheet",
        "count",
        "masks",
        "portraits",
    ],
)
def test_command_refuses_and_leaves_nothing_behind(data, capsys, wreck):
    manifest, out, count, more = data / "manifest.csv", data / "out", "2", []
    if wreck == "exists":
        out.mkdir()
    elif wreck == "no manifest":
        manifest = data / "none.csv"
    elif wreck == "no column":
        manifest.write_text("path\ntrain/real/a/0000.jpg\n")
    elif wreck == "no text":
        manifest.write_bytes(b"\xff\xfe\x00")
    elif wreck == "no face":
        manifest.write_text(re.sub(r"(train/real/\S*?\.jpg,)[^,]+", r"\1", manifest.read_text(), count=1))
    elif wreck in ("seed", "sheet", "masks", "portraits"):
        sheet = ["--contact-sheet", str(data / "sheet")]
        more = sheet if wreck == "sheet" else [f"--{wreck}", "-1"]
    elif wreck == "no data":
        (data / "data").rename(data / "elsewhere")
    else:
        count = "0"
    before = sorted(data.rglob("*"))
    assert main([str(data / "data"), str(out), "--manifest", str(manifest), "--count", count, *more]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert sorted(data.rglob("*")) == before


def test_a_broken_picture_leaves_nothing_behind(data, capsys):
    (data / "data/train/real/a/0000.jpg").write_bytes(b"no picture")
    before = sorted(data.rglob("*"))
    command = [str(data / "data"), str(data / "out"), "--manifest", str(data / "manifest.csv")]
    assert main([*command, "--count", "4", "--workers", "1"]) == 2
    assert "cannot read the picture" in capsys.readouterr().err
    assert sorted(data.rglob("*")) == before


@pytest.mark.parametrize("count_of_sites", [3, 10, 40])
def test_plan_is_even_over_sites_and_never_ties_the_label_to_the_site(count_of_sites):
    names = [f"s{k:02}" for k in range(count_of_sites)]
    rows = [{"path": f"train/real/{name}/{k}.jpg"} for i, name in enumerate(names) for k in range(2 + i)]
    jobs = plan(rows, 40 * count_of_sites, 0.3, 5)
    sites = [job.row["path"].split("/")[2] for job in jobs]
    assert all(sites.count(name) == 40 for name in names)
    live = [site for site, job in zip(sites, jobs, strict=True) if job.live]
    assert len(live) == 12 * count_of_sites
    assert all(2 < live.count(name) < 26 for name in names)
    assert jobs == plan(rows, 40 * count_of_sites, 0.3, 5)


def test_the_contact_sheet_shows_the_last_pictures_too(data):
    command = [str(data / "data"), str(data / "out"), "--manifest", str(data / "manifest.csv"), "--workers", "1"]
    assert main([*command, "--count", "48", "--masks", "8", "--contact-sheet", str(data / "sheet.png")]) == 0
    with Image.open(data / "sheet.png") as sheet, Image.open(last_picture(data / "out")) as last:
        last.thumbnail((220, 220))
        corner = np.asarray(sheet.crop((7 * 220, 5 * 220, 7 * 220 + last.width, 5 * 220 + last.height)))
        assert np.array_equal(corner, np.asarray(last))


def last_picture(folder: Path) -> Path:
    """The one that stands last in a rendered folder's manifest."""
    with open(folder / "manifest.csv", newline="") as file:
        return folder / list(csv.DictReader(file))[-1]["path"]


def test_a_portrait_is_one_head_on_plain_ground():
    """The face stays as it is; far from head and shoulders nothing of a striped room is left."""
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[:, ::2] = 255
    for seed in range(15):
        made = before_plain_ground(picture, (130.0, 70.0, 60.0), np.random.default_rng(seed)).astype(int)
        assert np.array_equal(made[75:125, 140:180], picture[75:125, 140:180])
        for corner in (made[:40, :60], made[:40, -60:], made[100:140, :40]):
            assert np.ptp(corner, axis=(0, 1)).max() < 20


def test_a_portrait_s_face_is_where_it_is_said_to_be_and_the_holder_is_seen_round_it():
    """A red face on a holder who is pure green: red in the middle of the box, green at the picture's rim."""
    picture, (x, y, side) = np.full((240, 320, 3), 90, np.uint8), (130.0, 70.0, 60.0)
    picture[70:130, 130:190] = (250, 20, 20)
    holder = np.zeros((200, 240, 3), np.uint8)
    holder[..., 1] = 200
    red = green = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        result, (u, v, mapped) = sim.simulate_portrait(picture, (x, y, side), rng, holder, (90.0, 60.0, 60.0))
        top, left, half = int(v + mapped / 2), int(u + mapped / 2), int(mapped / 6)
        face = result[top - half : top + half, left - half : left + half].reshape(-1, 3).astype(int)
        red += (face[:, 0] > face[:, 1] + 20).mean() > 0.5
        rim = result[:4].reshape(-1, 3).astype(int)
        green += (rim[:, 1] > rim[:, 0] + 20).mean() > 0.5
    assert red >= 11 and green >= 13, "some prints are grey, and a hand or a lamp may hide the rim"


@pytest.mark.parametrize("kind", PAIRS)
def test_pairs_are_even_over_the_sites_of_both_people(kind):
    rows = [{"path": f"train/real/{name}/{k}.jpg"} for i, name in enumerate("abc") for k in range(2 + i)]
    jobs = plan_pairs(kind, rows, 90, 7, 5)
    assert [job.index for job in jobs] == list(range(7, 97)) and all(job.pair == kind and not job.live for job in jobs)
    printed, others = ([site_of(row) for row in part] for part in zip(*((j.row, j.behind) for j in jobs), strict=True))
    assert all(printed.count(name) == 30 and 15 < others.count(name) < 45 for name in "abc")
    assert jobs[:40] == plan_pairs(kind, rows, 40, 7, 5)
