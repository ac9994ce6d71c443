"""The container: its Dockerfile's steps in an empty folder, as far as they go without an engine.

`make test-wheel` runs what installs packages. Not run here: the base image, and what an engine
makes: another user, a network, a root file system that can't be written.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
STRANGER = 10001  # the user of the container
CACHES = shutil.ignore_patterns("__pycache__")
STEP = re.compile(r"^([A-Z]+)\s+((?:.*\\\n)*.*)$", re.MULTILINE)


def steps() -> list[tuple[str, str]]:
    """Returns the instructions of the Dockerfile with their arguments."""
    return STEP.findall((ROOT / "Dockerfile").read_text())


def argument(word: str) -> str:
    """Returns the argument of an instruction that comes once."""
    (found,) = [text for name, text in steps() if name == word]
    return found


def test_the_base_is_one_version() -> None:
    bases = {text.split()[0] for name, text in steps() if name == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases.pop())


def test_it_starts_as_nobody_special_with_a_token() -> None:
    assert argument("USER") == f"{STRANGER}:{STRANGER}"
    assert "--new-token" in json.loads(argument("ENTRYPOINT"))


def test_the_service_is_for_this_machine_alone_and_may_write_nothing() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["matte"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "volumes", "network_mode", "user"} & set(service)


def test_what_is_copied_is_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    copied = {
        source.removeprefix("./")
        for name, text in steps()
        if name == "COPY" and not text.startswith("--from")
        for source in text.split()[:-1]
    }
    assert copied <= kept
    assert all((ROOT / name).exists() for name in kept)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the steps of the build were done; its places are below it."""
    folder = tmp_path_factory.mktemp("image")
    work = folder
    for name, text in steps():
        if name == "WORKDIR":
            work = folder / text.strip("/")
            work.mkdir(parents=True)
        elif name == "COPY" and not text.startswith("--from"):
            *sources, target = text.split()
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, work / target, ignore=CACHES)
                else:
                    shutil.copy(ROOT / source, work / target)
        elif name == "RUN":
            words = shlex.split(text.replace("/opt/", f"{folder}/opt/"))
            words[0] = sys.executable if words[0] == "python" else words[0]
            subprocess.run(words, cwd=work, check=True)
    return folder


@pytest.fixture
def started(image: Path, tmp_path: Path) -> Iterator[str]:
    """The address that the entry point prints."""
    writable = tmp_path / "tmp"
    writable.mkdir()
    words = json.loads(argument("ENTRYPOINT").replace("/opt/", f"{image}/opt/"))
    words[words.index("--port") + 1] = "0"
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(writable)}
    for pair in shlex.split(argument("ENV").replace("/tmp", str(writable))):
        name, _, value = pair.partition("=")
        environment[name] = value
    with subprocess.Popen(
        words,
        env=environment,
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.mark.wheel
def test_it_serves_whoever_has_the_printed_token(started: str) -> None:
    address, _, token = started.partition("/#token=")
    assert len(token) >= 32
    check = json.loads(argument("HEALTHCHECK").partition("CMD ")[2])
    probe = check[2].replace("http://127.0.0.1:8000", address)
    subprocess.run([sys.executable, check[1], probe], check=True)
    until = time.monotonic() + 60
    while _status(f"{address}/ready") != 200:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert _status(f"{address}/v1/settings") == 401
    assert _status(f"{address}/v1/settings", token) == 200


def _status(address: str, token: str = "") -> int:
    """Returns the status of a request."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
