"""How well `matte video --subject` follows one of several people who cross each other.

    python benchmarks/following.py DATA [--seeds FIRST LAST] [--preset NAME] [--json FILE]

Clips are made of cut-outs (benchmarks/walkers.py), so that the truth is exact; odd seeds share no
people and no grounds with the even ones, on which the follower was tuned. The first frame's true
mask chooses. Each frame's mask is the segmenter's confidence from one half on: of everybody ("all",
as without --subject), followed ("followed"), and of the truth's owners ("known"), which is the best
that whoever only divides the segmenter's mask can reach.

- J: mean intersection over union, F: of the borders (within 0.8 % of the diagonal), where at least
  a quarter of the person is seen; decay: J of the first quarter less that of the last;
- right: share of frames in which at least half of what was found of the right person is kept, and
  most of what is kept is his; or, where less than a quarter of him is seen, next to nobody is kept;
- switches: how often the mask went over to somebody else, for five frames at least;
- sure: the mean sureness where the frame is right, and where it is wrong.

Writes benchmarks/results/following.json unless --json names another file.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import harness
import numpy as np
from harness import Row
from walkers import FPS, KINDS, WalkingClip, make_clip

from matte.arrays import BoolArray, FloatArray
from matte.clips.following.choices import TimedChoice
from matte.clips.following.follower import SubjectFollower
from matte.clips.mask_reuse import SparseSegmenter
from matte.clips.motion import MotionTracker
from matte.configs.loader import merge_settings
from matte.imaging.resizing import resize
from matte.pipeline.build import build_for_video
from matte.pipeline.run import BuiltPipeline
from matte.segmentation.subjects import SubjectChoice

MIN_SEEN, SWITCH_FRAMES, BORDER_SHARE = 0.25, 5, 0.008
WAYS = ("all", "followed", "known")


@dataclass(eq=False)
class ClipScores:
    """What is counted of one way to matte a clip, frame by frame."""

    overlaps: list[float] = field(default_factory=list)
    borders: list[float] = field(default_factory=list)
    rights: list[bool] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)

    def add(self, mask: BoolArray, people: Sequence[BoolArray], whole: float, found: int) -> None:
        """Count a frame and what is seen of `people`; the first is meant, `found` pixels are found.

        `whole` are the pixels that he would have if nobody hid him.
        """
        kept = [int(np.count_nonzero(mask & person)) for person in people]
        seen = np.count_nonzero(people[0])
        if seen < MIN_SEEN * whole:
            self.rights.append(sum(kept[1:]) <= MIN_SEEN * whole)
        else:
            self.overlaps.append(_overlap(mask, people[0]))
            self.borders.append(_border_score(mask, people[0]))
            is_most = 2 * kept[0] >= sum(kept)
            self.rights.append(is_most and kept[0] >= max(0.5 * found, 0.1 * seen))
        best = int(np.argmax(kept))
        is_owner = kept[best] > 0.3 * max(1, int(np.count_nonzero(people[best])))
        self.owners.append(best if is_owner and kept[best] > 0.002 * mask.size else -1)

    @property
    def switches(self) -> int:
        """How often the mask went over to somebody else."""
        count, on_other = 0, False
        for at, owner in enumerate(self.owners):
            window = self.owners[at : at + SWITCH_FRAMES]
            stays = len(window) == SWITCH_FRAMES and set(window) == {owner}
            if owner > 0 and stays and not on_other:
                count, on_other = count + 1, True
            on_other = on_other and owner != 0
        return count

    def row(self) -> Row:
        """Return the means."""
        quarter = max(1, len(self.overlaps) // 4)
        decay = np.mean(self.overlaps[:quarter]) - np.mean(self.overlaps[-quarter:])
        return {
            "J": round(float(np.mean(self.overlaps)), 3),
            "F": round(float(np.mean(self.borders)), 3),
            "decay": round(float(decay), 3),
            "right": round(float(np.mean(self.rights)), 3),
            "switches": self.switches,
        }


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "following.json")
    parser.add_argument("--seeds", type=int, nargs=2, default=(1, 47), metavar=("FIRST", "LAST"))
    parser.add_argument("--preset", default="balanced")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = build_for_video(merge_settings(options.preset, flags={"threads": 1}))
    clips = []
    for seed in range(options.seeds[0], options.seeds[1] + 1, 2):
        clip = make_clip(options.data, seed)
        row = {"seed": seed, "kind": clip.kind, "crossings": len(clip.crossings)}
        clips.append({**row, **score_clip(clip, pipeline)})
        harness.show([{**row, **clips[-1]["followed"], "ms": clips[-1]["ms"]}])
        kinds = [summary(kind, [c for c in clips if c["kind"] == kind]) for kind in KINDS]
        kinds = [row for row in [*kinds, summary("all", clips)] if row["clips"]]
        about = {"preset": options.preset, "seeds": [options.seeds[0], seed]}
        harness.write(options.json, {**about, "kinds": kinds, "clips": clips})
    harness.show(kinds, f"{len(clips)} clips")


def score_clip(clip: WalkingClip, pipeline: BuiltPipeline) -> Row:
    """Return the scores of a clip by each of WAYS, how sure it was, and what following costs."""
    segmenter, video = pipeline.line.segmenter, pipeline.config.video
    assert segmenter is not None
    sparse, tracker = SparseSegmenter(segmenter, video.segment_every, True), MotionTracker()
    first = np.asarray(clip.alphas[0][0] > 0.5)
    follower = SubjectFollower([TimedChoice(SubjectChoice("mask"), 0.0, first)])
    scores = {way: ClipScores() for way in WAYS}
    sureness: dict[str, list[float]] = {"right": [], "wrong": []}
    ms = 0.0
    for number, (image, alphas) in enumerate(zip(clip.frames, clip.alphas, strict=True)):
        motion = tracker.track(image)
        confidence = sparse.confidence(image, motion)
        began = time.process_time()
        followed = follower.follow(motion, confidence, number / FPS)
        kept: FloatArray = confidence
        if followed.share is not None:
            kept = np.minimum(confidence, resize(followed.share, *confidence.shape))
        ms += 1000 * (time.process_time() - began)
        people = [np.asarray(alpha > 0.5) for alpha in alphas]
        everybody = np.asarray(confidence >= 0.5)
        is_his = (alphas.argmax(axis=0) == 0) & (alphas[0] > 0.1)
        masks = {"all": everybody, "followed": kept >= 0.5, "known": everybody & is_his}
        found = int(np.count_nonzero(everybody & people[0]))
        for way, mask in masks.items():
            scores[way].add(np.asarray(mask), people, float(clip.whole[number][0]), found)
        sureness["right" if scores["followed"].rights[-1] else "wrong"].append(followed.sureness)
    rows = {way: score.row() for way, score in scores.items()}
    sure = {right: [round(value, 2) for value in values] for right, values in sureness.items()}
    return {**rows, "sure": sure, "ms": round(ms / len(clip.frames), 2)}


def summary(kind: str, clips: Sequence[Row]) -> Row:
    """Return the means of some clips' scores, and how often their masks went over to others."""
    row: Row = {"kind": kind, "clips": len(clips)}
    if not clips:
        return row
    for way in WAYS:
        for name in ("J", "F", "decay", "right"):
            values = [clip[way][name] for clip in clips]
            row[f"{way} {name}"] = round(float(np.mean(values)), 3)
    for right in ("right", "wrong"):
        values = [value for clip in clips for value in clip["sure"][right]]
        row[f"sure, {right}"] = round(float(np.mean(values)), 2) if values else None
    row["switches"] = sum(clip["followed"]["switches"] for clip in clips)
    row["crossings"] = sum(clip["crossings"] for clip in clips)
    return row


def _overlap(mask: BoolArray, truth: BoolArray) -> float:
    """Return the intersection over union of two masks, one of which has pixels."""
    union = max(1, int(np.count_nonzero(mask | truth)))
    return float(np.count_nonzero(mask & truth)) / union


def _border(mask: BoolArray) -> BoolArray:
    """Return the pixels of a mask's border."""
    kernel = np.ones((2, 2), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0)


def _border_score(mask: BoolArray, truth: BoolArray) -> float:
    """Return the F-measure of a mask's border, as DAVIS has it: precision and recall of places."""
    reach = max(1, round(BORDER_SHARE * float(np.hypot(*mask.shape))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    found, known = (_border(each) for each in (mask, truth))
    if not found.any() or not known.any():
        return float(not found.any() and not known.any())
    near_known, near_found = (
        cv2.dilate(each.view(np.uint8), kernel) > 0 for each in (known, found)
    )
    precision = (found & near_known).sum() / found.sum()
    recall = (known & near_found).sum() / known.sum()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


if __name__ == "__main__":
    main()
