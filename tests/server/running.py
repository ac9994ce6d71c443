"""A server in a thread of the test, reached over a real socket."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import cv2
import httpx
import numpy as np

from matte.configs.loader import merge_settings
from matte.server.app import CountedApp
from matte.server.options import ServerOptions
from matte.server.running import make_server, open_socket
from matte.server.state import ServerState

QUICK = {"backend": "onnx", "precision": "fp32", "threads": 1}
START_SECONDS = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class RunningServer:
    """A server that runs, and what it keeps."""

    address: str
    app: CountedApp

    @property
    def state(self) -> ServerState:
        """What the server keeps."""
        return self.app.state

    def client(self, **arguments: Any) -> httpx.Client:
        """Return a client of it."""
        return httpx.Client(base_url=self.address, timeout=60, trust_env=False, **arguments)


def quick_options(**changes: Any) -> ServerOptions:
    """Return the options of a server with small networks."""
    return replace(ServerOptions(port=0, settings=merge_settings("fast", flags=QUICK)), **changes)


@contextmanager
def running_server(**changes: Any) -> Iterator[RunningServer]:
    """Run a server within the block."""
    options = quick_options(**changes)
    listening = open_socket(options.host, options.port)
    server = make_server(options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + START_SECONDS
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        app = server.config.app
        assert isinstance(app, CountedApp)
        yield RunningServer(f"http://127.0.0.1:{listening.getsockname()[1]}", app)
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listening.close()


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def png(array: np.ndarray) -> bytes:
    """Return a PNG of a grey, RGB or RGBA picture."""
    order = {2: None, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    code = order[array.ndim if array.ndim == 2 else array.shape[2]]
    done, data = cv2.imencode(".png", array if code is None else cv2.cvtColor(array, code))
    assert done
    return data.tobytes()


def pixels(data: bytes) -> np.ndarray:
    """Return the pixels of a picture's file: grey, RGB or RGBA."""
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert array is not None
    if array.ndim == 2:
        return array
    code = cv2.COLOR_BGRA2RGBA if array.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(array, code)
