import math

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from splus_session import (
    Config,
    Credential,
    FailureKind,
    Grant,
    Record,
    ServerClock,
    SessionKind,
    SessionState,
    Snapshot,
    TokenRenewed,
)
from splus_session._events import EVENTS
from splus_session.testing.strategies import (
    EPOCH,
    clocks,
    configs,
    credentials,
    events,
    events_for,
    failures,
    grants,
    moments,
    moves,
    records,
    situations,
    snapshots,
    times_for,
    user_ids,
)


def drawn(strategy: SearchStrategy[object], count: int = 500) -> list[object]:
    """So many values of a strategy, the same ones each time."""
    found: list[object] = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate])
    @given(strategy)
    def collect(value: object) -> None:
        found.append(value)

    collect()
    return found


def test_every_kind_of_event_is_drawn() -> None:
    assert {type(event) for event in drawn(events())} == set(EVENTS)


def test_every_state_and_every_kind_of_session_is_drawn() -> None:
    found = [snapshot for snapshot in drawn(snapshots()) if isinstance(snapshot, Snapshot)]
    assert {snapshot.state for snapshot in found} == set(SessionState)
    assert {snapshot.kind for snapshot in found} == {*SessionKind, None}


def test_only_the_wanted_states_events_and_failures_are_drawn() -> None:
    @settings(max_examples=100)
    @given(snapshots([SessionState.ESTABLISHED]), failures([FailureKind.UNABLE]), st.data())
    def only(snapshot: Snapshot, failure: object, data: st.DataObject) -> None:
        assert snapshot.state is SessionState.ESTABLISHED
        assert getattr(failure, "kind", None) is FailureKind.UNABLE
        now = data.draw(times_for(snapshot))
        assert math.isfinite(now)
        assert type(data.draw(events_for(snapshot, now, [TokenRenewed]))) is TokenRenewed

    only()


def test_the_moves_of_a_situation_begin_at_the_same_session() -> None:
    for situation in drawn(situations(count=3), 50):
        assert isinstance(situation, tuple)
        assert len({id(move.snapshot) for move in situation}) == 1
        assert len(situation) == 3


def test_plain_values_are_what_they_are_called() -> None:
    """The constructors check the rest: what is drawn is valid."""

    @settings(max_examples=200)
    @given(
        credentials(user_id="dora"),
        grants(),
        st.tuples(records(), clocks(), configs()),
        moments(),
        user_ids(),
    )
    def valid(
        credential: Credential, grant: object, others: tuple[object, ...], moment: float, user: str
    ) -> None:
        assert credential.user_id == "dora"
        assert isinstance(grant, Grant)
        assert [type(other) for other in others] == [Record, ServerClock, Config]
        assert abs(moment - EPOCH) < 366 * 86400
        assert user

    valid()


@pytest.mark.parametrize(
    "wanted",
    [
        lambda move: move.snapshot.renewal is not None and move.snapshot.revocation is not None,
        lambda move: move.snapshot.verification is not None and isinstance(move.event, TokenRenewed),
        lambda move: move.now < move.snapshot.now,
    ],
    ids=["a secure logout that waits", "a renewal besides a verification", "a clock that steps back"],
)
def test_rare_meetings_are_drawn(wanted: object) -> None:
    assert callable(wanted)
    assert any(wanted(move) for move in drawn(moves(), 2_000))
