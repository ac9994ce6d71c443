"""What several tests use."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import Alpha, Image
from matte.files import write_file
from matte.media.encoding import encode
from matte.runtime.gpus import NO_NVIDIA_GPU, nvidia_gpus
from matte.runtime.processor import ProcessorAbilities
from tests.stores.s3_server import KEY, SECRET, S3Server, serving

# A busy machine is no failure.
hypothesis.settings.register_profile("matte", deadline=None)
hypothesis.settings.load_profile("matte")


# Marks of the tests that need more than `make test` has, or minutes: each has a target of its own.
OWN_TARGETS = ("benchmarks", "conversion", "fleet", "notebook", "page", "phone", "wheel")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what has a target of its own, unless `-m` names it."""
    left_out = [mark for mark in OWN_TARGETS if mark not in (config.option.markexpr or "")]
    apart = [item for item in items if any(map(item.get_closest_marker, left_out))]
    if apart:
        config.hook.pytest_deselected(items=apart)
        items[:] = [item for item in items if item not in apart]


def pytest_collection_finish() -> None:
    """The collector of garbage need not look again and again at all tests, which stay."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not nvidia_gpus():
        pytest.skip(NO_NVIDIA_GPU)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server with an empty bucket called "bucket", which the environment names."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    with serving() as server:
        server.buckets["bucket"] = {}
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield server


SAMPLE = Path(__file__).parents[1] / "matte/media/samples/astronaut.jpg"


SharedFolder = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> SharedFolder:
    """Returns the folder of a name, filled by whichever process of the run asks for it first."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shared.mkdir(exist_ok=True)

    def fill_once(name: str, fill: Callable[[Path], None]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # what a failed attempt left
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return fill_once


@pytest.fixture(scope="session")
def home_of_run(tmp_path_factory: pytest.TempPathFactory, shared_folder: SharedFolder) -> Path:
    """A MATTE_HOME for this process; which executions measured as fastest all processes share."""
    home: Path = tmp_path_factory.getbasetemp() / "matte-home"
    (home / "cache").mkdir(parents=True)
    choices = shared_folder("choices", lambda folder: None)
    with suppress(OSError):  # Windows allows links to few: each process then measures
        (home / "cache/choices").symlink_to(choices)
    return home


@pytest.fixture(autouse=True)
def own_home(home_of_run: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the settings, weights and cache of whoever runs it."""
    monkeypatch.setenv("MATTE_HOME", str(home_of_run))
    return home_of_run


@pytest.fixture(autouse=True)
def tests_are_no_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks that tests write are opened untried: a child process takes a second."""
    monkeypatch.setattr("matte.runtime.opener.ensure_tried", lambda _network, _settings: None)


@pytest.fixture(autouse=True)
def measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which execution is the fastest here is no test's question; how that is found, is."""
    monkeypatch.setattr("matte.runtime.fastest.TIMING_ROUNDS", 1)


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for the disk; tests/test_placement.py looks at what would be waited for."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


SetAbilities = Callable[[ProcessorAbilities], None]


def patch_abilities(monkeypatch: pytest.MonkeyPatch, abilities: ProcessorAbilities) -> None:
    """Hands the runtimes a processor with these abilities instead of this machine's."""
    for runtime in ("gpus", "onnx", "openvino"):
        monkeypatch.setattr(f"matte.runtime.{runtime}.processor_abilities", lambda: abilities)
    monkeypatch.setattr("matte.runtime.openvino.has_bf16", lambda: abilities.bf16)


@pytest.fixture
def set_abilities(monkeypatch: pytest.MonkeyPatch) -> SetAbilities:
    """Hands the runtimes a processor with other abilities, until the test ends."""
    return partial(patch_abilities, monkeypatch)


@pytest.fixture
def sample() -> Path:
    """The shipped portrait."""
    return SAMPLE


@pytest.fixture
def soft_disc() -> tuple[Image, Alpha]:
    """A bright disc with a soft edge on a dark ground, and its exact alpha."""
    return disc(96, 128)


def disc(height: int, width: int) -> tuple[Image, Alpha]:
    y, x = np.mgrid[:height, :width]
    radius = min(height, width) / 3
    distance = np.hypot(y - height / 2, x - width / 2)
    alpha = np.clip((radius - distance) / 8 + 0.5, 0, 1).astype(np.float32)
    subject, ground = np.array([230, 180, 60]), np.array([20, 60, 90])
    picture = alpha[:, :, None] * subject + (1 - alpha[:, :, None]) * ground
    return Image(np.rint(picture).astype(np.uint8)), Alpha(alpha)


def small_portrait(number: int) -> NDArray[np.uint8]:
    """The shipped portrait, 96 pixels high, with so many columns less.

    It has somebody in it: where nobody is, a second and larger network is asked.
    """
    with Pillow.open(SAMPLE) as picture:
        small = np.asarray(picture.convert("RGB").resize((96, 96)))
    return np.ascontiguousarray(small[:, number:])


def save(path: Path, array: NDArray[Any]) -> Path:
    """Writes an array as the picture that the name asks for."""
    write_file(path, encode(array, path.suffix))
    return path
