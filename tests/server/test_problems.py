"""What clients are told: never a place on the server's disk."""

import pytest

from matte.errors import BackendError, OutputError, PictureError, SettingError
from matte.server.problems import ProblemError, problem_of, without_paths


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("can't read /tmp/matte-serve-x/abc (no picture)", "can't read abc (no picture)"),
        ("C:\\Users\\me\\net.onnx is damaged", "net.onnx is damaged"),
        ("'/home/me/a.png': x", "'a.png': x"),
        ("give 1/2 or 3/4, and/or 5%", "give 1/2 or 3/4, and/or 5%"),
        ("see https://example.com/a/b", "see https://example.com/a/b"),
    ],
)
def test_paths_are_left_out(text: str, expected: str) -> None:
    assert without_paths(text) == expected


def test_errors_have_their_status() -> None:
    assert problem_of(SettingError("k = 0", "give 1 … 101")).status == 400
    assert problem_of(PictureError("it is 9×9, 120 megapixels", "")).status == 413
    assert problem_of(PictureError("damaged", "send it again")).status == 422
    assert problem_of(OutputError("too wide for webp", "")).status == 400
    assert problem_of(BackendError("no memory", "")).status == 422


def test_a_problem_says_when_to_ask_again() -> None:
    problem = ProblemError(503, "busy", "wait", 2.2)
    assert problem.headers() == {"Retry-After": "3"}
    assert problem.as_json() == {
        "type": "about:blank",
        "title": "Busy",
        "status": 503,
        "detail": "busy",
        "remedy": "wait",
    }
