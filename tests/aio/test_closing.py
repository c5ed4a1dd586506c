import asyncio
import gc
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from splus_session import Config, SessionClosed, SessionState
from splus_session._events import Logout
from splus_session.aio import Changes, Session
from splus_session.ports import Renewal
from splus_session.testing import FakePlatform, ManualClock
from tests.aio.conftest import MakeSession
from tests.aio.test_cancellation import HeldStore
from tests.drivers.faces import PATIENCE, on_thread
from tests.processes import output

PROLOGUE = """
import logging, sys, threading, anyio
from splus_session.aio import Session
from splus_session.testing import Endpoint, FakePlatform, ManualClock

clock = ManualClock()
fake = FakePlatform(clock=clock)
backend = sys.argv[1]

def session(**arguments):
    return Session(fake.api_key, platform=fake.async_client(), clock=clock, **arguments)

async def log_in(one):
    await one.login("ann", auth_token=fake.issue_auth_token("ann"))

logging.getLogger("splus_session").setLevel(logging.CRITICAL)
"""


@pytest.mark.requirement("CLIENT-3")
@pytest.mark.parametrize("kind", ["async", "threaded"])
def test_a_handler_that_hangs_does_not_keep_the_process_alive(kind: str, anyio_backend: str) -> None:
    program = """
    asked = threading.Event()

    class Threaded:
        def session_will_renew_access_token(self, renewal):
            asked.set()
            threading.Event().wait()

    class Async:
        async def session_will_renew_access_token(self, renewal):
            asked.set()
            await anyio.sleep_forever()

    async def main():
        async with session(session_handler=Async() if sys.argv[2] == "async" else Threaded()) as one:
            await log_in(one)
            clock.advance(25 * 24 * 3600.0)
            while not asked.is_set():
                await anyio.lowlevel.checkpoint()
        print("closed")

    anyio.run(main, backend=backend)
    print("the end")
    """
    assert output(PROLOGUE + _dedented(program), anyio_backend, kind) == ["closed", "the end"]


@pytest.mark.requirement("CLIENT-3")
def test_a_session_left_open_does_not_keep_the_process_alive() -> None:
    program = """
    async def main():
        one = session()
        await one.__aenter__()
        await log_in(one)
        print(one.state.value)

    anyio.run(main, backend=backend)
    print("the end")
    """
    assert output(PROLOGUE + _dedented(program), "asyncio") == ["established", "the end"]


def _dedented(program: str) -> str:
    return "\n".join(line[4:] for line in program.splitlines())


