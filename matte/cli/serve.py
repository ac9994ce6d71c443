"""`matte serve`: the page and the API."""

import os
from pathlib import Path
from typing import Any

import click

from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import FILE, pack_options
from matte.cli.settings import BAND, COMPOSITING, RUNNING, SEGMENTING, setting_options
from matte.configs.amounts import parse_bytes
from matte.configs.loader import MergedSettings
from matte.errors import BackendError, SettingError, install_command
from matte.interrupts import end_process, is_program

TOKEN_VARIABLE = "MATTE_TOKEN"  # the name of an environment variable
MIN_TOKEN_CHARACTERS = 8
MAX_TOKEN_BYTES = 4096
UNITS = {"s": 1, "m": 60, "h": 3600}


@click.command(cls=GroupedCommand)
@option(
    "--host",
    default="127.0.0.1",
    group="Running",
    common=True,
    help="Address to listen at; another than this machine's own needs a token."
    "  [default: 127.0.0.1]",
)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    group="Running",
    common=True,
    help="Port to listen at; 0: any that is free.  [default: 8000]",
)
@option("--open", "opens", is_flag=True, group="Running", common=True, help="Open the browser.")
@option(
    "--token-file",
    type=FILE,
    group="Running",
    common=True,
    help="File with the secret word that clients have to show; or set MATTE_TOKEN.",
)
@option(
    "--new-token",
    is_flag=True,
    group="Running",
    common=True,
    help="Make such a word, unless there is one, and print it.",
)
@option(
    "--no-token",
    is_flag=True,
    group="Running",
    help="Let everybody in who reaches the address.",
)
@option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    group="Running",
    help="Another name that the server is reached by, such as a proxy's. May be repeated.",
)
@option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=None,
    group="Running",
    help="Pictures to work on at once.  [default: 1, or 2 from four processors on]",
)
@option(
    "--max-upload",
    default="100MiB",
    metavar="MEMORY",
    group="Running",
    help="Largest file that is taken.  [default: 100MiB]",
)
@option(
    "--max-stored",
    default="2GiB",
    metavar="MEMORY",
    group="Running",
    help="Room for all pictures that were sent.  [default: 2GiB]",
)
@option(
    "--forget-after",
    default="30m",
    metavar="TIME",
    group="Running",
    help="Forget a picture that nobody asks for so long: 90s, 30m, 8h.  [default: 30m]",
)
@setting_options(
    *SEGMENTING,
    *BAND,
    "refiner",
    "tile",
    "mirrored",
    "modnet",
    "fallback",
    *COMPOSITING,
    "max_pixels",
    "max_memory",
    *RUNNING,
)
@pack_options("bounds", "max_upload", "max_stored", "forget_after", "jobs")
@pack_options("access", "token_file", "new_token", "no_token", "allowed_hosts")
def serve(
    host: str,
    port: int,
    opens: bool,
    access: dict[str, Any],
    bounds: dict[str, Any],
    settings: MergedSettings,
) -> None:
    """Serve the page and the API, for this machine alone or for those who have the token.

    Prints the page's address. Pictures stay in memory and in a private folder, and are forgotten.
    The settings are those that pages and clients begin with.

    Example: matte serve --open
    """
    try:
        from matte.server.options import ServerOptions
        from matte.server.running import new_token, run_server
    except ModuleNotFoundError as error:
        cause = f"serving needs {error.name}"
        raise BackendError(cause, install_command("serve")) from error

    token = read_token(access["token_file"])
    if access["new_token"] and not token:
        token = new_token()
    options = ServerOptions(
        host,
        port,
        token,
        tuple(access["allowed_hosts"]),
        settings,
        jobs=bounds["jobs"] or default_jobs(),
        max_upload_bytes=parse_bytes(bounds["max_upload"]),
        max_stored_bytes=parse_bytes(bounds["max_stored"]),
        forget_after_seconds=parse_seconds(bounds["forget_after"]),
    )
    options.check_access(open_to_all=access["no_token"])
    run_server(options, click.echo, opens)
    if is_program():
        end_process(0)  # a network that is just being compiled would be waited for


def read_token(file: Path | None) -> str:
    """Return the token of a file or of the environment; "" if there is none."""
    if file is None:
        return _checked_token(os.environ.get(TOKEN_VARIABLE, ""), TOKEN_VARIABLE)
    try:
        with file.open("rb") as opened:  # a device has no end
            text = opened.read(MAX_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, ValueError) as error:
        raise SettingError(f"can't read a token from {file}", "write one line into it") from error
    if not text:
        raise SettingError(f"{file} holds no token", "write one line into it")
    return _checked_token(text, str(file))


def _checked_token(text: str, where: str) -> str:
    """Return a token that is long enough and fits into a header; raise SettingError for others."""
    if text and (len(text) < MIN_TOKEN_CHARACTERS or not text.isascii() or not text.isprintable()):
        raise SettingError(
            f"the token in {where} is too short, or has odd characters",
            f"give {MIN_TOKEN_CHARACTERS} letters and numbers or more, or say --new-token",
        )
    return text


def parse_seconds(text: str) -> float:
    """Return the seconds that a text names: 90s, 30m, 8h."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not (number.isdecimal() and number.isascii() and len(number) <= 6):
        raise SettingError(f"{text!r} is no time", "give one such as 90s, 30m or 8h")
    seconds = int(number) * UNITS[unit]
    if not seconds:
        raise SettingError(f"{text!r} is no time", "give one such as 90s, 30m or 8h")
    return float(seconds)


def default_jobs() -> int:
    """Return how many pictures are worked on at once."""
    from matte.runtime.threads import usable_threads

    return 1 if usable_threads() < 4 else 2
