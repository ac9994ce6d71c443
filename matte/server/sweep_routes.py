"""Sweeps: settings of the band compared on a picture, as a job that goes on without its client."""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from matte.arrays import Alpha, Image
from matte.compositing.foreground import estimate_foreground
from matte.configs.loader import MergedSettings
from matte.configs.stage_settings import BAND_WORDS
from matte.errors import MatteError
from matte.imaging.resizing import resize, scaled_size
from matte.limits import MAX_SWEEP_PIXELS, MAX_SWEEP_SETTINGS
from matte.media.pictures import Photo
from matte.pipeline.build import build_two_stage
from matte.server.answers import result_response, state_of
from matte.server.asked import Asked, parse_asked
from matte.server.picture_routes import asked_by
from matte.server.problems import ProblemError, problem_of
from matte.server.results import Made, make_preview
from matte.server.state import ServerState
from matte.server.store import StoredPicture
from matte.server.uploads import read_json
from matte.sweeps.run import Sweep, sweep, sweep_settings

log = logging.getLogger("matte.server")
MAX_JOBS = 32  # whose results are kept
PREVIEW_SIDE = 640  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A setting's result, small."""

    colours: Image
    alpha: Alpha


@dataclass(slots=True, eq=False)
class SweepJob:
    """A sweep that waits, runs or has ended."""

    id: str
    picture: str
    of: int
    state: str = "waiting"
    done: int = 0
    problem: dict[str, Any] | None = None
    settings: list[dict[str, Any]] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    def as_json(self) -> dict[str, Any]:
        """Return what a client is told."""
        document = {
            "id": self.id,
            "picture": self.picture,
            "state": self.state,
            "done": self.done,
            "of": self.of,
            "settings": self.settings,
        }
        return document if self.problem is None else document | {"problem": self.problem}


class SweepJobs:
    """The sweeps of a server, the oldest forgotten first."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, SweepJob] = OrderedDict()

    def add(self, picture: str, of: int) -> SweepJob:
        """Return a new job."""
        job = SweepJob(secrets.token_urlsafe(18), picture, of)
        self._jobs[job.id] = job
        while len(self._jobs) > MAX_JOBS:
            self.cancel(next(iter(self._jobs)))
        return job

    def get(self, state: ServerState, id_: str) -> SweepJob:
        """Return a job whose picture is still here; raise ProblemError if it is gone."""
        job = self._jobs.get(id_)
        if job is None:
            raise ProblemError(404, "there is no such job here", "start it again")
        state.store.get(job.picture)
        return job

    def cancel(self, id_: str) -> None:
        """Stop a job and forget it; one that is gone is no error."""
        job = self._jobs.pop(id_, None)
        if job is not None and job.task is not None:
            job.task.cancel()

    def forget_picture(self, id_: str) -> None:
        """Stop and forget the jobs on a picture; may be called in any thread."""
        for job in list(self._jobs.values()):
            if job.picture != id_:
                continue
            self._jobs.pop(job.id, None)
            if job.task is not None:
                with suppress(RuntimeError):  # the loop is closed
                    job.task.get_loop().call_soon_threadsafe(job.task.cancel)


def _jobs_of(request: Request) -> SweepJobs:
    """Return the server's sweeps."""
    jobs: SweepJobs = request.app.state.sweeps
    return jobs


async def post_sweep(request: Request) -> Response:
    """Begin a sweep over a picture."""
    state, jobs = state_of(request), _jobs_of(request)
    picture = state.store.get(request.path_params["id"])
    document = await read_json(request)
    if not isinstance(document, dict):
        raise ProblemError(400, "the body is no JSON object", 'send {"k": ["auto", 7, 12]}')
    axes = {name: document.get(name, []) for name in ("k", "iterations", "width")}
    values = {n: _as_text(n, v) for n, v in document.items() if n not in axes}
    asked = parse_asked("composite", values, state.settings)
    bands = sweep_settings(
        _checked("k", axes["k"]),
        _checked("iterations", axes["iterations"]),
        _checked("width", axes["width"]),
        asked.settings.config.trimap,
    )
    if len(bands) > MAX_SWEEP_SETTINGS:
        raise ProblemError(413, f"a sweep over {len(bands)} settings", "give fewer")
    if len(bands) * picture.width * picture.height > MAX_SWEEP_PIXELS:
        cause = f"a sweep over {len(bands)} settings of so large a picture"
        raise ProblemError(413, cause, "give fewer settings, or a smaller picture")
    if asked.settings.config.modnet.modnet is not None:
        raise ProblemError(409, "a MODNet has no band", "leave modnet out")
    job = jobs.add(picture.id, len(bands))
    job.task = asyncio.create_task(_run(state, job, picture, asked.settings, bands))
    return JSONResponse(job.as_json(), 202, {"Location": f"/v1/jobs/{job.id}"})


