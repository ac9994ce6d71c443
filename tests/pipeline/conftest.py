"""Networks of a few nodes, which evaluation's tests use, too."""

from tests.evaluation.conftest import bright, linear_network

__all__ = ["bright", "linear_network"]
