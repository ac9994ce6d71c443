"""Networks put into the user's store: made in a folder of their own, and listed in the end."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from matte.configs.places import weights_folder
from matte.errors import OutputError, SettingError, printable
from matte.files import file_facts, make_folder
from matte.weights.hashes import file_hash
from matte.weights.registering import register_weights
from matte.weights.store import Weights, all_weights, storage_status

VALID_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MODNET_LICENCE = "as its authors say: Apache-2.0"


@dataclass(frozen=True, slots=True)
class ImportedNetwork:
    """An imported network: its name, its manifest row, and how it was compared."""

    name: str
    weights: Weights
    parity: str


def check_new_name(name: str, overwrite: bool) -> None:
    """Raise SettingError unless a network can be stored under a name.

    The name of a network that could be fetched, and was not, is free.
    """
    if not VALID_NAME.fullmatch(name):
        raise SettingError(f"{name!r} can't be a name", "use letters, digits, '.', '_' and '-'")
    known = all_weights().get(name)
    if known is None or storage_status(known) == "not fetched":
        return
    if not overwrite:
        raise SettingError(f"{name!r} is stored already", "choose another --as, or --overwrite")
    if known.folder != weights_folder():
        raise SettingError(f"{name!r} is one of matte's own names", "choose another --as")


@contextmanager
def working_folder() -> Iterator[Path]:
    """Make a hidden folder in the store, and remove it in the end."""
    store = weights_folder()
    make_folder(store)
    try:
        made = TemporaryDirectory(prefix=".matte-", dir=store)
    except OSError as error:
        cause = f"can't write into {store} ({error.strerror})"
        raise OutputError(cause, "set MATTE_HOME to a folder of yours") from error
    with made as name:
        yield Path(name)


def store_network(
    name: str, weights: Weights, made: Path, file: Path, overwrite: bool = False
) -> Weights:
    """Move the files of the folder `made` into the store, list them as `name`; return the row.

    They were made of `file`, and of what `weights` says besides.
    """
    origin = f"imported from {printable(file.name)}, sha256 {file_facts(file)['sha256']}"
    row = replace(
        weights,
        sha256=file_hash(made / weights.file),
        origin=f"{weights.origin}; {origin}" if weights.origin else origin,
        folder=weights_folder(),
    )
    register_weights(name, row, sorted(made.iterdir()), overwrite)
    return row
