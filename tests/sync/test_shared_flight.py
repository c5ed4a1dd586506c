import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from splus_session import RenewalFailedError, SessionState
from splus_session.ports import Authorization
from splus_session.sync import Session
from splus_session.testing import Endpoint, FakePlatform, ManualClock, faults
from tests.drivers.faces import PATIENCE, Log
from tests.drivers.stage import MONTH, Vouching
from tests.sync.conftest import MakeSession

MANY, THREADS = 10_000, 256


def outcome(session: Session) -> type:
    try:
        return type(session.authorization())
    except Exception as error:
        return type(error)


def count_looks(session: Session) -> Log:
    """Notes everybody who has looked for a header and not found one at once."""
    looks, authorize = Log(), session._engine.authorize

    def look(after: Any = None) -> Any:
        found = authorize(after)
        looks.add(None)
        return found

    session._engine.authorize = look  # type: ignore[method-assign]
    return looks


@pytest.mark.requirement("RENEW-3", "EXPIRE-5")
@pytest.mark.parametrize(
    ("fault", "expected"),
    [(None, Authorization), (faults.drop(), RenewalFailedError), (faults.unauthorized(), RenewalFailedError)],
    ids=["renewed", "away", "refused"],
)
def test_ten_thousand_calls_on_an_expired_token_are_one_renewal_and_share_its_outcome(
    fault: Any, expected: type, make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    handler = Vouching(fake)
    with make(session_handler=handler) as session, ThreadPoolExecutor(THREADS) as pool:
        session.login("ann", auth_token=fake.issue_auth_token("ann"))
        hold = fake.hold(Endpoint.LOGIN)
        if fault is not None:
            fake.mend()
            fake.fail(Endpoint.LOGIN, hold.fault(), fault)
        looks = count_looks(session)
        clock.advance(MONTH)
        calls = [pool.submit(outcome, session) for _ in range(MANY)]
        looks.wait_count(THREADS)
        hold.release()
        assert Counter(call.result(PATIENCE) for call in calls) == {expected: MANY}
        assert len(handler.log) == 1
        assert len(fake.requests_to(Endpoint.LOGIN)) == 2
        assert session._engine._flights == {}
        assert session._engine.snapshot.state is (
            SessionState.ESTABLISHED if fault is None else SessionState.TOKEN_EXPIRED
        )


@pytest.mark.requirement("RENEW-3")
def test_a_flight_is_told_of_its_failure_before_anybody_can_settle_it(
    make: MakeSession, fake: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that commits may be overtaken by the drainer, right after it let go of the lock."""
    with make() as session:
        engine = session._engine
        finish, settled = engine._finish, threading.Event()
        settle = engine.settle

        def late(*arguments: Any) -> None:
            if arguments[1]:
                session._worker.work()
                settled.wait(PATIENCE)
            finish(*arguments)

        def note(attempt: int, error: Any) -> None:
            settle(attempt, error)
            settled.set()

        monkeypatch.setattr(engine, "_finish", late)
        monkeypatch.setattr(engine, "settle", note)
        fake.fail(Endpoint.LOGIN, faults.drop())
        with pytest.raises(Exception, match="did not answer"):
            session.login("ann", auth_token="word")


@pytest.mark.requirement("EXPIRE-4", "RENEW-6")
def test_no_thread_brings_an_older_time_after_a_newer_one(
    make: MakeSession, fake: FakePlatform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    with make(session_handler=Vouching(fake)) as session:
        core = session._engine._core
        receive = type(core).receive

        def noting(self: Any, event: Any, now: float) -> Any:
            seen.append(now)
            return receive(self, event, now)

        monkeypatch.setattr(type(core), "receive", noting)

        def hurry() -> None:
            for _ in range(200):
                clock.advance(0.001)
                session.note_ban("somebody else")

        with ThreadPoolExecutor(8) as pool:
            for work in [pool.submit(hurry) for _ in range(8)]:
                work.result(PATIENCE)
    assert seen == sorted(seen)
    assert len(seen) >= 1600
