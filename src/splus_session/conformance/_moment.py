"""One moment of a run, seen from both sides: what the oracle says should be, and what the client did.

A moment begins with one thing from outside (a command, an answer of the platform's, time) and ends when
the client is idle. The sentences of `sentences` judge moments.
"""

from typing import Any, Final

import attrs

from splus_session import (
    AskRenewal,
    Change,
    Credential,
    Event,
    OpenSession,
    Renew,
    Revoke,
    RevokeOrphan,
    SessionState,
    Snapshot,
    Step,
    Verify,
    event_name,
)
from splus_session._answers import Answer
from splus_session.conformance._actions import Action
from splus_session.conformance._lines import Look, Told
from splus_session.testing import Endpoint, Received

IN_SESSION: Final = (SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED)
OPENING: Final = (Endpoint.LOGIN, Endpoint.VISITOR_LOGIN, Endpoint.BOT_LOGIN)
"""Where sessions are opened, and renewed."""

Wanted = OpenSession | Renew | Verify | Revoke | RevokeOrphan
"""A request that the oracle expects."""


def best_before(credential: Credential) -> float:
    """When a client is to use a token no more, by the platform's clock; it has an expiry. [EXPIRE-2]"""
    assert credential.expires_at is not None  # noqa: S101  for the type checker
    return credential.expires_at - min(35.0, credential.lifetime / 10)


@attrs.define(eq=False)
class Flight:
    """A request that is expected, or under way."""

    wanted: Wanted
    record: Received | None = None
    """What arrived; None: nothing yet."""
    sent_at: float = 0.0
    exact: bool = True
    """Whether it arrived as it was expected to."""
    answer: Answer | None = None
    """What was answered; None: nothing yet."""


@attrs.define(eq=False)
class Call:
    """A call that the client was told to make, and what is known of how it should end."""

    id: int
    do: str
    client: str
    attempt: int | None = None
    """What it waits for; None: nothing."""
    kinds: frozenset[str] | None = None
    """How it may fail; empty: it may not. None: not known yet."""
    since: float = 0.0
    may_fail: bool = False
    """Whether it may as well fail in any way, or still succeed: what is in its way is not its own."""
    ended: Told | None = None
    sent: int = 0
    """How many requests had arrived when it began."""

    @property
    def is_due(self) -> bool:
        """Whether it should have ended."""
        return self.kinds is not None


@attrs.define(eq=False, kw_only=True)
class Moment:
    """See the module. About one client."""

    action: Action
    client: str
    before: Snapshot
    after: Snapshot
    now: float
    server_now: float
    steps: tuple[Step, ...] = ()
    changes: tuple[Change, ...] = ()
    """What the oracle announces."""
    heard: dict[int, list[Told]] = attrs.field(factory=dict[int, list[Told]])
    """What each observer was told."""
    joined: dict[int, SessionState] = attrs.field(factory=dict[int, SessionState])
    """Where the session was when observers began to observe in this moment."""
    observers: dict[int, str] = attrs.field(factory=dict[int, str])
    """All observers that there are, and how they are."""
    flights: tuple[Flight, ...] = ()
    """Expected requests that arrived now."""
    answered: tuple[Flight, ...] = ()
    """Requests that were answered now."""
    missing: tuple[Wanted, ...] = ()
    """Expected requests that did not arrive."""
    surplus: tuple[Received, ...] = ()
    """Session requests that were not expected."""
    requests: tuple[Received, ...] = ()
    """All that arrived now, whoever sent them."""
    asked: tuple[Told, ...] = ()
    """Calls of handlers, as expected."""
    unasked: tuple[AskRenewal, ...] = ()
    """Calls of handlers that did not come."""
    surplus_asks: tuple[Told, ...] = ()
    """Calls of handlers that were not expected."""
    calls: tuple[Call, ...] = ()
    """Calls that should have ended now, or have."""
    waiting: tuple[Call, ...] = ()
    """Calls that are to wait on."""
    hooks: tuple[str, ...] = ()
    hooked: tuple[str, ...] = ()
    uncaught: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    """What held a secret."""
    elsewhere: int = 0
    """How many requests went to another origin."""
    look: Look | None = None
    """How the client says that it is; None if it is not open."""
    is_open: bool = True
    notes: dict[str, Any] = attrs.field(factory=dict[str, Any])
    """What else the run knows: what was noted of the client, and what `Run` adds."""

    def did(self, *dos: str) -> bool:
        """Whether the moment began with such an action upon this client."""
        return self.action.do in dos and self.action.client in ("", self.client)

    def took(
        self, *events: str, source: SessionState | None = None, target: SessionState | None = None
    ) -> bool:
        """Whether such an event was applied, from and to such states."""
        return any(
            step.row is not None
            and event_name(step.event) in events
            and source in (None, step.row.source)
            and target in (None, step.row.target)
            for step in self.steps
        )

    def dropped(self, *events: str) -> bool:
        """Whether such an event was dropped, or refused."""
        return any(step.row is None and event_name(step.event) in events for step in self.steps)

    def given(self, kind: type[Event]) -> tuple[Any, ...]:
        """The events of this kind that the oracle was given."""
        return tuple(step.event for step in self.steps if isinstance(step.event, kind))

    @property
    def states(self) -> list[str]:
        """The states that the oracle announces."""
        return [change.state.value for change in self.changes]

    def told(self, observer: int = 0) -> list[str]:
        """The states that an observer was told."""
        return [str(event.text("state")) for event in self.heard.get(observer, [])]

    def lacks(self, kind: type[Wanted]) -> bool:
        """Whether an expected request of this kind did not arrive."""
        return any(isinstance(wanted, kind) for wanted in self.missing)

    def with_another_token(self, kind: type[Wanted]) -> bool:
        """Whether a request of this kind arrived that carries another token than it should."""
        return any(isinstance(flight.wanted, kind) and not flight.exact for flight in self.flights)

    @property
    def api_requests(self) -> list[Received]:
        """The app's own requests among those that arrived."""
        return [record for record in self.requests if record.endpoint is Endpoint.GET_CHANNELS]

    @property
    def is_almost_expired(self) -> bool:
        """Whether a request might reach the platform with a dead token, or the client cannot know.
        [EXPIRE-2]
        """
        credential = self.after.credential
        if credential is None or not self.notes["knows_time"]:
            return True
        return credential.expires_at is not None and self.server_now >= best_before(credential)

    @property
    def learned_the_time(self) -> bool:
        """Whether an answer told that the platform's clock is another than was thought."""
        return abs(self.after.offset - self.before.offset) > 1

    @property
    def is_race(self) -> bool:
        """Whether it decides what happens on the way which of several comes first: what one API answer
        says of the session, what another says, an observer that logs out, or a revocation that fails.
        """
        news = len(self.notes.get("api_said", set[str]()) - {"nothing"})
        return news + bool(self.notes.get("observer_logged_out")) + self.took("revocation_failed") > 1

    @property
    def is_agreed(self) -> bool:
        """Whether the client says that it is where the oracle says, or that it is establishing because it
        renews. To say so is a breach of RENEW-2, but the two have not parted.
        """
        if self.look is None or self.look.state == self.after.state.value:
            return True
        renewal = self.after.renewal
        renews = renewal is not None and renewal.grant is not None
        return renews and self.look.state == SessionState.ESTABLISHING.value

    def ends(self, *dos: str) -> tuple[Call, ...]:
        """Calls of these kinds that should have ended now, or have."""
        return tuple(call for call in self.calls if call.do in dos)
