"""Checkpoint → the one ONNX file that Python and the browser run.

Opset 13, dynamic batch, uint8 NHWC RGB in; scaling, mean/std and calibration are nodes of the graph. The file says
which checkpoint and which preprocessing it was made from, and nothing that changes from run to run.
"""

import copy
import io
from pathlib import Path

import numpy as np
import onnx

from spoofweb.checksum import sha256
from spoofweb.contract import CONTRACT, preprocessing_digest
from spoofweb.errors import SpoofwebError
from spoofweb.pipeline import open_spoofnet

OPSET = 13
OUTPUTS = ["logit", "live", "evidence"]
TOLERANCE = 1e-4  # largest allowed difference of a logit between torch, in double precision, and ONNX Runtime
SIDE = CONTRACT["input"]["side"]
FLAT = [(0, 0, 0), (128, 128, 128), (200, 150, 120), (255, 255, 255)]  # RGB, of crops on which the export is tried


def export(checkpoint: Path) -> bytes:
    """The verified graph of a checkpoint, with its provenance; needs torch and onnxsim.

    Raises SpoofwebError where the checkpoint is broken, was trained on other crops than the contract's, or the graph
    computes something else.
    """
    from spoofweb.checkpoint import load

    net, about = load(checkpoint)
    if about["scales_percent"] != CONTRACT["crop"]["scales_percent"]:
        raise SpoofwebError(
            f"{checkpoint}: trained on crops of {about['scales_percent']} % of the face, but the contract says "
            f"{CONTRACT['crop']['scales_percent']}; change one of them"
        )
    return convert(net, provenance(checkpoint))


def convert(net, about: dict[str, str]) -> bytes:
    """A network in evaluation mode as one simplified graph that ONNX Runtime computes as torch does.

    Input `crops` uint8 [N, 224, 224, 3] RGB; outputs `logit` float [N], `live` float [N], its sigmoid,
    and `evidence` float [N, 28, 28], where the logit comes from.
    about: metadata of the file. Raises SpoofwebError where simplifying or ONNX Runtime changes the result.
    """
    import onnxsim

    graph, agrees = onnxsim.simplify(onnx.load_from_string(trace(net)))
    if not agrees:
        raise SpoofwebError("the simplified graph computes something else; try another version of onnxsim")
    graph.producer_version = ""
    onnx.helper.set_model_props(graph, about)
    onnx.checker.check_model(graph, full_check=True)
    data = graph.SerializeToString(deterministic=True)
    difference = max_difference(net, data)
    if not difference <= TOLERANCE:  # NaN is no agreement
        raise SpoofwebError(f"ONNX Runtime is {difference:.1e} off torch, more than {TOLERANCE}; try another version")
    return data


def trace(net) -> bytes:
    """The network as torch exports it, wrapped so that it takes bytes and gives OUTPUTS."""
    import torch

    class Judge(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, crops):
            return outputs(self.net, crops)

    buffer = io.BytesIO()
    torch.onnx.export(
        Judge().eval(),
        torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8),
        buffer,
        input_names=["crops"],
        output_names=OUTPUTS,
        dynamic_axes={name: {0: "N"} for name in ("crops", *OUTPUTS)},
        opset_version=OPSET,
        dynamo=False,  # the newer exporter keeps opset 18 and writes the weights to a second file
    )
    return buffer.getvalue()


def outputs(net, crops):
    """uint8 tensor [N, 224, 224, 3] RGB → what OUTPUTS names, as torch computes it in the network's precision."""
    maps = net.features(crops.permute(0, 3, 1, 2).to(net.mean.dtype) / 255)
    logit = net.classify(*maps)
    return logit, logit.sigmoid(), net.evidence(*maps)


def max_difference(net, graph: bytes) -> float:
    """Largest difference of an output between torch and ONNX Runtime, over random crops in batches of 1, 3 and 8, and a
    batch of flat ones, where sums lose most; NaN where one of them is no number. Torch computes in double precision:
    else its own rounding, which is as large as the engine's, would count as the engine's.
    """
    import torch

    run, exact = open_spoofnet(graph), copy.deepcopy(net).double()
    random = np.random.default_rng(0)
    batches = [random.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8) for count in (1, 3, 8)]
    batches.append(np.stack([np.full((SIDE, SIDE, 3), colour, np.uint8) for colour in FLAT]))
    differences = []
    for crops in batches:
        with torch.inference_mode():
            expected = outputs(exact, torch.from_numpy(crops))
        found = run.run(OUTPUTS, {"crops": crops})
        differences += [np.abs(a - b.numpy()).max() for a, b in zip(found, expected, strict=True)]
    return float(np.max(differences))


def provenance(checkpoint: Path) -> dict[str, str]:
    """What the exported file says about its origin."""
    return {
        "checkpoint_sha256": sha256(checkpoint),
        "preprocessing_sha256": preprocessing_digest(),
        "outputs": ",".join(OUTPUTS),
    }


def is_current(graph: Path, checkpoint: Path) -> bool:
    """Whether an exported file was made from this checkpoint and this contract; False where there is none. No torch."""
    try:
        found = onnx.load(graph).metadata_props
    except Exception:  # missing or broken: to be exported again either way
        return False
    return {entry.key: entry.value for entry in found} == provenance(checkpoint)
