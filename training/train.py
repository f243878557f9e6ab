"""Train SpoofNet.

    python -m training.train original --data FULL_DATASET_FRAMES --out runs/original [--backbone weights.safetensors]

Writes OUT/last.pt after every epoch (kill it and start it again: it goes on with the epoch that it was in and ends with
the same weights), the best epoch on val (or the last, as the preset wants) as OUT/spoofnet.safetensors, OUT/log.jsonl,
OUT/config.json and OUT/curve.svg.
Test pictures are not looked at; only their bytes are compared, because data with a picture in two splits is refused.
"""

import argparse
import fnmatch
import io
import json
import math
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from spoofweb import checkpoint
from spoofweb.errors import SpoofwebError
from spoofweb.files import write_whole
from spoofweb.graphs import detector_graph
from spoofweb.media import read_picture
from spoofweb.metrics import auc
from spoofweb.model import SpoofNet, initialise_backbone
from training import augment
from training.curve import draw_curve
from training.dataset import Picture, data_digest, fixed_crops, locate, scan
from training.folders import CLASSES, check_splits

PRESETS = Path(__file__).with_name("presets.toml")
LEAST = {"epochs": 1, "batch": 1, "samples_per_epoch": 0, "seed": 0, "least_side": 16}


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Train SpoofNet.", epilog="Presets stand in training/presets.toml.")
    parser.add_argument("preset")
    parser.add_argument("--data", type=Path, required=True, help="ROOT of {train,val,test}/{real,attack}/<identity>/")
    parser.add_argument("--out", type=Path, required=True, help="run folder; an unfinished run in it goes on")
    parser.add_argument("--manifest", type=Path, help="CSV with attack types and soft targets")
    parser.add_argument("--simulated", type=Path, help="ROOT of simulated pictures, same layout (training.simulate)")
    parser.add_argument("--backbone", type=Path, help="initial backbone weights; without it timm asks its hub")
    parser.add_argument("--hold-out", default="", metavar="GLOB", help="train sites kept away and judged beside val")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override one preset value")
    parser.add_argument("--compile", action="store_true", help="compile the network first: faster on a CPU, needs g++")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--workers", type=int, default=2, choices=range(65), metavar="N", help="loader processes")
    args = parser.parse_args(argv)
    try:
        train(args)
    except SpoofwebError as error:
        told = str(error).rsplit("SpoofwebError: ", 1)[-1].strip()  # a loader process wraps it in its traceback
        print(f"error: {told}", file=sys.stderr)
        return 2
    return 0


def train(args: argparse.Namespace) -> None:
    """The whole run, from the pictures to the kept checkpoint."""
    config = read_preset(args.preset, args.set) | {"hold_out": args.hold_out}
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = load_data(args, config)
    run = Run(args.out, config | {"preset": args.preset, "data_sha256": data.digest})
    torch.manual_seed(config["seed"])
    net = SpoofNet(config["texture"], pretrained=args.backbone is None)
    if args.backbone:
        initialise_backbone(net, args.backbone)
    if args.compile:
        net.compile(dynamic=False)
    trainer = Trainer(net, config, device, steps_per_epoch=math.ceil(data.epoch_size / config["batch"]))
    for epoch in range(run.resume(trainer), config["epochs"]):
        loss = trainer.run_epoch(epoch, loader(data, config, epoch, args.workers))
        scores = {name: trainer.judge(part) for name, part in data.judged.items()}
        run.finish_epoch(trainer, epoch, {"epoch": epoch, "loss": loss, **scores})
    kept = run.log[-1] if config["keep_last"] else max(run.log, key=lambda entry: entry["val"])
    print(f"kept epoch {kept['epoch']}: val AUC {kept['val']:.4f}; weights in {run.weights}")


