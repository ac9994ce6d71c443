import numpy as np
import pytest

from matte.arrays import UNKNOWN, Alpha
from matte.gpu.frame_line import device_refiner
from matte.gpu.low_resolution import DeviceLowResolution
from matte.gpu.pictures import DeviceReusableAlpha, upload_picture, upload_trimap
from matte.gpu.transfer import CPU, download_plane, upload_plane
from matte.refiner.gca import Gca
from matte.refiner.guided import Guided
from matte.refiner.low_resolution import LowResolutionRefiner
from matte.stages import RefineContext, Refiner, ReusableAlpha
from tests.gpu.lines import FakeRefinerNetwork
from tests.gpu.shapes import ring_frame
from tests.tolerances import DEVICE_REFINED


class Known:
    """The alpha before is known already."""

    def __init__(self, reusable: ReusableAlpha) -> None:
        self._reusable = reusable

    def warped_alpha(self, *_: object) -> ReusableAlpha:
        return self._reusable

    def update(self, alpha: Alpha) -> Alpha:
        return alpha


@pytest.mark.parametrize("refiner", [Guided(), Gca(FakeRefinerNetwork(), "tester")])
@pytest.mark.parametrize(
    ("side", "stale_share"), [(120, None), (120, 0.4), (120, 0.0), (999, None)]
)
def test_alpha_is_alike(refiner: Refiner, side: int, stale_share: float | None) -> None:
    image, trimap = ring_frame(270, 480)
    context, known = RefineContext(), None
    if stale_share is not None:
        alpha = Alpha(np.where(trimap == UNKNOWN, 0.3, trimap / 255).astype(np.float32))
        stale = (trimap == UNKNOWN) & (np.arange(480) < 480 * stale_share)
        context = RefineContext(Known(ReusableAlpha(alpha, stale)))
        known = DeviceReusableAlpha(upload_plane(alpha, CPU), upload_plane(stale, CPU))
    expected = LowResolutionRefiner(refiner, side).refine(image, trimap, context)
    inner = device_refiner(refiner)
    assert inner is not None
    found = DeviceLowResolution(inner, side).refine(
        upload_picture(image, CPU), upload_trimap(trimap, CPU), known
    )
    assert np.abs(download_plane(found.alpha) - expected.alpha).mean() <= DEVICE_REFINED
    if known is None:
        assert found.report == expected.report
