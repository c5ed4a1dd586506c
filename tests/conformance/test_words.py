"""What a run says of itself: times in words, and no secret in any of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._text import time_in_words
from splus_session.conformance._actions import Action
from splus_session.conformance._run import Run
from splus_session.conformance._source import Processes
from splus_session.conformance._words import answer_in_words
from splus_session.testing import FakePlatform, Received
from splus_session.testing._messages import Response
from tests.conformance.test_command import SMALL

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


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────


def answered(response: Response, *faults: str) -> Received:
    """A request that was answered so."""
    return Received(
        0.0, "POST", "/", None, None, None, None, {}, faults, status=response.status, response=response
    )


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (answered(Response.of_json({"message": "welcome"})), "200"),
        (answered(Response.of_error(401, 400100, "Unauthorized")), "401 (Unauthorized)"),
        (answered(Response.of_error(400, 1, "Bad", ["no name", "no kind"])), "400 (no name, no kind)"),
        (answered(Response.of_error(503, 1, "Away"), "server error 503"), "503 (server error 503: Away)"),
        (answered(Response.of_text("<html>", 500), "server error 500"), "500 (server error 500)"),
        (answered(Response.of_json([], 400)), "400"),
        (answered(Response.of_json({"data": 1, "message": 5}, 400)), "400"),
        (answered(Response.of_error(400, 1, "a\x1b[2J\n b")), "400 (a\\x1b[2J b)"),
        (answered(Response.of_error(400, 1, "x" * 99)), f"400 ({'x' * 59}…)"),
    ],
)
def test_an_answer_is_told_with_the_platforms_reason(record: Received, words: str) -> None:
    assert answer_in_words(record, ()) == words


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize("padding", [0, 45, 70])
def test_a_reason_that_holds_a_secret_is_not_shown(padding: int) -> None:
    secret = FakePlatform().issue_auth_token("ann").reveal()
    record = answered(Response.of_error(400, 1, "x" * padding + secret))
    assert answer_in_words(record, {secret}) == "400"


def test_the_lines_of_a_run_tell_the_platforms_reason() -> None:
    source = Processes(SMALL)
    try:
        run = Run(source.take, source.features)
        for _ in run.play((Action("login", "a", "refused"), Action("advance", seconds=3600.0))):
            pass
    finally:
        source.close()
    texts = [line.text for line in run.lines]
    assert "401 (Unauthorized: the auth token does not vouch for this user)" in texts
    assert "advance 1 h" in texts
