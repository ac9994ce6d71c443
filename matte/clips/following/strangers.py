"""Second thoughts about who is not chosen: several taken for one, one taken for somebody new."""

from collections.abc import Sequence

import numpy as np

from matte.clips.following.appearance import ColourCodes
from matte.clips.following.arrivals import MIN_PART_SHARE
from matte.clips.following.contest import Labels
from matte.clips.following.crowd import MAX_TRACKS, Crowd
from matte.clips.following.parts import Part, likely_parts, part_of
from matte.clips.following.tracks import start_track

# Who is in several parts, of this share of the largest, for so long, is several.
MIN_GROUP_SHARE, APART_FRAMES = 0.3, 3
MIN_RECOGNISED_SHARE = 0.2  # of the area of somebody who was hidden


def part_groups(
    crowd: Crowd,
    codes: ColourCodes,
    parts: Sequence[Part],
    alone: dict[Part, int],
    labels: Labels,
) -> None:
    """Track each of those who were taken for one stranger and have walked apart.

    What is a stranger's next to somebody chosen may be his by mistake, and is left as it is.
    `parts` are a frame's connected parts, `alone` the numbers of those that are one track each;
    both it and the `labels` are changed.
    """
    strangers = [number for number, track in crowd.tracks.items() if not track.chosen]
    if not parts or not strangers:
        return
    counts = [np.bincount(labels[part.region], minlength=MAX_TRACKS + 1) for part in parts]
    chosen = list(crowd.chosen)
    is_free = np.array([not count[chosen].any() for count in counts])
    for number in strangers:
        areas = np.array([count[number] for count in counts]) * is_free
        least = max(MIN_GROUP_SHARE * areas.max(), MIN_PART_SHARE * labels.size)
        found = [parts[at] for at in np.argsort(-areas) if areas[at] >= least]
        track = crowd.tracks[number]
        track.apart_frames = track.apart_frames + 1 if len(found) > 1 else 0
        if track.apart_frames < APART_FRAMES:
            continue
        regions = [np.asarray(part.region & (labels == number)) for part in found]
        crowd.tracks[number] = start_track(codes, regions[0])
        for part, region in zip(found[1:], regions[1:], strict=True):
            new = crowd.add(codes, region, labels)
            if alone.pop(part, 0) and new:
                alone[part] = new


def recognise_hidden(
    crowd: Crowd, codes: ColourCodes, alone: dict[Part, int], labels: Labels
) -> None:
    """Take strangers who appeared while others were hidden for those whom they look like.

    `alone` are the numbers of the parts that are one track each; they and the `labels` are changed.
    """
    hidden = crowd.out_of_sight
    longest = max((track.hidden_frames for track in hidden.values()), default=0)
    young = {}
    for number, track in crowd.tracks.items():
        if track.chosen or track.age >= longest or number in hidden:
            continue
        region = np.asarray(labels == number)
        if region.any():
            young[number] = part_of(region, codes)
    pairs = likely_parts(young.values(), hidden)
    for number, part in young.items():
        found = hidden.get(pairs.get(part, 0))
        if found is None or part.area < MIN_RECOGNISED_SHARE * found.area:
            continue
        if crowd.tracks[number].age < found.hidden_frames:
            labels[part.region] = pairs[part]
            found.restart(part.region)
            del crowd.tracks[number]
            alone.update({p: pairs[part] for p, owner in alone.items() if owner == number})
