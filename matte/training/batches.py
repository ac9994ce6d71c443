"""Batches of training samples, each a function of the seed and the step alone."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from matte.training.augmentation import compose, sample
from matte.training.pictures import Bytes, Collection, Labelled
from matte.training.settings import SegmenterSettings

AHEAD = 3  # batches prepared while one is trained on


class Batches:
    """Makes (pictures (N, size, size, 3), labels (N, size, size)) for any step and size."""

    def __init__(self, collection: Collection, settings: SegmenterSettings) -> None:
        self.settings = settings
        self.sets = [(data, items) for data, items in collection.sets if data.weight > 0]
        weights = np.array([data.weight for data, _ in self.sets])
        self.shares = weights / weights.sum()
        self.backgrounds = [
            item for data, items in collection.sets if data.kind == "backgrounds" for item in items
        ]

    def at(self, step: int, size: int) -> tuple[Bytes, Bytes]:
        """The batch of a step."""
        random = np.random.default_rng([self.settings.seed, step])
        pairs = [self._one(size, random) for _ in range(self.settings.batch)]
        return np.stack([p for p, _ in pairs]), np.stack([label for _, label in pairs])

    def stream(self, sizes: Iterator[tuple[int, int]]) -> Iterator[tuple[int, Bytes, Bytes]]:
        """(step, pictures, labels) for each (step, size), prepared ahead in another thread."""
        with ThreadPoolExecutor(1) as pool:
            waiting: list[tuple[int, Future[tuple[Bytes, Bytes]]]] = []
            try:
                for step, size in sizes:
                    waiting.append((step, pool.submit(self.at, step, size)))
                    if len(waiting) > AHEAD:
                        first, batch = waiting.pop(0)
                        yield first, *batch.result()
                for first, batch in waiting:
                    yield first, *batch.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, size: int, random: np.random.Generator) -> tuple[Bytes, Bytes]:
        data, items = self.sets[random.choice(len(self.sets), p=self.shares)]
        item = _any(items, random)
        picture, label = item.picture, item.label
        if data.kind == "cutouts":
            picture, label = compose(picture, _any(self.backgrounds, random).picture, random)
        return sample(picture, label, size, self.settings.augmentation, random)


def _any(items: tuple[Labelled, ...] | list[Labelled], random: np.random.Generator) -> Labelled:
    return items[int(random.integers(len(items)))]
