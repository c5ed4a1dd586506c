import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from splus_session import (
    ChangeReason,
    HandlerRequiredError,
    NotAllowedError,
    RenewalFailedError,
    SessionClosed,
    SessionState,
    StoredRecordError,
    StoreError,
)
from splus_session.ports import Store
from splus_session.stores import MemoryStore
from splus_session.stores.sqlite import SqliteStore
from splus_session.testing import Endpoint, FakePlatform, ManualClock, faults
from tests.drivers.faces import Face
from tests.drivers.stage import Asked, Stage, Vouching

StageOf = Callable[..., Stage]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "sessions.db")


@pytest.fixture
def sqlite(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "sessions.db")


@pytest.fixture
def on(face: Face, fake: FakePlatform, clock: ManualClock) -> StageOf:
    """A session, to be opened in a `with`."""
    return lambda store, **arguments: Stage(face, fake, clock, store=store, **arguments)


def leave_one(on: StageOf, store: Store, user_id: str = "ann") -> None:
    with on(store) as s:
        s.log_in(user_id)


@pytest.mark.requirement("RESUME-1", "RESUME-2", "CLIENT-3")
def test_a_stored_session_is_resumed_without_a_login_and_offline(
    store: Store, fake: FakePlatform, on: StageOf
) -> None:
    leave_one(on, store)
    fake.fail(None, faults.drop(), times=99)
    with on(store) as s:
        assert s.state is SessionState.ESTABLISHED
        assert s.session.user_id == "ann"
        assert fake.tokens_of("ann")[0].token.reveal() in s.call("authorization").header
        assert s.heard(SessionState.ESTABLISHED).reason is ChangeReason.RESUMED
        assert len(fake.requests) == 1
        s.call("logout")
    with on(store) as s:
        assert s.state is SessionState.NOT_LOGGED_IN, "never to before a logout"


@pytest.mark.requirement("RESUME-1")
def test_an_expired_session_is_resumed_as_expired_and_renewed(
    store: Store, fake: FakePlatform, clock: ManualClock, on: StageOf
) -> None:
    leave_one(on, store)
    clock.advance(31 * 24 * 3600.0)
    handler = Asked()
    with on(store, session_handler=handler) as s:
        assert s.state is SessionState.TOKEN_EXPIRED
        handler.log.wait_count(1)
        header = s.start("authorization")
        handler.log[0].renew_with_auth_token(fake.issue_auth_token("ann"))
        assert header.result(20).header
        s.heard(SessionState.ESTABLISHED)
    with on(store) as s:
        assert s.state is SessionState.ESTABLISHED, "and what was renewed is stored"


@pytest.mark.requirement("RESUME-1", "RENEW-9")
def test_an_expired_session_is_resumed_offline_and_renewed_when_the_network_is_back(
    store: Store, fake: FakePlatform, clock: ManualClock, on: StageOf
) -> None:
    leave_one(on, store)
    clock.advance(31 * 24 * 3600.0)
    fake.fail(None, faults.drop())
    with on(store, session_handler=Vouching(fake)) as s:
        s.until(lambda: s.session._engine.snapshot.retry is not None)
        assert isinstance(s.failure(s.start("authorization")), RenewalFailedError)
        s.call("renew_now")
        assert s.state is SessionState.ESTABLISHED


@pytest.mark.requirement("RESUME-1", "RENEW-12")
def test_an_expired_session_that_nobody_can_renew_is_refused_and_kept(
    store: Store, fake: FakePlatform, clock: ManualClock, on: StageOf
) -> None:
    leave_one(on, store)
    clock.advance(31 * 24 * 3600.0)
    for _ in range(2):
        with pytest.raises(HandlerRequiredError), on(store):
            pass
    with on(store, resume=False) as s:
        assert s.state is SessionState.NOT_LOGGED_IN
    with on(store, session_handler=Vouching(fake)) as s:
        s.heard(SessionState.ESTABLISHED)


