"""What networks cost: their input, parameters and multiplications, and their times by runtime."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.configs.settings import Config
from matte.evaluation.timed_sessions import (
    Inputs,
    RuntimeSessions,
    RuntimeTiming,
    count_turns,
    open_runtimes,
    take_turns,
    timings,
)
from matte.media.pictures import read_image
from matte.onnx_files import count_parameters
from matte.pipeline.build import segmenter_of
from matte.pipeline.networks import OpenNetwork, as_runtime_network
from matte.runtime.example_inputs import PORTRAIT_FILE
from matte.runtime.mac_count import count_macs
from matte.runtime.session import Session

DEFAULT_RUNS = 20


@dataclass(frozen=True, slots=True)
class SegmenterCost:
    """What a network costs for the square sample portrait.

    `height` and `width` are its input's; `parameters` those that its file holds; `macs` the
    multiply-accumulate operations, None if they can't be counted; `runtimes` the timings by
    backend, device and precision.
    """

    height: int
    width: int
    parameters: int
    macs: int | None
    runtimes: Mapping[str, RuntimeTiming]

    def as_json(self) -> dict[str, Any]:
        """Return the cost in plain JSON values."""
        return {
            "input": {"width": self.width, "height": self.height},
            "parameters": self.parameters,
            "macs": self.macs,
            "runtimes": {name: timing.as_json() for name, timing in self.runtimes.items()},
        }


def cost_steps(networks: int, runs: int) -> int:
    """Return how often `measure_costs` calls its `step`."""
    return networks + count_turns(runs)


def measure_costs(
    networks: Mapping[str, OpenNetwork],
    config: Config,
    runs: int = DEFAULT_RUNS,
    step: Callable[[], None] = lambda: None,
) -> dict[str, SegmenterCost]:
    """Return what open segmenters cost by their names, timed on the runtimes that are installed.

    All runtimes get the same inputs: those that a segmenter makes of the sample portrait. Times are
    in fp32 on the likely fastest device, unless the settings name backend, precision or device. One
    network runs at a time, all of them in turns, so that a busy moment hits all.
    """
    costs: dict[str, SegmenterCost] = {}
    sessions: dict[str, RuntimeSessions] = {}
    for name, found in networks.items():
        inputs = _example_inputs(found, config)
        network = as_runtime_network(found.weights)
        sessions[name] = open_runtimes(network, config.runtime, inputs)
        height, width = _picture_size(inputs)
        macs = count_macs(network.path, inputs)
        costs[name] = SegmenterCost(height, width, count_parameters(network.path), macs, {})
        step()
    for _ in range(count_turns(runs)):
        for of_network in sessions.values():
            take_turns(of_network, runs)
        step()
    return {name: replace(cost, runtimes=timings(sessions[name])) for name, cost in costs.items()}


class _InputRecorder:
    """A session that keeps the inputs of its last run."""

    def __init__(self, session: Session) -> None:
        self.execution, self.inputs = session.execution, session.inputs
        self.last: dict[str, NDArray[np.float32]] = {}
        self._session = session

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the network."""
        self.last = dict(inputs)
        return self._session.run(inputs)

    def metadata(self) -> dict[str, str]:
        """Return the metadata of the network's file."""
        return self._session.metadata()


def _example_inputs(found: OpenNetwork, config: Config) -> Inputs:
    """Return what the segmenter of an open network feeds it for the sample portrait."""
    recorder = _InputRecorder(found.session)
    segmenter_of(replace(found, session=recorder), config).segment(read_image(PORTRAIT_FILE))
    return recorder.last


def _picture_size(inputs: Inputs) -> tuple[int, int]:
    """Return height and width of a network's picture, whether its channels are first or last."""
    _, *lengths = next(iter(inputs.values())).shape
    height, width = lengths[:2] if lengths[-1] in (1, 3) else lengths[1:]
    return height, width
