"""`matte export`: a stored network as a file to be used elsewhere: ONNX, or LiteRT for phones."""

from pathlib import Path

import click

from matte.cli.options import FILE, print_path, torch_required
from matte.errors import SettingError


@click.command(no_args_is_help=True)
@click.argument("name")
@click.option("-o", "--output", type=FILE, help="File to write.  [default: NAME.onnx or .tflite]")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["onnx", "tflite"]),
    default="onnx",
    show_default=True,
    help="tflite: for LiteRT on phones, of one size and with channels last.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="Number format; inputs, outputs and parts that would suffer stay fp32.",
)
@click.option(
    "--calibrate",
    type=FILE,
    metavar="FOLDER",
    help="For int8: a folder of pictures like those that the network was trained on.",
)
@click.option(
    "--height", type=int, help="Fix the height of pictures, a multiple of 32; with --width."
)
@click.option(
    "--width", type=int, help="Fix the width of pictures, a multiple of 32; with --height."
)
@click.option(
    "--dynamic", is_flag=True, help="Accept any multiple of 32, as without --height and --width."
)
@click.option("--flat", is_flag=True, help="With tflite: give the map as one row of numbers.")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def export(
    name: str,
    output: Path | None,
    kind: str,
    precision: str,
    calibrate: Path | None,
    height: int | None,
    width: int | None,
    dynamic: bool,
    flat: bool,
    overwrite: bool,
) -> None:
    """Write a stored network as an ONNX file, or as a LiteRT file for phones.

    Prints how far the file's output is from torch's at several sizes, and fails if it is too far.
    An int8 file is compared with fp32, on the pictures of --calibrate.

    Example: matte export gca-slim -o gca-slim.onnx
    """
    if (height is None) != (width is None) or (dynamic and height is not None):
        raise SettingError("a size is --height and --width", "give both, or --dynamic")
    if (precision == "int8") != (calibrate is not None):
        raise SettingError("int8 is calibrated on pictures", "give --precision int8 --calibrate")
    if kind == "onnx" and calibrate is not None and (height is not None or dynamic):
        raise SettingError("int8 is for any size", "leave the size away")
    if kind == "tflite" and (dynamic or precision == "fp16"):
        wrong = "--dynamic" if dynamic else "fp16"
        raise SettingError(f"a .tflite knows no {wrong}", "give --height and --width, fp32 or int8")
    if flat and kind != "tflite":
        raise SettingError("--flat is for phones", "add --format tflite")
    size = (height, width) if height is not None and width is not None else None

    from matte.files import check_outputs

    with torch_required("exporting"):
        from matte.conversion.network_export import export_weights
        from matte.conversion.phone_export import export_for_phones
        from matte.conversion.quantise import quantise_weights, read_calibration_pictures
    from matte.weights.store import weights_named

    weights = weights_named(name)
    target = output or Path(f"{name}.{kind}")
    check_outputs([(target, (f".{kind}",))], [weights.path], overwrite)
    pictures = read_calibration_pictures(calibrate) if calibrate is not None else []
    if kind == "tflite":
        phone = export_for_phones(weights, target, size, pictures, flat, overwrite)
        differences, reference = phone.differences, "torch"
    elif pictures:
        quantised = quantise_weights(weights, pictures, target, overwrite)
        differences, reference = quantised.differences, "fp32"
    else:
        done = export_weights(weights, target, precision, size, overwrite)
        differences, reference = done.differences, done.reference
    for d in differences:
        far = f"max {d.largest:.1e}, mean {d.mean:.1e}"
        where = f"{d.runtime}, " if pictures else ""
        click.echo(f"{where}{d.width}×{d.height}: {far} from {reference}", err=True)
    print_path(target)
