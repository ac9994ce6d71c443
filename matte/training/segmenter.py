"""Training a segmenter."""

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from matte.conversion.export import export_segmenter
from matte.errors import BackendError, OutputError
from matte.segmentation.network import CheckpointInfo, build_network, save_checkpoint
from matte.training.batches import Batches
from matte.training.evaluation import validate
from matte.training.losses import segmentation_loss
from matte.training.pictures import Bytes, collect
from matte.training.settings import SegmenterSettings
from matte.training.start import start_from

Progress = Callable[[str], None]


def train_segmenter(
    settings: SegmenterSettings,
    data: Path,
    out: Path,
    device: str = "auto",
    init: Path | None = None,
    progress: Progress = lambda _: None,
) -> Path:
    """The path of the best checkpoint, out/best.safetensors, with best.onnx beside it.

    `data`: the folder that the settings' data sets lie in. `init`: weights to start from, see
    `start_from`. Writes also out/last.safetensors and out/metrics.jsonl.
    """
    best = fit(settings, data, out, device, init, progress)
    progress(str(export_segmenter(best, best.with_suffix(".onnx"))))
    return best


def fit(
    settings: SegmenterSettings,
    data: Path,
    out: Path,
    device: str = "auto",
    init: Path | None = None,
    progress: Progress = lambda _: None,
) -> Path:
    """`train_segmenter` without the export."""
    place = _device(device)
    torch.manual_seed(settings.seed)
    network = build_network(settings.architecture)
    if init is not None:
        start_from(network, init)
    collection = collect(settings, data, progress)
    network = network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]  # stub lacks it
    average = RunningAverage(network, settings.average)
    optimiser = _optimiser(network, settings)
    journal = Journal(out, progress)
    clock = Clock(settings)
    best = -1.0
    for step, pictures, labels in Batches(collection, settings).stream(clock.steps()):
        rate = clock.next_rate()
        for group in optimiser.param_groups:
            group["lr"] = rate * group["part"]
        with torch.autocast(place.type, torch.bfloat16, enabled=settings.bfloat16):
            logits = network.train()(_pictures_in(pictures, place))
        loss = segmentation_loss(logits, torch.from_numpy(labels).to(place))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
        optimiser.step()
        average.update(network, step)
        journal.note(step, float(loss.detach()), rate)
        if step % settings.validate_every == 0 or clock.ends_with(step):
            metrics = validate(average.network, collection.validation, settings.size)
            journal.report(step, clock.part(), metrics)
            info = CheckpointInfo(settings.architecture, settings.size, step, metrics)
            save_checkpoint(average.network, info, out / "last.safetensors")
            if metrics["iou"] > best:
                best = metrics["iou"]
                save_checkpoint(average.network, info, out / "best.safetensors")
        if clock.ended:
            break  # batches that were prepared ahead are not needed any more
    progress(f"best IoU {best:.4f}")
    return out / "best.safetensors"


class RunningAverage:
    """A copy of a network whose weights are a running mean of the trained ones'."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Draws the mean nearer to the network, faster in the first steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, new in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(new, 1 - decay)
            else:
                mean.copy_(new)


@dataclass(slots=True)
class Clock:
    """Where a run stands between its start, 0, and its end, 1, by steps or by minutes."""

    settings: SegmenterSettings
    step: int = 0
    start: float = 0.0
    ended: bool = False

    def steps(self) -> Iterator[tuple[int, int]]:
        """Each step, from 1, with the size of its pictures."""
        self.start = time.monotonic()
        for step in range(1, self.settings.steps + 1):
            if self.ended:
                return
            sizes = self.settings.sizes
            yield step, sizes[min(int(self.part() * len(sizes)), len(sizes) - 1)]

    def part(self) -> float:
        """The part of the run that is over."""
        by_step = self.step / self.settings.steps
        if not self.settings.minutes:
            return by_step
        return max(by_step, (time.monotonic() - self.start) / 60 / self.settings.minutes)

    def next_rate(self) -> float:
        """The learning rate of the next step: up in a line, down as a cosine."""
        part, warm_up = self.part(), self.settings.warm_up
        self.step += 1
        if part < warm_up:
            return self.settings.learning_rate * (part + 1 / self.settings.steps) / warm_up
        fall = min(1.0, (part - warm_up) / max(1e-9, 1 - warm_up))
        return self.settings.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * fall)) / 2)

    def ends_with(self, step: int) -> bool:
        """Whether the run ends with this step."""
        self.ended = step >= self.settings.steps or self.part() >= 1
        return self.ended


class Journal:
    """The log of a run: lines for people, metrics.jsonl for programs."""

    def __init__(self, out: Path, progress: Progress) -> None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            self.path = out / "metrics.jsonl"
            self.path.write_text("")
        except OSError as error:
            raise OutputError(f"can't write into {out}", str(error.strerror)) from error
        self.progress = progress
        self.losses: list[float] = []
        self.rate = 0.0
        self.start = time.monotonic()

    def note(self, step: int, loss: float, rate: float) -> None:
        """Keeps a step's loss; says so now and then."""
        self.losses.append(loss)
        self.rate = rate
        if step in (1, 10) or step % 50 == 0:
            recent = self.losses[-50:]
            each = (time.monotonic() - self.start) / step
            self.progress(
                f"step {step}: loss {sum(recent) / len(recent):.4f}, {each:.2f} s per step"
            )

    def report(self, step: int, part: float, metrics: dict[str, float]) -> None:
        """Writes a validation down."""
        row = {
            "step": step,
            "seconds": round(time.monotonic() - self.start, 1),
            "learning_rate": self.rate,
            "loss": sum(self.losses) / max(1, len(self.losses)),
            "validation": metrics,
        }
        self.losses.clear()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        told = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self.progress(f"step {step} ({part:.0%}): {told}")


def _pictures_in(pictures: Bytes, place: torch.device) -> torch.Tensor:
    """uint8 (N, H, W, 3) as float 0 … 1 (N, 3, H, W), channels last in memory."""
    return torch.from_numpy(pictures).to(place).permute(0, 3, 1, 2).float().div_(255)


def _optimiser(network: nn.Module, settings: SegmenterSettings) -> torch.optim.Optimizer:
    """AdamW; norms and biases don't decay, the encoder learns at its part of the rate."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        key = (name.startswith("network.encoder."), parameter.ndim > 1)
        groups.setdefault(key, []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "part": settings.encoder_rate if encoder else 1.0,
                "weight_decay": settings.weight_decay if weight else 0.0,
            }
            for (encoder, weight), parameters in groups.items()
        ],
        lr=settings.learning_rate,
    )


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(name)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError) as error:
        raise BackendError(f"no device {name!r} for torch", "use --device auto or cpu") from error
    return place
