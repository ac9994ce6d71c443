"""`matte weights`: the networks that are there, and those that could be."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from matte.cli.options import FILE, needs_torch

if TYPE_CHECKING:
    from matte.weights.store import Weights


@click.group()
def weights() -> None:
    """List, describe, check, fetch and import networks."""


@weights.command("list")
@click.option("-v", "--verbose", is_flag=True, help="Parameters, origin and licence too.")
def list_command(verbose: bool) -> None:
    """Print every network that has a name.

    Example: matte weights list --verbose
    """
    from matte.weights.store import all_weights, place

    for name, w in sorted(all_weights().items()):
        click.echo(f"{name:<24}{w.kind:<11}{place(w):<15}{w.architecture}")
        if verbose:
            for told in (_counts(w), w.origin or w.command or w.url, w.licence):
                for line in told.splitlines():
                    click.echo(f"    {line}")


def _counts(w: "Weights") -> str:
    told = f"{w.parameters / 1e6:.2f} M parameters" if w.parameters else ""
    return told + (f", {w.values / 1e6:.2f} M values with the norms' own" if w.values else "")


@weights.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
def verify(names: tuple[str, ...]) -> None:
    """Compare stored files with their sha256; all of them without NAME.

    Example: matte weights verify person
    """
    from matte.weights.store import all_weights, place, stored

    chosen = [stored(name) for name in names] or [
        w for w in all_weights().values() if place(w) != "not fetched"
    ]
    for w in chosen:
        w.check()
        click.echo(f"ok  {w.path}")


@weights.command()
@click.argument("name")
def card(name: str) -> None:
    """Print a network's model card: data, recipe, scores, weaknesses, licences (Markdown).

    Example: matte weights card gca-slim
    """
    from matte.weights.cards import card

    click.echo(card(name), nl=False)


@weights.command()
@click.argument("name")
def path(name: str) -> None:
    """Print where a network's file lies.

    Example: matte weights path person
    """
    from matte.weights.store import stored

    click.echo(stored(name).path)


@weights.command()
@click.argument("name")
@click.option("--url", help="Fetch it from here instead; its sha256 must be the known one.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def download(name: str, url: str | None, quiet: bool) -> None:
    """Fetch a network that matte knows the address of.

    A download that broke off goes on where it stopped. MATTE_OFFLINE=1 forbids all of them.

    Example: matte weights download modnet-photographic
    """
    from matte.weights.store import fetch

    def progress(done: int, of: int) -> None:
        if not quiet:
            share = f"{done / of:4.0%}" if of else f"{done / 1e6:.1f} MB"
            click.echo(f"\r{name} {share}", err=True, nl=done == of)

    fetched = fetch(name, url or "", progress)
    if fetched.suffix == ".onnx":
        click.echo(fetched)
    else:
        click.echo(f"{fetched}: now run 'matte weights import {fetched} --as {name}'")


@weights.command("import")
@click.argument("file", type=FILE)
@click.option("--as", "name", default="", metavar="NAME", help="Name to store it under.")
@click.option("--overwrite", is_flag=True, help="Replace what has that name.")
def import_command(file: Path, name: str, overwrite: bool) -> None:
    """Store a network from a file.

    Checkpoints of GCA-Matting and MODNet as their authors publish them, ONNX files of MODNet, and
    matte's own. Checkpoints are converted to ONNX and compared; pickles are never run.

    Example: matte weights import gca-dist-all-data.pth --as my-gca
    """
    with needs_torch("importing"):
        from matte.conversion.importing import import_weights

    done = import_weights(file, name, overwrite)
    w = done.weights
    click.echo(f"{done.name}: {w.kind}, {w.architecture or 'an ONNX file'}; {done.parity}")
    if w.licence:
        click.echo(f"licence {w.licence}")
