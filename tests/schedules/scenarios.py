"""Short scenes in which a few things happen at the same time: small enough to try every order."""

from splus_session.testing import Endpoint, faults
from tests.schedules.acts import (
    LOGIN,
    Call,
    Do,
    Scenario,
    Wait,
    somebody_begins_to_observe,
    the_ban_is_told_again,
    the_handler_takes_its_time,
    the_platform_bans_and_tells,
    the_platform_voids_the_token,
)

AUTHORIZATION, RENEW_NOW, LOGOUT = Call("authorization"), Call("renew_now"), Call("logout")
SECURE_LOGOUT, REPORT = Call("secure_logout"), Call("report_rejected", {"attempt": 1})
EXPIRED = Wait(54.0)
"""After so many seconds the token is expired, just then."""


def slow(endpoint: Endpoint, seconds: float) -> Do:
    """The next answer of an endpoint takes some time."""
    return Do(f"{endpoint.name} is slow", lambda world: world.fake.fail(endpoint, faults.delay(seconds)))


def lost(endpoint: Endpoint) -> Do:
    """The next answer of an endpoint does not come."""
    return Do(f"{endpoint.name} is away", lambda world: world.fake.fail(endpoint, faults.drop()))


SCENARIOS: dict[str, Scenario] = {
    "a login and who waits for it": Scenario(actors=((LOGIN,), (AUTHORIZATION,), (AUTHORIZATION,))),
    "a logout during a login": Scenario(actors=((LOGIN,), (LOGOUT,), (AUTHORIZATION,))),
    "another login after one that was given up": Scenario(
        prologue=(slow(Endpoint.LOGIN, 3.0),), actors=((LOGIN,), (LOGOUT, LOGIN, AUTHORIZATION))
    ),
    "everybody wants to renew": Scenario(
        prologue=(LOGIN,), actors=((RENEW_NOW,), (RENEW_NOW,), (AUTHORIZATION,))
    ),
    "the token expires, and everybody waits": Scenario(
        prologue=(LOGIN, the_handler_takes_its_time()),
        actors=((EXPIRED, AUTHORIZATION), (EXPIRED, AUTHORIZATION), (EXPIRED, RENEW_NOW)),
    ),
    "a ban during a renewal, told twice": Scenario(
        prologue=(LOGIN,), actors=((RENEW_NOW,), (the_platform_bans_and_tells(),), (the_ban_is_told_again(),))
    ),
    "a ban and a logout": Scenario(
        prologue=(LOGIN,), actors=((the_platform_bans_and_tells(),), (LOGOUT,), (AUTHORIZATION,))
    ),
    "a renewal that has to be tried again": Scenario(
        prologue=(LOGIN, Wait(2.0), lost(Endpoint.LOGIN)),
        actors=((RENEW_NOW,), (AUTHORIZATION, Wait(5.0), AUTHORIZATION)),
    ),
    "a rejection, and a renewal meanwhile": Scenario(
        prologue=(LOGIN, the_platform_voids_the_token()),
        actors=((REPORT, AUTHORIZATION), (REPORT,), (RENEW_NOW,)),
    ),
    "a secure logout, joined, and renewals": Scenario(
        prologue=(LOGIN,), actors=((SECURE_LOGOUT,), (SECURE_LOGOUT,), (RENEW_NOW,))
    ),
    "a plain logout overtakes a secure one": Scenario(
        prologue=(LOGIN,), actors=((SECURE_LOGOUT,), (LOGOUT,))
    ),
    "one who renews gives up, and others wait": Scenario(
        prologue=(LOGIN, slow(Endpoint.LOGIN, 3.0)),
        actors=((Call("renew_now", cancelled_after=1.0),), (RENEW_NOW,), (RENEW_NOW,)),
    ),
    "observers come while things change": Scenario(
        prologue=(LOGIN,), actors=((LOGOUT, LOGIN), (somebody_begins_to_observe(),))
    ),
    "a closing with everybody waiting": Scenario(
        prologue=(LOGIN, slow(Endpoint.LOGIN, 3.0)),
        actors=((RENEW_NOW,), (LOGOUT,), (AUTHORIZATION,)),
        closing=True,
    ),
}
