"""Who may ask: Host, Origin, token and cookie, over a real socket."""

from collections.abc import Iterator

import httpx
import pytest

from matte.server.guard import COOKIE, Access, host_name
from matte.server.running import page_address
from tests.server.running import RunningServer, quick_options, running_server

TOKEN = "a-secret-word"


@pytest.fixture(scope="module")
def guarded(home_of_run: object) -> Iterator[RunningServer]:
    """A server that wants a token, and that a proxy reaches by another name."""
    with running_server(token=TOKEN, allowed_hosts=("photos.example",)) as running:
        yield running


def test_without_the_token_only_the_page_and_its_health_are_open(guarded: RunningServer) -> None:
    with guarded.client() as client:
        for path in ("/", "/health", "/v1/session", "/openapi.json"):
            assert client.get(path).status_code == 200
        for path in ("/metrics", "/v1/settings", "/v1/pictures/x", "/v1/pictures/x/events", "/no"):
            refused = client.get(path)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer")
        assert client.post("/v1/pictures", files={"image": b"x"}).status_code == 401
        assert client.get("/v1/session").json()["signed_in"] is False


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TOKEN}"},
        {"X-Api-Key": TOKEN},
        {"authorization": f"bearer {TOKEN}"},
    ],
)
def test_the_token_is_shown_in_a_header(guarded: RunningServer, headers: dict[str, str]) -> None:
    with guarded.client(headers=headers) as client:
        assert client.get("/metrics").status_code == 200
        assert client.get("/v1/session").json()["signed_in"] is True
    wrong = {name: value + "x" for name, value in headers.items()}
    with guarded.client(headers=wrong) as client:
        assert client.get("/metrics").status_code == 401


def test_a_page_trades_the_token_for_a_cookie(guarded: RunningServer) -> None:
    with guarded.client() as client:
        assert client.post("/v1/session", json={"token": "wrong"}).status_code == 401
        signed = client.post("/v1/session", json={"token": TOKEN})
        assert signed.status_code == 204
        cookie = signed.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert client.get("/metrics").status_code == 200
        assert client.delete("/v1/session").status_code == 204
        client.cookies.clear()
        assert client.get("/metrics").status_code == 401
    with guarded.client(cookies={COOKIE: "guessed"}) as client:
        assert client.get("/metrics").status_code == 401


def test_remove_bg_s_clients_are_told_in_their_own_words(guarded: RunningServer) -> None:
    with guarded.client() as client:
        refused = client.post("/v1.0/removebg", data={"size": "auto"})
        assert refused.status_code == 403
        assert refused.json()["errors"][0]["code"] == "auth_failed"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "a b", "127.0.0.1.evil"])
def test_another_host_is_refused(client: httpx.Client, host: str) -> None:
    assert client.get("/v1/settings", headers={"Host": host}).status_code in (400, 403)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:9", "LOCALHOST"])
def test_own_names_are_known(client: httpx.Client, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_a_proxy_s_name_has_to_be_allowed(guarded: RunningServer) -> None:
    with guarded.client() as client:
        allowed = client.get("/health", headers={"Host": "Photos.example"})
        assert allowed.status_code == 200
        assert client.get("/health", headers={"Host": "x.example"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://127.0.0.1:1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ],
)
def test_other_sites_pages_may_not_ask(client: httpx.Client, name: str, value: str) -> None:
    assert client.get("/v1/settings", headers={name: value}).status_code == 403
    assert client.post("/v1/matte", files={"image": b"x"}, headers={name: value}).status_code == 403


def test_the_own_page_may_ask(client: httpx.Client) -> None:
    headers = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert client.get("/v1/settings", headers=headers).status_code == 200


def test_every_answer_is_hardened(client: httpx.Client) -> None:
    for path in ("/", "/health", "/v1/settings", "/none"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] in ("no-store", "no-cache")
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_old_sessions_are_forgotten_when_there_are_many() -> None:
    access = Access(TOKEN)
    sessions = [access.sign_in(TOKEN) for _ in range(300)]
    allowed = [access.is_allowed(httpx_headers(f"{COOKIE}={session}")) for session in sessions]
    assert allowed.index(True) == len(sessions) - 256
    assert all(allowed[allowed.index(True) :])
    assert Access("").sign_in("") is None


def httpx_headers(cookie: str):  # type: ignore[no-untyped-def]  # starlette's
    """Returns the headers of a request with a cookie."""
    from starlette.datastructures import Headers

    return Headers({"cookie": cookie})


def test_a_host_s_name_is_read_strictly() -> None:
    assert host_name("box.example:8000") == "box.example"
    assert host_name("[::1]") == "::1"
    for text in ("", "a/b", "user@box", "box:x", "box?y", "[::1", "b ox"):
        assert host_name(text) is None


def test_the_address_has_the_token_where_no_server_sees_it() -> None:
    assert page_address(quick_options(token="t" * 9), 80) == f"http://127.0.0.1:80/#token={'t' * 9}"
    assert page_address(quick_options(host="::1"), 80) == "http://[::1]:80/"
    assert page_address(quick_options(host="0.0.0.0"), 80) == "http://127.0.0.1:80/"
