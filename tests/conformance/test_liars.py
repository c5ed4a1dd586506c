"""Adapters that keep the protocol and tell nonsense: the kit judges it and never falls over it."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splus_session.conformance import _talk
from splus_session.conformance._actions import Action
from splus_session.conformance._judge import Outcome, play
from splus_session.conformance._lines import FEATURES, Idle, Told, parse
from splus_session.conformance._run import Run
from splus_session.conformance._scenarios import scenario
from splus_session.conformance._source import Processes
from splus_session.conformance._talk import Adapter
from splus_session.testing import FakePlatform
from tests.conformance.test_command import SMALL
from tests.conformance.test_lines import ANY_TEXT, DEVICE_IDS, FIELDS, STATES, written

ALL = frozenset(FEATURES) | {"process"}
SMALL_COUNTS = st.integers(0, 12)
NAMES = st.sampled_from(["a", "b", "c", ""]) | ANY_TEXT
LOOKS = st.fixed_dictionaries(
    {"state": st.sampled_from(STATES)},
    optional={
        "user_id": st.none() | st.sampled_from(["ann", "bob"]) | ANY_TEXT,
        "device_id": st.none() | DEVICE_IDS,
    },
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.lists(st.integers())


@st.composite
def lies(draw: st.DrawFn) -> dict[str, Any]:
    """One event that the protocol knows, and that nobody waits for."""
    event = draw(st.sampled_from(sorted(FIELDS)))
    fields = {name: draw(values) for name, values in FIELDS[event].items()}
    for name, values in {
        "client": NAMES,
        "of": SMALL_COUNTS,
        "renewal": SMALL_COUNTS,
        "observer": SMALL_COUNTS,
    }.items():
        if name in fields:
            fields[name] = draw(values)
    more = draw(
        st.dictionaries(st.sampled_from(["value", "reason", "previous", "at", "user_id", "message"]), VALUES)
    )
    return {**more, "event": event, **fields}


ANSWERS = st.tuples(st.lists(lies(), max_size=3), st.dictionaries(st.sampled_from("abc"), LOOKS))

Twist = tuple[list[dict[str, Any]], dict[str, Any], bool]
TWISTS = st.tuples(st.lists(lies(), max_size=3), LOOKS, st.booleans())


SCENARIOS = st.integers(0, 9_999).map(lambda number: scenario(ALL, 0, number))


class Liar:
    """An adapter in this process that tells, again and again, what it was given."""

    heard = 0
    pause = 0.0

    def __init__(self, answers: list[tuple[list[dict[str, Any]], dict[str, Any]]], *, does_end: bool) -> None:
        self._answers = itertools.cycle(answers)
        self._does_end = does_end

    def send(self, command: Mapping[str, object]) -> tuple[list[Told], Idle]:
        events, looks = next(self._answers)
        told = [parse(written(event)) for event in events]
        if self._does_end:  # so that a run goes on
            told.append(parse(written({"event": "done", "of": command["id"]})))
        idle = parse(written({"idle": command["id"], "clients": looks, "sent": 0, "open": 0}))
        assert isinstance(idle, Idle)
        return [each for each in told if isinstance(each, Told)], idle

    def meet(self, platform: FakePlatform) -> None:
        """It asks no platform."""

    def said(self, since: int = 0) -> str:
        return ""

    def kill(self) -> None:
        """It has nothing to lose."""


def outcome_of(played: tuple[Action, ...], liar: Liar) -> Outcome:
    return play(lambda: liar, ALL, played, patience=0.0)


@pytest.mark.requirement("SECRET-3")
@settings(max_examples=150)
@given(SCENARIOS, st.lists(ANSWERS, min_size=1, max_size=6), st.booleans())
def test_whatever_is_told_is_judged(
    played: tuple[Action, ...],
    answers: list[tuple[list[dict[str, Any]], dict[str, Any]]],
    does_end: bool,
) -> None:
    outcome = outcome_of(played, Liar(answers, does_end=does_end))
    for found in outcome.found:
        assert found.wrong.expected
        assert found.wrong.observed
        assert found.scenario


class Twister:
    """A right client whose answers are twisted from some point on: each as it says."""

    def __init__(self, adapter: Adapter, twists: dict[int, Twist]) -> None:
        self._adapter = adapter
        self._twists = twists
        self._answers = itertools.count()
        self.heard = 0
        self.pause = adapter.pause

    def send(self, command: Mapping[str, object]) -> tuple[list[Told], Idle]:
        told, idle = self._adapter.send(command)
        twist = self._twists.get(next(self._answers))
        if twist is None:
            return told, idle
        more, looks, does_swallow = twist
        lied = [parse(written(event)) for event in more]
        kept = [] if does_swallow else told
        shown = {name: attrs.evolve(look, **looks) for name, look in idle.clients.items()}
        return [*kept, *(each for each in lied if isinstance(each, Told))], attrs.evolve(idle, clients=shown)

    def meet(self, platform: FakePlatform) -> None:
        self._adapter.meet(platform)

    def said(self, since: int = 0) -> str:
        return ""

    def kill(self) -> None:
        self._adapter.kill()


@pytest.fixture(scope="module")
def small() -> Iterator[Processes]:
    source = Processes(SMALL)
    yield source
    source.close()


@pytest.mark.requirement("SECRET-3")
@settings(max_examples=60)
@given(SCENARIOS, st.dictionaries(st.integers(2, 40), TWISTS, min_size=1, max_size=4))
def test_a_right_client_that_now_and_then_tells_nonsense_is_judged(
    small: Processes, played: tuple[Action, ...], twists: dict[int, Twist]
) -> None:
    outcome = play(lambda: Twister(small.take(), twists), ALL, played, patience=0.0)
    assert all(found.wrong.observed for found in outcome.found)


@pytest.mark.requirement("SECRET-3")
def test_one_that_counts_wrong_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_talk, "SETTLING", 0.2)

    class CountsWrong(Liar):
        def send(self, command: Mapping[str, object]) -> tuple[list[Told], Idle]:
            return [], Idle(0, {}, sent=3, open=1)

    outcome = outcome_of((Action("login", "a", "ann"),), CountsWrong([([], {})], does_end=True))
    assert outcome.adapter_error is not None
    assert "says that 3 requests were sent and 1 are open" in outcome.adapter_error
    assert "the platform has seen 0" in outcome.adapter_error


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        ({"a": {"state": "established"}}, "the client is established, and should be notLoggedIn"),
        ({}, "the client does not say how it is, and should be notLoggedIn"),
    ],
)
def test_a_run_that_stops_says_where_the_client_is_and_where_it_should_be(
    looks: dict[str, Any], words: str
) -> None:
    run = Run(lambda: Liar([([], looks)], does_end=True), frozenset(), patience=0.0)
    assert list(run.play((Action("open", "a"),)))
    assert run.stopped == words