@pytest.mark.requirement("RENEW-12", "RESUME-1")
def test_a_session_resumed_where_nobody_can_renew_it_is_warned_of(
    store: Store, fake: FakePlatform, on: StageOf, caplog: pytest.LogCaptureFixture
) -> None:
    leave_one(on, store)
    for handler, warnings in ((Vouching(fake), 0), (None, 1)):
        caplog.clear()
        with on(store, session_handler=handler) as s:
            assert s.state is SessionState.ESTABLISHED
        assert caplog.text.count("will not outlive its token") == warnings


@pytest.mark.requirement("RESUME-1", "CLIENT-2")
def test_only_ones_own_session_is_resumed(store: Store, face: Face, fake: FakePlatform, on: StageOf) -> None:
    leave_one(on, store)
    for other in ({"api_key": "another"}, {"region": "eu"}, {"slot": "second"}, {"store": MemoryStore()}):
        with on(**{"store": store, **other}) as s:
            assert s.state is SessionState.NOT_LOGGED_IN, other
    with on(store, slot="second") as s:
        s.log_in("bob")
        s.call("logout")
    with on(store) as s:
        assert s.session.user_id == "ann", "and the slots don't disturb each other"


@pytest.mark.requirement("RESUME-1")
def test_without_resuming_a_login_replaces_what_is_stored(store: Store, on: StageOf) -> None:
    leave_one(on, store)
    with on(store, resume=False) as s:
        s.log_in("bob")
    with on(store) as s:
        assert s.session.user_id == "bob"


@pytest.mark.requirement("RESUME-1")
def test_a_damaged_record_is_told_once_kept_aside_and_then_gone(
    sqlite: SqliteStore, tmp_path: Path, on: StageOf, fake: FakePlatform
) -> None:
    leave_one(on, sqlite)
    database = sqlite3.connect(tmp_path / "sessions.db")
    with database:
        database.execute("UPDATE record SET payload = 'damaged'")
    database.close()
    with pytest.raises(StoredRecordError), on(sqlite):
        pass
    with on(sqlite) as s:
        assert s.state is SessionState.NOT_LOGGED_IN
        s.log_in()
    with on(sqlite) as s:
        assert s.state is SessionState.ESTABLISHED


class Broken(MemoryStore):
    """A store that cannot do what it is told to fail at."""

    def __init__(self, fails: str) -> None:
        super().__init__()
        self.fails = fails

    def load(self, key: str) -> Any:
        if self.fails == "load":
            raise StoreError("cannot be read")
        return super().load(key)

    def device_id(self, make: Callable[[], str]) -> str:
        if self.fails == "device_id":
            raise StoreError("cannot be read")
        return super().device_id(make) if self.fails != "garbage" else ""


@pytest.mark.requirement("RESUME-1", "CLIENT-3")
@pytest.mark.parametrize("fails", ["load", "device_id", "garbage"])
def test_a_session_that_cannot_be_opened_is_closed_again(fails: str, on: StageOf) -> None:
    s = on(Broken(fails))
    with pytest.raises((StoreError, ValueError)), s:
        pass
    assert isinstance(s.failure(s.start("authorization")), SessionClosed)
    with pytest.raises(SessionClosed), s.face.open(s.session):
        pass


@pytest.mark.requirement("RESUME-1", "LOGIN-1")
def test_a_resumed_session_takes_no_login(store: Store, on: StageOf) -> None:
    leave_one(on, store)
    with on(store) as s:
        assert isinstance(s.failure(s.start("login", "bob", auth_token="word")), NotAllowedError)


@pytest.mark.requirement("BAN-4", "RESUME-2")
def test_a_banned_session_is_not_resumed(store: Store, on: StageOf) -> None:
    with on(store) as s:
        s.log_in()
        s.session.note_ban("ann")
        s.heard(SessionState.TERMINATED)
    with on(store) as s:
        assert s.state is SessionState.NOT_LOGGED_IN


@pytest.mark.requirement("RESUME-1", "LOGIN-8")
def test_visitors_are_resumed_and_renew_at_their_own_endpoint(
    store: Store, fake: FakePlatform, clock: ManualClock, on: StageOf
) -> None:
    with on(store) as s:
        s.call("login_as_visitor")
    clock.advance(31 * 24 * 3600.0)
    with on(store) as s:
        s.heard(SessionState.ESTABLISHED)
    assert len(fake.requests_to(Endpoint.VISITOR_LOGIN)) == 2
