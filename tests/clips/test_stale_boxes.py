import numpy as np

from matte.arrays import UNKNOWN, Trimap
from matte.clips.stale_boxes import CELL_SIDE_PIXELS, MIN_CHANGED_PIXELS, CellCounts, StaleBoxes

HEIGHT, WIDTH = 320, 640
TRIMAP = Trimap(np.full((HEIGHT, WIDTH), UNKNOWN, np.uint8))


def test_a_box_that_changed_is_stale_as_a_whole() -> None:
    counts = CellCounts.start(HEIGHT, WIDTH)
    changes = np.zeros_like(counts.changes)
    changes[1, 1] = MIN_CHANGED_PIXELS
    counts = counts.next_frame(changes)
    stale = StaleBoxes(max_age=10**6).mark(counts, TRIMAP)
    assert stale[0, 0]
    assert not stale[-1, -1]
    assert counts.changes[1, 1] == 0
    assert not counts.unchanged[0, 0]
    assert counts.unchanged[-1, -1]


def test_no_box_gets_much_older_than_the_limit() -> None:
    boxes, counts = StaleBoxes(max_age=4), CellCounts.start(HEIGHT, WIDTH)
    oldest = 0
    for _ in range(20):
        counts = counts.next_frame(np.zeros_like(counts.changes))
        boxes.mark(counts, TRIMAP)
        oldest = max(oldest, int(counts.ages.max()))
    assert 3 <= oldest <= 6
    assert counts.ages.shape == (HEIGHT // CELL_SIDE_PIXELS, WIDTH // CELL_SIDE_PIXELS)
