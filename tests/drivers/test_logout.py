import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from splus_session import (
    ChangeReason,
    Config,
    InterruptedByError,
    NotAllowedError,
    NotLoggedInError,
    RefusedError,
    RenewalFailedError,
    SessionState,
    StoreError,
    UnavailableError,
    UserBannedError,
    WaitTimeoutError,
)
from splus_session._credentials import Record
from splus_session.stores import MemoryStore
from splus_session.testing import Endpoint, FakePlatform, Fault, faults
from tests.drivers.conftest import OpenStage
from tests.drivers.faces import PATIENCE, Face, Log
from tests.drivers.stage import DUE, Asked, Stage, Vouching


class Store(MemoryStore):
    """A store that fails when told, and can be looked into."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: set[str] = set()
        self.log = Log()

    def save(self, key: str, record: Record) -> None:
        self._do("save")
        super().save(key, record)

    def delete(self, key: str) -> None:
        self._do("delete")
        super().delete(key)

    def _do(self, what: str) -> None:
        self.log.add(what)
        if what in self.fails:
            raise StoreError("the disk is full; the record may remain")

    @property
    def records(self) -> list[Record]:
        return list(self._records.values())


class Wild(Store):
    """One that raises what it likes."""

    def _do(self, what: str) -> None:
        if what in self.fails:
            raise ZeroDivisionError("and a secret in the message")


def establish(s: Stage) -> None:
    s.log_in()


def establishing(s: Stage) -> None:
    hold = s.fake.hold(Endpoint.LOGIN)
    s.start("login", "ann", auth_token=s.fake.issue_auth_token("ann"))
    hold.arrived.wait()


def expired(s: Stage) -> None:
    s.log_in()
    s.expire()


def terminated(s: Stage) -> None:
    s.log_in()
    s.session.note_ban("ann")
    s.heard(SessionState.TERMINATED)


REACH: dict[SessionState, Callable[[Stage], None]] = {
    SessionState.NOT_LOGGED_IN: lambda s: None,
    SessionState.ESTABLISHING: establishing,
    SessionState.ESTABLISHED: establish,
    SessionState.TOKEN_EXPIRED: expired,
    SessionState.TERMINATED: terminated,
}


@pytest.mark.requirement("LOGOUT-1", "LOGOUT-2", "LOGOUT-5")
@pytest.mark.parametrize("state", REACH, ids=lambda state: state.value)
def test_logout_needs_no_network_and_leaves_nothing_from_any_state(
    state: SessionState, stage: OpenStage
) -> None:
    store = Store()
    s = stage(store=store)
    REACH[state](s)
    s.fake.fail(None, faults.drop(), times=99)
    sent = len(s.fake.requests)
    for _ in range(2):
        s.call("logout")
        assert s.state is SessionState.NOT_LOGGED_IN
        assert store.records == []
    snapshot = s.session._engine.snapshot
    assert (snapshot.credential, snapshot.user_id, snapshot.renewal, snapshot.retry) == (None,) * 4
    assert s.session._engine.live is None
    assert s.session._engine.own_handler is None
    assert s.session._engine.tick() is None
    assert len(s.fake.requests) == sent, "nothing was sent"
    s.heard(SessionState.NOT_LOGGED_IN)
    told = len(s.changes)
    s.call("logout")
    assert len(s.changes) == told, "repeating it tells nothing"


@pytest.mark.requirement("LOGOUT-1", "EXPIRE-2")
def test_authorisation_is_cut_before_the_record_is_gone_and_observers_hear_after_it(
    stage: OpenStage,
) -> None:
    found: list[Any] = []

    class Looking(Store):
        def delete(self, key: str) -> None:
            found.append((s.session._engine.live, s.session.state))
            super().delete(key)

    s = stage(store=Looking())
    s.log_in()
    s.call("logout")
    assert found == [(None, SessionState.ESTABLISHED)]
    assert s.heard(SessionState.NOT_LOGGED_IN).reason is ChangeReason.LOGOUT


@pytest.mark.requirement("LOGOUT-1")
@pytest.mark.parametrize("kind", [Store, Wild])
@pytest.mark.parametrize("method", ["logout", "secure_logout"])
def test_a_record_that_cannot_be_deleted_is_said_and_the_user_is_logged_out(
    kind: type[Store], method: str, stage: OpenStage
) -> None:
    store = kind()
    s = stage(store=store)
    s.log_in()
    store.fails = {"delete"}
    error = s.failure(s.start(method))
    assert isinstance(error, StoreError)
    assert "may remain" in str(error)
    assert "secret" not in str(error)
    assert error.state is SessionState.NOT_LOGGED_IN
    assert s.heard(SessionState.NOT_LOGGED_IN)
    store.fails = set()
    s.call("logout")
    assert store.records == [], "repeating it deletes what remained"


@pytest.mark.requirement("LOGOUT-1", "LOGIN-9", "BAN-3")
def test_who_waits_for_something_else_hears_of_that_and_not_of_the_store(stage: OpenStage) -> None:
    store = Store()
    s = stage(store=store, session_handler=Asked())
    expired(s)
    store.fails = {"delete"}
    renewal = s.start("renew_now")
    s.until(lambda: s.session._engine.snapshot.renewal is not None)
    s.fake.hold(Endpoint.REVOKE)
    revocation = s.start("secure_logout")
    assert isinstance(s.failure(renewal), InterruptedByError)
    s.session.note_ban("ann")
    assert isinstance(s.failure(revocation), UserBannedError)


@pytest.mark.requirement("RESUME-2")
@pytest.mark.parametrize("kind", [Store, Wild])
def test_a_session_that_cannot_be_stored_goes_on_and_that_is_logged(
    kind: type[Store], fake: FakePlatform, stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    store = kind()
    store.fails = {"save"}
    s = stage(store=store, session_handler=Vouching(fake))
    s.log_in()
    s.expire()
    s.heard(SessionState.ESTABLISHED)
    assert store.records == []
    said = [record for record in caplog.records if "unstored" in record.getMessage()]
    assert len(said) == 3, "at login, expiry and renewal"


@pytest.mark.requirement("RESUME-2")
def test_nobody_elses_session_is_resumed_after_a_save_that_failed(
    stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store()
    ann, bob = stage(store=store), stage(store=store, resume=False)
    ann.log_in("ann")
    ann.close()
    store.fails = {"save"}
    bob.log_in("bob")
    assert store.records == []
    assert "deleted" not in caplog.text
    bob.close()
    assert stage(store=store).state is SessionState.NOT_LOGGED_IN


@pytest.mark.requirement("RESUME-2")
@pytest.mark.parametrize("kind", [Store, Wild])
def test_an_older_record_that_remains_after_a_failed_save_is_logged(
    kind: type[Store], stage: OpenStage, caplog: pytest.LogCaptureFixture
) -> None:
    store = kind()
    store.fails = {"save", "delete"}
    s = stage(store=store)
    s.log_in()
    assert s.state is SessionState.ESTABLISHED
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [what.partition(":")[0] for what in said] == [
        "the session goes on unstored",
        "the stored session could not be deleted",
    ]
    assert "secret" not in caplog.text


# ── Secure logout ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGOUT-3", "LOGOUT-4")
@pytest.mark.parametrize(
    "state", [SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED], ids=lambda s: s.value
)
def test_secure_logout_revokes_and_then_logs_out(state: SessionState, stage: OpenStage) -> None:
    s = stage()
    s.log_in()
    if state is SessionState.TOKEN_EXPIRED:
        s.clock.jump(31 * 24 * 3600.0)  # by our clock alone: the platform would still take the token
        s.heard(state)
    s.call("secure_logout")
    [token] = s.fake.tokens_of("ann")
    assert token.voided
    assert s.heard(SessionState.NOT_LOGGED_IN).reason is ChangeReason.SECURE_LOGOUT
    with pytest.raises(NotLoggedInError):
        s.call("authorization")


@pytest.mark.requirement("LOGOUT-3", "LOGOUT-4")
def test_the_present_states_decide_about_a_secure_logout(stage: OpenStage) -> None:
    s = stage()
    s.call("secure_logout")
    establishing(s)
    refused = s.failure(s.start("secure_logout"))
    assert isinstance(refused, NotAllowedError)
    assert "logout" in refused.allowed
    s.call("logout")
    terminated(s)
    s.call("secure_logout")
    assert s.heard(SessionState.NOT_LOGGED_IN).reason is ChangeReason.LOGOUT
    assert s.fake.requests_to(Endpoint.REVOKE) == ()


@pytest.mark.requirement("LOGOUT-3")
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.server_error(), UnavailableError),
        (faults.drop(), UnavailableError),
        (faults.drop(carried_out=True), UnavailableError),
        (faults.unauthorized(), RefusedError),
    ],
)
def test_a_secure_logout_that_fails_leaves_all_as_it_was(
    fault: Fault, error: type[Exception], stage: OpenStage
) -> None:
    store = Store()
    s = stage(store=store)
    s.log_in()
    header, records = s.call("authorization"), store.records
    s.fake.fail(Endpoint.REVOKE, fault)
    failure = s.failure(s.start("secure_logout"))
    assert type(failure) is error
    assert failure.state is SessionState.ESTABLISHED  # type: ignore[attr-defined]
    assert s.call("authorization") == header
    assert store.records == records
    assert s.state is SessionState.ESTABLISHED
    assert len(s.changes) <= 3, "nothing was told"
    assert len(s.fake.requests_to(Endpoint.VERIFY)) == (1 if fault.name.startswith("error 401") else 0)


@pytest.mark.requirement("LOGOUT-3")
def test_a_token_that_is_void_already_is_verified_once_and_then_logged_out(stage: OpenStage) -> None:
    s = stage()
    s.log_in()
    s.fake.revoke("ann")
    s.call("secure_logout")
    assert s.state is SessionState.NOT_LOGGED_IN
    assert len(s.fake.requests_to(Endpoint.VERIFY)) == 1


@pytest.mark.requirement("LOGOUT-4")
def test_a_second_secure_logout_joins_the_first(stage: OpenStage) -> None:
    s = stage()
    s.log_in()
    hold = s.fake.hold(Endpoint.REVOKE)
    calls = [s.start("secure_logout") for _ in range(5)]
    hold.arrived.wait()
    hold.release()
    for call in calls:
        call.result(20)
    assert len(s.fake.requests_to(Endpoint.REVOKE)) == 1


@pytest.mark.requirement("LOGOUT-4", "EXPIRE-5")
@pytest.mark.parametrize("meanwhile", ["logout", "ban", "expiry, revoked", "expiry, not revoked"])
def test_what_comes_between_decides_and_the_caller_is_told(meanwhile: str, stage: OpenStage) -> None:
    s = stage(session_handler=Asked())
    s.log_in()
    hold = s.fake.hold(Endpoint.REVOKE, carried_out=meanwhile == "expiry, revoked")
    call = s.start("secure_logout")
    hold.arrived.wait()
    match meanwhile:
        case "logout":
            s.call("logout")
            error = s.failure(call)
            assert isinstance(error, InterruptedByError)
            assert error.state is SessionState.NOT_LOGGED_IN
        case "ban":
            s.session.note_ban("ann")
            error = s.failure(call)
            assert isinstance(error, UserBannedError)
            assert error.state is SessionState.TERMINATED
            s.heard(SessionState.TERMINATED)
        case _:
            s.clock.jump(31 * 24 * 3600.0)
            s.heard(SessionState.TOKEN_EXPIRED)
            header = s.start("authorization")
            assert isinstance(s.failure(s.start("renew_now")), NotAllowedError), "no renewal starts meanwhile"
            if meanwhile == "expiry, revoked":
                hold.release()
                call.result(20)
                assert isinstance(s.failure(header), NotLoggedInError)
            else:
                s.fake.fail(Endpoint.VERIFY, faults.server_error())
                s.fake.revoke("ann")
                hold.release()
                error = s.failure(call)
                assert isinstance(error, UnavailableError)
                assert error.state is SessionState.TOKEN_EXPIRED
    hold.release()


@pytest.mark.requirement("LOGOUT-4")
def test_a_renewal_on_its_way_is_awaited_so_that_the_token_in_use_is_revoked(
    fake: FakePlatform, stage: OpenStage
) -> None:
    s = stage(session_handler=Vouching(fake))
    s.log_in()
    hold = fake.hold(Endpoint.LOGIN)
    s.clock.advance(DUE)
    hold.arrived.wait()
    call = s.start("secure_logout")
    header = s.start("authorization")
    header.result(20)  # the old token is good until it is revoked
    hold.release()
    call.result(20)
    [revoked] = fake.requests_to(Endpoint.REVOKE)
    assert revoked.access_token == fake.tokens_of("ann")[-1].token
    assert fake.tokens_of("ann")[-1].voided


@pytest.mark.requirement("LOGOUT-4")
def test_a_renewal_that_takes_too_long_is_not_awaited_for_ever(fake: FakePlatform, stage: OpenStage) -> None:
    s = stage(session_handler=Vouching(fake), config=Config(wait_limit=10.0))
    s.log_in()
    hold = fake.hold(Endpoint.LOGIN)
    s.clock.advance(DUE)
    hold.arrived.wait()
    call = s.start("secure_logout")
    s.until(lambda: s.session._engine.snapshot.revocation is not None)
    s.clock.advance(10.0)
    failure = call.exception(PATIENCE)
    assert fake.tokens_of("ann")[0].voided is (failure is None), "it is revoked, or all is as it was"
    assert (s.session.user_id is None) is (failure is None)
    hold.release()


@pytest.mark.requirement("LOGOUT-4", "HANDLER-1")
def test_an_open_question_to_the_handler_is_withdrawn(fake: FakePlatform, stage: OpenStage) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    s.log_in()
    s.clock.advance(DUE)
    handler.log.wait_count(1)
    s.call("secure_logout")
    handler.log[0].renew_with_auth_token(fake.issue_auth_token("ann"))
    assert len(fake.requests_to(Endpoint.LOGIN)) == 1


@pytest.mark.requirement("CLIENT-2", "LOGOUT-2")
def test_one_sessions_logout_is_not_anothers(face: Face, stage: OpenStage) -> None:
    one, other = stage(), stage()
    one.log_in("ann")
    other.log_in("bob")
    assert one.session.device_id != other.session.device_id
    one.call("logout")
    assert other.state is SessionState.ESTABLISHED
    assert other.session.user_id == "bob"
    assert SessionState.TERMINATED not in other.states
    one.session.set_session_handler(Asked())
    assert other.session._handlers() == (None, None)


@pytest.mark.requirement("EXPIRE-5", "RENEW-3", "LOGOUT-4")
@pytest.mark.parametrize("renewed", [True, False], ids=["renewed", "not renewed"])
def test_who_waits_during_a_revocation_that_fails_shares_the_renewal_and_not_that_failure(
    renewed: bool, fake: FakePlatform, stage: OpenStage
) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    s.log_in()
    hold = faults.Hold()
    fake.fail(Endpoint.REVOKE, hold.fault(), faults.server_error())
    call = s.start("secure_logout")
    hold.arrived.wait()
    s.clock.jump(31 * 24 * 3600.0)
    s.heard(SessionState.TOKEN_EXPIRED)
    header = s.start("authorization")
    s.until(lambda: "authorize" in s.moves)
    hold.release()
    assert isinstance(s.failure(call), UnavailableError)
    handler.log.wait_count(1)
    s.until(lambda: header.done() or s.moves.count("authorize") == 2)
    if renewed:
        handler.log[0].renew_with_auth_token(fake.issue_auth_token("ann"))
        assert header.result(PATIENCE).header == s.call("authorization").header
    else:
        handler.log[0].unable_to_retrieve_auth_token()
        assert isinstance(s.failure(header), RenewalFailedError)


@pytest.mark.requirement("EXPIRE-5")
def test_the_bound_of_a_wait_does_not_begin_anew_with_what_is_waited_for(
    fake: FakePlatform, stage: OpenStage
) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    s.log_in()
    hold = faults.Hold()
    fake.fail(Endpoint.REVOKE, hold.fault(), faults.server_error())
    call = s.start("secure_logout")
    hold.arrived.wait()
    s.clock.jump(31 * 24 * 3600.0)
    s.heard(SessionState.TOKEN_EXPIRED)
    header = s.start("authorization")
    s.until(lambda: "authorize" in s.moves)
    s.clock.advance(20.0)
    hold.release()
    assert isinstance(s.failure(call), UnavailableError)
    handler.log.wait_count(1)
    s.until(lambda: s.moves.count("authorize") == 2)
    assert not header.done(), "now for the renewal"
    s.clock.advance(10.0)
    assert isinstance(s.failure(header), WaitTimeoutError)


@pytest.mark.requirement("BAN-3", "BAN-4")
def test_who_reports_a_ban_hears_when_it_is_stored_and_told(stage: OpenStage) -> None:
    began, go_on = threading.Event(), threading.Event()

    class Slow(Store):
        def delete(self, key: str) -> None:
            began.set()
            go_on.wait(PATIENCE)
            super().delete(key)

    class Threaded:
        """Not known to be quick, so that a loop does not wait for it."""

        def __init__(self) -> None:
            store = Slow()
            self.load, self.save, self.delete, self.device_id = (
                store.load,
                store.save,
                store.delete,
                store.device_id,
            )

    s = stage(store=Threaded())
    s.log_in()
    report = s.start("report_banned", s.call("authorization").attempt)
    assert began.wait(PATIENCE)
    with pytest.raises(TimeoutError):
        report.result(0.1)
    go_on.set()
    report.result(PATIENCE)
    assert s.state is SessionState.TERMINATED
