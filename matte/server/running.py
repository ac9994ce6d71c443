"""The server as a process: its socket, its address, its end."""

import asyncio
import secrets
import socket
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from matte.errors import SettingError
from matte.server.app import make_app
from matte.server.options import ServerOptions

BACKLOG = 128
MAX_CONNECTIONS = 512
HEADER_SECONDS = 20  # for a connection's first request to arrive whole, without its body
CLOSING_SECONDS = 3
MAX_HEADER_BYTES = 64 << 10


class _ImpatientProtocol(H11Protocol):
    """HTTP for clients that say within some seconds what they want."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and give up on a client that says nothing."""
        super().connection_made(transport)
        self.loop.call_later(HEADER_SECONDS, self._close_if_silent)

    def _close_if_silent(self) -> None:
        """Close a connection that no whole request has come over."""
        has_asked = getattr(self, "cycle", None) is not None
        if not (has_asked or self.transport.is_closing()):
            self.transport.close()


def run_server(
    options: ServerOptions, tell: Callable[[str], None], opens_browser: bool = False
) -> None:
    """Serve until the process is asked to end; `tell` is told the address."""
    listening = open_socket(options.host, options.port)
    server = make_server(options)
    address = page_address(options, listening.getsockname()[1])
    tell(address)
    if opens_browser:
        webbrowser.open(address)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # the usual end
    finally:
        listening.close()


def make_server(options: ServerOptions) -> uvicorn.Server:
    """Return a server that is ready to run."""
    config = uvicorn.Config(
        make_app(options),
        http=_ImpatientProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
    )
    return uvicorn.Server(config)


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; raise SettingError if that can't be."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as unless_it_listens:
            listening = unless_it_listens.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(BACKLOG)
            unless_it_listens.pop_all()
    except (OSError, OverflowError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        cause = f"can't listen at {host}:{port} ({why})"
        raise SettingError(cause, "give another --port or --host") from error
    return listening


def page_address(options: ServerOptions, port: int) -> str:
    """Return the page's address; with a token in it, which browsers don't send anywhere."""
    host = options.host
    if host in ("0.0.0.0", "::", ""):  # every address; this one is the nearest
        host = "127.0.0.1"
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    address = f"http://{host}:{port}/"
    return f"{address}#token={options.token}" if options.token else address


def new_token() -> str:
    """Return a secret word that nobody can guess."""
    return secrets.token_urlsafe(24)
