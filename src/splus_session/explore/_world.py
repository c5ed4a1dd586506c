"""The world of one session: what is on its way, what the platform knows, what the app may do."""

from collections.abc import Iterator
from typing import NamedTuple

from splus_session import _core
from splus_session._commands import Announce, OpenSession, Persist, Renew, Revoke, RunHook, Verify
from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    Credential,
    Grant,
    Record,
    SessionKind,
    UserIdGrant,
    VisitorGrant,
)
from splus_session._events import (
    Event,
    HandlersChanged,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginCancelled,
    LoginFailed,
    LoginWithAccessToken,
    Logout,
    RenewalAnswered,
    RenewalFailed,
    RenewalUnable,
    RenewNow,
    Resume,
    RevocationDoubted,
    RevocationFailed,
    SecureLogout,
    SessionOpened,
    TokenConfirmed,
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
from splus_session._failures import Failure, FailureKind
from splus_session._secrets import AccessToken, AuthSignature, AuthToken
from splus_session._snapshot import Snapshot, Step
from splus_session._states import SessionState
from splus_session.explore._slice import TICK, Slice, Who

Label = tuple[str | int | bool, ...]
"""What happened: a word, and whom or what it concerns."""

LIVE = frozenset({SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED})
IN_SESSION = LIVE | {SessionState.ESTABLISHING}
NAMELESS = "v"
"""The user that the platform names for a visitor or a bot."""
FOREIGN = "x"
"""Somebody else."""

_REFUSED = Failure(FailureKind.REFUSED)
_LOST = Failure(FailureKind.UNREACHABLE)
_AUTH_TOKEN = AuthToken("vouched for")
_SIGNATURE = AuthSignature("signed")
_SIGNED_UNTIL = "2099-01-01T00:00:00.000Z"


class Flight(NamedTuple):
    """A request on its way, or its answer."""

    kind: str
    """`open`, `renew`, `verify`, `revoke`, or `orphan`: a token that came together with a failure."""
    attempt: int
    user_id: str
    grant: Grant | None = None
    credential: Credential | None = None
    """Which is to be judged; or which was granted already, and may come again."""


class Owed(NamedTuple):
    """A command that the driver has yet to carry out."""

    command: Persist | Announce | RunHook
    record: Record | None
    """What has to be stored by the time that this has been told."""


class World(NamedTuple):
    """A session and everything around it, at one moment. A value."""

    session: Snapshot
    now: float = 0.0
    """Seconds since the world began."""
    flights: tuple[Flight, ...] = ()
    """In the order in which they set out."""
    is_void: bool = False
    """Whether the platform no longer takes the token in use, though its time is not over."""
    ended: str = ""
    """What the platform did to user `a`."""
    notices: tuple[int, ...] = ()
    """The sessions that are still to hear of that, each over its own connection."""
    process: int = 0
    """How many processes there were before."""
    is_open: bool = True
    """Whether this one has looked for a stored session."""
    stored: Record | None = None
    outbox: tuple[Owed, ...] = ()
    told: Record | None = None
    """What had to be stored by what the app heard last, or was there when this process opened the store."""


class Move(NamedTuple):
    """One thing that happens: its name, what the session makes of it, and the world after it."""

    label: Label
    step: Step | None
    """None: the session does not hear of it."""
    after: World


def beginning(slice: Slice) -> World:
    """The world before anything happened."""
    return World(_new_process(slice, 0.0), is_open=not slice.kills)


def _new_process(slice: Slice, now: float) -> Snapshot:
    fresh = _core.at_time(Snapshot(slice.config, 0), now)
    return _core.step(fresh, HandlersChanged(slice.session_handler, slice.access_token_handler), now).after


def is_due(world: World) -> bool:
    """Whether time has brought something that the session has not heard of yet."""
    due = _core.upcoming(world.session)
    return due is not None and due[0] <= world.now


def is_pressed(world: World, slice: Slice) -> bool:
    """Whether all else has to wait: for what is due, or for a driver that is behind."""
    return is_due(world) or len(world.outbox) > slice.most_owed


def moves(world: World, slice: Slice) -> Iterator[Move]:
    """Everything that may happen next.

    What is due comes before all else, the earliest first, for that is what `SessionCore` does.
    """
    session = world.session
    due = _core.upcoming(session)
    if due is not None and due[0] <= world.now:
        yield _heard(world, slice, (event_name(due[1]),), due[1])
        return
    is_behind = len(world.outbox) > slice.most_owed  # the driver; then everybody else is slower
    if not world.is_open:
        yield _opened(world, slice)
    elif not is_behind:
        yield from _asked(world, slice)
        yield from _answered(world, slice)
        yield from _delivered(world, slice)
        yield from _done_by_the_platform(world, slice)
    if not is_behind and (session.state in IN_SESSION or not world.is_open):
        yield _passed(world, "tick", 1)
        if slice.sleeps:
            yield _passed(world, "sleep", slice.sleeps)
    if world.outbox:
        yield _carried_out(world)
    if slice.kills and world.is_open and world.process + 1 < slice.most_processes:
        yield _killed(world, slice)


# ── The session ─────────────────────────────────────────────────────────────────────────────────


def _heard(world: World, slice: Slice, label: Label, event: Event) -> Move:
    """The session hears of an event, and what it commands sets out."""
    taken = _core.step(world.session, event, world.now)
    if taken.dropped is not None:
        return Move(label, taken, world)
    before, after = taken.before, taken.after
    sent: list[Flight] = []
    owed: list[Owed] = []
    for command in taken.commands:
        match command:
            case OpenSession():
                sent.append(Flight("open", command.attempt, _user(after), command.grant))
            case Renew():
                sent.append(Flight("renew", command.attempt, _user(after), command.grant))
            case Verify():
                sent.append(Flight("verify", command.attempt, _user(after), None, command.credential))
            case Revoke():
                sent.append(Flight("revoke", command.attempt, _user(after), None, command.credential))
            case Persist() | Announce() | RunHook() if slice.kills:
                owed.append(Owed(command, _to_be_stored(world, before, after)))
            case _:
                pass
    flights = (*world.flights, *sent)
    return Move(
        label,
        taken,
        world._replace(
            session=after,
            flights=_without_the_latest(after, flights, slice.most_late) if flights else flights,
            is_void=world.is_void and after.credential_attempt == before.credential_attempt,
            outbox=(*world.outbox, *owed) if owed else world.outbox,
        ),
    )


def _user(session: Snapshot) -> str:
    return session.user_id or NAMELESS


def _without_the_latest(session: Snapshot, flights: tuple[Flight, ...], most: int) -> tuple[Flight, ...]:
    """The network loses the oldest of the requests that nobody waits for any more, as it may."""
    waited_for = awaited(session)
    late = sorted(flight.attempt for flight in flights if flight.attempt not in waited_for)
    if len(late) <= most:
        return flights
    lost = late[: len(late) - most]
    return tuple(flight for flight in flights if flight.attempt not in lost)


def awaited(session: Snapshot) -> set[int]:
    """The attempts whose answers a session waits for."""
    attempts: set[int] = set()
    if session.state is SessionState.ESTABLISHING:
        attempts.add(session.session)
    if session.renewal is not None:
        attempts.add(session.renewal.attempt)
    if session.verification is not None:
        attempts.add(session.verification)
    if session.revocation is not None:
        attempts.add(session.revocation.attempt)
        if session.revocation.check is not None:
            attempts.add(session.revocation.check)
    return attempts


def record_of(session: Snapshot) -> Record | None:
    """What a store has to hold for this session to be resumed as it is."""
    if session.credential is None or session.kind is None:
        return None
    return Record(session.kind, session.credential, session.state is SessionState.TOKEN_EXPIRED)


def _to_be_stored(world: World, before: Snapshot, after: Snapshot) -> Record | None:
    """What has to be stored once a step has been told."""
    if before.credential is not None or after.credential is not None:
        return record_of(after)
    # It is none of this session's: what was there stays.
    return world.outbox[-1].record if world.outbox else world.told


# ── The app ─────────────────────────────────────────────────────────────────────────────────────


def _asked(world: World, slice: Slice) -> Iterator[Move]:
    """What the app asks for, at any moment."""
    session = world.session
    for who in slice.logins:
        yield _heard(world, slice, ("login", *who.words), _login(world, slice, who))
    if "logout" in slice.app:
        yield _heard(world, slice, ("logout",), Logout())
    if "secure_logout" in slice.app:
        yield _heard(world, slice, ("secure_logout",), SecureLogout())
    if "renew_now" in slice.app:
        yield _heard(world, slice, ("renew_now",), RenewNow())
    if "cancel" in slice.app:
        for attempt in _meant_or_not(session.session):
            yield _heard(world, slice, ("login_cancelled", attempt), LoginCancelled(attempt))
    if slice.handlers_change:
        for handlers in ((False, False), (True, False), (False, True)):
            if handlers != (session.session_handler, session.access_token_handler):
                yield _heard(world, slice, ("handlers_changed", *handlers), HandlersChanged(*handlers))


def _meant_or_not(number: int) -> tuple[int, ...]:
    """The number that is meant, and one that never is: a session can't tell the wrong ones apart."""
    return (0, number) if number else (0,)


def _login(world: World, slice: Slice, who: Who) -> Event:
    match who.kind:
        case SessionKind.AUTH_TOKEN:
            return Login(who.user_id, _AUTH_TOKEN, own_handler=who.own_handler)
        case SessionKind.DEVELOPMENT:
            return Login(who.user_id, own_handler=who.own_handler)
        case SessionKind.ACCESS_TOKEN:
            token = _token(world, world.session.attempt + 1)
            return LoginWithAccessToken(_presented(world, slice, who.token, token, who.user_id))
        case SessionKind.VISITOR:
            return LoginAsVisitor(own_handler=who.own_handler)
        case SessionKind.SIGNED_VISITOR:
            return LoginAsVisitor(_SIGNATURE, _SIGNED_UNTIL, own_handler=who.own_handler)
        case SessionKind.BOT:
            return LoginAsBot(own_handler=who.own_handler)


def _token(world: World, number: int) -> AccessToken:
    """The token that an attempt of this process mints or presents."""
    return AccessToken(f"{world.process}.{number}")


def _presented(world: World, slice: Slice, word: str, token: AccessToken, user: str) -> Credential:
    """A token that the customer's backend minted, now or earlier."""
    life = slice.lifetimes[0]
    return _credential(world, token, user, life, {"fresh": 0, "late": life - 1, "dead": life}[word])


def _credential(world: World, token: AccessToken, user: str, life: int, age: int = 0) -> Credential:
    """A token for so many ticks, of which some are over."""
    issued = world.now - age * TICK
    return Credential(token, user, issued, None if life < 0 else issued + life * TICK)


def _answered(world: World, slice: Slice) -> Iterator[Move]:
    """What a handler says, of the present renewal or of one that is over."""
    renewal = world.session.renewal
    for attempt in _meant_or_not(renewal.attempt if renewal is not None else 0):
        for word in slice.handler:
            event: Event
            if word == "unable":
                event = RenewalUnable(attempt)
            else:
                event = RenewalAnswered(attempt, _brought(world, slice, word, attempt))
            yield _heard(world, slice, ("handler", attempt, word), event)


def _brought(world: World, slice: Slice, word: str, attempt: int) -> Grant:
    user = _user(world.session)
    match word:
        case "auth token":
            return AuthTokenGrant(user, _AUTH_TOKEN)
        case "user id":
            return UserIdGrant(user)
        case "signature":
            return VisitorGrant(_SIGNATURE, _SIGNED_UNTIL)
        case _:
            return AccessTokenGrant(_presented(world, slice, word, _token(world, attempt), user))


# ── The platform ────────────────────────────────────────────────────────────────────────────────


def _delivered(world: World, slice: Slice) -> Iterator[Move]:
    """Every answer that may come to anything on its way."""
    for place, flight in enumerate(world.flights):
        rest = (*world.flights[:place], *world.flights[place + 1 :])
        without = world._replace(flights=rest)
        match flight.kind:
            case "open" | "renew":
                yield from _granted_or_not(world, without, slice, flight)
            case "verify":
                yield from _verified(without, slice, flight)
            case "revoke":
                yield from _revoked(without, slice, flight)
            case _ if flight.credential is not None:
                label: Label = ("orphan", flight.attempt)
                yield _heard(without, slice, label, TokenOrphaned(flight.credential))
            case _:
                pass


def _granted_or_not(world: World, without: World, slice: Slice, flight: Flight) -> Iterator[Move]:
    kind, attempt = flight.kind, flight.attempt
    if flight.credential is not None:  # it came already, and comes again
        yield _heard(world, slice, ("again", kind, attempt), _success(flight, flight.credential))
        yield _heard(world, slice, ("again", "orphan", attempt), TokenOrphaned(flight.credential))
        yield Move(("no more", kind, attempt), None, without)
        return
    grant = flight.grant
    for word in slice.answers:
        if word == "granted" and isinstance(grant, AccessTokenGrant):
            yield _heard(without, slice, (kind, attempt, word, 0), _success(flight, grant.credential))
        elif word == "granted":
            for life in slice.lifetimes:
                credential = _credential(world, _token(world, attempt), flight.user_id, life)
                after = without
                if slice.repeats:
                    kept = (*without.flights, flight._replace(credential=credential))
                    after = without._replace(flights=kept)
                yield _heard(after, slice, (kind, attempt, word, life), _success(flight, credential))
        elif word == "foreign":
            credential = _credential(world, _token(world, attempt), FOREIGN, slice.lifetimes[0])
            yield _heard(without, slice, (kind, attempt, word), _success(flight, credential))
        else:
            failure = _LOST if word == "lost" else _REFUSED
            failed = LoginFailed(attempt, failure) if kind == "open" else RenewalFailed(attempt, failure)
            yield _heard(without, slice, (kind, attempt, word), failed)
    if world.ended and flight.user_id == "a":
        yield _heard(without, slice, (kind, attempt, world.ended), _end(world, attempt=attempt))
        if not isinstance(grant, AccessTokenGrant):
            credential = _credential(world, _token(world, attempt), "a", slice.lifetimes[0])
            orphan = Flight("orphan", attempt, "a", None, credential)
            after = without._replace(flights=(*without.flights, orphan))
            label: Label = (kind, attempt, world.ended, "with a token")
            yield _heard(after, slice, label, _end(world, attempt=attempt))


def _success(flight: Flight, credential: Credential) -> Event:
    minted = not isinstance(flight.grant, AccessTokenGrant)
    if flight.kind == "open":
        return SessionOpened(credential, flight.attempt, minted)
    return TokenRenewed(credential, flight.attempt, minted)


def _end(world: World, user_id: str | None = None, attempt: int | None = None) -> Event:
    """The platform tells that it banned or deleted somebody."""
    if world.ended == "deleted":
        return UserDeleted(user_id, attempt)
    return UserBanned(user_id, attempt)


def _verified(without: World, slice: Slice, flight: Flight) -> Iterator[Move]:
    attempt = flight.attempt
    lost = VerificationFailed(attempt, _LOST)
    yield _heard(without, slice, ("verify", attempt, "lost"), lost)
    if without.ended and flight.user_id == "a":
        yield _heard(without, slice, ("verify", attempt, without.ended), _end(without, attempt=attempt))
    if _may_live(without, flight):  # perhaps from before the ban, and on its way since
        yield _heard(without, slice, ("verify", attempt, "confirmed"), TokenConfirmed(attempt))
    if _may_be_dead(without, flight):
        yield _heard(without, slice, ("verify", attempt, "refuted"), TokenRefuted(attempt))


def _revoked(without: World, slice: Slice, flight: Flight) -> Iterator[Move]:
    attempt = flight.attempt
    lost = RevocationFailed(attempt, _LOST)
    yield _heard(without, slice, ("revoke", attempt, "lost"), lost)
    # The platform's 401 is not to be trusted: it has many reasons.
    yield _heard(without, slice, ("revoke", attempt, "doubted"), RevocationDoubted(attempt))
    if without.ended and flight.user_id == "a":
        yield _heard(without, slice, ("revoke", attempt, without.ended), _end(without, attempt=attempt))
    if _may_live(without, flight):
        void = without._replace(is_void=without.is_void or _is_in_use(without, flight))
        yield _heard(void, slice, ("revoke", attempt, "lost after"), lost)
        yield _heard(void, slice, ("revoke", attempt, "revoked"), TokenRevoked(attempt))


def _is_in_use(world: World, flight: Flight) -> bool:
    return flight.credential is world.session.credential


def _may_live(world: World, flight: Flight) -> bool:
    """Whether the platform may still take a token; its clock may be a moment behind ours.

    Of one that is not in use any more nothing is known: a renewal has it voided, a logout has not.
    """
    return not world.is_void or not _is_in_use(world, flight)


def _may_be_dead(world: World, flight: Flight) -> bool:
    """Whether the platform may no longer take it."""
    is_expired = world.session.state is SessionState.TOKEN_EXPIRED
    return world.is_void or is_expired or not _is_in_use(world, flight)


def _done_by_the_platform(world: World, slice: Slice) -> Iterator[Move]:
    session = world.session
    if slice.rejects:
        for attempt in _meant_or_not(session.credential_attempt):
            yield _heard(world, slice, ("rejected", attempt), TokenRejected(attempt))
        if session.state in LIVE and not world.is_void:
            yield Move(("void",), None, world._replace(is_void=True))
    if not slice.ends:
        return
    is_theirs = session.user_id == "a"
    if not world.ended:
        heard_by = (*world.notices, session.session) if is_theirs else world.notices
        for word in slice.ends:
            yield Move(("end", word), None, world._replace(ended=word, notices=heard_by))
        return
    for number in world.notices:
        told = world._replace(notices=tuple(other for other in world.notices if other != number))
        move = _heard(told, slice, ("notice", number), _end(world, "a", number))
        # A session that makes nothing of its end is told again: whoever waits for that still waits.
        is_lost = move.after is told and number == session.session and session.state in IN_SESSION
        yield move._replace(after=world) if is_lost else move
    if is_theirs and session.credential_attempt:
        label: Label = ("api", session.credential_attempt)
        yield _heard(world, slice, label, _end(world, attempt=session.credential_attempt))
    yield _heard(world, slice, ("gossip",), _end(world, FOREIGN))


# ── Time, and the process ───────────────────────────────────────────────────────────────────────


def _passed(world: World, word: str, ticks: int) -> Move:
    now = world.now + ticks * TICK
    return Move((word,), None, world._replace(now=now, session=_core.at_time(world.session, now)))


def _opened(world: World, slice: Slice) -> Move:
    """The process looks for a stored session."""
    opened = world._replace(is_open=True, told=world.stored)
    if world.stored is None:
        return Move(("open the store",), None, opened)
    return _heard(opened, slice, ("open the store",), Resume(world.stored))


def _carried_out(world: World) -> Move:
    (command, record), *rest = world.outbox
    after = world._replace(outbox=tuple(rest))
    if isinstance(command, Persist):
        return Move(("store",), None, after._replace(stored=command.record))
    return Move(("tell",), None, after._replace(told=record))


def _killed(world: World, slice: Slice) -> Move:
    """The process dies, and whatever was on its way to it with it."""
    after = World(
        _new_process(slice, world.now),
        world.now,
        process=world.process + 1,
        is_open=False,
        stored=world.stored,
        told=world.told,
        ended=world.ended,
    )
    return Move(("kill",), None, after)
