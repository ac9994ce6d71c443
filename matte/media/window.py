"""A window that shows pictures and hears keys, by pygame, which is loaded with the first."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from matte.arrays import Image
from matte.errors import BackendError, install_command

UNSEEN = "offscreen"  # what SDL draws on where there is no display
REMEDY = "run it on a desktop, or with --no-window --record FILE"
SHARE = 0.9  # of the desktop that a window takes at most
TEXT, LEAST = 30, 16  # lines of text that a window's height holds, pixels of one at least
PAPER, INK = (0, 0, 0, 160), (255, 255, 255)


class Window:
    """A window that can be resized; it opens with the first picture, in its size."""

    def __init__(self, title: str) -> None:
        self._pygame = _pygame()
        self._title = title
        try:
            # Of all that pygame has, only what is needed: sound would be heard of.
            self._pygame.display.init()
            self._pygame.font.init()
        except self._pygame.error as error:
            raise _no_display(str(error)) from error
        if self._pygame.display.get_driver() == UNSEEN and _driver() != UNSEEN:
            self.close()
            raise _no_display("none was found")

    def show(self, picture: Image, lines: Sequence[str] = ()) -> None:
        """Shows the picture, RGB (H, W, 3) uint8, as large as the window allows, under the lines of
        text.
        """
        surface = self._pygame.display.get_surface() or self._open(picture)
        wide, high = surface.get_size()
        height, width = picture.shape[:2]
        scale = min(wide / width, high / height)
        if scale != 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            picture = Image(np.asarray(cv2.resize(picture, size, interpolation=way)))
        height, width = picture.shape[:2]
        drawn = self._pygame.image.frombuffer(np.ascontiguousarray(picture), (width, height), "RGB")
        surface.fill((0, 0, 0))
        surface.blit(drawn, ((wide - width) // 2, (high - height) // 2))
        self._write(surface, lines)
        self._pygame.display.flip()

    def keys(self) -> list[str]:
        """The keys that were pressed since it was last asked: "a", "escape"; "q" for a closed
        window.
        """
        pygame, found = self._pygame, []
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                found.append("q")
            elif event.type == pygame.KEYDOWN:
                found.append(pygame.key.name(event.key))
        return found

    def name(self, title: str) -> None:
        """Writes the title anew."""
        if title != self._title:
            self._title = title
            self._pygame.display.set_caption(title)

    def close(self) -> None:
        """Closes it."""
        self._pygame.quit()

    def _open(self, picture: Image) -> Any:
        height, width = picture.shape[:2]
        try:
            desk = self._pygame.display.get_desktop_sizes()[0]
            scale = min(1, SHARE * desk[0] / width, SHARE * desk[1] / height)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            surface = self._pygame.display.set_mode(size, self._pygame.RESIZABLE)
        except (self._pygame.error, IndexError) as error:
            raise _no_display(str(error)) from error
        self._pygame.display.set_caption(self._title)
        return surface

    def _write(self, surface: Any, lines: Sequence[str]) -> None:
        """Puts lines of text into the upper left corner, on a darkened ground."""
        if not lines:
            return
        font = self._pygame.font.Font(None, max(LEAST, surface.get_height() // TEXT))
        drawn = [font.render(line, True, INK) for line in lines]
        step = font.get_linesize()
        size = max(line.get_width() for line in drawn) + 2 * step, (len(drawn) + 1) * step
        paper = self._pygame.Surface(size, self._pygame.SRCALPHA)
        paper.fill(PAPER)
        for number, line in enumerate(drawn):
            paper.blit(line, (step, step // 2 + number * step))
        surface.blit(paper, (0, 0))


def _pygame() -> Any:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it greets otherwise
    try:
        pygame = importlib.import_module("pygame")
        importlib.import_module("pygame.font")
    except ImportError as error:
        remedy = install_command("webcam")
        raise BackendError("matte webcam needs a window", remedy) from error
    if sys.platform == "linux" and not (
        _driver() or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise _no_display("neither DISPLAY nor WAYLAND_DISPLAY is set")
    return pygame


def _driver() -> str:
    """The way to draw that SDL is told to take; "" if it may choose."""
    return os.environ.get("SDL_VIDEODRIVER", "")


def _no_display(why: str) -> BackendError:
    return BackendError(f"no display for a window ({why})", REMEDY)
