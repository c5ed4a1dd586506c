import logging
import threading
from concurrent.futures import Future
from typing import Any

import anyio.lowlevel
import pytest

from splus_session import (
    Change,
    ChangeReason,
    HookCall,
    InterruptedByError,
    InvalidHandlerError,
    SessionClosed,
    SessionState,
    TerminationReason,
)
from splus_session._observers import CAPACITY, Mailbox, Observers
from splus_session.stores import MemoryStore
from splus_session.sync._signal import Signal
from splus_session.testing import Endpoint, FakePlatform
from tests.drivers.conftest import OpenStage
from tests.drivers.faces import PATIENCE, Face, Log
from tests.drivers.stage import HOOKS, Vouching

CYCLE = [SessionState.ESTABLISHING, SessionState.ESTABLISHED, SessionState.NOT_LOGGED_IN]


@pytest.mark.requirement("OBSERVE-1", "OBSERVE-4")
def test_an_observer_hears_where_it_is_first_and_then_every_change_once_and_in_order(
    stage: OpenStage,
) -> None:
    s = stage()
    s.log_in()
    late = Log()
    s.session.on_change(late.add)
    late.wait_count(1)
    assert late[0].state is SessionState.ESTABLISHED
    s.call("logout")
    for _ in range(20):
        s.log_in()
        s.call("logout")
    s.changes.wait_count(1 + 21 * 3)
    late.wait_count(1 + 1 + 20 * 3)
    assert s.states == [SessionState.NOT_LOGGED_IN, *CYCLE * 21]
    assert [change.state for change in late] == s.states[2:]
    assert list(late) == s.changes[2:]
    assert [change.previous for change in s.changes[1:]] == s.states[:-1]
    assert s.changes[0].reason is ChangeReason.STARTED


@pytest.mark.requirement("OBSERVE-1", "CLIENT-3")
def test_changes_can_be_iterated_over_until_the_session_is_closed(face: Face, stage: OpenStage) -> None:
    s = stage()
    changes = s.session.changes()
    s.log_in()
    heard = [face.next_change(changes).state for _ in range(3)]
    waiting = Log()
    threading.Thread(target=lambda: waiting.add(face.next_change(changes)), daemon=True).start()
    s.call("logout")
    waiting.wait_count(1)
    assert [*heard, waiting[0].state] == [SessionState.NOT_LOGGED_IN, *CYCLE]
    s.log_in()
    s.close()
    assert [face.next_change(changes).state for _ in range(2)] == CYCLE[:2], "the rest is heard"
    with pytest.raises(StopIteration):
        face.next_change(changes)
    late = s.session.changes()
    assert face.next_change(late).state is SessionState.ESTABLISHED
    with pytest.raises(StopIteration):
        face.next_change(late)


@pytest.mark.requirement("OBSERVE-1", "CLIENT-3")
def test_an_iteration_that_waits_ends_with_the_session(face: Face, stage: OpenStage) -> None:
    s = stage()
    changes = s.session.changes()
    face.next_change(changes)
    ended: Future[bool] = Future()

    def wait() -> None:
        try:
            face.next_change(changes)
        except StopIteration:
            ended.set_result(True)

    threading.Thread(target=wait, daemon=True).start()
    s.close()
    assert ended.result(PATIENCE)


