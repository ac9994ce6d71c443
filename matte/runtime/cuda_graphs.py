"""Work on a GPU that is recorded once, as a CUDA graph, and then replayed.

The processor has nothing left to do but to start it, which small networks wait for most.
"""

import contextlib
import threading
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from matte.errors import BackendError, MatteWarning

T = TypeVar("T")
WARM_UP_RUNS = 3  # before the work is recorded
MAX_GRAPHS = 4  # of different shapes; each holds the memory of a whole run
MAX_SEEN = 1000  # shapes that are counted
PLAIN_RUNS = 2  # of a shape, before it is worth recording: photos come in all shapes, frames don't


class RecordedWork(Generic[T]):
    """The recorded work of a function on tensors of fixed shapes, all on one GPU.

    `surrounding` makes a context in which the work is run to be recorded.
    """

    def __init__(
        self,
        work: Callable[..., T],
        inputs: Sequence[Tensor | None],
        surrounding: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """Run the work some times, then record it; other threads may use the GPU meanwhile."""
        self._inputs = tuple(None if values is None else values.clone() for values in inputs)
        device = next(values.device for values in inputs if values is not None)
        side_stream: Any = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch's
        side_stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side_stream), surrounding():
            for _ in range(WARM_UP_RUNS):
                work(*self._inputs)
        torch.cuda.current_stream(device).wait_stream(side_stream)
        self._graph = torch.cuda.CUDAGraph()
        recording = torch.cuda.graph(self._graph, capture_error_mode="thread_local")
        with recording, surrounding():
            self._results = work(*self._inputs)

    def replay(self, *inputs: Tensor | None) -> T:
        """Return the results for inputs of the recorded shapes, until the next replay."""
        for place, values in zip(self._inputs, inputs, strict=True):
            if place is not None and values is not None:
                place.copy_(values)
        self._graph.replay()
        return self._results


Recorder = Callable[[Callable[..., Tensor], Sequence[Tensor | None]], RecordedWork[Tensor]]


class GraphedNetwork:
    """A network on a GPU: what has the same shapes again and again is recorded, and replayed.

    Where recording fails, the network runs as it is from then on, with a warning. Threads may
    share it.
    """

    def __init__(self, network: Callable[..., Tensor], record: Recorder = RecordedWork) -> None:
        self._network, self._record = network, record
        self._graphs: OrderedDict[Any, RecordedWork[Tensor]] = OrderedDict()
        self._seen: Counter[Any] = Counter()
        self._can_record = True
        self._one_by_one = threading.Lock()  # a graph has one place for its inputs

    def __call__(self, **inputs: Tensor) -> Tensor:
        """Return the network's output, in a tensor of the caller's own."""
        if not self._can_record:
            return self._network(**inputs)
        shapes = tuple((name, values.shape, values.dtype) for name, values in inputs.items())
        with self._one_by_one, torch.inference_mode():
            graph = self._graphs.get(shapes) or self._graph_of(shapes, inputs)
            if graph is not None:
                self._graphs.move_to_end(shapes)
                return graph.replay(*inputs.values()).clone()
        return self._network(**inputs)

    def _graph_of(self, shapes: Any, inputs: Mapping[str, Tensor]) -> RecordedWork[Tensor] | None:
        """Return new recorded work for these shapes; None where it is not, or not yet, recorded."""
        if len(self._seen) > MAX_SEEN:
            self._seen.clear()
        self._seen[shapes] += 1
        if self._seen[shapes] <= PLAIN_RUNS:
            return None
        names = list(inputs)

        def work(*values: Tensor) -> Tensor:
            return self._network(**dict(zip(names, values, strict=True)))

        try:
            graph = self._record(work, list(inputs.values()))
        except (BackendError, RuntimeError) as error:
            self._can_record = False
            self._graphs.clear()
            reason = str(error).strip().partition("\n")[0]
            warnings.warn(
                f"no CUDA graph ({reason}): the network runs without", MatteWarning, stacklevel=4
            )
            return None
        if len(self._graphs) == MAX_GRAPHS:
            self._graphs.popitem(last=False)
        self._graphs[shapes] = graph
        return graph
