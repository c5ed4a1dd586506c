"""The adapter for clients in Python, driven by the protocol as the kit drives it."""

import asyncio
import contextlib
import gc
import importlib
import os
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest

from splus_session import ChangeReason, HookCall, SessionState, SplusSessionError, _errors, aio, sync
from splus_session.conformance._kinds import kind_of
from splus_session.conformance._stillness import Stillness
from splus_session.conformance.adapter import Host, Setup, features_of
from splus_session.testing import Endpoint, FakePlatform
from tests.conformance.early import Early
from tests.conformance.kit import Child, Kit, eventually, in_process, kinds, names, states
from tests.subjects import own_aio, own_sync

DAY = 24 * 3600.0
DUE = 25 * DAY
"""Into this many seconds of a month's token, renewal is due."""
MONTH = 30 * DAY


# ── Beginning and ending ────────────────────────────────────────────────────────────────────────


def test_hello_tells_what_the_client_can_do(kit: Kit) -> None:
    kit.send("hello", protocol=1)
    assert kit.idle["protocol"] == 1
    assert {"time", "again", "resume", "call"} < set(kit.idle["features"])


def test_a_run_can_begin_any_number_of_times_and_knows_nothing_of_those_before(kit: Kit) -> None:
    kit.open()
    hold = kit.fake.hold(Endpoint.LOGIN)
    kit.send("login", client="a", user_id="ann", auth_token=kit.token())
    hold.arrived.wait()
    kit.folder = kit.folder / "next"
    kit.folder.mkdir()
    kit.begin()
    hold.release()
    for _ in range(20):
        assert kit.send("settle") == []
    assert (kit.looks, kit.idle["sent"], kit.idle["open"]) == ({}, 0, 0)
    assert states(kit.open()) == ["notLoggedIn"]


@contextlib.contextmanager
def with_setup(tmp_path: Path) -> Generator[tuple[Kit, Setup]]:
    """A host whose threaded client is open, and what that was made of."""
    setups: list[Setup] = []

    def make(setup: Setup) -> sync.Session:
        setups.append(setup)
        return own_sync.make_client(setup)

    with Host(make, name="x", version="0", features=["time"], threaded=True) as host:
        kit = Kit(host, tmp_path)
        kit.begin()
        kit.open()
        yield kit, setups[0]
        kit.stop()


def test_what_a_client_of_an_earlier_run_still_does_is_not_told(tmp_path: Path) -> None:
    with with_setup(tmp_path) as (kit, setup):
        kit.begin()
        setup.hooks["on_login"](
            HookCall("on_login", SessionState.ESTABLISHED, ChangeReason.LOGIN, "ann", 0.0)
        )
        assert kit.send("settle") == []


def test_bye_ends_the_process_well(subject: ModuleType) -> None:
    child = Child(subject.__name__)
    child.send({"id": 0, "do": "hello"})
    child.send({"id": 1, "do": "bye"})
    assert child.end() == 0


def test_what_the_client_prints_does_not_get_between_the_lines(tmp_path: Path) -> None:
    program = tmp_path / "printing.py"
    program.write_text(
        "from splus_session.conformance.adapter import serve\n"
        "def make(setup): print('hear, hear'); raise ValueError('none')\n"
        "serve(make, name='p', version='0', features=['time'], threaded=True)\n",
        "utf-8",
    )
    child = Child.of([str(program)])
    begin = {"url": "http://127.0.0.1:1", "api_key": "k", "now": 0.0, "store": str(tmp_path)}
    child.send({"id": 0, "do": "begin", **begin})
    [failed, _] = child.send({"id": 1, "do": "open", "client": "a"})
    assert failed == {"event": "failed", "of": 1, "kind": "other", "message": "ValueError: none"}
    child.kill()


# ── Lives ───────────────────────────────────────────────────────────────────────────────────────


