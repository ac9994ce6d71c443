from pathlib import Path

import pytest

from matte.errors import SettingError
from matte.stores.s3 import S3Store
from matte.stores.s3_clients import server_name
from matte.stores.s3_settings import s3_keys, s3_region, s3_server
from tests.stores.s3_server import KEY, SECRET, S3Server

CONFIG = f"""
[default]
region = eu-central-1
[profile work]
endpoint_url = https://work.example
region = eu-west-1
s3 =
  max_concurrent_requests = 20
aws_access_key_id = {KEY}
aws_secret_access_key = {SECRET}
[profile role]
role_arn = arn:aws:iam::1:role/reader
source_profile = work
"""
CREDENTIALS = """
[default]
aws_access_key_id = of-default
aws_secret_access_key = secret
aws_session_token = token
[other]
aws_access_key_id = of-other
aws_secret_access_key = secret
"""


@pytest.fixture
def files(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """AWS's own files, and nothing in the environment but their names."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, text in (("AWS_CONFIG_FILE", CONFIG), ("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS)):
        (tmp_path / name).write_text(text.replace("https://work.example", s3.endpoint))
        monkeypatch.setenv(name, str(tmp_path / name))
    return s3


def test_a_profile_says_what_the_environment_does_not(
    files: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert s3_keys()["AWS_ACCESS_KEY_ID"] == "of-default"
    assert s3_keys()["AWS_SESSION_TOKEN"] == "token"
    assert (s3_region(), s3_server()) == ("eu-central-1", "")
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert s3_keys() == {"AWS_ACCESS_KEY_ID": "of-other", "AWS_SECRET_ACCESS_KEY": "secret"}
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert (s3_region(), s3_server(), server_name()) == (
        "eu-west-1",
        files.endpoint,
        files.endpoint,
    )
    files.put("bucket", "a.jpg", b"whole")
    files.put("bucket", "b//c.jpg", b"")
    assert S3Store("bucket").read("a.jpg").data == b"whole"
    with pytest.warns(match="left out"):
        assert [found.name for found in S3Store("bucket").objects()] == ["a.jpg"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://another.example")
    assert s3_keys()["AWS_ACCESS_KEY_ID"] == "of-environment"
    assert (s3_region(), s3_server()) == ("us-west-2", "https://another.example")


def test_what_a_profile_can_not_say_is_one_line(
    files: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "role")
    with pytest.raises(SettingError, match=r"profile role has no keys.*credentials --profile role"):
        S3Store("bucket").read("a.jpg")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")
    assert s3_keys() == {}
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(SettingError, match=r"no file in ~/\.aws has a profile nobody: correct AWS"):
        S3Store("bucket").facts("a.jpg")
    (tmp_path / "AWS_CONFIG_FILE").write_text("no section")
    with pytest.raises(SettingError, match=r"AWS_CONFIG_FILE can't be read: correct it, or name"):
        s3_region()


def test_without_files_nothing_is_said(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nowhere")
    assert s3_keys() == {}
    assert s3_region() == ""
