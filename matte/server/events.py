"""Progress as server-sent events: whoever listens to a picture or a job is told what happens."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from matte.server.problems import ProblemError

HEARTBEAT_SECONDS = 15.0
MAX_UNREAD = 64  # events that a listener may lag behind; older ones are dropped
MAX_LISTENERS = 128


class EventStream(StreamingResponse):
    """The response that events are told by; whatever becomes of it, its end is counted."""

    def __init__(self, events: AsyncIterator[bytes], on_end: Callable[[], None]) -> None:
        headers = {"X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until their end, or the client's."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_end()


class Channels:
    """Passes events from the threads that work to the clients that listen, by id."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[asyncio.Queue[bytes | None]]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.count = 0
        """How many clients listen."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say which loop the clients are served by."""
        self._loop = loop

    def send(self, id_: str, event: str, data: dict[str, Any]) -> None:
        """Send an event to whoever listens to the id; may be called in any thread."""
        self._put(id_, f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())

    def end(self, id_: str) -> None:
        """End the streams of an id."""
        self._put(id_, None)

    def stream(self, id_: str) -> StreamingResponse:
        """Return the response that tells an id's events until its client goes away.

        Raises ProblemError where too many listen already.
        """
        if self.count >= MAX_LISTENERS:
            raise ProblemError(503, "too many listen to events", "ask again later", 15)
        self.count += 1
        return EventStream(self._events(id_), self._count_out)

    def _count_out(self) -> None:
        """Count a client that no longer listens."""
        self.count -= 1

    async def _events(self, id_: str) -> AsyncIterator[bytes]:
        """Yield events, and a comment now and then, which shows who has gone."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners[id_].add(queue)
        try:
            yield b": listening\n\n"
            while True:
                event: bytes | None = b": still here\n\n"
                with suppress(TimeoutError):
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                if event is None:
                    return
                yield event
        finally:
            self._listeners[id_].discard(queue)
            if not self._listeners[id_]:
                del self._listeners[id_]

    def _put(self, id_: str, event: bytes | None) -> None:
        """Put an event into the queues of an id, in the loop's own thread."""
        if self._loop is not None and id_ in self._listeners:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._deliver, id_, event)

    def _deliver(self, id_: str, event: bytes | None) -> None:
        """Put an event into the queues of an id; drop the oldest of those who lag."""
        for queue in self._listeners.get(id_, ()):
            if queue.qsize() >= MAX_UNREAD:
                queue.get_nowait()
            queue.put_nowait(event)
