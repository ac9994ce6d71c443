"""A network and settings in, a session that is ready to run out."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteWarning, SettingError, install_command
from matte.registry import resolve
from matte.runtime import choice
from matte.runtime.session import Session
from matte.runtime.ways import Abilities, Network, Way

# Each makes a Session of (network, way, settings).
BACKENDS = {
    "onnx": "matte.runtime.onnx:OnnxSession",
    "onnx-tensorrt": "matte.runtime.onnx:OnnxSession",
    "openvino": "matte.runtime.openvino:OpenVinoSession",
    "tensorrt": "matte.runtime.compiling:open_tensorrt",
    "torch": "matte.runtime.torch:open_torch",
}
# Each tells what this machine has, as Abilities: by device, the precisions it calculates in.
ABILITIES = {
    "onnx": "matte.runtime.onnx:abilities",
    "onnx-tensorrt": "matte.runtime.onnx:tensorrt_abilities",
    "openvino": "matte.runtime.openvino:abilities",
    "tensorrt": "matte.runtime.engines:abilities",
    "torch": "matte.runtime.graphics:torch_abilities",
}
# Each tells why the backend has no GPU here; nothing if it has one.
WHY_NO_GPU = {
    "onnx": "matte.runtime.onnx:why_no_gpu",
    "onnx-tensorrt": "matte.runtime.onnx:why_no_tensorrt",
    "openvino": "matte.runtime.openvino:why_no_gpu",
    "tensorrt": "matte.runtime.graphics:why_no_torch_gpu",
    "torch": "matte.runtime.graphics:why_no_torch_gpu",
}
# The package that a backend needs. `auto` tries them in this order where it has not measured.
PACKAGES = {
    "tensorrt": "tensorrt",
    "openvino": "openvino",
    "onnx": "onnxruntime",
    "onnx-tensorrt": "onnxruntime",
    "torch": "torch",
}
INSTALLED_BY = {
    "tensorrt": install_command("tensorrt"),
    "torch": install_command("torch"),
}
FASTEST_FIRST = ("int8", "fp16", "bf16", "fp32")


def open_session(network: Network, settings: RuntimeSettings) -> Session:
    """The network, ready to run in the way that the settings ask for.

    Where they leave several, the fastest is taken whose results are right: measured once on each
    machine, and remembered.
    """
    session = open_remembered(network, settings)
    if session is not None:
        return session
    ways = possible_ways(network, settings)
    if len(ways) == 1:
        return _open(network, replace(ways[0], why="the only way there is"), settings)
    return choice.fastest(network, ways, settings, lambda way: _open(network, way, settings))


def open_remembered(network: Network, settings: RuntimeSettings) -> Session | None:
    """The network in the way that was found to be the fastest; None where none was."""
    remembered = choice.recall(network, settings)
    if remembered is not None:
        try:
            return _open(network, remembered, settings)
        except (BackendError, SettingError):
            choice.forget(network, settings)  # the machine has changed
    return None


def open_file(
    path: Path, backend: Literal["onnx", "openvino"] = "onnx", threads: int | None = None
) -> Session:
    """Any ONNX file, exactly as it is: in fp32 on the CPU."""
    settings = RuntimeSettings(backend=backend, device="cpu", precision="fp32", threads=threads)
    return open_session(Network(path), settings)


def possible_ways(network: Network, settings: RuntimeSettings) -> list[Way]:
    """The ways to run the network that the settings allow and this machine has, likely fastest
    first; at least one.
    """
    backends = [b for b in PACKAGES if _is_meant(b, settings) and find_spec(PACKAGES[b])]
    if not backends:
        _refuse_backend(settings.backend)
    found, there = [], {}
    for backend in backends:
        if backend == "torch" and network.torch is None:
            continue  # it need not even be imported
        there[backend] = _abilities(backend, settings.backend == backend)
        found += list(_ways(backend, there[backend], network, settings))
    if not found:
        _refuse(there, network, settings)
    on_gpu = [way for way in found if way.device != "cpu"]
    return on_gpu + [way for way in found if way.device == "cpu"]


def _abilities(backend: str, named: bool) -> Abilities:
    """What the backend has here; one that can't be loaded is an error only where it is named."""
    try:
        found: Abilities = resolve("backend", ABILITIES, backend)()
    except (ImportError, OSError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        broken = BackendError(
            f"backend {backend!r} can't be loaded ({reason})", "install it again, or use another"
        )
        if named:
            raise broken from error
        warnings.warn(str(broken), MatteWarning, stacklevel=3)
        return {}
    return found


def _is_meant(backend: str, settings: RuntimeSettings) -> bool:
    return settings.backend in (backend, "auto")


def _ways(
    backend: str, there: Abilities, network: Network, settings: RuntimeSettings
) -> Iterator[Way]:
    named = settings.backend == backend
    if backend == "onnx-tensorrt" and not named:
        return  # it builds engines for minutes
    for device, precisions in there.items():
        if not fits(device, settings):
            continue
        if backend == "tensorrt":
            yield from _engines(device, network, settings)
            continue
        # torch on a CPU is the slowest, and its import takes longer than any picture.
        if backend == "torch" and device == "cpu" and not named:
            continue
        for precision in FASTEST_FIRST:
            if precision not in precisions or (precision == "int8" and network.int8 is None):
                continue
            trusted = precision == "fp32" or precision in network.as_good_in
            if settings.precision == precision or (settings.precision == "auto" and trusted):
                way = Way(backend, device, precision)
                yield way


def _engines(device: str, network: Network, settings: RuntimeSettings) -> Iterator[Way]:
    """The engines that are built: each was found to be as good as it has to be. Minutes to build
    one are spent only for who names TensorRT.
    """
    from matte.runtime.engines import PRECISIONS, is_built

    wanted = [p for p in PRECISIONS if settings.precision in (p, "auto")]
    built = [p for p in wanted if is_built(network, Way("tensorrt", device, p))]
    named = settings.backend == "tensorrt"
    yield from (Way("tensorrt", device, p) for p in built or (wanted[:1] if named else ()))


def fits(device: str, settings: RuntimeSettings) -> bool:
    """Whether the settings mean a device: `gpu` and `auto` mean no GPU but the first."""
    if settings.device == "auto":
        return device in (("gpu:0",) if settings.require_gpu else ("cpu", "gpu:0"))
    return settings.device == device or f"{settings.device}:0" == device


def _open(network: Network, way: Way, settings: RuntimeSettings) -> Session:
    session: Session = resolve("backend", BACKENDS, way.backend)(network, way, settings)
    return session


def _refuse_backend(backend: str) -> None:
    if backend == "auto":
        raise BackendError("no inference runtime is installed", "pip install openvino")
    remedy = INSTALLED_BY.get(backend, f"pip install {PACKAGES[backend]}")
    raise BackendError(f"backend {backend!r} is not installed", remedy)


def _refuse(there: dict[str, Abilities], network: Network, settings: RuntimeSettings) -> None:
    """Says which of the things asked for is not there, and what is."""
    who = "no backend" if settings.backend == "auto" else f"backend {settings.backend!r}"
    has = "has no" if settings.backend != "auto" else "has a"
    if settings.backend == "torch" and network.torch is None:
        raise BackendError(
            f"{network.path.name} has no torch weights", "use --backend onnx or openvino"
        )
    devices = {d for abilities in there.values() for d in abilities if fits(d, settings)}
    if not devices:
        wanted = "gpu" if settings.device == "auto" else settings.device
        why = _why_no_gpu(settings.backend) if wanted != "cpu" else ""
        cause = f"{who} {has} {wanted} here" + (f" ({why})" if why else "")
        only_gpu = settings.backend in ("tensorrt", "onnx-tensorrt")
        other = "--backend auto" if only_gpu else "--device cpu"
        raise BackendError(cause, f"run 'matte doctor', or use {other}")
    if settings.precision == "int8" and network.int8 is None:
        raise BackendError(
            f"there is no int8 of {network.path.name}", "use --precision auto, or quantise it"
        )
    raise BackendError(
        f"{who} {has} {settings.precision} here", "use --precision auto, or another --backend"
    )


def _why_no_gpu(backend: str) -> str:
    return str(resolve("backend", WHY_NO_GPU, backend)()) if backend in WHY_NO_GPU else ""
