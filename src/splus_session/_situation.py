"""Where a session is, and why, and what comes next: in words, for whoever looks after it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, get_args

from splus_session import _rules
from splus_session._core import allowed_in, at_time, upcoming
from splus_session._credentials import SessionKind
from splus_session._events import (
    AnswerOverdue,
    RenewalDue,
    Request,
    RevocationDue,
    TimeFact,
    TokenExpired,
    event_name,
)
from splus_session._explain import describe
from splus_session._snapshot import Snapshot
from splus_session._states import SessionState, TerminationReason
from splus_session._text import time_in_words

__all__ = ["COMING", "ENDED", "WHERE", "explain"]

WHERE: Final = {
    SessionState.NOT_LOGGED_IN: "nobody is logged in",
    SessionState.ESTABLISHING: "a login is on its way",
    SessionState.ESTABLISHED: "there is a live access token",
    SessionState.TOKEN_EXPIRED: "the access token is dead, and the user is kept",
    SessionState.TERMINATED: "the platform ended it",
}
ENDED: Final = {
    TerminationReason.GLOBAL_BAN: "the platform banned the user",
    TerminationReason.USER_DELETED: "the platform deleted the user",
}
_KINDS = {
    SessionKind.AUTH_TOKEN: "with an auth token from the backend",
    SessionKind.DEVELOPMENT: "with a user id alone, in development",
    SessionKind.ACCESS_TOKEN: "with an access token from the backend",
    SessionKind.VISITOR: "as a visitor",
    SessionKind.SIGNED_VISITOR: "as a visitor whose device the backend signed for",
    SessionKind.BOT: "as a bot",
}
COMING: dict[type[TimeFact], str] = {
    TokenExpired: "the access token expires",
    RenewalDue: "a renewal begins",
    AnswerOverdue: "the handler's time to answer is over",
    RevocationDue: "the revocation of the access token begins",
}


def explain(snapshot: Snapshot, now: float) -> str:
    """Say in a few lines where a session is and why, what is on its way, and what comes next and when.

    No line holds a token, or who the user is. [SECRET-1]

    Args:
        snapshot: the session, such as `core.snapshot`.
        now: the time to explain it at (UTC seconds); what is due by then is told as due.

    Raises:
        InvalidArgumentError: `now` is no number, or beyond the year 9999.

    Example:
        >>> from splus_session import SessionCore, explain
        >>> print(explain(SessionCore().snapshot, now=0))
        notLoggedIn: nobody is logged in.
        Nothing is due: it stays like this until something happens.
        Possible now: login, login_with_access_token, login_as_visitor, login_as_bot, logout, secure_logout.
    """
    return "\n".join(_lines(at_time(snapshot, now)))


def _lines(snapshot: Snapshot) -> Iterator[str]:
    why = WHERE[snapshot.state] if snapshot.ended is None else ENDED[snapshot.ended]
    yield f"{snapshot.state.value}: {why}."
    yield from _token(snapshot)
    yield from _under_way(snapshot)
    due = upcoming(snapshot)
    if due is None:
        yield f"Nothing is due: {_until(snapshot)}."
    else:
        at, fact = due
        word = "Next" if at >= snapshot.now else "Overdue since then"
        yield f"{word}, {_when(at, snapshot)}: {COMING[type(fact)]}."
    # Resuming is what opening a session does; there is no method to call for it.
    allowed = allowed_in(snapshot.state) - {"resume"}
    possible = (name for name in map(event_name, get_args(Request)) if name in allowed)
    yield f"Possible now: {', '.join(possible)}."


def _token(snapshot: Snapshot) -> Iterator[str]:
    credential = snapshot.credential
    if credential is None:
        return
    if snapshot.kind is not None:
        yield f"It began {_KINDS[snapshot.kind]}."
    if credential.expires_at is None:
        yield "The token does not say when it expires."
    else:
        until = _rules.expiry(snapshot.config, credential) - snapshot.offset
        word = "is" if until > snapshot.now else "was"
        yield f"The token {word} good until {_when(until, snapshot)}, a margin before it expires."
    if abs(snapshot.offset) >= 1:
        where = "ahead of" if snapshot.offset > 0 else "behind"
        yield f"The platform's clock is {time_in_words(abs(round(snapshot.offset)))} {where} ours."


def _under_way(snapshot: Snapshot) -> Iterator[str]:
    renewal, retry, revocation = snapshot.renewal, snapshot.retry, snapshot.revocation
    if snapshot.state is SessionState.ESTABLISHING:
        yield f"Login #{snapshot.session} waits for the platform's answer."
    if renewal is not None:
        whom = "the handler's answer" if renewal.grant is None else "the platform's answer"
        tried = f", after {renewal.failures} that failed" if renewal.failures else ""
        yield f"Renewal #{renewal.attempt} waits for {whom}{tried}."
    elif retry is not None and retry.failure is not None:
        times = "once" if retry.failures == 1 else f"{retry.failures} times in a row"
        yield f"Renewing failed {times}, last since {describe(retry.failure)}."
    if snapshot.verification is not None:
        yield f"The token was rejected; verification #{snapshot.verification} finds out whether it is alive."
    if revocation is not None:
        what = "was sent" if revocation.sent else "waits for the renewal"
        yield f"A secure logout (#{revocation.attempt}) is on its way: its revocation {what}."
    if snapshot.credential is not None and not _rules.can_renew(snapshot, snapshot.kind):
        yield "Nobody can renew it: no handler for that is registered."


def _until(snapshot: Snapshot) -> str:
    if snapshot.state is SessionState.TERMINATED:
        return "only logout leads out"
    waits = snapshot.state is SessionState.ESTABLISHING or any(
        (snapshot.renewal, snapshot.verification, snapshot.revocation)
    )
    return "it waits for an answer" if waits else "it stays like this until something happens"


def _when(at: float, snapshot: Snapshot) -> str:
    """A time, and how far away it is."""
    try:
        moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError):
        moment = "beyond the year 9999"
    left = round(at - snapshot.now, 1)
    away = "now" if left == 0 else f"in {time_in_words(left)}" if left > 0 else f"{time_in_words(-left)} ago"
    return f"{moment} ({away})"
