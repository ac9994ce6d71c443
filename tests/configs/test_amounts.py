import pytest

from matte.configs.amounts import parse_bitrate, parse_bytes
from matte.errors import SettingError


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1),
        ("800", 800),
        ("4e9", 4_000_000_000),
        ("2GiB", 2 << 30),
        ("2G", 2 << 30),
        ("2g", 2 << 30),
        (" 2 gib ", 2 << 30),
        ("2GB", 2_000_000_000),
        ("1500MB", 1_500_000_000),
        ("1.5k", 1536),
        ("0.5MiB", 1 << 19),
        ("3.T", 3 << 40),
        ("7b", 7),
    ],
)
def test_amounts_as_they_are_written(text: str, amount: int) -> None:
    assert parse_bytes(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "0", "0G", "0.4", "-1G", "+1G", "much", "2 GiB more", "2GG", "2P", "nan", "inf"),
        *("1,5G", ".5G", "1e", "1e999", "9e99", "9" * 500, "1" * 30, "2\n3", "٢G", "0x10", "1_000"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="is not an amount of memory: give one such as 2GiB"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("8M", 8_000_000),
        ("2.5m", 2_500_000),
        ("800k", 800_000),
        ("128000", 128_000),
        (" 1 M ", 10**6),
    ],
)
def test_bitrates_as_they_are_written(text: str, bits: int) -> None:
    assert parse_bitrate(text) == bits


@pytest.mark.parametrize("text", ["", "0", "999", "fast", "-8M", "8G", "8Mb/s", "9e6", "3000M"])
def test_what_is_no_bitrate_is_said(text: str) -> None:
    with pytest.raises(SettingError, match="is not a bitrate"):
        parse_bitrate(text)
