"""A server, and a real browser that shows its page: Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.conftest import SAMPLE
from tests.page.visitor import Visitor
from tests.server.running import RunningServer, running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHOTS = Path(__file__).parents[2] / "build" / "page"  # screenshots, to be looked at
DESK = {"width": 1400, "height": 900}
# Chromium looks for updates at every start unless it is told not to. Its camera shows a test card.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]

Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def server(home_of_run: object) -> Iterator[RunningServer]:
    """A server that lets everybody in."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "no Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser, server: RunningServer) -> Iterator[Visit]:
    """Opens the page for a new visitor; whatever the browser complains of fails the test."""
    visitors = []

    def open_page(address: str = "", **context: Any) -> Visitor:
        opened = browser.new_context(**{"viewport": DESK, "accept_downloads": True, **context})
        visitor = Visitor(opened, address or server.address, SHOTS)
        visitors.append(visitor)
        return visitor

    yield open_page
    complaints = [line for visitor in visitors for line in visitor.complaints]
    for visitor in visitors:
        visitor.leave()
    assert complaints == []


@pytest.fixture(scope="session")
def large_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample portrait at 12 megapixels, with noise as a camera's."""
    photo = cv2.imread(str(SAMPLE))
    assert photo is not None
    large = cv2.resize(photo, (3464, 3464), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    noise = np.random.default_rng(0).normal(0, 3, large.shape)
    path = tmp_path_factory.mktemp("large") / "large.jpg"
    cv2.imwrite(str(path), np.clip(large + noise, 0, 255).astype(np.uint8))
    return path
