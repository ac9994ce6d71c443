"""Write the networks that can be fetched, and the rules that feed them, as tables in Markdown."""

from matte.configs.tables import read_toml
from matte.weights.peer_settings import named_rules
from matte.weights.score_tables import markdown_table
from matte.weights.store import CATALOGUE, SHIPPED_FOLDER, all_weights

KIND_FLAGS = {"segmenter": "--segmenter", "refiner": "--refiner", "modnet": "--modnet"}


def catalogue_table() -> str:
    """Return a Markdown table of the catalogue: a row for each network that runs as it comes."""
    known = all_weights()
    rows = []
    for name in read_toml(SHIPPED_FOLDER / CATALOGUE):
        w = known[name]
        if w.kind not in KIND_FLAGS:
            continue
        size = f"{w.bytes / 1e6:.0f} MB" if w.bytes else ""
        algorithm = w.published_hash.partition(":")[0] or "not known"
        use = f"**{w.licence}**" if w.non_commercial else w.licence
        named = (f"`{name}`", w.architecture, f"`{KIND_FLAGS[w.kind]}`", size)
        rows.append((*named, use, algorithm, w.source))
    header = ("name", "what", "used as", "size", "licence", "hash", "read at")
    return markdown_table(header, rows)


def rules_table() -> str:
    """Return a Markdown table with a row for each rule that has a name."""
    rows = [
        (f"`{name}`", rule.about, f"`{KIND_FLAGS[rule.kind]}`", rule.source)
        for name, rule in named_rules().items()
    ]
    return markdown_table(("rule", "networks", "used as", "read at"), rows)
