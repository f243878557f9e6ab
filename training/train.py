"""Train SpoofNet.

    python -m training.train original --data FULL_DATASET_FRAMES --out runs/original [--backbone weights.safetensors]

Writes OUT/last.pt after every epoch (kill it and start it again: it goes on with the epoch that it was in and ends with
the same weights), the best epoch on val (or the last, as the preset wants) as OUT/spoofnet.safetensors, OUT/log.jsonl,
OUT/config.json and OUT/curve.svg.
Test pictures are not looked at; only their bytes are compared, because data with a picture in two splits is refused.
"""

import argparse
import io
import json
import math
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from spoofweb import checkpoint
from spoofweb.checksum import sha256
from spoofweb.errors import SpoofwebError
from spoofweb.files import write_whole
from spoofweb.graphs import detector_graph
from spoofweb.metrics import auc
from spoofweb.model import SpoofNet, initialise_backbone
from training import narrow
from training.curve import draw_curve
from training.dataset import Picture, data_digest, fixed_crops, locate, recaptures, scan, simulations
from training.folders import CLASSES, check_splits
from training.mixstyle import MixStyle, early, partners
from training.sampling import draw, kept_away, loader, told
from training.simulate.portrait import PORTRAIT
from training.teachers import load_teachers

PRESETS = Path(__file__).with_name("presets.toml")
BARE_PERCENT = 150  # of the face's side that val's pictures are cut to when they are judged without surroundings
FEW = 40  # pictures, or some more, that narrowed kernels are fitted by
ABOUT = ("preset", "seed", "scales_percent", "data_sha256", "hold_out", "begun_from")  # in a checkpoint
BOUNDS = dict(  # least and most
    epochs=(1, math.inf),
    batch=(1, math.inf),
    samples_per_epoch=(0, math.inf),
    seed=(0, math.inf),
    least_side=(16, math.inf),
    fixed_blocks=(0, 6),
    teacher_weight=(0.0, 1.0),
    lr=(0.0, math.inf),
    weight_decay=(0.0, math.inf),
    ema=(0.0, 1.0),
)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Train SpoofNet.", epilog="Presets stand in training/presets.toml.")
    parser.add_argument("preset")
    data_options(parser)
    preset_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="run folder; an unfinished run in it goes on")
    parser.add_argument(
        "--teacher", type=Path, action="append", default=[], help="checkpoint or probe to learn from; repeat"
    )
    parser.add_argument("--begin", type=Path, help="checkpoint with one head to go on from, built as the preset says")
    network_options(parser)
    args = parser.parse_args(argv)
    try:
        train(args)
    except SpoofwebError as error:
        print(f"error: {told(error)}", file=sys.stderr)
        return 2
    return 0


