"""Results as responses."""

from matte.configs.loader import merge_settings
from matte.server.answers import file_name, result_response
from matte.server.asked import parse_asked
from matte.server.results import Made

BASE = merge_settings("fast")


def test_names_of_results() -> None:
    cutout = parse_asked("cutout", {"format": "webp"}, BASE)
    assert file_name(cutout, "mé 1.jpg") == "m%C3%A9%201-matte.webp"
    assert file_name(parse_asked("trimap", {}, BASE), "") == "picture-trimap.png"


def test_warnings_fit_into_a_header() -> None:
    asked = parse_asked("alpha", {"download": "1"}, BASE)
    made = Made(b"x", "image/png", 3, 2, subject=False, warnings=("no subject in “x”\n",))
    headers = result_response(made, asked, "x.png").headers
    assert headers["x-matte-subject"] == "no"
    assert headers["x-matte-warning"].isascii()
    assert "\n" not in headers["x-matte-warning"]
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''x-alpha.png"