def test_a_login_tells_states_hooks_and_its_end(kit: Kit) -> None:
    assert states(kit.open()) == ["notLoggedIn"]
    events = kit.log_in()
    assert states(events) == ["establishing", "established"]
    assert kinds(events) == ["done"]
    assert [e["hook"] for e in events if e["event"] == "hook"] == ["on_login"]
    assert [e["user_id"] for e in events if e["event"] == "state"] == ["ann", "ann"]
    [_, change] = [e for e in events if e["event"] == "state"]
    assert (change["previous"], change["reason"]) == ("establishing", "loggedIn")
    assert change["at"] == kit.clock.now()
    looks = kit.looks["a"]
    assert (looks["state"], looks["user_id"]) == ("established", "ann")
    assert looks["device_id"] == kit.fake.requests[0].device_id
    assert kit.idle["sent"] == 1


def test_a_renewal_ahead_may_be_answered_later_and_the_second_answer_sends_nothing(kit: Kit) -> None:
    kit.open()
    kit.log_in()
    [renewal] = kit.advance(DUE)
    assert renewal["event"] == "renewal"
    assert (renewal["handler"], renewal["user_id"]) == ("client", "ann")
    kit.advance(30.0)
    answer = {"client": "a", "renewal": renewal["renewal"], "with": "auth_token"}
    events = kit.do("answer", **answer, auth_token=kit.token())
    assert kinds(events) == ["done"]
    assert [e["hook"] for e in events if e["event"] == "hook"] == ["on_renewal"]
    sent = kit.idle["sent"]
    assert kinds(kit.do("answer", **answer, auth_token=kit.token())) == ["done"]
    assert kit.idle["sent"] == sent == 2


def test_a_malformed_answer_fails(kit: Kit) -> None:
    kit.open()
    kit.log_in()
    kit.advance(DUE)
    events = kit.do("answer", client="a", renewal=kit.renewal(), **{"with": "auth_token", "auth_token": ""})
    assert kinds(events) == ["invalid_argument"]


def test_a_session_expires_and_recovers(kit: Kit) -> None:
    kit.open()
    kit.log_in()
    events = kit.advance(2 * MONTH)
    assert states(events) == ["tokenExpired"]
    answer = {"client": "a", "renewal": kit.renewal(), "with": "auth_token", "auth_token": kit.token()}
    assert states(kit.do("answer", **answer)) == ["established"]


def test_a_login_brings_a_handler_of_its_own(kit: Kit) -> None:
    kit.open(session_handler=False)
    kit.log_in(own_handler=True)
    [renewal] = kit.advance(DUE)
    assert renewal["handler"] == "own"


def test_a_held_login_is_idle_and_ends_with_the_logout(kit: Kit) -> None:
    kit.open()
    hold, kit.held = kit.fake.hold(Endpoint.LOGIN), 1
    kit.log_in()
    assert (kit.idle["open"], kit.looks["a"]["state"]) == (1, "establishing")
    login = kit.last_call()
    events = kit.do("logout", client="a")
    [failed] = [e for e in events if e["event"] == "failed"]
    assert (failed["of"], failed["kind"]) == (login, "interrupted")
    assert states(events) == ["notLoggedIn"]
    kit.held = 0
    hold.release()
    # The token that nobody uses is revoked, and nobody is told.
    while len(kit.fake.requests_to(Endpoint.REVOKE)) < 1 or not kit.is_quiet():
        assert kit.send("settle") == []


def test_a_closed_client_opens_again_as_it_was(kit: Kit) -> None:
    kit.open()
    kit.log_in()
    device = kit.looks["a"]["device_id"]
    assert names(kit.do("close", client="a")) == {"done"}
    assert kit.looks == {}
    [told] = [e for e in kit.open() if e["event"] == "state"]
    assert (told["state"], told["reason"], told["user_id"]) == ("established", "resumed", "ann")
    assert kit.looks["a"]["device_id"] == device


