"""The application: routes, what happens to errors, beginning and end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matte.arrays import Image
from matte.errors import MatteError
from matte.media.pictures import Photo
from matte.pipeline.build import build
from matte.server import (
    one_shot,
    page_files,
    picture_routes,
    removebg,
    service_routes,
    sweep_routes,
    zip_route,
)
from matte.server.arriving import RoomForBodies
from matte.server.guard import Guard
from matte.server.jobs import JobStoppedError
from matte.server.openapi import openapi_document
from matte.server.options import ServerOptions
from matte.server.problems import ProblemError, problem_of
from matte.server.state import ServerState, make_state
from matte.server.sweep_routes import SweepJobs

SWEEP_UP_SECONDS = 15.0  # between looks for pictures whose time is over
WARM_UP_SIZE = (64, 64)
CLIENT_GONE = 499  # what nginx calls it; nobody reads it
ROUTES = [
    *page_files.ROUTES,
    *service_routes.ROUTES,
    *one_shot.ROUTES,
    *picture_routes.ROUTES,
    *sweep_routes.ROUTES,
    *zip_route.ROUTES,
    *removebg.ROUTES,
]
log = logging.getLogger("matte.server")


def make_app(options: ServerOptions) -> "CountedApp":
    """Return the application; its state begins and ends with the server's."""
    sweeps = SweepJobs()
    state = make_state(options, sweeps.forget_picture)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        state.channels.start(asyncio.get_running_loop())
        tasks = [asyncio.create_task(_warm_up(state)), asyncio.create_task(_forget_old(state))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            state.close()

    app = Starlette(
        routes=ROUTES,
        exception_handlers={
            ProblemError: _tell_error,
            MatteError: _tell_error,
            JobStoppedError: _tell_nobody,
            HTTPException: _tell_http_error,
            Exception: _tell_error,
        },
        lifespan=lifespan,
    )
    app.state.matte = state
    app.state.sweeps = sweeps
    app.state.page = page_files.read_page()
    app.state.openapi = openapi_document(options)
    within_room = RoomForBodies(app, state.store)
    return CountedApp(Guard(within_room, options, state.access, respond), state, ROUTES)


class CountedApp:
    """Counts requests by their route and status."""

    def __init__(self, app: ASGIApp, state: ServerState, routes: Sequence[Route]) -> None:
        self.state, self.routes = state, tuple(routes)
        self._app, self._metrics = app, state.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it once its answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                endpoint = scope.get("endpoint")
                route = getattr(endpoint, "__name__", "none")
                self._metrics.request_ended(route, message["status"])
            await send(message)

        await self._app(scope, receive, send_counted)


async def _warm_up(state: ServerState) -> None:
    """Open the networks and run them once, so that nobody's first picture waits for that."""
    pixels = np.random.default_rng(0).integers(0, 255, (*WARM_UP_SIZE, 3), np.uint8)

    def run() -> None:
        build(state.settings, state.networks).find_alpha(Photo(Image(pixels)))

    try:
        await state.queue.run(None, run)
        state.is_ready = True
    except (MatteError, ProblemError) as error:
        log.error("the networks can't be loaded: %s", error)


async def _forget_old(state: ServerState) -> None:
    """Look now and then for pictures whose time is over."""
    while True:
        await asyncio.sleep(min(SWEEP_UP_SECONDS, state.options.forget_after_seconds))
        with suppress(OSError):
            state.store.forget_old()


def respond(path: str, problem: ProblemError) -> Response:
    """Return a problem in the form that the path's clients know."""
    if path.startswith(removebg.PREFIX):
        return removebg.response_of(problem)
    return problem.response()


async def _tell_error(request: Request, error: Exception) -> Response:
    """Tell what went wrong."""
    return respond(request.url.path, problem_of(error))


async def _tell_nobody(request: Request, error: Exception) -> Response:
    """Answer a client that has gone away."""
    return Response(status_code=CLIENT_GONE)


async def _tell_http_error(request: Request, error: Exception) -> Response:
    """Tell what the router raises: no such place, no such method."""
    assert isinstance(error, HTTPException)
    response = respond(request.url.path, ProblemError(error.status_code, error.detail.lower()))
    response.headers.update(error.headers or {})
    return response
