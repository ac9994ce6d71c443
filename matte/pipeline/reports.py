"""What a run did, in JSON: enough to repeat it by hand."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matte.compositing.backgrounds import Background, Blur, Colour, Film, Picture
from matte.pipeline.batch import Batch, Outcome
from matte.pipeline.jobs import STREAM
from matte.runtime.machine import describe_machine


def run_report(batch: Batch, outcomes: Sequence[Outcome], command: Sequence[str]) -> bytes:
    """The report of a whole run; `command` is what was typed."""
    facts, finish, stages = batch.pipeline.facts, batch.finish, batch.stages
    report = {
        **facts,
        "command": list(command),
        "machine": _machine(),
        "mask_in": _file(stages.mask_in) if stages.mask_in else None,
        "trimap_in": _file(stages.trimap_in) if stages.trimap_in else None,
        "background": _background(finish.background),
        "premultiply": finish.premultiply,
        "crop": None if finish.crop is None else str(finish.crop),
        "pictures": [_picture(outcome, facts) for outcome in outcomes],
    }
    return _json(report)


def video_report(
    facts: dict[str, Any], background: Background, told: dict[str, Any], command: Sequence[str]
) -> bytes:
    """The report on a video: `facts` of its pipeline, and what is told of it besides."""
    report = {
        **facts,
        "command": list(command),
        "machine": _machine(),
        "background": _background(background),
        **told,
    }
    return _json(report)


def _json(report: dict[str, Any]) -> bytes:
    # Bytes of a name that are no text become JSON's own escapes.
    text = json.dumps(report, indent=2, ensure_ascii=False)
    return f"{text}\n".encode(errors="backslashreplace")


def _picture(outcome: Outcome, facts: dict[str, Any]) -> dict[str, Any]:
    told = {
        **_file(outcome.job.source),
        "written": [str(path) for path in outcome.written],
    }
    if outcome.error is not None:
        return {**told, "error": str(outcome.error)}
    return {**told, **{key: v for key, v in outcome.report.items() if key not in facts}}


def _background(asked: Background) -> dict[str, Any] | str:
    if isinstance(asked, Picture | Film):
        return _file(asked.path)
    if isinstance(asked, Colour):
        return {"colour": asked.rgb}
    return {"blur": str(asked.radius)} if isinstance(asked, Blur) else "transparent"


def _file(path: Path) -> dict[str, str]:
    return {"file": str(path), "sha256": "" if path == STREAM else _digest(path)}


def _digest(path: Path) -> str:
    """The SHA-256 of a file; empty if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""


def _machine() -> dict[str, Any]:
    machine = describe_machine()
    return {
        "python": machine["python"],
        "platform": machine["system"],
        "packages": machine["versions"],
    }
