"""The backends, devices and precisions in which a whole line can run on this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from matte.configs.settings import Config, RuntimeSettings
from matte.errors import BackendError, SettingError
from matte.pipeline.networks import as_runtime_network
from matte.refiner import REFINERS
from matte.registry import nearest
from matte.runtime.backends import BACKEND_PACKAGES, possible_executions
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.execution_memo import forget_execution
from matte.weights.store import find_weights

AUTO: Literal["auto"] = "auto"


@dataclass(frozen=True, slots=True)
class Candidate:
    """How one line is run in a benchmark: the runtime settings of each kind of network in it."""

    name: str
    runtimes: Mapping[str, RuntimeSettings]
    note: str = ""  # where a network can't do what the name says

    @property
    def runtime(self) -> RuntimeSettings | None:
        """The settings by which `matte image` runs the same; None where no single set does."""
        one, *others = self.runtimes.values()
        return one if all(other == one for other in others) else None


def networks_of_line(config: Config) -> dict[str, NetworkSource]:
    """Return the networks that the line of these settings runs, by their kind."""
    if config.modnet.modnet:
        return {"modnet": as_runtime_network(find_weights("modnet", config.modnet.modnet))}
    found = {
        "segmenter": as_runtime_network(find_weights("segmenter", config.segmentation.segmenter))
    }
    if config.refiner.refiner not in REFINERS:
        found["refiner"] = as_runtime_network(
            find_weights("refiner", config.refiner.refiner, REFINERS)
        )
    return found


def find_candidates(
    networks: Mapping[str, NetworkSource], settings: RuntimeSettings, asked: Sequence[str] = ()
) -> list[Candidate]:
    """Return what can run the networks here, `auto` first: the runtimes asked for, else all.

    A runtime asked for by name that can't run the networks is an error, others are left out.
    """
    for name in asked:
        if name not in (AUTO, *BACKEND_PACKAGES):
            raise SettingError(f"no runtime {name!r}", nearest(name, (AUTO, *BACKEND_PACKAGES)))
    found = []
    if AUTO in asked or not asked:
        automatic = replace(settings, backend=AUTO)
        found.append(Candidate(AUTO, dict.fromkeys(networks, automatic)))
    for backend in BACKEND_PACKAGES:
        if backend in asked or not asked:
            try:
                found += _candidates_of_backend(backend, networks, settings)
            except BackendError:
                if asked:
                    raise
    return found


def forget_choices(config: Config) -> None:
    """Forget the fastest execution of each network of a line, so that `auto` measures again."""
    for network in networks_of_line(config).values():
        forget_execution(network, replace(config.runtime, backend=AUTO))


def _candidates_of_backend(
    backend: Any, networks: Mapping[str, NetworkSource], settings: RuntimeSettings
) -> list[Candidate]:
    """Return a candidate for each device and precision in which a backend runs all networks.

    A network that lacks the precision runs in fp32, which the candidate's note says.
    """
    asked = replace(settings, backend=backend)
    executions = {kind: possible_executions(network, asked) for kind, network in networks.items()}
    found = []
    for execution in dict.fromkeys(
        execution for several in executions.values() for execution in several
    ):
        runtimes, lacking = {}, []
        for kind, several in executions.items():
            as_asked = Execution(backend, execution.device, execution.precision)
            instead = Execution(backend, execution.device, "fp32")
            available = next((w for w in (as_asked, instead) if w in several), None)
            if available is None:
                break
            if available != as_asked:
                lacking.append(f"{kind} {available.precision}")
            precision: Any = available.precision
            runtimes[kind] = replace(asked, device=execution.device, precision=precision)
        else:
            found.append(Candidate(str(execution), runtimes, ", ".join(lacking)))
    return found
