"""A session's memory as z3 variables.

`FIELDS` says what of a `Snapshot` matters to time and to numbers of attempts; the seed of the jitter
and the contents of failures do not. A part that may be missing has a truth value beside it; what is
missing has some value that means nothing, so nothing may be said of it.
"""

from collections.abc import Iterator
from typing import Any, Final

import attrs
import z3

from models.proofs.symbols import BOOL, INT, REAL, Term, symbol
from splus_session import (
    Config,
    SessionKind,
    SessionState,
)
from splus_session._credentials import MAX_TIME

STATES: Final = tuple(SessionState)
KINDS: Final = (None, *SessionKind)
FIGURES: Final = {field.name: field.metadata["bounds"] for field in attrs.fields(Config) if field.metadata}
"""The numbers of a `Config`, and from where to where each may be."""


def credential_fields(prefix: str) -> dict[str, Term]:
    """The times of a credential."""
    return {f"{prefix}issued_at": REAL, f"{prefix}expires": BOOL, f"{prefix}expires_at": REAL}


def _grant(prefix: str) -> dict[str, Term]:
    """What is presented: nothing, an access token with its times, or something else."""
    return {f"{prefix}grant": BOOL, f"{prefix}access": BOOL, **credential_fields(prefix)}


FIELDS: Final[dict[str, Term]] = {
    "state": INT,
    "now": REAL,
    "offset": REAL,
    "attempt": INT,
    "session": INT,
    "kind": INT,
    "user": INT,  # 0: none
    "credential": BOOL,
    "token": INT,
    "owner": INT,
    **credential_fields(""),
    "credential_attempt": INT,
    "planned": BOOL,
    "renew_at": REAL,
    "renewal": BOOL,
    "renewal_attempt": INT,
    "renewal_failures": INT,
    "asking": BOOL,
    "answer_by": REAL,
    **_grant("renewal_"),
    "renewal_obtained_at": REAL,
    "retry": BOOL,
    "retry_at": REAL,
    "retry_failures": INT,
    "failed": BOOL,
    **_grant("retry_"),
    "retry_obtained_at": REAL,
    "verification": BOOL,
    "verification_attempt": INT,
    "revocation": BOOL,
    "revocation_attempt": INT,
    "revocation_by": REAL,
    "revocation_sent": BOOL,
    "check": BOOL,
    "check_attempt": INT,
    "ended": BOOL,
    "session_handler": BOOL,
    "access_token_handler": BOOL,
    "own_handler": BOOL,
    "development": BOOL,
    **dict.fromkeys(FIGURES, REAL),
}
VARIABLES: Final = {name: symbol(name, sort) for name, sort in FIELDS.items()}


class Memory:
    """A term for each field, or a value for some."""

    def __init__(self, terms: dict[str, Any]) -> None:
        self._terms = terms
        self.read: set[str] = set()
        """Which fields somebody has looked at."""

    def __getattr__(self, name: str) -> Term:
        self.read.add(name)
        try:
            return self._terms[name]
        except KeyError:
            raise AttributeError(name) from None

    def but(self, changes: dict[str, Any]) -> "Memory":
        """The same with other terms for some fields."""
        assert changes.keys() <= self._terms.keys()
        return Memory({**self._terms, **changes})


BEFORE: Final = Memory(VARIABLES)


def plausible(memory: Memory) -> Iterator[Term]:
    """What constructors see to: figures within their bounds, times that are times, in their order."""
    yield z3.And(memory.state >= 0, memory.state < len(STATES))
    yield z3.And(memory.kind >= 0, memory.kind < len(KINDS))
    yield z3.And(memory.now >= -MAX_TIME, memory.now <= MAX_TIME)
    for name, (low, high) in FIGURES.items():
        yield z3.And(getattr(memory, name) >= low, getattr(memory, name) <= high)
    for there, prefix in (
        (memory.credential, ""),
        (memory.renewal, "renewal_"),
        (memory.retry, "retry_"),
    ):
        yield z3.Implies(there, _in_order(memory, prefix))
    for failures in (memory.renewal_failures, memory.retry_failures):
        yield failures >= 0
    yield z3.Implies(memory.credential, z3.And(memory.owner > 0, memory.token > 0))
    yield memory.user >= 0


def _in_order(memory: Memory, prefix: str) -> Term:
    issued_at, expires_at = getattr(memory, f"{prefix}issued_at"), getattr(memory, f"{prefix}expires_at")
    return times(issued_at, getattr(memory, f"{prefix}expires"), expires_at)


def times(issued_at: Term, expires: Term, expires_at: Term) -> Term:
    """As the constructor of a `Credential` checks them."""
    alive = z3.And(expires_at >= issued_at, expires_at <= MAX_TIME)
    return z3.And(issued_at >= -MAX_TIME, issued_at <= MAX_TIME, z3.Implies(expires, alive))
