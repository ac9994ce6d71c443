from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from matte.errors import BackendError
from matte.media.exr import encode_exr


def test_layers_are_half_floats_by_their_names(tmp_path: Path) -> None:
    main = np.random.default_rng(0).random((5, 7, 4)).astype(np.float32)
    path = tmp_path / "a.exr"
    path.write_bytes(encode_exr({"": main, "foreground": main[:, :, :3] * 4}))
    channels = OpenEXR.File(str(path)).channels()
    assert channels["RGBA"].pixels.dtype == np.float16
    np.testing.assert_allclose(channels["RGBA"].pixels, main, atol=1e-3)
    np.testing.assert_allclose(channels["foreground.RGB"].pixels, main[:, :, :3] * 4, atol=4e-3)


def test_grey_is_a_channel_of_its_own_and_pixels_have_a_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(encode_exr({"": np.full((3, 4), 0.25, np.float32)}, pixel_aspect=4 / 3))
    found = OpenEXR.File(str(path))
    assert list(found.channels()) == ["Y"]
    assert found.channels()["Y"].pixels.max() == 0.25
    assert found.header()["pixelAspectRatio"] == pytest.approx(4 / 3)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "OpenEXR", None)
    with pytest.raises(BackendError, match=r"writing \.exr needs OpenEXR"):
        encode_exr({"": np.zeros((1, 1, 4), np.float32)})
