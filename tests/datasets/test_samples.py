from pathlib import Path

from matte.datasets.samples import Entry, UnusableError
from matte.errors import PictureError


def test_an_entry_stands_for_itself_unless_it_has_a_group() -> None:
    entry = Entry("a", "background", Path("a.jpg"))
    assert (entry.truth, entry.classes, entry.group) == (None, (), "")
    assert len({entry, Entry("a", "background", Path("a.jpg"))}) == 1


def test_an_unusable_picture_is_an_error_of_that_picture_with_its_remedy() -> None:
    error = UnusableError("a.png is empty", "delete it")
    assert isinstance(error, PictureError)
    assert str(error) == "a.png is empty: delete it"
