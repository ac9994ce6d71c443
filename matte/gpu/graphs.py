"""Work on frames, recorded once as a CUDA graph and replayed."""

import threading
from collections import OrderedDict
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from matte.errors import SettingError
from matte.gpu.constants import KeptConstants, keep_constants
from matte.gpu.results import FrameFunction, FrameResults
from matte.runtime.cuda_graphs import MAX_GRAPHS, RecordedWork


class GraphedFunction:
    """A function of frames whose work on the GPU is recorded for each shape, and then replayed.

    Threads may share it.
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
    """The recorded work of a function on frames of one shape, and the constants that it reads."""

    def __init__(self, function: FrameFunction, frames: Tensor, background: Tensor | None) -> None:
        constants: KeptConstants = {}

        def kept() -> AbstractContextManager[None]:
            return keep_constants(constants)

        self._constants = constants
        self._work = RecordedWork(function, (frames, background), kept)

    def replay(self, *inputs: Tensor | None) -> FrameResults:
        """Return the results for frames and background of the recorded shape."""
        return self._work.replay(*inputs).clone()
