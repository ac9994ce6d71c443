"""LiteRT beside ONNX Runtime and OpenVINO: file, quality and time of a network at one size.

    .venv-phone/bin/python benchmarks/phone.py DATA person-light@320 [NAME@SIZE …]
        [--calibrate FOLDER] [--pictures 100] [--threads 1] [--json FILE]

DATA holds images/ and masks/ (255 subject, 128 not counted). Each network is exported for LiteRT in
fp32 and int8 (calibrated on --calibrate, else on every second picture, and measured on the others),
and runs in the other runtimes as it is stored. All get the same inputs, squares of SIZE; outputs
are compared with torch when the files are made. Times are medians of runs in turn, on the sample.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import harness
import numpy as np
from harness import Row

from matte.arrays import SUBJECT, FloatArray, Image, Mask, Trimap
from matte.configs.settings import RuntimeSettings
from matte.conversion.litert import open_phone_file, run_phone_file
from matte.conversion.phone_export import export_for_phones
from matte.conversion.quantise import read_calibration_pictures
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.datasets.samples import Sample
from matte.imaging.letterbox import letterbox, unletterbox
from matte.media.pictures import read_image
from matte.metrics.masks import subject_iou
from matte.pipeline.networks import open_weights
from matte.runtime.session import picture_input
from matte.weights.store import Weights, weights_named

ROUNDS = 21
Predict = Callable[[FloatArray], FloatArray]  # of a picture (1, H, W, 3)


def main() -> None:
    """Export, measure, print, write."""
    parser = harness.parser(__doc__, "phone.json")
    parser.add_argument("networks", nargs="+", metavar="NAME@SIZE")
    parser.add_argument("--calibrate", type=Path)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    listing = list_set(options.data, "pairs")
    samples = [read_sample(entry) for entry in listing.entries[: options.pictures]]
    if options.calibrate:
        calibration = read_calibration_pictures(options.calibrate)
    else:
        calibration = [Image(s.picture) for s in samples[::2]]
        samples = samples[1::2]
    rows: list[Row] = []
    for named in options.networks:
        name, _, size = named.partition("@")
        rows += measure(weights_named(name), name, int(size), calibration, samples, options.threads)
    harness.show(rows)
    harness.write(options.json, {"threads": options.threads, "rows": rows})


def measure(
    weights: Weights,
    name: str,
    size: int,
    calibration: Sequence[Image],
    samples: Sequence[Sample],
    threads: int,
) -> list[Row]:
    """Return a row for each runtime and precision."""
    with TemporaryDirectory() as folder:
        files = {"fp32": Path(folder) / "a.tflite", "int8": Path(folder) / "b.tflite"}
        export_for_phones(weights, files["fp32"], (size, size))
        export_for_phones(weights, files["int8"], (size, size), calibration)
        runs: dict[str, Predict] = {
            f"litert {precision}": phone_run(file, threads) for precision, file in files.items()
        }
        sizes = {f"litert {p}": file.stat().st_size for p, file in files.items()}
        for backend in ("onnx", "openvino"):
            runs[f"{backend} fp32"] = session_run(weights, backend, threads)
            sizes[f"{backend} fp32"] = weights.path.stat().st_size
        sample = letterbox(read_image(harness.SAMPLE), size, size).pixels[None]
        calls = {key: partial(run, sample) for key, run in runs.items()}
        times = harness.time_in_turns(calls, ROUNDS)
        return [
            {
                "network": name,
                "size": size,
                "runtime": key,
                "megabytes": round(sizes[key] / 1e6, 2),
                "iou": round(mean_iou(run, size, samples), 4),
                "pictures": len(samples),
                "ms": times[key].median,
            }
            for key, run in runs.items()
        ]


def phone_run(file: Path, threads: int) -> Predict:
    """Return what runs a LiteRT file."""
    return partial(run_phone_file, open_phone_file(file, threads))


def session_run(weights: Weights, backend: Literal["onnx", "openvino"], threads: int) -> Predict:
    """Return what runs a stored network in float32."""
    settings = RuntimeSettings(backend=backend, device="cpu", precision="fp32", threads=threads)
    session = open_weights(weights, settings)
    name, _ = picture_input(session, weights.kind)

    def run(image: FloatArray) -> FloatArray:
        (found,) = session.run({name: np.ascontiguousarray(image.transpose(0, 3, 1, 2))}).values()
        return found.transpose(0, 2, 3, 1)

    return run


def mean_iou(run: Predict, size: int, samples: Sequence[Sample]) -> float:
    """Return the mean IoU of the masks, brought back to the pictures' sizes."""
    found = []
    for sample in samples:
        box = letterbox(Image(sample.picture), size, size)
        values = run(box.pixels[None])[0, :, :, 0]
        confidence = unletterbox(values, box, *sample.truth.shape)
        mask = Mask(np.where(confidence >= 0.5, np.uint8(SUBJECT), np.uint8(0)))
        found.append(subject_iou(mask, Trimap(sample.truth)))
    return float(np.mean(found))


if __name__ == "__main__":
    main()
