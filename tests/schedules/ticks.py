"""Lives whose time comes in ticks, with the figures of a slice: their traces are in the model's reach.

The clock shows whole ticks, and the next one as soon as anything of it is over. So a backoff ends with
the tick that it ends in, as it does in a slice. Requests and handlers take no time, or some ticks.
"""

import math
import random
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from splus_session import HandlerRequiredError
from splus_session._commands import Persist
from splus_session.explore import TICK, figures
from splus_session.ports import Renewal
from splus_session.testing import Endpoint, TokenTerms, faults
from splus_session.testing.faults import Fault
from tests.properties.monitors import Jury
from tests.schedules.acts import (
    LOGIN,
    Act,
    Actor,
    Call,
    Do,
    Scenario,
    Wait,
    do,
    the_platform_bans_and_tells,
    the_platform_voids_the_token,
)
from tests.schedules.choices import Choices
from tests.schedules.play import Play
from tests.schedules.stages import STAGES
from tests.schedules.trace import Trace
from tests.schedules.world import World


def in_ticks(seconds: float) -> float:
    """The end of the tick that a time lies in; a microsecond belongs to the one before."""
    return math.ceil(round(seconds / TICK, 8)) * TICK


class TickingWorld(World):
    """See the module."""

    config = attrs.evolve(figures(), backoff=1.0, request_timeout=10 * TICK)
    lifetime = 4 * TICK

    def __init__(
        self,
        time: Callable[[], float],
        point: Callable[[], None] = lambda: None,
        moods: random.Random | None = None,
        *,
        before: World | None = None,
    ) -> None:
        """Make one; `before`: that of the process before, with the same store and platform."""
        super().__init__(lambda: in_ticks(time()), point, moods)
        if before is not None:
            self.fake, self.store, self.clock = before.fake, before.store, before.clock
            self.clock.advance(before.time() - self.time())
            self.clock._time = self.time

    def make(self, kind: type[Any], platform: Any, handler: object, callback: Callable[[Any], Any]) -> Any:
        session = super().make(kind, platform, handler, callback)
        self.handler = session._session_handler
        return session

    def answer(self, renewal: Renewal) -> None:
        if renewal._kind.value in {"visitor", "signedVisitor"}:  # type: ignore[attr-defined]
            renewal.renew_with_auth_signature("nobody's word", "2099-01-01T00:00:00.000Z")
        else:
            super().answer(renewal)


def lived(
    driver: str,
    scenario: Scenario,
    choices: Choices,
    moods: random.Random | None = None,
    before: World | None = None,
) -> World:
    """Have a driver play a scenario in ticks, and judge nothing; gives its world.

    It ends late enough for every answer that is still on its way.
    """
    scenario = attrs.evolve(scenario, actors=(*scenario.actors, (Wait(8 * TICK),)))
    worlds: list[World] = []

    def make(*arguments: Any, **named: Any) -> World:
        worlds.append(TickingWorld(*arguments, **named, before=before))
        return worlds[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Play, "finish", lambda *_: Jury())
        try:
            STAGES[driver](scenario, choices, moods, kind=make)
        except* HandlerRequiredError:  # the stored session is dead, and nobody can renew it
            pass
    return worlds[0]


def kill(worlds: Sequence[World], at: int) -> None:
    """Have the last process die after so many entries: what it did later, it did not do."""
    trace, store, key = worlds[-1].trace, worlds[-1].store, worlds[-1].session._key
    del trace[at:]
    stored = [command.record for world in worlds for command in world.trace.done(Persist)]
    if stored and stored[-1] is not None:
        store.save(key, stored[-1])
    else:
        store.delete(key)


FIRST = 2
"""Entries of a process's trace that are there once it has looked for a stored session."""


