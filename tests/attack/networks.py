"""Damaged and hostile networks, through every option and command that takes a file of one."""

import hashlib
import json
import random
from pathlib import Path

import onnx

from tests.attack.changes import change
from tests.attack.checkpoints import hostile_checkpoint, marker
from tests.attack.drawing import draw, draw_trimap, save
from tests.attack.graphs import EXTERNAL_DATA, GRAPHS, with_external_data, with_odd_metadata
from tests.attack.room import Room
from tests.attack.tiny import refiner, segmenter

MODULES = ("torch", "onnx", "matte.conversion.network_import")
SHIPPED = ("person-light", "modnet", "gca-slim-plain")


def prepare(room: Room) -> None:
    """Stores one network, so that a failed import may destroy it."""
    onnx.save_model(segmenter({"matte.kind": "segmenter"}), room.folder / "kept.onnx")
    room.matte("weights", "import", "kept.onnx", "--as", "kept")


def attack(room: Room) -> None:
    numbers = room.random
    pixels = draw(numbers, numbers.randrange(8, 60), numbers.randrange(8, 60))
    save(room.folder / "p.png", pixels)
    save(room.folder / "t.png", draw_trimap(*pixels.shape[:2]))
    way = numbers.random()
    if way < 0.3:
        bad = hostile_checkpoint(room.folder, numbers)
        run_import(room, bad)
    elif way < 0.36:
        bad = peer_settings(room.folder, numbers)
        run_segmenter(room, bad)
    else:
        bad = hostile_onnx(room, numbers)
        numbers.choice((run_segmenter, run_modnet, run_refiner, run_import))(room, bad)
        numbers.choice((run_segmenter, run_import))(room, bad)
    if marker(room.folder).exists():
        room.report(f"the payload of {bad.name} ran")


def hostile_onnx(room: Room, numbers: random.Random) -> Path:
    """Writes a damaged or a hostile ONNX file."""
    bad = room.folder / numbers.choice(("bad.onnx", "bad.onnx", "bad.ONNX", "bad"))
    way = numbers.random()
    if way < 0.3:
        made = numbers.choice((segmenter, refiner))().SerializeToString()
        bad.write_bytes(change(made, numbers))
    elif way < 0.4:
        shipped = room.server.code / f"matte/weights/{numbers.choice(SHIPPED)}.onnx"
        bad.write_bytes(change(shipped.read_bytes(), numbers, numbers.choice((0, 4000))))
    elif way < 0.55:
        bad.write_bytes(with_odd_metadata(numbers))
    elif way < 0.65:
        with_external_data(bad, numbers)
    else:
        name = numbers.choice(sorted(GRAPHS))
        bad.write_bytes(GRAPHS[name](numbers).SerializeToString())
    return bad


def run(room: Room, bad: Path, *words: object) -> None:
    """Runs a command with a network that was named: that very one must run, or none."""
    before = room.listing()
    out, report = room.folder / "out.png", room.folder / "r.json"
    ending = room.matte(*words, "-o", out.name, "--quiet")
    room.check_files(before, words, [out, report])
    if (ending.code == 0) != out.exists():
        room.report(f"exit {ending.code}, output {out.exists()}", words)
    if ending.code == 0 and report.exists():
        networks = json.loads(report.read_text())["networks"].values()
        digest = hashlib.sha256(bad.read_bytes()).hexdigest()
        # Weights in other files are a part of the hash that a report gives.
        found = [row for row in networks if row["name"].endswith(bad.name)]
        has_others = (bad.parent / EXTERNAL_DATA).exists()
        if not any(row["sha256"] == digest or has_others for row in found):
            names = [row["name"] for row in networks]
            room.report(f"the named network did not run, but {names}", words)
    for path in (out, report):
        path.unlink(missing_ok=True)


def run_segmenter(room: Room, bad: Path) -> None:
    backend = room.random.choice((("--backend", "openvino"), ("--backend", "onnx"), ()))
    words = ("image", "p.png", "--segmenter", bad, "--refiner", "guided", *backend)
    run(room, bad, *words, "--report", "r.json")


def run_modnet(room: Room, bad: Path) -> None:
    run(room, bad, "image", "p.png", "--modnet", bad, "--report", "r.json")


def run_refiner(room: Room, bad: Path) -> None:
    run(room, bad, "refine", "p.png", "t.png", "--weights", bad)


def run_import(room: Room, bad: Path) -> None:
    """Imports a file under a name that is taken, and under a new one: nothing stored is lost."""
    store = room.server.home / "weights"
    kept = hash_of(store / "kept.onnx")
    rule = room.random.choice(((), ("--rule", "u2net"), ("--rule", "birefnet")))
    for words in (
        ("--as", "kept"),
        ("--as", f"new-{room.number}"),
        ("--as", "kept", "--overwrite"),
    ):
        before = room.listing()
        stored = set(store.iterdir())
        ending = room.matte("weights", "import", bad, *words, *rule)
        room.check_files(before, ("weights", "import", *words, *rule))
        new = sorted(path.name for path in set(store.iterdir()) - stored)
        if ending.code != 0 and new:
            room.report(f"a failed import left {new}", ending.words)
            for name in new:
                (store / name).unlink()
        if ending.code == 0 and words[-1] == "--overwrite":
            prepare(room)
            room.matte("weights", "import", "kept.onnx", *words)
        elif hash_of(store / "kept.onnx") != kept:
            room.report("a failed import destroyed the stored network", ending.words)
            prepare(room)
            room.matte("weights", "import", "kept.onnx", *words)
        room.matte("weights", "verify", "kept")


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def peer_settings(folder: Path, numbers: random.Random) -> Path:
    """Writes a peer's TOML, with a value that is odd."""
    onnx.save_model(segmenter(), folder / "net.onnx")
    odd = ('"x"', "-1", "1e400", "[1, 2]", "nan", "99999999999999999999", "{ a = 1 }", '"a\\nb"')
    keys = ("file", "name", "size", "multiple", "mean", "scale", "output", "channel", "more")
    lines = ['file = "net.onnx"', f"{numbers.choice(keys)} = {numbers.choice(odd)}"]
    lines[0] = numbers.choice((lines[0], 'file = "../../etc/passwd"', "file = 'peer.toml'", ""))
    path = folder / "peer.toml"
    data = "\n".join(lines).encode()
    path.write_bytes(change(data, numbers) if numbers.random() < 0.3 else data)
    return path
