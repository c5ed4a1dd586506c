"""Code that is the app's: in the session's loop if it is async, and never felt by the session."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from splus_session import HookCall, InterruptedByError, SessionState, UnavailableError
from splus_session.aio._foreign import contained, on_thread
from splus_session.ports import Answer, Renewal
from splus_session.testing import Endpoint, FakePlatform, ManualClock
from tests.aio.conftest import MakeSession
from tests.aio.test_cancellation import ThreadedStore


@pytest.mark.anyio
@pytest.mark.requirement("RENEW-4", "RENEW-10")
@pytest.mark.parametrize("kind", ["session", "access token", "plain, gives an awaitable"])
async def test_an_async_handler_is_awaited_in_the_sessions_loop(
    kind: str, make: MakeSession, fake: FakePlatform, clock: ManualClock
) -> None:
    threads: list[int] = []

    class Handler:
        async def session_will_renew_access_token(self, renewal: Renewal) -> None:
            await anyio.lowlevel.checkpoint()
            threads.append(threading.get_ident())
            renewal.renew_with_auth_token(fake.issue_auth_token("ann"))

        async def on_token_renew(self, user_id: str) -> Any:
            await anyio.lowlevel.checkpoint()
            threads.append(threading.get_ident())
            return fake.issue_access_token(user_id)

    class Plain:
        def session_will_renew_access_token(self, renewal: Renewal) -> Any:
            assert threading.get_ident() != here, "it might block, for all the session knows"
            return Handler().session_will_renew_access_token(renewal)

    here = threading.get_ident()
    handler = Plain() if kind.startswith("plain") else Handler()
    async with make(session_handler=handler, access_token_handler=Handler()) as session:
        if kind == "access token":
            await session.login_with_access_token(fake.issue_access_token("ann"))
        else:
            await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        clock.advance(30 * 24 * 3600.0)
        assert (await session.authorization()).header
        assert threads == [here]
        assert len(fake.requests_to(Endpoint.LOGIN, Endpoint.VERIFY)) == 2


@pytest.mark.anyio
@pytest.mark.requirement("HOOK-1", "HOOK-2", "OBSERVE-1")
async def test_callbacks_of_every_shape_run_in_the_sessions_loop(
    make: MakeSession, fake: FakePlatform
) -> None:
    calls: list[tuple[str, int]] = []

    async def in_loop(heard: object) -> None:
        await anyio.lowlevel.checkpoint()
        calls.append(("async", threading.get_ident()))

    def plain(heard: object) -> None:
        calls.append(("plain", threading.get_ident()))

    class Callable:
        async def __call__(self, heard: HookCall) -> None:
            await in_loop(heard)

    async with make(hooks={"on_login": Callable(), "on_logout": plain}) as session:
        session.on_change(in_loop)
        session.on_change(lambda heard: in_loop(heard))
        session.on_change(plain)
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        await session.logout()
    here = threading.get_ident()
    assert sorted(calls) == [("async", here)] * (2 * 4 + 1) + [("plain", here)] * (4 + 1)


# ── Strays: what is cancelled in the app's code is not the session ─────────────────────────────────


async def cancelled_elsewhere(*_: object) -> Any:
    """Awaits something that is cancelled, as an app's own task may be."""
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


def cancelled(*_: object) -> Any:
    """Asks a task for its result, say, that was cancelled."""
    raise asyncio.CancelledError


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("stray", [cancelled_elsewhere, cancelled], ids=["async", "plain"])
@pytest.mark.requirement("HOOK-1", "OBSERVE-2", "RENEW-6")
async def test_a_cancellation_in_the_apps_code_is_an_error_of_that_and_ends_nothing(
    stray: Callable[..., Any],
    make: MakeSession,
    fake: FakePlatform,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Handler:
        session_will_renew_access_token = staticmethod(stray)

    told: list[SessionState] = []
    async with make(hooks={"on_login": stray}, session_handler=Handler()) as session:
        session.on_change(stray)
        session.on_change(lambda change: told.append(change.state))
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        clock.advance(30 * 24 * 3600.0)
        while session._engine.snapshot.retry is None:
            await anyio.lowlevel.checkpoint()
        await session.logout()
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
    assert told[-1] is SessionState.ESTABLISHED
    logged = [record.getMessage() for record in caplog.records]
    assert logged.count("the hook on_login failed") == 2
    assert len([message for message in logged if "observer failed" in message]) == len(told)
    said = (
        "what was called raised CancelledError"
        if stray is cancelled
        else "a task that was waited for was cancelled"
    )
    assert any(
        message.startswith(f"the handler failed to renew: InterruptedByError: {said}") for message in logged
    )


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.requirement("LOGIN-3")
async def test_a_cancellation_in_a_platform_adapter_is_a_failed_request(make: MakeSession) -> None:
    class Adapter:
        async def open_session(self, grant: object, *, device_id: str) -> Answer:
            answer: Answer = await cancelled_elsewhere()
            return answer

    async with make(platform=Adapter()) as session:
        with pytest.raises(UnavailableError):
            await session.login("ann", auth_token="word")


@pytest.mark.anyio
@pytest.mark.requirement("HOOK-1")
async def test_ones_own_cancellation_goes_through(anyio_backend: str) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await contained(anyio.sleep_forever())
    assert scope.cancelled_caught
    if anyio_backend == "asyncio":
        with pytest.raises(InterruptedByError):
            await contained(cancelled_elsewhere())
        task = asyncio.ensure_future(contained(anyio.sleep_forever()))
        await anyio.wait_all_tasks_blocked()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


@pytest.mark.anyio
@pytest.mark.requirement("RENEW-4")
async def test_what_blocks_is_called_on_a_daemon_thread(anyio_backend: str) -> None:
    assert await on_thread(lambda: threading.current_thread().daemon)
    assert await on_thread(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await on_thread(lambda: 1 // 0)


@pytest.mark.anyio
@pytest.mark.requirement("LOGOUT-1", "RENEW-4")
async def test_what_blocks_is_called_in_place_where_no_thread_is_to_be_had(
    make: MakeSession, fake: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, start = ThreadedStore(), threading.Thread.start
    async with make(store=store) as session:
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        [_] = store.tokens
        refused: list[threading.Thread] = []

        def refuse(thread: threading.Thread) -> None:
            if thread.name.startswith("splus-session"):
                refused.append(thread)
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", refuse)
        await session.logout()
        assert len(refused) == 1
        assert store.tokens == []


class Faulty(ManualClock):
    """A clock that raises as often as it is told to."""

    faults = 0

    def now(self) -> float:
        if self.faults:
            self.faults -= 1
            raise ZeroDivisionError
        return super().now()


@pytest.mark.anyio
@pytest.mark.requirement("EXPIRE-4")
async def test_a_clock_that_fails_once_does_not_end_the_apps_block(
    make: MakeSession, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Faulty()
    fake = FakePlatform(clock=clock)
    async with make(clock=clock, platform=fake.async_client()) as session:
        await session.login("ann", auth_token=fake.issue_auth_token("ann"))
        await anyio.wait_all_tasks_blocked()
        clock.faults = 1
        session._engine.poke()
        while clock.faults:
            await anyio.lowlevel.checkpoint()
        clock.advance(31 * 24 * 3600.0)
        async for change in session.changes():
            if change.state is SessionState.TOKEN_EXPIRED:
                break
    assert caplog.text.count("could not look at the time") == 1
