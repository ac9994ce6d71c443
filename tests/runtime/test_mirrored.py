from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.runtime.execution import Execution
from matte.runtime.mirrored import MirroredSession


class FromTheLeft:
    """A session whose alpha is the picture's red plus how far from the left a pixel is."""

    execution = Execution("left")

    def __init__(self) -> None:
        self.inputs: dict[str, tuple[int | None, ...]] = {
            "image": (None, 3, None, None),
            "trimap": (None, 1, None, None),
            "unknown_ratio": (None,),
        }

    def run(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        assert given["unknown_ratio"].tolist() == [0.25, 0.5]
        red = given["image"][:, :1]
        place = np.arange(red.shape[3], dtype=np.float32)
        return {"alpha": (red + place + given["trimap"]).astype(np.float32)}

    def metadata(self) -> dict[str, str]:
        return {"matte.size": "256"}


def test_the_mean_of_both_has_no_side() -> None:
    random = np.random.default_rng(0)
    session = MirroredSession(FromTheLeft())
    given = {
        "image": random.random((2, 3, 8, 6), np.float32),
        "trimap": random.random((2, 1, 8, 6), np.float32),
        "unknown_ratio": np.array([0.25, 0.5], np.float32),
    }
    (alpha,) = session.run(given).values()
    # The place's mean from both sides is the middle.
    assert np.allclose(alpha, given["image"][:, :1] + given["trimap"] + 2.5, atol=1e-6)


def test_it_is_the_same_network() -> None:
    inner = FromTheLeft()
    session = MirroredSession(inner)
    assert session.inputs == inner.inputs
    assert session.execution == inner.execution
    assert session.metadata() == {"matte.size": "256"}
