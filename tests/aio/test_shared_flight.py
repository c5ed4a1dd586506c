import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from splus_session import RenewalFailedError, SessionState, UnavailableError
from splus_session.aio import Session
from splus_session.ports import Authorization, Renewal
from splus_session.testing import Endpoint, FakePlatform, ManualClock, faults
from tests.aio.conftest import MakeSession

pytestmark = pytest.mark.anyio

MANY = 10_000
MONTH = 30 * 24 * 3600.0


class Vouching:
    """The customer's backend vouches, as often as asked."""

    def __init__(self, fake: FakePlatform) -> None:
        self.fake = fake
        self.asked = 0

    async def session_will_renew_access_token(self, renewal: Renewal) -> None:
        self.asked += 1
        renewal.renew_with_auth_token(self.fake.issue_auth_token("ann"))


async def expire(session: Session, fake: FakePlatform, clock: ManualClock) -> None:
    await session.login("ann", auth_token=fake.issue_auth_token("ann"))
    clock.advance(MONTH)


async def collect(session: Session, outcomes: list[Authorization | Exception]) -> None:
    try:
        outcomes.append(await session.authorization())
    except Exception as error:
        outcomes.append(error)


@pytest.mark.requirement("RENEW-3", "EXPIRE-5")
async def test_ten_thousand_tasks_on_an_expired_token_are_one_renewal(
    make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    handler, outcomes = Vouching(fake), list[Authorization | Exception]()
    async with make(session_handler=handler) as session:
        await expire(session, fake, clock)
        hold = fake.hold(Endpoint.LOGIN)
        async with anyio.create_task_group() as tasks:
            for _ in range(MANY):
                tasks.start_soon(collect, session, outcomes)
            await anyio.wait_all_tasks_blocked()
            assert outcomes == []
            hold.release()
        assert len(outcomes) == MANY
        assert len({id(outcome) for outcome in outcomes}) == 1
        assert isinstance(outcomes[0], Authorization)
        assert handler.asked == 1
        assert len(fake.requests_to(Endpoint.LOGIN)) == 2
        assert session._engine._flights == {}


@pytest.mark.requirement("RENEW-3", "EXPIRE-5")
async def test_ten_thousand_tasks_share_a_failure(
    make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    handler, outcomes = Vouching(fake), list[Authorization | Exception]()
    async with make(session_handler=handler) as session:
        await expire(session, fake, clock)
        hold = fake.hold(Endpoint.LOGIN)
        fake.mend()
        fake.fail(Endpoint.LOGIN, hold.fault(), faults.drop())
        async with anyio.create_task_group() as tasks:
            for _ in range(MANY):
                tasks.start_soon(collect, session, outcomes)
            await anyio.wait_all_tasks_blocked()
            hold.release()
        assert [type(outcome) for outcome in outcomes] == [RenewalFailedError] * MANY
        assert handler.asked == 1
        assert len(fake.requests_to(Endpoint.LOGIN)) == 2
        assert session.state is SessionState.TOKEN_EXPIRED


@pytest.mark.requirement("RENEW-3", "EXPIRE-5")
async def test_cancelling_the_caller_that_leads_harms_nobody(
    make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    handler, outcomes = Vouching(fake), list[Authorization | Exception]()
    leader = anyio.CancelScope()

    async def lead(session: Session) -> None:
        with leader:
            await session.authorization()
            raise AssertionError("it was cancelled")

    async with make(session_handler=handler) as session:
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        session._stop_listening()  # so that it is the first caller who finds out
        clock.advance(MONTH)
        hold = fake.hold(Endpoint.LOGIN)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lead, session)
            await hold.arrived
            for _ in range(100):
                tasks.start_soon(collect, session, outcomes)
            await anyio.wait_all_tasks_blocked()
            leader.cancel()
            await anyio.wait_all_tasks_blocked()
            hold.release()
        assert [type(outcome) for outcome in outcomes] == [Authorization] * 100
        assert handler.asked == 1
        assert len(fake.requests_to(Endpoint.LOGIN)) == 2


@pytest.mark.requirement("RENEW-3")
@pytest.mark.parametrize("fails", [False, True], ids=["renewed", "failed"])
@pytest.mark.parametrize("other", ["asyncio", "trio"])
async def test_callers_in_other_loops_share_the_flight(
    other: str, fails: bool, make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    handler = Vouching(fake)
    async with make(session_handler=handler) as session:
        await expire(session, fake, clock)
        hold = fake.hold(Endpoint.LOGIN)
        if fails:
            fake.mend()
            fake.fail(Endpoint.LOGIN, hold.fault(), faults.drop())
        await anyio.wait_all_tasks_blocked()
        count, done = Counted(session), threading.Event()

        def elsewhere(portal: BlockingPortal) -> "list[Future[Authorization]]":
            return [portal.start_task_soon(session.authorization) for _ in range(500)]

        def work() -> list[type]:
            with start_blocking_portal(other) as one, start_blocking_portal("asyncio") as two:
                calls = elsewhere(one) + elsewhere(two)
                count.wait(1000)
                hold.release()
                return [type(call.exception(20) or call.result()) for call in calls]

        result: list[type] = []

        def run() -> None:
            result.extend(work())
            done.set()

        here: list[Authorization | Exception] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(collect, session, here)
            await anyio.to_thread.run_sync(run)
        expected = RenewalFailedError if fails else Authorization
        assert [*result, type(here[0])] == [expected] * 1001
        assert handler.asked == 1
        assert len(fake.requests_to(Endpoint.LOGIN)) == 2


class Counted:
    """Counts those who have looked for a header and not found one at once."""

    def __init__(self, session: Session) -> None:
        self.count = 0
        self.changed = threading.Condition()
        authorize: Callable[[Any], Any] = session._engine.authorize

        def counted(after: Any = None) -> Any:
            outcome = authorize(after)
            with self.changed:
                self.count += 1
                self.changed.notify_all()
            return outcome

        session._engine.authorize = counted  # type: ignore[method-assign]

    def wait(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, 20)


@pytest.mark.requirement("RENEW-3", "RENEW-9")
async def test_everybody_who_renews_now_shares_one_renewal(
    make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    handler, failures = Vouching(fake), list[Exception]()

    async def renew(session: Session) -> None:
        try:
            await session.renew_now()
        except UnavailableError as error:
            failures.append(error)

    async with make(session_handler=handler) as session:
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        hold = fake.hold(Endpoint.LOGIN)
        fake.mend()
        fake.fail(Endpoint.LOGIN, hold.fault(), faults.drop())
        async with anyio.create_task_group() as tasks:
            for _ in range(1000):
                tasks.start_soon(renew, session)
            await anyio.wait_all_tasks_blocked()
            hold.release()
        assert len(failures) == 1000
        assert handler.asked == 1
