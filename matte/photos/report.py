"""The report of a run over photos, in JSON: enough to repeat it by hand."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from matte.compositing.backgrounds import background_facts
from matte.files import file_facts, report_bytes
from matte.photos.batch import Batch, PhotoOutcome
from matte.photos.locations import location_facts
from matte.runtime.machine import machine_facts

COLUMNS = ("file", "sha256", "width", "height", "subject", "unknown", "ms", "written", "error")


def run_report(
    batch: Batch,
    facts: dict[str, Any],
    outcomes: Sequence[PhotoOutcome],
    command: Sequence[str],
    store_retries: int | None = None,
) -> bytes:
    """Return the report of a whole run.

    `facts` are the pipeline's; `command` is the command line. Pictures come in the batch's order,
    whichever was done first. `store_retries` says how many calls to stores were made again; None
    for a run without stores.
    """
    finish, stages = batch.finish, batch.stages
    report = {
        **facts,
        "command": list(command),
        "machine": machine_facts(),
        "mask_in": file_facts(stages.mask_in) if stages.mask_in else None,
        "trimap_in": file_facts(stages.trimap_in) if stages.trimap_in else None,
        "background": background_facts(finish.background),
        "premultiply": finish.premultiply,
        "crop": None if finish.crop is None else str(finish.crop),
        "canvas": None if finish.canvas is None else asdict(finish.canvas),
        **({} if store_retries is None else {"store_retries": store_retries}),
        "pictures": [_photo_report(outcome, facts) for outcome in in_order(batch, outcomes)],
    }
    return report_bytes(report)


def in_order(batch: Batch, outcomes: Sequence[PhotoOutcome]) -> list[PhotoOutcome]:
    """Return outcomes in the order of the batch's jobs."""
    places = {job.target: place for place, job in enumerate(batch.jobs)}
    return sorted(outcomes, key=lambda outcome: places[outcome.job.target])


def report_table(outcomes: Sequence[PhotoOutcome]) -> bytes:
    """Return the pictures of a run as a table: CSV, a line each."""
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        row = {**location_facts(outcome.job.source), **outcome.report}
        row["written"] = " ".join(str(path) for path in outcome.written)
        row["ms"] = round(sum(outcome.report.get("ms", {}).values())) or ""
        row["error"] = "" if outcome.error is None else str(outcome.error)
        writer.writerow({name: _as_cell(row.get(name, "")) for name in COLUMNS})
    return table.getvalue().encode(errors="backslashreplace")


def _as_cell(value: Any) -> Any:
    """Return a value for a table; no program takes a text for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def _photo_report(outcome: PhotoOutcome, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a report says of one photo, without the facts that all photos share."""
    report = {
        **location_facts(outcome.job.source),
        "written": [str(path) for path in outcome.written],
    }
    if outcome.error is not None:
        return {**report, "error": str(outcome.error)}
    return {**report, **{key: v for key, v in outcome.report.items() if key not in facts}}
