"""The plot of segmenters: quality against time, a panel for each runtime."""

from pathlib import Path

from matte.arrays import Image
from matte.errors import SettingError, printable
from matte.evaluation.chart_pen import BLUE, GREEN, GREY, ORANGE, PINK, RED, round_ticks
from matte.evaluation.chart_points import NamedPoint
from matte.evaluation.charts import ChartPanel, draw_charts
from matte.evaluation.scores import Scores

COLOURS = (BLUE, RED, GREEN, PINK, ORANGE, GREY)  # of the contestants, in turns
TIME_ROOM = 1.6  # times: from the fastest and the slowest network to the ends of the axis
IOU_ROOM, MIN_IOU_ROOM = 0.15, 0.01  # as a share of all intervals' range; of no range


def draw_quality_plot(scores: Scores, data: str) -> Image:
    """Return the IoU of segmenters against their milliseconds, as an RGB picture.

    `data` is what the pictures' folder is called. Raises SettingError for scores without times.
    """
    runtimes = dict.fromkeys(name for cost in scores.costs.values() for name in cost.runtimes)
    found = {runtime: _points(scores, runtime) for runtime in runtimes}
    all_points = [point for points in found.values() for point in points]
    if not all_points:
        raise SettingError("there is no time to draw", "measure with runs = 1 or more")
    times = [point.x for point in all_points]
    ticks = round_ticks(min(times) / TIME_ROOM, max(times) * TIME_ROOM, True)
    low, high = min(point.low for point in all_points), max(point.high for point in all_points)
    room = IOU_ROOM * (high - low) or MIN_IOU_ROOM
    panels = [  # on the same axes, to be compared
        ChartPanel(
            *(runtime, "milliseconds", "IoU", (), ticks, (True, False), points),
            (low - room, high + room),
        )
        for runtime, points in found.items()
        if points
    ]
    machine = scores.machine
    about = (
        f"IoU of the subject with its 95 % interval, {len(scores.pictures)} pictures of"
        f" {printable(data)}; millions of parameters; {machine['processor']},"
        f" {machine['threads']} threads"
    )
    return draw_charts("Quality against time", about, panels, columns=min(2, len(panels)))


def _points(scores: Scores, runtime: str) -> list[NamedPoint]:
    """Return a point for each network that has a time in a runtime."""
    points = []
    for number, (name, cost) in enumerate(scores.costs.items()):
        timing = cost.runtimes.get(runtime)
        if timing is not None and timing.ms is not None:
            iou = scores.mean(name, scores.metrics[0])
            about = f"{printable(Path(name).name)}, {cost.parameters / 1e6:.2g} M"
            colour = COLOURS[number % len(COLOURS)]
            points.append(NamedPoint(about, timing.ms.median, iou.value, iou.low, iou.high, colour))
    return points
