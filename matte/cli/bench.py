"""`matte bench`: how fast matte is on this machine, and compared with other programs."""

from pathlib import Path

import click

from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import FILE, print_line, print_path
from matte.cli.progress import progress_bar
from matte.cli.settings import setting_options
from matte.configs.loader import MergedSettings
from matte.errors import SettingError
from matte.text_tables import terminal_columns


@click.command(cls=GroupedCommand)
@click.argument("picture", required=False, type=FILE, metavar="[PICTURE]")
@option(
    "--sizes",
    default="1080p",
    show_default=True,
    metavar="SIZE,…",
    group="Running",
    common=True,
    help="Sizes that the picture is tried in: 512 (a square), 720p, 1080p, 4k, 640x480.",
)
@option(
    "--runtimes",
    metavar="NAME,…",
    group="Running",
    common=True,
    help="What is timed: auto, openvino, onnx, torch …  [default: all that are installed]",
)
@option(
    "--runs",
    type=click.IntRange(1, 1000),
    default=7,
    show_default=True,
    group="Running",
    common=True,
    help="How often everything runs, after a first time that doesn't count.",
)
@option(
    "--cold/--no-cold",
    default=True,
    show_default=True,
    group="Running",
    common=True,
    help="Time whole processes, too.",
)
@option(
    "--against",
    metavar="NAME,…",
    group="Running",
    common=True,
    help="Other programs to time: rembg, rembg-a, backgroundremover, or a TOML with your own.",
)
@option(
    "--install-peers",
    is_flag=True,
    group="Running",
    common=True,
    help="Install those of --against that are missing, each into an environment of its own.",
)
@option(
    "--json", "json_file", type=FILE, group="Result", common=True, help="Save all numbers as JSON."
)
@option("--plot", type=FILE, group="Result", common=True, help="Save a bar chart as a picture.")
@option("--overwrite", is_flag=True, group="Result", common=True, help="Replace files that exist.")
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
    settings: MergedSettings,
) -> None:
    """Measure how fast matte is on this machine.

    For every runtime that is installed: milliseconds of each stage, pictures per second, time and
    memory of a whole process, and the difference of alpha to the first fp32 runtime's. Without
    PICTURE the shipped portrait is used. Finds anew which runtime --backend auto is to use here.
    docs/benchmarks.md explains the numbers.

    Example: matte bench --sizes 720p,1080p --json bench.json --plot bench.png
    """
    from matte.bench.frame_sizes import parse_frame_size
    from matte.bench.peers import announcement, find_peers, install_peer
    from matte.bench.plot import draw_plot
    from matte.bench.run import SAMPLE_PICTURE, BenchPlan, run_bench
    from matte.bench.tables import draw_tables
    from matte.files import check_outputs, report_bytes, write_files
    from matte.media.encoding import WRITABLE, encode

    named = [parse_frame_size(word) for word in _parse_words(sizes)]
    frames = list({(size.width, size.height): size for size in named}.values())
    if not frames:
        raise SettingError("no sizes", "give one, such as 1080p")
    peers = find_peers(_parse_words(against))
    source = picture or SAMPLE_PICTURE
    outputs = [(json_file, (".json",)), (plot, WRITABLE)]
    written = [(path, endings) for path, endings in outputs if path is not None]
    check_outputs(written, [source], overwrite)
    for text in filter(None, map(announcement, peers)):
        print_line(text, err=True)
    if install_peers:
        for peer in peers:
            install_peer(peer, lambda text: print_line(text, err=True))
    plan = BenchPlan(settings, frames, _parse_words(runtimes), runs, cold, peers, source)
    with progress_bar("bench") as watch:
        report = run_bench(plan, watch)
    files = []
    if json_file is not None:
        data = report_bytes(report.as_json(), indent=1, allow_nan=False)
        files.append((json_file, data))
    if plot is not None:
        files.append((plot, encode(draw_plot(report), plot.suffix)))
    write_files(files, overwrite)
    click.echo(draw_tables(report, terminal_columns()))
    for path, _ in files:
        print_path(path)


def _parse_words(text: str | None) -> list[str]:
    """Return the words of a list with commas, each once."""
    words = [word.strip() for word in (text or "").split(",")]
    return list(dict.fromkeys(word for word in words if word))