def test_a_held_login_ends_with_the_closing(kit: Kit) -> None:
    kit.open()
    kit.fake.hold(Endpoint.LOGIN)
    kit.held = 1
    kit.log_in()
    kit.held = kit.idle["open"]
    events = kit.send("close", client="a")
    assert sorted(kinds(events)) == ["closed", "done"]


def test_a_killed_process_leaves_a_session_that_the_next_one_resumes(
    subject: ModuleType, tmp_path: Path
) -> None:
    child = Child(subject.__name__)
    kit = Kit(child, tmp_path)
    try:
        kit.begin()
        kit.open()
        kit.log_in()
        child.kill()
        kit.channel = child = Child(subject.__name__)
        kit.begin(keep=True)
        assert states(kit.open()) == ["established"]
        assert kinds(kit.do("call", client="a", path="/api/v3/network-settings/chat")) == ["done"]
    finally:
        child.kill()
        kit.stop()


def test_damage_in_the_store_fails_the_opening_by_name(kit: Kit) -> None:
    (kit.folder / "a.sqlite").write_bytes(b"no database" * 1000)
    assert kinds(kit.open()) == ["stored_record"]
    assert kit.looks == {}
    assert kinds(kit.open()) == ["done"]


def test_several_clients_share_nothing(kit: Kit) -> None:
    kit.open("a")
    kit.open("b")
    kit.log_in("ann", client="a")
    kit.log_in("bob", client="b")
    assert {name: looks["user_id"] for name, looks in kit.looks.items()} == {"a": "ann", "b": "bob"}
    assert kit.looks["a"]["device_id"] != kit.looks["b"]["device_id"]


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ({"api_key": ""}, "invalid_argument"),
        ({"region": "xx"}, "invalid_argument"),
        ({"endpoint": "http://example.com"}, "invalid_argument"),
        ({"endpoint": "http://127.0.0.1:1", "region": "sg"}, "invalid_argument"),
    ],
)
def test_a_client_that_cannot_be_made_says_why(flags: dict[str, str], kind: str, kit: Kit) -> None:
    assert kinds(kit.open(**flags)) == [kind]
    assert kit.looks == {}


# ── Calls ───────────────────────────────────────────────────────────────────────────────────────


def test_a_login_that_is_given_up_fails_as_cancelled(tmp_path: Path) -> None:
    with in_process(own_aio) as channel:
        kit = Kit(channel, tmp_path)
        kit.begin()
        kit.open()
        kit.fake.hold(Endpoint.LOGIN)
        kit.send("login", client="a", user_id="ann", auth_token=kit.token())
        login = kit.last_call()
        events = kit.send("cancel", client="a", call=login)
        assert sorted(kinds(events)) == ["cancelled", "done"]
        assert [e["of"] for e in events if e["event"] == "failed"] == [login]
        assert states(events)[-1:] == ["notLoggedIn"]
        kit.stop()


def test_what_was_not_declared_is_not_supported(tmp_path: Path) -> None:
    with in_process(own_sync) as channel:
        kit = Kit(channel, tmp_path)
        kit.begin()
        kit.open()
        assert kinds(kit.send("cancel", client="a", call=1)) == ["unsupported"]
        assert kinds(kit.send("dance", client="a")) == ["unsupported"]
        kit.stop()


def test_a_call_tells_the_status_or_why_there_is_no_token(kit: Kit) -> None:
    kit.open()
    path = "/api/v3/network-settings/chat"
    assert kinds(kit.do("call", client="a", path=path)) == ["not_logged_in"]
    kit.log_in()
    [done] = kit.do("call", client="a", path=path)
    assert done["value"] == 200
    [done] = kit.do("call", client="a", path="/api/v3/users/nobody")
    assert done["value"] == 404


def test_a_call_during_a_renewal_waits_for_it(kit: Kit) -> None:
    kit.open()
    kit.log_in()
    kit.advance(2 * MONTH)
    assert kit.do("call", client="a", path="/api/v3/network-settings/chat") == []
    call = kit.last_call()
    answer = {"client": "a", "renewal": kit.renewal(), "with": "auth_token", "auth_token": kit.token()}
    done = {e["of"]: e.get("value") for e in kit.do("answer", **answer) if e["event"] == "done"}
    assert done[call] == 200


