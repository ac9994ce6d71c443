"""Model cards in Markdown: what a network is, what it learnt from, what it reaches, where it fails.

Made from the manifest, the recipe, data.toml and the scores, so that no number is written twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matte.configs.loader import PRESETS, preset_names
from matte.configs.tables import from_file, read_toml
from matte.weights.scores import Against, Measured, Score, line_of, scores_of, scores_of_line
from matte.weights.store import SHIPPED, Weights, all_weights, place, stored

RECIPES = PRESETS.parent / "recipes"
NOT_MEASURED = "not measured yet"
WHAT = {
    "segmenter": "A segmenter: finds the subject, as a mask",
    "refiner": "A refiner: finds alpha in the unknown band of a trimap",
    "modnet": "A trimap-free network: finds alpha from the photo alone",
    "checkpoint": "Torch weights, to be imported",
}
USE = {
    "segmenter": "matte photo.jpg --segmenter {name}",
    "refiner": "matte photo.jpg --refiner {name}",
    "modnet": "matte photo.jpg --trimap-free --modnet {name}",
    "checkpoint": 'matte weights import "$(matte weights path {name})" --as my-{name}',
}
METRICS = {
    "miou": ("mIoU", ".3f"),
    "accuracy": ("right pixels", ".3f"),
    "sad": ("SAD (k)", ".2f"),
    "mse": ("MSE", ".4f"),
    "mad": ("MAD", ".4f"),
    "mad_whole": ("MAD, whole picture", ".4f"),
}
ALLOWED = (
    "The weights as such: {licence}. The pictures that they learnt from are not ours, and not all"
    " are cleared: some have no licence at all, others are for research only (see the table)."
    " Whether their terms bind the weights is not settled; we claim nothing beyond our own part."
    " Who needs weights from cleared pictures alone trains on pictures of their own:"
    " `matte train {kind} --help`."
)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Pictures that shipped networks learnt from; `licence` is what their publisher says of it."""

    title: str
    pictures: int
    source: str
    licence: str


def training_sets() -> dict[str, TrainingSet]:
    """The described sets by the folders that recipes name."""
    path = SHIPPED / "data.toml"
    rows = read_toml(path).items()
    return {folder: from_file(TrainingSet, row, str(path), folder) for folder, row in rows}


