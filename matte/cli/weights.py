"""`matte weights`: the networks that are stored, and those that can be fetched."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from matte.cli.options import FILE, echo_path, print_line, torch_required
from matte.cli.progress import progress_bar
from matte.errors import printable

if TYPE_CHECKING:
    from matte.weights.store import Weights


@click.group()
def weights() -> None:
    """List, describe, check, fetch and import networks."""


@weights.command("list")
@click.option("-v", "--verbose", is_flag=True, help="Print parameters, origin and licence, too.")
def list_command(verbose: bool) -> None:
    """List the networks that have a name: shipped, stored, and known by their address.

    Example: matte weights list --verbose
    """
    from matte.weights.store import all_weights, storage_status

    for name, w in sorted(all_weights().items()):
        status = storage_status(w)
        size = f", {w.bytes / 1e6:.0f} MB" if status == "not fetched" and w.bytes else ""
        use = ", non-commercial use only" if w.non_commercial else ""
        print_line(f"{name:<24}{w.kind:<11}{status:<15}{w.architecture}{size}{use}")
        if verbose:
            rule = f"rule {w.rule}" if w.rule else ""
            for text in (_counts(w), w.origin or w.command or w.url, rule, w.licence):
                for line in text.splitlines():
                    click.echo(f"    {printable(line)}")


def _counts(w: "Weights") -> str:
    """Return a network's numbers of parameters and values, in words."""
    parameters = f"{w.parameters / 1e6:.2f} M parameters" if w.parameters else ""
    return parameters + (f", {w.values / 1e6:.2f} M values with the norms' own" if w.values else "")


@weights.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
def verify(names: tuple[str, ...]) -> None:
    """Check stored files against their sha256; without NAME, all of them.

    Example: matte weights verify person
    """
    from matte.weights.store import all_weights, storage_status, weights_named

    chosen = [weights_named(name) for name in names] or [
        w for w in all_weights().values() if storage_status(w) != "not fetched"
    ]
    for w in chosen:
        w.check()
        print_line(f"ok  {w.path}")


@weights.command()
@click.argument("name")
def card(name: str) -> None:
    """Print a network's model card: data, recipe, scores, weaknesses, licences (Markdown).

    Example: matte weights card gca-slim
    """
    from matte.weights.cards import model_card

    click.echo(model_card(name), nl=False)


@weights.command()
@click.argument("name")
def path(name: str) -> None:
    """Print the path of a network's file, fetched or not.

    Example: matte weights path person
    """
    from matte.weights.store import weights_named

    echo_path(weights_named(name).path)


@weights.command()
@click.argument("name")
@click.option("--url", help="Download it from this address; its hash must be the known one.")
@click.option(
    "--accept-licence",
    is_flag=True,
    help="Accept a licence that permits non-commercial use only.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print no progress, size and licence.")
def download(name: str, url: str | None, accept_licence: bool, quiet: bool) -> None:
    """Download a network whose address matte knows.

    A download that was interrupted continues where it stopped, and is stored only if it has the
    hash that its publisher names. MATTE_OFFLINE=1 forbids downloads.

    Example: matte weights download u2netp
    """
    from matte.weights.fetching import check_licence, download_notice, fetch_weights
    from matte.weights.store import weights_named

    wanted = weights_named(name)
    check_licence(name, wanted, accept_licence)
    if wanted.url and not quiet:
        print_line(f"{name}: {download_notice(wanted)}", err=True)
    with progress_bar(name, quiet) as watch:
        fetched = fetch_weights(name, url or "", watch, accept_licence).path
    if fetched.suffix == ".onnx":
        echo_path(fetched)
    else:
        text = f"{fetched}: now run 'matte weights import {fetched} --as {name}'"
        print_line(text)


@weights.command("import")
@click.argument("file", type=FILE)
@click.option("--as", "name", default="", metavar="NAME", help="Name to store it under.")
@click.option(
    "--rule",
    default="",
    metavar="NAME|FILE.toml",
    help="What an ONNX file takes and gives: u2net, isnet, birefnet, vitmatte, modnet, or a TOML.",
)
@click.option("--overwrite", is_flag=True, help="Replace the network that has that name.")
def import_command(file: Path, name: str, rule: str, overwrite: bool) -> None:
    """Store a network from a file.

    The file is a checkpoint of GCA-Matting, MODNet, U²-Net or LikeUnet as its authors publish it,
    an ONNX file of MODNet or U²-Net, matte's own, or any ONNX file with a --rule. Checkpoints are
    converted to ONNX and compared; code in pickles is never run.

    Example: matte weights import portrait.onnx --rule u2net --as portrait
    """
    from matte.conversion.onnx_import import import_onnx, is_plain_import

    if is_plain_import(file, rule):
        done = import_onnx(file, name, overwrite, rule)
    else:
        with torch_required("importing without --rule"):
            from matte.conversion.network_import import import_weights
        done = import_weights(file, name, overwrite)
    w = done.weights
    by_rule = f"rule {w.rule}; " if w.rule else "the rule of its TOML; " if w.peer else ""
    text = f"{done.name}: {w.kind}, {w.architecture or 'an ONNX file'}; {by_rule}{done.parity}"
    print_line(text)
    if w.licence:
        print_line(f"licence {w.licence}")
