"""`matte bench`: how fast it is here, and beside others."""

import json
import shutil
import sys
from pathlib import Path

import click

from matte.cli.options import FILE, setting_options, told
from matte.cli.progress import progress_bar
from matte.configs.loader import Settled
from matte.errors import SettingError


@click.command()
@click.argument("picture", required=False, type=FILE, metavar="[PICTURE]")
@click.option(
    "--sizes",
    default="1080p",
    show_default=True,
    metavar="SIZE,…",
    help="Frames that the picture is put on: 512 (a square), 720p, 1080p, 4k, 640x480.",
)
@click.option(
    "--runtimes",
    metavar="NAME,…",
    help="Which are timed: auto, openvino, onnx, torch …  [default: all that are here]",
)
@click.option(
    "--runs",
    type=click.IntRange(1, 1000),
    default=7,
    show_default=True,
    help="How often everything runs, after a first time that doesn't count.",
)
@click.option("--cold/--no-cold", default=True, show_default=True, help="Time whole processes too.")
@click.option(
    "--against",
    metavar="NAME,…",
    help="Other programs to time: rembg, rembg-a, backgroundremover, or a TOML with your own.",
)
@click.option(
    "--install-peers",
    is_flag=True,
    help="Install those that are missing, each into an environment of its own, by pip.",
)
@click.option("--json", "json_file", type=FILE, help="Save all numbers.")
@click.option("--plot", type=FILE, help="Save bars, as a picture.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@setting_options("segmenter", "refiner", "modnet", "device", "precision", "threads")
def bench(
    picture: Path | None,
    sizes: str,
    runtimes: str | None,
    runs: int,
    cold: bool,
    against: str | None,
    install_peers: bool,
    json_file: Path | None,
    plot: Path | None,
    overwrite: bool,
    settled: Settled,
) -> None:
    """Time the line of a preset on this machine.

    On every runtime that is here: milliseconds of each stage, pictures in a second, how long a
    whole process takes, its peak of memory, and how far alpha is from the first fp32 runtime's.
    Without PICTURE the shipped portrait is taken. What `auto` has learnt about this machine is
    learnt anew. docs/benchmarks.md tells what the numbers mean.

    Example: matte bench --sizes 720p,1080p --json bench.json --plot bench.png
    """
    from matte.bench.peers import find_peers, install
    from matte.bench.plot import draw_plot
    from matte.bench.run import SAMPLE, Plan, run_bench
    from matte.bench.sizes import parse_size
    from matte.bench.table import draw_tables
    from matte.files import check_outputs, write_files
    from matte.media.encoding import WRITABLE, encode

    asked = [parse_size(word) for word in _words(sizes)]
    frames = list({(size.width, size.height): size for size in asked}.values())
    if not frames:
        raise SettingError("no sizes", "give one, such as 1080p")
    peers = find_peers(_words(against))
    source = picture or SAMPLE
    outputs = [(json_file, (".json",)), (plot, WRITABLE)]
    wanted = [(path, endings) for path, endings in outputs if path is not None]
    check_outputs(wanted, [source], overwrite)
    if install_peers:
        for peer in peers:
            install(peer, lambda text: click.echo(text, err=True))
    plan = Plan(settled, frames, _words(runtimes), runs, cold, peers, source)
    with progress_bar("bench") as watch:
        report = run_bench(plan, watch)
    files = []
    if json_file is not None:
        text = json.dumps(report.as_json(), indent=1, allow_nan=False, ensure_ascii=False)
        files.append((json_file, f"{text}\n".encode(errors="backslashreplace")))
    if plot is not None:
        files.append((plot, encode(draw_plot(report), plot.suffix)))
    write_files(files, overwrite)
    terminal = sys.stdout.isatty()
    click.echo(draw_tables(report, shutil.get_terminal_size().columns if terminal else None))
    for path, _ in files:
        told(path)


def _words(text: str | None) -> list[str]:
    """The words of a list with commas, each once."""
    words = [word.strip() for word in (text or "").split(",")]
    return list(dict.fromkeys(word for word in words if word))
