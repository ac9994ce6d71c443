"""How many processors a container pays for, as Linux's control groups tell it."""

from pathlib import Path

import pytest

from matte.runtime.threads import usable_threads


@pytest.mark.parametrize(
    ("own", "files", "threads"),
    [
        (None, {"cpu.max": "150000 100000"}, 2),
        (None, {"cpu.max": "max 100000"}, 5),
        (None, {}, 5),
        ("0::/a/b\n", {"a/b/cpu.max": "100000 100000", "cpu.max": "400000 100000"}, 1),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3),
        ("0::/a\n", {"b/cpu.max": "100000 100000"}, 5),
        ("2:cpu,cpuacct:/a\n", {"cpu,cpuacct/a": (250000, 100000)}, 3),
        ("1:cpuset:/\n3:cpu:/a/b\n0::/\n", {"cpu/a/b": (-1, 100000), "cpu/a": (200000, 100000)}, 2),
        ("3:cpu:/of/the/host\n", {"cpu": (100000, 100000)}, 1),
        ("3:cpuacct:/a\n", {"cpu/a": (100000, 100000)}, 5),
        ("nonsense\n", {"cpu.max": "9 0"}, 5),
    ],
)
def test_no_more_threads_than_the_least_limit(
    own: str | None,
    files: dict[str, str | tuple[int, int]],
    threads: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(5)), raising=False)
    monkeypatch.setattr("matte.runtime.threads.CONTROL_GROUPS", tmp_path / "groups")
    monkeypatch.setattr("matte.runtime.threads.OWN_GROUPS_FILE", tmp_path / "own")
    if own is not None:
        (tmp_path / "own").write_text(own)
    for name, told in files.items():
        file = tmp_path / "groups" / name
        if isinstance(told, str):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(told)
            continue
        file.mkdir(parents=True, exist_ok=True)
        for part, value in zip(("quota", "period"), told, strict=True):
            (file / f"cpu.cfs_{part}_us").write_text(f"{value}\n")
    assert usable_threads() == threads
