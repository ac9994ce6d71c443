"""Sessions of TensorRT engines, on memory that torch allocates."""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorrt as trt
import torch
from numpy.typing import NDArray

from matte.errors import BackendError
from matte.runtime.engine_builder import ErrorLog, join_messages
from matte.runtime.engine_shapes import InputSize
from matte.runtime.engine_store import Engine, EngineKey, file_digest, public_version
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.gpus import gpu_number
from matte.runtime.torch import translate_torch_errors


def engine_key(network: NetworkSource, execution: Execution) -> EngineKey:
    """Return the key of the engine that a network needs for an execution."""
    number = gpu_number(execution.device)
    if not torch.cuda.is_available() or number >= torch.cuda.device_count():
        raise BackendError(
            f"torch {torch.__version__} finds no {execution.device} for TensorRT",
            "install torch with CUDA, or use another --backend",
        )
    capability = ".".join(map(str, torch.cuda.get_device_capability(number)))
    name = torch.cuda.get_device_name(number)
    return EngineKey(
        file_digest(network), public_version(trt.__version__), name, capability, execution.precision
    )


class TensorRtSession:
    """A TensorRT engine on its GPU; each thread has its own execution context and stream."""

    def __init__(self, engine: Engine, execution: Execution) -> None:
        self.execution = execution
        self.shapes = engine.shapes
        batch = None if engine.shapes.largest[0] > 1 else 1
        self.inputs = {
            name: (batch if shape[0] is None else shape[0], *shape[1:])
            for name, shape in engine.inputs.items()
        }
        self._metadata = engine.metadata
        self._device = torch.device("cuda", gpu_number(execution.device))
        self._log = ErrorLog()
        self._own = threading.local()
        with torch.cuda.device(self._device):
            try:
                self._runtime = trt.Runtime(self._log)
            except TypeError as error:  # what the bindings make of none
                raise BackendError(
                    f"TensorRT can't be started ({join_messages(self._log.errors)})",
                    "run 'matte doctor'",
                ) from error
            self._engine = self._runtime.deserialize_cuda_engine(engine.plan)
        if self._engine is None:
            raise BackendError(
                f"TensorRT can't load the engine ({join_messages(self._log.errors)})",
                "run 'matte compile' again",
            )
        tensors = [self._engine.get_tensor_name(n) for n in range(self._engine.num_io_tensors)]
        self._outputs = [
            name
            for name in tensors
            if self._engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT
        ]
        if sorted(set(tensors) - set(self._outputs)) != sorted(self.inputs):
            raise BackendError("the engine has other inputs", "run 'matte compile' again")

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the network on inputs by name, large batches in parts; return its outputs by name."""
        most = self.shapes.largest[0]
        found: list[dict[str, NDArray[np.float32]]] = []
        for start in range(0, max(1, len(next(iter(inputs.values()), ()))), most):
            parts = {
                name: torch.from_numpy(
                    np.ascontiguousarray(values[start : start + most], np.float32)
                )
                for name, values in inputs.items()
            }
            with translate_torch_errors(self._device):
                tensors = {name: part.to(self._device) for name, part in parts.items()}
            outputs = self.run_on_device(tensors)
            with translate_torch_errors(self._device):
                found.append({name: values.cpu().numpy() for name, values in outputs.items()})
        return {name: np.concatenate([part[name] for part in found]) for name in found[0]}

    def run_on_device(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the outputs, on the session's GPU, for float32 inputs that lie there.

        They are ready when the next work on the caller's stream begins. Batches larger than the
        engine's largest run in parts.
        """
        count, most = len(next(iter(inputs.values()))), self.shapes.largest[0]
        if count > most:
            starts = range(0, count, most)
            parts = [
                self.run_on_device({name: x[at : at + most] for name, x in inputs.items()})
                for at in starts
            ]
            return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        self._check(inputs)
        context, stream = self._context_and_stream()
        with torch.cuda.device(self._device):
            caller = torch.cuda.current_stream()
            with translate_torch_errors(self._device):
                prepared = {name: values.float().contiguous() for name, values in inputs.items()}
                stream.wait_stream(caller)
                with torch.cuda.stream(stream):
                    outputs = self._enqueue(context, stream, prepared)
            caller.wait_stream(stream)
            # torch's allocator must know who else reads what it gave.
            for values in prepared.values():
                values.record_stream(stream)
            for values in outputs.values():
                values.record_stream(caller)
        return outputs

    def metadata(self) -> dict[str, str]:
        """Return the metadata of the network's ONNX file."""
        return dict(self._metadata)

    def _check(self, inputs: Mapping[str, torch.Tensor]) -> None:
        """Raise BackendError if the engine does not take inputs of these names and sizes."""
        if set(inputs) != set(self.inputs):
            raise BackendError(f"the engine failed: it takes {sorted(self.inputs)}", "report it")
        batch, _, height, width = next(v.shape for v in inputs.values() if v.ndim == 4)
        size: InputSize = (batch, height, width)
        if not self.shapes.holds(size):
            raise BackendError(
                f"the engine takes {self.shapes}, not {'x'.join(map(str, size))}",
                "compile it for such pictures: matte compile NAME --min … --max …",
            )

    def _context_and_stream(self) -> tuple[trt.IExecutionContext, torch.cuda.Stream]:
        """Return this thread's execution context and stream, made at its first call."""
        if not hasattr(self._own, "context"):
            with torch.cuda.device(self._device):
                strategy = trt.ExecutionContextAllocationStrategy.USER_MANAGED
                self._log.errors.clear()
                # Its memory comes from torch, as much as each size needs.
                context = self._engine.create_execution_context(strategy)
                if context is None:
                    raise BackendError(
                        f"TensorRT can't start the engine ({join_messages(self._log.errors)})",
                        "take a smaller picture, or --device cpu",
                    )
                self._own.context = context
                self._own.stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's
        return self._own.context, self._own.stream

    def _enqueue(
        self,
        context: trt.IExecutionContext,
        stream: torch.cuda.Stream,
        inputs: Mapping[str, torch.Tensor],
    ) -> dict[str, torch.Tensor]:
        """Start the engine on a stream and return the tensors that its outputs are written to."""
        self._log.errors.clear()  # of earlier runs
        ready = True
        for name, values in inputs.items():
            ready &= context.set_input_shape(name, tuple(values.shape))
            ready &= context.set_tensor_address(name, values.data_ptr())
        needed = context.update_device_memory_size_for_shapes()
        memory = torch.empty(max(1, needed), dtype=torch.uint8, device=self._device)
        context.device_memory = memory.data_ptr()
        outputs = {}
        for name in self._outputs:
            shape = tuple(context.get_tensor_shape(name))
            outputs[name] = torch.empty(shape, dtype=torch.float32, device=self._device)
            ready &= context.set_tensor_address(name, outputs[name].data_ptr())
        if not (ready and context.execute_async_v3(stream.cuda_stream)):
            raise BackendError(
                f"TensorRT failed ({join_messages(self._log.errors)})",
                "try --backend torch or onnx",
            )
        # torch's allocator gives `memory` to nobody else before this stream is done with it.
        return outputs
