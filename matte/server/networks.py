"""One set of networks for all requests: each is opened once and kept."""

from collections import defaultdict
from threading import Lock

from matte.configs.settings import RuntimeSettings
from matte.pipeline.networks import OpenNetwork, open_network


class SharedNetworks:
    """Opens each network when it is first asked for; others wait, and share it."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self._settings = settings
        self._open: dict[tuple[str, str], OpenNetwork] = {}
        self._opening: defaultdict[tuple[str, str], Lock] = defaultdict(Lock)

    def network(self, kind: str, name: str) -> OpenNetwork:
        """Return the network, ready to run; raises whatever opening it raises."""
        key = kind, name
        with self._opening[key]:
            if key not in self._open:
                self._open[key] = open_network(kind, name, self._settings)
            return self._open[key]
