import numpy as np

from matte.runtime.example_inputs import SIGNED_INPUT, portrait_inputs

RGB, MAP = (None, 3, None, None), (None, 1, None, None)


def test_each_input_gets_what_its_shape_and_name_ask_for() -> None:
    found = portrait_inputs({"image": RGB, "trimap": MAP, "unknown_ratio": (None,)}, 2, 64, 96)
    assert {name: values.shape for name, values in found.items()} == {
        "image": (2, 3, 64, 96),
        "trimap": (2, 1, 64, 96),
        "unknown_ratio": (2,),
    }
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
    assert set(np.unique(found["trimap"])) == {0, 0.5, 1}
    assert (found["unknown_ratio"] == -1).all()
    assert found["image"].min() >= 0
    assert np.array_equal(found["image"][1], found["image"][0, :, :, ::-1]), "mirrored"


def test_modnets_input_goes_from_minus_one_to_one() -> None:
    plain = portrait_inputs({"image": RGB}, 1, 64, 64)["image"]
    signed = portrait_inputs({SIGNED_INPUT: RGB}, 1, 64, 64)[SIGNED_INPUT]
    assert np.array_equal(signed, plain * 2 - 1)
