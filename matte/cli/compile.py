"""`matte compile`: TensorRT engines of stored networks, for this machine's GPU."""

import click

from matte.cli.options import print_line, print_path, torch_required
from matte.configs.loader import merge_settings, preset_names
from matte.configs.settings import RuntimeSettings
from matte.errors import SettingError


@click.command("compile", no_args_is_help=True)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--preset",
    metavar="NAME",
    help=f"All networks that a preset runs: {', '.join(preset_names())}.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp16", "fp32", "bf16"]),
    help="Number format; parts that would suffer stay fp32.  [default: fp16]",
)
@click.option("--device", default="gpu:0", show_default=True, help="Which GPU: gpu:1.")
@click.option("--min", "smallest", metavar="HxW", help="Smallest picture that the engine accepts.")
@click.option(
    "--opt",
    "usual",
    metavar="HxW",
    help="Size that the engine is made fast for; 4xHxW: four at once.",
)
@click.option("--max", "largest", metavar="HxW", help="Largest picture that the engine accepts.")
@click.option(
    "--via",
    type=click.Choice(["onnx", "torch2trt"]),
    default="onnx",
    show_default=True,
    help="How it is built: by TensorRT's own ONNX parser, or by NVIDIA's torch2trt, in fp32.",
)
@click.option(
    "--tolerance",
    type=float,
    help="Largest difference of alpha to torch's.  [default: 0.01; fp32: 1e-4]",
)
def compile_engines(
    names: tuple[str, ...],
    preset: str | None,
    precision: str | None,
    device: str,
    smallest: str | None,
    usual: str | None,
    largest: str | None,
    via: str,
    tolerance: float | None,
) -> None:
    """Build TensorRT engines of stored networks, for this machine's GPU.

    Prints how far each engine's output is from torch's at several sizes; one that is too far is
    not installed. Sizes are those of what the network is given, multiples of 32.

    Example: matte compile person gca-slim --max 2176x3840
    """
    from matte.runtime.engine_shapes import parse_input_size

    if not RuntimeSettings(device=device).device.startswith("gpu"):
        raise SettingError(f"device = {device!r}", "give gpu or gpu:1: engines are for GPUs")
    with torch_required("compiling"):
        from matte.conversion.tensorrt_engines import (
            EngineRequest,
            compile_weights,
            weights_to_compile,
        )
    least, middle, most = (parse_input_size(t) if t else None for t in (smallest, usual, largest))
    wanted = EngineRequest(precision or "", device, via, least, middle, most, tolerance)
    networks = weights_to_compile(names, merge_settings(preset).config if preset else None)
    for weights in networks:
        done = compile_weights(weights, wanted)
        text = f"{weights.path.name}, {done.key.precision}, {done.key.gpu}:"
        print_line(text, err=True)
        for apart in done.differences:
            size = "x".join(map(str, apart.size))
            difference = f"max {apart.largest:.1e}, mean {apart.mean:.1e} from torch"
            click.echo(f"  {size}: {difference}", err=True)
        print_path(done.path)
