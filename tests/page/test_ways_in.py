"""How pictures come to the page, how many, and who may use it."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SAMPLE
from tests.page.conftest import Visit
from tests.server.running import RunningServer, pixels, png, running_server, wait_for

pytestmark = pytest.mark.page

TOKEN = "open-sesame-1"
# A file in a drag or in the clipboard, as a browser hands it over.
HAND_OVER = """([kind, name, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
    : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_pictures_are_pasted_and_dropped(visit: Visit, kind: str) -> None:
    visitor = visit()
    visitor.page.locator("body[data-ready]").wait_for()
    data = base64.b64encode(SAMPLE.read_bytes()).decode()
    visitor.page.evaluate(HAND_OVER, [kind, "handed.png", data])
    visitor.wait_for_status("Ready")
    visitor.wait_for(visitor.by_id("queue"), "handed.png")


def test_a_picture_is_taken_with_the_camera(visit: Visit) -> None:
    visitor = visit(permissions=["camera"])
    visitor.page.locator("body[data-ready]").wait_for()
    visitor.by_id("camera").click()
    wait_for(lambda: visitor.by_id("camera-video").evaluate("v => v.videoWidth") > 0)
    visitor.by_id("camera-take").click()
    visitor.wait_for(visitor.by_id("queue"), "done")


def test_many_pictures_have_each_their_state_and_one_zip(
    visit: Visit, server: RunningServer, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(png(np.zeros((40, 40, 3), np.uint8))[:60])
    small = tmp_path / "small.png"
    small.write_bytes(png(np.full((64, 48, 3), 120, np.uint8)))
    visitor = visit()
    visitor.send(SAMPLE, broken, small)
    rows = visitor.page.locator("#queue li")
    visitor.wait_for(rows.nth(0), "done")
    visitor.wait_for(rows.nth(1), "failed")
    visitor.wait_for(rows.nth(2), "done")
    visitor.shoot("queue")
    rows.nth(1).get_by_role("button", name="Try again").click()
    visitor.wait_for(rows.nth(1), "failed")
    rows.nth(0).locator(".open").click()
    visitor.wait_for_status("Ready")
    with visitor.page.expect_download() as waiting:
        visitor.by_id("zip").click()
    with zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes())) as archive:
        shapes = sorted(pixels(archive.read(name)).shape for name in archive.namelist())
    assert shapes == [(64, 48, 4), (512, 512, 4)]
    kept = server.state.store.count
    for _ in range(3):
        visitor.page.locator("#queue li").first.get_by_role("button", name="Remove").click()
    wait_for(lambda: server.state.store.count == kept - 2)
    assert visitor.by_id("drop").is_visible()


def test_a_picture_that_the_server_forgot_is_sent_again(
    visit: Visit, server: RunningServer
) -> None:
    visitor = visit()
    visitor.send_and_wait(SAMPLE)
    server.state.store.delete(list(server.state.store._pictures)[-1])
    visitor.by_id("k").fill("5")
    row = visitor.page.locator("#queue li").first
    visitor.wait_for(row, "forgotten")
    row.get_by_role("button", name="Try again").click()
    visitor.wait_for_status("Ready")


def test_the_token_is_asked_for_and_kept_from_scripts(visit: Visit) -> None:
    with running_server(token=TOKEN) as guarded:
        visitor = visit(guarded.address)
        token = visitor.by_id("token")
        token.fill("not this one")
        token.press("Enter")
        visitor.wait_for(visitor.by_id("sign-in-problem"), "not the token")
        visitor.shoot("sign-in")
        token.fill(TOKEN)
        token.press("Enter")
        visitor.send_and_wait(SAMPLE)
        (cookie,) = visitor.page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert visitor.page.evaluate("document.cookie") == ""


def test_the_printed_address_signs_in_and_hides_the_token(visit: Visit) -> None:
    with running_server(token=TOKEN) as guarded:
        visitor = visit(f"{guarded.address}/#token={TOKEN}")
        visitor.send_and_wait(SAMPLE)
        assert TOKEN not in visitor.page.url
