"""The two graphs of the product, as bytes: the detector converted from its npm package, SpoofNet as committed."""

from pathlib import Path

from spoofweb import detector, npm
from spoofweb.errors import SpoofwebError

WEB = Path(__file__).parents[1] / "web"
WEIGHTS = Path(__file__).with_name("weights")
CHECKPOINT, SPOOFNET, CARD = (WEIGHTS / name for name in ("spoofnet.safetensors", "spoofnet.onnx", "card.json"))


def detector_graph() -> bytes:
    """BlazeFace as ONNX; the first call installs the locked npm packages."""
    if not (WEB / "package-lock.json").is_file():
        raise SpoofwebError(f"{WEB}: not a spoofweb checkout; install with `pip install -e .` from a clone")
    return detector.build(npm.install(WEB))


def spoofnet_graph(path: Path = SPOOFNET) -> bytes:
    """The exported network; SpoofwebError where there is none."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpoofwebError(f"{path}: cannot be read ({error.strerror}); run build_site.py or check --model") from None
