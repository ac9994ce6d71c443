"""Whether two versions of matte give the same results, bit for bit.

    PYTHONPATH=OLD python benchmarks/same_results.py DATA --save FOLDER
    PYTHONPATH=NEW python benchmarks/same_results.py DATA --against FOLDER [--only PATTERN]…

Twenty pictures and forty frames of a clip, all below DATA, go through every preset and through the
settings and commands below, by ONNX Runtime and by OpenVINO, in fp32 on one thread. Only what is
public is used, `matte.load` and the command line, so any version from 0.1.0 on can be asked.

`--save` keeps alphas, and hashes of all else, in FOLDER. `--against` runs the same items again
and prints for each whether it is equal, or the largest and the mean difference; it exits with 1
if any differs. `--only "photo/*fast*"` restricts both; `--list` prints the items' names.
"""

import argparse
import fnmatch
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

PINNED = {"precision": "fp32", "threads": 1}
BACKENDS = ("onnx", "openvino")
PRESETS = ("fast", "balanced", "best")
FRAMES = 40
CLIP = "media/videos/volcomix_Thoughtful_-_35590.mp4"
PORTRAIT = "media/photos/volcomix_woman-5883428_1280.jpg"
KNOWN = "matting_gt/alphamatting_lowres"
SEGMENT = "matting_gt/aisegment60"
LARGE = 12_000_000  # pixels

PICTURES = (
    "media/photos/skimage_astronaut.png",
    "media/photos/skimage_chelsea.png",
    "media/photos/skimage_coffee.png",
    "media/photos/volcomix_doctor-5871743_640.jpg",
    "media/photos/volcomix_girl-919048_1280.jpg",
    PORTRAIT,
    f"{SEGMENT}/input/1803191139-00000316.jpg",
    f"{SEGMENT}/input/1803231608-00000265.jpg",
    f"{SEGMENT}/input/1803241944-00000549.jpg",
    f"{SEGMENT}/input/1803270132-00000402.jpg",
    f"{SEGMENT}/input/1803290249-00000142.jpg",
    f"{KNOWN}/input/GT01.png",
    f"{KNOWN}/input/GT08.png",
    f"{KNOWN}/input/GT24.png",
    "person_seg/voc_person/images/voc_2007_000504.jpg",
    "person_seg/voc_person/images/voc_2010_001891.jpg",
    "person_seg/coco_person/images/coco_000000000036.jpg",
    "person_seg/coco_person/images/coco_000000000241.jpg",
    "subjects/eg1800/images/00220.jpg",
    "subjects/davis/images/dog_00040.jpg",
)

Array = NDArray[Any]
Results = dict[str, Array]  # arrays named alpha… are saved whole, of others the hash
Item = Callable[[], Results]


def main() -> None:
    """Run the items and save or compare what they return."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA")
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--save", type=Path, metavar="FOLDER")
    task.add_argument("--against", type=Path, metavar="FOLDER")
    task.add_argument("--list", action="store_true")
    parser.add_argument("--only", action="append", metavar="PATTERN", default=[])
    options = parser.parse_args()
    items = {
        name: item
        for name, item in all_items(options.data.resolve())
        if not options.only or any(fnmatch.fnmatch(name, pattern) for pattern in options.only)
    }
    if options.list:
        print("\n".join(items))
        return
    with tempfile.TemporaryDirectory() as home:
        # Neither the user's settings nor networks that another version compiled take part.
        os.environ["MATTE_HOME"] = home
        if options.save:
            save(items, options.save, options.data)
        elif not compare(items, options.against, options.data):
            raise SystemExit(1)


def all_items(data: Path) -> Iterator[tuple[str, Item]]:
    """Yield every item's name and the call that computes it; those of one network in a row."""
    for backend in BACKENDS:
        for preset in PRESETS:
            for name in PICTURES:
                item = partial(photo_results, backend, preset, {}, data / name)
                yield f"photo/{backend}/{preset}/{Path(name).stem}", item
        yield from special_items(backend, data)
        for preset in PRESETS:
            item = partial(clip_results, backend, preset, data / CLIP)
            yield f"clip/{backend}/{preset}", item
    yield from command_items(data)


