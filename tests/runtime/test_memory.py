"""How much memory there is, and what it is enough for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matte.arrays import Image
from matte.errors import PictureError, SettingError
from matte.limits import GIB
from matte.runtime.memory import (
    ATTENTION_COST,
    BASE_BYTES,
    MIN_NETWORK_PIXELS,
    PICTURE_BYTES_PER_PIXEL,
    MemoryLimit,
    NetworkMemory,
    available_bytes,
)

MIB = 1 << 20
HUGE = 9223372036854771712  # what version 1 calls no limit


def picture(height: int, width: int, kind: type[Any] = np.uint8) -> Image:
    return Image(np.zeros((height, width, 3), kind))


@pytest.mark.parametrize(
    ("own", "files", "amount"),
    [
        (None, {}, 16 * GIB),
        (None, {"memory.max": "max"}, 16 * GIB),
        (None, {"memory.max": f"{2 * GIB}\n"}, 2 * GIB),
        (None, {"memory.max": f"{99 * GIB}"}, 16 * GIB),
        ("0::/a/b\n", {"a/b/memory.max": f"{GIB}", "memory.max": f"{4 * GIB}"}, GIB),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": f"{3 * GIB}"}, 3 * GIB),
        ("0::/a\n", {"b/memory.max": f"{GIB}"}, 16 * GIB),
        ("9:memory:/a\n", {"memory/a/memory.limit_in_bytes": f"{GIB}\n"}, GIB),
        (
            "1:cpu:/\n9:memory:/a/b\n0::/\n",
            {
                "memory/a/b/memory.limit_in_bytes": f"{HUGE}",
                "memory/a/memory.limit_in_bytes": f"{5 * GIB}",
            },
            5 * GIB,
        ),
        ("9:memory:/of/the/host\n", {"memory/memory.limit_in_bytes": f"{GIB}"}, GIB),
        ("9:cpu:/a\n", {"memory/a/memory.limit_in_bytes": f"{GIB}"}, 16 * GIB),
        ("nonsense\n", {"memory.max": "nonsense"}, 16 * GIB),
    ],
)
def test_there_is_no_more_than_the_least_limit(
    own: str | None,
    files: dict[str, str],
    amount: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * GIB // 4096}.get, raising=False
    )
    monkeypatch.setattr("matte.runtime.threads.CONTROL_GROUPS", tmp_path / "groups")
    monkeypatch.setattr("matte.runtime.threads.OWN_GROUPS_FILE", tmp_path / "own")
    if own is not None:
        (tmp_path / "own").write_text(own)
    for name, told in files.items():
        file = tmp_path / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(told)
    assert available_bytes() == amount
    assert MemoryLimit().max_bytes == amount
    assert MemoryLimit(GIB).max_bytes == GIB, "who names a limit means it"


def test_where_nobody_tells_a_usual_machine_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr("os.sysconf", unknown, raising=False)
    monkeypatch.setattr("matte.runtime.memory.control_groups", lambda kind: [])
    assert available_bytes() == 8 * GIB


def test_a_picture_that_takes_too_much_is_refused() -> None:
    memory = MemoryLimit(400 * MIB)
    pixels = memory.max_pixels
    width = 1000
    memory.check_image(picture(pixels // width, width))
    with pytest.raises(
        PictureError,
        match=r"^\S+ megapixels take 0.39 GiB, and --max-memory is 0.39 GiB: raise",
    ):
        memory.check_image(picture(pixels // width + 1, width))
    with pytest.raises(PictureError):
        memory.check_image(picture(pixels // width, width, np.uint16))
    memory.check_image(
        picture(
            pixels * PICTURE_BYTES_PER_PIXEL[1] // PICTURE_BYTES_PER_PIXEL[2] // width,
            width,
            np.uint16,
        )
    )


def test_a_picture_before_a_screen_takes_more() -> None:
    image = np.broadcast_to(np.uint8(0), (4000, 6000, 3))  # 1.65 GiB were measured
    MemoryLimit(1 * GIB).check_image(Image(image))
    with pytest.raises(PictureError, match=r"^24 megapixels take 1.7 GiB, and --max-memory is"):
        MemoryLimit(1 * GIB).check_image(Image(image), is_keyed=True)
    MemoryLimit(2 * GIB).check_image(Image(image), is_keyed=True)
    MemoryLimit(400 * MIB).check_image(picture(90, 90), is_keyed=True)


def test_a_limit_below_what_python_takes_leaves_room_for_no_picture() -> None:
    assert MemoryLimit(BASE_BYTES).max_pixels == 0
    with pytest.raises(PictureError, match=r"--max-memory is 0.0098 GiB: raise --max-memory, or g"):
        MemoryLimit(10 * MIB).check_image(picture(1, 1))


def test_without_a_limit_the_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matte.runtime.memory.available_bytes", lambda: BASE_BYTES)
    with pytest.raises(PictureError, match=r"there are 0.25 GiB: use a larger machine, or give"):
        MemoryLimit().check_image(picture(9, 9))
    monkeypatch.setattr("matte.runtime.memory.available_bytes", lambda: 128 * GIB)
    assert MemoryLimit().description == "there are 128 GiB"


def test_networks_see_as_many_parts_at_once_as_there_is_room_for() -> None:
    memory = MemoryLimit(GIB)
    assert (
        NetworkMemory(memory, ATTENTION_COST.input_bytes(8 * MIN_NETWORK_PIXELS)).max_batch(
            MIN_NETWORK_PIXELS, 8
        )
        == 8
    )
    assert (
        NetworkMemory(memory, ATTENTION_COST.input_bytes(8 * MIN_NETWORK_PIXELS) - 1).max_batch(
            MIN_NETWORK_PIXELS, 8
        )
        == 7
    )
    assert (
        NetworkMemory(memory, ATTENTION_COST.input_bytes(MIN_NETWORK_PIXELS)).max_batch(
            MIN_NETWORK_PIXELS, 8
        )
        == 1
    )
    assert NetworkMemory(memory, 0).max_batch(MIN_NETWORK_PIXELS, 8) == 1, (
        "the least that makes sense"
    )
    assert NetworkMemory(memory, -1).max_batch(MIN_NETWORK_PIXELS) == 1
    assert (
        memory.network_memory(picture(1000, 1000)).available_bytes
        == GIB - BASE_BYTES - PICTURE_BYTES_PER_PIXEL[1] * 1_000_000
    )


def test_a_part_that_there_is_no_room_for_is_an_error_of_settings() -> None:
    room = MemoryLimit(GIB).network_memory(picture(1000, 1000))
    message = "a network that sees 1 megapixels at once takes 1.3 GiB, and --max-memory is 1 GiB: "
    with pytest.raises(
        SettingError,
        match=message + "raise --max-memory, or leave --tile and --refiner-protocol out",
    ):
        room.max_batch(1_000_000)


@pytest.mark.parametrize(
    "left", [0, 1, ATTENTION_COST.input_bytes(MIN_NETWORK_PIXELS), GIB, 100 * GIB]
)
def test_what_a_room_holds_is_what_it_tells(left: int) -> None:
    room = NetworkMemory(MemoryLimit(GIB), left)
    assert ATTENTION_COST.input_bytes(room.max_pixels) <= max(0, left)
    assert ATTENTION_COST.input_bytes(room.max_pixels + 2) > left
    assert NetworkMemory(MemoryLimit(GIB), -5).max_pixels == 0
