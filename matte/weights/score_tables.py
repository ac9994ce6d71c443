"""Scores of networks and lines as Markdown tables."""

from collections.abc import Iterable, Sequence

from matte.weights.scores import ErrorRatio, Measurement, NetworkScore
from matte.weights.training_sets import training_sets

NOT_MEASURED = "not measured yet"


METRIC_FORMATS = {
    "miou": ("mIoU", ".3f"),
    "accuracy": ("pixel accuracy", ".3f"),
    "sad": ("SAD (k)", ".2f"),
    "mse": ("MSE", ".4f"),
    "mad": ("MAD", ".4f"),
    "mad_whole": ("MAD, whole picture", ".4f"),
}


def scores_table(measured: Measurement) -> str:
    """Return a Markdown table of scores, with a column for each rival."""
    rivals = list(dict.fromkeys(a.name for s in measured.scores for a in s.against))
    trimaps = any(s.trimaps for s in measured.scores)
    header = [
        "data set",
        *(["trimaps"] if trimaps else []),
        "pictures",
        "measure",
        "mean (95 % interval)",
    ]
    rows = [
        [
            _set_title(score.set),
            *([score.trimaps] if trimaps else []),
            str(score.pictures),
            METRIC_FORMATS.get(score.metric, (score.metric, ""))[0],
            _format_score(score),
            *(_format_ratio(score.against, rival) for rival in rivals),
        ]
        for score in measured.scores
    ]
    return markdown_table([*header, *(f"compared with {rival}" for rival in rivals)], rows)


def first_score(measured: Measurement | None) -> str:
    """Return a network's first score in words."""
    if measured is None or not measured.scores:
        return NOT_MEASURED
    score = measured.scores[0]
    name = METRIC_FORMATS.get(score.metric, (score.metric, ""))[0]
    return f"{_set_title(score.set)}: {name} {_format_score(score)}"


def _set_title(folder: str) -> str:
    """Return the title of a described training set, or the folder's name."""
    known = training_sets()
    return known[folder].title if folder in known else folder


def _format_score(score: NetworkScore) -> str:
    """Format a score with its confidence interval."""
    form = METRIC_FORMATS.get(score.metric, ("", ".4f"))[1]
    return f"{score.value:{form}} ({score.low:{form}} … {score.high:{form}})"


def _format_ratio(against: Iterable[ErrorRatio], name: str) -> str:
    """Return the ratio to a rival's error with its interval; empty if there is none."""
    return next(
        (
            f"× {a.ratio:.2f} ({a.low:.2f} … {a.high:.2f}), median {a.median:.2f}"
            for a in against
            if a.name == name
        ),
        "",
    )


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    all_rows = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in all_rows)
