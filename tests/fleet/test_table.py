import importlib
import sys
from io import BytesIO
from pathlib import Path

import pytest

from matte.errors import BackendError, ExistingObjectError, OutputError
from matte.fleet.rows import row_of_record
from matte.fleet.table import ResultTable, import_arrow
from matte.photos.run_file import PictureRecord
from matte.stores.stored_file import stored_file
from tests.stores.s3_server import S3Server

RECORD = PictureRecord("a-matte.png", "done", "/in/a\udcff.jpg", 10, 20, 30.5, 400, "5ea1")


def test_without_arrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BackendError, match=r"\.\[fleet\]"):
        import_arrow()


@pytest.mark.fleet
def test_rows_are_columns_of_their_types(tmp_path: Path) -> None:
    file = tmp_path / "fleet.parquet"
    with ResultTable(file) as table:
        table.add(row_of_record("", RECORD, {"width": 4, "height": 3, "subject": True}))
        table.add(row_of_record("best", RECORD))
    parquet = importlib.import_module("pyarrow.parquet")
    found = parquet.read_table(file)
    assert found["width"].to_pylist() == [4, None]
    assert found["subject"].to_pylist() == [True, None]
    assert found["source"].to_pylist() == ["/in/a\\udcff.jpg"] * 2
    assert str(found.schema.field("at").type) == "double"
    with pytest.raises(OutputError, match="exists"):
        ResultTable(file)


@pytest.mark.fleet
def test_a_table_in_a_store_is_whole(s3: S3Server) -> None:
    place = stored_file("s3://bucket/out/fleet.parquet")
    with ResultTable(place) as table:
        table.add(row_of_record("", RECORD))
        assert s3.names("bucket") == []
    found = importlib.import_module("pyarrow.parquet").read_table(BytesIO(place.read()))
    assert found["retries"].to_pylist() == [0]
    with pytest.raises(ExistingObjectError, match="exists"):
        ResultTable(place)


@pytest.mark.fleet
def test_a_run_that_fails_leaves_no_table(tmp_path: Path) -> None:
    def fail() -> None:
        with ResultTable(tmp_path / "fleet.parquet") as table:
            table.add(row_of_record("", RECORD))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fleet
def test_large_tables_are_written_in_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.fleet.table.GROUP_ROWS", 3)
    file = tmp_path / "fleet.parquet"
    with ResultTable(file) as table:
        for _ in range(7):
            table.add(row_of_record("", RECORD))
    found = importlib.import_module("pyarrow.parquet").ParquetFile(file)
    assert (found.num_row_groups, found.metadata.num_rows) == (3, 7)
