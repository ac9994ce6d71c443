import pytest
import torch

from matte.conversion.phone_layers import (
    CroppedTransposition,
    SummedContext,
    replace_for_phones,
)
from matte.segmentation.network import build_network


@pytest.mark.parametrize("architecture", ["deeplab-unet-light", "mobile-unet"])
def test_what_litert_lacks_is_replaced_by_the_same(architecture: str) -> None:
    torch.manual_seed(1)
    network = build_network(architecture).eval()
    image = torch.rand(2, 3, 32, 64)
    with torch.inference_mode():
        before = network(image)
        replace_for_phones(network)
        torch.testing.assert_close(network.eval()(image), before, atol=1e-4, rtol=1e-4)
    kinds = {type(module) for module in network.modules()}
    assert kinds & {SummedContext, CroppedTransposition}