@pytest.mark.requirement("CLIENT-3", "EXPIRE-5")
def test_when_the_owners_loop_ends_everybody_who_waits_elsewhere_hears_of_it(
    make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    opened, end = threading.Event(), threading.Event()
    session = make(session_handler=Silent())

    async def own() -> None:
        await session.__aenter__()
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        clock.advance(30 * 24 * 3600.0)
        opened.set()
        while not end.is_set():
            await anyio.lowlevel.checkpoint()

    owner = threading.Thread(target=lambda: asyncio.run(own()), daemon=True)
    owner.start()
    assert opened.wait(20)
    with start_blocking_portal("trio") as one, start_blocking_portal("asyncio") as two:
        calls: list[Future[Any]] = [portal.start_task_soon(session.authorization) for portal in (one, two)]
        calls.append(one.start_task_soon(session.renew_now))
        one.call(anyio.wait_all_tasks_blocked)
        two.call(anyio.wait_all_tasks_blocked)
        end.set()
        for call in calls:
            assert isinstance(call.exception(20), SessionClosed)
        assert isinstance(one.start_task_soon(session.logout).exception(20), SessionClosed)
    owner.join(20)


class Silent:
    """A handler that never answers."""

    async def session_will_renew_access_token(self, renewal: Renewal) -> None:
        await anyio.sleep_forever()


@pytest.mark.anyio
@pytest.mark.requirement("CLIENT-3")
async def test_nothing_runs_on_after_the_closing(
    make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    before = {task.id for task in anyio.get_running_tasks()}
    async with make(session_handler=Silent()) as session:
        session.on_change(lambda change: None)
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        clock.advance(30 * 24 * 3600.0)
        await anyio.wait_all_tasks_blocked()
    assert {task.id for task in anyio.get_running_tasks()} == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("splus-session call")]


@pytest.mark.anyio
@pytest.mark.requirement("CLIENT-3", "OBSERVE-2", "HOOK-1")
async def test_a_callback_that_never_ends_is_given_a_bounded_time(
    make: MakeSession, fake: FakePlatform
) -> None:
    began: list[object] = []

    async def hang(heard: object) -> None:
        began.append(heard)
        await anyio.sleep_forever()

    async with make(hooks={"on_login": hang}, config=Config(wait_limit=0.01)) as session:
        session.on_change(hang)
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        await anyio.wait_all_tasks_blocked()
    assert len(began) == 2


@pytest.mark.anyio
@pytest.mark.requirement("CLIENT-3")
async def test_cancelling_the_block_closes_and_is_felt_outside(make: MakeSession, fake: FakePlatform) -> None:
    session = make()
    with anyio.CancelScope() as scope:
        async with session:
            await session.login("ann", auth_token=fake.issue_auth_token("ann"))
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    with pytest.raises(SessionClosed):
        await session.authorization()


class Noting:
    """A platform that is the session's own, so to speak, and notes that it is let go of."""

    def __init__(self, fake: FakePlatform) -> None:
        self._platform = fake.async_client()
        self.open_session = self._platform.open_session
        self.closings = 0

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.closings += 1


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("how", ["timeout", "cancelled", "cancelled thrice"])
@pytest.mark.requirement("CLIENT-3", "LOGOUT-1")
async def test_a_closing_that_is_cancelled_leaves_nothing_behind(
    how: str, make: MakeSession, fake: FakePlatform
) -> None:
    before = {task.id for task in anyio.get_running_tasks()}
    store, platform = HeldStore("delete"), Noting(fake)
    session = make(store=store, platform=None)
    session._http = lambda: platform  # type: ignore[assignment, method-assign, return-value]
    timers: list[asyncio.Timeout] = []
    closing = anyio.Event()

    async def live() -> None:
        async with asyncio.timeout(None) as timer, session:
            timers.append(timer)
            await session.login("ann", auth_token=fake.issue_auth_token("ann"))
            others.append(asyncio.ensure_future(session.logout()))
            others.append(asyncio.ensure_future(all_of(session.changes())))
            await store.began
            closing.set()

    others: list[asyncio.Task[Any]] = []
    task = asyncio.ensure_future(live())
    await closing.wait()
    await anyio.wait_all_tasks_blocked()
    if how == "timeout":
        timers[0].reschedule(0.0)  # long ago
    for _ in range({"timeout": 0, "cancelled": 1, "cancelled thrice": 3}[how]):
        task.cancel()
        await anyio.wait_all_tasks_blocked()
    await anyio.wait_all_tasks_blocked()
    assert not task.done()
    assert platform.closings == 0
    store.go_on.set()
    await asyncio.wait([task, *others], timeout=PATIENCE)
    if how == "timeout":
        assert isinstance(task.exception(), TimeoutError)
    else:
        assert task.cancelled()
    logout, changes = others
    assert changes.result()[-1] is SessionState.NOT_LOGGED_IN, "it is told, and the iteration ends"
    assert logout.result() is None
    assert store.tokens == []
    assert platform.closings == 1
    assert {task.id for task in anyio.get_running_tasks()} == before
    with pytest.raises(SessionClosed):
        await session.authorization()


@pytest.mark.requirement("CLIENT-3", "LOGOUT-1")
def test_a_logout_on_its_way_does_not_keep_a_loop_alive_that_ends(
    make: MakeSession, fake: FakePlatform
) -> None:
    store = HeldStore("delete")
    tasks: list[asyncio.Task[None]] = []

    async def leave_open() -> None:
        session = await make(store=store).__aenter__()
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        tasks.append(asyncio.ensure_future(session.logout()))
        await store.began

    on_thread(lambda: asyncio.run(leave_open())).result(PATIENCE)
    assert tasks[0].cancelled()
    store.go_on.set()


async def all_of(changes: Changes) -> list[SessionState]:
    return [change.state async for change in changes]


@pytest.mark.requirement("CLIENT-3", "OBSERVE-1")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_an_iteration_that_came_through_a_fork_says_so() -> None:
    program = """
    import os
    from splus_session import ForkedSessionError

    async def main():
        one = await session().__aenter__()
        return one.changes()

    async def first_of(changes):
        try:
            print((await anext(changes)).state.value, flush=True)
        except ForkedSessionError:
            print("refused", flush=True)

    changes = anyio.run(main, backend=backend)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    anyio.run(first_of, changes, backend=backend)
    """
    assert output(PROLOGUE + _dedented(program), "asyncio") == ["refused", "notLoggedIn"]


@pytest.mark.requirement("CLIENT-3")
def test_a_loop_that_ends_leaves_nothing_begun_and_never_run(
    make: MakeSession, fake: FakePlatform, clock: ManualClock, recwarn: pytest.WarningsRecorder
) -> None:
    """At whatever turn of the loop its end comes after something was commanded."""

    async def own(turns: int) -> None:
        session = make(session_handler=Silent())
        await session.__aenter__()
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        clock.advance(25 * 24 * 3600.0)  # so that the handler is asked
        for _ in range(turns):
            await asyncio.sleep(0)

    for turns in range(8):
        asyncio.run(own(turns))
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.requirement("CLIENT-3")
@pytest.mark.parametrize("how", ["left", "left open"])
def test_a_loop_that_ends_while_a_session_is_opened_does_end_and_nobody_waits_elsewhere(
    how: str, make: MakeSession, recwarn: pytest.WarningsRecorder
) -> None:
    """At whatever turn of the opening its end comes: asyncio cancels tasks that have not begun, too."""
    opened: list[Session] = []

    async def live(gate: asyncio.Event) -> None:
        await gate.wait()
        session = make()
        if how == "left open":
            opened.append(await session.__aenter__())
        else:
            async with session:
                opened.append(session)
                await asyncio.sleep(PATIENCE)

    async def end_in(turns: int) -> None:
        gate = asyncio.Event()
        tasks.append(asyncio.ensure_future(live(gate)))
        await asyncio.sleep(0)
        gate.set()
        for _ in range(turns):
            await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    for turns in range(6):
        on_thread(partial(asyncio.run, end_in(turns))).result(PATIENCE)
    assert opened
    for session in opened:
        with pytest.raises(SessionClosed):
            on_thread(partial(asyncio.run, session.logout())).result(PATIENCE)
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


CALLS: dict[str, Callable[[Session], Awaitable[Any]]] = {
    "authorization": Session.authorization,
    "logout": Session.logout,
    "secure_logout": Session.secure_logout,
    "renew_now": Session.renew_now,
    "login_as_bot": Session.login_as_bot,
    "report_rejected": lambda session: session.report_rejected(1),
    "report_banned": lambda session: session.report_banned(1),
}


def deserting(session: Session, fake: FakePlatform) -> asyncio.AbstractEventLoop:
    """A loop that has opened the session and stands still, to be closed with its tasks as they are."""
    loop = asyncio.new_event_loop()

    async def leave_open() -> None:
        await session.__aenter__()
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))

    loop.run_until_complete(leave_open())
    return loop


