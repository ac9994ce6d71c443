"""A store by what a user calls it: a folder's path, or s3://bucket/folder."""

import re
from pathlib import Path

from matte.errors import SettingError, web_address_error
from matte.stores.folder import FolderStore
from matte.stores.protocol import Store
from matte.stores.s3 import S3Store

WEB_SCHEMES = ("http:", "https:", "ftp:")
S3_SCHEME = "s3://"
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
BUCKET = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,254}")


def is_store_address(text: str) -> bool:
    """Return whether a text names an object store, and no file or folder.

    >>> is_store_address("s3://bucket/folder"), is_store_address("folder/s3")
    (True, False)
    """
    return SCHEME.match(text) is not None


def open_store(text: str | Path) -> Store:
    """Return the store that a text names; nothing is asked of it yet.

    >>> open_store("s3://bucket/folder").address("a.jpg")
    's3://bucket/folder/a.jpg'
    """
    if isinstance(text, Path) or not is_store_address(text):
        return FolderStore(Path(text))
    return S3Store(*split_address(text))


def split_address(text: str) -> tuple[str, str]:
    """Return the bucket and the name in it of an s3:// address, without slashes at its ends.

    >>> split_address("s3://bucket/folder/a.jpg")
    ('bucket', 'folder/a.jpg')
    """
    if not text.startswith(S3_SCHEME):
        scheme = text.partition("//")[0]
        if scheme.lower() in WEB_SCHEMES:
            raise web_address_error(text)
        raise SettingError(f"{scheme}// names no store that is known", "give an s3:// address")
    bucket, _, name = text.removeprefix(S3_SCHEME).partition("/")
    if "@" in bucket or ":" in bucket:
        raise SettingError(
            "an s3:// address holds no keys and no host",
            "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL",
        )
    if not BUCKET.fullmatch(bucket):
        raise SettingError(f"{text} names no bucket", "write it as s3://bucket/folder")
    if "?" in name and "X-Amz-" in name:
        raise SettingError("an s3:// address holds no signature", "write it as s3://bucket/folder")
    return bucket, name.strip("/")
