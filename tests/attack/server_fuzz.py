"""Sends schemathesis's requests to a server: `python tests/attack/server_fuzz.py --cases 5000`.

It runs in an environment of its own (`make fuzz-server`) and starts the server by `--python`, once
without a token and once with one. This module is also what schemathesis loads: ids are those of
pictures that are there, most of the time, and files are often pictures.
"""

import argparse
import base64
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import schemathesis  # type: ignore[import-not-found]  # of another environment

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "matte" / "media" / "samples" / "astronaut.jpg"
ADDRESS, TOKEN_OF_SERVER = "MATTE_FUZZ_ADDRESS", "MATTE_FUZZ_TOKEN"
TOKEN = "a-token-for-fuzzing"
MAX_GROWTH = 400 << 20  # of the server's memory: runtimes keep room for the largest picture yet
# 32×32: a picture that is done in milliseconds.
TINY = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAWUlEQVRIDbXBAQEAAAABIG72f4gVqshTkaciT0We"
    "ijwVeSryVOSpyFORpyJPRZ6KPBV5KvJU5KnIU5GnIk9Fnoo8FXkq8lTkqchTkaciT0WeijwVeSryVORpne0h4c7P"
    "nFcAAAAASUVORK5CYII="
)
OPERATIONS = 25  # about as many as the document has
CHECKS = ("is_sane", "status_code_conformance", "content_type_conformance")
numbers = random.Random(0)
_id = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5000, help="at least so many, in all")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    asked = parser.parse_args()
    failed = False
    for token in ("", TOKEN):
        failed |= fuzz(asked.python, token, max(1, asked.cases // (2 * OPERATIONS)))
    return int(failed)


def fuzz(python: Path, token: str, examples: int) -> bool:
    """Fuzz a server; return whether anything was found."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        environment = {**os.environ, "TMPDIR": folder, "MATTE_TOKEN": token}
        environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MATTE_OFFLINE": "1"}
        words = [str(python), "-m", "matte", "serve", "--port", "0", "--preset", "fast"]
        words += ["--max-pixels", "2000000", "--forget-after", "8h"]
        with log.open("wb") as err:
            server = subprocess.Popen(
                words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=err, text=True
            )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip().partition("#")[0]
            wait_until_ready(address)
            run_schemathesis(address, token, 2)
            before = own_bytes(address, token)
            found = run_schemathesis(address, token, examples)
            ended = server.poll()
            grown = 0 if ended is not None else own_bytes(address, token) - before
        finally:
            server.terminate()
            server.wait()
        text = log.read_text(errors="replace")
    tracebacks = text.count("Traceback (most recent call last)")
    report = {
        "token": bool(token),
        "grown_mib": grown >> 20,
        "tracebacks": tracebacks,
        "ended": ended,
    }
    sys.stdout.write(json.dumps(report) + "\n")
    if tracebacks:
        sys.stdout.write(text[-6000:])
    return found or ended is not None or bool(tracebacks) or grown > MAX_GROWTH


def run_schemathesis(address: str, token: str, examples: int) -> bool:
    """Run schemathesis; return whether it found anything."""
    words = [Path(sys.executable).with_name("st"), "run", f"{address}openapi.json"]
    words += ["--checks", ",".join(CHECKS), "--max-examples", examples, "--seed", 0]
    words += ["--exclude-path-regex", "events$"]  # streams without end
    words += ["--phases", "examples,coverage,fuzzing", "--mode", "all", "--request-timeout", 60]
    words += ["--continue-on-failure", "--exclude-checks", "positive_data_acceptance"]
    if token:
        words += ["--header", f"X-Api-Key: {token}"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.attack.server_fuzz"}
    environment |= {ADDRESS: address, TOKEN_OF_SERVER: token, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(list(map(str, words)), cwd=ROOT, env=environment, check=False)
    return done.returncode != 0


def wait_until_ready(address: str) -> None:
    """Wait until the server's networks are open."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}ready"):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server does not become ready")


def own_bytes(address: str, token: str) -> int:
    """Return the memory that a server holds, but for the steps that it means to keep."""
    request = urllib.request.Request(f"{address}metrics", headers={"X-Api-Key": token})
    with urllib.request.urlopen(request) as answer:
        lines = answer.read().decode().splitlines()
    found = dict(line.split(" ") for line in lines if line.startswith("matte_") and "{" not in line)
    return int(float(found["matte_resident_memory_bytes"]) - float(found["matte_cached_bytes"]))


def send(path: str, body: bytes, kind: str, address: str) -> dict[str, Any]:
    """Return the answer to a POST."""
    headers = {"Content-Type": kind, "X-Api-Key": os.environ[TOKEN_OF_SERVER]}
    request = urllib.request.Request(f"{address}{path}", body, headers)
    with urllib.request.urlopen(request) as answer:
        document: dict[str, Any] = json.loads(answer.read())
    return document


def live_id(path: str) -> str:
    """Return the id of a picture or of a job that is there."""
    global _id
    address = os.environ[ADDRESS]
    if not _id or numbers.random() < 0.02:
        head = b'--B\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        body = head + numbers.choice((TINY, SAMPLE.read_bytes())) + b"\r\n--B--\r\n"
        _id = send("v1/pictures", body, "multipart/form-data; boundary=B", address)["id"]
    if "/jobs/" in path:
        job: str = send(f"v1/pictures/{_id}/sweep", b'{"k":[3]}', "application/json", address)["id"]
        return job
    return _id


@schemathesis.hook  # type: ignore[untyped-decorator]  # of another environment
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Put an id there that is known."""
    if path_parameters and "id" in path_parameters and numbers.random() < 0.8:
        path_parameters["id"] = live_id(context.operation.path)
    return path_parameters


@schemathesis.hook  # type: ignore[untyped-decorator]  # of another environment
def map_body(context: Any, body: Any) -> Any:
    """Make pictures of files, and ids of the items of a ZIP."""
    if isinstance(body, dict) and numbers.random() < 0.8:
        for name in {"image", "background", "image_file", "bg_image_file"} & body.keys():
            body[name] = TINY
        if isinstance(body.get("items"), list):
            for item in body["items"]:
                if isinstance(item, dict):
                    item["picture"] = live_id("")
    return body


@schemathesis.hook  # type: ignore[untyped-decorator]  # of another environment
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Let the next picture be another one once this one was deleted."""
    global _id
    if case.method == "DELETE" and "/pictures/" in case.path:
        _id = ""


@schemathesis.check  # type: ignore[untyped-decorator]  # of another environment
def is_sane(ctx: Any, response: Any, case: Any) -> None:
    """No failure of the server, no path of its own, no HTML, the headers that protect."""
    status, text = response.status_code, response.content[:20_000].decode("latin-1")
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert status < 500 or (status == 503 and "retry-after" in headers), f"{status}: {text[:300]}"
    kind = str(headers.get("content-type", ""))
    if "json" in kind or "text" in kind:
        leak = re.search(r"Traceback|matte-serve-|/site-packages|/tmp/|\.py\b", text)
        assert leak is None, f"the answer tells of the server: {text[:300]}"
    assert "html" not in kind, "HTML is answered"
    assert "content-security-policy" in headers, "a header is missing"


if __name__ == "__main__":
    sys.exit(main())
