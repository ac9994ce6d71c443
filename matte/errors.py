"""The errors that matte raises on purpose.

    MatteError
    ├── SettingError    a flag, a config key or an argument that can't be used (exit code 2)
    ├── PictureError    a picture that can't be read or does not fit its use
    ├── OutputError     a result that can't be written where it was asked for
    ├── StoreError      an object store, or a folder used as one, that refuses or can't be reached
    │   ├── MissingObjectError     an object that is not there
    │   └── ExistingObjectError    an object that is there and must not be replaced
    ├── WeightsError    weights that are missing, damaged or of another kind
    │   ├── MissingWeightsError    known ones whose file is not here or not whole
    │   └── NamedNetworkError      those that the user named for a stage that they can't be
    ├── BackendError    a runtime or an optional package that is missing or failed
    └── InterruptedRunError    a run that its user stopped (exit code 130)

Each says on one line what is wrong and, after a colon, what to do about it. Anything else that
is raised is a bug in matte and keeps its traceback.
"""

import re

# Control characters, line and paragraph separators, what changes the direction of text, and the
# bytes of a file's name that are no text, as Python keeps them.
UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

# What C++, the runtimes and OpenCV say where memory is used up.
NO_MEMORY_WORDS = re.compile(
    "bad_?alloc|bad allocation|(failed|unable|cannot|can't) (to )?alloc|failed to map segment"
    "|(not enough|insufficient|out of) memory|pthread_create failed"
    "|resource temporarily unavailable",  # for a thread's stack
    re.IGNORECASE,
)


def printable(text: object) -> str:
    """Return a text or a file's name as one line that forges nothing: odd characters escaped.

    >>> print(printable("a\\nb"))
    a\\nb
    """
    return UNPRINTABLE.sub(_escape, str(text))


def _escape(found: re.Match[str]) -> str:
    """Return a character as Python's escape; a byte of a name that is no text as that byte."""
    character = found.group()
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


class MatteError(Exception):
    """A problem that the user can solve: a cause and, if there is one, the remedy."""

    exit_code = 1

    def __init__(self, cause: str, remedy: str = "") -> None:
        self.set_text(cause, remedy)

    def set_text(self, cause: str, remedy: str) -> None:
        """Let the error say something else."""
        self.cause = cause
        self.remedy = remedy
        text = f"{cause}: {remedy}" if remedy else cause
        self.args = (printable(text),)


class SettingError(MatteError):
    """A flag, a config key or an argument that can't be used."""

    exit_code = 2


class PictureError(MatteError):
    """A picture that can't be read or does not fit its use."""


class OutputError(MatteError):
    """A result that can't be written where it was asked for."""


class StoreError(MatteError):
    """An object store, or a folder used as one, that refuses or can't be reached."""


class MissingObjectError(StoreError):
    """An object that is not there, or not there any more."""


class ExistingObjectError(StoreError):
    """An object that is there and must not be replaced."""


class WeightsError(MatteError):
    """Weights that are missing, damaged or of another kind."""


class MissingWeightsError(WeightsError):
    """Known weights whose file is not here, or not whole."""


class NamedNetworkError(WeightsError):
    """A network that the user named and that can't be used: no other takes its place."""


class BackendError(MatteError):
    """A runtime or an optional package that is missing or failed."""


class InterruptedRunError(MatteError):
    """A run that its user stopped, with Ctrl-C."""

    exit_code = 130  # what shells report of what Ctrl-C ended


class MatteWarning(UserWarning):
    """Something that works, but not as well as it could; its text is one line."""

    def __init__(self, text: object) -> None:
        super().__init__(printable(text))


def install_command(extra: str) -> str:
    """Return the remedy that installs an optional part of matte: `torch`, `train`, `webcam`, …

    The distribution is called mattekit; until PyPI has it, extras come from a checkout.
    """
    return f"run pip install '.[{extra}]' in matte's checkout"


def web_address_error(address: str, file: str = "file") -> SettingError:
    """Return the error for an address of the web where a `file` is wanted: "picture", "video".

    It names no more than the scheme, because the rest may hold a key.
    """
    scheme = address.partition("//")[0]
    return SettingError(f"{scheme}// is on the web", f"download it first, and give the {file}")


def is_memory_error(error: BaseException) -> bool:
    """Return whether an error says that memory is used up: Python's, a library's, a runtime's."""
    return isinstance(error, MemoryError) or bool(NO_MEMORY_WORDS.search(str(error)))


def out_of_memory(what: str = "") -> BackendError:
    """Return the error for used-up memory; `what` wanted it: "OpenVINO"."""
    cause = f"there is not enough memory{what and f' for {what}'}"
    return BackendError(cause, "give a smaller picture, or set --max-memory to what is free")
