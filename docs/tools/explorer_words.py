"""What the explorer page calls what may happen, what comes of it, and how things stand then.

Worlds that differ in nothing but the numbers of attempts are one on that page, so no number is in its words.
"""

import inspect
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
from splus_session._events import EVENTS, event_name
from splus_session._explain import denied, refused
from splus_session._meanings import MEANINGS
from splus_session._situation import COMING
from splus_session._text import time_in_words
from splus_session.diagram._recording import APP, BACKEND, PLATFORM, SESSION, messages
from splus_session.diagram._shown import label_of
from splus_session.explore import TICK, Flight, Label, Move, Owed, World
from splus_session.explore._world import LIVE, awaited, is_due

_REQUESTS: Final = frozenset(map(event_name, get_args(Request)))
TIME: Final = "time"
_ID: Final = re.compile(r"\[([A-Z]+-[1-9][0-9]*)\]")
_REQUIREMENTS_OF: Final = {
    event_name(event): tuple(_ID.findall(inspect.getdoc(event) or "")) for event in EVENTS
}
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
    who, text, minutes = _named(world, move.label)
    return Named(who, text, re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"), minutes, is_due(world))


def _named(world: World, label: Label) -> tuple[str, str, int]:
    match label:
        case ("login", *_):
            return APP, _login(label), 0
        case ("login_cancelled", number):
            return APP, "cancel the login" if number else "cancel a past login", 0
        case ("handlers_changed", bool(session), bool(access_token)):
            return APP, _HANDLERS[session, access_token], 0
        case ("handler", number, word):
            which = "the renewal" if number else "a past renewal"
            return BACKEND, f"answer {which}: {_BROUGHT[str(word)]}", 0
        case ("open" | "renew" | "verify" | "revoke" as kind, int(number), str(word), *more):
            which = _which(world, kind, number)
            also = "".join(f" {each}" for each in more if isinstance(each, str))
            return PLATFORM, f"answer {which}: {_ANSWERS[word]}{also}", 0
        case ("orphan", *_):
            return PLATFORM, "and a token came with that answer", 0
        case ("void",):
            return PLATFORM, "void the token", 0
        case ("rejected", number):
            which = "the token" if number else "an earlier token"
            return PLATFORM, f"answer an API call with {which}: 401", 0
        case ("end", word):
            return PLATFORM, "ban the user" if word == "banned" else "delete the user", 0
        case ("notice", int(number)):
            which = "session" if number == world.session.session else "earlier session"
            return PLATFORM, f"tell the {which} that the user is {world.ended}", 0
        case ("api", *_):
            return PLATFORM, f"answer an API call: the user is {world.ended}", 0
        case ("gossip",):
            return PLATFORM, f"tell that somebody else is {world.ended}", 0
        case ("tick",):
            return TIME, "let a minute pass", 1
        case ("sleep",):
            return TIME, "let the machine sleep for 3 minutes", 3
        case ("open the store",):
            return SESSION, "look for a stored session", 0
        case ("store",):
            return SESSION, "carry out what comes next: store", 0
        case ("tell",):
            return SESSION, "carry out what comes next: tell", 0
        case ("kill",):
            return TIME, "kill the process, and start another", 0
        case (str(word),) if word in _TIME_FACTS:
            return TIME, _TIME_FACTS[word], 0
        case (str(word),):
            return APP, word.replace("_", " "), 0
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
        who, text, minutes = _named(world, move.label)
        text = f"{minutes} min pass{'' if minutes > 1 else 'es'}" if minutes else text
        within = SESSION if who == TIME else who
        return Outcome("", "", "", (), (), ((within, within, text, False),))
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
        tuple(_told(step)),
    )


def _against(step: Step) -> str:
    """Why nothing came of it, in words."""
    if event_name(step.event) in _REQUESTS:
        return str(refused(step))
    if step.dropped == NOT_ALLOWED:
        return f"nothing in {step.before.state.value} waits for it"
    guard = (step.dropped or "").removeprefix("not ")
    return f"{step.dropped} does not hold. {guard}: {MEANINGS[guard].about}"


def _requirements(step: Step) -> tuple[str, ...]:
    """What the guard keeps that was against it, and what the event is there for."""
    guard = (step.dropped or "").removeprefix("not ")
    kept = MEANINGS[guard].requirements if guard in MEANINGS else ()
    return tuple(dict.fromkeys((*kept, *_REQUIREMENTS_OF[event_name(step.event)])))


def _told(step: Step) -> Iterator[tuple[str, str, str, bool]]:
    """The messages of a step. Worlds that differ in the numbers of attempts are one, so they have none."""
    recorder = Recorder()
    recorder.note([step])
    for entry in recorder.entries:
        commands = tuple(command._replace(attempt=None) for command in entry.commands)
        for each in messages([entry._replace(attempt=None, commands=commands)]):
            yield each.sender, each.receiver, each.text, each.in_vain


# ── How things stand ────────────────────────────────────────────────────────────────────────────


def situation(world: World) -> Iterator[str]:
    """How things stand, in sentences; what the session knows, and then what it does not."""
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
    if world.is_void and session.state in LIVE:
        yield "The platform has voided the token; the session has yet to find out."
    if world.ended:
        yield f"The user is {world.ended}{_unheard(world)}."
    yield from sorted(f"On its way: {_flight(world, flight)}." for flight in world.flights)


def _token(world: World) -> str:
    credential = world.session.credential
    if credential is None or world.session.state is SessionState.TOKEN_EXPIRED:
        return "The access token has expired."
    if credential.expires_at is None:
        return "The access token does not say when it expires."
    if credential.expires_at <= world.now:
        return "The access token's time is over."
    return f"The access token lives for {_in(credential.expires_at, world)}."


def _next(world: World) -> str:
    due = upcoming(world.session)
    if due is None:
        return "Time alone changes nothing here."
    at, fact = due
    return f"{'Now' if at <= world.now else f'In {_in(at, world)}'}: {COMING[type(fact)]}."


def _in(at: float, world: World) -> str:
    """How far away a time is. What is not a whole tick away ends within one, whatever the jitter."""
    whole, rest = divmod(at - world.now, TICK)
    return time_in_words(whole * TICK) if rest == 0 else f"less than {time_in_words((whole + 1) * TICK)}"


def _call(world: World) -> str:
    if is_due(world):
        return "waits for what is due"
    match authorize(world.session):
        case Granted():
            return "is sent"
        case Denied() as verdict:
            return f"fails: {denied(verdict)}"
        case _:
            return "waits"


def _unheard(world: World) -> str:
    return ", of which the session has not heard" if world.session.session in world.notices else ""


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
