"""The one abstraction between the code and the formal model: what of a world matters.

`view` maps a world to nested tuples of words and small numbers. The model's state is the same tuple
(`View` in `models/Session.tla`), so that the two graphs can be compared. What it leaves out, and why
nothing is lost:

- **Absolute time.** Every time counts from now, in half ticks: an even number is a whole number of
  ticks away, an odd one lies within a tick. Times are compared with each other and with now, and no
  other way.
- **How often in a row a renewal failed.** It only lengthens the backoff, which with the figures of a
  slice ends within a tick for the first sixteen times. More are taken for the same: what a longer
  backoff does is not looked at here, though the pauses, which are longer still, are.
- **The jitter's seed.** Slices have no jitter.
- **When something was to happen that cannot happen any more:** the expiry of a token that has expired.
- **The figures and the platform's offset.** They are the same in all worlds of a slice.

`ranked` goes further: it renames the numbers of attempts by their order, so that the tenth login looks
like the second. The core compares such numbers and makes new ones that are larger than all before; it
does nothing else with them. So a search that takes worlds of the same `ranked` view for one looks at
any number of logins and renewals.
"""

from collections.abc import Iterator
from typing import Any

from splus_session import _core
from splus_session._commands import (
    Announce,
    AskRenewal,
    Command,
    OpenSession,
    Persist,
    ReleaseWaiters,
    Renew,
    Revoke,
    RevokeOrphan,
    RunHook,
    Verify,
)
from splus_session._core import Granted, Waiting
from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Credential,
    Grant,
    Record,
    UserIdGrant,
)
from splus_session._failures import Failure
from splus_session._rules import can_renew
from splus_session._snapshot import Snapshot
from splus_session._states import SessionState
from splus_session.explore._slice import TICK
from splus_session.explore._world import Flight, World, is_due

View = tuple[Any, ...]
"""Nested tuples of words, numbers and truth values."""

NEVER = -1
"""A time that does not come."""
NOTHING: View = ()

Token = tuple[int, int]
"""A token by the process and the attempt that minted or presented it."""


class _Same(dict[Any, Any]):
    """Everything keeps its name."""

    def __missing__(self, key: Any) -> Any:
        return key


_SAME = _Same()


def view(world: World) -> View:
    """What matters of a world. Numbers are the core's own."""
    return _Viewer(world, _SAME, _SAME).view()


def ranked(world: World) -> View:
    """What matters of a world, whatever the numbers are."""
    process = world.process
    tokens = {token_of(credential) for credential in _credentials(world)}
    numbers = set(_numbers(world))
    numbers.update(number for minted_by, number in tokens if minted_by == process)
    numbers.discard(0)
    names = {number: rank for rank, number in enumerate(sorted(numbers), 1)}
    names[0] = 0
    # The last number given out is of no interest: the next one is new, whatever it was.
    names.setdefault(world.session.attempt, NEVER)
    # Of a token that an earlier process got, only that it is that one matters.
    old = sorted(token for token in tokens if token[0] != process)
    renamed = {token: (1, rank) for rank, token in enumerate(old)}
    renamed.update({token: (0, names[token[1]]) for token in tokens if token[0] == process})
    return _Viewer(world, names, renamed).view()


def command_view(world: World, command: Command) -> View:
    """A command as the model writes it."""
    return _Viewer(world, _SAME, _SAME).command(command)


def _numbers(world: World) -> Iterator[int]:
    session = world.session
    yield session.session
    yield session.credential_attempt
    if session.renewal is not None:
        yield session.renewal.attempt
    if session.verification is not None:
        yield session.verification
    if session.revocation is not None:
        yield session.revocation.attempt
        if session.revocation.check is not None:
            yield session.revocation.check
    for flight in world.flights:
        yield flight.attempt
    yield from world.notices


def _credentials(world: World) -> Iterator[Credential]:
    session = world.session
    if session.credential is not None:
        yield session.credential
    for holding in (session.renewal, session.retry, *world.flights):
        if holding is not None and isinstance(holding.grant, AccessTokenGrant):
            yield holding.grant.credential
    for flight in world.flights:
        if flight.credential is not None:
            yield flight.credential
    for record in (world.stored, world.told, *(owed.record for owed in world.outbox)):
        if record is not None:
            yield record.credential


def token_of(credential: Credential) -> Token:
    """Which process and attempt a token is of."""
    process, number = credential.access_token.reveal().split(".")
    return int(process), int(number)


