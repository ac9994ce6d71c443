"""A GCA network, fed as its authors do; large pictures in parts."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.errors import WeightsError
from matte.imaging.scaling import scaled
from matte.refiner import tiles
from matte.refiner.protocols import network_inputs, padded, unknown_ratio
from matte.runtime.session import Session

INPUTS = {"image", "trimap"}
RATIO = "unknown_ratio"  # what networks with attention take besides
# GCA's demo adds a border: a fifth of a small picture's pixels. Networks of our own do as well
# without: SAD changes by half a percent.
NO_BORDER = "tester"
# Half a step of 8 bits: nobody sees less, but the subject's colours would be estimated there.
TRACE = np.float32(1 / 510)
PIXELS = 2_400_000  # that go through the network at once: what memory is reckoned with


class Gca:
    """Alpha in the band from a network that sees the picture and the trimap."""

    def __init__(self, session: Session, protocol: str = "demo", exact: bool = False) -> None:
        """`protocol` is one of `matte.refiner.protocols.PROTOCOLS`. `exact`: every picture is seen
        whole, whatever it takes, as the authors do.
        """
        if set(session.inputs) - {RATIO} != INPUTS:
            raise WeightsError(
                f"the network takes {sorted(session.inputs)}", "give a refiner of matte"
            )
        self._session = session
        self._protocol = protocol
        free = all(length is None for length in session.inputs["image"][2:])
        self._exact = exact or not free
        self._together = PIXELS if session.inputs["image"][0] is None else 1

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """Alpha at the picture's size; 0 and 1 where the trimap knows."""
        (alpha,) = self.refine_all(image, [trimap])
        return alpha

    def refine_all(self, image: Image, trimaps: Sequence[Trimap]) -> list[Alpha]:
        """Alpha for each trimap of one picture, as refine() gives it."""
        return self._refine_all(image, trimaps, self._protocol)

    def _refine_all(self, image: Image, trimaps: Sequence[Trimap], protocol: str) -> list[Alpha]:
        plans = [tiles.WHOLE if self._exact else tiles.plan(trimap) for trimap in trimaps]
        whole = [t for t, p in zip(trimaps, plans, strict=True) if p.whole]
        found = self._refine_whole(image, [t for t in whole if (t == UNKNOWN).any()], protocol)
        alphas = []
        for trimap, plan in zip(trimaps, plans, strict=True):
            known = (trimap == SUBJECT).astype(np.float32)
            unknown = trimap == UNKNOWN
            if not unknown.any():
                alphas.append(Alpha(known))
                continue
            alpha = next(found) if plan.whole else self._refine_parts(image, trimap, plan)
            if not self._exact:
                alpha = np.where(alpha < TRACE, 0, np.where(alpha > 1 - TRACE, 1, alpha))
            alphas.append(Alpha(np.where(unknown, np.clip(alpha, 0, 1), known)))
        return alphas

    def _refine_parts(self, image: Image, trimap: Trimap, plan: tiles.Plan) -> NDArray[np.float32]:
        """Alpha of what is unknown: tiles, after a look at a small copy if the plan has one."""
        if plan.small is None:
            return tiles.refine_tiles(image, trimap, unknown_ratio(trimap), self._run)
        less, known = tiles.smaller(image, trimap, *plan.small)
        (small,) = self._refine_all(less, [known], NO_BORDER)
        rest = tiles.settled(trimap, small)
        fine = tiles.refine_tiles(image, rest, unknown_ratio(rest), self._run)
        return np.where(rest == UNKNOWN, fine, scaled(small, *trimap.shape))

    def _refine_whole(
        self, image: Image, trimaps: Sequence[Trimap], protocol: str
    ) -> Iterator[Alpha]:
        together = max(1, self._together // image[:, :, 0].size)
        for start in range(0, len(trimaps), together):
            whole = [padded(image, t, protocol) for t in trimaps[start : start + together]]
            found = self._run([each.image for each in whole], [each.trimap for each in whole])
            for each, alpha in zip(whole, found, strict=True):
                yield each.crop(alpha)

    def _run(
        self, images: Sequence[Image], trimaps: Sequence[Trimap], ratio: float | None = None
    ) -> Sequence[NDArray[np.float32]]:
        """The network's alphas of pictures of one shape, which is a multiple of 32."""
        one_by_one = self._session.inputs["image"][0] is not None and len(images) > 1
        if one_by_one:
            return [self._run([i], [t], ratio)[0] for i, t in zip(images, trimaps, strict=True)]
        inputs = [network_inputs(i, t, ratio) for i, t in zip(images, trimaps, strict=True)]
        given = {
            name: np.concatenate([each[name] for each in inputs]) for name in self._session.inputs
        }
        (values,) = self._session.run(given).values()
        shape = trimaps[0].shape
        if values.shape != (len(images), 1, *shape) or not np.isfinite(values).all():
            raise WeightsError(f"the network gives no alpha of {shape}", "give a refiner of matte")
        return [alpha[0] for alpha in values]
