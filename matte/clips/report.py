"""What became of a clip, in JSON."""

from collections.abc import Sequence
from typing import Any

from matte.compositing.backgrounds import Background
from matte.pipeline.report import background_facts, machine_facts, report_bytes


def video_report(
    facts: dict[str, Any], background: Background, told: dict[str, Any], command: Sequence[str]
) -> bytes:
    """The report on a video: `facts` of its pipeline, and what is told of it besides."""
    report = {
        **facts,
        "command": list(command),
        "machine": machine_facts(),
        "background": background_facts(background),
        **told,
    }
    return report_bytes(report)
