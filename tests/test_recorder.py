"""A flight recorder keeps what happened, and nothing secret of it."""

import enum
import threading
from collections.abc import Iterator
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given

from splus_session import (
    HOOKS,
    LIFECYCLE,
    AccessToken,
    Command,
    Config,
    Credential,
    Event,
    Failure,
    InvalidArgumentError,
    Login,
    Logout,
    RecordedStep,
    Recorder,
    RenewNow,
    ServerClock,
    SessionCore,
    SessionOpened,
    Step,
    event_name,
    step,
)
from splus_session.testing.strategies import Move, moves


def step_of(move: Move) -> Step:
    return step(move.snapshot, move.event, move.now)


def within(value: object) -> Iterator[object]:
    """All that is held by a value, however deep."""
    yield value
    if isinstance(value, tuple):
        for part in value:
            yield from within(part)
    elif isinstance(value, Failure):
        for field in attrs.fields(Failure):
            yield from within(getattr(value, field.name))


@given(moves())
def test_what_is_kept_says_what_the_step_did(move: Move) -> None:
    recorder, taken = Recorder(), step_of(move)
    recorder.note([taken])
    [entry] = recorder.entries
    assert entry.event == event_name(taken.event)
    assert (entry.before, entry.after, entry.at) == (taken.before.state, taken.after.state, taken.after.now)
    assert entry.dropped == taken.dropped
    assert [asked.command for asked in entry.commands] == [type(each).__name__ for each in taken.commands]
    for asked, command in zip(entry.commands, taken.commands, strict=True):
        assert asked.attempt == getattr(command, "attempt", None)
        assert asked.failure == getattr(command, "failure", None)


VOCABULARY = {
    *(event_name(event) for event in get_args(Event)),
    *(command.__name__ for command in get_args(Command)),
    *HOOKS,
    *(str(guard) for row in LIFECYCLE for guard in row.guards),
    "not_allowed",
    "store",
    "delete",
}


@pytest.mark.requirement("SECRET-1", "LOGOUT-2")
@given(moves())
def test_nothing_that_is_kept_is_secret_or_tells_of_the_user(move: Move) -> None:
    recorder = Recorder()
    recorder.note([step_of(move)])
    for held in within(recorder.entries):
        assert isinstance(held, RecordedStep | tuple | int | float | str | enum.Enum | Failure | None), held
        assert not isinstance(held, str) or held in VOCABULARY


def test_it_keeps_the_last_steps_and_counts_them_all() -> None:
    core, recorder = SessionCore(), Recorder(3)
    for now in range(5):
        recorder.note(core.receive(RenewNow() if now % 2 else Logout(), float(now)))
    assert [entry.at for entry in recorder.entries] == [2.0, 3.0, 4.0]
    assert recorder.noted == 5
    assert repr(recorder) == "<Recorder of 5 steps>"
    recorder.clear()
    assert recorder.entries == ()


def test_a_request_that_begins_an_attempt_is_kept_with_its_number() -> None:
    core, recorder = SessionCore(Config(development=True)), Recorder()
    recorder.note(core.receive(Login("ann"), 0.0))
    recorder.note(core.receive(Login("ann"), 0.0))
    began, refused = recorder.entries
    assert (began.attempt, began.dropped) == (1, None)
    assert (refused.attempt, refused.dropped) == (None, "not_allowed")


def test_a_tokens_expiry_is_kept_by_our_clock() -> None:
    core, recorder = SessionCore(Config(development=True)), Recorder()
    core.receive(Login("ann"), 1000.0)
    credential = Credential(AccessToken("token"), "ann", issued_at=4000.0, expires_at=7600.0)
    opened = SessionOpened(credential, attempt=1, clock=ServerClock(4000.0, 1000.0))
    recorder.note(core.receive(opened, 1000.0))
    assert recorder.entries[0].expires_at == pytest.approx(4600.0, abs=1.0)


def test_it_may_be_read_while_it_is_written() -> None:
    core, recorder, read = SessionCore(), Recorder(50), 0
    steps = core.receive(RenewNow(), 0.0)
    done = threading.Event()

    def write() -> None:
        for _ in range(20_000):
            recorder.note(steps)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        read += len(recorder.entries) > 0
    writer.join()
    assert read
    assert recorder.noted == 20_000


@pytest.mark.parametrize("size", [0, -1, 1.5, "3", True, 10**30])
def test_a_size_that_is_none_is_refused(size: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="at least one step, and not"):
        Recorder(size)
