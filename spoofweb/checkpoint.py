"""SpoofNet weights on disk: one safetensors file whose header says how the network was trained."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise

from spoofweb.errors import SpoofwebError
from spoofweb.files import write_whole
from spoofweb.model import SpoofNet


def save(net: SpoofNet, path: Path, about: dict) -> None:
    """Write weights and facts (`about`: JSON values, e.g. preset and crop scales), whole or not at all."""
    header = {"texture": net.texture_kind, "about": json.dumps(about, sort_keys=True)}
    write_whole({path: serialise({name: value.contiguous() for name, value in net.state_dict().items()}, header)})


def load(path: Path) -> tuple[SpoofNet, dict]:
    """The network in evaluation mode and the facts it was saved with; SpoofwebError where the file is no such thing."""
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
        net = SpoofNet(header["texture"])
        net.load_state_dict(load_file(path))
        about = json.loads(header["about"])
        about["scales_percent"]  # no use without: nobody knows what the network was shown
        return net.eval(), about
    except FileNotFoundError:
        raise SpoofwebError(f"{path}: no such checkpoint; train one or check the path") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SpoofwebError(f"{path}: not a whole SpoofNet checkpoint ({error}); restore or train it") from None
