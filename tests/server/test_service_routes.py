"""What can be set, whether the server lives, what it counts, and the page's files."""

import time
from pathlib import Path

import httpx
import pytest

from matte.server.asked import PICTURE_SETTINGS
from matte.server.page_files import FOLDER, read_page
from matte.server.uploads import clean_name


def test_settings_are_described(client: httpx.Client) -> None:
    told = client.get("/v1/settings").json()
    by_name = {row["name"]: row for row in told["settings"]}
    assert tuple(by_name) == PICTURE_SETTINGS
    assert by_name["k"]["kind"] == "integer"
    assert by_name["k"]["words"] == ["auto"]
    assert (by_name["k"]["minimum"], by_name["k"]["maximum"]) == (1, 101)
    assert by_name["threshold"]["kind"] == "number"
    assert by_name["width"]["kind"] == "text"
    assert by_name["shape"]["words"] == ["ellipse", "rect", "cross"]
    assert {"fast", "balanced", "best"} <= told["presets"].keys()
    assert "person" in told["networks"]["segmenter"]
    assert "guided" in told["networks"]["refiner"]
    assert "u2net" not in told["networks"]["segmenter"]  # which is not fetched
    assert told["limits"]["max_upload"] > 0


def test_the_server_becomes_ready(client: httpx.Client) -> None:
    until = time.monotonic() + 30
    while client.get("/ready").status_code != 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert client.get("/ready").json()["status"] == "ready"


def test_metrics_are_prometheus_text(client: httpx.Client) -> None:
    client.get("/health")
    told = client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = told.text.splitlines()
    assert any(
        line.startswith('matte_requests_total{route="get_health",status="200"}') for line in lines
    )
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert {"matte_queue_length", "matte_jobs_running", "matte_resident_memory_bytes"} <= names
    described = {line.split(" ")[2] for line in lines if line.startswith("# TYPE")}
    assert names <= described | {"matte_stage_seconds_sum", "matte_stage_seconds_count"}


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


def test_names_of_files_are_harmless() -> None:
    assert clean_name("../../a\r\nb.png") == "ab.png"
    assert clean_name("C:\\x\\y.jpg") == "y.jpg"
    assert clean_name('a"<b>|:*?.png') == "ab.png"
    assert len(clean_name("x" * 10_000)) == 200
    assert clean_name("...") == ""
