"""`matte train`: the networks that matte ships, trained on your pictures."""

import shlex
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from matte.cli.options import print_line, print_path, torch_required
from matte.errors import InterruptedRunError, SettingError, printable
from matte.files import check_outputs

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def train() -> None:
    """Train a network on your own pictures."""


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every training; the command gets those of the machine as `machine`."""

    @wraps(command)
    def with_machine(device: str, devices: int, strategy: str, **arguments: Any) -> Any:
        with torch_required("training"):
            from matte.training.machine import TrainingMachine

        return command(machine=TrainingMachine(device, devices, strategy), **arguments)

    decorated: Callable[..., Any] = with_machine
    for add in reversed(_run_options()):
        decorated = add(decorated)
    return decorated


def _run_options() -> list[Callable[[Any], Any]]:
    """Return the options that every training has."""
    return [
        click.option(
            "--config",
            required=True,
            help="Recipe: a TOML file, or the name of one that comes with matte, such as person.",
        ),
        click.option(
            "--set",
            "changes",
            multiple=True,
            metavar="FIELD=VALUE",
            help="Change a field of the recipe, such as run.steps=500; can be repeated.",
        ),
        click.option(
            "--data",
            required=True,
            type=FOLDER,
            help="Folder that holds the recipe's data sets, or images/ and masks/ of your own.",
        ),
        click.option(
            "--out",
            required=True,
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder for checkpoints, curves and the ONNX file.",
        ),
        click.option(
            "--init",
            metavar="NAME|FILE",
            help="Weights to start from: a network of matte, a .safetensors checkpoint,"
            " torchvision's mobilenet_v2 or an EfficientNet-Lite (.pth), or a released DeepLabV3"
            " (.tflite).",
        ),
        click.option("--resume", is_flag=True, help="Continue from the last checkpoint in --out."),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "cuda"]),
            default="auto",
            show_default=True,
            help="Where to train.",
        ),
        click.option(
            "--devices",
            type=click.IntRange(1),
            default=1,
            show_default=True,
            help="How many GPUs (or CPU processes).",
        ),
        click.option(
            "--strategy",
            default="auto",
            show_default=True,
            help="How Lightning Fabric shares the work between several, such as ddp.",
        ),
    ]


@train.command()
@run_options
def segmenter(**arguments: Any) -> None:
    """Train a segmenter: pictures and masks in, an ONNX file out.

    The last line is the path of the best checkpoint; best.onnx lies beside it.

    Example: matte train segmenter --config person --data DATA --out runs/mine
    """
    with torch_required("training"):
        from matte.training.segmenter import train_segmenter
        from matte.training.settings import SegmenterRecipe

    _train(SegmenterRecipe, train_segmenter, **arguments)


@train.command()
@run_options
def band(**arguments: Any) -> None:
    """Teach a trained segmenter where the subject's edge is soft, for --k learned.

    Its masks stay as they are. The last line is the path of the best checkpoint; best.onnx lies
    beside it.

    Example: matte train band --config subject-band --data DATA --init subject --out runs/band
    """
    with torch_required("training"):
        from matte.training.band import train_band
        from matte.training.band_settings import BandRecipe

    _train(BandRecipe, train_band, **arguments)


@train.command()
@run_options
def refiner(**arguments: Any) -> None:
    """Train a refiner: pictures with alphas in, an ONNX file out.

    The last line is the path of the best checkpoint; best.onnx lies beside it.

    Example: matte train refiner --config gca-slim --data DATA --out runs/mine
    """
    with torch_required("training"):
        from matte.training.refiner import train_refiner
        from matte.training.settings import RefinerRecipe

    _train(RefinerRecipe, train_refiner, **arguments)


@train.command()
@run_options
@click.option(
    "--soc",
    is_flag=True,
    help="Adapt the network of --init to the pictures in --data, which need no alpha.",
)
@click.option(
    "--validation",
    type=FOLDER,
    help="With --soc: pictures with alpha that show whether the network got better.",
)
def modnet(soc: bool, validation: Path | None, **arguments: Any) -> None:
    """Train a trimap-free network: pictures with alphas in, an ONNX file out.

    The last line is the path of the best checkpoint; best.onnx lies beside it.

    Example: matte train modnet --config modnet --data DATA --out runs/mine
    """
    with torch_required("training"):
        from matte.training.modnet import train_modnet
        from matte.training.modnet_settings import ModnetRecipe, SocRecipe
        from matte.training.soc import adapt_modnet

    def adapt(
        settings: SocRecipe, data: Path, out: Path, *, init: Path | None, **rest: Any
    ) -> Path:
        if init is None:
            raise SettingError("--soc adapts a network", "name it with --init")
        return adapt_modnet(settings, init, data, out, validation=validation, **rest)

    if soc:
        _train(SocRecipe, adapt, **arguments)
    elif validation:
        raise SettingError("--validation is for --soc", "use the recipe's held_back")
    else:
        _train(ModnetRecipe, train_modnet, **arguments)


@train.command()
@click.argument("tuned", metavar="TUNED")
@click.argument("start", metavar="START")
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="How much of TUNED; the rest is START.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="The network, .safetensors."
)
@click.option("--overwrite", is_flag=True, help="Replace it.")
def blend(tuned: str, start: str, share: float, out: Path, overwrite: bool) -> None:
    """Average a fine-tuned segmenter's or refiner's weights with those that it started from.

    A network that is trained on few pictures gets worse on others. The average often is better on
    both: try some shares with 'matte eval'. TUNED is a network's name or file, START is
    what --init accepts. Writes the checkpoint and, beside it, the ONNX file.

    Example: matte train blend tuned.safetensors person --share 0.45 -o mixed.safetensors
    """
    with torch_required("blending"):
        from matte.training.blend import blend_networks
        from matte.training.start import find_start_file

    sources = find_start_file(tuned), find_start_file(start)
    _write_network(out, sources, overwrite, lambda: blend_networks(*sources, share, out))


@train.command()
@click.argument("members", nargs=-1, required=True, metavar="NETWORK NETWORK...")
@click.option(
    "--share",
    "shares",
    type=click.FloatRange(0, 1),
    multiple=True,
    help="How much of a network, given once for each in their order; equal ones by default.",
)
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="The network, .safetensors."
)
@click.option("--overwrite", is_flag=True, help="Replace it.")
def join(members: tuple[str, ...], shares: tuple[float, ...], out: Path, overwrite: bool) -> None:
    """Join segmenters into one, whose logits are the mean of theirs.

    Networks that learnt from different pictures err in different places: together they often see
    more than each alone, in the time of both. NETWORK is a network's name or file. Writes
    the checkpoint and, beside it, the ONNX file.

    Example: matte train join person mine.safetensors -o both.safetensors
    """
    with torch_required("joining"):
        from matte.training.join import join_segmenters
        from matte.training.start import find_start_file

    sources = [find_start_file(name) for name in members]
    _write_network(out, sources, overwrite, lambda: join_segmenters(sources, out, shares))


def _write_network(
    out: Path, sources: Sequence[Path], overwrite: bool, write: Callable[[], object]
) -> None:
    """Have a network and its ONNX file written, and print how these agree, and its path."""
    outputs = [(out, {".safetensors"}), (out.with_suffix(".onnx"), {".onnx"})]
    check_outputs(outputs, sources, overwrite)
    print_line(write(), err=True)
    print_path(out)


def _next_command(remedy: str) -> str:
    """Return the command line that goes on with an interrupted run; else the remedy as it is."""
    words = sys.argv[1:]
    if "--resume" not in remedy:
        return remedy
    more = [] if "--resume" in words else ["--resume"]
    return f"go on with: {shlex.join(['matte', *words, *more])}"


def _train(
    settings: type[Any],
    run: Callable[..., Path],
    *,
    config: str,
    changes: tuple[str, ...] = (),
    init: str | None,
    **arguments: Any,
) -> None:
    """Read the recipe, run the training, and print the path of its best checkpoint."""
    from lightning_fabric.utilities import rank_zero_only

    from matte.training.recipes import read_recipe
    from matte.training.start import find_start_file

    say = rank_zero_only(click.echo)  # on several devices, each is a process of its own
    try:
        best = run(
            read_recipe(settings, config, changes),
            init=find_start_file(init) if init else None,
            progress=lambda line: say(printable(line), err=True),
            **arguments,
        )
    except InterruptedRunError as error:
        raise InterruptedRunError(error.cause, _next_command(error.remedy)) from None
    say(best)
