"""Who may ask: Host, Origin and token of every request, and the headers of every response."""

import hmac
import ipaddress
import secrets
from collections.abc import Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matte.server.options import LOOPBACK_NAMES, WILDCARDS, ServerOptions
from matte.server.problems import ProblemError

COOKIE = "matte-session"
MAX_SESSIONS = 256  # signed-in browsers that are remembered
# What anybody may fetch who reaches the server: the page, which holds nothing private, and whether
# the server lives.
OPEN_PATHS = ("/health", "/ready", "/v1/session", "/openapi.json")
OPEN_FOLDERS = ("/page/",)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
    " connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}

Respond = Callable[[str, ProblemError], Response]


class Access:
    """Knows the token and the browsers that have shown it."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._sessions: dict[str, None] = {}

    @property
    def needs_token(self) -> bool:
        """Whether clients have to show a token."""
        return bool(self._token)

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token, in a time that tells nothing of it."""
        return hmac.compare_digest(text.encode(errors="replace"), self._token)

    def sign_in(self, token: str) -> str | None:
        """Return a new session's secret word for whoever has the token; else None."""
        if not self.needs_token or not self.is_token(token):
            return None
        session = secrets.token_urlsafe(32)
        self._sessions[session] = None
        while len(self._sessions) > MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return session

    def sign_out(self, headers: Headers) -> None:
        """Forget the session of a request."""
        for session in _cookie_values(headers):
            self._sessions.pop(session, None)

    def is_allowed(self, headers: Headers) -> bool:
        """Return whether a request shows the token, in a header or by its cookie."""
        if not self.needs_token:
            return True
        scheme, _, word = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(word.strip()):
            return True
        if self.is_token(headers.get("x-api-key", "")):
            return True
        return any(session in self._sessions for session in _cookie_values(headers))


def _cookie_values(headers: Headers) -> list[str]:
    """Return the session words that a request's cookies hold: one, or none."""
    found: SimpleCookie = SimpleCookie()
    try:
        found.load(headers.get("cookie", ""))
    except CookieError:
        return []
    return [found[COOKIE].value] if COOKIE in found else []


class Guard:
    """The gate in front of all routes."""

    def __init__(
        self, app: ASGIApp, options: ServerOptions, access: Access, respond: Respond
    ) -> None:
        """`respond` puts a problem into the form that the clients of a path know."""
        self._app, self._options, self._access = app, options, access
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that may not pass; let the others through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        problem = self._objection(scope["method"], scope["path"], Headers(scope=scope))
        if problem is not None:
            await self._respond(scope["path"], problem)(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _objection(self, method: str, path: str, headers: Headers) -> ProblemError | None:
        """Return why a request may not pass; None if it may."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own_host(hosts[0]):
            return ProblemError(
                403, "the Host header names another server", "start with --allow-host NAME"
            )
        origins = headers.getlist("origin")
        if any(not self._is_own_origin(origin, hosts[0]) for origin in origins):
            return ProblemError(403, "the request comes from another site's page")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and path != "/":
            return ProblemError(403, "the request comes from another site's page")
        is_open = path == "/" or path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
        if is_open or self._access.is_allowed(headers):
            return None
        return ProblemError(
            401,
            "the token is missing or wrong",
            "send it as Authorization: Bearer TOKEN, or as X-Api-Key: TOKEN",
        )

    def _is_own_host(self, text: str) -> bool:
        """Return whether a Host header names this server: no page of another site can say so."""
        name = host_name(text)
        if name is None:
            return False
        options = self._options
        # Who listens at every address is reached by any of them; no other site can take one over,
        # as it can with a name.
        if options.host in WILDCARDS and (name in LOOPBACK_NAMES or _is_address(name)):
            return True
        if name in lowered(options.allowed_hosts) or name == options.host.lower().strip("[]"):
            return True
        return options.is_loopback and name in lowered(LOOPBACK_NAMES)

    def _is_own_origin(self, origin: str, host: str) -> bool:
        """Return whether an Origin header is that of this server's own page."""
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _is_address(name: str) -> bool:
    """Return whether a host is a number, not a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def host_name(text: str) -> str | None:
    """Return the name in a Host header without port and brackets; None if it is none.

    >>> host_name("[::1]:8000"), host_name("Box:80"), host_name("a b")
    ('::1', 'box', None)
    """
    try:
        parts = urlsplit(f"//{text}")
        _ = parts.port  # raises for what is no number
    except ValueError:
        return None
    if not text or parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    name = parts.hostname
    return None if name is None or any(c.isspace() for c in text) else name.lower()


def lowered(names: Iterable[str]) -> set[str]:
    """Return names in small letters and without brackets, as host_name() has them."""
    return {name.lower().strip("[]") for name in names}
