from matte.configs.settings import TrimapSettings


def test_a_mask_is_eroded_and_dilated_as_often_as_iterations_say() -> None:
    assert TrimapSettings(iterations=4).repetitions == (4, 4)
    assert TrimapSettings(iterations=4, erode=0).repetitions == (0, 4)
    assert TrimapSettings(iterations=4, dilate=2).repetitions == (4, 2)