def read_preset(name: str, overrides: list[str]) -> dict:
    """A preset with its defaults and overrides; SpoofwebError where a name is unknown."""
    presets = tomllib.loads(PRESETS.read_text())
    if name not in presets or name == "default":
        known = ", ".join(sorted(set(presets) - {"default"}))
        raise SpoofwebError(f"preset {name!r} is unknown; {PRESETS.name} has {known}")
    config = presets["default"] | presets[name]
    for override in overrides:
        key, _, value = override.partition("=")
        if key not in config or not value:
            raise SpoofwebError(f"--set {override}: not KEY=VALUE with a key of {PRESETS.name}")
        try:
            config[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            config[key] = value  # a word needs no quotes on a command line
        if type(config[key]) is not type(presets["default"][key]):
            raise SpoofwebError(f"--set {override}: {key} must be like {presets['default'][key]!r}")
    for key, least in LEAST.items():
        if config[key] < least:
            raise SpoofwebError(f"preset {name!r}: {key} is {config[key]}; it must be {least} or more")
    return config


@dataclass
class Judged:
    """Pictures that are scored after every epoch: crops uint8 [P, K, 224, 224, 3] and labels [P]."""

    crops: np.ndarray
    labels: np.ndarray


@dataclass
class Data:
    """What a run trains on and what it is judged by."""

    pictures: list[Picture]
    simulated: list[Picture]
    crops: np.ndarray | None  # fixed crops of `pictures`, for the "original" augmentation
    judged: dict[str, Judged]
    epoch_size: int
    digest: str


def load_data(args: argparse.Namespace, config: dict) -> Data:
    """Read, locate and (where fixed) crop everything; pictures without a face are left out of training."""
    graph = detector_graph()
    uses_simulated = config["simulated_share"] > 0
    if uses_simulated and not args.simulated:
        raise SpoofwebError("this preset draws simulated attacks; make some (training.simulate), give --simulated")
    if repeated := check_splits([args.data, args.simulated] if uses_simulated else [args.data]):
        print(f"{repeated} pictures stand in their split more than once", file=sys.stderr)

    def located(root: Path, split: str) -> list[Picture]:
        found = locate(scan(root, split, args.manifest), graph, args.cache)
        return [picture for picture in found if picture.face]

    def judged(pictures: list[Picture]) -> Judged:
        crops = fixed_crops(pictures, config["scales_percent"], args.cache)
        return Judged(crops, np.array([picture.label for picture in pictures]))

    pictures, val = located(args.data, "train"), located(args.data, "val")
    need_both_classes(val, "val")
    simulated = located(args.simulated, "train") if uses_simulated else []
    held = [p for p in pictures if config["hold_out"] and fnmatch.fnmatch(p.site, config["hold_out"])]
    if config["hold_out"] and not held:
        raise SpoofwebError(f"--hold-out {config['hold_out']}: no train site has such a name")
    held_sites = {p.site for p in held}
    pictures = [p for p in pictures if p.site not in held_sites]
    simulated = [p for p in simulated if p.site not in held_sites]
    need_both_classes(pictures, "train without what is held out")
    if held:
        need_both_classes(held, f"--hold-out {config['hold_out']}")
    crops = fixed_crops(pictures, config["scales_percent"], args.cache) if config["augment"] == "original" else None
    return Data(
        pictures=pictures,
        simulated=simulated,
        crops=crops,
        judged={"val": judged(val)} | ({"held_out": judged(held)} if held else {}),
        epoch_size=config["samples_per_epoch"] or len(pictures),
        digest=data_digest(pictures + val + simulated),
    )


def need_both_classes(pictures: list[Picture], where: str) -> None:
    """SpoofwebError unless there are pictures with a face of both: else nothing is learnt or judged, epochs later."""
    for kind, label in CLASSES.items():
        if all(picture.label != label for picture in pictures):
            raise SpoofwebError(f"{where}: a face is found in no {kind} picture; both classes need some")


def draw(data: Data, config: dict, epoch: int) -> list[tuple[Picture, int | None]]:
    """The pictures of an epoch in order, with their index in the fixed crops (None: simulated)."""
    rng = np.random.default_rng([config["seed"], epoch])
    if not config["samples_per_epoch"]:
        return [(data.pictures[i], int(i)) for i in rng.permutation(len(data.pictures))]
    pools = {True: data.simulated, False: data.pictures}
    chances = {key: sampling_chances(pool, config["site_power"]) for key, pool in pools.items() if pool}
    drawn = []
    for _ in range(config["samples_per_epoch"]):
        simulated = bool(data.simulated) and rng.random() < config["simulated_share"]
        index = int(np.searchsorted(chances[simulated], rng.random() * chances[simulated][-1], side="right"))
        drawn.append((pools[simulated][index], None if simulated else index))
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
    """The drawn pictures of one epoch as (crops uint8 [K, 3, 224, 224], target); each depends on its own seed alone."""

    def __init__(self, drawn: list[tuple[Picture, int | None]], crops: np.ndarray | None, config: dict, epoch: int):
        self.drawn, self.crops, self.config, self.epoch = drawn, crops, config, epoch

    def __len__(self) -> int:
        return len(self.drawn)

    def __getitem__(self, position: int) -> tuple[Tensor, float]:
        picture, index = self.drawn[position]
        rng = np.random.default_rng([self.config["seed"], self.epoch, position])
        if self.crops is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(int(rng.integers(2**62)))
                crops = torch.from_numpy(np.array(self.crops[index])).permute(0, 3, 1, 2)
                views = torch.stack([augment.original(crop) for crop in crops])
        else:
            frame = read_picture(picture.path)
            views = augment.views(
                frame, picture.face, rng, *(self.config[key] for key in ("scale_ranges", "bare_share", "least_side"))
            )
        return views, target(picture, self.config)


def target(picture: Picture, config: dict) -> float:
    """The label, smoothed and mixed with the peer's opinion where there is one."""
    wanted = picture.label * (1 - config["smoothing"]) + config["smoothing"] / 2
    if picture.peer is None or picture.source == "crops":  # the peer needs surroundings, which those pictures lack
        return wanted
    return wanted * (1 - config["peer_weight"]) + picture.peer * config["peer_weight"]


def loader(data: Data, config: dict, epoch: int, workers: int) -> DataLoader:
    """Batches of one epoch, in an order that depends on seed and epoch alone."""
    samples = Samples(draw(data, config, epoch), data.crops, config, epoch)
    return DataLoader(samples, config["batch"], num_workers=workers, prefetch_factor=4 if workers else None)


class Trainer:
    """Network, optimiser and weight average, moved forward epoch by epoch."""

    def __init__(self, net: SpoofNet, config: dict, device: torch.device, steps_per_epoch: int):
        self.net = net.to(device, memory_format=torch.channels_last)
        self.config, self.device, self.steps_per_epoch = config, device, steps_per_epoch
        self.optimiser = torch.optim.AdamW(net.parameters(), config["lr"], weight_decay=config["weight_decay"])
        self.average = None
        if config["ema"]:
            self.average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(config["ema"]), use_buffers=True)

    @property
    def kept(self) -> SpoofNet:
        """The network that is judged and saved: the weight average where there is one."""
        return self.average.module if self.average else self.net

    def run_epoch(self, epoch: int, batches: DataLoader) -> float:
        """One epoch; returns its mean loss. SpoofwebError when the loss is no number any more."""
        torch.manual_seed(1000 * self.config["seed"] + epoch)
        self.net.train()
        total = 0.0
        for i, (crops, targets) in enumerate(tqdm(batches, desc=f"epoch {epoch}", unit="batch")):
            for group in self.optimiser.param_groups:
                group["lr"] = self.learning_rate(epoch * self.steps_per_epoch + i)
            loss = self.loss(self.logits(self.net, crops), targets.float().to(self.device))
            if not torch.isfinite(loss):
                raise SpoofwebError(
                    f"epoch {epoch}, batch {i}: the loss is {loss.item()}; the epochs before are kept, "
                    "lower lr and train into another --out"
                )
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            if self.average:
                self.average.update_parameters(self.net)
            total += loss.item()
        return total / len(batches)

    def logits(self, net: SpoofNet, crops: Tensor) -> Tensor:
        """uint8 [B, K, 3, 224, 224] → logits [B, K]."""
        pixels = crops.flatten(0, 1).to(self.device, memory_format=torch.channels_last).float() / 255
        # a CPU gains nothing by half the bits
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            logits = net(pixels)
        return logits.float().view(crops.shape[:2])

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of the mean logit [B], plus that of each crop alone [B, K] at the preset's weight."""
        loss = binary_cross_entropy_with_logits(logits.mean(1), targets)
        if self.config["crop_loss"]:
            alone = binary_cross_entropy_with_logits(logits, targets[:, None].expand_as(logits))
            loss = loss + self.config["crop_loss"] * alone
        return loss

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a half cosine down to 0."""
        steps = self.steps_per_epoch * self.config["epochs"]
        warmup = self.config["warmup"] * steps
        if step < warmup:
            return self.config["lr"] * (step + 1) / warmup
        return self.config["lr"] * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))

    @torch.inference_mode()
    def judge(self, part: Judged) -> float:
        """AUC of the mean logit over fixed crops."""
        net = self.kept.eval()
        scores = [
            self.logits(net, torch.from_numpy(np.array(part.crops[i : i + 32])).permute(0, 1, 4, 2, 3)).mean(1).cpu()
            for i in range(0, len(part.crops), 32)
        ]
        scores = torch.cat(scores).numpy()
        if not np.isfinite(scores).all():
            raise SpoofwebError("the network gives no numbers any more; lower lr and train into another --out")
        return auc(scores, part.labels)

    def state(self) -> dict:
        """All that the next epoch depends on."""
        average = self.average.state_dict() if self.average else {}
        return {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(), "average": average}

    def restore(self, state: dict) -> None:
        """The opposite of `state`."""
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.average:
            self.average.load_state_dict(state["average"])


class Run:
    """A run folder: configuration, log, last state, weights that are kept. Every file is replaced whole."""

    def __init__(self, folder: Path, config: dict):
        self.folder, self.config, self.log = folder, config, []
        self.last, self.weights = folder / "last.pt", folder / "spoofnet.safetensors"
        told = json.dumps(config, indent=2, sort_keys=True)
        file = folder / "config.json"
        if file.exists() and file.read_text() != told:
            raise SpoofwebError(f"{file}: of another run (preset or data differ); choose another --out or delete it")
        write_whole({file: told.encode()})

    def resume(self, trainer: Trainer) -> int:
        """Restore the last finished epoch, if any; returns the epoch to go on with."""
        if not self.last.exists():
            return 0
        try:
            state = torch.load(self.last, map_location="cpu", weights_only=True)
            self.log = state["log"]
            made = state["trainer"]
        except Exception as error:  # torch raises many classes for a broken file
            raise SpoofwebError(f"{self.last}: not a whole checkpoint ({error}); delete it to start over") from None
        try:
            trainer.restore(made)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise SpoofwebError(
                f"{self.last}: of another version of this program ({error}); go on with that one, or delete it"
            ) from None
        self.report()
        return len(self.log)

    def finish_epoch(self, trainer: Trainer, epoch: int, entry: dict) -> None:
        """Keep the weights if they are the best on val so far, or the preset wants the last; then log and state."""
        if self.config["keep_last"] or all(entry["val"] > earlier["val"] for earlier in self.log):
            about = {key: self.config[key] for key in ("preset", "seed", "scales_percent", "data_sha256")}
            checkpoint.save(trainer.kept, self.weights, about | {"epoch": epoch})
        self.log.append(entry)
        state = io.BytesIO()
        torch.save({"trainer": trainer.state(), "log": self.log}, state)
        write_whole({self.last: state.getvalue()})
        self.report()
        print(json.dumps(entry), flush=True)

    def report(self) -> None:
        """Write log and curve as the last state has them."""
        lines = "".join(json.dumps(entry) + "\n" for entry in self.log)
        write_whole({self.folder / "log.jsonl": lines.encode(), self.folder / "curve.svg": draw_curve(self.log)})


if __name__ == "__main__":
    sys.exit(main())
