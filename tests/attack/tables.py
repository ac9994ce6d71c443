"""Settings files, manifests and lists of peers that are damaged or say what can't be."""

import random

import onnx

from tests.attack.changes import change
from tests.attack.drawing import draw, draw_trimap, save
from tests.attack.room import Room
from tests.attack.tiny import segmenter, write_segmenter

VALUES = (
    '"x"',
    "-1",
    "0",
    "1e400",
    "nan",
    "99999999999999999999",
    "[]",
    "[[[]]]",
    "{ a = 1 }",
    '"a\\nb"',
    '"\\u001b[31m"',
    "true",
    "1979-05-27",
    '""',
    '"../../../etc/passwd"',
    '"/dev/zero"',
    '"."',
    '"' + "9" * 5000 + '"',
)
SETTINGS = """[segmentation]
segmenter = "person"
threshold = 0.5
[trimap]
k = "auto"
iterations = 4
[refiner]
refiner = "guided"
[runtime]
backend = "auto"
threads = 1
max_memory = "2GB"
[media]
max_pixels = 1000000
[compositing]
blend = "srgb"
"""
MANIFEST = """[net]
file = "net.onnx"
kind = "segmenter"
sha256 = ""
size = 320
accurate_precisions = ["bf16"]
int8 = ""
checkpoint = ""
url = ""
"""
PEER = """file = "net.onnx"
name = "peer"
size = 64
multiple = 8
resize = "stretch"
mean = [0, 0, 0]
scale = [1, 1, 1]
output = 0
activation = "none"
"""


def prepare(room: Room) -> None:
    write_segmenter(room.shared / "tiny.onnx")


def attack(room: Room) -> None:
    numbers = room.random
    save(room.folder / "p.png", draw(numbers, 40, 30))
    numbers.choice((settings_file, manifest, peer))(room)


def odd(text: str, numbers: random.Random) -> bytes:
    """A table with a value that is odd, with damaged bytes, or both."""
    lines = text.splitlines()
    for _ in range(numbers.choice((0, 1, 1, 2))):
        at = numbers.randrange(len(lines))
        key = lines[at].partition(" = ")[0]
        lines[at] = numbers.choice((f"{key} = {numbers.choice(VALUES)}", f"x{lines[at]}", ""))
    data = "\n".join(lines).encode()
    return change(data, numbers) if numbers.random() < 0.3 else data


def settings_file(room: Room) -> None:
    """Settings of the user's own, or named."""
    numbers = room.random
    home = room.folder / "home"
    home.mkdir()
    (home / "config.toml").write_bytes(odd(SETTINGS, numbers))
    words: tuple[object, ...] = ("image", "p.png", "--segmenter", room.shared / "tiny.onnx")
    words += ("--refiner", "guided", "-o", "out.png")
    before = room.listing()
    if numbers.random() < 0.5:
        ending = room.matte(*words, "--config", home / "config.toml")
    else:
        ending = room.matte(*words, home=home)
    out, caches = room.folder / "out.png", [p for p in room.listing() if "cache" in p.parts]
    new = room.check_files(before, words, [out, *caches])
    if (ending.code == 0) != (out in new):
        room.report(f"exit {ending.code}, and an output or none", words)
    room.matte("config", "show", home=home)


def manifest(room: Room) -> None:
    """The list of the user's own networks."""
    numbers = room.random
    store = room.folder / "home/weights"
    store.mkdir(parents=True)
    onnx.save_model(segmenter(), store / "net.onnx")
    (store / "manifest.toml").write_bytes(odd(MANIFEST, numbers))
    home = room.folder / "home"
    before = room.listing()
    commands: tuple[tuple[object, ...], ...] = (
        ("weights", "list", "-v"),
        ("weights", "verify"),
        ("weights", "card", "net"),
        ("weights", "path", "net"),
        ("image", "p.png", "--segmenter", "net", "--refiner", "guided", "-o", "out.png"),
        ("image", "p.png", "--segmenter", room.shared / "tiny.onnx", "-o", "other.png"),
    )
    for words in numbers.sample(commands, 3):
        room.matte(*words, home=home)
    caches = [p for p in room.listing() if "cache" in p.parts or p.parent == room.folder]
    room.check_files(before, ("weights",), caches)


def peer(room: Room) -> None:
    """A peer's input convention, in `matte eval` and wherever a network is named."""
    numbers = room.random
    onnx.save_model(segmenter(), room.folder / "net.onnx")
    (room.folder / "peer.toml").write_bytes(odd(PEER, numbers))
    for name, pixels in (("images", draw(numbers, 40, 30)), ("masks", draw_trimap(40, 30))):
        (room.folder / "data" / name).mkdir(parents=True)
        save(room.folder / "data" / name / "a.png", pixels)
    before = room.listing()
    words: tuple[object, ...] = (
        "image",
        "p.png",
        "--segmenter",
        "peer.toml",
        "--refiner",
        "guided",
    )
    room.matte(*words, "-o", "out.png")
    room.matte("eval", "segmenter", "--data", "data", "--peer", "peer.toml", "--size", 32)
    room.check_files(before, words, [room.folder / "out.png"])
