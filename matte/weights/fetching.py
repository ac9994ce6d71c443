"""Fetch networks of the catalogue into the user's store, by their names."""

import os
from dataclasses import replace

from matte.errors import SettingError, WeightsError
from matte.stages import Progress
from matte.weights.download import download
from matte.weights.hashes import file_hash, parse_hash
from matte.weights.registering import is_registered, register_weights
from matte.weights.store import Weights, all_weights, weights_named


def fetch_weights(
    name: str, url: str = "", progress: Progress = lambda _done, _all: None, accept: bool = False
) -> Weights:
    """Download a network that matte knows an address of, list it in the store, and return it.

    Its row of the store's manifest has its rule, and the SHA-256 of what came, by which it is
    checked from then on. `url` is another address of the same file. Networks for non-commercial use
    only are refused unless `accept` says that their licence is accepted.
    """
    weights = weights_named(name)
    address = url or weights.url
    if not address:
        raise WeightsError(f"{name!r} has no address", _remedy(name))
    check_licence(name, weights, accept)
    if os.path.isfile(weights.path):
        digest = _checked_digest(weights)
    else:
        digest = download(address, weights.path, weights.expected_hash, progress, weights.bytes)
    fetched = weights if weights.sha256 else replace(weights, sha256=digest)
    if fetched != weights or not is_registered(name):
        register_weights(name, fetched)
    return fetched


def check_licence(name: str, weights: Weights, accept: bool) -> None:
    """Raise SettingError if a network permits non-commercial use only, and nobody accepts that."""
    if weights.non_commercial and not accept:
        raise SettingError(
            f"{name!r} is for non-commercial use only (licence: {weights.licence})",
            "if that is your use, add --accept-licence",
        )


def download_notice(weights: Weights) -> str:
    """Return what to know before a network is fetched: its size, its licence, and its check."""
    size = f"{weights.bytes / 1e6:.0f} MB" if weights.bytes else "size not known"
    expected = weights.expected_hash
    whose = "its publisher's" if weights.published_hash else "the known"
    check = (
        f"checked by {whose} {parse_hash(expected).algorithm}"
        if expected
        else "its publisher's hash is not known, so that it can't be checked; that of this download"
        " is kept"
    )
    return f"{size}; licence: {weights.licence or 'not known'}; {check}"


def _checked_digest(weights: Weights) -> str:
    """Return the SHA-256 of a file that is here already; raises WeightsError for another file."""
    try:
        expected = weights.expected_hash
        if expected and not parse_hash(expected).matches(weights.path):
            raise WeightsError(f"{weights.path} is another file", "remove it, and fetch it again")
        return file_hash(weights.path)
    except OSError as error:
        cause = f"can't read {weights.path} ({error.strerror})"
        raise WeightsError(cause, "remove it, and fetch it again") from error


def _remedy(name: str) -> str:
    """Return what to do for a network without an address; others may have a name like its."""
    others = [n for n, w in all_weights().items() if w.url and n.startswith(name)]
    hint = f"; to be fetched: {', '.join(sorted(others))}" if others else ""
    return f"it is here already, or name one with --url{hint}"
