"""Somebody who uses the page, with a mouse, fingers or the keyboard."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

from matte.arrays import Uint8Array

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request

LONG = 60_000  # milliseconds: a picture on a busy machine


class Visitor:
    """A visitor's browser window, and what it complained of."""

    def __init__(self, context: BrowserContext, address: str, shots: Path) -> None:
        self._context, self._address, self._shots = context, address.rstrip("/"), shots
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(LONG)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.goto(address)

    def _hear(self, message: ConsoleMessage) -> None:
        """Keep what the browser warns of, but for answers that the page itself tells of."""
        is_answer = "Failed to load resource" in message.text
        if message.type in ("error", "warning") and not is_answer:
            self.complaints.append(message.text)

    def leave(self) -> None:
        """Close the window."""
        self._context.close()

    def by_id(self, name: str) -> Locator:
        """Return an element."""
        return self.page.locator(f"#{name}")

    def send(self, *files: Path) -> None:
        """Choose files."""
        self.by_id("file").set_input_files([str(file) for file in files])

    def send_and_wait(self, *files: Path) -> None:
        """Choose files, and wait until the first is matted at full size."""
        self.send(*files)
        self.wait_for_status("Ready")

    def wait_for_status(self, text: str) -> None:
        """Wait until the page says so."""
        from playwright.sync_api import expect

        expect(self.by_id("status")).to_have_text(text, timeout=LONG)

    def wait_for(self, locator: Locator, text: str) -> None:
        """Wait until an element holds a text."""
        from playwright.sync_api import expect

        expect(locator).to_contain_text(text, timeout=LONG)

    def shoot(self, name: str) -> None:
        """Take a screenshot of the whole page."""
        self._shots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(self._shots / f"{name}.png"), full_page=True)

    def look(self, locator: Locator) -> Uint8Array:
        """Return the pixels (H, W, 3) that an element shows on the screen."""
        picture = Pillow.open(io.BytesIO(locator.screenshot()))
        return np.asarray(picture.convert("RGB"), np.uint8)

    def download(self) -> bytes:
        """Save the result, and return the file."""
        with self.page.expect_download() as waiting:
            self.by_id("download").click()
        return Path(waiting.value.path()).read_bytes()

    def fetch(self, path: str) -> bytes:
        """Return what the server says at a path, to this visitor's browser."""
        body: bytes = self._context.request.get(f"{self._address}{path}").body()
        return body

    def choose_background(self, name: str) -> None:
        """Press one of the backgrounds."""
        self.page.locator("#grounds").get_by_role("radio", name=name).click()

    def place_in_picture(self, across: float, down: float) -> tuple[float, float]:
        """Return where a place of the picture, 0 … 1, is on the screen."""
        box = self.page.locator("matte-viewer .stage").bounding_box()
        assert box is not None
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag with the mouse from one place of the picture to another."""
        self.drag_on_screen(self.place_in_picture(*start), self.place_in_picture(*end))

    def drag_on_screen(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag with the mouse from one place of the screen to another."""
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move(*end, steps=8)
        mouse.up()
