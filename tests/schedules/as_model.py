"""A recorded trace in the words of the TLA+ model, to be followed by it: see `models/tlc/traces.py`.

The model counts time in ticks, names a token by the process and the attempt that brought it, and knows
the users `a`, `b`, `x` (somebody else) and `v` (whoever the platform names). So the trace must be of a
world in ticks: see `ticks.py`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

import attrs

from splus_session import Event, SessionKind, Snapshot, Step
from splus_session import _core as core
from splus_session._commands import Announce, Command, Persist, RunHook
from splus_session._credentials import AccessTokenGrant, AuthTokenGrant, Credential, Grant, VisitorGrant
from splus_session._events import (
    AnswerOverdue,
    HandlersChanged,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginCancelled,
    LoginFailed,
    LoginWithAccessToken,
    Logout,
    RenewalAnswered,
    RenewalDue,
    RenewalFailed,
    RenewalUnable,
    RenewNow,
    Resume,
    RevocationDoubted,
    RevocationDue,
    RevocationFailed,
    SecureLogout,
    SessionOpened,
    TokenConfirmed,
    TokenExpired,
    TokenOrphaned,
    TokenRefuted,
    TokenRejected,
    TokenRenewed,
    TokenRevoked,
    UserBanned,
    UserDeleted,
    VerificationFailed,
    event_name,
)
from splus_session._failures import RETRYABLE, Failure
from splus_session._secrets import AccessToken
from splus_session.explore import TICK, Label, View, World, command_view, figures, view
from tests.schedules.trace import Done, Hooked, Input, Trace

USERS = {"ann": "a", "bob": "b", "mallory": "x", "a": "a", "b": "b", "x": "x", "": ""}
_NAMED_BY_PLATFORM = re.compile("(visitor|bot)-[0-9a-f]{8}")
ALIKE = {kind.value: "unreachable" for kind in RETRYABLE}
"""What may get better is one to the model."""


def entries(lives: Iterable[Trace]) -> list[View]:
    """The traces of one process after the other as one trace of the model's.

    All but the last were killed where their traces end.
    """
    viewed = _Viewed()
    for number, trace in enumerate(lives):
        if number:
            viewed.begin_process()
        for entry in trace:
            match entry:
                case Input():
                    viewed.heard(entry)
                case Done(command=Persist() | Announce() as command):
                    viewed.entries.append(("done", viewed.command(command)))
                case Hooked(call=call):
                    viewed.entries.append(("called", viewed.command(RunHook(call))))
                case _:
                    pass
    return [*viewed.entries, ("end",)]


class _Viewed:
    """The entries so far, and the names that were given."""

    def __init__(self) -> None:
        self.entries: list[View] = []
        self._process = 0
        self._now: float | None = None
        self._is_new = True
        self._tokens: dict[AccessToken, str] = {}
        self._banned_by = 0
        """The attempt whose answer told of a ban last: a token may have come with it."""

    def begin_process(self) -> None:
        self.entries.append(("kill",))
        self._process += 1
        self._is_new = True

    def heard(self, given: Input) -> None:
        """The core was given something."""
        if self._is_new:  # a new session tells of its handlers: the model's process begins with them
            self._is_new = False
            assert isinstance(given.event, HandlersChanged)
            self._pass_time(given.now)
            return
        self._pass_time(max(given.before.now, given.now))
        for step in given.steps:
            self._name_tokens(step)
            if not _is_no_change(step):
                self.entries += (("may", label) for label in _unheard(step.event))
                self.entries.append(self._step(step))

    def _pass_time(self, now: float) -> None:
        ticks = 0.0 if self._now is None else (now - self._now) / TICK
        assert ticks == int(ticks), f"this is no world in ticks: {ticks} passed"
        if ticks:
            self.entries.append(("time", int(ticks)))
        self._now = now

    def _step(self, step: Step) -> View:
        commands = tuple(map(self.command, step.commands))
        kind = "taken" if step.dropped is None else "dropped"
        return ("step", tuple(self._labels(step)), kind, commands, self._session(step.after))

    # ── Views ───────────────────────────────────────────────────────────────────────────────────

    def command(self, command: Command) -> View:
        assert self._now is not None
        renamed = _with_credentials(command, self._credential)
        return _worded(command_view(World(_NOBODY, self._now), renamed))

    def _session(self, session: Snapshot) -> View:
        renamed = _with_credentials(session, self._credential)
        return _worded(view(World(renamed, session.now))[0])

    def _credential(self, credential: Credential) -> Credential:
        return attrs.evolve(credential, access_token=AccessToken(self._tokens[credential.access_token]))

    def _name_tokens(self, step: Step) -> None:
        """A token is named by the attempt that brings it first."""
        match step.event:
            case SessionOpened(credential=credential, attempt=attempt):
                self._name(credential, attempt)
            case TokenRenewed(credential=credential, attempt=attempt):
                self._name(credential, attempt)
            case LoginWithAccessToken(credential=credential):
                self._name(credential, step.before.attempt + 1)
            case RenewalAnswered(attempt=attempt, grant=AccessTokenGrant(credential=credential)):
                self._name(credential, attempt)
            case UserBanned(attempt=int(attempt), failure=Failure()):
                self._banned_by = attempt
            case TokenOrphaned(credential=credential):
                self._name(credential, self._banned_by)
            case _:
                pass

    def _name(self, credential: Credential, attempt: int) -> None:
        self._tokens.setdefault(credential.access_token, f"{self._process}.{attempt}")

    # ── What the model calls what happened ──────────────────────────────────────────────────────

    def _labels(self, step: Step) -> Iterator[Label]:
        event, before = step.event, step.before
        match event:
            case Login():
                kind = SessionKind.DEVELOPMENT if event.auth_token is None else SessionKind.AUTH_TOKEN
                yield ("login", kind.value, USERS[event.user_id], event.own_handler)
            case LoginWithAccessToken():
                yield ("login", "accessToken", USERS[event.credential.user_id], event.own_handler, "fresh")
            case LoginAsVisitor():
                yield ("login", "signedVisitor" if event.signature else "visitor", "v", event.own_handler)
            case LoginAsBot():
                yield ("login", "bot", "v", event.own_handler)
            case Resume():
                yield ("open the store",)
            case Logout() | SecureLogout() | RenewNow():
                yield (event_name(event),)
            case TokenExpired() | RenewalDue() | AnswerOverdue() | RevocationDue():
                yield (event_name(event),)
            case SessionOpened():
                yield self._granted("open", event, before)
            case TokenRenewed():
                yield self._granted("renew", event, before)
            case LoginFailed():
                yield ("open", event.attempt, _failed(event.failure))
            case RenewalFailed():
                yield ("renew", event.attempt, _failed(event.failure))
            case TokenConfirmed():
                yield ("verify", event.attempt, "confirmed")
            case TokenRefuted():
                yield ("verify", event.attempt, "refuted")
            case VerificationFailed():
                yield ("verify", event.attempt, "lost")
            case TokenRevoked():
                yield ("revoke", event.attempt, "revoked")
            case RevocationDoubted():
                yield ("revoke", event.attempt, "doubted")
            case RevocationFailed():
                yield ("revoke", event.attempt, "lost")
                yield ("revoke", event.attempt, "lost after")
            case TokenOrphaned():
                token = self._tokens[event.credential.access_token]
                yield ("orphan", int(token.split(".")[1]))
            case LoginCancelled():
                yield ("login_cancelled", _meant(event.attempt, before.session))
            case RenewalAnswered():
                yield ("handler", _asked(event.attempt, before), self._brought(event.grant, before))
            case RenewalUnable():
                yield ("handler", _asked(event.attempt, before), "unable")
            case HandlersChanged():
                yield ("handlers_changed", event.session_handler, event.access_token_handler)
            case TokenRejected():
                yield ("rejected", _meant(event.attempt, before.credential_attempt))
            case UserBanned():
                yield from _ended(event, "banned", before)
            case UserDeleted():
                yield from _ended(event, "deleted", before)
            case _:
                assert_never(event)

    def _granted(self, kind: str, event: SessionOpened | TokenRenewed, before: Snapshot) -> Label:
        if event.credential.user_id == "mallory":
            return (kind, event.attempt, "foreign")
        return (kind, event.attempt, "granted", self._left(event.credential, before) if event.minted else 0)

    def _left(self, credential: Credential, before: Snapshot) -> int:
        """How many ticks a token lives yet."""
        if credential.expires_at is None:
            return -1
        return max(0, int((credential.expires_at - before.now) / TICK))

    def _brought(self, grant: Grant, before: Snapshot) -> str:
        match grant:
            case AuthTokenGrant():
                return "auth token"
            case VisitorGrant():
                return "signature"
            case AccessTokenGrant():
                return {4: "fresh", 1: "late", 0: "dead"}[self._left(grant.credential, before)]
            case _:
                raise ValueError(f"the model's handlers bring nothing like {grant}")


_NOBODY = core.at_time(Snapshot(figures(), 0), 0.0)


def _unheard(event: Event) -> Iterator[Label]:
    """What the platform must have done for this to be heard, if it was not done before."""
    match event:
        case TokenRefuted():
            yield ("void",)
        case UserBanned():
            yield ("end", "banned")
        case UserDeleted():
            yield ("end", "deleted")
        case _:
            pass


def _is_no_change(step: Step) -> bool:
    """Whether handlers that are there are told again; the model tells of those that change."""
    event, before = step.event, step.before
    there = (before.session_handler, before.access_token_handler)
    return (
        isinstance(event, HandlersChanged)
        and (event.session_handler, event.access_token_handler) == there
        and not step.commands
        and step.after == before
    )


def _meant(number: int, present: int) -> int:
    """A number that is meant, or 0 for any that is not: a session can't tell the wrong ones apart."""
    return number if number == present else 0


