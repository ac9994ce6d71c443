import pytest

from matte.configs.lengths import Length
from matte.configs.run_settings import MIN_REFINE_SIZE
from matte.configs.settings import RuntimeSettings, VideoSettings
from matte.errors import SettingError


def test_frames_are_refined_at_a_share_or_a_size_but_not_too_small() -> None:
    assert VideoSettings().refined_long_side(1920) is None
    assert VideoSettings(refine_size=Length(50, percent=True)).refined_long_side(1920) == 960
    assert VideoSettings(refine_size=Length(480)).refined_long_side(1920) == 480
    assert (
        VideoSettings(refine_size=Length(1, percent=True)).refined_long_side(1920)
        == MIN_REFINE_SIZE
    )


def test_a_gpu_can_not_be_required_of_a_processor() -> None:
    with pytest.raises(SettingError, match="require_gpu with device = 'cpu': leave one"):
        RuntimeSettings(require_gpu=True, device="cpu")
