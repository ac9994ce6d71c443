"""The page for everybody: no barrier that axe-core finds, on any width, in light and dark."""

from __future__ import annotations

import pytest

from tests.conftest import SAMPLE
from tests.page.conftest import Visit
from tests.page.visitor import Visitor
from tests.server.running import RunningServer, running_server, wait_for

pytestmark = pytest.mark.page

FOCUSED = "document.activeElement.id || document.activeElement.className"
WANTED = {
    "file",
    "camera",
    "viewer",
    "divider",
    "zoom-full",
    "show-trimap",
    "preset",
    "k",
    "colour",
    "ground-file",
    "result",
    "download",
    "zip",
    "copy-command",
}
WIDTHS = {"phone": (390, 844), "tablet": (820, 1180), "desk": (1400, 900)}


def check(visitor: Visitor) -> None:
    """Asserts that axe-core finds nothing."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(visitor.page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_barrier(visit: Visit, width: str, theme: str) -> None:
    across, down = WIDTHS[width]
    visitor = visit(viewport={"width": across, "height": down}, color_scheme=theme)
    check(visitor)
    visitor.send_and_wait(SAMPLE)
    for panel in ("sweep-panel", "more"):
        visitor.page.locator(f"#{panel} summary").click()
    check(visitor)
    visitor.shoot(f"{width}-{theme}")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= across


def test_the_sign_in_has_no_barrier(visit: Visit) -> None:
    with running_server(token="open-sesame-1") as guarded:
        visitor = visit(guarded.address)
        visitor.by_id("token").wait_for()
        check(visitor)


def test_fingers_paint_and_pinch(visit: Visit, server: RunningServer) -> None:
    visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    visitor.send_and_wait(SAMPLE)
    id_ = list(server.state.store._pictures)[-1]
    visitor.page.get_by_role("button", name="1 Subject", exact=True).tap()
    visitor.by_id("viewer").scroll_into_view_if_needed()
    visitor.page.touchscreen.tap(*visitor.place_in_picture(0.6, 0.6))
    wait_for(lambda: len(server.state.store.get(id_).strokes) == 1)
    visitor.page.get_by_role("button", name="Move", exact=True).tap()
    before = visitor.by_id("zoom-level").inner_text()
    visitor.by_id("viewer").scroll_into_view_if_needed()
    _pinch(visitor)
    assert visitor.by_id("zoom-level").inner_text() != before


def _pinch(visitor: Visitor) -> None:
    """Spreads two fingers over the picture."""
    x, y = visitor.place_in_picture(0.5, 0.5)
    session = visitor.page.context.new_cdp_session(visitor.page)
    for kind, apart in (("touchStart", 50), ("touchMove", 90), ("touchMove", 120)):
        points = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_all_is_reached_by_the_tab_key(visit: Visit) -> None:
    visitor = visit()
    visitor.send_and_wait(SAMPLE)
    reached = set()
    for _ in range(90):
        visitor.page.keyboard.press("Tab")
        reached.add(visitor.page.evaluate(FOCUSED))
    assert WANTED - reached == set()
