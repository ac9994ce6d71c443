from matte.refiner.smooth import Smooth
from tests.refiner.contract import RefinerContract
from tests.tolerances import REFINED_BLIND


class TestSmooth(RefinerContract):
    refiner = Smooth
    apart = REFINED_BLIND