def test_a_call_waits_no_longer_than_it_should_by_the_time_of_the_run(kit: Kit) -> None:
    kit.open()
    kit.log_in()
    kit.advance(2 * MONTH)
    kit.do("call", client="a", path="/api/v3/network-settings/chat")
    assert kit.advance(29.0) == []
    assert kinds(kit.advance(1.5)) == ["wait_timeout"]


@pytest.mark.parametrize(
    ("event", "reason"), [("user.didGlobalBan", "globalBan"), ("user.deleted", "userDeleted")]
)
def test_what_realtime_tells_ends_the_session(event: str, reason: str, kit: Kit) -> None:
    kit.open()
    kit.log_in()
    assert states(kit.do("realtime", client="a", event=event, user_id="bob")) == []
    events = kit.do("realtime", client="a", event=event, user_id="ann")
    assert states(events) == ["terminated"]
    assert [e["reason"] for e in events if e["event"] == "state"] == [reason]
    assert kinds(kit.do("call", client="a", path="/api/v3/channels")) == ["terminated"]


def test_visitors_bots_and_developers_log_in(kit: Kit) -> None:
    kit.fake.rules.secure_mode = False
    kit.open(development=True)
    for login in ("login_as_visitor", "login_as_bot"):
        assert states(kit.do(login, client="a"))[-1] == "established"
        kit.do("logout", client="a")
    assert states(kit.do("login", client="a", user_id="ann"))[-1] == "established"
    assert kinds(kit.do("secure_logout", client="a")) == ["done"]


# ── Handlers and observers ──────────────────────────────────────────────────────────────────────


def test_an_access_token_handler_is_answered_later_and_may_fail(kit: Kit) -> None:
    kit.open(session_handler=False, access_token_handler=True)
    token = kit.fake.issue_access_token("ann").reveal()
    assert kinds(kit.do("login_with_access_token", client="a", access_token=token)) == ["done"]
    [asked] = kit.advance(DUE)
    assert (asked["event"], asked["user_id"]) == ("token_renew", "ann")
    assert kinds(kit.do("answer", client="a", renewal=asked["renewal"], **{"with": "error"})) == ["done"]
    [asked] = [e for e in kit.advance(600.0) if e["event"] == "token_renew"]
    token = kit.fake.issue_access_token("ann").reveal()
    answer = {"with": "access_token", "access_token": token}
    events = kit.do("answer", client="a", renewal=asked["renewal"], **answer)
    assert [e["hook"] for e in events if e["event"] == "hook"] == ["on_renewal"]


@pytest.mark.parametrize("how", ["raise", "garbage"])
def test_a_handler_that_raises_tells_before_it_does(how: str, kit: Kit) -> None:
    kit.open()
    kit.log_in()
    kit.do("handle", client="a", how=how)
    assert names(kit.advance(DUE)) == {"renewal"}
    assert [e["event"] for e in kit.advance(600.0)] == ["renewal"]  # it was unable: asked again


@pytest.mark.parametrize("how", ["raise", "garbage"])
def test_an_access_token_handler_that_raises_or_gives_garbage_is_asked_again(how: str, kit: Kit) -> None:
    kit.open(session_handler=False, access_token_handler=True)
    token = kit.fake.issue_access_token("ann").reveal()
    kit.do("login_with_access_token", client="a", access_token=token)
    kit.do("handle", client="a", how=how)
    assert names(kit.advance(DUE)) == {"token_renew"}
    assert names(kit.advance(600.0)) == {"token_renew"}


