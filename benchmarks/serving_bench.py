"""What the parts of serving.py share: a server in a process of its own, and a client of it."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from large import LargePicture, enlarged_portrait, hairy_portrait
from numpy.typing import NDArray

import matte
from matte.arrays import Image
from matte.media.encoding import encode

MAX_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What all parts need: a client of the server, the library, and what was asked for."""

    client: httpx.Client
    pipeline: matte.Pipeline
    options: argparse.Namespace

    @property
    def data(self) -> Path:
        """Return the folder with the data sets."""
        found: Path = self.options.data
        return found

    def upload(self, data: bytes) -> str:
        """Return where a photo lies that was sent."""
        sent = self.client.post("/v1/pictures", files={"image": ("photo.jpg", data)})
        sent.raise_for_status()
        place: str = sent.json()["links"]["self"]
        return place

    def get(self, place: str, **values: object) -> httpx.Response:
        """Return a result."""
        words = {name: str(value) for name, value in values.items()}
        answer = self.client.get(place, params=words)
        answer.raise_for_status()
        return answer

    def large(self, megapixels: float) -> LargePicture:
        """Return a photo of the kind that was asked for."""
        make = hairy_portrait if self.options.kind == "strands" else enlarged_portrait
        return make(self.data, 0, megapixels)


@contextmanager
def serving(preset: str) -> Iterator[httpx.Client]:
    """Start a server and yield a client of it, once its networks are loaded."""
    words = (sys.executable, "-m", "matte", "serve", "--port", "0", "--preset", preset)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            with httpx.Client(base_url=address, timeout=600, trust_env=False) as client:
                while client.get("/ready").status_code != httpx.codes.OK:
                    time.sleep(0.1)
                yield client
        finally:
            process.terminate()


def jpeg(image: Image) -> bytes:
    """Return a photo's file as a camera writes it."""
    return bytes(encode(image, ".jpg"))


def pixels(data: bytes) -> NDArray[Any]:
    """Return what a picture's file holds."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))


def stage_ms(answer: httpx.Response, stage: str) -> float:
    """Return what a stage took, by the answer's header."""
    for part in answer.headers["server-timing"].split(", "):
        name, _, spent = part.partition(";dur=")
        if name == stage:
            return float(spent)
    return 0.0
