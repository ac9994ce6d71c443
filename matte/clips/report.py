"""The report on a matted video, in JSON."""

from collections.abc import Sequence
from typing import Any

from matte.compositing.backgrounds import Background, background_facts
from matte.files import report_bytes
from matte.runtime.machine import machine_facts


def video_report(
    facts: dict[str, Any], background: Background, result: dict[str, Any], command: Sequence[str]
) -> bytes:
    """Return the report on a video, as the bytes of a JSON file.

    `facts` are its pipeline's, `result` is what RenderResult.as_json() returns, `command` the
    arguments with which the program was called.
    """
    report = {
        **facts,
        "command": list(command),
        "machine": machine_facts(),
        "background": background_facts(background),
        **result,
    }
    return report_bytes(report)
