"""The errors that matte raises on purpose.

    MatteError
    ├── SettingError    a flag, a config key or an argument that can't be used (exit code 2)
    ├── PictureError    a picture that can't be read or does not fit its use
    ├── OutputError     a result that can't be written where it was asked for
    ├── WeightsError    weights that are missing, damaged or of another kind
    │   ├── MissingWeightsError    known ones whose file is not here or not whole
    │   └── NamedNetworkError      those that the user named for a stage that they can't be
    └── BackendError    a runtime or an optional package that is missing or failed

Each says on one line what is wrong and, after a colon, what to do about it. Anything else that
is raised is a bug in matte and keeps its traceback.
"""


class MatteError(Exception):
    """A problem that the user can solve: a cause and, if there is one, the remedy."""

    exit_code = 1

    def __init__(self, cause: str, remedy: str = "") -> None:
        self.cause = cause
        self.remedy = remedy
        text = f"{cause}: {remedy}" if remedy else cause
        super().__init__(text.replace("\r", "\\r").replace("\n", "\\n"))


class SettingError(MatteError):
    """A flag, a config key or an argument that can't be used."""

    exit_code = 2


class PictureError(MatteError):
    """A picture that can't be read or does not fit its use."""


class OutputError(MatteError):
    """A result that can't be written where it was asked for."""


class WeightsError(MatteError):
    """Weights that are missing, damaged or of another kind."""


class MissingWeightsError(WeightsError):
    """Known weights whose file is not here, or not whole."""


class NamedNetworkError(WeightsError):
    """A network that the user named and that can't be used: no other takes its place."""


class BackendError(MatteError):
    """A runtime or an optional package that is missing or failed."""


class MatteWarning(UserWarning):
    """Something that works, but not as well as it could."""


def install_command(extra: str) -> str:
    """Return the remedy that installs an optional part of matte: `torch`, `train`, `webcam`, …

    The distribution is called mattekit; until PyPI has it, extras come from a checkout.
    """
    return f"run pip install '.[{extra}]' in matte's checkout"
