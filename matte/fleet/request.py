"""What a fleet makes: one or more variants of every photo and clip, each in a folder of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from matte.compositing.backgrounds import PictureFile
from matte.configs.loader import MergedSettings, with_video_networks, written_values
from matte.configs.settings import SETTINGS
from matte.photos.fingerprint import run_fingerprint
from matte.photos.finishing import FinishOptions
from matte.photos.locations import Location, stored_files
from matte.runtime.execution import Execution
from matte.stores.protocol import Store


@dataclass(frozen=True, slots=True, eq=False)
class FleetVariant:
    """One way to make the results: its settings, finish, and the folder that they go to.

    `ground` is the background as clips name it. `executions` say how each network runs, by
    `network_key`; None: each worker chooses.
    """

    name: str
    settings: MergedSettings
    finish: FinishOptions
    results: Location
    ground: str = "transparent"
    ending: str = ".png"
    executions: Mapping[str, Execution] | None = None

    def fingerprint(self, has_clips: bool) -> dict[str, Any]:
        """Return what the results depend on besides their sources, as `matte image` has it."""
        found = run_fingerprint(self.settings, self.finish, self.ending)
        if has_clips:
            values = written_values(with_video_networks(self.settings).config)
            names = [name for name in values if SETTINGS[name].section == "video"]
            found["video"] = {name: values[name] for name in names}
        if self.executions is not None:
            found["executions"] = {key: str(value) for key, value in self.executions.items()}
        return found


@dataclass(frozen=True, slots=True, eq=False)
class FleetRequest:
    """Photos and clips below a folder, and what is to be made of them."""

    source: Location
    variants: tuple[FleetVariant, ...]
    overwrite: bool = False
    has_clips: bool = False
    fingerprints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def variant(self, name: str) -> FleetVariant:
        """Return the variant of that name."""
        return next(each for each in self.variants if each.name == name)

    def stores(self) -> set[Store]:
        """Return the stores that are read from and written to."""
        places = [self.source, *(each.results for each in self.variants)]
        return {place.store for place in stored_files(places)}

    def store_retries(self) -> int:
        """Return how many calls to the stores this process had to make again until now."""
        return sum(store.retries for store in self.stores())

    def with_executions(
        self, executions: Mapping[str, Mapping[str, Execution]] | None
    ) -> "FleetRequest":
        """Return the request with its networks' executions by variant, and its fingerprints.

        None leaves the executions to each worker.
        """
        variants = self.variants
        if executions is not None:
            variants = tuple(replace(v, executions=dict(executions[v.name])) for v in variants)
        prints = {v.name: v.fingerprint(self.has_clips) for v in variants}
        return replace(self, variants=variants, fingerprints=prints)


def with_absolute_paths(finish: FinishOptions) -> FinishOptions:
    """Return the finish with a background that workers find from any folder."""
    behind = finish.background
    if not isinstance(behind, PictureFile):
        return finish
    return replace(finish, background=PictureFile(behind.path.absolute()))
