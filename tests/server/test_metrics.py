"""What the server counts."""

import httpx

from matte.server.metrics import Metrics


def test_stages_and_jobs_add_up() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.job_began()
        metrics.stages_ran({"refine": 500.0})
    metrics.job_ended(1.5, "done")
    text = metrics.as_text({"queue_length": 3})
    assert 'matte_stage_seconds_sum{stage="refine"} 1.000' in text
    assert 'matte_stage_seconds_count{stage="refine"} 2' in text
    assert 'matte_jobs_total{outcome="done"} 1' in text
    assert "matte_jobs_running 1" in text
    assert "matte_queue_length 3" in text


def test_metrics_are_prometheus_text(client: httpx.Client) -> None:
    client.get("/health")
    told = client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = told.text.splitlines()
    assert any(
        line.startswith('matte_requests_total{route="get_health",status="200"}') for line in lines
    )
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert {"matte_queue_length", "matte_jobs_running", "matte_resident_memory_bytes"} <= names
    described = {line.split(" ")[2] for line in lines if line.startswith("# TYPE")}
    assert names <= described | {"matte_stage_seconds_sum", "matte_stage_seconds_count"}
