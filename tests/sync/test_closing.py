import contextlib
import threading
from collections.abc import Collection

import pytest

from splus_session import Change, Config, HookCall, SessionClosed, SessionState
from splus_session.ports import Renewal
from splus_session.sync._threads import watcher
from splus_session.testing import FakePlatform, ManualClock
from tests.drivers.faces import PATIENCE, Log, on_thread
from tests.processes import output
from tests.sync.conftest import MakeSession

PROLOGUE = """
import contextlib, logging, os, sys, threading
from splus_session import ForkedSessionError, SessionClosed
from splus_session.sync import Session
from splus_session.testing import Endpoint, FakePlatform, ManualClock

clock = ManualClock()
fake = FakePlatform(clock=clock)

def session(**arguments):
    return Session(fake.api_key, platform=fake.client(), clock=clock, **arguments)

def log_in(one):
    one.login("ann", auth_token=fake.issue_auth_token("ann"))

logging.getLogger("splus_session").setLevel(logging.CRITICAL)
"""


def ours(but: Collection[threading.Thread] = ()) -> list[threading.Thread]:
    """The library's threads, but for those that other tests left hanging, and the one watcher."""
    return [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith("splus-session") and thread is not watcher._thread and thread not in but
    ]


@pytest.mark.requirement("CLIENT-3")
def test_idle_sessions_have_no_thread_but_the_one_watcher(make: MakeSession, fake: FakePlatform) -> None:
    before, sessions = ours(), [make() for _ in range(200)]
    for number, session in enumerate(sessions):
        session.__enter__()
        session.on_change(lambda change: None)
        if number % 20 == 0:
            session.login("ann", auth_token=fake.issue_auth_token("ann"))
    for thread in ours(but=before):
        thread.join(PATIENCE)
    assert ours(but=before) == []
    assert watcher._thread is not None
    assert watcher._thread.daemon
    for session in sessions:
        session.__exit__(None, None, None)
    assert not any(session._engine in watcher._times for session in sessions)