@pytest.mark.requirement("CLIENT-3", "EXPIRE-5")
@pytest.mark.parametrize("when", ["before", "meanwhile"])
@pytest.mark.parametrize("call", CALLS)
def test_when_the_owners_loop_is_closed_with_its_tasks_as_they_are_nobody_waits_elsewhere(
    call: str, when: str, make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    session = make(session_handler=Silent(), config=Config(recheck=0.01))
    loop = deserting(session, fake)
    with start_blocking_portal("trio") as elsewhere:
        if when == "meanwhile":
            if call in ("authorization", "renew_now", "report_rejected"):
                clock.advance(25 * 24 * 3600.0)  # a renewal is in flight, and will be
            if call == "authorization":
                clock.advance(5 * 24 * 3600.0)
            if call == "login_as_bot":
                session._engine.post(Logout())
            called = elsewhere.start_task_soon(CALLS[call], session)
            elsewhere.call(anyio.wait_all_tasks_blocked)
            assert not called.done()
            loop.close()
        else:
            loop.close()
            called = elsewhere.start_task_soon(CALLS[call], session)
        if when == "meanwhile" and call.startswith("report"):
            assert called.result(PATIENCE) is None, "it only returns when there is no more to wait for"
        else:
            assert isinstance(called.exception(PATIENCE), SessionClosed)
        heard = elsewhere.start_task_soon(all_of, session.changes()).result(PATIENCE)
        assert heard[-1:] == [session.state], "and it ends"
