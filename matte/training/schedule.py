"""The learning rate of a run, step by step, and when the run is over."""

import math
from dataclasses import dataclass

from matte.training.settings import RunSettings

FINAL_RATE_SHARE = 0.01  # of the peak, at the end of a cosine


@dataclass(slots=True)
class RunProgress:
    """How far a run is: what its state on disk holds beside weights and the like.

    `step`: steps done. `best`: the best score so far; `stale`: validations since. `halvings`: how
    often a plateau has halved the learning rate.
    """

    step: int = 0
    best: float = -math.inf
    stale: int = 0
    halvings: int = 0

    def record_score(self, score: float, settings: RunSettings) -> bool:
        """Count a validation's score and return whether none was better so far.

        Of equals, the newest network is the one to keep.
        """
        if score > self.best:
            self.best, self.stale = score, 0
            return True
        self.stale += 1
        if self.stale % settings.plateau == 0:
            self.halvings += 1
        return score == self.best

    def is_finished(self, settings: RunSettings) -> bool:
        """Return whether all steps are done or the run's patience is at its end."""
        out_of_patience = settings.patience > 0 and self.stale >= settings.patience
        return out_of_patience or self.step >= settings.steps


def learning_rate(progress: RunProgress, settings: RunSettings) -> float:
    """Return the learning rate of the step after `progress.step`."""
    done = progress.step / settings.steps
    peak = settings.learning_rate
    if done < settings.warm_up:
        return peak * (progress.step + 1) / max(1.0, settings.warm_up * settings.steps)
    if settings.schedule == "cosine":
        fall = (done - settings.warm_up) / max(1e-9, 1 - settings.warm_up)
        cosine = (1 + math.cos(math.pi * fall)) / 2
        return peak * (FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * cosine)
    if settings.schedule == "plateau":
        return peak * 0.5**progress.halvings
    return peak
