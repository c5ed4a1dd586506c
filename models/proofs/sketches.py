"""Snapshots that stand for any snapshot, drawn as far as somebody looks.

Reading a field decides, once on each path, whether the part is there. So the ways through a reaction
are as many as it looks at.
"""

import functools
import inspect
import re
from typing import Any, Final

from models.proofs.memory import FIGURES, KINDS, VARIABLES, times
from models.proofs.symbols import INT, REAL, Name, Part, Path, Term, same, symbol, truth
from splus_session import (
    AccessTokenGrant,
    BotGrant,
    Failure,
    FailureKind,
    SessionKind,
    SessionState,
    TerminationReason,
)
from splus_session import _core as core
from splus_session import _rules as rules


@functools.cache
def _any_times(prefix: str) -> Term:
    issued_at, expires_at = symbol(f"{prefix}issued_at", REAL), symbol(f"{prefix}expires_at", REAL)
    return times(issued_at, truth(f"{prefix}expires"), expires_at)


def credential_of(path: Path, prefix: str) -> Any:
    """A credential with any times, of any user."""
    expires = truth(f"{prefix}expires")
    path.assume(_any_times(prefix))

    def draw(path: Path, field: str) -> Any:
        match field:
            case "access_token":
                return path.name(f"{prefix}token")
            case "user_id":
                return path.name(f"{prefix}owner")
            case "expires_at" if not path.decide(expires):
                return None
            case _:
                return path.number(f"{prefix}{field}")

    return Part(path, draw)


class Grant(Part):
    """An access token, or something else: the code tells no others apart once it has one."""

    @property  # type: ignore[misc]
    # `isinstance` asks for it.
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return AccessTokenGrant if self._path.decide(self.access) else BotGrant

    def __init__(self, path: Path, prefix: str) -> None:
        super().__init__(path, lambda path, field: credential_of(path, prefix))
        self.drawn_as = prefix
        self.access = truth(f"{prefix}access")


def grant_of(path: Path, prefix: str) -> Any:
    """What is presented, or nothing."""
    return Grant(path, prefix) if path.decide(truth(f"{prefix}grant")) else None


def kind_of(path: Path, name: str) -> Any:
    """Any kind of session, or none."""
    number = symbol(name, INT)
    for kind in (None, *_BY_IDENTITY):
        if path.decide(same(number, KINDS.index(kind))):
            return kind
    return Kind(path, number)


class Kind:
    """A kind of session about which the code asks with `==`, or in a `match`, alone."""

    def __init__(self, path: Path, term: Term) -> None:
        self._path = path
        self.term = term

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SessionKind):
            return False
        return other not in _BY_IDENTITY and self._path.decide(same(self.term, KINDS.index(other)))

    __hash__ = object.__hash__


_BY_IDENTITY: Final = {
    SessionKind[name]
    for module in (rules, core)
    for name in re.findall(r"\bis (?:not )?SessionKind\.(\w+)", inspect.getsource(module))
}
"""The kinds about which the code asks with `is`, which no symbol can answer."""


class _Figures:
    """A configuration of any figures."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name in FIGURES:
            return self._path.number(name)
        return self._path.decide(VARIABLES[name])


class Sketch:
    """A snapshot of which is drawn what somebody looks at; `draft` is `_rules.draft_of`."""

    def __init__(self, path: Path, state: SessionState) -> None:
        self.__dict__["_path"] = path
        self.__dict__["_seen"] = {"state": state, "config": _Figures(path)}

    def draft(self) -> "Sketch":
        """A copy to write to. What neither has looked at is the same for both."""
        copy = Sketch.__new__(Sketch)
        copy.__dict__.update(self.__dict__)
        return copy

    @property
    def written(self) -> dict[str, Any]:
        """What was assigned since, by field of `Snapshot`."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __getattr__(self, name: str) -> Any:
        seen: dict[str, Any] = self._seen
        if name not in seen:
            seen[name] = _DRAWN[name](self._path) if name in _DRAWN else self._path.decide(VARIABLES[name])
        return seen[name]


def _renewal(path: Path) -> Any:
    def draw(path: Path, field: str) -> Any:
        match field:
            case "attempt" | "failures":
                return _whole(path, f"renewal_{field}")
            case "deadline":
                return path.number("answer_by") if path.decide(truth("asking")) else None
            case "grant":
                return grant_of(path, "renewal_")
            case _:
                return path.number(f"renewal_{field}")

    return Part(path, draw) if path.decide(truth("renewal")) else None


def _retry(path: Path) -> Any:
    def draw(path: Path, field: str) -> Any:
        match field:
            case "failures":
                return _whole(path, "retry_failures")
            case "failure":
                return Failure(FailureKind.UNABLE) if path.decide(truth("failed")) else None
            case "grant":
                return grant_of(path, "retry_")
            case _:
                return path.number(f"retry_{field}")

    return Part(path, draw) if path.decide(truth("retry")) else None


def _revocation(path: Path) -> Any:
    def draw(path: Path, field: str) -> Any:
        match field:
            case "deadline":
                return path.number("revocation_by")
            case "sent":
                return path.decide(truth("revocation_sent"))
            case "check":
                return _whole(path, "check_attempt") if path.decide(truth("check")) else None
            case _:
                return _whole(path, f"revocation_{field}")

    return Part(path, draw) if path.decide(truth("revocation")) else None


def _verification(path: Path) -> Any:
    return _whole(path, "verification_attempt") if path.decide(truth("verification")) else None


def _user(path: Path) -> Any:
    user = VARIABLES["user"]
    return None if path.decide(same(user, 0)) else Name(path, user)


def _ended(path: Path) -> TerminationReason | None:
    return TerminationReason.GLOBAL_BAN if path.decide(truth("ended")) else None


def _whole(path: Path, name: str) -> Any:
    return path.number(name, whole=True)


_DRAWN: Final[dict[str, Any]] = {
    "now": lambda path: path.number("now"),
    "offset": lambda path: path.number("offset"),
    "attempt": lambda path: _whole(path, "attempt"),
    "session": lambda path: _whole(path, "session"),
    "kind": lambda path: kind_of(path, "kind"),
    "user_id": _user,
    "credential": lambda path: credential_of(path, "") if path.decide(truth("credential")) else None,
    "credential_attempt": lambda path: _whole(path, "credential_attempt"),
    "renew_at": lambda path: path.number("renew_at") if path.decide(truth("planned")) else None,
    "renewal": _renewal,
    "retry": _retry,
    "verification": _verification,
    "revocation": _revocation,
    "ended": _ended,
}