def _asked(attempt: int, before: Snapshot) -> int:
    return _meant(attempt, 0 if before.renewal is None else before.renewal.attempt)


def _failed(failure: Failure) -> str:
    return "lost" if failure.kind in RETRYABLE else "refused"


def _ended(event: UserBanned | UserDeleted, word: str, before: Snapshot) -> Iterator[Label]:
    """All the ways in which a session may hear of a ban, as far as it cannot tell them apart."""
    if event.failure is not None:
        for kind in ("open", "renew", "verify", "revoke"):
            yield (kind, event.attempt or 0, word)
        for kind in ("open", "renew"):
            yield (kind, event.attempt or 0, word, "with a token")
        return
    is_of_now = event.attempt is None or event.attempt >= before.session
    if is_of_now and event.user_id in {None, before.user_id} and before.user_id is not None:
        yield ("notice", before.session)
        yield ("api", before.credential_attempt)
    else:
        yield ("gossip",)


def _worded(viewed: View) -> View:
    """The same with the model's names for users and failures."""
    return tuple(_worded(part) if isinstance(part, tuple) else _word(part) for part in viewed)


def _word(part: Any) -> Any:
    if not isinstance(part, str):
        return part
    return "v" if _NAMED_BY_PLATFORM.match(part) else {**USERS, **ALIKE}.get(part, part)


def _with_credentials(holder: Any, rename: Any) -> Any:
    """The same with other credentials, wherever it holds some."""
    if isinstance(holder, Credential):
        return rename(holder)
    if isinstance(holder, tuple) or not attrs.has(type(holder)):
        return holder
    changed = {}
    for name in ("credential", "grant", "record", "renewal", "retry"):
        held = getattr(holder, name, None)
        if held is not None and (new := _with_credentials(held, rename)) is not held:
            changed[name] = new
    return attrs.evolve(holder, **changed) if changed else holder
