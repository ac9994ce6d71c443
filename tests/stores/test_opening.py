import subprocess
import sys
from pathlib import Path

import pytest

from matte.errors import SettingError
from matte.stores.opening import is_store_address, open_store, split_address


def test_a_text_names_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert open_store(tmp_path).address("a") == open_store(str(tmp_path)).address("a")
    assert open_store("s3://bucket/a/b/").address("c.jpg") == "s3://bucket/a/b/c.jpg"
    assert open_store("s3://bucket").address() == "s3://bucket"
    assert not is_store_address("s3:/bucket")
    assert split_address("s3://my.bucket-1") == ("my.bucket-1", "")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("gs://bucket/a", "gs:// names no store"),
        ("https://host/a.jpg", "https:// is on the web: download it first"),
        ("HTTP://host/a.jpg?key=1234", "HTTP:// is on the web: download it first"),
        ("s3://", "names no bucket"),
        ("s3:///a", "names no bucket"),
        ("s3://b?x/a", "names no bucket"),
        ("s3://bucket/a.jpg?X-Amz-Signature=1234", "holds no signature"),
    ],
)
def test_addresses_that_name_no_store(text: str, match: str) -> None:
    with pytest.raises(SettingError, match=match) as caught:
        open_store(text)
    assert "1234" not in str(caught.value)


def test_keys_in_an_address_are_refused_and_not_printed() -> None:
    with pytest.raises(SettingError, match="holds no keys") as caught:
        open_store("s3://AKIAKEY:verysecret@bucket/a")
    assert "secret" not in str(caught.value)
    assert "AKIA" not in str(caught.value)


def test_nothing_is_imported_or_asked_before_a_call() -> None:
    code = (
        "import sys, matte, matte.stores.opening as o; o.open_store('s3://bucket/a');"
        "assert 'obstore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
