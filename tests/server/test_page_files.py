"""The page's files."""

from pathlib import Path

import httpx
import pytest

from matte.server.page_files import FOLDER, read_page


def test_the_page_s_files_are_sent_packed_and_known(client: httpx.Client) -> None:
    page = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-encoding"] == "gzip"
    again = client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    assert plain.content == (FOLDER / "index.html").read_bytes()


@pytest.mark.parametrize(
    "path",
    ["/page/../app.py", "/page/%2e%2e/app.py", "/page//etc/passwd", "/page/none.js", "/page/"],
)
def test_nothing_else_is_sent(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


def test_only_known_kinds_of_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("x")
    (tmp_path / "b.py").write_text("x")
    (tmp_path / "icons").mkdir()
    (tmp_path / "icons/c.svg").write_text("<svg/>")
    assert set(read_page(tmp_path)) == {"a.js", "icons/c.svg"}
