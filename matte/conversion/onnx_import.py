"""Import ONNX files into the store, with the rule of what they take and give; without torch."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from matte.arrays import Image, as_trimap
from matte.configs.settings import RuntimeSettings
from matte.conversion.rule_proposal import propose_rule, run_example
from matte.conversion.storing import (
    MODNET_LICENCE,
    ImportedNetwork,
    check_new_name,
    store_network,
    working_folder,
)
from matte.errors import BackendError, OutputError, WeightsError, is_memory_error
from matte.modnet.adapter import Modnet
from matte.onnx_files import ONNX_SUFFIX, count_outputs, count_parameters, read_onnx_file
from matte.pipeline.networks import OpenNetwork
from matte.pipeline.peer import PeerNetwork
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.execution import NetworkSource
from matte.runtime.opener import open_session
from matte.runtime.session import Session, parse_trained_size
from matte.weights.hashes import parse_hash
from matte.weights.peer_settings import PEER_SUFFIX, read_peer_settings, rule_named
from matte.weights.store import Weights, all_weights

OWN_KINDS = ("modnet", "refiner", "segmenter")  # that matte writes into the files it exports
# The inputs and outputs of a MODNet as its authors export it, of free size.
MODNET_INPUTS, MODNET_OUTPUTS = ["input"], ["output"]
U2NET_MAPS = 7  # six of its sides, and the fused one
EXAMPLE_PIXELS = 256  # a side of the picture that a rule is tried on


def is_plain_import(file: Path, rule: str = "") -> bool:
    """Return whether a file is imported as the ONNX file that it is, which needs no torch.

    That is so for every file with a rule. Without one, U²-Net's becomes matte's own network, and
    what has as many maps has to be looked at by whoever knows its layers.
    """
    if rule:
        return True
    if file.suffix.lower() != ONNX_SUFFIX:
        return False
    read_onnx_file(file)
    return count_outputs(file) != U2NET_MAPS


def import_onnx(
    file: Path, name: str = "", overwrite: bool = False, rule: str = ""
) -> ImportedNetwork:
    """Store an ONNX file under `name` ("": the file's own), with the rule of its input and output.

    `rule` is a name of rules.toml or a TOML file. Without one, matte's own files, MODNets and files
    of the catalogue are known; for others the error proposes one. What nobody has published is
    tried in a process of its own, and must give a map of 0 … 1 for a picture by its rule.
    """
    name = name or file.stem
    check_new_name(name, overwrite)
    given = _row_by_rule(f"{name}.onnx", rule) if rule else None
    with working_folder() as made:
        target = made / f"{name}.onnx"
        digest = _copy_whole(file, target)
        weights = _published_row(target, given) or _tried_row(file, target, digest, given)
        weights = replace(weights, parameters=count_parameters(target))
        stored = store_network(name, weights, made, file, overwrite)
    return ImportedNetwork(name, stored, "stored as it is")


def _row_by_rule(file: str, rule: str) -> Weights:
    """Return the row of a network that goes by a rule: one that has a name, or a TOML file's."""
    if Path(rule).suffix.lower() == PEER_SUFFIX:
        peer = replace(read_peer_settings(Path(rule), needs_file=False), file="", name="")
        kind = "segmenter" if peer.trimap == "none" else "refiner"
        return Weights(file, kind, peer=peer)
    named = rule_named(rule)
    return Weights(file, named.kind, rule=rule, peer=named.peer)


def _copy_whole(file: Path, target: Path) -> str:
    """Copy a whole ONNX file to `target`, and return its SHA-256; its weights must be in it."""
    if others := read_onnx_file(file).external:
        names = ", ".join(sorted(other.name for other in others))
        cause = f"{file} keeps weights in other files ({names})"
        raise WeightsError(cause, "save it as one: onnx.save(onnx.load(FILE), NEW_FILE)")
    try:
        shutil.copyfile(file, target)
    except OSError as error:
        raise OutputError(f"can't copy {file} ({error.strerror})", "set MATTE_HOME") from error
    return read_onnx_file(target).digest


def _published_row(file: Path, given: Weights | None) -> Weights | None:
    """Return the row of the catalogue for a file, by its published hash; None if there is none.

    `given` is a row with another rule.
    """
    for weights in all_weights().values():
        if weights.published_hash and parse_hash(weights.published_hash).matches(file):
            row = replace(weights, file=file.name)
            return replace(row, kind=given.kind, rule=given.rule, peer=given.peer) if given else row
    return None


def _tried_row(file: Path, target: Path, digest: str, given: Weights | None) -> Weights:
    """Return the row of a file that nobody has published: `given`, or by what its file says.

    It is tried in a process of its own first: once stored, it is no stranger. Raises WeightsError
    if it is of no known form, or does not go by the given rule.
    """
    source = NetworkSource(target, digest, is_stranger=True)
    session = open_session(source, RuntimeSettings(backend="onnx"))
    if given is not None:
        _run_by_rule(OpenNetwork(target.name, given, session), file)
        return given
    row = _own_row(target, session)
    if row is None:
        raise propose_rule(file, target.stem, session)
    return row


def _own_row(file: Path, session: Session) -> Weights | None:
    """Return the row of a network that matte exported, or of an official MODNet; None of others."""
    notes = session.metadata()
    kind = notes.get("matte.kind", "modnet" if _is_official_modnet(session) else "")
    if kind not in OWN_KINDS:
        return None
    licence = MODNET_LICENCE if kind == "modnet" and not notes else ""
    return Weights(file.name, kind, size=parse_trained_size(notes), licence=licence)


def _is_official_modnet(session: Session) -> bool:
    """Return whether a network takes and gives what a MODNet does, by the names of its authors."""
    shapes = session.inputs.values()
    is_free = all(len(shape) == 4 and shape[2:] == (None, None) for shape in shapes)
    return (
        is_free
        and list(session.inputs) == MODNET_INPUTS
        and list(run_example(session).outputs) == MODNET_OUTPUTS
    )


def _run_by_rule(found: OpenNetwork, file: Path) -> None:
    """Run a network on a picture by its rule; raises MatteError if it gives no map of 0 … 1."""
    shapes = {"picture": (1, 3, None, None), "trimap": (1, 1, None, None)}
    example = portrait_inputs(shapes, 1, EXAMPLE_PIXELS, EXAMPLE_PIXELS)
    image = Image(np.rint(255 * example["picture"][0].transpose(1, 2, 0)).astype(np.uint8))
    try:
        if found.weights.peer is None:
            Modnet(found.session).matte(image)
            return
        peer = PeerNetwork(found)
        if peer.needs_trimap:
            peer.refine(image, as_trimap((255 * example["trimap"][0, 0]).astype(np.uint8)))
        else:
            peer.matte(image)
    except (BackendError, WeightsError) as error:
        if is_memory_error(error) or is_memory_error(error.__cause__ or error):
            raise
        own = isinstance(error, WeightsError) and not found.weights.rule
        remedy = error.remedy if own else "give another --rule, or a TOML (docs/weights.md)"
        raise WeightsError(f"{file} does not go by this rule ({error.cause})", remedy) from error
