import numpy as np
import pytest

from matte.clips.following.appearance import (
    BANDS,
    COLOURS,
    Appearance,
    colour_histogram,
    likeness,
    mixture_likeness,
)
from tests.clips.following.people import BLUE, GREEN, RED, YELLOW, Person, codes_of, scene


def test_a_histogram_is_a_share_of_each_colour() -> None:
    image, seen = scene([Person(RED, BLUE, 40)])
    found = colour_histogram(codes_of(image), seen[0])
    assert found.shape == (BANDS, COLOURS)
    assert found.sum() == pytest.approx(1, abs=0.05)  # what lies beyond the last colour is lost


def test_people_are_like_themselves_and_unlike_others_even_in_swapped_clothes() -> None:
    people = [Person(RED, BLUE, 10), Person(BLUE, RED, 60), Person(GREEN, YELLOW, 110)]
    (image, seen), (later, moved) = scene(people), scene(people, 9)
    codes = codes_of(image)
    first, swapped, other = (colour_histogram(codes, region) for region in seen)
    again = colour_histogram(codes_of(later), moved[0])
    assert likeness(first, again) > 0.95
    assert likeness(first, other) < 0.2
    assert likeness(first, other) < likeness(first, swapped) < 0.75


def test_two_together_are_a_mixture() -> None:
    people = [Person(RED, BLUE, 40), Person(GREEN, YELLOW, 60)]
    image, seen = scene(people)
    codes = codes_of(image)
    one, other = (colour_histogram(codes, region) for region in seen)
    both = colour_histogram(codes, seen[0] | seen[1])
    assert mixture_likeness(both, one, other) > mixture_likeness(both, one, one) + 0.1


def test_the_first_colours_are_never_forgotten() -> None:
    image, seen = scene([Person(RED, BLUE, 10), Person(GREEN, YELLOW, 110)])
    codes = codes_of(image)
    first, other = (colour_histogram(codes, region) for region in seen)
    memory = Appearance(first)
    for _ in range(300):
        memory.learn(other)
    assert likeness(memory.histogram, first) > 0.6
    assert likeness(memory.histogram, other) > 0.6


def test_a_colour_is_likely_where_it_was_seen() -> None:
    image, seen = scene([Person(RED, BLUE, 40)])
    codes = codes_of(image)
    memory = Appearance(colour_histogram(codes, seen[0]))
    found = memory.log_likelihood(codes, 0, np.array([40, 20, 60, 84], np.float64))
    assert found.shape == codes.shape
    assert found[seen[0]].mean() > found[~seen[0]].mean() + 3