class _Viewer:
    """Sees one world, with names for the numbers and tokens in it."""

    __slots__ = ("_names", "_now", "_tokens", "_world")

    def __init__(self, world: World, names: dict[int, int], tokens: dict[Token, Token]) -> None:
        self._world = world
        self._now = world.now
        self._names = names
        self._tokens = tokens

    def view(self) -> View:
        world, names = self._world, self._names
        flights = [
            (
                flight.kind,
                names[flight.attempt],
                flight.user_id,
                self._grant(flight.grant),
                self._carried(flight),
            )
            for flight in world.flights
        ]
        return (
            self._session(world.session),
            NOTHING if is_due(world) else self._authorization(world.session),
            tuple(sorted(set(flights))),
            (world.is_void, world.ended, tuple(sorted(names[number] for number in world.notices))),
            (
                world.process,
                world.is_open,
                self._record(world.stored),
                tuple((self.command(owed.command), self._mark(owed.record)) for owed in world.outbox),
                self._mark(world.told),
            ),
        )

    def _session(self, session: Snapshot) -> View:
        names = self._names
        renewal, retry, revocation = session.renewal, session.retry, session.revocation
        return (
            session.state.value,
            session.kind.value if session.kind is not None else "",
            session.user_id or "",
            (names[session.attempt], names[session.session], names[session.credential_attempt]),
            self._held(session),
            NOTHING
            if renewal is None
            else (
                names[renewal.attempt],
                self._until(renewal.deadline),
                self._grant(renewal.grant),
                self._age(session, renewal.grant, renewal.obtained_at),
            ),
            NOTHING
            if retry is None
            else (
                self._coming(session, retry.at, is_next=True),
                _failure(retry.failure),
                self._grant(retry.grant),
                self._age(session, retry.grant, retry.obtained_at),
            ),
            0 if session.verification is None else names[session.verification],
            NOTHING
            if revocation is None
            else (
                names[revocation.attempt],
                NEVER if revocation.sent else self._until(revocation.deadline),
                0 if revocation.check is None else names[revocation.check],
            ),
            session.ended.value if session.ended is not None else "",
            (session.session_handler, session.access_token_handler, session.own_handler),
        )

    def _held(self, session: Snapshot) -> View:
        """The token in use: which, how long it lives, and how long until it is to be renewed."""
        credential = session.credential
        if credential is None:
            return NOTHING
        token = self._tokens[token_of(credential)]
        if session.state is SessionState.TOKEN_EXPIRED:
            return (token, 0, 0)
        return (
            token,
            self._until(credential.expires_at),
            self._coming(session, session.renew_at, is_next=session.retry is None),
        )

    def _authorization(self, session: Snapshot) -> View:
        verdict = _core.authorize(session)
        if isinstance(verdict, Granted):
            return ("granted", self._names[verdict.attempt])
        if isinstance(verdict, Waiting):
            return ("waiting", self._names[verdict.attempt])
        reason = verdict.reason.value if verdict.reason is not None else ""
        return ("denied", _failure(verdict.failure), self._until(verdict.retry_at), reason)

    def _until(self, time: float | None) -> int:
        """How far away a time is, in half ticks."""
        if time is None:
            return NEVER
        ticks = (time - self._now) / TICK
        whole = int(ticks // 1)
        return 2 * whole + (ticks != whole)

    def _coming(self, session: Snapshot, time: float | None, *, is_next: bool) -> int:
        """How far away the next renewal is. How long it has been overdue matters only if it is what
        comes next and the token has expired meanwhile: then it was due before, or it was not.
        """
        left = self._until(time)
        if time is None or left > 0:
            return left
        held_up = (
            session.renewal is not None
            or session.revocation is not None
            or not can_renew(session, session.kind)
        )
        if held_up or not is_next or self._is_alive(session):
            return 0
        return left

    def _is_alive(self, session: Snapshot) -> bool:
        credential = session.credential
        if session.state is not SessionState.ESTABLISHED or credential is None:
            return True
        return credential.expires_at is None or credential.expires_at > self._now

    def _age(self, session: Snapshot, grant: Grant | None, obtained_at: float) -> int:
        """How old what is presented is, in half ticks, up to the age at which it is of no more use."""
        if grant is None or isinstance(grant, AccessTokenGrant):
            return 0
        limit = session.config.auth_token_lifetime
        return int(min(self._now - obtained_at, limit) / TICK) * 2

    def _carried(self, flight: Flight) -> View:
        if flight.credential is None:
            return NOTHING
        if flight.kind in {"verify", "revoke"}:  # which token it is says all
            return (self._tokens[token_of(flight.credential)],)
        return self._credential(flight.credential)

    def _credential(self, credential: Credential) -> View:
        return (self._tokens[token_of(credential)], credential.user_id, self._left(credential))

    def _left(self, credential: Credential) -> int:
        left = self._until(credential.expires_at)
        return left if credential.expires_at is None else max(0, left)

    def _grant(self, grant: Grant | None) -> View:
        if grant is None:
            return NOTHING
        if isinstance(grant, AccessTokenGrant):
            return ("access", *self._credential(grant.credential))
        if isinstance(grant, AuthTokenGrant):
            return ("auth", grant.user_id)
        if isinstance(grant, UserIdGrant):
            return ("user", grant.user_id)
        if isinstance(grant, BotGrant):
            return ("bot",)
        return ("visitor", grant.signature is not None)

    def _record(self, record: Record | None) -> View:
        if record is None:
            return NOTHING
        left = 0 if record.expired else self._left(record.credential)
        token = self._tokens[token_of(record.credential)]
        return (record.kind.value, token, record.credential.user_id, left, record.expired)

    def _mark(self, record: Record | None) -> View:
        """Which session a record is of, in which state."""
        return NOTHING if record is None else (self._tokens[token_of(record.credential)], record.expired)

    def command(self, command: Command) -> View:
        names = self._names
        match command:
            case Persist():
                return ("store", self._record(command.record))
            case Announce():
                return ("tell", command.change.state.value, command.change.reason.value)
            case RunHook():
                return ("hook", command.call.hook, command.call.user_id or "")
            case OpenSession():
                return ("open", names[command.attempt], self._grant(command.grant))
            case AskRenewal():
                return ("ask", names[command.attempt])
            case Renew():
                return ("renew", names[command.attempt], self._grant(command.grant))
            case Verify():
                return ("verify", names[command.attempt], self._tokens[token_of(command.credential)])
            case Revoke():
                return ("revoke", names[command.attempt], self._tokens[token_of(command.credential)])
            case RevokeOrphan():
                return ("revoke orphan", self._tokens[token_of(command.credential)])
            case ReleaseWaiters():
                return ("release", names[command.attempt], _failure(command.failure))


def _failure(failure: Failure | None) -> str:
    return "" if failure is None else failure.kind.value
