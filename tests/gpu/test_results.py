import numpy as np
import pytest
import torch

from matte.arrays import Trimap
from matte.errors import WeightsError
from matte.gpu.results import DOUBT_WORDS, DoubtCode, FrameResults, doubt_codes, is_alpha
from matte.trimap.drawing import trimap_flaw


def results(*codes: DoubtCode) -> FrameResults:
    frames = len(codes)
    alpha = torch.zeros(frames, 4, 5)
    foreground = torch.zeros(frames, 4, 5, 3, dtype=torch.uint8)
    return FrameResults(alpha, foreground, torch.tensor(codes))


def test_every_doubt_has_its_words() -> None:
    codes = [code for code in DoubtCode if code != DoubtCode.NO_ALPHA]
    assert results(*codes).doubts() == [DOUBT_WORDS[code] for code in codes]
    with pytest.raises(WeightsError, match="no alpha: try --precision fp32"):
        results(DoubtCode.NONE, DoubtCode.NO_ALPHA).doubts()


@pytest.mark.parametrize("levels", [(0, 128), (0, 255), (128, 255), (0, 128, 255)])
@pytest.mark.parametrize("unknown_rows", [2, 9])
def test_trimaps_are_doubted_as_in_numpy(levels: tuple[int, ...], unknown_rows: int) -> None:
    rows = np.resize(np.array(levels, np.uint8), 12)
    if 128 in levels:
        rows[:unknown_rows] = 128
    trimap = np.repeat(rows[:, None], 10, axis=1)
    mask = torch.ones(1, 1, 12, 10, dtype=torch.bool)
    (code,) = doubt_codes(mask, torch.from_numpy(trimap)[None, None]).tolist()
    expected = trimap_flaw(Trimap(trimap))
    if "%" in expected:
        assert code == DoubtCode.MOSTLY_UNKNOWN
    else:
        assert DOUBT_WORDS[DoubtCode(code)] == expected
    (code,) = doubt_codes(~mask, torch.from_numpy(trimap)[None, None]).tolist()
    assert code == DoubtCode.NO_SUBJECT


def test_values_are_checked_frame_by_frame() -> None:
    values = torch.full((4, 1, 2, 2), 0.5)
    values[1, 0, 0, 0], values[2, 0, 1, 1], values[3, 0, 0, 1] = torch.nan, 1.5, -0.5
    assert is_alpha(values).tolist() == [True, False, False, False]


def test_a_copy_has_tensors_of_its_own() -> None:
    one = results(DoubtCode.NONE)
    copy = one.clone()
    copy.alpha.fill_(1)
    assert not one.alpha.any()
    assert copy.mask is None
