"""`matte compile`: stored networks as engines of TensorRT for this machine's GPU."""

import click

from matte.cli.options import needs_torch, told
from matte.configs.loader import presets, settle
from matte.configs.settings import RuntimeSettings
from matte.errors import SettingError


@click.command("compile", no_args_is_help=True)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--preset", metavar="NAME", help=f"All that a preset runs: {', '.join(presets())}.")
@click.option(
    "--precision",
    type=click.Choice(["fp16", "fp32", "bf16"]),
    help="What is calculated in; what would suffer stays fp32.  [default: fp16]",
)
@click.option("--device", default="gpu:0", show_default=True, help="Which GPU: gpu:1.")
@click.option("--min", "smallest", metavar="HxW", help="The smallest picture it takes.")
@click.option("--opt", "usual", metavar="HxW", help="What it is made fast for; 4xHxW: a batch.")
@click.option("--max", "largest", metavar="HxW", help="The largest picture it takes.")
@click.option(
    "--via",
    type=click.Choice(["onnx", "torch2trt"]),
    default="onnx",
    show_default=True,
    help="TensorRT's parser of ONNX, or NVIDIA's torch2trt in its ONNX mode, in fp32.",
)
@click.option(
    "--tolerance", type=float, help="The largest difference to torch.  [default: 0.01; fp32: 1e-4]"
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
    """Build TensorRT engines of stored networks, for this GPU.

    Prints how far each is from torch at several sizes; one that is too far is not installed.
    Sizes are those that the network sees, heights and widths in 32s.

    Example: matte compile person gca-slim --max 2176x3840
    """
    from matte.runtime.engines import parsed_size

    if not RuntimeSettings(device=device).device.startswith("gpu"):
        raise SettingError(f"device = {device!r}", "give gpu or gpu:1: engines are for GPUs")
    with needs_torch("compiling"):
        from matte.conversion.engines import Wanted, compile_weights, named
    least, middle, most = (parsed_size(t) if t else None for t in (smallest, usual, largest))
    wanted = Wanted(precision or "", device, via, least, middle, most, tolerance)
    networks = named(names, settle(preset).config if preset else None)
    for weights in networks:
        done = compile_weights(weights, wanted)
        click.echo(f"{weights.path.name}, {done.key.precision}, {done.key.gpu}:", err=True)
        for apart in done.differences:
            size = "x".join(map(str, apart.size))
            told_apart = f"max {apart.largest:.1e}, mean {apart.mean:.1e} from torch"
            click.echo(f"  {size}: {told_apart}", err=True)
        told(done.path)
