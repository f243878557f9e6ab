"""Augmented pictures depend on their seed alone, keep the face and stay within the preset's bounds."""

import numpy as np
import pytest
import torch
from PIL import Image

from spoofweb.face import Face
from spoofweb.resample import resample
from tests.pictures import FACE, astronaut
from training import augment
from training.dataset import face_side
from training.simulate.pictures import linear


@pytest.mark.parametrize("least", [48, 80, 200])
def test_no_face_is_shrunk_below_the_least_side(least):
    image, face = Image.new("RGB", (640, 480)), Face(0, 0, 300 * 256, 300 * 256, 65536, ())
    sides = [300 * augment.shrink(image, face, np.random.default_rng(seed), least)[1] for seed in range(200)]
    assert least <= min(sides) < least * 1.1 and max(sides) == 300


def test_a_square_somewhere_lies_in_the_picture():
    frame = np.zeros((300, 500, 3), np.uint8)
    found = [augment.somewhere(frame, np.random.default_rng(seed)) for seed in range(100)]
    assert all(0 <= f.x0 < f.x1 <= 500 * 256 and 0 <= f.y0 < f.y1 <= 300 * 256 for f in found)
    assert len({f.x1 - f.x0 for f in found}) > 90 and all(abs((f.x1 - f.x0) - (f.y1 - f.y0)) <= 1 for f in found)


