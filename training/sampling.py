"""Which pictures an epoch sees, how often, and in which form."""

import fnmatch
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from spoofweb.errors import SpoofwebError
from spoofweb.media import read_picture
from training import augment
from training.dataset import Picture

Drawn = list[tuple[Picture, int | None]]
"""Pictures in order, each with its index in the fixed crops (None: it has none there)."""


def draw(pictures: list[Picture], beside: list[tuple[float, list[Picture]]], config: dict, epoch: int) -> Drawn:
    """The pictures of an epoch. beside: other pictures, each list with its share (0..1) of all that are drawn."""
    rng = np.random.default_rng([config["seed"], epoch])
    if not config["samples_per_epoch"]:
        return [(pictures[i], int(i)) for i in rng.permutation(len(pictures))]
    pools = [pictures, *(pool for _, pool in beside)]
    chances = [sampling_chances(pool, config["site_power"]) for pool in pools]
    ends = np.cumsum([share for share, _ in beside])
    drawn: Drawn = []
    for _ in range(config["samples_per_epoch"]):
        which = (1 + int(np.searchsorted(ends, rng.random(), side="right"))) % len(pools) if beside else 0
        index = int(np.searchsorted(chances[which], rng.random() * chances[which][-1], side="right"))
        drawn.append((pools[which][index], index if which == 0 else None))
    return drawn


def sampling_chances(pictures: list[Picture], site_power: float) -> np.ndarray:
    """Cumulative chances [P]: both classes alike, sites within a class by their pictures ** site_power."""
    sizes: dict[tuple[int, str], int] = {}
    for picture in pictures:
        key = picture.label, picture.site
        sizes[key] = sizes.get(key, 0) + 1
    total = {label: sum(n**site_power for (kind, _), n in sizes.items() if kind == label) for label in (0, 1)}
    chances = [sizes[p.label, p.site] ** (site_power - 1) / total[p.label] for p in pictures]
    return np.cumsum(chances)


class Samples(Dataset):
    """The drawn pictures of one epoch as (crops uint8 [K, 3, 224, 224], target, bool [V]: which of the teachers'
    voices have a say in it); each depends on its own seed alone.
    """

    def __init__(self, drawn: Drawn, crops: np.ndarray | None, config: dict, epoch: int, speak_of: Sequence[str] = ()):
        """crops: the fixed crops uint8 [P, K, 224, 224, 3] of the "original" augmentation, None for "views".
        speak_of: for each of the teachers' V voices the sites that it speaks of, as in --hold-out, "" for all.
        """
        self.drawn, self.crops, self.config, self.epoch, self.speak_of = drawn, crops, config, epoch, speak_of

    def __len__(self) -> int:
        return len(self.drawn)

    def __getitem__(self, position: int) -> tuple[Tensor, float, Tensor]:
        picture, index = self.drawn[position]
        rng = np.random.default_rng([self.config["seed"], self.epoch, position])
        pasted = dotted = False
        if self.crops is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(int(rng.integers(2**62)))
                crops = torch.from_numpy(np.array(self.crops[index])).permute(0, 3, 1, 2)
                views = torch.stack([augment.original(crop) for crop in crops])
        else:
            aside = rng.spawn(1)[0]  # a stream of its own: what else is drawn does not hang on pasted_share
            pasted = augment.picked(self.config["pasted_share"], aside)
            dotted = augment.picked(self.config["dotted_share"], rng)
            frame = read_picture(picture.path)
            face = picture.face or augment.somewhere(frame, rng)
            if pasted:
                frame, face = augment.pasted(frame, face, aside)
            views = augment.views(frame, face, rng, self.config, dotted)
        if dotted:
            picture = replace(picture, label=0, peer=None)
        # of such dots and edges a teacher may know nothing
        heard = [not (dotted or pasted) and speaks_of(picture, sites) for sites in self.speak_of]
        return views, target(picture, self.config), torch.tensor(heard, dtype=torch.bool)


def target(picture: Picture, config: dict) -> float:
    """The label, smoothed and mixed with the peer's opinion where there is one."""
    wanted = smoothed(picture.label, config)
    if picture.peer is None or picture.source == "crops":  # the peer needs surroundings, which those pictures lack
        return wanted
    return wanted * (1 - config["peer_weight"]) + picture.peer * config["peer_weight"]


def smoothed(label: int | Tensor, config: dict) -> float | Tensor:
    """The label, or labels, drawn towards one half by the preset's smoothing."""
    return label * (1 - config["smoothing"]) + config["smoothing"] / 2


def kept_away(site: str, glob: str) -> bool:
    """Whether a site is among those that --hold-out names: GLOB, or !GLOB for all but these."""
    return fnmatch.fnmatch(site, glob.removeprefix("!")) != glob.startswith("!")


def speaks_of(picture: Picture, sites: str) -> bool:
    """Whether a teacher has a say in a picture: it never saw any of its sites. sites: see Samples.

    Scenes without a face are held out from none.
    """
    return not sites or picture.source == "recapture" or all(kept_away(site, sites) for site in picture.sites)


def told(error: SpoofwebError) -> str:
    """What an error says; a loader process wraps it in its traceback."""
    return str(error).rsplit("SpoofwebError: ", 1)[-1].strip()


def loader(
    drawn: Drawn, crops: np.ndarray | None, config: dict, epoch: int, workers: int, speak_of: Sequence[str] = ()
) -> DataLoader:
    """Batches of one epoch, in an order that depends on seed and epoch alone. speak_of: see Samples."""
    samples = Samples(drawn, crops, config, epoch, speak_of)
    return DataLoader(samples, config["batch"], num_workers=workers, prefetch_factor=4 if workers else None)
