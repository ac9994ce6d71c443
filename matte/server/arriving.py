"""Bodies of requests on their way: together with what is stored they stay within its limit."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matte.server.store import PictureStore


class RoomForBodies:
    """Counts a body against the store's room from its first byte until it is answered."""

    def __init__(self, app: ASGIApp, store: PictureStore) -> None:
        self._app, self._store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; reading its body raises ProblemError where there is no room for it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._store.arriving() as count:

            async def receive_counted() -> Message:
                message = await receive()
                count(len(message.get("body", b"")))
                return message

            await self._app(scope, receive_counted, send)
