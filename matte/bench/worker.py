"""The process of one candidate: `python -m matte.bench.worker JOB`.

JOB is JSON: settings, the candidate's runtime for each kind of network, a picture, a file for
alpha. A line of JSON is printed when everything is loaded and has run once, then one for each line
read, with the milliseconds of one more run; at the end of the input the peak of memory.
"""

import json
import os
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from matte.configs.loader import MergedSettings
from matte.configs.settings import Config, RuntimeSettings
from matte.configs.tables import from_table
from matte.errors import MatteError, MatteWarning, PictureError
from matte.media.pictures import read_photo
from matte.pipeline.budget import Budget
from matte.pipeline.build import build, build_refiner, build_segmenter
from matte.pipeline.line import TwoStage
from matte.pipeline.run import BuiltPipeline


def build_pipeline(config: Config, runtimes: Mapping[str, RuntimeSettings]) -> BuiltPipeline:
    """Return the settings' pipeline, each network on its own runtime, without a fallback."""

    def at(kind: str) -> Config:
        return replace(config, runtime=runtimes.get(kind, config.runtime))

    if config.modnet.modnet:
        return build(MergedSettings(at("modnet"), "", {}))
    line = TwoStage(
        build_segmenter(at("segmenter")),
        config.segmentation,
        config.trimap,
        build_refiner(at("refiner")),
        Budget(0),
    )
    return BuiltPipeline(line, MergedSettings(config, "", {}), config.media.max_pixels)


def serve(job: Mapping[str, Any], requests: TextIO, answers: TextIO) -> None:
    """Run a job once, then once for each line of `requests`; write answers as JSON lines."""

    def send(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    start = time.perf_counter()
    config = from_table(Config, job["config"], "settings")
    runtimes = {k: from_table(RuntimeSettings, v, k) for k, v in job["runtimes"].items()}
    pipeline = build_pipeline(config, runtimes)
    photo = read_photo(Path(job["picture"]), config.media.max_pixels)
    loaded = time.perf_counter()
    first = pipeline.run(photo)
    if not first.report["subject"]:
        raise PictureError("no subject is found in the picture", "give another one")
    np.save(job["alpha"], first.alpha)
    send(
        networks=pipeline.facts["networks"],
        load_ms=round(1000 * (loaded - start), 1),
        first_ms=round(1000 * (time.perf_counter() - loaded), 1),
        stages=list(first.report["ms"]),
    )
    for _ in requests:
        start = time.perf_counter()
        report = pipeline.run(photo).report
        send(ms=report["ms"], total=round(1000 * (time.perf_counter() - start), 3))
    send(peak_mib=peak_mib())


def peak_mib() -> float | None:
    """Return the peak of this process's memory in MiB; None where the system does not say."""
    # Linux lets a process inherit ru_maxrss from the one that started it; VmHWM is its own.
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
        import resource
    except (OSError, ImportError):
        return None
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def main() -> None:
    """Serve requests on standard input and output; a user's problem is the last answer."""
    # Answers get a descriptor of their own: libraries print what they like.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore", MatteWarning)
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        serve(job, sys.stdin, answers)
    except MatteError as error:
        answers.write(json.dumps({"error": str(error)}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
