"""The line that takes over where mask, trimap and refiner can't be trusted."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from matte.arrays import Image
from matte.errors import MatteError, NamedNetworkError, PictureError, SettingError
from matte.pipeline.line import (
    NO_CHOSEN_SUBJECT,
    NO_PRIOR,
    NO_SUBJECT,
    Line,
    LineResult,
    NetworkFactsByKind,
    Prior,
)
from matte.segmentation.plainness import is_plain
from matte.stages import Refiner, Segmenter

# Where the segmenter found nothing, MODNet must be sure of this share of the picture: it then finds
# somebody in 1 % of 327 pictures without people.
MIN_FALLBACK_SUBJECT_SHARE = 0.02


class Fallback:
    """A line, and a second one for the pictures where the first fails or is doubted."""

    def __init__(self, first: Line | MatteError, second: Callable[[], Line] | None) -> None:
        """Join a first line, or the error that prevented it, and a builder of the second.

        `second` builds the other line when it is first needed; None: a doubt is an error, except
        for "no subject found".
        """
        if isinstance(first, MatteError) and second is None:
            raise first
        self._first = first
        self._build_second = second
        self._built_second: Line | None = None
        self._building = Lock()

    @property
    def segmenter(self) -> Segmenter | None:
        """The first line's segmenter."""
        return None if isinstance(self._first, MatteError) else self._first.segmenter

    @property
    def refiner(self) -> Refiner | None:
        """The first line's refiner."""
        return None if isinstance(self._first, MatteError) else self._first.refiner

    @property
    def network_facts(self) -> NetworkFactsByKind:
        """The facts of the first line's networks, and of the second line's once it is built."""
        lines = [line for line in (self._first, self._built_second) if line is not None]
        return {
            kind: facts
            for line in lines
            if not isinstance(line, MatteError)
            for kind, facts in line.network_facts.items()
        }

    def with_refiner(self, change: Callable[[Refiner], Refiner]) -> "Fallback":
        """Return the same with another refiner in the first line; both share the second line."""
        first = self._first
        changed = first if isinstance(first, MatteError) else first.with_refiner(change)
        return Fallback(changed, self._build_second and self._second)

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        """Return the first line's result; if that fails or is doubtful, the second's, and why."""
        result, error = self._run_first(image, prior)
        reason = result.doubt if result else str(error and error.cause)
        is_answer = reason == NO_CHOSEN_SUBJECT or (
            reason == NO_SUBJECT
            and (prior.segmentation is not None or self._build_second is None or is_plain(image))
        )
        if result and (not reason or is_answer):
            return result
        if self._build_second is None:
            raise error or PictureError(reason, "try another --width, or --fallback modnet")
        try:
            other = self._second().run(image, NO_PRIOR)
        except MatteError as failed:
            return _without_second(result, reason, failed)
        fallback: dict[str, Any] = {"reason": reason, "to": "modnet"}
        if error is not None and error.remedy:
            fallback["remedy"] = error.remedy
        if result is None:
            return LineResult(other.alpha, report={**other.report, "fallback": fallback})
        alpha = other.alpha
        if reason == NO_SUBJECT and not (alpha >= 0.5).mean() >= MIN_FALLBACK_SUBJECT_SHARE:
            fallback["found"] = "no subject either"
            alpha = result.alpha
        ms = {**result.report["ms"], **other.report["ms"]}
        report = {**result.report, "ms": ms, "fallback": fallback}
        return LineResult(alpha, result.mask, result.trimap, report)

    def _run_first(self, image: Image, prior: Prior) -> tuple[LineResult | None, MatteError | None]:
        """Return the first line's result, or the error that it raised."""
        if isinstance(self._first, MatteError):
            return None, self._first
        try:
            return self._first.run(image, prior), None
        except (SettingError, NamedNetworkError):
            raise  # what the user chose is the user's to mend, not a doubt
        except MatteError as error:
            return None, error

    def _second(self) -> Line:
        """Return the second line, built at the first call."""
        assert self._build_second is not None
        with self._building:
            self._built_second = self._built_second or self._build_second()
        return self._built_second


def _without_second(result: LineResult | None, reason: str, failed: MatteError) -> LineResult:
    """Return "no subject", if that was the first line's answer; else raise both errors as one."""
    if result is None or reason != NO_SUBJECT:
        cause = f"{reason}, and MODNet can't help: {failed.cause}"
        raise type(failed)(cause, failed.remedy) from failed
    fallback = {"reason": reason, "to": "modnet", "error": str(failed)}
    report = {**result.report, "fallback": fallback}
    return LineResult(result.alpha, result.mask, result.trimap, report)
