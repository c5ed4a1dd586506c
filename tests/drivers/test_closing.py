import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from splus_session import Change, HookCall, NotAllowedError, SessionClosed, SessionState
from splus_session._credentials import Record
from splus_session.stores import MemoryStore
from splus_session.testing import Endpoint, FakePlatform
from tests.drivers.conftest import OpenStage
from tests.drivers.faces import PATIENCE, Face, Log, on_thread
from tests.drivers.held import Asking
from tests.drivers.stage import DUE, HOOKS, Asked, Vouching
from tests.processes import output

CALLS = {
    "login": ("ann",),
    "login_as_visitor": (),
    "login_as_bot": (),
    "logout": (),
    "secure_logout": (),
    "renew_now": (),
    "authorization": (),
    "report_rejected": (1,),
    "report_banned": (1,),
}


@pytest.mark.requirement("CLIENT-3")
def test_closing_is_not_logout(fake: FakePlatform, stage: OpenStage) -> None:
    store = MemoryStore()
    s = stage(store=store)
    s.log_in()
    s.heard(SessionState.ESTABLISHED)
    s.close()
    assert len(s.changes) == 3, "no state is told"
    assert s.state is SessionState.ESTABLISHED
    assert len(store._records) == 1
    assert not fake.tokens_of("ann")[0].voided
    assert stage(store=store).state is SessionState.ESTABLISHED


@pytest.mark.requirement("CLIENT-3")
@pytest.mark.parametrize("call", CALLS)
def test_a_session_that_is_not_open_is_of_no_use(call: str, stage: OpenStage, face: Face) -> None:
    s = stage(development=True)
    s.log_in()
    s.close()
    assert isinstance(s.failure(s.start(call, *CALLS[call])), SessionClosed)
    assert s.session._engine.live is None
    unopened = face.make(api_key="key", development=True)
    assert isinstance(face.start(unopened, call, *CALLS[call]).exception(PATIENCE), SessionClosed)


@pytest.mark.requirement("CLIENT-3")
def test_a_session_is_opened_once(face: Face, stage: OpenStage) -> None:
    s = stage()
    with pytest.raises(SessionClosed), face.open(s.session):
        pass
    s.log_in()
    s.close()
    with pytest.raises(SessionClosed), face.open(s.session):
        pass


@pytest.mark.requirement("CLIENT-3", "EXPIRE-5")
def test_everybody_who_waits_hears_of_the_closing(fake: FakePlatform, stage: OpenStage) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    s.log_in()
    s.expire()
    handler.log.wait_count(1)
    calls = [s.start("authorization") for _ in range(3)] + [s.start("renew_now")]
    s.until(lambda: s.moves.count("authorize") >= 3 and "RenewNow" in s.moves)
    hold = fake.hold(Endpoint.REVOKE)
    other = stage()
    other.log_in("bob")
    revoking = other.start("secure_logout")
    hold.arrived.wait()
    s.close()
    other.close()
    for call in [*calls, revoking]:
        assert isinstance(s.failure(call), SessionClosed)
    hold.release()


@pytest.mark.requirement("CLIENT-3")
def test_timers_end_with_the_closing(fake: FakePlatform, stage: OpenStage) -> None:
    handler = Vouching(fake)
    s = stage(session_handler=handler)
    s.log_in()
    s.close()
    s.clock.advance(DUE)
    s.clock.advance(DUE)
    assert s.session._engine.tick() is None
    assert handler.log == []
    assert len(fake.requests) == 1


@pytest.mark.requirement("CLIENT-3", "LOGIN-6")
def test_answers_that_come_after_the_closing_are_let_go(fake: FakePlatform, stage: OpenStage) -> None:
    store = MemoryStore()
    s = stage(store=store)
    hold = fake.hold(Endpoint.LOGIN, carried_out=True)
    login = s.start("login", "ann", auth_token=fake.issue_auth_token("ann"))
    hold.arrived.wait()
    s.close()
    hold.release()
    assert isinstance(s.failure(login), SessionClosed)
    assert s.session._engine.snapshot.credential is None
    assert store._records == {}


@pytest.mark.requirement("LOGIN-6", "CLIENT-3")
@pytest.mark.parametrize("how", ["login", "renewal"])
def test_the_token_of_an_answer_that_comes_while_the_session_closes_is_revoked(
    how: str, fake: FakePlatform, stage: OpenStage
) -> None:
    s = stage(session_handler=Vouching(fake))
    if how == "renewal":
        s.log_in()
    hold = fake.hold(Endpoint.LOGIN, carried_out=True)
    asked = (
        s.start("login", "ann", auth_token=fake.issue_auth_token("ann"))
        if how == "login"
        else s.start("renew_now")
    )
    hold.arrived.wait()
    revoked = fake.hold(Endpoint.REVOKE)
    stop = s.session._worker.stop

    def answered() -> Any:
        hold.release()
        revoked.arrived.wait()
        revoked.release()
        return stop()

    async def answered_in_the_loop() -> None:
        hold.release()
        await revoked.arrived
        revoked.release()
        await stop()

    s.session._worker.stop = answered if s.face.name == "sync" else answered_in_the_loop
    on_thread(s.close).result(PATIENCE)
    assert isinstance(s.failure(asked), SessionClosed)
    on_thread(lambda: until_voided(fake)).result(PATIENCE)


def until_voided(fake: FakePlatform) -> None:
    """Wait until the newest of ann's tokens is void."""
    while not fake.tokens_of("ann")[-1].voided:
        time.sleep(0.001)


@pytest.mark.requirement("CLIENT-3")
def test_an_error_in_the_block_comes_out_as_it_is(face: Face, fake: FakePlatform) -> None:
    session = face.make(api_key="key", platform=face.platform(fake))
    with pytest.raises(ZeroDivisionError), face.open(session):
        raise ZeroDivisionError


