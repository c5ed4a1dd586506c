"""What a run says of itself: times in words, and no secret in any of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session.conformance._actions import Action
from splus_session.conformance._words import time_in_words

UNITS = {"days": 86400.0, "day": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2592000.0, "30 days"),
        (86400.0, "1 day"),
        (4200.0, "1 h 10 min"),
        (601.0, "10 min 1 s"),
        (60.0, "1 min"),
        (59, "59 s"),
        (90061.5, "1 day 1 h 1 min 1.5 s"),
        (0.1, "0.1 s"),
        (3600.0000001, "1 h"),
        (0.0004, "0.0004 s"),
        (0.0, "0 s"),
        (-3600.0, "-1 h"),
    ],
)
def test_a_time_is_told_in_the_units_of_a_person(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


@given(st.floats(-4e9, 4e9))
def test_the_words_of_a_time_lose_nothing_that_matters(seconds: float) -> None:
    words = time_in_words(seconds)
    parts = re.findall(r"([\d.e-]+) (days?|h|min|s)\b", words.removeprefix("-"))
    total = sum(float(number) * UNITS[unit] for number, unit in parts)
    assert (-total if words.startswith("-") else total) == pytest.approx(seconds, abs=0.001, rel=1e-12)


def test_steps_tell_their_times_so() -> None:
    assert Action("advance", seconds=601.0).words() == "10 min 1 s pass"
    assert Action("sleep", seconds=31 * 86400.0).words() == "the machine sleeps for 31 days"
    assert Action("jump", seconds=-3600.0).words() == "the client's clock is set by -1 h"
    assert (
        Action("skew", seconds=40 * 86400.0).words()
        == "the client's clock is 40 days ahead of the platform's"
    )
