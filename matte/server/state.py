"""What all requests of a server share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from matte.configs.loader import MergedSettings
from matte.media.pictures import Photo, decode_photo
from matte.pipeline.build import max_pixels
from matte.server.asked import Asked
from matte.server.cache import StepCache
from matte.server.events import Channels
from matte.server.guard import Access
from matte.server.jobs import JobQueue
from matte.server.metrics import Metrics
from matte.server.networks import SharedNetworks
from matte.server.options import ServerOptions
from matte.server.results import Made, make_result
from matte.server.steps import PictureSource, PictureSteps
from matte.server.store import PictureStore, StoredPicture


@dataclass(slots=True, eq=False)
class ServerState:
    """The networks, the queue, the pictures and the counters of a server."""

    options: ServerOptions
    access: Access
    networks: SharedNetworks
    queue: JobQueue
    store: PictureStore
    cache: StepCache
    channels: Channels
    metrics: Metrics
    is_ready: bool = field(default=False)

    @property
    def settings(self) -> MergedSettings:
        """The settings that a client's own are put on."""
        return self.options.settings

    @property
    def max_pixels(self) -> int:
        """How many pixels a picture may have."""
        return max_pixels(self.settings.config)

    def decode(self, data: bytes, name: str) -> Photo:
        """Return the photo that a file's bytes hold."""
        return decode_photo(data, name or "the picture", self.max_pixels)

    def source_of(self, picture: StoredPicture) -> PictureSource:
        """Return a stored picture as one to work on."""
        return PictureSource(
            picture.id,
            picture.name or "the picture",
            lambda: self.decode(picture.read(), picture.name),
            picture.strokes,
        )

    def steps(
        self, source: PictureSource, settings: MergedSettings, is_quick: bool = False
    ) -> PictureSteps:
        """Return the steps of a picture with these settings."""
        return PictureSteps(source, settings, is_quick, self.networks, self.cache)

    def make(
        self, source: PictureSource, asked: Asked, others: Mapping[str, Photo] | None = None
    ) -> Made:
        """Return a picture's result; `others` are backgrounds that came with the request."""

        def read_picture(id_: str) -> Photo:
            if others and id_ in others:
                return others[id_]
            return self.source_of(self.store.get(id_)).read()

        steps = self.steps(source, asked.settings, asked.is_quick)
        made = make_result(steps, asked, read_picture)
        self.metrics.stages_ran(made.ms)
        return made

    def gauges(self) -> dict[str, float]:
        """Return the numbers that go up and down, for /metrics."""
        return {
            "queue_length": self.queue.waiting,
            "pictures_stored": self.store.count,
            "stored_bytes": self.store.stored_bytes,
            "cached_bytes": self.cache.kept_bytes,
            "event_listeners": self.channels.count,
        }

    def close(self) -> None:
        """Forget everything."""
        self.queue.close()
        self.store.close()


def make_state(options: ServerOptions, on_forget: Callable[[str], None]) -> ServerState:
    """Return the state of a server that has not begun yet.

    `on_forget` is told the id of each picture that goes, in any thread.
    """
    metrics, channels = Metrics(), Channels()
    # A job may go on with a picture that has just been forgotten: nothing of it is kept then.
    cache = StepCache(options.max_cached_bytes, lambda id_: store.has(id_))

    def forget(id_: str) -> None:
        cache.forget(id_)
        channels.end(id_)
        on_forget(id_)

    store = PictureStore(options.max_stored_bytes, options.forget_after_seconds, forget)
    return ServerState(
        options,
        Access(options.token),
        SharedNetworks(options.settings.config.runtime),
        JobQueue(options.jobs, options.max_waiting, options.max_job_seconds, metrics),
        store,
        cache,
        channels,
        metrics,
    )
