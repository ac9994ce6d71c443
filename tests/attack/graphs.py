"""ONNX graphs that cost too much, never end, or are not what they say."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from tests.attack.tiny import MAP, PICTURE, Shape, model, segmenter

HUGE = 1 << 40
EXTERNAL_DATA = "weights.bin"  # where networks have their weights that are not in the file


def value(name: str, kind: int = TensorProto.FLOAT, shape: Shape | None = None) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def endless_loop(numbers: random.Random) -> Any:
    """A loop of 2⁶³ − 1 rounds, or one whose condition is always true."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["v", "v"], ["w"]),
        ],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("v")],
        [value("go_on", TensorProto.BOOL, []), value("w")],
    )
    count = "count" if numbers.random() < 0.5 else ""
    nodes = [
        helper.make_node("Loop", [count, "true", "x"], ["z"], body=body),
        helper.make_node("ReduceMean", ["z"], ["y"], axes=[1]),
    ]
    constants = {"count": np.int64(2**63 - 1), "true": np.bool_(True)}
    return model(nodes, {"x": PICTURE}, MAP, constants)


def nested_if(numbers: random.Random) -> Any:
    """Ifs in Ifs, each branch twice: deep, or as many as 2ⁿ."""
    depth = numbers.choice((8, 13, 24))  # protobuf's own limit is 100 messages in messages
    inner = [helper.make_node("ReduceMean", ["x"], ["y0"], axes=[1])]
    for level in range(1, depth):
        graph = helper.make_graph(inner, f"g{level}", [], [value(f"y{level - 1}")])
        other = (
            graph
            if depth < 15
            else helper.make_graph(
                [helper.make_node("ReduceMean", ["x"], ["e"], axes=[1])], "else", [], [value("e")]
            )
        )
        inner = [helper.make_node("If", ["c"], [f"y{level}"], then_branch=graph, else_branch=other)]
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["top"], keepdims=0),
        helper.make_node("Cast", ["top"], ["c"], to=TensorProto.BOOL),
        *inner,
        helper.make_node("Identity", [f"y{depth - 1}"], ["y"]),
    ]
    return model(nodes, {"x": PICTURE}, MAP)


def huge_constant(numbers: random.Random) -> Any:
    """Tensors of terabytes, made of a few bytes."""
    shapes = ([1, 1, HUGE], [1, 1, 100000, 100000], [1 << 62])
    shape = np.array(numbers.choice(shapes), np.int64)
    kind = numbers.choice(("ConstantOfShape", "Expand", "Tile"))
    first = {
        "ConstantOfShape": helper.make_node("ConstantOfShape", ["shape"], ["big"]),
        "Expand": helper.make_node("Expand", ["one", "shape"], ["big"]),
        "Tile": helper.make_node("Tile", ["flat", "times"], ["big"]),
    }[kind]
    nodes = [
        first,
        helper.make_node("ReduceMean", ["big"], ["m"], keepdims=0),
        helper.make_node("ReduceMean", ["x"], ["g"], axes=[1]),
        helper.make_node("Add", ["g", "m"], ["y"]),
    ]
    flat = np.ones((1, 1, 1, 1), np.float32)
    times = np.array([1, 1, 1 << 20, 1 << 20], np.int64)
    constants = {"shape": shape, "one": np.float32(1), "flat": flat, "times": times}
    return model(nodes, {"x": PICTURE}, MAP, constants)


def huge_resize(numbers: random.Random) -> Any:
    scale = numbers.choice((1e3, 1e6, 1e30, -1.0, 0.0, float("nan")))
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["z"], mode="nearest"),
        helper.make_node("ReduceMean", ["z"], ["y"], axes=[1]),
    ]
    return model(nodes, {"x": PICTURE}, MAP, {"scales": np.array([1, 1, scale, scale], np.float32)})


def huge_pad(numbers: random.Random) -> Any:
    pads = np.array([0, 0, numbers.choice((HUGE, -HUGE, 100_000)), 50_000, 0, 0, 0, 0], np.int64)
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["z"]),
        helper.make_node("ReduceMean", ["z"], ["y"], axes=[1]),
    ]
    return model(nodes, {"x": PICTURE}, MAP, {"pads": pads})


def fixed_input(numbers: random.Random) -> Any:
    """A network that says it wants nothing, a giant, or something odd."""
    sizes = (0, 1, 3, 7, 32, 100_000, 1 << 31, 1 << 50, -1)
    height, width = numbers.choice(((0, 0), (100_000, 100_000), numbers.choices(sizes, k=2)))
    shape: Shape = [1, 3, height, width]
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], axes=[1])]
    return model(nodes, {"x": shape}, [1, 1, height, width])


def odd_signature(numbers: random.Random) -> Any:
    """Another number, type or shape of inputs or outputs."""
    shapes: tuple[Shape, ...] = ([], ["n"], ["b", "c", "h", "w"], [2, 3, "h", "w"])
    inputs = {"x": numbers.choice(shapes)} if numbers.random() < 0.8 else {}
    outputs: tuple[Shape, ...] = (MAP, [], [1, 1, 1, 1])
    kind = numbers.choice((TensorProto.FLOAT, TensorProto.UINT8, TensorProto.STRING, 16))
    constants = {"k": np.array([[[[0.5]]]], np.float32)}
    node = helper.make_node("Identity", ["k"], ["y"])
    return model([node], inputs, numbers.choice(outputs), constants, kind=kind)