def test_a_patch_is_a_part_of_the_face_with_a_square_inside_it():
    rows, columns = np.mgrid[:250, :400]
    frame = np.stack([rows, columns, columns // 256], 2).astype(np.uint8)  # each pixel tells where it stood
    face = Face(350 * 256, 100 * 256, 450 * 256, 200 * 256, 65536, ())  # reaches over the edge
    small = Face(100 * 256, 100 * 256, 120 * 256, 120 * 256, 65536, ())
    sizes = set()
    for seed in range(100):
        cut, inner = augment.patch(frame, face, np.random.default_rng(seed))
        if cut is frame:  # too little of it lay in the picture
            assert inner == face
            continue
        x, y = cut[..., 1] + 256 * cut[..., 2].astype(int), cut[..., 0]
        assert x.min() >= 350 and 100 <= y.min() and y.max() < 200 and min(cut.shape[:2]) >= augment.PATCH_LEAST
        assert 0 < inner.x0 < inner.x1 < 256 * cut.shape[1] and 0 < inner.y0 < inner.y1 < 256 * cut.shape[0]
        sizes.add(cut.shape)
    assert len(sizes) > 30
    assert augment.patch(frame, small, np.random.default_rng(0))[0] is frame


def test_a_pasted_picture_keeps_its_face_on_ground_of_one_colour():
    rows, columns = np.mgrid[:250, :400]
    frame = np.stack([rows, columns // 2, np.full_like(rows, 255)], 2).astype(np.uint8)  # blue: not ground
    face, sizes, with_ground = Face(150 * 256, 70 * 256, 230 * 256, 150 * 256, 65536, ()), set(), 0
    for seed in range(60):
        laid, there = augment.pasted(frame, face, np.random.default_rng(seed))
        inside = laid[there.y0 // 256 : there.y1 // 256, there.x0 // 256 : there.x1 // 256]
        assert np.array_equal(inside, frame[70:150, 150:230])
        ground = laid[laid[..., 2] != 255]
        assert len(np.unique(ground, axis=0)) <= 1
        sizes.add(laid.shape)
        with_ground += len(ground) > 0
    assert len(sizes) > 40 and with_ground > 50


SCALES = {"least_side": 48, "scale_ranges": [[110, 140], [200, 300]]}
CONFIG = SCALES | {"patch_share": 0.5, "bare_share": 0.5, "plain_share": 0.5, "noisy_share": 0.0}


def test_views_depend_on_the_seed_alone():
    def make(seed):
        return augment.views(astronaut(), FACE, np.random.default_rng(seed), CONFIG)

    assert torch.equal(make(3), make(3)) and not torch.equal(make(3), make(4))
    assert make(3).shape == (2, 3, 224, 224) and make(3).dtype == torch.uint8


def test_plain_views_keep_colour_and_sharpness():
    frame = np.full((512, 512, 3), (120, 80, 40), np.uint8)

    def kept(share, seed):
        pixels = augment.views(frame, FACE, np.random.default_rng(seed), CONFIG | {"plain_share": share})
        return bool((pixels == torch.tensor([120, 80, 40])[:, None, None]).all())

    assert all(kept(1.0, seed) for seed in range(20)) and not any(kept(0.0, seed) for seed in range(20))
    assert 20 < sum(kept(0.5, seed) for seed in range(60)) < 40


def taken(grey: int, side: int, seed: int) -> np.ndarray:
    """Plain ground, with noise, as the network sees it: its first channel."""
    ground = augment.noisy(Image.new("RGB", (side, side), (grey,) * 3), side, np.random.default_rng(seed))
    return resample(np.asarray(ground), (0, 0, side, side), augment.SIDE, augment.SIDE)[..., 0]


def test_there_is_as_much_noise_in_what_the_network_sees_of_any_crop():
    near, far = (
        np.array([taken(128, round(times * augment.SIDE), seed).std() for seed in range(24)]) for times in (3, 1.2)
    )
    assert np.exp(abs(np.log(near).mean() - np.log(far).mean())) < 1.2
    for deviation in (near, far):
        assert 0.5 < deviation.min() < 2 and 6 < deviation.max() < 14


def test_noise_grows_with_the_light_and_is_softened_every_second_time():
    alike = 0
    for seed in range(40):
        shades = [linear(taken(grey, augment.SIDE, seed)) for grey in (40, 128, 200)]
        assert shades[0].std() < shades[1].std() < shades[2].std()
        middle = shades[1] - shades[1].mean()
        alike += (middle[:, 1:] * middle[:, :-1]).mean() > 0.1 * middle.var()
    assert 12 < alike < 28


def test_as_many_views_as_wanted_are_noisy_by_what_is_seen_of_the_closest_crop(monkeypatch):
    black, sides = Image.new("RGB", (512, 512)), []
    monkeypatch.setattr(augment, "noisy", lambda image, side, rng: sides.append(side) or black)

    def changed(share, seed):
        config = CONFIG | {"plain_share": 1.0, "bare_share": 0.0, "patch_share": 0.0, "noisy_share": share}
        return not augment.views(astronaut(), FACE, np.random.default_rng(seed), config).any()

    assert not any(changed(0.0, seed) for seed in range(10)) and 10 < sum(changed(0.5, seed) for seed in range(40)) < 30
    assert set(sides) == {1.25 * face_side(FACE)}


def test_noise_is_as_wide_as_the_picture_that_was_made_smaller(monkeypatch):
    sides, shrunk = [], []
    shrink = augment.shrink
    monkeypatch.setattr(augment, "noisy", lambda image, side, rng: sides.append((side, image.size)) or image)
    monkeypatch.setattr(augment, "shrink", lambda *how: shrunk.append(shrink(*how)) or shrunk[-1])
    config = CONFIG | {"plain_share": 0.0, "bare_share": 0.0, "patch_share": 0.0, "noisy_share": 1.0}
    large = FACE._replace(x1=FACE.x0 + 480 * 256, y1=FACE.y0 + 480 * 256)  # its crop does not fit the picture
    for face in (FACE, large):
        for seed in range(10):
            augment.views(astronaut(), face, np.random.default_rng(seed), config)
            side, size = sides[-1]
            assert size == shrunk[-1][0].size
            assert side == pytest.approx(min(1.25 * face_side(face) * shrunk[-1][1], *size))
    assert len(set(sides)) > 12


def test_a_coarse_print_has_dots_that_its_crop_shows():
    grey = np.full((256, 256, 3), 128, np.uint8)
    side, periods = 2 * augment.SIDE, set()  # the crop halves it
    for seed in range(40):
        printed = augment.screened(grey, side, np.random.default_rng(seed))
        assert printed.dtype == np.uint8 and 6 < printed.std(axis=(0, 1)).min() < 26
        waves = np.abs(np.fft.fft2(printed[..., 0] - printed[..., 0].mean()))
        row, column = np.unravel_index(waves.argmax(), waves.shape)
        periods.add(1 / np.hypot(np.fft.fftfreq(256)[row], np.fft.fftfreq(256)[column]))
    assert 3.9 < min(periods) < 6 and 12 < max(periods) < 16.5
    assert np.array_equal(*(augment.screened(grey, 100, np.random.default_rng(1)) for _ in range(2)))
