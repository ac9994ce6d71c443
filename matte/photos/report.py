"""What a run did, in JSON: enough to repeat it by hand."""

from collections.abc import Sequence
from typing import Any

from matte.photos.batch import Batch, Outcome
from matte.pipeline.report import background_facts, file_facts, machine_facts, report_bytes


def run_report(batch: Batch, outcomes: Sequence[Outcome], command: Sequence[str]) -> bytes:
    """The report of a whole run; `command` is what was typed."""
    facts, finish, stages = batch.pipeline.facts, batch.finish, batch.stages
    report = {
        **facts,
        "command": list(command),
        "machine": machine_facts(),
        "mask_in": file_facts(stages.mask_in) if stages.mask_in else None,
        "trimap_in": file_facts(stages.trimap_in) if stages.trimap_in else None,
        "background": background_facts(finish.background),
        "premultiply": finish.premultiply,
        "crop": None if finish.crop is None else str(finish.crop),
        "pictures": [_picture(outcome, facts) for outcome in outcomes],
    }
    return report_bytes(report)


def _picture(outcome: Outcome, facts: dict[str, Any]) -> dict[str, Any]:
    told = {
        **file_facts(outcome.job.source),
        "written": [str(path) for path in outcome.written],
    }
    if outcome.error is not None:
        return {**told, "error": str(outcome.error)}
    return {**told, **{key: v for key, v in outcome.report.items() if key not in facts}}