def test_an_access_token_handler_is_set_taken_away_and_may_be_wrong(kit: Kit) -> None:
    kit.open()
    token = kit.fake.issue_access_token("ann").reveal()
    login = {"client": "a", "access_token": token}
    assert kinds(kit.do("login_with_access_token", **login)) == ["handler_required"]
    assert kinds(kit.do("set_access_token_handler", client="a", to="wrong")) == ["invalid_handler"]
    assert kinds(kit.do("set_access_token_handler", client="a", to="report")) == ["done"]
    assert kinds(kit.do("login_with_access_token", **login)) == ["done"]
    kit.do("logout", client="a")
    assert kinds(kit.do("set_access_token_handler", client="a", to="none")) == ["done"]
    assert kinds(kit.do("login_with_access_token", **login)) == ["handler_required"]


def test_an_observer_that_raises_disturbs_nobody(kit: Kit) -> None:
    kit.open()
    kit.do("observe", client="a", observer=1, how="raise")
    kit.do("observe", client="a", observer=2, how="report")
    events = kit.log_in()
    assert [states(events, observer) for observer in range(3)] == [["establishing", "established"]] * 3
    assert "uncaught" not in names(kit.told)


def test_an_observer_that_logs_out_does_so_once_it_is_told_established(kit: Kit) -> None:
    kit.open()
    assert states(kit.do("observe", client="a", observer=1, how="logout"), 1) == ["notLoggedIn"]
    events = kit.log_in()
    assert states(events, 1) == ["establishing", "established", "notLoggedIn"]
    assert states(events, 0) == ["establishing", "established", "notLoggedIn"]
    assert kit.looks["a"]["state"] == "notLoggedIn"


# ── Time ────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_overdue_after_a_sleep_happens_on_waking(kit: Kit) -> None:
    kit.open()
    kit.log_in()
    kit.clock.sleep(2 * MONTH)
    assert states(kit.do("sleep", seconds=2 * MONTH)) == ["tokenExpired"]


def test_a_clock_that_is_set_is_noticed(kit: Kit) -> None:
    kit.open()
    kit.log_in()
    # By how much the two differ is known from the answer's own time, and nobody expires for it.
    kit.do("jump", seconds=-3600.0)
    kit.do("jump", seconds=2 * MONTH)
    assert "renewal" in names(kit.told)


def test_a_request_of_an_async_client_is_given_up_by_the_time_of_the_run(tmp_path: Path) -> None:
    with in_process(own_aio) as channel:
        kit = Kit(channel, tmp_path)
        kit.begin()
        kit.open()
        kit.fake.hold(Endpoint.LOGIN)
        kit.held = 1
        kit.log_in()
        assert kit.advance(29.0) == []
        kit.held = 0
        assert kinds(kit.advance(1.5)) == ["unavailable"]
        kit.stop()


class Sleeps:
    """An async client that looks at no clock, and is only asleep."""

    state = "notLoggedIn"

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...

    def on_change(self, callback: object) -> None: ...

    async def login(self, user_id: str) -> None:
        await asyncio.sleep(10.0)
        await asyncio.sleep(5.0)


@pytest.mark.parametrize("months", [0, 7, 1000])
def test_timers_of_a_loop_are_due_by_the_time_of_the_run(months: int, tmp_path: Path) -> None:
    def make(_: Setup) -> Sleeps:
        return Sleeps()

    with Host(make, name="x", version="0", features=["time"], threaded=False) as host:
        kit = Kit(host, tmp_path)
        kit.begin()
        kit.open()
        kit.advance(months * MONTH)  # in such times a nanosecond is nothing
        assert kit.do("login", client="a", user_id="ann") == []
        assert kit.advance(9.0) == []
        assert kit.advance(1.0) == []
        assert kit.advance(4.0) == []
        assert kinds(kit.advance(1.0)) == ["done"]
        kit.stop()


def test_an_uncaught_exception_is_told(tmp_path: Path) -> None:
    def make(setup: Setup) -> Any:
        def fail() -> None:
            raise RuntimeError("in the dark")

        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        return own_sync.make_client(setup)

    with Host(make, name="x", version="0", features=["time"], threaded=True) as host:
        kit = Kit(host, tmp_path)
        kit.begin()
        [uncaught] = [e for e in kit.open() if e["event"] == "uncaught"]
        assert uncaught["message"] == "in a thread: RuntimeError: in the dark"
        kit.stop()