def odd_values(numbers: random.Random) -> Any:
    """A network that answers NaN, infinity or what is out of range."""
    factor = numbers.choice((np.nan, np.inf, -1, 1e30, 7))
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1]),
        helper.make_node("Mul", ["m", "k"], ["y"]),
    ]
    return model(nodes, {"x": PICTURE}, MAP, {"k": np.float32(factor)})


def long_chain(numbers: random.Random) -> Any:
    """Thousands of nodes in a row, or one that eats its own result."""
    count = numbers.choice((300, 3000))
    nodes = [helper.make_node("ReduceMean", ["x"], ["v0"], axes=[1])]
    nodes += [helper.make_node("Sigmoid", [f"v{i}"], [f"v{i + 1}"]) for i in range(count)]
    last = f"v{count}" if numbers.random() < 0.5 else "y"
    return model([*nodes, helper.make_node("Sigmoid", [last], ["y"])], {"x": PICTURE}, MAP)


def slow_convolution(numbers: random.Random) -> Any:
    """A network that works for minutes on one picture."""
    width = numbers.choice((64, 512))
    kernel = np.zeros((width, width, 9, 9), np.float32)
    nodes = [
        helper.make_node("Expand", ["m", "wide"], ["v0"]),
        *(helper.make_node("Conv", [f"v{i}", "k"], [f"v{i + 1}"], pads=[4] * 4) for i in range(40)),
    ]
    nodes.insert(0, helper.make_node("ReduceMean", ["x"], ["m"], axes=[1]))
    nodes.append(helper.make_node("ReduceMean", ["v40"], ["y"], axes=[1]))
    wide = np.array([1, width, 1, 1], np.int64)
    made = model(nodes, {"x": PICTURE}, MAP, {"wide": wide})
    shape = numpy_helper.from_array(np.array(kernel.shape, np.int64), "kernel_shape")
    made.graph.initializer.append(shape)
    node = helper.make_node("ConstantOfShape", ["kernel_shape"], ["k"])
    made.graph.node.insert(0, node)
    return made


def unknown_operator(numbers: random.Random) -> Any:
    domain = numbers.choice(("", "com.microsoft", "no.such.domain", "ai.onnx.ml"))
    node = helper.make_node(numbers.choice(("NoSuch", "../x", "")), ["x"], ["y"], domain=domain)
    made = model([node], {"x": PICTURE}, MAP, opset=numbers.choice((1, 17, 9999)))
    made.ir_version = numbers.choice((0, 8, 99, 2**31))
    return made


Maker = Callable[[random.Random], Any]
GRAPHS: dict[str, Maker] = {
    "endless loop": endless_loop,
    "nested if": nested_if,
    "huge constant": huge_constant,
    "huge resize": huge_resize,
    "huge pad": huge_pad,
    "fixed input": fixed_input,
    "odd signature": odd_signature,
    "odd values": odd_values,
    "long chain": long_chain,
    "slow convolution": slow_convolution,
    "unknown operator": unknown_operator,
}


def with_odd_metadata(numbers: random.Random) -> bytes:
    """A good network whose metadata is not what matte expects."""
    odd = ("-1", "x", "1e9", "9" * 5000, "", "٣٢٠", "320.5", "0", "320\n", "99999", "a\0b", " 320")
    key = numbers.choice(("matte.size", "matte.size", "matte.kind", "matte.more", "framework"))
    data: bytes = segmenter(
        {key: numbers.choice((*odd, "segmenter")), "q": "QQQQ"}
    ).SerializeToString()
    if numbers.random() < 0.4:  # not UTF-8
        data = data.replace(b"QQQQ", numbers.choice((b"\xff\xfe\xfd\xfc", b"\xc3\x28AA")))
    return data


def with_external_data(path: Path, numbers: random.Random) -> None:
    """Writes a network whose weights lie in another file: there, missing, cut, or elsewhere."""
    made = segmenter()
    for tensor in made.graph.initializer:
        external_data_helper.set_external_data(tensor, EXTERNAL_DATA)
    external_data_helper.write_external_data_tensors(made, str(path.parent))
    data = path.parent / EXTERNAL_DATA
    way = numbers.choice(("whole", "missing", "cut", "place", "length", "link", "folder"))
    if way == "missing":
        data.unlink()
    elif way == "cut":
        data.write_bytes(data.read_bytes()[: numbers.randrange(40)])
    elif way in ("place", "length"):
        odd = (
            "../weights.bin",
            "/etc/passwd",
            "../../../../etc/passwd",
            "",
            ".",
            "a\nb",
            "/dev/zero",
        )
        lengths = ("-1", "99999999999999", "x", "", "1")
        for tensor in made.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location" and way == "place":
                    entry.value = numbers.choice(odd)
                if entry.key in ("length", "offset") and way == "length":
                    entry.value = numbers.choice(lengths)
    elif way == "link":
        data.unlink()
        data.symlink_to(numbers.choice(("/etc/passwd", "/dev/zero", "weights.bin", "nowhere")))
    elif way == "folder":
        data.unlink()
        data.mkdir()
    onnx.save_model(made, path)
