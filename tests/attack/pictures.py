"""Damaged pictures, through every command that reads one."""

import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

from tests.attack.changes import EXTREMES, ODD_TEXTS, change, png_chunk
from tests.attack.drawing import MAKERS, Pixels, draw, draw_trimap, save
from tests.attack.room import Room
from tests.attack.tiny import write_segmenter

ENDINGS = tuple(MAKERS)
WEIGHTS = (5, 6, 5, 3, 3, 1, 1, 1, 3, 1)
HEAD_BYTES = 160


def prepare(room: Room) -> None:
    write_segmenter(room.shared / "tiny.onnx")


def attack(room: Room) -> None:
    numbers = room.random
    ending = numbers.choices(ENDINGS, WEIGHTS)[0]
    pixels = draw(numbers)
    bad = room.folder / f"bad{ending}"
    bad.write_bytes(damaged_picture(pixels, ending, numbers))
    save(room.folder / "good.png", pixels)
    save(room.folder / "trimap.png", draw_trimap(*pixels.shape[:2]))
    line: tuple[object, ...] = ("--segmenter", room.shared / "tiny.onnx", "--refiner", "guided")
    line += ("--quiet",)
    if numbers.random() < 0.8:  # MODNet would take most of the time
        line += ("--fallback", "none")
    few = ("--max-pixels", 1_000_000) if numbers.random() < 0.5 else ()
    run(
        room, "out.png", "image", bad, "--bg", numbers.choice(("transparent", "white")), *line, *few
    )
    pair = numbers.choice(((bad, "trimap.png"), ("good.png", bad)))
    run(room, "comp.png", "composite", *pair, "--bg", "white", "--quiet", *few)
    pair = numbers.choice(((bad, "trimap.png"), ("good.png", bad)))
    run(room, "alpha.png", "refine", *pair, "--refiner", "guided", "--quiet", *few)
    role = numbers.choice(("--bg", "--mask-in", "--trimap-in"))
    run(room, "role.png", "image", "good.png", role, bad, *line, *few)
    run_folder(room, bad, line)


def run(room: Room, output: str, *words: object) -> None:
    """Runs a command that writes one file; it must be there and whole, or not at all."""
    before, target = room.listing(), room.folder / output
    ending = room.matte(*words, "-o", output)
    room.check_files(before, words, [target])
    if ending.code == 0:
        if not target.exists() or cv2.imread(str(target), cv2.IMREAD_UNCHANGED) is None:
            room.report("no whole output after success", words)
    elif target.exists():
        room.report("an output after failure", words)


def run_folder(room: Room, bad: Path, line: tuple[object, ...]) -> None:
    """Runs a folder with the damaged picture between good ones, which must be done."""
    folder = room.folder / "many"
    folder.mkdir()
    for name in ("a.png", "z.png"):
        save(folder / name, draw(random.Random(1), 96, 80))  # surely matted
    (folder / bad.name).write_bytes(bad.read_bytes())
    words = ("image", folder, *line, "-o", "done")
    before = room.listing()
    ending = room.matte(*words)
    done = room.folder / "done"
    allowed = [done / f"{stem}-matte.png" for stem in ("a", "bad", "z")]
    new = room.check_files(before, words, allowed)
    if ending.code not in (0, 1) or not {allowed[0], allowed[2]} <= set(new):
        room.report(f"exit {ending.code}, and good pictures are missing", words)
    for path in new:
        if cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is None:
            room.report(f"{path.name} is not whole", words)


def damaged_picture(pixels: Pixels, ending: str, numbers: random.Random) -> bytes:
    """A picture's file: damaged, odd or, rarely, as it was."""
    data = MAKERS[ending](pixels, numbers)
    way = numbers.random()
    if way < 0.05:
        return data
    if way < 0.35 and ending in ODD:
        return ODD[ending](data, numbers)
    if way < 0.4:
        return data + numbers.choice((data, numbers.randbytes(200)))
    if way < 0.43:
        return data[: numbers.randrange(16)]
    return change(data, numbers, numbers.choice((0, 0, HEAD_BYTES)))