@pytest.mark.requirement("OBSERVE-2")
def test_an_observer_that_raises_is_logged_and_goes_on(
    stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    s = stage()
    heard = Log()

    def failing(change: Change) -> None:
        heard.add(change)
        raise ZeroDivisionError

    s.session.on_change(failing)
    s.session.on_change(s.face.callback(failing))
    s.log_in()
    s.changes.wait_count(3)
    heard.wait_count(6)
    s.close()
    logged = [record for record in caplog.records if "observer failed" in record.getMessage()]
    assert len(logged) == 6
    assert {record.levelno for record in logged} == {logging.ERROR}


@pytest.mark.requirement("OBSERVE-2", "OBSERVE-3")
def test_an_observer_that_hangs_holds_up_nobody(face: Face, stage: OpenStage) -> None:
    s = stage()
    hanging = threading.Event()
    stuck = Log()

    def hang(change: Change) -> None:
        stuck.add(change)
        hanging.wait(PATIENCE)

    async def hang_in_loop(change: Change) -> None:
        stuck.add(change)
        while not hanging.is_set():
            await anyio.lowlevel.checkpoint()

    s.session.on_change(hang if face.name == "sync" else hang_in_loop)
    stuck.wait_count(1)
    for _ in range(3):
        s.log_in()
        s.call("logout")
    s.changes.wait_count(10)
    assert len(stuck) == 1
    hanging.set()
    stuck.wait_count(10)
    assert list(stuck) == list(s.changes), "and it hears everything in the end"


@pytest.mark.requirement("OBSERVE-2")
def test_an_observer_too_far_behind_is_dropped_and_that_is_logged(
    face: Face, stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    s = stage()
    changes = s.session.changes()
    change = face.next_change(changes)
    announce = s.session._observers.announce
    told = [
        Change(SessionState.ESTABLISHED, None, ChangeReason.LOGGED_IN, float(i)) for i in range(CAPACITY + 1)
    ]
    for number, each in enumerate(told[:-1], start=2):
        announce(each)
        if number % 100 == 0:
            s.changes.wait_count(number)  # this one keeps up
    assert "dropped" not in caplog.text
    s.changes.wait_count(CAPACITY + 1)
    announce(told[-1])
    announce(change)
    assert caplog.text.count("was dropped") == 1
    heard = [changes._mailbox.take() for _ in range(CAPACITY - 1)]
    assert heard == told[: CAPACITY - 1]
    assert face.next_change(changes) == told[CAPACITY - 1]
    for _ in range(2):
        with pytest.raises(InterruptedByError, match="behind"):
            face.next_change(changes)
    s.log_in()
    assert s.heard(SessionState.ESTABLISHED)


@pytest.mark.requirement("OBSERVE-2")
def test_the_last_change_that_fits_drops_nobody() -> None:
    observers: Observers[Signal] = Observers(Signal, 0.0)
    mailbox = observers.add()
    for _ in range(CAPACITY - 1):
        observers.announce(observers.last)
    assert not mailbox.overflowed
    observers.announce(observers.last)
    assert mailbox.overflowed


@pytest.mark.requirement("OBSERVE-2", "OBSERVE-3")
def test_nobody_is_woken_while_a_lock_is_held() -> None:
    """A signal may, at worst, call the observer at once; it must be able to call back."""
    observers: Observers[Any] = Observers(Signal, 0.0)
    seen: list[Change] = []

    class Impatient(Signal):
        def fire(self) -> None:
            if mailboxes:
                while (change := mailboxes[0].take()) is not None:
                    seen.append(change)
                    observers.remove(observers.add())

    mailboxes: list[Mailbox[Any]] = []
    mailboxes.append(observers.add(Impatient()))
    observers.announce(Change(SessionState.ESTABLISHED, None, ChangeReason.LOGGED_IN, 0.0))
    observers.close()
    assert len(seen) == 2


@pytest.mark.requirement("OBSERVE-1")
def test_who_ends_an_observation_hears_nothing_more(face: Face, stage: OpenStage) -> None:
    s = stage()
    heard = Log()
    end = s.session.on_change(heard.add)
    heard.wait_count(1)
    end()
    end()
    s.log_in()
    s.changes.wait_count(3)
    s.close()
    assert len(heard) == 1


@pytest.mark.requirement("OBSERVE-1")
def test_who_ends_an_observation_does_not_hear_what_has_come_already(face: Face, stage: OpenStage) -> None:
    s = stage()
    go_on, heard, left = threading.Event(), Log(), Log()

    def slow(change: Change) -> None:
        heard.add(change)
        go_on.wait(PATIENCE)
        left.add(change)

    async def slow_in_loop(change: Change) -> None:
        heard.add(change)
        while not go_on.is_set():
            await anyio.lowlevel.checkpoint()
        left.add(change)

    end = s.session.on_change(slow if face.name == "sync" else slow_in_loop)
    heard.wait_count(1)
    s.log_in()
    s.changes.wait_count(3)
    end()
    go_on.set()
    left.wait_count(1)
    s.call("logout")
    s.changes.wait_count(4)
    s.close()
    assert len(heard) == 1


@pytest.mark.requirement("OBSERVE-1", "HOOK-2")
def test_what_cannot_be_called_observes_nothing(stage: OpenStage) -> None:
    s = stage()
    for bad in (None, 7, lambda: None):
        with pytest.raises(InvalidHandlerError):
            s.session.on_change(bad)
    s.close()
    with pytest.raises(SessionClosed):
        s.session.on_change(print)


@pytest.mark.requirement("OBSERVE-1")
def test_an_observer_before_the_opening_is_told_to_wait(face: Face) -> None:
    with pytest.raises(SessionClosed):
        face.make(api_key="key").on_change(print)


# ── Calling back ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("OBSERVE-3", "HOOK-1")
@pytest.mark.parametrize("by", ["observer", "hook"])
@pytest.mark.parametrize("method", ["logout", "secure_logout", "authorization", "renew_now"])
def test_a_callback_may_call_into_the_session(
    by: str, method: str, face: Face, fake: FakePlatform, stage: OpenStage
) -> None:
    done = Log()

    def threaded(heard: Change | HookCall) -> None:
        if heard.state is SessionState.ESTABLISHED and not done:
            getattr(s.session, method)()
            done.add(method)

    async def in_loop(heard: Change | HookCall) -> None:
        if heard.state is SessionState.ESTABLISHED and not done:
            await getattr(s.session, method)()
            done.add(method)

    callback = threaded if face.name == "sync" else in_loop
    s = stage(session_handler=Vouching(fake), hooks={"on_login": callback} if by == "hook" else None)
    if by == "observer":
        s.session.on_change(callback)
    s.log_in()
    done.wait_count(1)
    s.heard(SessionState.NOT_LOGGED_IN if "logout" in method else SessionState.ESTABLISHED)


@pytest.mark.requirement("OBSERVE-3")
def test_an_observer_may_log_in_again_and_the_order_is_kept(
    face: Face, fake: FakePlatform, stage: OpenStage
) -> None:
    left = [3]

    def threaded(change: Change) -> None:
        if change.reason is ChangeReason.LOGOUT and left[0]:
            left[0] -= 1
            s.session.login("ann", auth_token=fake.issue_auth_token("ann"))
            s.session.logout()

    async def in_loop(change: Change) -> None:
        if change.reason is ChangeReason.LOGOUT and left[0]:
            left[0] -= 1
            await s.session.login("ann", auth_token=fake.issue_auth_token("ann"))
            await s.session.logout()

    s = stage()
    s.session.on_change(threaded if face.name == "sync" else in_loop)
    s.log_in()
    s.call("logout")
    s.changes.wait_count(1 + 4 * 3)
    assert s.states == [SessionState.NOT_LOGGED_IN, *CYCLE * 4]


# ── Hooks ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("HOOK-1")
def test_hooks_run_in_order_and_once_after_storing_and_telling(fake: FakePlatform, stage: OpenStage) -> None:
    s = stage(session_handler=Vouching(fake))
    s.log_in()
    s.expire()
    s.heard(SessionState.ESTABLISHED)
    s.call("logout")
    s.log_in()
    s.session.note_ban("ann")
    s.heard(SessionState.TERMINATED)
    s.call("secure_logout")
    s.hooks.wait_count(6)
    s.close()
    assert [(call.hook, call.state.value, call.user_id) for call in s.hooks] == [
        ("on_login", "established", "ann"),
        ("on_renewal", "established", "ann"),
        ("on_logout", "notLoggedIn", "ann"),
        ("on_login", "established", "ann"),
        ("on_ban", "terminated", "ann"),
        ("on_logout", "notLoggedIn", None),
    ]
    assert s.hooks[4].reason is TerminationReason.GLOBAL_BAN


@pytest.mark.requirement("HOOK-1", "RESUME-2")
def test_a_hook_finds_the_session_stored_and_told(face: Face, stage: OpenStage) -> None:
    store, found = MemoryStore(), Log()
    hook = face.callback(lambda call: found.add((s.session.state, len(store._records))))
    s = stage(store=store, hooks=dict.fromkeys(HOOKS, hook))
    s.log_in()
    found.wait_count(1)
    s.call("logout")
    found.wait_count(2)
    assert found == [(SessionState.ESTABLISHED, 1), (SessionState.NOT_LOGGED_IN, 0)]


@pytest.mark.requirement("HOOK-1")
def test_a_hook_that_fails_is_logged_and_undoes_nothing(
    face: Face, stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    called = Log()

    def fail(call: HookCall) -> None:
        called.add(call)
        raise ZeroDivisionError

    s = stage(hooks={"on_login": face.callback(fail), "on_logout": face.callback(called.add)})
    s.log_in()
    called.wait_count(1)
    assert s.state is SessionState.ESTABLISHED
    s.call("logout")
    called.wait_count(2)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        "the hook on_login failed"
    ]


@pytest.mark.requirement("HOOK-1")
def test_a_hook_that_hangs_holds_up_nobody(face: Face, stage: OpenStage) -> None:
    hanging, called = threading.Event(), Log()

    def hang(call: HookCall) -> None:
        called.add(call)
        hanging.wait(PATIENCE)

    async def hang_in_loop(call: HookCall) -> None:
        called.add(call)
        while not hanging.is_set():
            await anyio.lowlevel.checkpoint()

    s = stage(hooks=dict.fromkeys(HOOKS, hang if face.name == "sync" else hang_in_loop))
    for _ in range(3):
        s.log_in()
        s.call("logout")
    s.changes.wait_count(10)
    called.wait_count(1)
    hanging.set()
    called.wait_count(6)
    assert [call.hook for call in called] == ["on_login", "on_logout"] * 3


@pytest.mark.requirement("HOOK-2")
def test_hooks_that_nobody_would_call_are_refused_when_the_session_is_made(face: Face) -> None:
    for hooks in ({"on_lunch": print}, {"on_login": 7}, {"on_login": lambda: None}):
        with pytest.raises(InvalidHandlerError):
            face.make(api_key="key", hooks=hooks)


@pytest.mark.requirement("HOOK-1", "OBSERVE-1", "CLIENT-3")
def test_what_has_happened_is_heard_though_the_session_be_closed_at_once(
    face: Face, fake: FakePlatform, stage: OpenStage
) -> None:
    heard = Log()

    async def in_loop(call: Change | HookCall) -> None:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        heard.add(call)

    callback = heard.add if face.name == "sync" else in_loop
    s = stage(hooks={"on_logout": callback})
    s.log_in()
    s.session.on_change(callback)
    s.call("logout")
    s.close()
    heard.wait_count(3)
    assert {type(each) for each in heard} == {Change, HookCall}


@pytest.mark.requirement("OBSERVE-1", "BAN-5")
def test_every_session_hears_bans_anew(fake: FakePlatform, stage: OpenStage) -> None:
    s = stage()
    for _ in range(2):
        s.log_in()
        fake.ban("ann")
        s.call("report_banned", s.call("authorization").attempt)
        s.heard(SessionState.TERMINATED)
        fake.unban("ann")
        s.call("logout")
        s.heard(SessionState.NOT_LOGGED_IN)
    s.log_in()
    s.session.note_deletion("ann")
    assert s.heard(SessionState.TERMINATED).reason is TerminationReason.USER_DELETED
    assert len(fake.requests_to(Endpoint.REVOKE)) == 0


@pytest.mark.requirement("OBSERVE-1", "CLIENT-3")
def test_a_session_that_was_never_opened_has_no_changes_to_wait_for(face: Face, fake: FakePlatform) -> None:
    session = face.make(api_key=fake.api_key, platform=face.platform(fake))
    with pytest.raises(SessionClosed):
        session.changes()


@pytest.mark.requirement("CLIENT-3")
def test_a_session_shows_whether_it_is_closed(stage: OpenStage) -> None:
    s = stage()
    assert repr(s.session).endswith("Session notLoggedIn>")
    s.close()
    assert repr(s.session).endswith("Session notLoggedIn, closed>")
