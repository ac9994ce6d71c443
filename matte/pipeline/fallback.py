"""What takes over where mask, trimap and refiner can't be trusted."""

from collections.abc import Callable
from threading import Lock

from matte.arrays import Image
from matte.errors import MatteError, PictureError, SettingError
from matte.pipeline.line import NO_SUBJECT, NOTHING, Found, Given, Line
from matte.stages import Refiner, Segmenter

# Where the segmenter found nobody, MODNet must be sure of this share of the picture: it then finds
# somebody in 1 % of 327 pictures without people.
LEAST_SUBJECT = 0.02


class Fallback:
    """A line, and another one for the pictures where it fails or is doubted."""

    def __init__(self, first: Line | MatteError, second: Callable[[], Line] | None) -> None:
        """`first` may be what kept it from being built. `second` is called when it is first needed;
        None: a doubt is an error, but for "no subject found", which is an answer.
        """
        if isinstance(first, MatteError) and second is None:
            raise first
        self._first = first
        self._make_second = second
        self._made: Line | None = None
        self._making = Lock()

    @property
    def segmenter(self) -> Segmenter | None:
        """The first line's."""
        return None if isinstance(self._first, MatteError) else self._first.segmenter

    def refined_by(self, change: Callable[[Refiner], Refiner]) -> "Fallback":
        """The same, the first line's refiner changed."""
        first = self._first
        changed = first if isinstance(first, MatteError) else first.refined_by(change)
        return Fallback(changed, self._make_second and self._second)

    def run(self, image: Image, given: Given = NOTHING) -> Found:
        """The first line's alpha; or the other's, and why, in its report under "fallback"."""
        found, error = self._try(image, given)
        reason = found.doubt if found else str(error and error.cause)
        answers = reason == NO_SUBJECT and (given.confidence is not None or not self._make_second)
        if found and (not reason or answers):
            return found
        if self._make_second is None:
            raise error or PictureError(reason, "try another --width, or --fallback modnet")
        try:
            other = self._second().run(image, NOTHING)
        except MatteError as failed:
            return _without(found, reason, failed)
        ms = {**(found.report["ms"] if found else {}), **other.report["ms"]}
        told = {"fallback": {"reason": reason, "to": "modnet"}}
        if error is not None and error.remedy:
            told["fallback"]["remedy"] = error.remedy
        if found is None:
            return Found(other.alpha, report={**other.report, **told})
        if reason == NO_SUBJECT and not (other.alpha >= 0.5).mean() >= LEAST_SUBJECT:
            told["fallback"]["found"] = "no subject either"
            return Found(found.alpha, found.mask, found.trimap, {**found.report, "ms": ms, **told})
        return Found(other.alpha, found.mask, found.trimap, {**found.report, "ms": ms, **told})

    def _try(self, image: Image, given: Given) -> tuple[Found | None, MatteError | None]:
        if isinstance(self._first, MatteError):
            return None, self._first
        try:
            return self._first.run(image, given), None
        except SettingError:
            raise  # whoever asked for it wants to know
        except MatteError as error:
            return None, error

    def _second(self) -> Line:
        assert self._make_second is not None
        with self._making:
            self._made = self._made or self._make_second()
        return self._made


def _without(found: Found | None, reason: str, failed: MatteError) -> Found:
    """What there is to say where the second line failed too: that there is nobody, or an error."""
    if found is None or reason != NO_SUBJECT:
        cause = f"{reason}, and MODNet can't help: {failed.cause}"
        raise type(failed)(cause, failed.remedy) from failed
    told = {"reason": reason, "to": "modnet", "error": str(failed)}
    return Found(found.alpha, found.mask, found.trimap, {**found.report, "fallback": told})