def test_an_exception_in_a_callback_of_the_loop_is_told(tmp_path: Path) -> None:
    async def make(setup: Setup) -> Any:
        def fail() -> None:
            raise RuntimeError("in the dark")

        asyncio.get_running_loop().call_soon(fail)
        return own_aio.make_client(setup)

    with Host(make, name="x", version="0", features=["time"], threaded=False) as host:
        kit = Kit(host, tmp_path)
        kit.begin()
        [uncaught] = [e for e in kit.open() if e["event"] == "uncaught"]
        assert "RuntimeError: in the dark" in uncaught["message"]
        kit.stop()


# ── Idle ────────────────────────────────────────────────────────────────────────────────────────


def test_idle_is_never_said_too_early(kit: Kit) -> None:
    early = Early(kit, seed=7, pause=0.002)
    early.play(150)
    assert early.found == []


def test_making_a_client_is_work_whatever_it_waits_for(tmp_path: Path) -> None:
    there, here = os.pipe()

    def make(setup: Setup) -> Any:
        threading.Timer(0.05, os.write, (here, b"x")).start()
        os.read(there, 1)
        return own_sync.make_client(setup)

    with Host(make, name="x", version="0", features=["time"], threaded=True) as host:
        kit = Kit(host, tmp_path)
        kit.begin()
        assert kinds(kit.send("open", client="a")) == ["done"]
        kit.stop()
    os.close(there)
    os.close(here)


class Waits(Protocol):
    def __call__(self) -> Callable[[], None]: ...


def lock_wait() -> Callable[[], None]:
    lock = threading.Lock()
    lock.acquire()
    threading.Thread(target=lock.acquire, daemon=True).start()
    return lock.release


def event_wait() -> Callable[[], None]:
    event = threading.Event()
    threading.Thread(target=event.wait, daemon=True).start()
    return event.set


@pytest.mark.parametrize("wait", [lock_wait, event_wait])
def test_threads_that_wait_are_still_and_one_that_works_is_not(wait: Waits) -> None:
    still = Stillness({}, lambda: False, lambda: 0)
    free = wait()
    try:
        eventually(still.holds)
        done = threading.Event()
        thread = threading.Thread(target=lambda: [None for _ in iter(done.is_set, True)], daemon=True)
        thread.start()
        assert not any(still.holds() for _ in range(50))
        done.set()
        thread.join()
        eventually(still.holds)
    finally:
        free()


def test_a_thread_that_was_woken_is_not_still_though_it_has_not_run_yet() -> None:
    still, ran = Stillness({}, lambda: False, lambda: 0), threading.Event()

    def run(event: threading.Event) -> None:
        event.wait()
        ran.set()

    for _ in range(50):
        event = threading.Event()
        ran.clear()
        threading.Thread(target=run, args=(event,), daemon=True).start()
        eventually(still.holds)
        event.set()
        while not still.holds():
            pass
        assert ran.is_set()