def data_options(parser: argparse.ArgumentParser, whole: bool = False) -> None:
    """Add what says where the pictures are and how they are read. whole: simulated and recaptured ones are required."""
    parser.add_argument("--data", type=Path, required=True, help="ROOT of {train,val,test}/{real,attack}/<identity>/")
    parser.add_argument("--manifest", type=Path, help="CSV with attack types and soft targets")
    parser.add_argument(
        "--simulated", type=Path, required=whole, help="ROOT that holds train/ as training.simulate writes it"
    )
    parser.add_argument(
        "--recaptured", type=Path, required=whole, help="ROOT of {direct,recaptured}/ and manifest.csv: no faces"
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--workers", type=int, default=2, choices=range(65), metavar="N", help="loader processes")


def preset_options(parser: argparse.ArgumentParser) -> None:
    """Add what changes a preset for one run."""
    parser.add_argument(
        "--hold-out", default="", metavar="GLOB", help="train sites kept away, judged beside val; !GLOB: all but these"
    )
    set_option(parser)


def set_option(parser: argparse.ArgumentParser) -> None:
    """Add what overrides a preset's values."""
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override one preset value")


def network_options(parser: argparse.ArgumentParser) -> None:
    """Add where a network begins, and whether it is compiled."""
    parser.add_argument("--backbone", type=Path, help="initial backbone weights; without it timm asks its hub")
    parser.add_argument("--compile", action="store_true", help="compile the network first: faster on a CPU, needs g++")


def train(args: argparse.Namespace) -> None:
    """The whole run, from the pictures to the kept checkpoint."""
    config = read_preset(args.preset, args.set) | {"hold_out": args.hold_out}
    teachers, speak_of = load_teachers(args.teacher, config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = load_data(args, config)
    check_last_batch(data.epoch_size, config)
    torch.manual_seed(config["seed"])
    net = begun(config, args.begin) if args.begin else start(config, args.backbone, data.few)
    about = {"preset": args.preset, "data_sha256": data.digest, "teachers": [sha256(p) for p in args.teacher]}
    about["manifest_sha256"] = sha256(args.manifest) if args.manifest else ""  # targets hang on it, too
    about |= {"begun_from": sha256(args.begin)} if args.begin else {}
    run = Run(args.out, config | about)
    trainer = Trainer(net, config, device, math.ceil(data.epoch_size / config["batch"]), teachers)
    if args.compile:
        for each in (net, *teachers):
            each.compile(dynamic=False)
    for epoch in range(run.resume(trainer), config["epochs"]):
        drawn = draw(data.pictures, data.beside, config, epoch)
        loss = trainer.run_epoch(epoch, loader(drawn, data.crops, config, epoch, args.workers, speak_of))
        entry = {"epoch": epoch, "loss": loss}
        for name, part in data.judged.items():
            entry |= aucs(name, part, trainer.judge(part))
        run.finish_epoch(trainer, epoch, entry)
    kept = run.log[-1] if config["keep_last"] else max(run.log, key=lambda entry: entry["val"])
    best = f"val AUC {kept['val']:.4f}, {kept['val_bare']:.4f} without surroundings"
    print(f"kept epoch {kept['epoch']}: {best}; weights in {run.weights}")


def check_last_batch(epoch_size: int, config: dict) -> None:
    """SpoofwebError where an epoch by moments ends with a single crop, of which they have no spread."""
    last = (epoch_size - 1) % config["batch"] + 1
    if config["texture"] == "moments" and last * len(config["scales_percent"]) == 1:
        raise SpoofwebError(
            f"batch is {config['batch']}: of {epoch_size} pictures the last batch is a single crop, too few for "
            "texture=moments; choose another size"
        )


def start(config: dict, backbone: Path | None, few: np.ndarray | None) -> SpoofNet:
    """The network before its training. few: crops uint8 [P, K, 224, 224, 3] to narrow the kernels by, if any."""

    def made(kernel: int) -> SpoofNet:
        net = SpoofNet(config["texture"], kernel, pretrained=backbone is None)
        if backbone:
            initialise_backbone(net, backbone)
        return net

    net = made(config["kernel"])
    if few is not None:
        with torch.random.fork_rng(devices=[]):
            wide = made(5)
        narrow.fit(net, wide, torch.from_numpy(np.array(few)).flatten(0, 1).permute(0, 3, 1, 2).float() / 255)
    return net


def begun(config: dict, path: Path) -> SpoofNet:
    """The network of a checkpoint that is to learn more; SpoofwebError where it is built otherwise than the preset."""
    net, about = checkpoint.load(path)
    found = (net.texture_kind, net.kernel, about["scales_percent"])
    wanted = (config["texture"], config["kernel"], config["scales_percent"])
    if found != wanted:
        raise SpoofwebError(f"--begin {path}: texture, kernel and crops are {found}, and the preset wants {wanted}")
    if net.early:
        raise SpoofwebError(f"--begin {path}: it has a second head, which would not learn; give the checkpoint before")
    return net


def read_preset(name: str, overrides: list[str]) -> dict:
    """A preset with its defaults and overrides; SpoofwebError where a name is unknown."""
    presets = tomllib.loads(PRESETS.read_text())
    if name not in presets or name == "default":
        known = ", ".join(sorted(set(presets) - {"default"}))
        raise SpoofwebError(f"preset {name!r} is unknown; {PRESETS.name} has {known}")
    config = merged(presets, name)
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
    for key, (least, most) in BOUNDS.items():
        if not least <= config[key] <= most:
            bounds = f"{least} or more" if most == math.inf else f"{least} to {most}"
            raise SpoofwebError(f"preset {name!r}: {key} is {config[key]}; it must be {bounds}")
    if config["augment"] not in ("original", "views"):
        raise SpoofwebError(f"preset {name!r}: augment is {config['augment']!r}; it must be original or views")
    if config["augment"] == "views" and len(config["scale_ranges"]) != len(config["scales_percent"]):
        raise SpoofwebError(f"preset {name!r}: augment=views needs one of scale_ranges for each of scales_percent")
    shares = "simulated_share", "recaptured_share", "portrait_share"
    beside = sum(config[share] for share in shares)
    if min(config[share] for share in shares) < 0 or beside >= 1:
        together = f"preset {name!r}: {', '.join(shares)} are {beside:.3g} together"
        raise SpoofwebError(f"{together}; they must be below 1, and none below 0")
    if beside and (config["augment"] != "views" or not config["samples_per_epoch"]):
        raise SpoofwebError(f"preset {name!r}: such shares need augment=views and samples_per_epoch above 0")
    return config


def merged(presets: dict[str, dict], name: str) -> dict:
    """A preset's values over those of the preset that it is like, and so on down to `default`."""
    if name == "default":
        return presets[name]
    own = dict(presets[name])
    return merged(presets, own.pop("like", "default")) | own


@dataclass
class Judged:
    """Pictures that are scored after every epoch: crops uint8 [P, K, 224, 224, 3], labels [P] and sources [P]."""

    crops: np.ndarray
    labels: np.ndarray
    sources: np.ndarray

    def batches(self) -> Iterator[Tensor]:
        """The crops as the network is shown them, uint8 [B, K, 3, 224, 224]."""
        for start in range(0, len(self.crops), 32):
            yield torch.from_numpy(np.array(self.crops[start : start + 32])).permute(0, 1, 4, 2, 3)


@dataclass
class Data:
    """What a run trains on and what it is judged by."""

    pictures: list[Picture]
    beside: list[tuple[float, list[Picture]]]  # simulated and recaptured pictures, with their share of what is drawn
    crops: np.ndarray | None  # fixed crops of `pictures`, for the "original" augmentation
    few: np.ndarray | None  # fixed crops of some of them, where kernels are to be narrowed
    judged: dict[str, Judged]
    epoch_size: int
    digest: str


def load_data(args: argparse.Namespace, config: dict) -> Data:
    """Read, locate and (where fixed) crop everything; pictures without a face are left out of training."""
    graph = detector_graph()
    uses_simulated = max(config["simulated_share"], config["portrait_share"]) > 0
    uses_recaptured = config["recaptured_share"] > 0
    if uses_simulated and not args.simulated:
        raise SpoofwebError("this preset draws simulated attacks; make some (training.simulate), give --simulated")
    if uses_recaptured and not args.recaptured:
        raise SpoofwebError("this preset draws recaptured scenes; give --recaptured, or --set recaptured_share=0.0")
    if repeated := check_splits([args.data, args.simulated] if uses_simulated else [args.data]):
        print(f"{repeated} pictures stand in their split more than once", file=sys.stderr)

    def located(root: Path, split: str) -> list[Picture]:
        found = locate(scan(root, split, args.manifest), graph, args.cache)
        return [picture for picture in found if picture.face]

    def judged(pictures: list[Picture], bare_percent: int | None = None) -> Judged:
        crops = fixed_crops(pictures, config["scales_percent"], args.cache, bare_percent)
        return Judged(crops, np.array([p.label for p in pictures]), np.array([p.source for p in pictures]))

    pictures, val = located(args.data, "train"), located(args.data, "val")
    need_both_classes(val, "val")
    simulated = simulations(args.simulated, graph, args.cache) if uses_simulated else []
    held = [p for p in pictures if config["hold_out"] and kept_away(p.site, config["hold_out"])]
    if config["hold_out"] and not held:
        raise SpoofwebError(f"--hold-out {config['hold_out']}: no train site has such a name")
    held_sites = {p.site for p in held}
    pictures = [p for p in pictures if p.site not in held_sites]
    simulated = [p for p in simulated if not p.sites & held_sites]
    need_both_classes(pictures, "train without what is held out")
    if held:
        need_both_classes(held, f"--hold-out {config['hold_out']}")
    recaptured = recaptures(args.recaptured) if uses_recaptured else []
    portraits = [p for p in simulated if p.species == PORTRAIT]
    others = [p for p in simulated if p.species != PORTRAIT]
    if config["portrait_share"] and not portraits:
        raise SpoofwebError(
            f"{args.simulated}: no portraits of sites that are not held out, which this preset draws; render some "
            "(training.simulate --portraits)"
        )
    beside = [
        (config["simulated_share"], others),
        (config["recaptured_share"], recaptured),
        (config["portrait_share"], portraits),
    ]
    few = pictures[:: max(1, len(pictures) // FEW)] if config["kernel"] < 5 else []
    crops = fixed_crops(pictures, config["scales_percent"], args.cache) if config["augment"] == "original" else None
    return Data(
        pictures=pictures,
        beside=[(share, pool) for share, pool in beside if share and pool],
        crops=crops,
        few=fixed_crops(few, config["scales_percent"], args.cache) if few else None,
        judged={"val": judged(val), "val_bare": judged(val, BARE_PERCENT)}
        | ({"held_out": judged(held)} if held else {}),
        epoch_size=config["samples_per_epoch"] or len(pictures),
        digest=data_digest(pictures + val + simulated + recaptured),
    )


def need_both_classes(pictures: list[Picture], where: str) -> None:
    """SpoofwebError unless there are pictures with a face of both: else nothing is learnt or judged, epochs later."""
    for kind, label in CLASSES.items():
        if all(picture.label != label for picture in pictures):
            raise SpoofwebError(f"{where}: a face is found in no {kind} picture; both classes need some")


def aucs(name: str, judged: Judged, logits: np.ndarray) -> dict[str, float]:
    """AUC of judged pictures, and of each source where there are several; a source of one class is left out."""
    found = {name: auc(logits, judged.labels)}
    sources = np.unique(judged.sources)
    for source in sources if len(sources) > 1 else []:
        own = judged.sources == source
        if len(np.unique(judged.labels[own])) == 2:
            found[f"{name}/{source}"] = auc(logits[own], judged.labels[own])
    return found


def fixed_parts(net: SpoofNet, blocks: int) -> list[nn.Module]:
    """The parts of the backbone that stay as they are: its stem and its first `blocks` stages; none for 0.

    SpoofwebError where it has not so many.
    """
    backbone = net.backbone
    if blocks > len(backbone.blocks):
        raise SpoofwebError(f"fixed_blocks is {blocks}; this backbone has {len(backbone.blocks)}")
    return [backbone.conv_stem, backbone.bn1, *backbone.blocks[:blocks]] if blocks else []


def cross_entropy(logits: Tensor, targets: Tensor, alone: Tensor, crop_loss: float) -> Tensor:
    """Of the mean of logits [B, K] with targets [B], plus crop_loss times that of each crop with `alone` [B, K]."""
    loss = binary_cross_entropy_with_logits(logits.mean(1), targets)
    if crop_loss:
        loss = loss + crop_loss * binary_cross_entropy_with_logits(logits, alone)
    return loss


def as_pixels(crops: Tensor, device: torch.device | str = "cpu") -> Tensor:
    """uint8 [B, K, 3, 224, 224] → what a network takes, float [B * K, 3, 224, 224] in 0..1."""
    return crops.flatten(0, 1).to(device, memory_format=torch.channels_last).float() / 255


class Trainer:
    """Network, optimiser and weight average, moved forward epoch by epoch."""

    def __init__(
        self,
        net: SpoofNet,
        config: dict,
        device: torch.device,
        steps_per_epoch: int,
        teachers: Sequence[nn.Module] = (),
    ):
        self.net = net.to(device, memory_format=torch.channels_last)
        self.teachers = [teacher.to(device, memory_format=torch.channels_last) for teacher in teachers]
        self.config, self.device, self.steps_per_epoch = config, device, steps_per_epoch
        self.fixed = fixed_parts(net, config["fixed_blocks"])
        for part in self.fixed:
            part.requires_grad_(False)
        self.styles = MixStyle(early(net) if config["mixstyle"] else [])
        groups = [  # share: of the learning rate
            {"params": list(part.parameters()), "share": config["backbone_lr"] if name == "backbone" else 1.0}
            for name, part in net.named_children()
        ]
        self.optimiser = torch.optim.AdamW(groups, config["lr"], weight_decay=config["weight_decay"])
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
        for part in self.fixed:
            part.eval()  # else the statistics of its normalisation would move
        total = 0.0
        for i, (crops, targets, taught) in enumerate(tqdm(batches, desc=f"epoch {epoch}", unit="batch")):
            for group in self.optimiser.param_groups:
                group["lr"] = group["share"] * self.learning_rate(epoch * self.steps_per_epoch + i)
            if self.config["mixstyle"] and torch.rand(()) < self.config["mixstyle"]:
                self.styles.partners = partners(targets > 0.5, crops.shape[1]).to(self.device)
            wanted = self.wanted(crops, targets.float().to(self.device), taught.to(self.device))
            loss = cross_entropy(self.logits(self.net, crops), *wanted, self.config["crop_loss"])
            self.styles.partners = None
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

    def logits(self, net: nn.Module, crops: Tensor) -> Tensor:
        """uint8 [B, K, 3, 224, 224] → logits [B, K], or [B, K, V] of a network with several voices."""
        pixels = as_pixels(crops, self.device)
        # a CPU gains nothing by half the bits
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            logits = net(pixels)
        return logits.float().unflatten(0, crops.shape[:2])

    def wanted(self, crops: Tensor, targets: Tensor, taught: Tensor) -> tuple[Tensor, Tensor]:
        """Targets [B] of the mean logits and [B, K] of each crop's: those of the pictures, mixed with what the mean of
        the teachers' logits says of these very crops (Hinton et al. 2015; the same views: Beyer et al. 2022).

        taught: bool [B, V], which of the teachers' voices have a say of a picture; without any it keeps its target.
        """
        alone = targets[:, None].expand(crops.shape[:2])
        if not self.teachers:
            return targets, alone
        with torch.no_grad():
            said = [self.logits(teacher, crops).view(*crops.shape[:2], -1) for teacher in self.teachers]
        said = (torch.cat(said, 2) * taught[:, None]).sum(2) / taught.sum(1).clamp(min=1)[:, None]
        weight = self.config["teacher_weight"] * taught.any(1)
        return targets.lerp(said.mean(1).sigmoid(), weight), alone.lerp(said.sigmoid(), weight[:, None])

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a half cosine down to 0."""
        steps = self.steps_per_epoch * self.config["epochs"]
        warmup = self.config["warmup"] * steps
        if step < warmup:
            return self.config["lr"] * (step + 1) / warmup
        return self.config["lr"] * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))

    @torch.inference_mode()
    def judge(self, part: Judged) -> np.ndarray:
        """The mean logit of each picture's fixed crops [P]; SpoofwebError where one is no number."""
        net = self.kept.eval()
        scores = torch.cat([self.logits(net, crops).mean(1).cpu() for crops in part.batches()]).numpy()
        if not np.isfinite(scores).all():
            raise SpoofwebError("the network gives no numbers any more; lower lr and train into another --out")
        return scores

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
            about = {key: self.config[key] for key in ABOUT if key in self.config}
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