def odd_png(data: bytes, numbers: random.Random) -> bytes:
    """A PNG with a header or a chunk that lies, its checksums right."""
    body = bytearray(data[16:29])
    if numbers.random() < 0.4:
        at, code, values = numbers.choice(
            (
                (0, ">I", (*EXTREMES, 50000)),
                (4, ">I", (*EXTREMES, 50000)),
                (8, "B", (0, 1, 3, 4, 16, 255)),
                (9, "B", (0, 2, 3, 4, 5, 6, 255)),
                (12, "B", (0, 1, 2)),
            )
        )
        struct.pack_into(code, body, at, numbers.choice(values))
        return data[:8] + png_chunk(b"IHDR", bytes(body)) + data[33:]
    if numbers.random() < 0.1:
        return bomb(numbers)
    name = numbers.choice((b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"tRNS", b"PLTE"))
    name = numbers.choice((name, b"acTL", b"fcTL", b"gAMA", b"sBIT", b"cHRM", b"pHYs", b"quIX"))
    odd = numbers.choice((*ODD_TEXTS, numbers.randbytes(numbers.randrange(60))))
    packed = zlib.compress(bytes(numbers.choice((10, 1000, 40_000_000))))
    body = bytearray(numbers.choice((odd, b"key\0" + odd, b"key\0\0" + packed, b"\0\0" + packed)))
    chunk = png_chunk(name, bytes(body))
    return data[:33] + chunk * numbers.choice((1, 1, 3)) + data[33:]


def bomb(numbers: random.Random) -> bytes:
    """A PNG of a few kilobytes that unpacks to billions of pixels."""
    width, height = numbers.choice(((60000, 60000), (1 << 30, 1), (1, 1 << 30), (200_000, 20_000)))
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_000_000), 9)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def odd_jpeg(data: bytes, numbers: random.Random) -> bytes:
    """A JPEG with a segment that lies, or with other sizes."""
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    if numbers.random() < 0.4 and at > 0:
        sizes = struct.pack(">HH", *numbers.choices((0, 1, 17, 65535, 40000), k=2))
        return data[: at + 5] + sizes + data[at + 9 :]
    kind = numbers.choice((0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE, 0xDB, 0xC4, 0xDD))
    head = numbers.choice((b"Exif\0\0", b"ICC_PROFILE\0\1\1", b"ICC_PROFILE\0\2\1", b"JFIF\0"))
    tiff = numbers.choice((b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b""))
    more = numbers.choice(ODD_TEXTS) + numbers.randbytes(numbers.randrange(80))
    body = head + tiff + more
    return data[:2] + struct.pack(">BBH", 255, kind, len(body) + 2) + body + data[2:]


def odd_tiff(data: bytes, numbers: random.Random) -> bytes:
    """A TIFF with an entry of its directory changed."""
    order = "<" if data[:2] == b"II" else ">"
    out = bytearray(data)
    (start,) = struct.unpack_from(order + "I", out, 4)
    (count,) = struct.unpack_from(order + "H", out, start)
    at = start + 2 + 12 * numbers.randrange(count)
    code, place, values = numbers.choice(
        (
            ("H", 0, (254, 257, 259, 262, 274, 277, 284, 317, 338, 339, 530, 34675, 65535)),
            ("H", 2, tuple(range(14))),
            ("I", 4, EXTREMES),
            ("I", 8, EXTREMES),
            ("H", 8, (0, 1, 2, 3, 5, 7, 8, 12, 14, 16, 32, 34712, 65535)),
        )
    )
    struct.pack_into(order + code, out, at + place, numbers.choice(values))
    return bytes(out)


def odd_bmp(data: bytes, numbers: random.Random) -> bytes:
    out = bytearray(data)
    at = numbers.choice((10, 14, 18, 22, 28, 30, 34, 46))
    struct.pack_into("<I", out, at, numbers.choice((*EXTREMES, 40000, 0xFFFFFFF0)))
    return bytes(out)


def odd_npy(data: bytes, numbers: random.Random) -> bytes:
    """A .npy whose header lies."""
    shapes = (
        "()",
        "(0, 0)",
        "(5,)",
        "(-1, 3)",
        "(10**9, 10**9)",
        "(3, 3, 3)",
        "(True, 2)",
        "('a',)",
    )
    kinds = ("'<f4'", "'|O'", "'<U9'", "[('a', '<f4')]", "'<M8[s]'", "'V0'", "1", "None", "'<f4")
    shape, kind = numbers.choice(shapes), numbers.choice(kinds)
    text = f"{{'descr': {kind}, 'fortran_order': {numbers.choice(('False', '7'))}, 'shape': {shape}"
    text += numbers.choice(("}", "", ", }", ", 'more': 1}", "}" * 50, ", 'x': " + "(" * 300))
    version = numbers.choice((b"\1\0", b"\2\0", b"\3\0", b"\4\0"))
    length = struct.pack("<H" if version == b"\1\0" else "<I", len(text))
    return b"\x93NUMPY" + version + length + text.encode() + np.zeros(9, np.float32).tobytes()


ODD = {".png": odd_png, ".jpg": odd_jpeg, ".tif": odd_tiff, ".bmp": odd_bmp, ".npy": odd_npy}