@pytest.mark.requirement("CLIENT-3", "HANDLER-1")
def test_a_handler_that_hangs_does_not_hold_up_the_closing(fake: FakePlatform, stage: OpenStage) -> None:
    hanging = threading.Event()
    handler = Asked(lambda renewal: hanging.wait(20))
    s = stage(session_handler=handler)
    s.log_in()
    s.expire()
    handler.log.wait_count(1)
    s.close()
    assert not hanging.is_set()
    hanging.set()


@pytest.mark.requirement("CLIENT-2")
def test_two_sessions_share_nothing(fake: FakePlatform, stage: OpenStage) -> None:
    first, second = stage(), stage()
    first.log_in("ann")
    assert second.session.user_id is None
    second.log_in("bob")
    fake.ban("ann")
    first.call("report_banned", first.call("authorization").attempt)
    first.heard(SessionState.TERMINATED)
    assert second.state is SessionState.ESTABLISHED
    assert first.session.device_id != second.session.device_id
    first.close()
    assert second.call("authorization").header
    assert isinstance(second.failure(second.start("login", "ann")), NotAllowedError)
    assert [call.hook for call in second.hooks] == ["on_login"]


@pytest.mark.requirement("HOOK-1", "CLIENT-3")
@pytest.mark.parametrize("ended_by", ["ban", "logout"])
def test_hooks_that_are_owed_run_before_the_block_is_left(
    ended_by: str, face: Face, fake: FakePlatform, stage: OpenStage
) -> None:
    run, holds = Log(), {"on_login": Asking(None)}

    def slow(call: HookCall) -> None:
        if call.hook in holds:
            holds[call.hook].wait()
        run.add(call.hook)

    async def slow_in_loop(call: HookCall) -> None:
        if call.hook in holds:
            await holds[call.hook].wait_async()
        run.add(call.hook)

    s = stage(hooks=dict.fromkeys(HOOKS, slow if face.name == "sync" else slow_in_loop))
    s.log_in()
    if ended_by == "logout":
        s.call("logout")
    else:
        s.call("report_banned", s.call("authorization").attempt)
    closing = on_thread(s.close)
    with pytest.raises(TimeoutError):
        closing.result(0.05)
    assert run == []
    holds["on_login"].answer(None)
    closing.result(PATIENCE)
    assert run == ["on_login", f"on_{ended_by}"]


@pytest.mark.requirement("HOOK-1", "CLIENT-3")
def test_hooks_of_what_is_still_being_stored_run_before_the_block_is_left(
    face: Face, fake: FakePlatform, stage: OpenStage
) -> None:
    run, saving, closing_began = Log(), threading.Event(), threading.Event()

    class Slow:
        def load(self, key: str) -> Record | None:
            return None

        def save(self, key: str, record: Record) -> None:
            saving.set()
            closing_began.wait(PATIENCE)

        def delete(self, key: str) -> None:
            run.wait_count(1)

        def device_id(self, make: Callable[[], str]) -> str:
            return make()

    hook = face.callback(lambda call: run.add(call.hook))
    s = stage(store=Slow(), hooks=dict.fromkeys(HOOKS, hook))
    login = s.start("login", "ann", auth_token=fake.issue_auth_token("ann"))
    assert saving.wait(PATIENCE)
    logout = s.start("logout")
    s.until(lambda: "Logout" in s.moves)
    stop = s.session._worker.stop

    def stopping() -> Any:
        closing_began.set()
        return stop()

    s.session._worker.stop = stopping
    s.close()
    assert run == ["on_login", "on_logout"]
    logout.result(PATIENCE)
    assert isinstance(s.failure(login), SessionClosed)


@pytest.mark.requirement("HOOK-1", "OBSERVE-3", "CLIENT-3")
@pytest.mark.parametrize("by", ["hook", "observer"])
def test_a_callback_that_calls_a_session_that_is_being_closed_is_refused_and_holds_up_nobody(
    by: str, face: Face, stage: OpenStage
) -> None:
    refused, go_on = Log(), Asking(None)

    def late(heard: HookCall | Change) -> None:
        if heard.state is SessionState.ESTABLISHED:
            go_on.wait()
            try:
                s.session.logout()
            except SessionClosed:
                refused.add(heard)

    async def late_in_loop(heard: HookCall | Change) -> None:
        if heard.state is SessionState.ESTABLISHED:
            await go_on.wait_async()
            try:
                await s.session.logout()
            except SessionClosed:
                refused.add(heard)

    callback = late if face.name == "sync" else late_in_loop
    s = stage(hooks={"on_login": callback} if by == "hook" else {})
    if by == "observer":
        s.session.on_change(callback)
    s.log_in()
    changes = s.session.changes()
    closing = on_thread(s.close)
    with contextlib.suppress(StopIteration):
        while True:
            face.next_change(changes)
    go_on.answer(None)
    closing.result(PATIENCE)
    assert len(refused) == 1


@pytest.mark.requirement("CLIENT-3")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.parametrize("name", ["asyncio", "trio", "sync"])
def test_a_session_made_before_a_fork_is_not_opened_in_the_child(name: str) -> None:
    program = """
    import os, sys
    from splus_session import ForkedSessionError
    from splus_session.testing import FakePlatform
    from tests.drivers.faces import face_of

    fake = FakePlatform()
    with face_of(sys.argv[1]) as face:
        session = face.make(api_key=fake.api_key, platform=face.platform(fake))
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    with face_of(sys.argv[1]) as face:
        try:
            with face.open(session):
                print("opened", flush=True)
        except ForkedSessionError:
            print("refused", flush=True)
    """
    assert output(program, name) == ["refused", "opened"]
