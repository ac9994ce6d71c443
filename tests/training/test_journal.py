"""The log of a run."""

from pathlib import Path

from tests.training.line_task import train_line


def test_half_a_row_of_a_killed_run_does_not_hinder_its_resumption(tmp_path: Path) -> None:
    unbroken = train_line(tmp_path)
    rows = tmp_path / "metrics.jsonl"
    rows.write_text(rows.read_text() + '{"step": 16, "sec')
    assert train_line(tmp_path, resume=True) == unbroken


def test_the_precision_stands_in_the_journal(tmp_path: Path) -> None:
    assert [row["precision"] for row in train_line(tmp_path)] == ["32-true"] * 3
