"""CenterFace as it comes, but for pictures of any size.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019). Kept in single precision: it is small, and a
face that it misses is a leak.
"""

from __future__ import annotations

import onnx

from tasks.models.onnx_graph import Shape

MAP_CHANNELS = {"heatmap": 1, "scale": 2, "offset": 2, "landmarks": 10}


def centerface_to_onnx(content: bytes) -> onnx.ModelProto:
    """`pictures` (N, 3, H, W) float32 RGB, 0-255, H and W multiples of 32 -> four maps of (N, channels, H/4, W/4) float32.

    `heatmap` (1) is how likely a face has its centre in this cell of 4 x 4 pixels, `scale` (2) the logarithms of its height and width in
    cells, `offset` (2) the y and x of its centre from the cell's centre in cells, `landmarks` (10) the y and x of five points from the top
    left of its box in heights and widths of the box.
    """
    model = onnx.load_model_from_string(content)
    graph = model.graph
    used = {name for node in graph.node for name in node.input}
    constants = {constant.name: constant for constant in graph.initializer}
    picture = next(value for value in graph.input if value.name not in constants)
    del graph.input[:], graph.initializer[:]  # weights listed as inputs count as replaceable, so that the runtime would not fold them
    graph.input.append(picture)
    graph.initializer.extend(constant for name, constant in constants.items() if name in used)
    shapes: dict[str, Shape] = {"pictures": ["pictures", 3, "height", "width"]}
    shapes |= {name: ["pictures", channels, "rows", "columns"] for name, channels in MAP_CHANNELS.items()}
    names = {}
    for value, (name, shape) in zip([graph.input[0], *graph.output], shapes.items(), strict=True):
        names[value.name] = name
        value.CopyFrom(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    onnx.checker.check_model(model, full_check=True)
    return model
