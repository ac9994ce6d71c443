"""`matte export`: a stored network as an ONNX file for use elsewhere."""

from pathlib import Path

import click

from matte.cli.options import FILE, needs_torch, told
from matte.errors import SettingError


@click.command(no_args_is_help=True)
@click.argument("name")
@click.option("-o", "--output", type=FILE, help="File to write.  [default: NAME.onnx]")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16"]),
    default="fp32",
    show_default=True,
    help="fp16 keeps what would suffer, and the inputs and outputs, in fp32.",
)
@click.option("--height", type=int, help="Fix the height, a multiple of 32; with --width.")
@click.option("--width", type=int, help="Fix the width.")
@click.option("--dynamic", is_flag=True, help="Any multiples of 32; so it is without a size.")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def export(
    name: str,
    output: Path | None,
    precision: str,
    height: int | None,
    width: int | None,
    dynamic: bool,
    overwrite: bool,
) -> None:
    """Write a stored network as ONNX.

    Prints how far the file's output is from torch's at several sizes, and fails if it is too far.

    Example: matte export gca-slim -o gca-slim.onnx
    """
    if (height is None) != (width is None) or (dynamic and height is not None):
        raise SettingError("a size is --height and --width", "give both, or --dynamic")
    size = (height, width) if height is not None and width is not None else None

    from matte.files import check_outputs

    with needs_torch("exporting"):
        from matte.conversion.exporting import export_weights
    from matte.weights.store import stored

    weights = stored(name)
    target = output or Path(f"{name}.onnx")
    check_outputs([(target, (".onnx",))], [weights.path], overwrite)
    done = export_weights(weights, target, precision, size, overwrite)
    for d in done.differences:
        far = f"max {d.largest:.1e}, mean {d.mean:.1e}"
        click.echo(f"{d.width}×{d.height}: {far} from {done.reference}", err=True)
    told(target)
