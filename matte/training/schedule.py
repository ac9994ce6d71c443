"""How fast a run learns, step by step."""

import math
from dataclasses import dataclass

from matte.training.settings import RunSettings

LEAST = 0.01  # of the peak, at the end of a cosine


@dataclass(slots=True)
class Progress:
    """Where a run stands: what a checkpoint keeps of it beside the weights.

    `best`: the best score so far; `stale`: validations since.
    """

    step: int = 0
    best: float = -math.inf
    stale: int = 0
    halvings: int = 0

    def scored(self, score: float, settings: RunSettings) -> bool:
        """Notes a validation's score; whether none was better so far: of equals, the newest network
        is the one to keep.
        """
        if score > self.best:
            self.best, self.stale = score, 0
            return True
        self.stale += 1
        if self.stale % settings.plateau == 0:
            self.halvings += 1
        return score == self.best

    def ended(self, settings: RunSettings) -> bool:
        """Whether nothing is left to do."""
        given_up = settings.patience > 0 and self.stale >= settings.patience
        return given_up or self.step >= settings.steps


def learning_rate(progress: Progress, settings: RunSettings) -> float:
    """The learning rate of the step after `progress.step`."""
    part = progress.step / settings.steps
    peak = settings.learning_rate
    if part < settings.warm_up:
        return peak * (progress.step + 1) / max(1.0, settings.warm_up * settings.steps)
    if settings.schedule == "cosine":
        fall = (part - settings.warm_up) / max(1e-9, 1 - settings.warm_up)
        return peak * (LEAST + (1 - LEAST) * (1 + math.cos(math.pi * fall)) / 2)
    if settings.schedule == "plateau":
        return peak * 0.5**progress.halvings
    return peak
