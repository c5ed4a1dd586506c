"""`explain` says where a session is and what comes next, and gives nothing away."""

import re
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session import (
    AccessToken,
    AuthToken,
    AuthTokenGrant,
    Credential,
    Failure,
    FailureKind,
    HandlersChanged,
    InvalidArgumentError,
    Login,
    Logout,
    RenewalAnswered,
    RenewalFailed,
    Request,
    SecureLogout,
    ServerClock,
    SessionCore,
    SessionOpened,
    SessionState,
    Snapshot,
    TokenRejected,
    UserBanned,
    UserDeleted,
    allowed_in,
    event_name,
    explain,
    upcoming,
)
from splus_session.testing.strategies import EPOCH, snapshots

NOON = 1_700_049_600.0


def logged_in(*, handler: bool = True, lifetime: float | None = 3600.0) -> SessionCore:
    core = SessionCore(seed=1)
    core.receive(HandlersChanged(session_handler=handler, access_token_handler=False), NOON)
    core.receive(Login("ann", AuthToken("CANARY")), NOON)
    expires_at = None if lifetime is None else NOON + lifetime
    credential = Credential(AccessToken("CANARY"), "ann", issued_at=NOON, expires_at=expires_at)
    core.receive(SessionOpened(credential, attempt=1), NOON)
    return core


def told(core: SessionCore, now: float = NOON) -> list[str]:
    words = explain(core.snapshot, now)
    assert "CANARY" not in words
    assert "ann" not in words.split()
    return words.splitlines()


@given(snapshots(list(SessionState)), st.floats(-40 * 86400.0, 40 * 86400.0))
def test_any_session_can_be_explained_at_any_time(snapshot: Snapshot, later: float) -> None:
    now = EPOCH + later
    lines = explain(snapshot, now).splitlines()
    assert lines[0].startswith(f"{snapshot.state.value}: ")
    possible = set(map(event_name, get_args(Request))) & (allowed_in(snapshot.state) - {"resume"})
    assert set(lines[-1].removeprefix("Possible now: ").removesuffix(".").split(", ")) == possible
    assert all(line.endswith(".") for line in lines)


@given(snapshots(list(SessionState)))
def test_what_is_said_to_come_next_is_what_the_core_will_do(snapshot: Snapshot) -> None:
    words = explain(snapshot, max(snapshot.now, EPOCH - 40 * 86400.0))
    due = upcoming(snapshot)
    if due is None:
        assert "Nothing is due: " in words
        return
    moment = datetime.fromtimestamp(due[0], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    kind = {
        "token_expired": "the access token expires",
        "renewal_due": "a renewal begins",
        "answer_overdue": "the handler's time to answer is over",
        "revocation_due": "the revocation of the access token begins",
    }[event_name(due[1])]
    word = "Next" if due[0] >= max(snapshot.now, EPOCH - 40 * 86400.0) else "Overdue since then"
    assert re.search(rf"^{word}, {moment} \(.*\): {kind}\.$", words, re.MULTILINE)


@pytest.mark.requirement("SECRET-1")
@given(snapshots(list(SessionState)))
def test_no_token_and_no_user_is_told(snapshot: Snapshot) -> None:
    words = explain(snapshot, max(snapshot.now, EPOCH - 40 * 86400.0))
    assert "access-" not in words, "as every token of these begins"
    assert snapshot.user_id is None or not re.search(rf"\b{re.escape(snapshot.user_id)}\b", words)


def test_a_session_that_lives_is_explained_line_by_line() -> None:
    core = logged_in()
    assert told(core, NOON + 60) == [
        "established: there is a live access token.",
        "It began with an auth token from the backend.",
        "The token is good until 2023-11-15 12:59:25 UTC (in 58 min 25 s), a margin before it expires.",
        f"Next, {_moment(core)}: a renewal begins.",
        "Possible now: logout, secure_logout, renew_now.",
    ]


def _moment(core: SessionCore) -> str:
    due = core.deadline
    assert due is not None
    at = datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    [words] = re.findall(r"Next, (.*?): ", explain(core.snapshot, NOON + 60))
    assert str(words).startswith(f"{at} (in ")
    return str(words)


def test_it_says_what_a_session_waits_for_and_what_went_wrong() -> None:
    core = logged_in()
    due = core.deadline
    assert due is not None
    core.advance(due)
    assert "Renewal #2 waits for the handler's answer." in told(core, due)
    core.receive(RenewalAnswered(2, AuthTokenGrant("ann", AuthToken("CANARY"))), due + 1)
    assert "Renewal #2 waits for the platform's answer." in told(core, due + 1)
    core.receive(RenewalFailed(2, Failure(FailureKind.UNAVAILABLE, 503)), due + 2)
    last = "Renewing failed once, last since the platform is ailing (status 503)."
    assert last in told(core, due + 2)
    core.receive(SecureLogout(), due + 2)
    assert "A secure logout (#3) is on its way: its revocation was sent." in told(core, due + 2)


def test_it_says_why_a_session_stays_as_it_is() -> None:
    assert "Nothing is due: it stays like this until something happens." in told(SessionCore())
    alone = logged_in(handler=False, lifetime=None)
    assert "Nobody can renew it: no handler for that is registered." in told(alone)
    assert "The token does not say when it expires." in told(alone)
    alone.receive(TokenRejected(1), NOON)
    assert "The token was rejected; verification #2 finds out whether it is alive." in told(alone)
    assert "Nothing is due: it waits for an answer." in told(alone)
    for event, words in ((UserBanned(), "banned"), (UserDeleted(), "deleted")):
        core = logged_in()
        core.receive(event, NOON)
        assert told(core)[:2] == [
            f"terminated: the platform {words} the user.",
            "Nothing is due: only logout leads out.",
        ]
    core.receive(Logout(), NOON)
    assert told(core)[0] == "notLoggedIn: nobody is logged in."


def test_it_tells_of_a_clock_that_is_wrong_and_of_what_is_over() -> None:
    core = SessionCore()
    core.receive(Login("ann", AuthToken("CANARY")), NOON)
    assert "Login #1 waits for the platform's answer." in told(core)
    credential = Credential(AccessToken("CANARY"), "ann", issued_at=NOON + 90, expires_at=NOON + 3690)
    core.receive(SessionOpened(credential, attempt=1, clock=ServerClock(NOON + 90, NOON)), NOON)
    assert "The platform's clock is 1 min 30 s ahead of ours." in told(core)
    late = told(core, NOON + 4000)
    assert any(line.startswith("The token was good until ") and " ago)" in line for line in late)


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidArgumentError):
        explain(SessionCore().snapshot, float("nan"))


def test_a_token_that_lives_as_long_as_there_are_dates_is_explained() -> None:
    core = SessionCore(seed=1)
    core.receive(Login("ann", AuthToken("CANARY")), NOON)
    credential = Credential(AccessToken("CANARY"), "ann", issued_at=NOON, expires_at=253_402_300_799.0)
    core.receive(SessionOpened(credential, attempt=1, clock=ServerClock(NOON - 90, NOON)), NOON)
    assert any("good until beyond the year 9999 (in " in line for line in told(core))


def test_what_should_have_happened_is_said_to_be_overdue() -> None:
    core = logged_in()
    due = core.deadline
    assert due is not None
    assert any(line.startswith("Overdue since then, ") for line in told(core, due + 60))
    assert any(line.startswith("Next, ") and "(now)" in line for line in told(core, due))
