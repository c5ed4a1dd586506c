"""Long lives in bad weather, which ends: drawn by chance, the same for every driver.

While it lasts, the platform loses, delays, refuses, repeats, limits and bans; the handler is slow,
silent, raises, answers twice or for renewals long over; the disk is full; the wall clock is set; and
an app of several tasks calls whatever comes to its mind, and gives up on some of it. Then nothing
goes wrong any more, and the session must come to rest by itself.
"""

import random
from collections.abc import Callable

from splus_session.testing import Endpoint, faults
from splus_session.testing.faults import Fault
from tests.schedules.acts import (
    LOGIN,
    Act,
    Actor,
    Call,
    Do,
    Scenario,
    Wait,
    the_platform_bans_and_tells,
    the_platform_voids_the_token,
)
from tests.schedules.world import World

ENDPOINTS = (Endpoint.LOGIN, Endpoint.LOGIN, Endpoint.VERIFY, Endpoint.REVOKE)
FAULTS: tuple[Callable[[], tuple[Fault, ...]], ...] = (
    lambda: (faults.drop(),),
    lambda: (faults.drop(carried_out=True),),
    lambda: (faults.delay(5.0),),
    lambda: (faults.delay(12.0, carried_out=True),),
    lambda: (faults.delay(40.0, carried_out=True),),
    lambda: (faults.server_error(503),),
    lambda: (faults.server_error(500, carried_out=True),),
    lambda: (faults.rate_limited(7),),
    lambda: (faults.unauthorized(),),
    lambda: (faults.malformed(),),
    lambda: (faults.cut_short(),),
    lambda: (faults.expired_on_arrival(),),
    lambda: (faults.wrong_user("mallory"),),
)
CALLS = (*["authorization"] * 6, *["renew_now"] * 3, "secure_logout", "logout")


def bad_weather(seed: int) -> Scenario:
    """A life of this seed."""
    chance = random.Random(seed)
    app = tuple(_app(chance) for _ in range(3))
    return Scenario(prologue=(LOGIN,), actors=(_world(chance), *app), mends=True, settles_within=1_500.0)


def _app(chance: random.Random) -> Actor:
    acts: list[Act] = []
    for _ in range(chance.randint(15, 25)):
        acts.append(Wait(chance.choice((0.0, 0.0, 1.0, 20.0, 55.0))))
        match chance.randint(0, 9):
            case 0 | 1 | 2:
                acts.append(LOGIN)
            case 3:
                acts.append(Call("report_rejected", {"attempt": chance.randint(1, 6)}))
            case _:
                given_up = chance.choice((None, None, None, 0.0, 2.0))
                acts.append(Call(chance.choice(CALLS), cancelled_after=given_up))
    return tuple(acts)


def _world(chance: random.Random) -> Actor:
    acts: list[Act] = []
    for _ in range(chance.randint(15, 25)):
        acts.append(Wait(chance.choice((0.0, 5.0, 20.0, 50.0))))
        match chance.randint(0, 9):
            case 0:
                acts.append(_jump(chance.choice((-90.0, -1.0, 45.0, 600.0))))
            case 1:
                acts.append(_full_disk(chance.random() < 0.7))
            case 2:
                acts.append(the_platform_voids_the_token())
            case 3 if chance.random() < 0.3:
                acts.append(the_platform_bans_and_tells())
            case _:
                acts.append(_fault(chance.choice(ENDPOINTS), chance.choice(FAULTS)(), chance.randint(1, 3)))
    return tuple(acts)


def _fault(endpoint: Endpoint, struck_by: tuple[Fault, ...], times: int) -> Do:
    names = ", ".join(fault.name for fault in struck_by)
    what = f"{endpoint.name} is struck {times} times: {names}"
    return Do(what, lambda world: world.fake.fail(endpoint, *struck_by, times=times))


def _jump(seconds: float) -> Do:
    def jump(world: World) -> None:
        world.jumped += abs(seconds)
        world.clock.jump(seconds)

    return Do(f"the clock is set by {seconds:g} s", jump)


def _full_disk(full: bool) -> Do:
    return Do(
        f"the disk is {'full' if full else 'empty'}", lambda world: setattr(world.store, "failing", full)
    )
