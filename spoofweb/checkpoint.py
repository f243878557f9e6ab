"""SpoofNet weights on disk: one safetensors file whose header says how the network was trained."""

import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from spoofweb.errors import SpoofwebError
from spoofweb.model import SpoofNet


def save(net: SpoofNet, path: Path, about: dict) -> None:
    """Write weights and facts (`about`: JSON values, e.g. preset and crop scales), whole or not at all."""
    header = {"texture": net.texture_kind, "about": json.dumps(about, sort_keys=True)}
    beside = path.with_name(path.name + ".part")
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, beside, header)
    os.replace(beside, path)


def load(path: Path) -> tuple[SpoofNet, dict]:
    """The network in evaluation mode and the facts it was saved with; SpoofwebError where the file is no such thing."""
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
        net = SpoofNet(header["texture"])
        net.load_state_dict(load_file(path))
        return net.eval(), json.loads(header["about"])
    except FileNotFoundError:
        raise SpoofwebError(f"{path}: no such checkpoint; train one or check the path") from None
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise SpoofwebError(f"{path}: not a whole SpoofNet checkpoint ({error}); restore or train it") from None
