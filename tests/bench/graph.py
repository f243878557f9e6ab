"""ONNX graph → its size: bytes, nodes, parameters, multiply–accumulates."""

from math import prod

import onnx


def size(graph: bytes, batch: int = 1) -> dict[str, int]:
    """`bytes`, `nodes`, `parameters` (numbers in floating-point weights) and `macs` of a graph at one batch size.

    MACs count what Conv, ConvTranspose, Gemm and MatMul multiply and add; activations, pooling and element-wise nodes
    are left out, as is usual. Raises ValueError where a shape stays unknown, or one of these nodes has no output.
    """
    model = onnx.load_from_string(graph)
    for entry in model.graph.input:
        for dimension in entry.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_value = batch
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    shapes = {weight.name: list(weight.dims) for weight in inferred.initializer}
    for entry in [*inferred.input, *inferred.output, *inferred.value_info]:
        shapes[entry.name] = [dimension.dim_value for dimension in entry.type.tensor_type.shape.dim]
    return {
        "bytes": len(graph),
        "nodes": len(inferred.node),
        "parameters": sum(prod(w.dims) for w in inferred.initializer if w.data_type == onnx.TensorProto.FLOAT),
        "macs": sum(_macs(node, shapes) for node in inferred.node),
    }


def _macs(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> int:
    if node.op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return 0
    first, second, out = (shapes.get(name, []) for name in (node.input[0], node.input[1], node.output[0]))
    if not (first and second and out and all(first + second + out)):
        raise ValueError(f"{node.op_type} {node.name!r}: its shapes stay unknown ({first}, {second} → {out})")
    if node.op_type == "Conv":  # weights [out channels, in channels / groups, kernel…]: one full kernel per output
        return prod(out) * prod(second[1:])
    if node.op_type == "ConvTranspose":  # weights [in channels, out channels / groups, kernel…]: one per input
        return prod(first) * prod(second[1:])
    transposed = node.op_type == "Gemm" and any(a.name == "transA" and a.i for a in node.attribute)
    return prod(out) * (first[-2] if transposed else first[-1])
