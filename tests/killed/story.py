"""What a killed process may leave behind, by what it told and what its app had asked of it.

The process and who kills it write the same story: the one to know what to do next, the other to
judge what is stored. It knows nothing of how the library works inside. Each thing that the app asks
leads through a few milestones. A milestone is *told* by a change that an observer hears, by a hook,
or by the call that returns; what is stored may be that of the last milestone told, or of one that
was asked for and comes later. [RESUME-2]
"""

from collections import Counter
from typing import NamedTuple

from splus_session import SessionState
from splus_session._credentials import Record

LIFETIME = 30 * 24 * 3600.0
"""How long the fake platform's tokens live, in seconds."""

OUT, OPENING, IN, EXPIRED, ENDED = (
    SessionState.NOT_LOGGED_IN.value,
    SessionState.ESTABLISHING.value,
    SessionState.ESTABLISHED.value,
    SessionState.TOKEN_EXPIRED.value,
    SessionState.TERMINATED.value,
)
BACK = "back"
"""Said when the call that the app made has returned."""

POSSIBLE = {
    "": ["open"],
    OUT: ["login", "login", "login", "refused login", "overtaken login", "logout"],
    IN: ["renew", "expire", "lapse", "ban", "delete", "logout", "secure_logout", "overtaken renewal"],
    EXPIRED: ["renew", "renew", "ban", "logout", "secure_logout", "overtaken renewal"],
    ENDED: ["logout", "secure_logout"],
}
"""What an app may ask, by where its session is. Some things more often than others."""


class ViolationError(AssertionError):
    """Something was told or stored that must not be."""


class Stored(NamedTuple):
    """A stored session, as far as it matters here."""

    user_id: str
    issued_at: float
    expired: bool


class Milestone(NamedTuple):
    """Where the session gets on the way that it was asked to go."""

    stored: Stored | None
    state: str
    tells: frozenset[str]


def stored_in(record: Record | None) -> Stored | None:
    """What a store gave."""
    if record is None:
        return None
    return Stored(record.credential.user_id, record.credential.issued_at, record.expired)


class Story:
    """One process's life, from what it found in the store onwards."""

    def __init__(self, found: Stored | None) -> None:
        self.asked = "nothing"
        """What the app asked last."""
        self._way = [Milestone(found, "", frozenset())]
        self._heard: Counter[str] = Counter()
        self._told = 0

    def __str__(self) -> str:
        told = "all told" if not self.in_between else "not told yet"
        return f"after it was asked to {self.asked} ({told}; then {self.state!r})"

    @property
    def state(self) -> str:
        """Where the session gets with all that was asked."""
        return self._way[-1].state

    @property
    def possible(self) -> set[Stored | None]:
        """What may be stored now."""
        return {milestone.stored for milestone in self._way[self._told :]}

    @property
    def in_between(self) -> bool:
        """Whether there is something that was asked and has not been told."""
        return self._told < len(self._way) - 1

    def ask(self, action: str, at: float) -> None:
        """The app is about to ask something, at a time (UTC seconds) when it asks nothing else."""
        self.asked = action
        self._way += [
            Milestone(stored, state, frozenset(tells.split()))
            for stored, state, tells in _milestones(action, self._way[-1], at)
        ]

    def hear(self, word: str) -> None:
        """Something was told.

        Raises:
            ViolationError: nothing that was asked leads to that.
        """
        telling = [number for number, milestone in enumerate(self._way) if word in milestone.tells]
        self._heard[word] += 1
        if len(telling) < self._heard[word]:
            raise ViolationError(f"told {word!r}, to which nothing led")
        # The call may return before the observer's thread gets to tell: both count.
        self._told = max(self._told, telling[self._heard[word] - 1])

    @property
    def awaited(self) -> frozenset[str]:
        """What tells that the way has come to its end."""
        return self._way[-1].tells

    @property
    def all_told(self) -> bool:
        """Whether everything that should be told has been told, by everybody who should."""
        return Counter(word for milestone in self._way for word in milestone.tells) == self._heard


def user_at(at: float) -> str:
    """Who logs in at a time: never the same user twice, so that no session is taken for an earlier one."""
    return f"user-{at:.0f}"


def _milestones(action: str, before: Milestone, at: float) -> list[tuple[Stored | None, str, str]]:
    stored, state, _ = before
    fresh = Stored(user_at(at) if stored is None else stored.user_id, at, expired=False)
    stale = None if stored is None else stored._replace(expired=True)
    match action:
        case "open":
            return [_resumed(stored, at)]
        case "login":
            return [(None, OPENING, OPENING), (fresh, IN, f"{IN} on_login {BACK}")]
        case "refused login" | "overtaken login":
            return [(None, OPENING, OPENING), (None, OUT, f"{OUT} {BACK}")]
        case "renew" if state == IN:  # ahead of time: there is no change to tell of
            return [(fresh, IN, f"on_renewal {BACK}")]
        case "renew":
            return [(fresh, IN, f"{IN} on_renewal {BACK}")]
        case "lapse":
            return [(stale, EXPIRED, EXPIRED)]
        case "expire":
            return [(stale, EXPIRED, EXPIRED), (fresh, IN, f"{IN} on_renewal")]
        case "ban" | "delete":
            return [(None, ENDED, f"{ENDED} on_ban")]
        case "logout" | "secure_logout" if state == OUT:
            return [(None, OUT, BACK)]
        case "logout" | "secure_logout" | "overtaken renewal":
            return [(None, OUT, f"{OUT} on_logout {BACK}")]
        case _:
            raise ValueError(action)


def _resumed(stored: Stored | None, at: float) -> tuple[Stored | None, str, str]:
    if stored is None:
        return (None, OUT, OUT)
    if stored.expired or at >= stored.issued_at + LIFETIME:
        return (stored._replace(expired=True), EXPIRED, EXPIRED)
    return (stored, IN, IN)
