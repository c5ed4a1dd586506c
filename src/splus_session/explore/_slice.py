"""What a world contains: a slice of everything that could happen, small enough to look at all of it."""

from typing import NamedTuple

import attrs

from splus_session._config import Config
from splus_session._credentials import SessionKind

TICK = 60.0
"""The seconds that pass at once. Whatever is planned in a slice is planned in whole ticks, but for a
backoff and a respite, which may end within one."""


def figures(
    *, answer: int = 1, pause: int = 2, wait: int = 2, young: int = 3, development: bool = False
) -> Config:
    """The figures of a small world, in ticks of a minute, without jitter, margin or leeway.

    A token is to be renewed at half of its lifetime. A backoff ends within the first tick.

    Args:
        answer: how long a handler may take.
        pause: how long the asking pauses.
        wait: how long a secure logout waits for a renewal.
        young: how long an auth token is presented again.
        development: whether a user id alone may log in.
    """
    return Config(
        development=development,
        renewal_share=0.5,
        margin=0.0,
        jitter=0.0,
        leeway=0.0,
        answer_timeout=answer * TICK,
        pause=pause * TICK,
        backoff=0.001,
        auth_token_lifetime=young * TICK,
        wait_limit=wait * TICK,
    )


class Who(NamedTuple):
    """A login that the app may ask for."""

    kind: SessionKind
    user_id: str = "a"
    """Whose; a visitor's and a bot's is the one that the platform will name."""
    own_handler: bool = False
    """Whether it brings a session handler of its own."""
    token: str = "fresh"
    """An access token that it presents: `fresh`, `late` or `dead`, as a handler's."""

    @property
    def words(self) -> tuple[str | bool, ...]:
        """How it is named where it is asked for."""
        words = (self.kind.value, self.user_id, self.own_handler)
        return (*words, self.token) if self.kind is SessionKind.ACCESS_TOKEN else words


@attrs.frozen(kw_only=True)
class Slice:
    """A world to explore: who is in it, what they may do, and what the platform may answer.

    In every slice time passes, answers are late, and come in any order. What is not named here does
    not happen.
    """

    name: str
    about: str
    """What it is there to show, in a sentence."""
    config: Config = attrs.field(factory=figures)
    logins: tuple[Who, ...] = (Who(SessionKind.AUTH_TOKEN),)
    session_handler: bool = True
    """Whether the app begins with one."""
    access_token_handler: bool = False
    handlers_change: bool = False
    """Whether the app registers and unregisters them."""
    lifetimes: tuple[int, ...] = (4,)
    """How long new tokens live, in ticks; 0: dead on arrival, negative: never dead by the clock."""
    app: frozenset[str] = frozenset({"logout"})
    """What the app may ask for besides logins: `logout`, `secure_logout`, `renew_now`, `cancel`."""
    handler: tuple[str, ...] = ("auth token", "unable")
    """What a handler may answer: `auth token`, `user id`, `signature`, `unable`; or, where it is asked
    for an access token, `fresh`, `late` (it should have been renewed already) and `dead` ones."""
    answers: tuple[str, ...] = ("granted", "refused", "lost")
    """What a login or a renewal may come to; also `foreign`: another user's token."""
    rejects: bool = False
    """Whether the platform may void the token in use, and API calls be answered with 401."""
    ends: tuple[str, ...] = ()
    """What the platform may do to user `a`: `banned`, `deleted`."""
    repeats: bool = False
    """Whether a token may come more than once."""
    sleeps: int = 0
    """How many ticks pass unnoticed when the machine sleeps."""
    kills: bool = False
    """Whether commands are carried out one by one, and the process may be killed in between."""
    most_attempts: int = 4
    """In a bounded exploration: the highest number that an attempt is given."""
    most_late: int = 1
    """How many requests may be on their way that nobody waits for any more. The network loses the
    oldest, as it may."""
    most_processes: int = 3
    """How many processes there are, one after the other, where they are killed."""
    most_owed: int = 2
    """And how many commands the driver may be behind before anything else happens."""
