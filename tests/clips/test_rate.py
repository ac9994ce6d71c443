import pytest

from matte.clips.rate import RateCandidate, choose_candidate, rate_candidates
from matte.configs.loader import merge_settings, with_preset
from matte.errors import MissingWeightsError


def named(*names: str) -> list[RateCandidate]:
    return [RateCandidate(name, merge_settings()) for name in names]


def test_candidates_go_from_what_is_asked_to_what_is_quickest() -> None:
    found = list(rate_candidates(merge_settings(flags={"threads": 1, "fit": "contain"})))
    assert [candidate.name for candidate in found] == ["balanced", "fast", "modnet", "mask"]
    assert all(candidate.merged.config.runtime.threads == 1 for candidate in found)
    assert all(candidate.merged.config.compositing.fit == "contain" for candidate in found)
    fast, modnet, mask = (candidate.merged.config for candidate in found[1:])
    assert fast.video.video_segmenter == "person-light"
    assert modnet.modnet.modnet == "modnet"
    assert mask.refiner.refiner == "smooth"


def test_candidates_leave_out_what_is_asked_already() -> None:
    assert [candidate.name for candidate in rate_candidates(merge_settings("fast"))] == [
        "fast",
        "modnet",
        "mask",
    ]
    assert len(list(rate_candidates(merge_settings(flags={"modnet": "modnet"})))) == 1


def test_the_first_that_keeps_up_is_taken() -> None:
    rates = {"a": 5.0, "b": 20.0, "c": 40.0}
    choice = choose_candidate(named("a", "b", "c"), 15, lambda candidate: rates[candidate.name])
    assert choice.candidate.name == "b"
    assert choice.keeps_up
    assert choice.rates == {"a": 5.0, "b": 20.0}
    assert str(choice) == "b is used; frames a second: a 5.0, b 20.0"


def test_a_rate_needs_some_room() -> None:
    rates = {"a": 15.1, "b": 16.0}
    assert (
        choose_candidate(
            named("a", "b"), 15, lambda candidate: rates[candidate.name]
        ).candidate.name
        == "b"
    )


def test_where_none_keeps_up_the_quickest_is_taken_and_it_is_said() -> None:
    rates = {"a": 5.0, "b": 9.0, "c": 7.0}
    choice = choose_candidate(named("a", "b", "c"), 15, lambda candidate: rates[candidate.name])
    assert choice.candidate.name == "b"
    assert not choice.keeps_up
    assert "b is used, the fastest, but too slow" in str(choice)


def test_missing_weights_count_only_for_what_was_asked() -> None:
    def measure(candidate: RateCandidate) -> float:
        if candidate.name == "modnet":
            raise MissingWeightsError("not here")
        return 1.0

    assert choose_candidate(named("fast", "modnet", "mask"), 15, measure).rates.keys() == {
        "fast",
        "mask",
    }
    with pytest.raises(MissingWeightsError):
        choose_candidate(named("modnet", "mask"), 15, measure)


def test_another_preset_keeps_what_was_asked_for() -> None:
    merged = with_preset(merge_settings("balanced", flags={"threads": 2}), "fast", refiner="smooth")
    assert merged.preset == "fast"
    assert merged.config.segmentation.segmenter == "subject-light"
    assert merged.config.runtime.threads == 2
    assert merged.config.refiner.refiner == "smooth"
    assert merged.origins["threads"] == "flag"
    assert merged.origins["k"] == "default"


def test_what_there_is_no_time_for_is_used_untried() -> None:
    rates = {"a": 5.0, "b": None, "c": 40.0}
    choice = choose_candidate(named("a", "b", "c"), 15, lambda candidate: rates[candidate.name])
    assert (choice.candidate.name, choice.keeps_up) == ("b", None)
    assert str(choice).startswith("b is used, untried: the others are too slow")
