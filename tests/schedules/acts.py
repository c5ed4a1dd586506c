"""What an app and its world do, as values: the same for every driver.

An *actor* does its acts one after the other, in a task or a thread of its own. A scenario is some
actors, after a prologue that nobody disturbs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from tests.schedules.world import World


@attrs.frozen
class Call:
    """A method of the session is called, and waited for."""

    method: str
    named: dict[str, Any] = attrs.field(factory=dict)
    """Its arguments; a function gives one of the world in which it is called."""
    cancelled_after: float | None = None
    """Seconds after which the caller gives up, where callers can be cancelled: not in threads."""

    def __str__(self) -> str:
        given_up = "" if self.cancelled_after is None else f", given up after {self.cancelled_after:g} s"
        return f"{self.method}({', '.join(map(str, self.named.values()))}{given_up})"


@attrs.frozen
class Wait:
    """The actor does nothing for so many seconds."""

    seconds: float

    def __str__(self) -> str:
        return f"waits {self.seconds:g} s"


@attrs.frozen
class Do:
    """Something else happens to the session or to its world."""

    what: str
    how: Callable[["World"], object] = attrs.field(repr=False, eq=False)

    def __str__(self) -> str:
        return self.what


Act = Call | Wait | Do
Actor = tuple[Act, ...]


@attrs.frozen(kw_only=True)
class Scenario:
    """See the module."""

    actors: tuple[Actor, ...]
    prologue: Actor = ()
    closing: bool = False
    """Whether the session is closed while the actors are still at it."""
    mends: bool = False
    """Whether things go wrong until the actors are done, and then no more."""
    settles_within: float = 900.0
    """Seconds after which nobody may wait any longer, and nothing be on its way."""


LOGIN = Call("login", {"user_id": "ann"})
"""Production, with a fresh auth token: the stage adds it."""


def do(how: Callable[["World"], object]) -> Callable[[], Do]:
    """Make an act of a function; its name says what it does."""
    return lambda: Do(how.__name__.replace("_", " "), how)


@do
def the_platform_bans_and_tells(world: "World") -> None:
    world.fake.ban("ann")
    world.session.note_ban("ann")


@do
def the_ban_is_told_again(world: "World") -> None:
    world.session.note_ban("ann")


@do
def the_platform_voids_the_token(world: "World") -> None:
    world.fake.revoke("ann")


@do
def somebody_begins_to_observe(world: "World") -> None:
    world.observe()


@do
def the_handler_takes_its_time(world: "World") -> None:
    world.pause = 20.0
