"""What reads a stranger's bytes, to be called thousands of times in one process.

Each target has a function that makes inputs (inputs.py), and one that reads an input in an empty
folder: it may raise a MatteError, and nothing else.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

from tests.attack.filming import KINDS
from tests.attack.inputs import (
    Numbers,
    make_checkpoint,
    make_clip,
    make_heic,
    make_keras,
    make_onnx,
    make_picture,
    make_record,
    make_run,
    make_table,
    make_text,
    make_tflite,
    make_trimap,
)

MAX_PIXELS = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """What makes inputs of a kind, and what reads them."""

    make: Callable[[Numbers], bytes]
    read: Callable[[bytes, Path], object]
    weight: int = 1  # of the time


def read_picture(data: bytes, folder: Path) -> object:
    from matte.media.pictures import decode_photo

    return decode_photo(data, "picture", MAX_PIXELS)


def read_masks(data: bytes, folder: Path) -> object:
    from matte.errors import PictureError
    from matte.media.pictures import read_alpha, read_trimap
    from matte.pipeline.subject_masks import read_subject_mask

    shape: tuple[int, ...] = (30, 40)
    for read in (read_trimap, read_alpha):
        try:
            shape = read(data, MAX_PIXELS).shape
        except PictureError:
            continue
    return read_subject_mask(data, (2 * shape[0], 2 * shape[1]), MAX_PIXELS)


def read_clip(data: bytes, folder: Path) -> object:
    from matte.media.video.clip import open_clip

    path = folder / f"clip{(KINDS[len(data) % len(KINDS)])[0]}"
    path.write_bytes(data)
    return sum(1 for _ in open_clip(path, MAX_PIXELS).frames())


def read_table(data: bytes, folder: Path) -> object:
    """Every TOML file that a user may write."""
    from matte.configs.loader import merge_settings
    from matte.errors import MatteError
    from matte.photos.shops import find_finish
    from matte.training.modnet_settings import ModnetRecipe
    from matte.training.recipes import read_recipe
    from matte.training.settings import RefinerRecipe, SegmenterRecipe
    from matte.weights.peer_settings import read_peer_settings
    from matte.weights.store import listed_weights

    path = folder / "weights" / "manifest.toml"  # of the folder that MATTE_HOME names
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    for read in (
        lambda: merge_settings(None, path),
        listed_weights,
        lambda: read_peer_settings(path, needs_file=False),
        lambda: find_finish(str(path)),
        lambda: read_recipe(SegmenterRecipe, str(path)),
        lambda: read_recipe(RefinerRecipe, str(path)),
    ):
        try:
            read()
        except MatteError:
            continue
    return read_recipe(ModnetRecipe, str(path))


def read_run(data: bytes, folder: Path) -> object:
    from matte.photos.jobs import PhotoJob
    from matte.photos.many import plan_run
    from matte.photos.resuming import ResumeOptions
    from matte.photos.run_file import RUN_FOLDER

    segment = folder / RUN_FOLDER / f"{0:020d}-0.jsonl"
    segment.parent.mkdir(exist_ok=True)
    segment.write_bytes(data)
    (folder / "a.png").write_bytes(b"123456789")
    jobs = [PhotoJob(folder / f"{name}.png", folder / f"{name}-matte.png") for name in "ab"]
    options = ResumeOptions(resume=True, retry_failed=True)
    return plan_run(jobs, options, folder, {"preset": "fast"})


def read_onnx(data: bytes, folder: Path) -> object:
    """What reads an ONNX file in this process, before it is tried in a child."""
    from matte.errors import WeightsError
    from matte.onnx_files import read_onnx_file

    path = folder / "network.onnx"
    path.write_bytes(data)
    file = read_onnx_file(path)
    try:
        onnx.load_model(path, load_external_data=False)
    except Exception as error:
        raise WeightsError(f"{path} is not whole") from error
    return file


def read_checkpoint(data: bytes, folder: Path) -> object:
    from matte.conversion.checkpoints import read_state_dict

    ending = ".safetensors" if data[8:9] == b"{" else ".pth"
    path = folder / f"network{ending}"
    path.write_bytes(data)
    try:
        return read_state_dict(path)
    finally:
        if (Path(os.environ["FUZZ_FOLDER"]) / "payload-ran").exists():
            raise AssertionError("a payload ran")


def read_keras(data: bytes, folder: Path) -> object:
    from matte.conversion.keras_weights import read_keras_weights

    path = folder / "network.h5"
    path.write_bytes(data)
    return read_keras_weights(path)


def read_tflite(data: bytes, folder: Path) -> object:
    from matte.conversion.tflite import read_convolutions

    path = folder / "network.tflite"
    path.write_bytes(data)
    return read_convolutions(path)


def read_text(data: bytes, folder: Path) -> object:
    """Every text that a user types as a value."""
    from matte.compositing.backgrounds import parse_background
    from matte.compositing.canvas import parse_canvas_size, parse_shadow, parse_share
    from matte.configs.amounts import parse_bitrate, parse_bytes
    from matte.configs.lengths import parse_length
    from matte.configs.loader import merge_settings
    from matte.configs.times import parse_time
    from matte.errors import MatteError

    text = data.decode(errors="surrogateescape")
    parsers: tuple[Callable[[str], object], ...] = (
        parse_background,
        parse_canvas_size,
        parse_share,
        parse_shadow,
        parse_bitrate,
        parse_bytes,
        parse_length,
        parse_time,
        lambda word: merge_settings(None, None, {"subject": word}),
    )
    for parse in parsers:
        try:
            parse(text)
        except MatteError:
            continue
    return text


def read_cache_record(data: bytes, folder: Path) -> object:
    from matte.runtime.records import read_record

    path = folder / "record.json"
    path.write_bytes(data)
    return read_record(path)


TARGETS = {
    "picture bytes": Target(make_picture, read_picture, 4),
    "masks and trimaps": Target(make_trimap, read_masks, 3),
    "clip bytes": Target(make_clip, read_clip, 4),
    "TOML bytes": Target(make_table, read_table, 3),
    "run files": Target(make_run, read_run, 2),
    "ONNX": Target(make_onnx, read_onnx, 2),
    "checkpoints": Target(make_checkpoint, read_checkpoint, 2),
    "h5": Target(make_keras, read_keras, 2),
    "tflite": Target(make_tflite, read_tflite),
    "texts": Target(make_text, read_text),
    "records": Target(make_record, read_cache_record),
    "HEIC": Target(make_heic, read_picture, 2),
}
