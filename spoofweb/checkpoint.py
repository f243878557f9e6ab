"""SpoofNet weights on disk: one safetensors file whose header says how the network was trained."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import nn

from spoofweb.errors import SpoofwebError
from spoofweb.files import write_whole
from spoofweb.model import SpoofNet

FORMAT = "1"  # of header and tensor names; a file that names none is of the first


def save(net: SpoofNet, path: Path, about: dict) -> None:
    """Write weights and facts (`about`: JSON values, e.g. preset and crop scales), whole or not at all.

    Equal weights and facts give equal bytes.
    """
    header = {
        "format": FORMAT,
        "texture": net.texture_kind,
        "kernel": str(net.kernel),
        "about": json.dumps(about, sort_keys=True),
    } | ({"early": "true"} if net.early else {})
    write(net, path, header)


def write(net: nn.Module, path: Path, header: dict[str, str]) -> None:
    """Write any network's weights under a header, whole or not at all; equal ones give equal bytes."""
    tensors = {name: value.contiguous() for name, value in net.state_dict().items()}
    write_whole({path: in_order(serialise(tensors, header))})


def load(path: Path) -> tuple[SpoofNet, dict]:
    """The network in evaluation mode and the facts it was saved with; SpoofwebError where the file is no such thing."""
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
        check_format(header.get("format", "1"), path)
        net = SpoofNet(header["texture"], int(header.get("kernel", "5")), early=header.get("early") == "true")
        net.load_state_dict(load_file(path))
        about = json.loads(header["about"])
        about["scales_percent"]  # no use without: nobody knows what the network was shown
        return net.eval(), about
    except FileNotFoundError:
        raise SpoofwebError(f"{path}: no such checkpoint; train one or check the path") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SpoofwebError(f"{path}: not a whole SpoofNet checkpoint ({error}); restore or train it") from None


def check_format(found: str, path: Path) -> None:
    """SpoofwebError where a checkpoint's format is not this version's."""
    if found != FORMAT:
        raise SpoofwebError(
            f"{path}: a checkpoint of format {found}, and this version reads format {FORMAT}; "
            "use the version that trained it, or train it again"
        )


def in_order(file: bytes) -> bytes:
    """A safetensors file with its header's facts sorted: the library writes them in an order of chance."""
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text + file[8 + length :]
