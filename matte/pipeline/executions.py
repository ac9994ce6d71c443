"""How the networks run: chosen once for all processes, so that all give the same pixels."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from matte.configs.loader import TRIMAP_FREE, MergedSettings, with_video_networks
from matte.configs.settings import Config
from matte.errors import WeightsError
from matte.pipeline.networks import OpenNetwork, network_execution, open_network
from matte.refiner import REFINERS
from matte.runtime.execution import Execution

Executions = dict[str, Execution]  # by network_key


def network_key(kind: str, name: str) -> str:
    """Return what executions call a network: `segmenter subject`."""
    return f"{kind} {name}"


class PinnedNetworks:
    """Opens networks by the executions that they have; others as the settings say."""

    def __init__(self, config: Config, executions: Mapping[str, Execution]) -> None:
        self._settings, self._executions = config.runtime, executions

    def network(self, kind: str, name: str) -> OpenNetwork:
        """Return the network, ready to run; raises whatever opening it raises."""
        settings, pinned = self._settings, self._executions.get(network_key(kind, name))
        if pinned is not None:
            values: dict[str, Any] = asdict(pinned)
            del values["why"]
            settings = replace(settings, **values)
        found = open_network(kind, name, settings)
        if pinned is not None:
            found.session.execution = pinned  # the same, and why it was chosen
        return found


def choose_executions(merged: MergedSettings, has_clips: bool) -> Executions:
    """Return how the networks of the settings run on this machine.

    Those are opened of which it was never measured.
    """
    found: Executions = {}
    settings = [merged, with_video_networks(merged)] if has_clips else [merged]
    for each in settings:
        for kind, name in _network_names(each.config):
            key = network_key(kind, name)
            if key not in found:
                found[key] = network_execution(kind, name, each.config.runtime)
    fallback = merged.config.pipeline.fallback != "none" and not merged.config.modnet.modnet
    if fallback:
        with suppress(WeightsError):  # nothing falls back then, and the results say so
            modnet = network_execution("modnet", TRIMAP_FREE, merged.config.runtime)
            found[network_key("modnet", TRIMAP_FREE)] = modnet
    return found


def _network_names(config: Config) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each network that the settings name."""
    if config.modnet.modnet:
        yield "modnet", config.modnet.modnet
        return
    yield "segmenter", config.segmentation.segmenter
    if config.refiner.refiner not in REFINERS:
        yield "refiner", config.refiner.refiner
