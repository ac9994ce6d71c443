"""What a server may do, and how much of everything it may take."""

import ipaddress
from dataclasses import dataclass, field

from matte.configs.loader import MergedSettings, merge_settings
from matte.errors import SettingError
from matte.server.bounds import refuse_mask_file

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
WILDCARDS = frozenset({"0.0.0.0", "::", "[::]", ""})  # every address of the machine


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """A server's address, who may use it, and its bounds.

    `token` is what clients have to show; "" lets everybody in who reaches the address.
    `allowed_hosts` are further names that a Host header may have, such as a proxy's.
    `jobs` pictures are worked on at once, and `max_waiting` requests wait.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    allowed_hosts: tuple[str, ...] = ()
    settings: MergedSettings = field(default_factory=merge_settings)
    jobs: int = 1
    max_waiting: int = 64
    max_job_seconds: float = 300.0
    max_upload_bytes: int = 100 << 20
    max_stored_bytes: int = 2 << 30
    max_cached_bytes: int = 1 << 30
    forget_after_seconds: float = 30 * 60

    def __post_init__(self) -> None:
        refuse_mask_file(self.settings.config.segmentation.subject)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return is_loopback(self.host)

    def check_access(self, open_to_all: bool) -> None:
        """Raise SettingError for an address that others reach, without a token or their consent."""
        if not (self.is_loopback or self.token or open_to_all):
            raise SettingError(
                f"everybody who reaches {self.host} could use the server",
                "give a secret word by --token-file, MATTE_TOKEN or --new-token, or say --no-token",
            )


def is_loopback(host: str) -> bool:
    """Return whether a host's name or address is this machine's own."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
