"""The commands that write, on inputs that keep them busy, and what may be there afterwards."""

import random
import re
from dataclasses import dataclass
from pathlib import Path

import onnx

from matte.photos.run_file import RUN_FOLDER
from tests.attack.clips import NUMBERED, check_partial
from tests.attack.drawing import draw, draw_trimap, save
from tests.attack.filming import film, is_whole, playable_frames
from tests.attack.processes import Started
from tests.attack.room import Listing, Room
from tests.attack.tiny import segmenter, write_segmenter

FRAMES = 60
# What the commands take of a processor, about, and what Python itself takes at first.
CPU_SECONDS = {"video": 1.9, "image": 1.3, "sweep-trimap": 1.6, "weights": 2.4, "refine": 0.7}
START_CPU_SECONDS = 0.15
VIDEOS: tuple[tuple[str, ...], ...] = (
    ("out.mp4",),
    ("out.mp4", "alpha.mkv"),
    ("out.mov",),
    ("out.mkv",),
    ("out.webm",),
    ("out.gif",),
    ("out.webp",),
    ("frames",),
    ("out.mp4", "alpha.mov", "fore.mkv"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """A command, and the files that it writes: all of them together, or each for itself."""

    words: tuple[object, ...]
    outputs: tuple[str, ...]
    together: bool = True
    is_video: bool = False


def prepare(room: Room) -> None:
    write_segmenter(room.shared / "tiny.onnx")
    onnx.save_model(segmenter({"matte.kind": "segmenter"}), room.shared / "other.onnx")
    numbers = random.Random(1)
    film(room.shared / "clip.mp4", numbers, FRAMES, (160, 120))
    photo = draw(numbers, 900, 700)
    save(room.shared / "photo.png", photo)
    save(room.shared / "trimap.png", draw_trimap(900, 700))


def job(room: Room) -> Job:
    """One of the commands, at random."""
    kinds = (video_job, photo_job, folder_job, sweep_job, import_job, stage_job)
    made: Job = room.random.choices(kinds, (45, 15, 10, 10, 10, 10))[0](room)
    return made


def wait_for_moment(room: Room, asked: Job, running: Started) -> None:
    """Waits for a random moment of a run, often one in which it writes."""
    numbers = room.random
    length = CPU_SECONDS.get(str(asked.words[0]), 0.6)
    moment = START_CPU_SECONDS + (length - START_CPU_SECONDS) * numbers.random()
    if numbers.random() < 0.5:
        before = set(room.folder.rglob("*"))
        running.wait_until(lambda: bool(set(room.folder.rglob("*")) - before))
        moment = running.cpu + (numbers.random() if asked.is_video else 0.1 * numbers.random())
    running.wait_until(lambda: running.cpu >= moment)


def line(room: Room) -> tuple[object, ...]:
    return "--segmenter", room.shared / "tiny.onnx", "--refiner", "guided"


def named(flags: tuple[str, ...], files: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for pair in zip(flags, files, strict=False) for word in pair)


def video_job(room: Room) -> Job:
    outputs = room.random.choice(VIDEOS)
    grounds = ((), ("--bg", "white"))  # an MP4 has no transparency
    ground = grounds[1] if outputs[0] == "out.mp4" else room.random.choice(grounds)
    files = named(("-o", "--alpha", "--foreground"), outputs)
    words = ("video", room.shared / "clip.mp4", *line(room), *ground, *files)
    return Job(words, outputs, is_video=True)


def photo_job(room: Room) -> Job:
    outputs = ("out.png", "mask.png", "alpha.tif", "fore.png")
    files = named(("-o", "--mask", "--alpha", "--foreground"), outputs)
    return Job(("image", room.shared / "photo.png", *line(room), *files), outputs)


def folder_job(room: Room) -> Job:
    folder = room.folder / "many"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.png").write_bytes((room.shared / "photo.png").read_bytes())
    outputs = tuple(f"done/{name}-matte.png" for name in "abc")
    return Job(("image", folder, *line(room), "-o", "done"), outputs, together=False)


def sweep_job(room: Room) -> Job:
    bands = ("--k", "3,7", "--iterations", "2")
    words = ("sweep-trimap", room.shared / "photo.png", *line(room), *bands, "-o", "sheet.png")
    return Job(words, ("sheet.png",))


def import_job(room: Room) -> Job:
    words = ("weights", "import", room.shared / "other.onnx", "--as", "kept", "--overwrite")
    return Job(words, ())


def stage_job(room: Room) -> Job:
    photo, trimap = room.shared / "photo.png", room.shared / "trimap.png"
    commands: tuple[tuple[object, ...], ...] = (
        ("refine", photo, trimap, "--refiner", "guided"),
        ("composite", photo, trimap, "--bg", "white"),
        ("trimap", trimap),
    )
    return Job((*room.random.choice(commands), "-o", "out.png"), ("out.png",))


def check(room: Room, asked: Job, before: Listing, code: int, text: str, *, hard: bool) -> None:
    """Reports outputs that are not whole, groups that are not complete, and what was left.

    `hard`: nothing could be tidied up, so files under temporary names may be left.
    """
    outputs = [room.folder / name for name in asked.outputs]
    partial = check_partial(room, asked.words, text)
    loose = [path for path in room.folder.rglob("*") if hard and is_temporary(path, room.folder)]
    pictures = [path for path in room.folder.rglob("*.png") if NUMBERED.search(path.name)]
    room.check_files(before, asked.words, [*outputs, *partial, *loose, *pictures])
    there = [path for path in outputs if path.exists()]
    for path in there:
        if not is_whole(path):
            room.report(f"{path.name} is not whole", asked.words)
        elif asked.is_video and playable_frames(path) != FRAMES:
            room.report(f"{path.name} has {playable_frames(path)} frames", asked.words)
    if asked.together and 0 < len(there) < len(outputs):
        room.report(f"only {[path.name for path in there]} of several", asked.words)
    if code == 0 and len(there) < len(outputs):
        room.report("an output is missing after success", asked.words)
    check_store(room, asked)


def is_temporary(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return RUN_FOLDER not in parts and any(part.startswith(".matte-") for part in parts)


def check_store(room: Room, asked: Job) -> None:
    """Reports a stored network that no longer is whole, and files that nobody names."""
    if asked.words[0] != "weights":
        return
    room.matte("weights", "verify", "kept")
    store = room.server.home / "weights"
    known = re.findall(r'file = "(.+)"', (store / "manifest.toml").read_text())
    orphans = {path.name for path in store.iterdir()} - {*known, "manifest.toml"}
    hidden = {name for name in orphans if name.startswith(".matte-")}
    if orphans - hidden:
        room.report(f"orphans in the store: {sorted(orphans)}", asked.words)
    for name in orphans:
        (store / name).unlink()


def store_network(room: Room) -> None:
    """Stores the network that imports replace."""
    if not (room.server.home / "weights/kept.onnx").exists():
        room.matte("weights", "import", room.shared / "other.onnx", "--as", "kept")
