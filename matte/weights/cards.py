"""Write model cards in Markdown: a network's data, training, scores and weaknesses.

Made from the manifest, the recipe, data.toml and the scores, so that no number is written twice.
"""

from pathlib import Path

from matte.configs.loader import preset_names
from matte.configs.recipe_files import fill_in_sets, recipe_path
from matte.configs.tables import read_toml
from matte.weights.score_tables import NOT_MEASURED, first_score, markdown_table, scores_table
from matte.weights.scores import (
    current_line_scores,
    current_scores,
    networks_of_preset,
)
from matte.weights.store import SHIPPED_FOLDER, Weights, all_weights, storage_status, weights_named
from matte.weights.training_sets import training_sets

KIND_DESCRIPTIONS = {
    "segmenter": "A segmenter: finds the subject, as a mask",
    "refiner": "A refiner: finds alpha in the unknown band of a trimap",
    "modnet": "A trimap-free network: finds alpha from the photo alone",
    "checkpoint": "Torch weights, to be imported",
}
USAGE_COMMANDS = {
    "segmenter": "matte photo.jpg --segmenter {name}",
    "refiner": "matte photo.jpg --refiner {name}",
    "modnet": "matte photo.jpg --trimap-free --modnet {name}",
    "checkpoint": 'matte weights import "$(matte weights path {name})" --as my-{name}',
}
LICENCE_TEXT = (
    "The weights as such: {licence}. The training pictures belong to others, and not all of them"
    " are cleared: some have no licence at all, others are for research only (see the table)."
    " Whether their terms bind the weights is not settled; we claim nothing beyond our own part."
    " If you need weights from cleared pictures alone, train on your own:"
    " `matte train {kind} --help`."
)


