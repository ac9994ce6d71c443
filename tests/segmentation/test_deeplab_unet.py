import torch

from matte.segmentation.deeplab_unet import BandHead
from matte.segmentation.network import build_network


def test_a_band_is_a_second_map_and_changes_nothing_in_the_first() -> None:
    plain, taught = (build_network(n).eval() for n in ("deeplab-unet", "deeplab-unet-band"))
    taught.load_state_dict(plain.state_dict(), strict=False)
    picture = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        logits = taught(picture)
        assert logits.shape == (1, 2, 32, 64)
        assert torch.equal(logits[:, :1], plain(picture))


def test_a_band_looks_at_every_block_and_at_the_mask() -> None:
    head = BandHead((4, 3), 1)
    decoded = [torch.rand(1, 4, 4, 4, requires_grad=True), torch.rand(1, 3, 8, 8)]
    decoded[1].requires_grad_(True)
    mask = torch.rand(1, 1, 8, 8, requires_grad=True)
    band = head(decoded, mask)
    assert band.shape == (1, 1, 8, 8)
    band.sum().backward()
    assert all(each.grad is not None and each.grad.any() for each in (*decoded, mask))