@pytest.mark.requirement("CLIENT-2")
def test_one_sessions_broken_clock_stops_nobody_elses_timers(
    make: MakeSession, fake: FakePlatform, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(ManualClock):
        broken = False

        def now(self) -> float:
            if self.broken:
                raise ZeroDivisionError
            return super().now()

    asked = Log()

    class Handler:
        def session_will_renew_access_token(self, renewal: Renewal) -> None:
            asked.add(renewal)

    breaking = Broken()
    with make(clock=breaking), make(session_handler=Handler()) as session:
        session.login("ann", auth_token=fake.issue_auth_token("ann"))
        breaking.broken = True
        breaking.advance(1.0)
        clock.advance(25 * 24 * 3600.0)
        asked.wait_count(1)
        breaking.broken = False


@pytest.mark.requirement("CLIENT-3")
def test_a_session_left_open_and_a_handler_that_hangs_do_not_keep_the_process_alive() -> None:
    program = """
    asked = threading.Event()

    class Hanging:
        def session_will_renew_access_token(self, renewal):
            asked.set()
            threading.Event().wait()

    def hang(*_):
        threading.Event().wait()

    left = session(session_handler=Hanging(), hooks={"on_login": hang}).__enter__()
    left.on_change(hang)
    log_in(left)
    clock.advance(25 * 24 * 3600.0)
    asked.wait()
    waiting = session().__enter__()
    fake.hold(Endpoint.LOGIN).arrived
    threading.Thread(target=log_in, args=(waiting,), daemon=True).start()
    print("the end")
    """
    assert output(PROLOGUE + _dedented(program)) == ["the end"]


@pytest.mark.requirement("CLIENT-3")
def test_a_session_that_came_through_a_fork_says_so_and_the_parents_goes_on() -> None:
    program = """
    calls = {
        "authorization": (), "logout": (), "secure_logout": (), "renew_now": (), "changes": (),
        "login_as_bot": (), "report_rejected": (1,), "note_ban": ("ann",), "on_change": (print,),
        "set_session_handler": (None,),
    }
    with session() as one:
        log_in(one)
        hold = fake.hold(Endpoint.REVOKE)

        def revoke():
            with contextlib.suppress(SessionClosed):
                one.secure_logout()

        threading.Thread(target=revoke, daemon=True).start()
        hold.arrived.wait()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            for call, arguments in calls.items():
                try:
                    getattr(one, call)(*arguments)
                except ForkedSessionError:
                    print(call, "refused", flush=True)
        else:
            os.waitpid(child, 0)
            print(one.state.value, one.authorization().header[:7], flush=True)
            hold.release()
    if child == 0:
        with session() as another:
            log_in(another)
            print("a new one is", another.state.value, flush=True)
        sys.exit()
    """
    lines = output(PROLOGUE + _dedented(program))
    assert [line.split()[0] for line in lines[:10]] == [
        "authorization", "logout", "secure_logout", "renew_now", "changes", "login_as_bot", "report_rejected",
        "note_ban", "on_change", "set_session_handler",
    ]  # fmt: skip
    assert lines[10:] == ["a new one is established", "established Bearer "]


@pytest.mark.requirement("CLIENT-3")
def test_a_forked_session_can_be_left_though_its_threads_are_gone() -> None:
    program = """
    class Slow:
        def __init__(self): self.began, self.go_on = threading.Event(), threading.Event()
        def load(self, key): return None
        def save(self, key, record): self.began.set(); self.go_on.wait()
        def delete(self, key): pass
        def device_id(self, make): return "a-device"

    store = Slow()
    with session(store=store) as one:

        def log_in_there():
            with contextlib.suppress(SessionClosed):
                log_in(one)

        threading.Thread(target=log_in_there, daemon=True).start()
        store.began.wait()
        child = os.fork()
        if child:
            store.go_on.set()
            _, status = os.waitpid(child, 0)
            print("the child ended with", status)
    """
    assert output(PROLOGUE + _dedented(program)) == ["the child ended with 0"]


def _dedented(program: str) -> str:
    return "\n".join(line[4:] for line in program.splitlines())


@pytest.mark.requirement("CLIENT-3", "OBSERVE-1")
def test_an_iteration_that_came_through_a_fork_says_so_and_the_parents_goes_on() -> None:
    program = """
    with session() as one:
        changes = one.changes()
        log_in(one)
        sys.stdout.flush()
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        try:
            print([next(changes).state.value for _ in range(3)][-1], flush=True)
        except ForkedSessionError:
            print("refused", flush=True)
    """
    assert output(PROLOGUE + _dedented(program)) == ["refused", "established"]


@pytest.mark.requirement("CLIENT-3", "HOOK-1", "OBSERVE-3")
@pytest.mark.parametrize("by", ["hook", "observer", "both"])
def test_a_callback_may_leave_the_block_itself(by: str, make: MakeSession, fake: FakePlatform) -> None:
    left = Log()

    def leave(heard: HookCall | Change) -> None:
        if heard.state is SessionState.ESTABLISHED:
            session.__exit__(None, None, None)
            left.add(heard)

    hooks = {} if by == "observer" else {"on_login": leave}
    session = make(hooks=hooks, config=Config(wait_limit=0.05 if by == "both" else 3 * PATIENCE))

    def live() -> None:
        with session:
            if by != "hook":
                session.on_change(leave)
            with contextlib.suppress(SessionClosed):  # it may be left before this has returned
                session.login("ann", auth_token=fake.issue_auth_token("ann"))
            left.wait_count(1)

    on_thread(live).result(PATIENCE)
    left.wait_count(2 if by == "both" else 1)


@pytest.mark.requirement("CLIENT-3", "HOOK-1", "OBSERVE-2")
@pytest.mark.parametrize("by", ["hook", "observer"])
def test_a_callback_that_never_ends_is_given_a_bounded_time(
    by: str, make: MakeSession, fake: FakePlatform
) -> None:
    began, go_on = Log(), threading.Event()

    def hang(heard: object) -> None:
        began.add(heard)
        go_on.wait(PATIENCE)

    hooks = {"on_login": hang} if by == "hook" else {}

    def live() -> None:
        with make(hooks=hooks, config=Config(wait_limit=0.01)) as session:
            if by == "observer":
                session.on_change(hang)
            session.login("ann", auth_token=fake.issue_auth_token("ann"))
            began.wait_count(1)

    on_thread(live).result(PATIENCE / 2)
    assert not go_on.is_set()
    go_on.set()


@pytest.mark.requirement("CLIENT-3")
@pytest.mark.parametrize("at", ["stop", "let_callbacks_end"])
def test_a_closing_that_is_interrupted_leaves_nothing_behind(
    at: str, make: MakeSession, fake: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    closings = Log()

    class Noting:
        open_session = fake.client().open_session

        def close(self) -> None:
            closings.add("closed")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    session = make(platform=None)
    monkeypatch.setattr(session, "_http", Noting)
    session.__enter__()
    session.login("ann", auth_token=fake.issue_auth_token("ann"))
    heard = on_thread(lambda: [change.state for change in session.changes()])
    monkeypatch.setattr(session._worker, at, interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.__exit__(None, None, None)
    assert heard.result(PATIENCE)[-1] is SessionState.ESTABLISHED
    assert closings == ["closed"]
