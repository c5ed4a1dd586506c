"""Interrupted at every wait (Ctrl-C in the main thread), a call leaves all in order."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from splus_session import Config, SessionState
from splus_session.stores import MemoryStore
from splus_session.sync import Session
from splus_session.sync._signal import Signal
from splus_session.testing import Endpoint, FakePlatform, ManualClock
from tests.drivers.faces import PATIENCE, Log
from tests.drivers.stage import MONTH, Vouching
from tests.sync.conftest import MakeSession


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Have this thread interrupted when it begins to wait for the so-and-so-many-th time."""
    listen, here, count = Signal.listen, threading.get_ident(), [0]

    def arm(at: int) -> list[int]:
        def listening(signal: Signal) -> threading.Event:
            if threading.get_ident() == here:
                count[0] += 1
                if count[0] == at + 1:
                    raise KeyboardInterrupt
            return listen(signal)

        monkeypatch.setattr(Signal, "listen", listening)
        return count

    return arm


def log_in(session: Session, fake: FakePlatform) -> None:
    session.login("ann", auth_token=fake.issue_auth_token("ann"))


CALLS: dict[str, tuple[Endpoint | None, SessionState]] = {
    # What holds the call up, and where the session is once all is done.
    "login": (Endpoint.LOGIN, SessionState.NOT_LOGGED_IN),
    "logout": (None, SessionState.NOT_LOGGED_IN),
    "secure_logout": (Endpoint.REVOKE, SessionState.NOT_LOGGED_IN),
    "renew_now": (Endpoint.LOGIN, SessionState.ESTABLISHED),
    "authorization": (Endpoint.LOGIN, SessionState.ESTABLISHED),
}


@pytest.mark.requirement("LOGIN-9", "EXPIRE-5", "LOGOUT-1", "LOGOUT-4")
@pytest.mark.parametrize("method", CALLS)
def test_an_interrupted_call_leaves_all_in_order(
    method: str,
    make: MakeSession,
    fake: FakePlatform,
    clock: ManualClock,
    interrupt: Callable[[int], list[int]],
) -> None:
    endpoint, ends_in = CALLS[method]
    store, moves = MemoryStore(), Log()
    with make(store=store, session_handler=Vouching(fake), config=Config(jitter=0.0)) as session:
        settle_notes(session, moves)
        if method != "login":
            log_in(session, fake)
        hold = None if endpoint is None else fake.hold(endpoint)
        if method == "authorization":
            clock.advance(MONTH)
        interrupt(0)
        arguments = (
            {"user_id": "ann", "auth_token": fake.issue_auth_token("ann")} if method == "login" else {}
        )
        with pytest.raises(KeyboardInterrupt):
            getattr(session, method)(**arguments)
        if method == "login":
            assert session._engine.snapshot.state is SessionState.NOT_LOGGED_IN, "at once"
        if hold is not None:
            hold.release()
        engine = session._engine
        moves.wait_for(
            lambda: (
                session.state is engine.snapshot.state is ends_in
                and not engine._flights
                and engine.snapshot.renewal is None
            ),
            "everything to end",
        )
        assert len(store._records) == (ends_in is SessionState.ESTABLISHED)
        session.logout()
        log_in(session, fake)
        assert session.authorization().header
        session.secure_logout()
        assert store._records == {}


def settle_notes(session: Session, moves: Log) -> None:
    """Notes when something ended, or was told."""
    engine, observers = session._engine, session._observers
    settle, announce = engine.settle, observers.announce

    def settling(attempt: int, error: Any) -> None:
        settle(attempt, error)
        moves.notify()

    def announcing(change: Any) -> None:
        announce(change)
        moves.notify()

    engine.settle = settling  # type: ignore[method-assign]
    observers.announce = announcing  # type: ignore[method-assign]


@pytest.mark.requirement("LOGIN-9", "LOGIN-6")
def test_the_late_token_of_an_interrupted_login_is_revoked(
    make: MakeSession, fake: FakePlatform, interrupt: Callable[[int], list[int]]
) -> None:
    revoked = fake.hold(Endpoint.REVOKE, carried_out=True)
    with make() as session:
        hold = fake.hold(Endpoint.LOGIN, carried_out=True)
        interrupt(0)
        with pytest.raises(KeyboardInterrupt):
            log_in(session, fake)
        hold.release()
        revoked.arrived.wait(PATIENCE)
        revoked.release()
    assert [token.voided for token in fake.tokens_of("ann")] == [True]


@pytest.mark.requirement("CLIENT-3", "RESUME-1")
def test_an_interrupted_opening_closes_and_loses_nothing(
    make: MakeSession, fake: FakePlatform, interrupt: Callable[[int], list[int]]
) -> None:
    store = MemoryStore()
    with make(store=store) as session:
        log_in(session, fake)
    interrupt(0)
    with pytest.raises(KeyboardInterrupt), make(store=store):
        pass
    with make(store=store) as session:
        assert session.state is SessionState.ESTABLISHED
