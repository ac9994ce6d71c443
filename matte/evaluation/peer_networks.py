"""Other people's networks, to compare with."""

from collections.abc import Sequence
from pathlib import Path

from matte.configs.settings import RuntimeSettings
from matte.errors import SettingError
from matte.pipeline.networks import open_network
from matte.pipeline.peer import PeerNetwork


def open_peer_networks(
    tomls: Sequence[Path], runtime: RuntimeSettings, with_trimap: bool
) -> list[PeerNetwork]:
    """Return the networks that TOML files describe, ready to run.

    Raises SettingError for one that needs a trimap, unless there is one.
    """
    peers = [PeerNetwork(open_network("peer", str(toml), runtime)) for toml in tomls]
    for peer in peers:
        if peer.needs_trimap and not with_trimap:
            raise SettingError(f"{peer.name} needs a trimap", "compare it with a refiner")
    return peers
