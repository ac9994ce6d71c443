"""Work on frames, recorded once as a CUDA graph and replayed."""

import threading
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor

from matte.errors import SettingError
from matte.gpu.constants import KeptConstants, keep_constants
from matte.gpu.results import FrameFunction, FrameResults

MAX_GRAPHS = 4  # of different shapes; each holds the memory of a whole run
WARM_UP_RUNS = 3  # before the work is recorded


class GraphedFunction:
    """A function of frames whose work on the GPU is recorded for each shape, and then replayed.

    The processor has nothing left to do but to start it. Threads may share it.
    """

    def __init__(self, function: FrameFunction) -> None:
        self._function = function
        self._graphs: OrderedDict[tuple[torch.Size, ...], _FrameGraph] = OrderedDict()
        self._one_by_one = threading.Lock()  # a graph has one place for its inputs

    def __call__(self, frames: Tensor, background: Tensor | None) -> FrameResults:
        """Return the function's results, in tensors of the caller's own."""
        if frames.device.type != "cuda":
            raise SettingError(f"CUDA graphs on {frames.device}", "leave them out, or use a GPU")
        shapes = tuple(x.shape for x in (frames, background) if x is not None)
        with self._one_by_one:
            if shapes not in self._graphs:
                if len(self._graphs) == MAX_GRAPHS:
                    self._graphs.popitem(last=False)
                self._graphs[shapes] = _FrameGraph(self._function, frames, background)
            return self._graphs[shapes].replay(frames, background)


class _FrameGraph:
    """The recorded work of a function on frames of one shape."""

    def __init__(self, function: FrameFunction, frames: Tensor, background: Tensor | None) -> None:
        self._inputs = (frames.clone(), None if background is None else background.clone())
        side_stream: Any = torch.cuda.Stream(frames.device)  # type: ignore[no-untyped-call]  # torch's
        side_stream.wait_stream(torch.cuda.current_stream(frames.device))
        self._constants: KeptConstants = {}
        with torch.cuda.stream(side_stream), keep_constants(self._constants):
            for _ in range(WARM_UP_RUNS):
                function(*self._inputs)
        torch.cuda.current_stream(frames.device).wait_stream(side_stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph), keep_constants(self._constants):
            self._results = function(*self._inputs)

    def replay(self, *inputs: Tensor | None) -> FrameResults:
        """Return the results for frames and background of the recorded shape."""
        for place, values in zip(self._inputs, inputs, strict=True):
            if place is not None and values is not None:
                place.copy_(values)
        self._graph.replay()
        return self._results.clone()
