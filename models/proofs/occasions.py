"""Events that stand for any event: their numbers, times and credentials are symbols.

An event is made field by field, by the field's name, so one that is added to `_events.py` is met
here too, or refused by name if it has a field that nobody knows yet.
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any, Final
from unittest import mock

import attrs

from models.proofs.memory import KINDS
from models.proofs.sketches import credential_of, grant_of, kind_of
from models.proofs.symbols import INT, REAL, ImpossibleError, Part, Path, symbol, truth
from splus_session import (
    AccessTokenGrant,
    AuthSignature,
    AuthToken,
    Credential,
    Event,
    Failure,
    FailureKind,
    Record,
    ServerClock,
)
from splus_session._failures import RETRYABLE

ATTEMPT: Final = symbol("event_attempt", INT)
NUMBERED: Final = truth("event_numbered")
USER: Final = symbol("event_user", INT)
NAMED: Final = truth("event_named")
OWNER: Final = symbol("event_owner", INT)
TOKEN: Final = symbol("event_token", INT)
ISSUED_AT: Final = symbol("event_issued_at", REAL)
EXPIRES: Final = truth("event_expires")
EXPIRES_AT: Final = symbol("event_expires_at", REAL)
TELLS_TIME: Final = truth("event_tells_time")
DATE: Final = symbol("event_date", REAL)
SENT_AT: Final = symbol("event_sent_at", REAL)
PASSES: Final = truth("event_passes")
RETRY_AFTER: Final = symbol("event_retry_after", REAL)
ASKS_TO_WAIT: Final = truth("event_asks_to_wait")
RECORD_EXPIRED: Final = truth("event_record_expired")
RECORD_OFFSET: Final = symbol("event_record_offset", REAL)

_PASSES, _STAYS = FailureKind.UNREACHABLE, FailureKind.REFUSED
FOREVER: Final = 1e30
"""Seconds; a finite number in place of a `Retry-After` without end."""


@contextlib.contextmanager
def any_event(path: Path, kind: type[Event]) -> Iterator[Event]:
    """Any event of this kind, of which a field is drawn when somebody looks at it.

    It has to be of the very class, so it is the class that is told how to draw, for that time.
    """
    fields = {field.name: str(field.type) for field in attrs.fields(kind)}

    def draw(event: Event, name: str) -> Any:
        if name not in fields:
            raise AttributeError(name)
        value = _drawn(path, name, optional="None" in fields[name])
        object.__setattr__(event, name, value)
        return value

    with mock.patch.object(kind, "__getattr__", draw, create=True):
        yield object.__new__(kind)


def _drawn(path: Path, name: str, *, optional: bool) -> Any:
    match name:
        case "attempt":
            if optional and not path.decide(NUMBERED):
                return None
            return path.number("event_attempt", whole=True)
        case "user_id":
            return None if optional and not path.decide(NAMED) else path.name("event_user")
        case "credential":
            return credential_of(path, "event_")
        case "clock":
            if not path.decide(TELLS_TIME):
                return None
            date: Any = path.number("event_date")
            sent_at: Any = path.number("event_sent_at")
            return ServerClock(date, sent_at)
        case "failure":
            told = not optional or path.decide(truth("event_told_by_an_answer"))
            return _failure(path) if told else None
        case "grant":
            path.assume(truth("event_grant"))
            return grant_of(path, "event_")
        case "record":
            return _record(path)
        case "auth_token":
            return AuthToken("any") if path.decide(truth("event_auth_token")) else None
        case "signature":
            return AuthSignature("any") if path.decide(truth("event_signature")) else None
        case "display_name" | "signature_expires_at":
            return None
        case "minted" | "own_handler" | "session_handler" | "access_token_handler":
            return path.decide(truth(f"event_{name}"))
        case _:
            raise NotImplementedError(f"the proofs know no event with a field {name}")


def _failure(path: Path) -> Any:
    """One of those that may pass or one of those that won't: the core tells no others apart."""

    def draw(path: Path, field: str) -> Any:
        if field == "kind":
            return _PASSES if path.decide(PASSES) else _STAYS
        return path.number("event_retry_after") if path.decide(ASKS_TO_WAIT) else None

    return Part(path, draw)


def _record(path: Path) -> Any:
    def draw(path: Path, field: str) -> Any:
        match field:
            case "kind":
                kind = kind_of(path, "event_kind")
                if kind is None:
                    raise ImpossibleError
                return kind
            case "credential":
                return credential_of(path, "event_")
            case "expired":
                return path.decide(RECORD_EXPIRED)
            case _:
                return path.number(f"event_record_{field}")

    return Part(path, draw)


def values_of_event(event: Event, names: dict[object, int]) -> dict[str, Any]:
    """What the variables of `any_event` are for a real event."""
    found: dict[str, Any] = {}
    for field in attrs.fields(type(event)):
        found |= _told(field.name, getattr(event, field.name), names)
    return found


def _told(name: str, value: Any, names: dict[object, int]) -> dict[str, Any]:
    match name, value:
        case (("display_name" | "signature_expires_at"), _):
            return {}
        case (("auth_token" | "signature"), _):
            return {f"event_{name}": value is not None}
        case "attempt", _:
            return {"event_numbered": value is not None, "event_attempt": value}
        case "user_id", _:
            return {"event_named": value is not None, "event_user": value and _number(value, names)}
        case "clock", None:
            return {"event_tells_time": False}
        case "clock", ServerClock():
            return {"event_tells_time": True, "event_date": value.date, "event_sent_at": value.sent_at}
        case "failure", None:
            return {"event_told_by_an_answer": False}
        case "failure", Failure():
            wait = value.retry_after
            wait = wait if wait is None or math.isfinite(wait) else math.copysign(FOREVER, wait)
            asks = {"event_asks_to_wait": wait is not None, "event_retry_after": wait}
            asks["event_told_by_an_answer"] = True
            return {"event_passes": value.kind in RETRYABLE, **asks}
        case "credential", Credential():
            return _of_credential(value, names)
        case "grant", AccessTokenGrant():
            return {"event_grant": True, "event_access": True, **_of_credential(value.credential, names)}
        case "grant", _:
            return {"event_grant": True, "event_access": False}
        case "record", Record():
            own = {"event_kind": KINDS.index(value.kind), "event_record_expired": value.expired}
            return own | {"event_record_offset": value.offset, **_of_credential(value.credential, names)}
        case _:
            return {f"event_{name}": value}


def _of_credential(credential: Credential, names: dict[object, int]) -> dict[str, Any]:
    return {
        "event_token": _number(credential.access_token, names),
        "event_owner": _number(credential.user_id, names),
        "event_issued_at": credential.issued_at,
        "event_expires": credential.expires_at is not None,
        "event_expires_at": credential.expires_at,
    }


def _number(value: object, names: dict[object, int]) -> int:
    return names.setdefault(value, len(names) + 1)
