import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from matte.errors import BackendError, MatteError, OutputError, SettingError, StoreError
from matte.fleet.checks import (
    MachineReport,
    choose_all_executions,
    cluster_probe,
    examine_machine,
    processor_kinds,
    refuse_problems,
)
from matte.fleet.request import FleetRequest
from matte.photos.locations import on_disk
from matte.stores.stored_file import stored_file
from tests.fleet.clusters import OwnCluster, save_discs, store_discs, variant
from tests.rights import without_root_rights
from tests.stores.s3_server import S3Server


@pytest.fixture
def request_of_one(tmp_path: Path, own_cluster: OwnCluster) -> FleetRequest:
    """One photo, whose results go to a folder that is still to be made."""
    source = save_discs(tmp_path / "in", 1)
    return FleetRequest(source, (variant(tmp_path / "out"),)).with_executions({"": {}})


def problem_with(request: FleetRequest, **changes: object) -> MatteError:
    """Returns what a machine says that finds other things than the driver."""
    made = request.variants[0]
    with cluster_probe(made.results, request.source / "00.png") as probe:
        report = examine_machine(request, replace(probe, **changes))  # type: ignore[arg-type]  # any
    assert report.problem is not None
    return report.problem


def test_a_machine_that_can_work_has_no_problem(request_of_one: FleetRequest) -> None:
    made = request_of_one.variants[0]
    with cluster_probe(made.results, request_of_one.source / "00.png") as probe:
        report = examine_machine(request_of_one, probe)
    assert report.problem is None
    assert report.executions == {"": {}}
    refuse_problems([report])
    assert list(on_disk(made.results / ".matte-run").iterdir()) == []  # nothing stays


def test_what_stops_a_machine_is_said(request_of_one: FleetRequest, tmp_path: Path) -> None:
    assert "install the same" in str(problem_with(request_of_one, version="0.0.1"))
    assert "can't read" in str(problem_with(request_of_one, source=tmp_path / "none.png"))
    assert "is another folder" in str(problem_with(request_of_one, token="of another machine"))
    assert "is another folder" in str(problem_with(request_of_one, source_bytes=1))
    prints = {"": {**request_of_one.fingerprints[""], "segmenter file": "of another file"}}
    other = replace(request_of_one, fingerprints=prints)
    assert "its segmenter is another file" in str(problem_with(other))


def test_a_store_is_probed_from_each_machine(
    s3: S3Server, own_cluster: OwnCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = store_discs(s3, 1)
    out = source.with_name("out")
    request = FleetRequest(source, (variant(out),)).with_executions({"": {}})
    with cluster_probe(out, source / "00.png") as probe:
        assert examine_machine(request, probe).problem is None
        assert len(s3.names("bucket", "out/")) == 1  # the driver's own
        s3.denied.add("in/00.png")
        said = str(examine_machine(request, probe).problem)
        assert "these credentials may not read s3://bucket/in/00.png" in said
        s3.denied.clear()
        del s3.buckets["bucket"]["in/00.png"]
        assert "finds no s3://bucket/in/00.png" in str(examine_machine(request, probe).problem)
        s3.buckets["bucket"].clear()
        store_discs(s3, 1)
        assert "s3://bucket/out is another folder" in str(examine_machine(request, probe).problem)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
        report = examine_machine(request, pickle.loads(pickle.dumps(probe)))
    assert isinstance(report.problem, StoreError)
    with pytest.raises(
        BackendError, match=r"refuses the .*: check AWS_.*, on every machine before"
    ):
        refuse_problems([report])
    assert s3.names("bucket", "out/") == []


def test_a_store_that_can_not_be_written_ends_the_run_before_it_begins(s3: S3Server) -> None:
    source = store_discs(s3, 1)
    with (
        pytest.raises(StoreError, match="no bucket none"),
        cluster_probe(stored_file("s3://none/out"), source / "00.png"),
    ):
        pass


def test_a_folder_that_can_not_be_written_is_an_error(request_of_one: FleetRequest) -> None:
    made = request_of_one.variants[0]
    on_disk(made.results).mkdir()
    on_disk(made.results).chmod(0o500)
    with (
        without_root_rights(),
        pytest.raises(StoreError),
        cluster_probe(made.results, request_of_one.source / "00.png"),
    ):
        pass


def test_networks_that_are_not_there_are_a_problem(tmp_path: Path) -> None:
    settings = variant(tmp_path).settings
    config = settings.config
    config = replace(config, segmentation=replace(config.segmentation, segmenter="nobody"))
    made = replace(variant(tmp_path), settings=replace(settings, config=config))
    answer = choose_all_executions(FleetRequest(tmp_path, (made,)))
    assert isinstance(answer, MatteError)
    assert "nobody" in answer.cause


def test_the_first_problem_is_raised_with_its_machine() -> None:
    well = MachineReport("one", "a processor", {})
    broken = replace(well, machine="two", problem=SettingError("it is full", "make room"))
    with pytest.raises(SettingError, match="worker machine two: it is full: make room"):
        refuse_problems([well, broken])
    other = replace(well, machine="three", problem=OutputError("no", "yes"))
    with pytest.raises(BackendError, match=r"machine three \(and 1 more machines\): no: yes"):
        refuse_problems([other, broken])


def test_processors_are_listed_once() -> None:
    reports = [MachineReport("x", name, {}) for name in ("b", "a", "b")]
    assert processor_kinds(reports) == ["a", "b"]