def life(driver: str, seed: int) -> list[Trace]:
    """What the processes of a life of this seed do, one after the other; all but the last are killed.

    The platform bans or deletes Ann once, or somebody else: more than that the model has not.
    """
    chance = random.Random(seed)
    worlds: list[World] = []
    end = chance.choice(
        (the_platform_bans_and_tells, the_platform_deletes_and_tells, somebody_else_is_banned)
    )
    count = chance.choice((1, 1, 2, 3))
    ends_in = chance.randrange(count)
    for number in range(count):
        if worlds:
            length = len(worlds[-1].trace)
            kill(worlds, chance.randint(min(length, max(FIRST, length // 3)), length))
        of, rate = chance.choice(KINDS)
        choices = Choices(seed=chance.randrange(1_000), rate=rate)
        scene = of(chance, end() if number == ends_in else None)
        moods = random.Random(seed) if chance.random() < 0.7 else None
        worlds.append(lived(driver, scene, choices, moods, worlds[-1] if worlds else None))
    return [world.trace for world in worlds]


AUTHORIZATION, RENEW_NOW, LOGOUT = Call("authorization"), Call("renew_now"), Call("logout")
SECURE_LOGOUT, EXPIRED = Call("secure_logout"), Wait(4 * TICK)


def _struck(endpoint: Endpoint, *struck_by: Fault, times: int = 1) -> Do:
    what = f"{endpoint.name} is struck {times} times: {', '.join(fault.name for fault in struck_by)}"
    return Do(what, lambda world: world.fake.fail(endpoint, *struck_by, times=times))


def _slow(endpoint: Endpoint, ticks: int, *struck_by: Fault, times: int = 1) -> Do:
    return _struck(endpoint, *struck_by, faults.delay(ticks * TICK, carried_out=True), times=times)


# ── What happens ────────────────────────────────────────────────────────────────────────────────

LOST: tuple[Callable[[], Sequence[Fault]], ...] = (
    lambda: (faults.drop(),),
    lambda: (faults.drop(carried_out=True),),
    lambda: (faults.server_error(503),),
    lambda: (faults.malformed(),),
    lambda: (faults.rate_limited(7),),
)
SLOW: tuple[Callable[[], Sequence[Fault]], ...] = (
    lambda: (faults.delay(TICK),),
    lambda: (faults.delay(TICK, carried_out=True),),
    lambda: (faults.delay(3 * TICK, carried_out=True),),
    lambda: (faults.delay(5 * TICK, carried_out=True),),
)
WRONG: tuple[Callable[[], Sequence[Fault]], ...] = (
    lambda: (faults.unauthorized(),),
    lambda: (faults.expired_on_arrival(),),
)
ENDPOINTS = (Endpoint.LOGIN, Endpoint.LOGIN, Endpoint.VERIFY, Endpoint.REVOKE)
CALLS = ("authorization", *["renew_now"] * 3, *["secure_logout"] * 3, "logout")


@do
def the_platform_deletes_and_tells(world: World) -> None:
    world.fake.delete("ann")
    world.session.note_deletion("ann")


@do
def somebody_else_is_banned(world: World) -> None:
    world.session.note_ban("mallory")


@do
def the_handler_goes(world: World) -> None:
    world.session.set_session_handler(None)


@do
def the_handler_comes_back(world: World) -> None:
    assert isinstance(world, TickingWorld)
    world.session.set_session_handler(world.handler)


@do
def an_access_token_handler_comes(world: World) -> None:
    world.session.set_session_handler(None)
    world.session.set_access_token_handler(SimpleNamespace(on_token_renew=lambda _: _access_token(world)))


def _access_token(world: World) -> Any:
    """Fresh, or nearly over, or dead: the three that the model knows."""
    age = 0.0 if world.moods is None else world.moods.choice((0.0, 0.0, 3 * TICK, 4 * TICK))
    return world.fake.issue_access_token("ann", TokenTerms(lifetime=4 * TICK, age=age))


def _of_users(chance: random.Random, end: Do | None) -> Scenario:
    logins = [LOGIN, LOGIN, Call("login", {"user_id": "bob"})]
    events: list[Callable[..., Do]] = [
        _fault,
        _fault,
        _fault,
        the_platform_voids_the_token,
        the_handler_goes,
        the_handler_comes_back,
    ]
    return _scene(chance, logins, events, end)


def _of_strangers(chance: random.Random, end: Do | None) -> Scenario:
    logins = [Call("login_as_visitor"), Call("login_as_bot")]
    events: list[Callable[..., Do]] = [
        _fault,
        _fault,
        the_handler_goes,
        the_handler_goes,
        the_handler_comes_back,
    ]
    return _scene(chance, logins, events, end)


def _of_access_tokens(chance: random.Random, end: Do | None) -> Scenario:
    login = Call(
        "login_with_access_token", {"access_token": lambda world: world.fake.issue_access_token("ann")}
    )
    scene = _scene(chance, [login], [_fault, _fault, the_platform_voids_the_token], end)
    return attrs.evolve(scene, prologue=(an_access_token_handler_comes(), *scene.prologue))


KINDS = (
    (_of_users, 0.2),
    (_of_users, 0.05),
    (_of_users, 0.5),
    (_of_strangers, 0.2),
    (_of_access_tokens, 0.0),
)
"""Lives, and how often chance deviates in them. A token that a handler brings must not age on its way."""


def _scene(
    chance: random.Random,
    logins: Sequence[Call],
    events: Sequence[Callable[..., Do]],
    end: Do | None,
) -> Scenario:
    def app() -> Actor:
        acts: list[Act] = []
        for _ in range(chance.randint(3, 8)):
            acts.append(Wait(chance.choice((0.0, 0.0, TICK, 2 * TICK, 4 * TICK))))
            match chance.randint(0, 5):
                case 0 | 1:
                    acts.append(chance.choice(logins))
                case 2:
                    acts.append(Call("report_rejected", {"attempt": _attempt}))
                case _:
                    given_up = chance.choice((None, None, 0.0, TICK))
                    acts.append(Call(chance.choice(CALLS), cancelled_after=given_up))
        return tuple(acts)

    chosen = [chance.choice(events) for _ in range(chance.randint(1, 4))]
    happening = [made(chance) if made is _fault else made() for made in chosen]
    if end is not None:
        happening.insert(chance.randint(0, len(happening)), end)
    world = [act for each in happening for act in (Wait(chance.choice((0.0, TICK, 2 * TICK))), each)]
    login = attrs.evolve(chance.choice(logins), cancelled_after=chance.choice((None, None, None, 0.0)))
    return Scenario(
        prologue=(login,), actors=(tuple(world), app(), app()), mends=True, settles_within=20 * TICK
    )


def _attempt(world: World) -> int:
    """Mostly the one that is in use."""
    return world.snapshot.credential_attempt or 1


def _fault(chance: random.Random) -> Do:
    struck_by = chance.choice(chance.choice((LOST, SLOW, WRONG)))()
    return _struck(chance.choice(ENDPOINTS), *struck_by, times=chance.randint(1, 3))


# ── What chance seldom brings ───────────────────────────────────────────────────────────────────

IN, OUT, CHECK = Endpoint.LOGIN, Endpoint.REVOKE, Endpoint.VERIFY
SOON = Wait(TICK / 2)
"""Before the next tick, and after all that takes no time."""
AILING, DOUBT, DEAD = faults.server_error(503), faults.unauthorized(), faults.expired_on_arrival()
A_BAN = faults.flagged()
"""Comes together with a token."""


def _renewing(*later: Act, ticks: int = 2, but: Sequence[Fault] = ()) -> Scenario:
    """Somebody renews, which takes some ticks; soon something else is done."""
    return Scenario(prologue=(LOGIN, _slow(IN, ticks, *but)), actors=((RENEW_NOW,), (SOON, *later)))


def _revoking(*before: Act) -> Scenario:
    return Scenario(prologue=(LOGIN, *before), actors=((SECURE_LOGOUT,),))


def _expired(*later: Act) -> Scenario:
    """The token expired, and there is no handler."""
    return Scenario(prologue=(LOGIN, the_handler_goes(), EXPIRED, SOON), actors=(later,))


_NEXT = (LOGOUT, LOGIN)

SCENES: dict[str, Scenario] = {
    "a renewal is answered after a logout": _renewing(LOGOUT),
    "a renewal is answered in the next session": _renewing(*_NEXT),
    "a renewal is answered during the next login": _renewing(_slow(IN, 4), *_NEXT),
    "a renewal is answered after a ban": _renewing(the_platform_bans_and_tells(), the_handler_goes()),
    "a renewal brings a token that is dead": _renewing(but=[DEAD]),
    "a renewal brings a token and a ban": _renewing(AUTHORIZATION, but=[A_BAN]),
    "a login is answered in the next session": Scenario(
        prologue=(_slow(IN, 2),), actors=((LOGIN,), (SOON, *_NEXT))
    ),
    "a login is answered during the next": Scenario(
        prologue=(_slow(IN, 2), _slow(IN, 4)), actors=((LOGIN,), (SOON, *_NEXT, the_handler_goes()))
    ),
    "a login is answered after the next was terminated": Scenario(
        prologue=(_slow(IN, 2),), actors=((LOGIN,), (SOON, *_NEXT, the_platform_bans_and_tells()))
    ),
    "a login brings a token that is dead": Scenario(prologue=(_struck(IN, DEAD),), actors=((LOGIN,),)),
    "a login brings a token and a ban": Scenario(prologue=(_struck(IN, A_BAN),), actors=((LOGIN, LOGOUT),)),
    "a login brings a token and a ban in the next session": Scenario(
        prologue=(_slow(IN, 2, A_BAN),), actors=((LOGIN,), (SOON, *_NEXT))
    ),
    "a login brings a token and a ban during the next": Scenario(
        prologue=(_slow(IN, 2, A_BAN), _slow(IN, 4)), actors=((LOGIN,), (SOON, *_NEXT, the_handler_goes()))
    ),
    "a secure logout waits for a renewal": _renewing(SECURE_LOGOUT, ticks=1),
    "a secure logout waits too long for a renewal": _renewing(SECURE_LOGOUT, ticks=4),
    "a secure logout waits for a renewal beyond expiry": Scenario(
        prologue=(LOGIN, _slow(IN, 6), Wait(3 * TICK)), actors=((SECURE_LOGOUT,),)
    ),
    "a revocation is lost": _revoking(_struck(OUT, AILING)),
    "a token expires while it is revoked": _revoking(_slow(OUT, 5)),
    "a token expires, and its revocation is lost": _revoking(_slow(OUT, 5, AILING)),
    "a token expires, and its revocation is doubted": _revoking(_slow(OUT, 5, DOUBT)),
    "a doubted revocation is checked": _revoking(_struck(OUT, DOUBT)),
    "a doubted revocation was right": _revoking(the_platform_voids_the_token()),
    "a doubted revocation is checked in vain": _revoking(_struck(OUT, DOUBT), _struck(CHECK, AILING)),
    "a doubted revocation is checked beyond expiry": _revoking(_struck(OUT, DOUBT), _slow(CHECK, 5)),
    "and in vain": _revoking(_struck(OUT, DOUBT), _slow(CHECK, 5, AILING)),
    "a token expires during its renewal": Scenario(prologue=(LOGIN, _slow(IN, 3)), actors=()),
    "and what comes is dead": Scenario(prologue=(LOGIN, _slow(IN, 3, DEAD)), actors=()),
    "and it is tried again": Scenario(prologue=(LOGIN, _slow(IN, 3, AILING), _struck(IN, AILING)), actors=()),
    "an expired session's user is banned": _expired(the_platform_bans_and_tells(), LOGOUT),
    "an expired session's user is deleted": _expired(the_platform_deletes_and_tells(), SECURE_LOGOUT),
    "an expired session is logged out securely": _expired(SECURE_LOGOUT),
    "an expired session is renewed once somebody can": _expired(the_handler_comes_back(), AUTHORIZATION),
}
"""Short scenes, each for what it is named after."""
