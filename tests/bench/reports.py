"""A report as `matte bench` makes it, without the wait."""

from matte.bench.frame_sizes import parse_frame_size
from matte.bench.line_timing import LineTiming
from matte.bench.process_timing import ProcessTiming
from matte.bench.report import BenchReport, SizeReport
from matte.metrics.timings import summarise_timings

WAY = {"name": "person", "backend": "openvino", "device": "cpu", "precision": "bf16"}


def warm(name: str, segment: float, refine: float, error: str = "") -> LineTiming:
    return LineTiming(
        name,
        networks={"segmenter": {**WAY, "why": "the fastest here (…)"}},
        load_ms=250,
        stages={"segment": summarise_timings([segment]), "refine": summarise_timings([refine])},
        total=summarise_timings([segment + refine]),
        peak_mib=400,
        largest=0.5,
        mean=1e-4,
        error=error,
    )


def timed(name: str, seconds: float, note: str = "", error: str = "") -> ProcessTiming:
    return ProcessTiming(name, None if error else summarise_timings([seconds], 4), 300, note, error)


def report() -> BenchReport:
    found = [
        warm("auto", 20, 80),
        warm("openvino cpu fp32", 40, 160),
        warm("onnx cpu fp32", 1, 1, error="wrong: alpha is 0.3 from openvino cpu fp32's"),
        LineTiming("torch cpu fp32", error="torch failed"),
    ]
    processes = [
        timed("matte image", 0.8),
        timed("rembg", 2.0, "random weights"),
        timed("slow", 0, error="slow took over 900 seconds"),
    ]
    cold = {"auto": processes[0], "openvino cpu fp32": timed("cold openvino cpu fp32", 0.9)}
    measured = SizeReport(parse_frame_size("720p"), found, cold, processes)
    machine = {"processor": "a processor", "threads": 2}
    peers = {"rembg": "2.0.86", "slow": ""}
    return BenchReport("2026-01-02", machine, "balanced", {"k": 7}, "a.jpg", peers, [measured])
