"""The server as a process: its socket, its address, its end."""

import asyncio
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from matte.errors import SettingError
from matte.server.app import make_app
from matte.server.options import ServerOptions
from matte.server.problems import ProblemError

BACKLOG = 128
MAX_CONNECTIONS = 512
LOOK_SECONDS = 10  # between two looks at a connection
STUCK_LOOKS = 6  # at which a client has taken nothing of its answer: it is given up
CLOSING_SECONDS = 3
MAX_HEADER_BYTES = 64 << 10


class _ImpatientProtocol(H11Protocol):
    """HTTP for clients that say within some seconds what they want, and take their answers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio says BaseTransport
        """Begin, and look now and then whether the client holds the connection for nothing."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self.app = _tell_too_many
        self._last_look: tuple[object, int] = (self, 0)
        self._looks_alike = 0
        self.loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """Close a connection on which nothing has come or gone that was waited for.

        That is a request that does not begin, or the rest of a body after the answer, from one
        look to the next; and an answer that is not read at some more.
        """
        if self.transport.is_closing():
            return
        unread = self.transport.get_write_buffer_size()
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        now = cycle, unread
        self._looks_alike = self._looks_alike + 1 if now == self._last_look else 0
        self._last_look = now
        is_between = cycle is None or cycle.response_complete
        if is_between and not unread and self._looks_alike:
            self.transport.close()
        elif unread and self._looks_alike >= STUCK_LOOKS:
            self.transport.abort()
        else:
            self.loop.call_later(LOOK_SECONDS, self._look)


async def _tell_too_many(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request over one connection too many."""
    problem = ProblemError(503, "too many clients are connected", "ask again later", 10)
    await problem.response()(scope, receive, send)


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
        with _ended_by_hangup(server):
            server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # the usual end
    finally:
        listening.close()


@contextmanager
def _ended_by_hangup(server: uvicorn.Server) -> Iterator[None]:
    """Let the server end in order within the block when its terminal is closed."""
    number = getattr(signal, "SIGHUP", None)  # Windows has none
    is_main = threading.current_thread() is threading.main_thread()
    # What nohup started ignores it.
    if number is None or not is_main or signal.getsignal(number) != signal.SIG_DFL:
        yield
        return

    def end(number: int, frame: object) -> None:
        server.should_exit = True

    signal.signal(number, end)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL)


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