async def _run(
    state: ServerState,
    job: SweepJob,
    picture: StoredPicture,
    settings: MergedSettings,
    bands: Sequence[Any],
) -> None:
    """Run a job to its end, whatever that is, and tell whoever listens."""

    def report_progress(done: int, of: int) -> None:
        job.state, job.done, job.of = "running", done, of
        state.channels.send(job.id, "progress", {"done": done, "of": of})

    def work() -> None:
        photo = state.decode(picture.read(), picture.name)
        line = build_two_stage(settings.config, state.networks)
        found = sweep(photo, bands, line, report_progress)
        job.settings, job.previews = _rows(job.id, found), _previews(photo, found)

    try:
        await state.queue.run(None, work)
        job.state = "done"
        state.channels.send(job.id, "done", job.as_json())
    except Exception as error:  # the job must not seem to run for ever
        if not isinstance(error, ProblemError | MatteError):
            log.exception("a sweep failed")
        job.state, job.problem = "failed", problem_of(error).as_json()
        state.channels.send(job.id, "failed", job.problem)
    except asyncio.CancelledError:
        job.state = "cancelled"
        state.channels.send(job.id, "failed", {"detail": "it was stopped"})
    finally:
        state.channels.end(job.id)


def _rows(job: str, found: Sweep) -> list[dict[str, Any]]:
    """Return what a client is told of each setting."""
    rows = []
    for place, score in enumerate(found.scores):
        band = score.band
        named: dict[str, int | str] = {"k": band.k}
        if band.width:
            named = {"width": str(band.width)}
        if not band.width and not isinstance(band.k, str):
            named["iterations"] = band.iterations
        rows.append(
            {
                "name": score.name,
                "set": named,
                "unknown": score.unknown,
                "error": score.error,
                "instability": score.instability,
                "ms": score.ms,
                "doubt": score.doubt,
                "best": place == found.choice.best,
                "preview": f"/v1/jobs/{job}/previews/{place}",
            }
        )
    return rows


def _previews(photo: Photo, found: Sweep) -> list[Preview]:
    """Return each setting's result as a small picture."""
    scale = min(1.0, PREVIEW_SIDE / max(photo.pixels.shape[:2]))
    size = scaled_size(photo.pixels.shape, scale)
    small = Image(resize(photo.pixels, *size))
    alphas = [Alpha(np.clip(resize(alpha, *size), 0, 1)) for alpha in found.alphas]
    return [Preview(estimate_foreground(small, alpha), alpha) for alpha in alphas]


async def get_job(request: Request) -> Response:
    """Tell of a job."""
    job = _jobs_of(request).get(state_of(request), request.path_params["id"])
    return JSONResponse(job.as_json())


async def delete_job(request: Request) -> Response:
    """Stop a job and forget it."""
    _jobs_of(request).cancel(request.path_params["id"])
    return Response(status_code=204)


async def get_job_events(request: Request) -> Response:
    """Tell how far a job is, until it ends."""
    state = state_of(request)
    return state.channels.stream(_jobs_of(request).get(state, request.path_params["id"]).id)


async def get_preview(request: Request) -> Response:
    """Give the small result of one of a job's settings."""
    state = state_of(request)
    job = _jobs_of(request).get(state, request.path_params["id"])
    asked: Asked = asked_by(request, "composite", state)
    place = request.path_params["place"]
    if place >= len(job.previews):
        raise ProblemError(404, "there is no such preview yet", "wait until the job is done")
    preview = job.previews[place]

    def make() -> Made:
        return make_preview(preview.colours, preview.alpha, asked)

    return result_response(await state.queue.run(request, make), asked, f"sweep-{place}")


def _as_text(name: str, value: Any) -> str:
    """Return a setting's value in a JSON document as a query would have it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    raise ProblemError(400, f"{name[:60]!r} is neither a text nor a number")


def _checked(name: str, values: Any) -> list[Any]:
    """Return the values of an axis of the sweep; raise ProblemError for what can't be one."""
    if not isinstance(values, list) or len(values) > MAX_SWEEP_SETTINGS:
        raise ProblemError(400, f"{name} is no list of up to {MAX_SWEEP_SETTINGS}")
    kinds: tuple[type, ...] = (str,) if name == "width" else (int,)
    for value in values:
        is_word = name == "k" and value in BAND_WORDS
        if isinstance(value, bool) or not (isinstance(value, kinds) or is_word):
            raise ProblemError(400, f"{name} holds {str(value)[:40]!r}", "see the documentation")
    return values


ROUTES = [
    Route("/v1/pictures/{id}/sweep", post_sweep, methods=["POST"]),
    Route("/v1/jobs/{id}", get_job, methods=["GET"]),
    Route("/v1/jobs/{id}", delete_job, methods=["DELETE"]),
    Route("/v1/jobs/{id}/events", get_job_events, methods=["GET"]),
    Route("/v1/jobs/{id}/previews/{place:int}", get_preview, methods=["GET"]),
]
