"""What all requests share."""

from matte.configs.loader import merge_settings
from matte.media.pictures import read_photo
from matte.server.asked import parse_asked
from matte.server.state import make_state
from matte.server.steps import PictureSource
from tests.conftest import SAMPLE
from tests.server.running import QUICK, quick_options


def test_results_are_counted_and_what_goes_is_forgotten(home_of_run: object) -> None:
    settings = merge_settings("fast", flags={**QUICK, "max_pixels": 500_000})
    state = make_state(quick_options(settings=settings), lambda _: None)
    try:
        assert state.max_pixels == 500_000
        data = SAMPLE.read_bytes()
        picture = state.store.add(data, "me.jpg", 512, 512)
        asked = parse_asked("mask", {}, state.settings)
        state.make(state.source_of(picture), asked)
        assert 'stage="segment"' in state.metrics.as_text(state.gauges())
        assert state.gauges()["cached_bytes"] > 0
        state.store.delete(picture.id)
        assert state.gauges()["cached_bytes"] == 0
        photo = read_photo(SAMPLE)
        state.make(PictureSource("", "me.jpg", lambda: photo), asked)
        assert state.gauges()["cached_bytes"] == 0
    finally:
        state.close()
