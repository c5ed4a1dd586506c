"""Code that is the app's: plain functions, each on a thread that comes and goes."""

import sys
import threading
from functools import partial
from typing import Any

import pytest

from splus_session import Change, HookCall, InvalidHandlerError, UnavailableError
from splus_session._credentials import Grant
from splus_session.ports import Answer, Renewal
from splus_session.sync._threads import Series
from splus_session.testing import FakePlatform
from tests.drivers.faces import PATIENCE, Log, on_thread
from tests.sync.conftest import MakeSession


class AsyncHandler:
    """What a threaded session has no loop for."""

    async def session_will_renew_access_token(self, renewal: Renewal) -> None:
        raise AssertionError

    async def on_token_renew(self, user_id: str) -> str:
        raise AssertionError


async def async_callback(heard: object) -> None:
    raise AssertionError


class AsyncCallable:
    async def __call__(self, heard: object) -> None:
        raise AssertionError


@pytest.mark.requirement("HOOK-2", "HANDLER-2")
@pytest.mark.parametrize(
    "arguments",
    [
        {"hooks": {"on_login": async_callback}},
        {"hooks": {"on_ban": AsyncCallable()}},
        {"session_handler": AsyncHandler()},
        {"access_token_handler": AsyncHandler()},
    ],
    ids=["function", "callable", "session handler", "access token handler"],
)
def test_async_code_is_refused_when_the_session_is_made(arguments: dict[str, Any], make: MakeSession) -> None:
    with pytest.raises(InvalidHandlerError, match="async"):
        make(**arguments)


@pytest.mark.requirement("HANDLER-2", "OBSERVE-1")
def test_async_code_is_refused_later_too(make: MakeSession, fake: FakePlatform) -> None:
    with make() as session:
        for setter in (session.set_session_handler, session.set_access_token_handler):
            with pytest.raises(InvalidHandlerError, match="async"):
                setter(AsyncHandler())
        with pytest.raises(InvalidHandlerError, match="async"):
            session.on_change(async_callback)
        with pytest.raises(InvalidHandlerError, match="async"):
            session.login("ann", auth_token="word", session_handler=AsyncHandler())
    assert fake.requests == ()


@pytest.mark.requirement("HOOK-1", "OBSERVE-1", "CLIENT-3")
def test_callbacks_run_on_daemon_threads_and_not_on_the_callers(
    make: MakeSession, fake: FakePlatform
) -> None:
    threads = Log()

    def note(heard: object) -> None:
        threads.add(threading.current_thread())

    with make(hooks={"on_login": note}) as session:
        session.on_change(note)
        session.login("ann", auth_token=fake.issue_auth_token("ann"))
        threads.wait_count(4)
    assert all(thread.daemon and thread is not threading.current_thread() for thread in threads)
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.requirement("HOOK-1", "OBSERVE-2")
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, pytest.fail.Exception])
def test_a_callback_that_wants_to_end_the_program_ends_no_more_than_its_call(
    error: type[BaseException], make: MakeSession, fake: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    heard, hooked = Log(), Log()

    def observe(change: Change) -> None:
        heard.add(change.state)
        raise error

    def hook(call: HookCall) -> None:
        hooked.add(call.hook)
        raise error

    with make(hooks={"on_login": hook, "on_logout": hook}) as session:
        session.on_change(observe)
        session.login("ann", auth_token=fake.issue_auth_token("ann"))
        session.logout()
        heard.wait_count(4)
        hooked.wait_count(2)
    logged = [record.getMessage() for record in caplog.records if "failed" in record.getMessage()]
    assert len(logged) == 6


@pytest.mark.requirement("HOOK-1", "OBSERVE-2")
def test_a_job_that_wants_to_end_the_program_ends_no_series() -> None:
    series, done = Series("test"), Log()
    series.submit(partial(sys.exit, "a job"))
    series.submit(lambda: done.add("the next"))
    done.wait_count(1)


@pytest.mark.requirement("LOGIN-3")
def test_a_platform_that_wants_to_end_the_program_is_one_that_does_not_answer(make: MakeSession) -> None:
    class Exiting:
        def open_session(self, grant: Grant, *, device_id: str) -> Answer:
            sys.exit("a library that takes itself for the program")

        verify = revoke = close = None

    def live() -> None:
        with make(platform=Exiting(), development=True) as session, pytest.raises(UnavailableError):
            session.login("ann")

    on_thread(live).result(PATIENCE)
