"""A window that shows pictures and reads keys, by pygame, which is imported for the first."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from matte.arrays import Image
from matte.errors import BackendError, install_command

OFFSCREEN_DRIVER = "offscreen"  # that SDL draws with where there is no display
REMEDY = "run it on a desktop, or with --no-window --record FILE"
MAX_DESKTOP_SHARE = 0.9  # of each side of the desktop, for a window
LINES_PER_WINDOW, MIN_LINE_PIXELS = 30, 16
PAPER, INK = (0, 0, 0, 160), (255, 255, 255)


class PictureWindow:
    """A window that can be resized; it opens with the first picture, in its size."""

    def __init__(self, title: str) -> None:
        self._pygame = _import_pygame()
        self._title = title
        self._picture_box = (0, 0, 1, 1)  # left, top, width, height in the window
        self._clicks: list[tuple[int, int]] = []
        try:
            # Only what is needed of pygame: its sound reports what it finds.
            self._pygame.display.init()
            self._pygame.font.init()
        except self._pygame.error as error:
            raise _no_display(str(error)) from error
        if (
            self._pygame.display.get_driver() == OFFSCREEN_DRIVER
            and _chosen_driver() != OFFSCREEN_DRIVER
        ):
            self.close()
            raise _no_display("none was found")

    def show(self, picture: Image, lines: Sequence[str] = ()) -> None:
        """Show an RGB picture (H, W, 3) uint8, as large as the window allows, and text on it."""
        surface = self._pygame.display.get_surface() or self._open(picture)
        wide, high = surface.get_size()
        height, width = picture.shape[:2]
        scale = min(wide / width, high / height)
        if scale != 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            picture = Image(np.asarray(cv2.resize(picture, size, interpolation=method)))
        height, width = picture.shape[:2]
        drawn = self._pygame.image.frombuffer(np.ascontiguousarray(picture), (width, height), "RGB")
        surface.fill((0, 0, 0))
        left, top = (wide - width) // 2, (high - height) // 2
        self._picture_box = left, top, width, height
        surface.blit(drawn, (left, top))
        self._draw_text(surface, lines)
        self._pygame.display.flip()

    def pressed_keys(self) -> list[str]:
        """Return the keys pressed since the last call: "a", "escape"; "q" for a closed window."""
        pygame, names = self._pygame, []
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                names.append("q")
            elif event.type == pygame.KEYDOWN:
                names.append(pygame.key.name(event.key))
            elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
                self._clicks.append(event.pos)
        return names

    def clicked_places(self) -> list[tuple[float, float]]:
        """Return where the picture was clicked since the last call, in shares of its sides.

        Clicks are read with the keys.
        """
        left, top, width, height = self._picture_box
        places = [((x - left) / width, (y - top) / height) for x, y in self._clicks]
        self._clicks.clear()
        return [(x, y) for x, y in places if 0 <= x < 1 and 0 <= y < 1]

    def set_title(self, title: str) -> None:
        """Set the window's title."""
        if title != self._title:
            self._title = title
            self._pygame.display.set_caption(title)

    def close(self) -> None:
        """Close the window."""
        self._pygame.quit()

    def _open(self, picture: Image) -> Any:
        """Return the surface of a new window in the picture's size, if the desktop holds it."""
        height, width = picture.shape[:2]
        try:
            desk = self._pygame.display.get_desktop_sizes()[0]
            scale = min(
                1, MAX_DESKTOP_SHARE * desk[0] / width, MAX_DESKTOP_SHARE * desk[1] / height
            )
            size = max(1, round(width * scale)), max(1, round(height * scale))
            surface = self._pygame.display.set_mode(size, self._pygame.RESIZABLE)
        except (self._pygame.error, IndexError) as error:
            raise _no_display(str(error)) from error
        self._pygame.display.set_caption(self._title)
        return surface

    def _draw_text(self, surface: Any, lines: Sequence[str]) -> None:
        """Draw lines of text into the upper left corner, on a darkened ground."""
        if not lines:
            return
        font = self._pygame.font.Font(
            None, max(MIN_LINE_PIXELS, surface.get_height() // LINES_PER_WINDOW)
        )
        drawn = [font.render(line, True, INK) for line in lines]
        step = font.get_linesize()
        size = max(line.get_width() for line in drawn) + 2 * step, (len(drawn) + 1) * step
        paper = self._pygame.Surface(size, self._pygame.SRCALPHA)
        paper.fill(PAPER)
        for number, line in enumerate(drawn):
            paper.blit(line, (step, step // 2 + number * step))
        surface.blit(paper, (0, 0))


def _import_pygame() -> Any:
    """Return the module pygame; raise BackendError if it or a display is missing."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it greets otherwise
    try:
        pygame = importlib.import_module("pygame")
        importlib.import_module("pygame.font")
    except ImportError as error:
        remedy = install_command("webcam")
        raise BackendError("matte webcam needs a window", remedy) from error
    if sys.platform == "linux" and not (
        _chosen_driver() or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise _no_display("neither DISPLAY nor WAYLAND_DISPLAY is set")
    return pygame


def _chosen_driver() -> str:
    """Return the driver that the environment sets for SDL; "" if it may choose."""
    return os.environ.get("SDL_VIDEODRIVER", "")


def _no_display(why: str) -> BackendError:
    """Return the error to raise where there is nothing to show a window on."""
    return BackendError(f"no display for a window ({why})", REMEDY)