def special_items(backend: str, data: Path) -> Iterator[tuple[str, Item]]:
    """Yield the items of single settings and inputs."""
    portrait = data / PORTRAIT
    for name, preset, overrides in (
        ("k-7", "balanced", {"k": 7}),
        ("width", "balanced", {"width": "1.5%"}),
        ("erode-dilate", "fast", {"erode": 2, "dilate": 9}),
        ("size", "fast", {"size": 256}),
        ("clean-mask", "fast", {"keep_parts": 1, "fill_holes": 0.01, "smooth_mask": 3}),
        ("refiner-guided", "balanced", {"refiner": "guided"}),
        ("refiner-smooth", "balanced", {"refiner": "smooth"}),
        ("tile-256", "balanced", {"tile": 256}),
        ("modnet", "balanced", {"modnet": "modnet"}),
        ("modnet-native", "balanced", {"modnet": "modnet", "protocol": "native"}),
        ("clothing", "balanced", {"segmenter": "clothing"}),
    ):
        yield (
            f"setting/{backend}/{name}",
            partial(photo_results, backend, preset, overrides, portrait),
        )
    solved = {"refiner": "closed-form"}  # takes minutes of a large picture
    item = partial(photo_results, backend, "fast", solved, portrait, change=reduced)
    yield f"setting/{backend}/refiner-closed-form", item
    for trimap in ("trimap1", "trimap2"):
        file = data / KNOWN / trimap / "GT03.png"
        item = partial(
            photo_results, backend, "balanced", {}, data / KNOWN / "input" / "GT03.png", trimap=file
        )
        yield f"input/{backend}/{trimap}", item
    for number in ("1803191139-00000391", "1803261700-00000010"):
        picture = data / SEGMENT / "input" / f"{number}.jpg"
        item = partial(
            photo_results,
            backend,
            "balanced",
            {},
            picture,
            mask=data / SEGMENT / "gt" / f"{number}.png",
        )
        yield f"input/{backend}/mask-{number}", item
    deep = partial(photo_results, backend, "balanced", {}, portrait, change=in_sixteen_bits)
    yield f"input/{backend}/16-bit", deep
    large = partial(photo_results, backend, "balanced", {}, portrait, change=enlarged)
    yield f"input/{backend}/12-megapixels", large


def command_items(data: Path) -> Iterator[tuple[str, Item]]:
    """Yield the items that the command line computes; {out} is a folder that is read back."""
    portrait = str(data / PORTRAIT)
    truth = str(data / SEGMENT / "gt" / "1803191139-00000391.png")
    picture = str(data / SEGMENT / "input" / "1803191139-00000391.jpg")
    known = data / KNOWN
    onnx = ("--backend", "onnx", "--precision", "fp32", "--threads", "1")
    clip, short = str(data / CLIP), ("--start", "1", "--end", "1.5")
    saved = (
        *("--mask", "{out}/mask.png", "--trimap", "{out}/trimap.png"),
        *("--alpha", "{out}/alpha.npy", "--foreground", "{out}/foreground.png"),
    )
    for name, words in (
        ("image", ("image", portrait, "--bg", "green", "-o", "{out}/green.png", *saved, *onnx)),
        (
            "image-cut",
            ("image", portrait, "--crop", "5%", "--preset", "fast", "-o", "{out}/a.png", *onnx),
        ),
        (
            "image-blur",
            (
                *("image", portrait, "--bg", "blur:3%", "--preset", "fast"),
                *("--blend", "linear", "-o", "{out}/blur.png", *onnx),
            ),
        ),
        (
            "sweep",
            (
                *("sweep-trimap", portrait, "--k", "auto,3,7", "--iterations", "3,6"),
                *("--width", "1.5%,20", "--save-all", "-o", "{out}/sheet.png", *onnx),
            ),
        ),
        ("trimap", ("trimap", truth, "--k", "7", "-o", "{out}/trimap.png")),
        ("trimap-auto", ("trimap", truth, "--k", "auto", "-o", "{out}/trimap.png")),
        (
            "refine",
            (
                *("refine", str(known / "input/GT06.png"), str(known / "trimap1/GT06.png")),
                *("-o", "{out}/alpha.npy", *onnx),
            ),
        ),
        ("composite", ("composite", picture, truth, "--bg", portrait, "-o", "{out}/on.png")),
        (
            "video",
            (
                *("video", clip, "--bg", "green", "--preset", "fast", *short),
                *("-o", "{out}/f%05d.png", "--alpha", "{out}/alpha%05d.png", *onnx),
            ),
        ),
        (
            "video-ofd",
            (
                *("video", clip, "--preset", "balanced", "--temporal", "ofd", *short),
                *("-o", "{out}/f%05d.png", *onnx),
            ),
        ),
        (
            "video-trimap-free",
            (
                "video",
                clip,
                "--trimap-free",
                "--bg",
                "blur",
                *short,
                "-o",
                "{out}/f%05d.png",
                *onnx,
            ),
        ),
    ):
        yield f"command/{name}", partial(command_results, words)


