"""The items that same_results.py compares: pictures, settings, inputs, a clip and commands.

Only what is public is used, `matte.load` and the command line, so any version can run them.
"""

import subprocess
import sys
import tempfile
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

COMMANDS = {
    "image": "image PORTRAIT --bg green -o OUT/green.png --mask OUT/mask.png"
    " --trimap OUT/trimap.png --alpha OUT/alpha.npy --foreground OUT/foreground.png",
    "image-cut": "image PORTRAIT --crop 5% --preset fast -o OUT/a.png",
    "image-blur": "image PORTRAIT --bg blur:3% --preset fast --blend linear -o OUT/blur.png",
    "sweep": "sweep-trimap PORTRAIT --k auto,3,7 --iterations 3,6 --width 1.5%,20 --save-all"
    " -o OUT/sheet.png",
    "trimap": "trimap ALPHA --k 7 -o OUT/trimap.png",
    "trimap-auto": "trimap ALPHA --k auto -o OUT/trimap.png",
    "refine": "refine KNOWN/input/GT06.png KNOWN/trimap1/GT06.png -o OUT/alpha.npy",
    "composite": "composite PICTURE ALPHA --bg PORTRAIT -o OUT/on.png",
    "video": "video CLIP --bg green --preset fast --start 1 --end 1.5 -o OUT/f%05d.png"
    " --alpha OUT/alpha%05d.png",
    "video-ofd": "video CLIP --preset balanced --temporal ofd --start 1 --end 1.5 -o OUT/f%05d.png",
    "video-trimap-free": "video CLIP --trimap-free --bg blur --start 1 --end 1.5 -o OUT/f%05d.png",
}
RUN_NETWORKS = COMMANDS.keys() - {"trimap", "trimap-auto", "composite"}

Array = NDArray[Any]
Results = dict[str, Array]  # arrays named alpha… are saved whole, of others the hash
Item = Callable[[], Results]


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
    """Yield the items that the command line computes; OUT is a folder that is read back.

    ALPHA, MASK and PICTURE are a true alpha with its picture, KNOWN a set with trimaps.
    """
    pinned = "--backend onnx --precision fp32 --threads 1"
    places = {
        "PORTRAIT": data / PORTRAIT,
        "PICTURE": data / SEGMENT / "input" / "1803191139-00000391.jpg",
        "ALPHA": data / SEGMENT / "gt" / "1803191139-00000391.png",
        "KNOWN": data / KNOWN,
        "CLIP": data / CLIP,
    }
    for name, text in COMMANDS.items():
        line = f"{text} {pinned}" if name in RUN_NETWORKS else text
        for word, place in places.items():
            line = line.replace(word, str(place))
        yield f"command/{name}", partial(command_results, tuple(line.split()))


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
    """Return the pictures and arrays that a command writes below OUT, but no sheet."""
    with tempfile.TemporaryDirectory() as name:
        line = [sys.executable, "-m", "matte", *(word.replace("OUT", name) for word in words)]
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
