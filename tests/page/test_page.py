"""The page, used as a person would: one picture and what can be done with it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.conftest import SAMPLE
from tests.page.conftest import Visit
from tests.page.visitor import Visitor
from tests.server.running import RunningServer, pixels, wait_for

pytestmark = pytest.mark.page

MAX_FIRST_BYTES = 200 << 10
ALL_WHITE = "rgb(255, 255, 255)"

# The unknown pixels of the overlay are orange.
COUNT_UNKNOWN = """(canvas) => {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, place) => place % 4 === 0 && value > 200).length;
}"""


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    found = visit()
    found.send_and_wait(SAMPLE)
    return found


def picture_of(server: RunningServer) -> str:
    """Returns the id of the picture that came last."""
    return list(server.state.store._pictures)[-1]


def corner(visitor: Visitor) -> list[int]:
    """Returns the pixel at the upper right of the download, where no subject is."""
    found: list[int] = pixels(visitor.download())[2, 508].tolist()
    return found


def test_the_first_paint_is_small_and_comes_from_here(visit: Visit, server: RunningServer) -> None:
    visitor = visit()
    visitor.wait_for(visitor.by_id("drop"), "Drop")
    sizes = [one.sizes() for one in visitor.requests if one.response()]
    assert sum(s["responseBodySize"] + s["responseHeadersSize"] for s in sizes) < MAX_FIRST_BYTES
    home = urlsplit(server.address).netloc
    assert {urlsplit(one.url).netloc for one in visitor.requests} == {home}
    visitor.shoot("empty")


def test_a_picture_is_matted_and_downloaded(visitor: Visitor) -> None:
    visitor.shoot("portrait")
    found = pixels(visitor.download())
    assert found.shape == (512, 512, 4)
    assert found[2, 508, 3] == 0
    assert found[250, 230, 3] == 255


def test_before_and_after_are_divided_by_mouse_and_keys(visitor: Visitor) -> None:
    divider = visitor.page.get_by_role("slider", name="Before and after")
    assert divider.get_attribute("aria-valuenow") == "50"
    divider.focus()
    visitor.page.keyboard.press("PageDown")
    assert divider.get_attribute("aria-valuenow") == "40"
    visitor.page.keyboard.press("Home")
    after = visitor.look(visitor.by_id("viewer"))
    visitor.page.keyboard.press("End")
    before = visitor.look(visitor.by_id("viewer"))
    changed = (np.abs(before.astype(int) - after).max(2) > 24).mean()
    assert 0.1 < changed < 0.9  # what is behind the subject is gone in one of them
    visitor.page.keyboard.press("Home")
    box = visitor.by_id("viewer").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    quarter = box["x"] + box["width"] / 4
    visitor.drag_on_screen((box["x"] + 5, middle), (quarter, middle))
    assert divider.get_attribute("aria-valuenow") == "25"


def test_zooming_goes_to_full_size_and_back(visitor: Visitor) -> None:
    level = visitor.by_id("zoom-level")
    fitted = level.inner_text()
    visitor.by_id("zoom-full").click()
    assert level.inner_text() == "100 %"
    visitor.page.mouse.move(*visitor.place_in_picture(0.5, 0.5))
    visitor.page.mouse.wheel(0, -400)
    wait_for(lambda: level.inner_text() == "272 %")
    visitor.by_id("viewer").focus()
    visitor.page.keyboard.press("0")
    assert level.inner_text() == fitted


def test_the_picture_is_moved_with_the_mouse(visitor: Visitor) -> None:
    stage = visitor.page.locator("matte-viewer .stage")
    before, (width, height) = stage.bounding_box(), (0.2, 0.1)
    assert before is not None
    visitor.drag((0.2, 0.3), (0.2 + width, 0.3 + height))
    after = stage.bounding_box()
    assert after is not None
    assert after["x"] - before["x"] == pytest.approx(width * before["width"], abs=2)
    assert after["y"] - before["y"] == pytest.approx(height * before["height"], abs=2)


def test_a_large_picture_is_sharp_at_full_size(visit: Visit, large_picture: Path) -> None:
    visitor = visit()
    visitor.send_and_wait(large_picture)
    visitor.by_id("zoom-full").click()
    tile = visitor.page.locator("matte-viewer .tile")
    tile.wait_for(state="visible")
    natural, shown = tile.evaluate("e => [e.naturalWidth, parseFloat(e.style.width)]")
    assert natural == pytest.approx(shown, abs=1)
    visitor.shoot("full-size")


def test_backgrounds_are_shown_at_once_and_saved(visitor: Visitor) -> None:
    ground = visitor.page.locator("matte-viewer .ground")
    visitor.choose_background("White")
    assert ground.evaluate("e => getComputedStyle(e).backgroundColor") == ALL_WHITE
    assert corner(visitor) == [255, 255, 255]
    visitor.by_id("colour").evaluate(
        "e => { e.value = '#102030'; e.dispatchEvent(new Event('input')); }"
    )
    assert corner(visitor) == [16, 32, 48]
    visitor.choose_background("None")
    assert corner(visitor)[3] == 0


def test_a_blurred_background_is_the_server_s_own(visitor: Visitor) -> None:
    with visitor.page.expect_response(lambda r: "/composite?" in r.url and "bg=blur" in r.url):
        visitor.choose_background("Blur")
    visitor.shoot("blur")
    with visitor.page.expect_response(lambda r: "bg=blur%3A6%25" in r.url):
        visitor.by_id("blur").fill("6")


def test_an_own_background_is_dragged_to_its_place(visitor: Visitor, large_picture: Path) -> None:
    wide = large_picture.with_name("wide.png")
    strip = np.zeros((100, 400, 3), np.uint8)
    strip[:, 200:] = 255
    from tests.server.running import png

    wide.write_bytes(png(strip))
    visitor.by_id("ground-file").set_input_files(str(wide))
    visitor.page.get_by_role("radio", name="Background wide.png").wait_for()
    visitor.by_id("place-drag").click()
    visitor.drag((0.9, 0.3), (0.1, 0.3))
    moved = float(visitor.by_id("place-x").input_value())
    assert moved > 80
    assert corner(visitor) == [255, 255, 255]
    visitor.shoot("own-background")
    visitor.by_id("place-x").fill("0")
    assert corner(visitor) == [0, 0, 0]


def test_the_band_is_seen_and_set(visitor: Visitor) -> None:
    visitor.by_id("show-trimap").check()
    overlay = visitor.page.locator("matte-viewer canvas")
    narrow = overlay.evaluate(COUNT_UNKNOWN)
    visitor.by_id("k").fill("31")
    visitor.wait_for_status("Ready")
    assert visitor.by_id("auto-band").is_checked() is False
    assert visitor.by_id("k-value").inner_text() == "31 px"
    wait_for(lambda: overlay.evaluate(COUNT_UNKNOWN) > narrow * 1.2)
    visitor.shoot("band")
    visitor.by_id("auto-band").check()
    visitor.wait_for_status("Ready")
    assert visitor.by_id("k-value").inner_text() == "auto"


def test_strokes_are_painted_undone_and_done_again(visitor: Visitor, server: RunningServer) -> None:
    id_ = picture_of(server)
    visitor.by_id("viewer").focus()
    visitor.page.keyboard.press("2")
    size = visitor.by_id("brush-value").inner_text()
    visitor.page.keyboard.press("]")
    assert visitor.by_id("brush-value").inner_text() != size
    visitor.by_id("show-trimap").wait_for()
    assert visitor.by_id("show-trimap").is_checked()
    visitor.drag((0.4, 0.45), (0.4, 0.6))
    wait_for(lambda: len(server.state.store.get(id_).strokes) == 1)
    visitor.wait_for_status("Ready")
    assert pixels(visitor.fetch(f"/v1/pictures/{id_}/alpha"))[270, 205] == 0
    visitor.shoot("brush")
    visitor.page.keyboard.press("Control+z")
    wait_for(lambda: server.state.store.get(id_).strokes == ())
    assert visitor.by_id("undo").is_disabled()
    visitor.page.keyboard.press("Control+y")
    wait_for(lambda: len(server.state.store.get(id_).strokes) == 1)
    visitor.by_id("undo").click()
    wait_for(lambda: server.state.store.get(id_).strokes == ())


def test_painting_works_by_keys_alone(visitor: Visitor, server: RunningServer) -> None:
    id_ = picture_of(server)
    visitor.by_id("viewer").focus()
    for key in ("1", "ArrowRight", "Shift+ArrowDown", "Space", "Escape"):
        visitor.page.keyboard.press(key)
    wait_for(lambda: len(server.state.store.get(id_).strokes) == 2)
    assert {stroke.value for stroke in server.state.store.get(id_).strokes} == {"subject"}


def test_bands_are_compared_and_one_is_chosen(visitor: Visitor) -> None:
    visitor.page.locator("#sweep-panel summary").click()
    visitor.by_id("sweep").click()
    choices = visitor.page.locator("#sweep-results button")
    choices.first.wait_for()
    assert choices.count() == 5
    visitor.wait_for(visitor.by_id("sweep-results"), "suggested")
    visitor.shoot("sweep")
    visitor.page.locator("#sweep-results button", has_text="21").click()
    assert visitor.by_id("k-value").inner_text() == "21 px"
    visitor.wait_for_status("Ready")


def test_the_copied_command_gives_the_same_picture(visitor: Visitor, tmp_path: Path) -> None:
    visitor.by_id("k").fill("9")
    visitor.wait_for_status("Ready")
    visitor.choose_background("White")
    visitor.by_id("copy-command").click()
    command = visitor.by_id("command")
    command.wait_for(state="visible")
    words = shlex.split(command.inner_text())
    assert words[0] == "matte"
    (tmp_path / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    options = ["--backend", "onnx", "--precision", "fp32", "--threads", "1", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "matte", *words[1:], *options, "-o", "found.png"],
        cwd=tmp_path,
        check=True,
    )
    found = pixels((tmp_path / "found.png").read_bytes())
    assert np.array_equal(found, pixels(visitor.download()))


def test_nobody_in_the_picture_is_told(visit: Visit, tmp_path: Path) -> None:
    from tests.server.running import png

    plain = tmp_path / "plain.png"
    plain.write_bytes(png(np.full((80, 80, 3), 128, np.uint8)))
    visitor = visit()
    visitor.send(plain)
    visitor.wait_for(visitor.by_id("status"), "No subject")


def test_a_subject_is_placed_on_a_canvas(visitor: Visitor) -> None:
    visitor.choose_background("White")
    visitor.by_id("crop").check()
    visitor.by_id("canvas").select_option("1200x1500")
    visitor.by_id("align").select_option("bottom")
    visitor.by_id("shadow").select_option("contact")
    preview = visitor.by_id("canvas-preview")
    preview.wait_for(state="visible")
    size = preview.evaluate(
        "async (e) => { await e.decode(); return [e.naturalWidth, e.naturalHeight]; }"
    )
    assert size == [512, 640]
    assert visitor.by_id("crop").is_disabled()  # a canvas takes its place
    visitor.shoot("canvas")
    found = pixels(visitor.download())
    assert found.shape == (1500, 1200, 3)
    assert (found[:40] == 255).all()
    visitor.by_id("copy-command").click()
    visitor.wait_for(
        visitor.by_id("command"), "--canvas 1200x1500 --fill 85% --align bottom --shadow contact"
    )
    visitor.choose_background("Blur")
    visitor.wait_for(
        visitor.by_id("problem"), "a photo's own background fits no canvas: give another bg"
    )
    visitor.by_id("result").select_option("alpha")
    assert visitor.by_id("canvas").is_disabled()
    assert pixels(visitor.download()).shape[:2] != (1500, 1200)
