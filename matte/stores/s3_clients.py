"""The connections to a bucket, as the environment or a profile describes them."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from matte.errors import BackendError, SettingError, StoreError, install_command
from matte.limits import (
    MAX_CONNECT_SECONDS,
    MAX_SILENCE_SECONDS,
    MAX_STORE_TRIES,
    MAX_UPLOAD_CALL_SECONDS,
)
from matte.stores.retrying import FIRST_WAIT_SECONDS
from matte.stores.s3_settings import s3_keys, s3_region, s3_server

if TYPE_CHECKING:
    from obstore.store import S3Store as Client

AMAZON = "Amazon's S3"


@dataclass(frozen=True, slots=True)
class CallTimes:
    """How long a call may take, in seconds, and be silent; and the first wait before another."""

    connect: float = MAX_CONNECT_SECONDS
    silence: float = MAX_SILENCE_SECONDS
    upload: float = MAX_UPLOAD_CALL_SECONDS
    first_wait: float = FIRST_WAIT_SECONDS


DEFAULT_TIMES = CallTimes()


class S3Clients:
    """Clients of a bucket, each made when it is first used."""

    def __init__(self, bucket: str, times: CallTimes) -> None:
        self._bucket, self._times = bucket, times

    @cached_property
    def reader(self) -> "Client":
        """The client that lists and reads: it waits as long as bytes come."""
        return self._client(timeout=timedelta(days=1), read_timeout=self._seconds("silence"))

    @cached_property
    def writer(self) -> "Client":
        """The client that writes: while it sends, nothing comes."""
        return self._client(timeout=self._seconds("upload"))

    @cached_property
    def part_writer(self) -> "Client":
        """The client that writes parts, each of which it tries several times by itself."""
        return self._client(MAX_STORE_TRIES - 1, timeout=self._seconds("upload"))

    def _client(self, retries: int = 0, **options: Any) -> "Client":
        """Return a client with what the environment says, or else a profile."""
        import_obstore()
        from obstore.store import S3Store as Client

        options["connect_timeout"] = self._seconds("connect")
        options["allow_http"] = server_name().startswith("http://")
        first = timedelta(seconds=self._times.first_wait)
        named = {"aws_endpoint": s3_server(), "aws_region": s3_region()}
        named |= {name.lower(): value for name, value in s3_keys().items()}
        try:
            return Client(
                self._bucket,
                config={  # type: ignore[arg-type]  # put together here
                    "copy_if_not_exists": "multipart",
                    "disable_bulk_delete": True,
                    **{name: value for name, value in named.items() if value},
                },
                client_options=options,  # type: ignore[arg-type]  # put together here
                retry_config={"max_retries": retries, "backoff": {"init_backoff": first}},
            )
        except Exception as error:
            cause = f"the settings for s3://{self._bucket} can't be used"
            remedy = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION"
            raise StoreError(cause, remedy) from error

    def _seconds(self, name: str) -> timedelta:
        """Return one of the times for a client."""
        return timedelta(seconds=getattr(self._times, name))


def import_obstore() -> Any:
    """Return the library; raise BackendError if it is not installed."""
    try:
        import obstore
    except ModuleNotFoundError as error:
        raise BackendError("s3:// needs obstore", install_command("stores")) from error
    return obstore


def server_name() -> str:
    """Return what messages call the server that is named, without any secrets.

    Raises SettingError if it is no address.
    """
    text = s3_server()
    if not text:
        return AMAZON
    with suppress(ValueError):
        url = urlsplit(text)
        port = "" if url.port is None else f":{url.port}"
        if url.scheme in ("http", "https") and url.hostname:
            return f"{url.scheme}://{url.hostname}{port}"
    raise SettingError("AWS_ENDPOINT_URL is no address", "write it as https://host:port")
