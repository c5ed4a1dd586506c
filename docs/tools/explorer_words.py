"""What the explorer page calls what may happen, what comes of it, and how things stand then.

Worlds that differ in nothing but the numbers of attempts are one on that page, so no number is in its words.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, get_args

from splus_session import (
    LIFECYCLE,
    Announce,
    Persist,
    Recorder,
    Request,
    RunHook,
    SessionKind,
    SessionState,
    Step,
)
from splus_session._core import NOT_ALLOWED, Denied, Granted, authorize, upcoming
from splus_session._events import event_name
from splus_session._explain import denied, refused
from splus_session._meanings import EVENTS, MEANINGS
from splus_session._situation import COMING
from splus_session._text import time_in_words
from splus_session.diagram._recording import APP, BACKEND, PLATFORM, SESSION, messages
from splus_session.diagram._shown import label_of
from splus_session.explore import TICK, Flight, Label, Move, Owed, World
from splus_session.explore._world import IN_SESSION, LIVE, awaited, is_due

_REQUESTS: Final = frozenset(map(event_name, get_args(Request)))
TIME: Final = "time"
_FLIGHTS: Final = {
    "open": "login",
    "renew": "renewal",
    "verify": "verification",
    "revoke": "revocation",
    "orphan": "token that nobody asked for",
}
_ANSWERS: Final = {
    "granted": "granted",
    "refused": "refused",
    "lost": "lost on the way",
    "foreign": "another user's token",
    "banned": "banned",
    "deleted": "deleted",
    "confirmed": "alive",
    "refuted": "dead",
    "revoked": "revoked",
    "doubted": "401",
    "lost after": "revoked, but the answer is lost",
}
_BROUGHT: Final = {
    "auth token": "an auth token",
    "unable": "unable",
    "fresh": "a fresh access token",
}
_LOGINS: Final = {
    SessionKind.AUTH_TOKEN: "login with an auth token",
    SessionKind.DEVELOPMENT: "login with a user id alone",
    SessionKind.ACCESS_TOKEN: "login with an access token",
    SessionKind.VISITOR: "login as a visitor",
    SessionKind.BOT: "login as a bot",
}
_HANDLERS: Final = {
    (False, False): "unregister the handlers",
    (True, False): "register a session handler alone",
    (False, True): "register an access token handler alone",
}
_AGAINST: Final = {
    "is_minted": "what it answers is over, and it brings no token that would have to be revoked",
    "is_current_login": "it is about another login than the one that this session began with",
    "concerns_this_session": "it is about somebody else, or about an earlier session",
    "is_current_ask": "the renewal that it answers is over, or was answered before",
    "is_current_renewal": "the renewal that it answers is over",
    "not is_in_use": "the session uses this token, so it must not be revoked",
    "is_current_credential": "the rejected token is not the one in use",
    "not is_busy": "something that is on its way will tell anyway whether the token is alive",
    "is_revocation_check": "the verification that it answers is over",
    "is_current_revocation": "the revocation that it answers is over",
}
"""Why a fact is dropped, by the condition that does not hold."""
_OWED: Final = frozenset(kind.__name__ for kind in (Persist, Announce, RunHook))
_TIME_FACTS: Final = {event_name(event): text for event, text in COMING.items()}


class Named(NamedTuple):
    """Something that may happen, for people."""

    who: str
    """Who does it: one of those that have a line in a sequence diagram, or `time`."""
    text: str
    key: str
    """The same for a link."""
    minutes: int = 0
    """How much time passes."""
    due: bool = False
    """Whether nothing else can happen before."""


class Outcome(NamedTuple):
    """What comes of it."""

    event: str
    """What the session heard, as the chart says it; empty if it heard of nothing."""
    verdict: str
    """`taken`, `refused` or `dropped`; empty if the session heard of nothing."""
    why: str
    """The row that was taken, or what was against it."""
    requirements: tuple[str, ...]
    commands: tuple[str, ...]
    messages: tuple[tuple[str, str, str, bool], ...]


# ── What may happen ─────────────────────────────────────────────────────────────────────────────


def named(world: World, move: Move) -> Named:
    """What something that may happen is called."""
    who, text = _named(world, move.label)
    key = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return Named(who, text, key, _minutes(world, move), is_due(world))


def _minutes(world: World, move: Move) -> int:
    return round((move.after.now - world.now) / TICK)


def _named(world: World, label: Label) -> tuple[str, str]:
    match label:
        case ("login", *_):
            return APP, _login(label)
        case ("login_cancelled", number):
            which = "the" if number else "another"
            return APP, f"give up {which} login, whose call has not returned"
        case ("handlers_changed", bool(session), bool(access_token)):
            return APP, _HANDLERS[session, access_token]
        case ("handler", number, word):
            which = "the renewal" if number else "another renewal"
            return BACKEND, f"answer {which}: {_BROUGHT[str(word)]}"
        case ("open" | "renew" | "verify" | "revoke" as kind, int(number), str(word), *more):
            which = _which(world, kind, number)
            also = "".join(f" {each}" for each in more if isinstance(each, str))
            return PLATFORM, f"answer {which}: {_ANSWERS[word]}{also}"
        case ("orphan", *_):
            return PLATFORM, "and a token came with that answer"
        case ("void",):
            return PLATFORM, "void the token"
        case ("rejected", number):
            which = "the token" if number else "another token"
            return PLATFORM, f"answer an API call with {which}: 401"
        case ("end", word):
            return PLATFORM, "ban the user" if word == "banned" else "delete the user"
        case ("notice", int(number)):
            which = "session" if number == world.session.session else "earlier session"
            return PLATFORM, f"tell the {which} that the user is {world.ended}"
        case ("api", *_):
            return PLATFORM, f"answer an API call: the user is {world.ended}"
        case ("gossip",):
            return PLATFORM, f"tell that somebody else is {world.ended}"
        case ("tick",):
            return TIME, "let a minute pass"
        case ("sleep",):
            return TIME, "let the machine sleep for a while"
        case ("open the store",):
            return SESSION, "look for a stored session"
        case ("store" | "tell",):
            return SESSION, f"carry out: {_command(world.outbox[0])}"
        case ("kill",):
            return TIME, "kill the process, and start another"
        case (str(word),) if word in _TIME_FACTS:
            return TIME, _TIME_FACTS[word]
        case (str(word),):
            return APP, word.replace("_", " ")
        case _:
            raise ValueError(f"there are no words for {label}")


def _login(label: Label) -> str:
    text = _LOGINS[SessionKind(label[1])]
    return text if label[4:] in ((), ("fresh",)) else f"{text} that is over"


def _which(world: World, kind: str, number: int) -> str:
    return f"the {'' if number in awaited(world.session) else 'abandoned '}{_FLIGHTS[kind]}"


# ── What comes of it ────────────────────────────────────────────────────────────────────────────


def outcome(world: World, move: Move) -> Outcome:
    """What comes of something that happens."""
    step = move.step
    if step is None:
        return Outcome("", "", "", (), (), (_unheard_of(world, move),))
    name = event_name(step.event)
    if step.row is not None:
        label = label_of(step.row, LIFECYCLE)
        does = f" / does {', '.join(label.reactions)}" if label.reactions else ""
        verdict, why, requirements = "taken", label.cause + does, label.requirements
    else:
        verdict = "refused" if name in _REQUESTS else "dropped"
        why, requirements = _against(step), _requirements(step)
    return Outcome(
        name,
        verdict,
        why,
        requirements,
        tuple(type(command).__name__ for command in step.commands),
        tuple(_told(step, is_owed=move.after.outbox != world.outbox)),
    )


def _unheard_of(world: World, move: Move) -> tuple[str, str, str, bool]:
    """The message of something that the session does not hear of."""
    who, text = _named(world, move.label)
    minutes = _minutes(world, move)
    if minutes:
        return SESSION, SESSION, f"{minutes} min pass{'' if minutes > 1 else 'es'}", False
    if move.label in (("store",), ("tell",)):
        command = world.outbox[0].command
        return SESSION, SESSION if isinstance(command, Persist) else APP, _command(world.outbox[0]), False
    within = SESSION if who == TIME else who
    return within, within, text, False


def _against(step: Step) -> str:
    """Why nothing came of it, in words."""
    if event_name(step.event) in _REQUESTS:
        return str(refused(step))
    if step.dropped == NOT_ALLOWED:
        return f"nothing in {step.before.state.value} waits for it"
    condition = step.dropped or ""
    return f"{_AGAINST[condition]} ({condition.removeprefix('not ')})"


def _requirements(step: Step) -> tuple[str, ...]:
    """What the guard keeps that was against it, and what the event is there for."""
    guard = (step.dropped or "").removeprefix("not ")
    kept = MEANINGS[guard].requirements if guard in MEANINGS else ()
    return tuple(dict.fromkeys((*kept, *EVENTS[event_name(step.event)].requirements)))


def _told(step: Step, *, is_owed: bool) -> Iterator[tuple[str, str, str, bool]]:
    """The messages of a step. Worlds that differ in the numbers of attempts are one, so they have none.

    Args:
        step: the step.
        is_owed: whether what it stores and tells is carried out later.
    """
    recorder = Recorder()
    recorder.note([step])
    for entry in recorder.entries:
        commands = tuple(
            command._replace(attempt=None)
            for command in entry.commands
            if not (is_owed and command.command in _OWED)
        )
        for each in messages([entry._replace(attempt=None, commands=commands)]):
            # Why it was dropped is said in words where the steps are told.
            text = each.text.removesuffix(f": {step.dropped}")
            yield each.sender, each.receiver, text, each.in_vain


# ── How things stand ────────────────────────────────────────────────────────────────────────────


def situation(world: World) -> Iterator[str]:
    """How things stand, in sentences; what the session knows, and then what it does not.

    Where something is due there are none: nobody can look before it has happened.
    """
    if is_due(world):
        return
    session = world.session
    if session.state in LIVE:
        yield _token(world)
    if session.renewal is not None:
        yield f"A renewal waits for {'the handler' if session.renewal.grant is None else 'the platform'}."
    if session.verification is not None:
        yield "The token was rejected; a verification finds out whether it is alive."
    if session.revocation is not None:
        waits = "was sent" if session.revocation.sent else "waits for the renewal"
        yield f"A secure logout is on its way; its revocation {waits}."
    yield _next(world)
    yield f"A call of the app that needs a token {_call(world)}."
    if world.stored is not None:
        is_expired = world.stored.expired
        yield f"A session is stored{', with a token that has expired' if is_expired else ''}."
    if world.outbox:
        yield f"To be carried out: {', '.join(_command(owed) for owed in world.outbox)}."
    if world.is_void and session.state is SessionState.ESTABLISHED:
        yield "The platform has voided the token; the session has yet to find out."
    if world.ended:
        is_news = session.state in IN_SESSION
        yield f"The user is {world.ended}{', of which the session has not heard' if is_news else ''}."
    yield from sorted(f"On its way: {_flight(world, flight)}." for flight in world.flights)


def _token(world: World) -> str:
    credential = world.session.credential
    if credential is None or world.session.state is SessionState.TOKEN_EXPIRED:
        return "The access token is dead."
    if credential.expires_at is None:
        return "The access token does not say when it expires."
    return f"The access token lives for {_in(credential.expires_at, world)}."


def _next(world: World) -> str:
    due = upcoming(world.session)
    if due is None:
        return "Time alone changes nothing here."
    at, fact = due
    return f"In {_in(at, world)}: {COMING[type(fact)]}."


def _in(at: float, world: World) -> str:
    """How far away a time is. What is not a whole tick away ends within one, whatever the jitter."""
    whole, rest = divmod(at - world.now, TICK)
    return time_in_words(whole * TICK) if rest == 0 else f"less than {time_in_words((whole + 1) * TICK)}"


def _call(world: World) -> str:
    match authorize(world.session):
        case Granted():
            return "is sent"
        case Denied() as verdict:
            return f"fails: {denied(verdict)}"
        case _:
            return "waits"


def _flight(world: World, flight: Flight) -> str:
    is_late = flight.kind != "orphan" and flight.attempt not in awaited(world.session)
    return f"a {_FLIGHTS[flight.kind]}{' that nobody waits for any more' if is_late else ''}"


def _command(owed: Owed) -> str:
    match owed.command:
        case Persist(record):
            return "delete what is stored" if record is None else "store the session"
        case Announce(change):
            return f"tell {change.state.value}"
        case RunHook(call):
            return f"run {call.hook}"
