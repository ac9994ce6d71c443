import importlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from matte.arrays import Image
from matte.errors import BackendError
from matte.media.window import PictureWindow

RED = Image(np.full((48, 64, 3), (255, 0, 0), np.uint8))


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureWindow]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    found = PictureWindow("a name")
    yield found
    found.close()


def drawn() -> Any:
    """What the window shows, (H, W, 3)."""
    pygame = importlib.import_module("pygame")
    return pygame.surfarray.array3d(pygame.display.get_surface()).transpose(1, 0, 2)


def test_it_opens_in_the_size_of_the_picture(window: PictureWindow) -> None:
    window.show(RED)
    assert (drawn() == RED).all()
    window.show(Image(np.zeros_like(RED)))
    assert (drawn() == 0).all()


def test_it_shows_other_sizes_whole_and_in_their_shape(window: PictureWindow) -> None:
    window.show(RED)
    window.show(Image(np.full((24, 24, 3), 255, np.uint8)))
    found = drawn()
    assert (found[:, 8:56] == 255).all()
    assert (found[:, :8] == 0).all()
    assert (found[:, 56:] == 0).all()
    window.show(Image(np.full((480, 10, 3), 255, np.uint8)))
    assert 0 < (drawn() == 255).all(axis=2).sum() <= 48 * 2


def test_lines_lie_over_the_picture(window: PictureWindow) -> None:
    large = Image(np.full((480, 640, 3), 100, np.uint8))
    window.show(large, ["q  quit"])
    found = drawn()
    assert (found[:60, :120] > 200).any()
    assert (found[10, 2] < 50).all()
    assert (found[-60:] == 100).all()


def test_keys_are_heard_once(window: PictureWindow) -> None:
    pygame = importlib.import_module("pygame")
    window.show(RED)
    window.pressed_keys()
    for key in (pygame.K_b, pygame.K_ESCAPE):
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))
    pygame.event.post(pygame.event.Event(pygame.MOUSEMOTION, pos=(1, 1), rel=(1, 1), buttons=(0,)))
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert window.pressed_keys() == ["b", "escape", "q"]
    assert window.pressed_keys() == []


def test_clicks_are_places_in_the_picture(window: PictureWindow) -> None:
    pygame = importlib.import_module("pygame")
    window.show(RED)
    left, top, width, height = window._picture_box
    middle = left + width // 2, top + height // 4
    for position, button in ((middle, 1), (middle, 3), ((left - 9, top - 9), 1)):
        event = pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=position, button=button)
        pygame.event.post(event)
    assert window.pressed_keys() == []
    assert window.clicked_places() == [pytest.approx((0.5, 0.25), abs=0.02)]
    assert window.clicked_places() == []


def test_the_title_can_change(window: PictureWindow) -> None:
    pygame = importlib.import_module("pygame")
    window.show(RED)
    assert pygame.display.get_caption()[0] == "a name"
    window.set_title("another")
    assert pygame.display.get_caption()[0] == "another"


def test_without_pygame_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(BackendError) as found:
        PictureWindow("")
    assert (
        str(found.value)
        == "matte webcam needs a window: run pip install '.[webcam]' in matte's checkout"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a display")
@pytest.mark.parametrize("display", [None, ":97"])
def test_without_a_display_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, display: str | None
) -> None:
    for name in ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(BackendError, match=r"^no display for a window \(.*\): run it on a desktop"):
        PictureWindow("")