def card(name: str, pictures: Path | None = None) -> str:
    """The model card of a network: what is known of it, whosesoever it is.

    `pictures` is the folder, seen from where the card will stand, of the pictures of failures.
    """
    weights = stored(name)
    parts = [
        f"## {name}",
        _what(weights),
        _use(name, weights),
        _origin(weights),
        _training(weights),
        _licence(weights),
        _measured(name, weights),
        _weaknesses(name, weights, pictures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def cards(pictures: Path | None = None) -> str:
    """The cards of all shipped networks, by name."""
    shipped = sorted(name for name, w in all_weights().items() if w.folder == SHIPPED)
    return "\n".join(card(name, pictures) for name in shipped)


def overview() -> str:
    """One row for each shipped network."""
    rows = [
        (
            f"`{name}`",
            f"{w.kind}: {w.architecture}" + (f", {w.size} px" if w.size else ""),
            f"{w.parameters / 1e6:.2f} M",
            f"{w.path.stat().st_size / 1e6:.1f} MB",
            _first(scores_of(name, w)),
        )
        for name, w in sorted(all_weights().items())
        if w.folder == SHIPPED
    ]
    return _table(("name", "what", "parameters", "file", "on held-back pictures"), rows)


def lines() -> str:
    """What whole lines reach, from the photo alone: a section for each preset."""
    parts = []
    for preset in preset_names():
        measured = scores_of_line(preset, SHIPPED)
        made_of = " and ".join(f"`{name}`" for name in line_of(preset)) or "no network"
        told = _scores_table(measured) if measured else f"{NOT_MEASURED.capitalize()}."
        parts.append(f"**`{preset}`** ({made_of})\n\n{told}")
    return "\n\n".join(parts)


def _what(weights: Weights) -> str:
    told = [
        weights.architecture,
        f"{weights.parameters / 1e6:.2f} M parameters" if weights.parameters else "",
        f"made for {weights.size} px" if weights.size else "",
        _file(weights),
        _precisions(weights),
    ]
    return f"{WHAT.get(weights.kind, weights.kind)}. " + "; ".join(t for t in told if t) + "."


def _file(weights: Weights) -> str:
    if place(weights) in ("missing", "not fetched"):
        return f"`{weights.file}`, {place(weights)}"
    return f"`{weights.file}`, {weights.path.stat().st_size / 1e6:.1f} MB, {place(weights)}"


def _precisions(weights: Weights) -> str:
    """In what it is as good as in fp32, and the file that it needs for that."""
    if not weights.accurate_precisions:
        return ""
    told = f"as good in {' and '.join(weights.accurate_precisions)} as in fp32"
    if weights.int8_path is None:
        return told
    return f"{told} (`{weights.int8}`, {weights.int8_path.stat().st_size / 1e6:.1f} MB)"


def _use(name: str, weights: Weights) -> str:
    fetch = f"matte weights download {name}\n" if weights.url else ""
    line = USE.get(weights.kind, "").format(name=name)
    return f"```sh\n{fetch}{line}\n```" if fetch or line else ""


def _origin(weights: Weights) -> str:
    told = [weights.origin, f"<{weights.url}>" if weights.url else ""]
    return "**Origin.** " + "; ".join(t for t in told if t) + "." if any(told) else ""


def _training(weights: Weights) -> str:
    if not weights.recipe:
        return ""
    told = f"**Training.** Recipe `{weights.recipe}`"
    told += f", {weights.steps:,} steps" if weights.steps else ""
    told += f", {weights.time}" if weights.time else ""
    told += f". Starts from {weights.start}." if weights.start else "."
    command = f"```sh\n{weights.command}\n```" if weights.command else ""
    return "\n\n".join(part for part in (told, command, _data(weights)) if part)


def _data(weights: Weights) -> str:
    """The described sets of the recipe, with the number of pictures that it doesn't leave out."""
    path = Path(weights.recipe)
    path = path if path.suffix == ".toml" else RECIPES / f"{weights.recipe}.toml"
    known = training_sets()
    rows = []
    for chosen in read_toml(path).get("data", []):
        if one := known.get(chosen["folder"]):
            number = one.pictures - len(chosen.get("exclude", []))
            rows.append((one.title, str(number), one.source, one.licence))
    header = ("pictures", "with those held back", "source", "what it says of the licence")
    return _table(header, rows) if rows else ""


def _licence(weights: Weights) -> str:
    if not weights.licence:
        return ""
    if weights.folder == SHIPPED:
        return "**Licence.** " + ALLOWED.format(licence=weights.licence, kind=weights.kind)
    return f"**Licence.** {weights.licence}."


def _measured(name: str, weights: Weights) -> str:
    measured = scores_of(name, weights)
    if measured is None:
        return f"**Scores.** {NOT_MEASURED.capitalize()}." if weights.recipe else ""
    return (
        f"**Scores** ({measured.date}) on pictures that were held back, with near duplicates, from"
        " training; some of them chose the checkpoint. The fewer the pictures, the wider the"
        " interval.\n\n"
        f"{_scores_table(measured)}\n\n"
        f"```sh\npython benchmarks/score_weights.py DATA {name}\n```"
    )


def _weaknesses(name: str, weights: Weights, pictures: Path | None) -> str:
    listed = "\n".join(f"- {weakness}" for weakness in weights.weaknesses)
    told = f"**Weaknesses**\n\n{listed}" if listed else ""
    if weights.failures and pictures is not None:
        told += f"\n\n![Failures of {name}]({pictures.as_posix()}/{name}.jpg)"
        told += f"\n\n{weights.failures}"
    return told.strip()


def _scores_table(measured: Measured) -> str:
    rivals = list(dict.fromkeys(a.name for s in measured.scores for a in s.against))
    trimaps = any(s.trimaps for s in measured.scores)
    header = [
        "held-back pictures",
        *(["trimaps"] if trimaps else []),
        "how many",
        "measure",
        "mean (95 % interval)",
    ]
    rows = [
        [
            _title(score.set),
            *([score.trimaps] if trimaps else []),
            str(score.pictures),
            METRICS.get(score.metric, (score.metric, ""))[0],
            _value(score),
            *(_rival(score.against, rival) for rival in rivals),
        ]
        for score in measured.scores
    ]
    return _table([*header, *(f"compared with {rival}" for rival in rivals)], rows)


def _first(measured: Measured | None) -> str:
    if measured is None or not measured.scores:
        return NOT_MEASURED
    score = measured.scores[0]
    name = METRICS.get(score.metric, (score.metric, ""))[0]
    return f"{_title(score.set)}: {name} {_value(score)}"


def _title(folder: str) -> str:
    known = training_sets()
    return known[folder].title if folder in known else folder


def _value(score: Score) -> str:
    form = METRICS.get(score.metric, ("", ".4f"))[1]
    return f"{score.value:{form}} ({score.low:{form}} … {score.high:{form}})"


def _rival(against: Iterable[Against], name: str) -> str:
    return next(
        (
            f"× {a.ratio:.2f} ({a.low:.2f} … {a.high:.2f}), median {a.median:.2f}"
            for a in against
            if a.name == name
        ),
        "",
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