@lru_cache(maxsize=1)
def pipeline_of(backend: str, preset: str, overrides: tuple[tuple[str, Any], ...]) -> Any:
    """Return the loaded pipeline of a preset; the last one stays loaded."""
    import matte

    return matte.load(preset, backend=backend, **PINNED, **dict(overrides))


def photo_results(
    backend: str,
    preset: str,
    overrides: dict[str, Any],
    file: Path,
    change: Callable[[Array], Array] | None = None,
    **known: Path,
) -> Results:
    """Return a picture's alpha, foreground, mask, trimap and its composite on a plain colour."""
    import matte

    pipeline = pipeline_of(backend, preset, tuple(overrides.items()))
    found = pipeline(file if change is None else change(pixels_of(file)), **known)
    on_colour = matte.composite(found.foreground, found.alpha, (32, 64, 96))
    results = {"alpha": found.alpha, "foreground": found.foreground, "composite": on_colour}
    results |= {"mask": found.mask, "trimap": found.trimap}
    return {name: np.asarray(array) for name, array in results.items() if array is not None}


def clip_results(backend: str, preset: str, file: Path) -> Results:
    """Return the alphas (frames, H, W) and composites of a clip's first frames."""
    pipeline = pipeline_of(backend, preset, ())
    frames = pipeline.video(file, background="#204060")
    alphas, composites = [], []
    for frame in islice(frames, FRAMES):
        alphas.append(frame.alpha.copy())
        composites.append(frame.composite.copy())
    frames.close()
    return {"alpha": np.stack(alphas), "composite": np.stack(composites)}


def command_results(words: tuple[str, ...]) -> Results:
    """Return the pictures and arrays that a command writes below {out}, but no sheet."""
    with tempfile.TemporaryDirectory() as name:
        line = [sys.executable, "-m", "matte", *(word.replace("{out}", name) for word in words)]
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        files = sorted(file for file in Path(name).rglob("*.*") if file.stem != "sheet")
        found = {str(file.relative_to(name)): pixels_of(file) for file in files}
    if not found:
        raise RuntimeError("nothing was written")
    return found


def pixels_of(file: Path) -> Array:
    """Return a file's pixels or array as they are."""
    if file.suffix == ".npy":
        return np.asarray(np.load(file))
    with PillowImage.open(file) as picture:
        return np.asarray(picture)


def in_sixteen_bits(picture: Array) -> Array:
    """Return the picture in 16 bits, with values between those of 8."""
    deep = picture.astype(np.uint16) * 257
    return np.asarray(cv2.GaussianBlur(deep, (3, 3), 0))


def enlarged(picture: Array) -> Array:
    """Return the picture with LARGE pixels, about."""
    share = (LARGE / (picture.shape[0] * picture.shape[1])) ** 0.5
    return np.asarray(cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_CUBIC))


def reduced(picture: Array) -> Array:
    """Return a quarter of the picture's size."""
    return np.asarray(cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA))