def model_card(name: str, pictures: Path | None = None) -> str:
    """Return the model card of a network, shipped or the user's own.

    `pictures` is the folder, relative to where the card will stand, of the pictures of failures.
    """
    weights = weights_named(name)
    parts = [
        f"## {name}",
        _description(weights),
        _usage(name, weights),
        _origin_section(weights),
        _training_section(weights),
        _licence_section(weights),
        _scores_section(name, weights),
        _weaknesses_section(name, weights, pictures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def all_model_cards(pictures: Path | None = None) -> str:
    """Return the cards of all shipped networks, by name."""
    shipped = sorted(name for name, w in all_weights().items() if w.folder == SHIPPED_FOLDER)
    return "\n".join(model_card(name, pictures) for name in shipped)


def network_table() -> str:
    """Return a Markdown table with a row for each shipped network."""
    rows = [
        (
            f"`{name}`",
            f"{w.kind}: {w.architecture}" + (f", {w.size} px" if w.size else ""),
            f"{w.parameters / 1e6:.2f} M",
            f"{w.path.stat().st_size / 1e6:.1f} MB",
            first_score(current_scores(name, w)),
        )
        for name, w in sorted(all_weights().items())
        if w.folder == SHIPPED_FOLDER
    ]
    return markdown_table(("name", "what", "parameters", "file", "on held-back pictures"), rows)


def preset_scores() -> str:
    """Return the scores of whole lines, from the photo alone: a section for each preset."""
    parts = []
    for preset in preset_names():
        measured = current_line_scores(preset, SHIPPED_FOLDER)
        made_of = " and ".join(f"`{name}`" for name in networks_of_preset(preset)) or "no network"
        text = scores_table(measured) if measured else f"{NOT_MEASURED.capitalize()}."
        parts.append(f"**`{preset}`** ({made_of})\n\n{text}")
    return "\n\n".join(parts)


def _description(weights: Weights) -> str:
    """Return a sentence on a network's kind, architecture, size and file."""
    text = [
        weights.architecture,
        f"{weights.parameters / 1e6:.2f} M parameters" if weights.parameters else "",
        f"trained at {weights.size} px" if weights.size else "",
        f"fed by the rule `{weights.rule}`" if weights.rule else "",
        _file_facts(weights),
        _precision_facts(weights),
    ]
    return (
        f"{KIND_DESCRIPTIONS.get(weights.kind, weights.kind)}. "
        + "; ".join(t for t in text if t)
        + "."
    )


def _file_facts(weights: Weights) -> str:
    """Return a network's file, its size, and whether it is shipped or stored."""
    if storage_status(weights) in ("missing", "not fetched"):
        return f"`{weights.file}`, {storage_status(weights)}"
    return (
        f"`{weights.file}`, {weights.path.stat().st_size / 1e6:.1f} MB, {storage_status(weights)}"
    )


def _precision_facts(weights: Weights) -> str:
    """Return the precisions that are as good as fp32, and the file that int8 needs."""
    if not weights.accurate_precisions:
        return ""
    text = f"{' and '.join(weights.accurate_precisions)} score like fp32"
    if weights.int8_path is None:
        return text
    return f"{text} (`{weights.int8}`, {weights.int8_path.stat().st_size / 1e6:.1f} MB)"


def _usage(name: str, weights: Weights) -> str:
    """Return the commands that fetch and use a network."""
    accept = " --accept-licence" if weights.non_commercial else ""
    fetch = f"matte weights download {name}{accept}\n" if weights.url else ""
    line = USAGE_COMMANDS.get(weights.kind, "").format(name=name)
    return f"```sh\n{fetch}{line}\n```" if fetch or line else ""


def _origin_section(weights: Weights) -> str:
    """Return where a network that matte did not train comes from, and where that was read."""
    text = [
        weights.origin,
        f"<{weights.url}>" if weights.url else "",
        weights.published_hash,
        f"read at {weights.source}" if weights.source else "",
    ]
    return "**Origin.** " + "; ".join(t for t in text if t) + "." if any(text) else ""


def _training_section(weights: Weights) -> str:
    """Return a network's recipe, steps, time, command and training data."""
    if not weights.recipe:
        return ""
    text = f"**Training.** Recipe `{weights.recipe}`"
    text += f", {weights.steps:,} steps" if weights.steps else ""
    text += f", {weights.time}" if weights.time else ""
    text += f". Starts from {weights.start}." if weights.start else "."
    command = f"```sh\n{weights.command}\n```" if weights.command else ""
    return "\n\n".join(part for part in (text, command, _training_data_table(weights)) if part)


def _training_data_table(weights: Weights) -> str:
    """Return the recipe's described sets, with the number of pictures that it uses."""
    path = recipe_path(weights.recipe)
    known = training_sets()
    rows = []
    for chosen in fill_in_sets(read_toml(path), path).get("data", []):
        if one := known.get(chosen["folder"]):
            number = one.pictures - len(chosen.get("exclude", []))
            rows.append((one.title, str(number), one.source, one.licence))
    header = (
        "data set",
        "pictures, held-back ones included",
        "source",
        "licence, as its publisher states it",
    )
    return markdown_table(header, rows) if rows else ""


def _licence_section(weights: Weights) -> str:
    """Return the licence of a network's weights."""
    if not weights.licence:
        return ""
    if weights.folder == SHIPPED_FOLDER:
        return "**Licence.** " + LICENCE_TEXT.format(licence=weights.licence, kind=weights.kind)
    return f"**Licence.** {weights.licence}."


def _scores_section(name: str, weights: Weights) -> str:
    """Return a network's scores on held-back pictures, and the command that measures them."""
    measured = current_scores(name, weights)
    if measured is None:
        return f"**Scores.** {NOT_MEASURED.capitalize()}." if weights.recipe else ""
    return (
        f"**Scores** ({measured.date}) on pictures that were held back from training, together with"
        " their near duplicates; the checkpoint was chosen on some of them. The fewer the pictures,"
        " the wider the interval.\n\n"
        f"{scores_table(measured)}\n\n"
        f"```sh\npython benchmarks/score_weights.py DATA {name}\n```"
    )


def _weaknesses_section(name: str, weights: Weights, pictures: Path | None) -> str:
    """Return a network's known weaknesses, with a picture of failures."""
    listed = "\n".join(f"- {weakness}" for weakness in weights.weaknesses)
    text = f"**Weaknesses**\n\n{listed}" if listed else ""
    if weights.failures and pictures is not None:
        text += f"\n\n![Failures of {name}]({pictures.as_posix()}/{name}.jpg)"
        text += f"\n\n{weights.failures}"
    return text.strip()
