"""How many processes share the pictures of a run, and what each of them may take."""

from dataclasses import replace
from typing import Literal

from matte.configs.loader import MergedSettings
from matte.configs.run_settings import RuntimeSettings
from matte.errors import SettingError
from matte.limits import format_bytes
from matte.pipeline.executions import Executions, choose_executions
from matte.runtime.gpus import nvidia_gpus
from matte.runtime.memory import MemoryLimit
from matte.runtime.threads import usable_threads

THREADS_PER_PROCESS = 1
BYTES_PER_PROCESS = 1536 << 20  # that a process takes with three photos of 24 megapixels
MIN_BYTES_PER_PROCESS = 512 << 20
MAX_PROCESSES = 256


def process_count(wanted: int | Literal["auto"], runtime: RuntimeSettings) -> int:
    """Return how many processes a run over many pictures has at most.

    "auto" is as many as there are threads for, and memory; one where a GPU may run the networks.
    """
    if wanted != "auto":
        return wanted
    if runtime.device != "cpu" and (runtime.device != "auto" or nvidia_gpus()):
        return 1
    by_threads = (runtime.threads or usable_threads()) // THREADS_PER_PROCESS
    by_memory = MemoryLimit(runtime.max_memory or 0).max_bytes // BYTES_PER_PROCESS
    return max(1, min(by_threads, by_memory, MAX_PROCESSES))


def settings_per_process(merged: MergedSettings, count: int) -> MergedSettings:
    """Return the settings of each of so many processes: threads and memory are divided."""
    runtime = merged.config.runtime
    threads = max(1, (runtime.threads or usable_threads()) // count)
    memory = runtime.max_memory
    if memory is not None:
        memory //= count
        if memory < MIN_BYTES_PER_PROCESS:
            cause = f"--max-memory leaves {format_bytes(memory)} to each of {count} processes"
            raise SettingError(cause, "give fewer --jobs, or more memory")
    divided = replace(runtime, threads=threads, max_memory=memory)
    return replace(merged, config=replace(merged.config, runtime=divided))


def executions_for_processes(merged: MergedSettings, count: int) -> Executions:
    """Return how each of so many processes runs the networks: as one does that has all threads.

    What is the fastest with fewer threads may give other pixels.
    """
    each = settings_per_process(merged, count)
    runtime = replace(each.config.runtime, threads=merged.config.runtime.threads)
    whole = replace(each, config=replace(each.config, runtime=runtime))
    return choose_executions(whole, has_clips=False)