def compute(item: Item) -> tuple[Results, str]:
    """Return an item's results, and what went wrong if it failed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return item(), ""
    except Exception as error:  # noqa: BLE001  # one item's fault must not end the others
        return {}, f"{type(error).__name__}: {error}"


def digest(array: Array) -> str:
    """Return the SHA-256 of an array's type, shape and values."""
    head = f"{array.dtype.str} {array.shape} ".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def inputs_digest(data: Path) -> str:
    """Return one SHA-256 of all the pictures and the clip that are read."""
    names = sorted({*PICTURES, CLIP})
    return hashlib.sha256(b"".join((data / name).read_bytes() for name in names)).hexdigest()


def array_file(folder: Path, name: str) -> Path:
    """Return the file in which an item's alphas lie."""
    return folder / f"{name.replace('/', '--')}.npz"


def save(items: dict[str, Item], folder: Path, data: Path) -> None:
    """Compute the items and write their hashes and alphas; items not named keep theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest_file = folder / "manifest.json"
    manifest = json.loads(manifest_file.read_text()) if manifest_file.exists() else {"items": {}}
    manifest |= {"inputs": inputs_digest(data), "package": package_folder(), **PINNED}
    for name, item in items.items():
        started = time.perf_counter()
        results, fault = compute(item)
        hashes = {part: digest(array) for part, array in results.items()}
        manifest["items"][name] = {"hashes": hashes, "fault": fault}
        alphas: Any = {part: array for part, array in results.items() if part.startswith("alpha")}
        if alphas:
            np.savez_compressed(array_file(folder, name), **alphas)
        manifest_file.write_text(json.dumps(manifest, indent=1) + "\n")
        print(f"{name}: {fault or 'saved'}, {time.perf_counter() - started:.1f} s", flush=True)


def compare(items: dict[str, Item], folder: Path, data: Path) -> bool:
    """Compute the items, print how they differ from the saved ones, and return if none does."""
    manifest = json.loads((folder / "manifest.json").read_text())
    if manifest["inputs"] != inputs_digest(data):
        raise SystemExit(f"the pictures below {data} are not those that {folder} was made from")
    print(f"{package_folder()} against {manifest['package']}", flush=True)
    different = []
    for name, item in items.items():
        saved = manifest["items"].get(name)
        if saved is None:
            print(f"{name}: not in {folder}", flush=True)
            continue
        results, fault = compute(item)
        findings = differences(results, fault, saved, array_file(folder, name))
        if findings:
            different.append(name)
        print(f"{name}: {'; '.join(findings) or 'equal'}", flush=True)
    print(f"{len(items) - len(different)} of {len(items)} equal; different: {different or 'none'}")
    return not different


def differences(results: Results, fault: str, saved: dict[str, Any], file: Path) -> list[str]:
    """Return a line for each array that is not the saved one, and for what failed only now."""
    if fault or saved["fault"]:
        now, before = (text or "no fault" for text in (fault, saved["fault"]))
        return [] if now == before else [f"{now}, was {before}"]
    lines = []
    for part in sorted({*results, *saved["hashes"]}):
        if part not in results or part not in saved["hashes"]:
            lines.append(f"{part} {'is new' if part in results else 'is missing'}")
        elif digest(results[part]) != saved["hashes"][part]:
            lines.append(f"{part} differs{amount(results[part], part, file)}")
    return lines


def amount(array: Array, part: str, file: Path) -> str:
    """Return in words how far an array is from the saved one, if that was saved whole."""
    if not part.startswith("alpha"):
        return ""
    saved = np.load(file)[part]
    if saved.shape != array.shape or saved.dtype != array.dtype:
        return f": {saved.dtype} {saved.shape} became {array.dtype} {array.shape}"
    apart = np.abs(array.astype(np.float64) - saved)
    where = ""
    if apart.ndim == 3:
        frames = np.flatnonzero(apart.reshape(len(apart), -1).any(axis=1))
        where = f", in {len(frames)} frames from number {frames[0]} on"
    return f" by at most {apart.max():.3g}, {apart.mean():.3g} on average{where}"


def package_folder() -> str:
    """Return where the matte that is measured lies."""
    import matte

    return str(Path(matte.__file__).parent)


if __name__ == "__main__":
    main()