def test_a_thread_that_imports_is_not_still_whatever_its_module_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = os.pipe()
    (tmp_path / "imports_slowly.py").write_text(f"import os\nos.read({there}, 1)\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    thread = threading.Thread(target=importlib.import_module, args=("imports_slowly",), daemon=True)
    thread.start()
    still = Stillness({}, lambda: False, lambda: 0)
    assert not any(still.holds() for _ in range(50))
    os.write(here, b"x")
    thread.join()
    eventually(still.holds)
    os.close(there)
    os.close(here)


def test_a_thread_that_has_only_just_begun_is_not_still(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.Lock()
    lock.acquire()
    thread = threading.Thread(target=lock.acquire, daemon=True)
    thread.start()
    still = Stillness({}, lambda: False, lambda: 0)
    eventually(still.holds)
    with monkeypatch.context() as patched:  # it has, in the first lines of its life, no number yet
        patched.setattr(thread, "_native_id", None)
        assert not any(still.holds() for _ in range(20))
    eventually(still.holds)
    lock.release()
    thread.join()


@pytest.mark.parametrize("collects", [True, False])
def test_the_garbage_collector_rests_while_it_is_looked_where_threads_are(
    collects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, seen = sys._current_frames, list[bool]()

    def spy() -> dict[int, Any]:
        seen.append(gc.isenabled())
        return look()

    monkeypatch.setattr(sys, "_current_frames", spy)
    try:
        if not collects:
            gc.disable()
        eventually(Stillness({}, lambda: False, lambda: 0).holds)
        assert gc.isenabled() == collects
    finally:
        gc.enable()
    assert seen
    assert not any(seen)


def test_a_request_that_ends_when_all_was_seen_to_be_still_counts_as_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows from its answer has not happened yet: the kit is to ask again."""
    with with_setup(tmp_path) as (kit, setup):
        end = setup.traffic.begin()
        holds = Stillness.holds

        def holds_until_the_answer(still: Stillness) -> bool:
            held = holds(still)
            if held:
                end()
            return held

        monkeypatch.setattr(Stillness, "holds", holds_until_the_answer)
        kit.send("settle")
        assert (kit.idle["sent"], kit.idle["open"]) == (1, 1)
        kit.send("settle")
        assert (kit.idle["sent"], kit.idle["open"]) == (1, 0)


def test_who_says_to_be_at_work_is_not_still() -> None:
    working = [True]
    still = Stillness({}, lambda: working[0], lambda: 0)
    assert not still.holds()
    working.clear()
    working.append(False)
    eventually(still.holds)


def test_nobody_is_still_while_something_is_told() -> None:
    told = iter(range(1000))
    assert not Stillness({}, lambda: False, lambda: next(told)).holds()


# ── In process ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("threaded", [False, True], ids=["aio", "sync"])
def test_a_client_of_a_platform_in_this_process_needs_no_http(threaded: bool, tmp_path: Path) -> None:
    platform: list[FakePlatform] = []

    def make(setup: Setup) -> Any:
        given = {"api_key": setup.api_key, "clock": setup.clock, "session_handler": setup.session_handler}
        if threaded:
            return sync.Session(**given, platform=platform[0].client())  # type: ignore[arg-type]
        return aio.Session(**given, platform=platform[0].async_client())  # type: ignore[arg-type]

    with Host(make, name="x", version="0", features=["time"], threaded=threaded, counts=False) as host:
        kit = Kit(host, tmp_path)
        platform.append(kit.fake)
        kit.begin()
        kit.open()
        assert states(kit.log_in()) == ["establishing", "established"]
        assert "sent" not in kit.idle
        assert states(kit.advance(2 * MONTH)) == ["tokenExpired"]
        kit.stop()


def test_features_that_are_methods_are_found_by_them() -> None:
    assert set(features_of(aio.Session("key"))) <= set(own_aio.FEATURES)
    assert "bot" not in features_of(object())
    assert "own_handler" in features_of(aio.Session("key"))
    assert "own_handler" not in features_of(HasPlainLogin())
    assert "own_handler" not in features_of(object())


class HasPlainLogin:
    """A client whose logins bring no handler of their own."""

    async def login(self, user_id: str, *, auth_token: str | None = None) -> None:
        """As far as `features_of` looks."""


def test_every_error_of_ours_has_a_kind_of_its_own() -> None:
    others = {"error", "caller_error", "missing_extra", "platform_error", "not_authorized", "chart"}
    for error in vars(_errors).values():
        if isinstance(error, type) and issubclass(error, SplusSessionError):
            said = kind_of(error.__new__(error))
            assert (said == "other") == (error.code in others), error
    assert kind_of(_errors.ConfigurationError.__new__(_errors.ConfigurationError)) == "invalid_argument"
    assert kind_of(ValueError()) == "other"
