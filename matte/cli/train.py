"""`matte train`: the networks that matte ships, trained on your pictures."""

from pathlib import Path

import click

from matte.cli.options import needs_torch

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def train() -> None:
    """Train a network on your own pictures."""


@train.command()
@click.option("--config", required=True, type=FILE, help="Recipe, such as unet.toml.")
@click.option("--data", required=True, type=FOLDER, help="Folder that holds the recipe's folders.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for checkpoints, metrics.jsonl and the ONNX file.",
)
@click.option(
    "--init",
    type=FILE,
    help="Weights to start from: a .safetensors checkpoint, or torchvision's mobilenet_v2 .pth.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, or auto.")
def segmenter(config: Path, data: Path, out: Path, init: Path | None, device: str) -> None:
    """Train a segmenter: pictures and masks in, an ONNX file out.

    The last line is the path of the best checkpoint; best.onnx lies beside it.
    """
    with needs_torch("training"):
        from matte.training.segmenter import train_segmenter
        from matte.training.settings import read_segmenter_settings

    best = train_segmenter(
        read_segmenter_settings(config),
        data,
        out,
        device=device,
        init=init,
        progress=lambda line: click.echo(line, err=True),
    )
    click.echo(best)
