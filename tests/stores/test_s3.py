"""A bucket over real sockets, whose server fails in every way that servers do."""

import random
import threading
from collections.abc import Callable, Sequence

import pytest

from matte.errors import (
    ExistingObjectError,
    MatteWarning,
    MissingObjectError,
    StoreError,
)
from matte.limits import MAX_STORE_TRIES
from matte.stores import s3 as s3_module
from matte.stores import s3_listing
from matte.stores.protocol import Store
from matte.stores.s3 import S3Store
from matte.stores.s3_clients import CallTimes
from tests.stores.contract import StoreContract
from tests.stores.s3_server import SECRET, Call, Fault, S3Server

TIMES = CallTimes(first_wait=0.002)
SHORT_TIMES = CallTimes(connect=1, silence=0.2, upload=0.2, first_wait=0.002)


class TestS3(StoreContract):
    @pytest.fixture
    def store(self, s3: S3Server) -> Store:
        return S3Store("bucket", "some/folder", CallTimes(first_wait=0.002))


@pytest.fixture
def store(s3: S3Server) -> S3Store:
    return S3Store("bucket", "folder", TIMES)


def first_calls(action: str, faults: Sequence[Fault | None]) -> Callable[[Call], Fault | None]:
    """What goes wrong with the first calls of a kind."""
    coming, lock = list(faults), threading.Lock()

    def fault(call: Call) -> Fault | None:
        with lock:
            return coming.pop(0) if coming and call.action == action else None

    return fault


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects count as large from 6 MiB on; S3 takes no parts under 5 MiB."""
    monkeypatch.setattr(s3_module, "MAX_ONE_CALL_BYTES", 6 << 20)
    monkeypatch.setattr(s3_module, "UPLOAD_PART_BYTES", 5 << 20)


FAULTS: tuple[Fault, ...] = ("slow down", "silent", "cut", "lost")


@pytest.mark.parametrize("fault", [*FAULTS, "truncate"])
def test_a_fault_that_passes_is_counted_and_costs_nothing(s3: S3Server, fault: Fault) -> None:
    store = S3Store("bucket", "folder", SHORT_TIMES if fault == "silent" else TIMES)
    data = bytes(range(256)) * 200
    s3.put("bucket", "folder/a", data)
    calls: dict[str, Callable[[], object]] = {
        "list": lambda: [facts.name for facts in store.objects()],
        "get": lambda: store.read("a").data,
        "put": lambda: store.write("b", data),
    }
    expected = {"list": ["a"], "get": data, "put": None}
    for action, call in calls.items():
        if (action, fault) == ("put", "truncate"):
            continue  # the object is written; nobody reads the answer's text
        before = store.retries
        s3.fault = first_calls(action, [fault])
        assert call() == expected[action]
        assert store.retries == before + 1 or fault == "silent", action  # on a busy machine more
    assert fault == "truncate" or s3.data("bucket", "folder/b") == data


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_one_line_and_leaves_nothing_half(s3: S3Server, fault: Fault) -> None:
    store = S3Store("bucket", "folder", SHORT_TIMES if fault == "silent" else TIMES)
    s3.put("bucket", "folder/a", b"data")
    s3.fault = lambda _: fault
    for call in (
        lambda: store.read("a"),
        lambda: store.write("b", b"new"),
        store.objects().__next__,
    ):
        with pytest.raises(StoreError) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert SECRET not in str(caught.value)
        assert caught.value.remedy
    s3.fault = lambda _: None
    assert s3.calls["get"] == MAX_STORE_TRIES
    assert fault == "lost" or store.facts("b") is None


def test_an_object_of_ours_is_known_again_and_anothers_is_not(s3: S3Server, store: S3Store) -> None:
    """The first try wrote it, and its answer was lost; or somebody else was faster."""
    s3.fault = first_calls("put", ["lost"])
    store.write("a", b"ours")

    def other(call: Call) -> Fault | None:
        if call.action == "put" and not s3.buckets["bucket"].get("folder/b"):
            s3.put("bucket", "folder/b", b"theirs")
            return "cut"
        return None

    s3.fault = other
    with pytest.raises(ExistingObjectError):
        store.write("b", b"ours")
    assert s3.data("bucket", "folder/b") == b"theirs"


def test_more_than_a_page_is_listed_however_it_breaks(s3: S3Server, store: S3Store) -> None:
    names = [f"{n:04d}.jpg" for n in range(2345)]
    for name in names:
        s3.put("bucket", f"folder/{name}", b"")
    s3.put("bucket", "folder-2/x.jpg", b"")
    assert [facts.name for facts in store.objects()] == names
    assert s3.calls["list"] == 3
    s3.fault = first_calls("list", [None, "slow down", "truncate", None, "cut"])
    assert [facts.name for facts in store.objects()] == names
    assert store.retries == 3


def test_marks_of_folders_are_listed_once_at_most(s3: S3Server, store: S3Store) -> None:
    for name in ("", "a/", "a-b", "a/c"):
        s3.put("bucket", f"folder/{name}", b"")
    s3.page = 1
    s3.fault = first_calls("list", [None, None, "cut", None, "cut"])
    found = [facts.name for facts in store.objects()]
    assert sorted(found) in (["a", "a-b", "a/c"], ["a-b", "a/c"])


def test_a_listing_may_be_stale(s3: S3Server, store: S3Store) -> None:
    """What is listed may be gone; what is there may not be listed yet, and is not replaced."""
    s3.put("bucket", "folder/new", b"theirs")
    s3.listed = lambda after, names: [*([] if after else ["folder/gone"]), *names[:0]]
    assert [facts.name for facts in store.objects()] == ["gone"]
    with pytest.raises(MissingObjectError, match="gone is not there, or not any more"):
        store.read("gone")
    with pytest.raises(ExistingObjectError):
        store.write("new", b"ours")
    assert store.retries == 0


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("overwrite", [False, True])
def test_large_objects_go_in_parts(s3: S3Server, store: S3Store, overwrite: bool) -> None:
    data = random.Random(0).randbytes(11 << 20)
    s3.fault = first_calls("part", ["slow down", None, "slow down"])
    store.write("deep/large.png", data, overwrite)
    assert s3.data("bucket", "folder/deep/large.png") == data
    assert s3.names("bucket") == ["folder/deep/large.png"]
    assert s3.uploads == {}
    assert s3.calls["part"] == 5
    assert s3.calls["put"] == 0
    with pytest.raises(ExistingObjectError):
        store.write("deep/large.png", data)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("action", ["part", "complete", "copy part", "delete"])
def test_an_upload_whose_answer_is_lost_is_known(s3: S3Server, store: S3Store, action: str) -> None:
    """What is tried again then is over, or there."""
    for overwrite in (False, True):
        s3.fault = first_calls(action, ["lost"])
        store.write("large", bytes(11 << 20), overwrite)
        assert s3.names("bucket") == ["folder/large"]
        assert s3.uploads == {}


@pytest.mark.usefixtures("small_parts")
def test_what_can_not_be_removed_is_said(s3: S3Server, store: S3Store) -> None:
    s3.fault = lambda call: "slow down" if call.action == "delete" else None
    with pytest.warns(MatteWarning, match=r"\.matte-.*-large is left over .*: remove it"):
        store.write("large", bytes(7 << 20))
    assert s3.data("bucket", "folder/large") == bytes(7 << 20)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("action", ["part", "complete", "copy part"])
@pytest.mark.parametrize("fault", ["slow down", "cut"])
def test_a_broken_upload_is_aborted(
    s3: S3Server, store: S3Store, action: str, fault: Fault
) -> None:
    s3.fault = lambda call: fault if call.action == action else None
    with pytest.raises(StoreError, match=r"can't write s3://bucket/folder/"):
        store.write("large", bytes(11 << 20))
    assert s3.names("bucket") == []
    assert s3.uploads == {}, "no parts are left to be paid for"


@pytest.mark.usefixtures("small_parts")
def test_a_large_object_replaces_none_that_appears_meanwhile(s3: S3Server, store: S3Store) -> None:
    def other(call: Call) -> Fault | None:
        if call.action == "copy part":
            s3.put("bucket", "folder/large", b"theirs")
        return None

    s3.fault = other
    with pytest.raises(ExistingObjectError):
        store.write("large", bytes(7 << 20))
    assert s3.names("bucket") == ["folder/large"]
    assert s3.data("bucket", "folder/large") == b"theirs"
    assert s3.uploads == {}


def test_one_call_in_twenty_may_fail(s3: S3Server, store: S3Store) -> None:
    chance = random.Random(7)
    s3.fault = lambda _: (
        chance.choice(("slow down", "cut", "lost")) if chance.random() < 0.05 else None
    )
    for number in range(300):
        store.write(f"{number:03d}", b"%d" % number)
    assert [store.read(f.name).data for f in store.objects()] == [b"%d" % n for n in range(300)]
    assert 10 < store.retries < 90


def test_who_is_refused_and_what_is_missing(
    s3: S3Server, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match=f"there is no bucket other at {s3.endpoint}: check"):
        list(S3Store("other").objects())
    with pytest.raises(StoreError, match="there is no bucket other"):
        S3Store("other").write("a", b"")
    s3.denied.add("folder/a")
    with pytest.raises(StoreError, match=r"may not read s3://bucket/folder/a \(AccessDenied\)"):
        store.read("a")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    with pytest.raises(
        StoreError, match=r"refuses the credentials \(InvalidAccessKeyId\)"
    ) as found:
        list(S3Store("bucket").objects())
    assert SECRET not in str(found.value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(StoreError, match="can't be used: check AWS_ACCESS_KEY_ID"):
        list(S3Store("bucket").objects())
    assert store.retries == 0


ODD_NAMES = ("a//b.jpg", "/c.jpg", "d/../e.jpg", "f\x01.jpg")


def test_names_that_no_file_has_are_left_out(s3: S3Server, store: S3Store) -> None:
    names = [f"{n:03d} +%&ü.jpg" for n in range(25)]
    for name in (*names, *ODD_NAMES, "mark/"):
        s3.put("bucket", f"folder/{name}", b"12", modified=1.7e9)
    s3.page = 10
    s3.fault = first_calls("list", [None, None, "slow down", None, "truncate", "cut", "silent"])
    with pytest.warns(MatteWarning, match=r"^s3://bucket/folder holds 4 objects whose name can't"):
        found = {facts.name: facts for facts in store.objects()}
    assert sorted(found) == [*names, "mark"]
    assert store.retries == 4
    assert found[names[7]] == store.facts(names[7])
    s3.put("bucket", "other/x//y.jpg", b"")
    with pytest.warns(MatteWarning, match=r"holds an object .* such as 'x//y\.jpg': left out$"):
        assert list(S3Store("bucket", "other").objects()) == []


def test_without_keys_in_the_environment_they_stop_a_listing(
    s3: S3Server, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("bucket", "folder/a//b.jpg", b"")
    monkeypatch.setattr(s3_listing, "may_list", lambda: False)
    with pytest.raises(StoreError, match=r"holds an object whose name .* \(folder/a//b\.jpg\)"):
        list(store.objects())


def test_results_have_their_type(s3: S3Server, store: S3Store) -> None:
    store.write("a.png", b"")
    store.write("b.jsonl", b"")
    assert s3.types["folder/a.png"] == "image/png"
