"""One client in a run: its oracle, what was seen of it in this moment, and what is remembered of it."""

from typing import Any

import attrs

from splus_session import AccessToken, SessionKind, SessionState, Snapshot, event_name
from splus_session.conformance._lines import Look, Told
from splus_session.conformance._moment import Flight, Moment
from splus_session.conformance._oracle import Ask, Oracle
from splus_session.testing import Received

_REMEMBERED = 20
"""So many calls of handlers can still be answered, late."""


@attrs.define(eq=False)
class Client:
    """A client that is open, or was."""

    name: str
    oracle: Oracle
    is_open: bool = True
    observers: dict[int, str] = attrs.field(factory=dict[int, str])
    how: str = "report"
    """What its handlers do."""
    own_handler: bool = False
    look: Look | None = None

    # ── This moment ─────────────────────────────────────────────────────────────────────────────

    before: Snapshot | None = None
    flights: list[Flight] = attrs.field(factory=list[Flight])
    """Those that arrived."""
    answered: list[Flight] = attrs.field(factory=list[Flight])
    heard: dict[int, list[Told]] = attrs.field(factory=dict[int, list[Told]])
    joined: dict[int, SessionState] = attrs.field(factory=dict[int, SessionState])
    asked: list[Told] = attrs.field(factory=list[Told])
    surplus_asks: list[Told] = attrs.field(factory=list[Told])
    surplus: list[Received] = attrs.field(factory=list[Received])
    hooked: list[tuple[str, str | None]] = attrs.field(factory=list[tuple[str, str | None]])
    """Hooks that ran, each with where the client said it was."""
    notes: dict[str, Any] = attrs.field(factory=dict[str, Any])
    """What sentences want to know besides."""

    # ── Over moments ────────────────────────────────────────────────────────────────────────────

    left: str | None = None
    """How the last session, or login, ended."""
    stays: int = 0
    """How many times somebody was logged in."""
    recovered: bool = False
    """Whether this session was expired and came back."""
    renewed: bool = False
    was_asked: bool = False
    """Whether a handler was asked when that was due, in whatever session."""
    last_told: dict[int, str] = attrs.field(factory=dict[int, str])
    devices: set[str] = attrs.field(factory=set[str])
    tokens: dict[AccessToken, int] = attrs.field(factory=dict[AccessToken, int])
    """All that it ever had, and the attempts that brought them."""
    set_back: bool = False
    """Whether its clock was set back."""
    kind: SessionKind | None = None
    """The last session's."""

    @property
    def label(self) -> str:
        """What lines call it."""
        return "client" if self.name == "a" else f"client {self.name}"

    @property
    def device_id(self) -> str:
        """What it says that its device is."""
        return (self.look and self.look.device_id) or "unknown"

    # ── Renewals ────────────────────────────────────────────────────────────────────────────────

    def is_open_ask(self, ask: Ask) -> bool:
        """Whether an answer to it would be taken."""
        renewal = self.oracle.snapshot.renewal
        return renewal is not None and renewal.attempt == ask.command.attempt and renewal.grant is None

    def open_ask(self) -> Ask | None:
        """The handler's call that was made, and that an answer would be taken to."""
        return next(
            (ask for ask in self.oracle.asks if ask.renewal is not None and self.is_open_ask(ask)), None
        )

    def old_ask(self) -> Ask | None:
        """The last handler's call whose renewal is over, and that can be answered still."""
        current = self.open_ask()
        old = [
            ask
            for ask in self.oracle.asks
            if ask.renewal is not None and ask is not current and not ask.is_token
        ]
        return old[-1] if old else None

    # ── Tokens ──────────────────────────────────────────────────────────────────────────────────

    def attempt_of(self, record: Received) -> int | None:
        """The attempt that brought the token of a request, if it is this client's."""
        if record.access_token is None:
            return None
        for each in (self.oracle.snapshot, *(step.after for step in self.oracle.steps)):
            if each.credential is not None and each.credential.access_token == record.access_token:
                return each.credential_attempt
        return self.tokens.get(record.access_token)

    # ── From one moment to the next ─────────────────────────────────────────────────────────────

    def move_on(self, moment: Moment) -> None:
        """Make ready for the next moment, and remember what it wants to know of this one."""
        oracle = self.oracle
        oracle.calls = [call for call in oracle.calls if not call.is_due and call.ended is None]
        oracle.asks = oracle.asks[-_REMEMBERED:]
        oracle.steps, oracle.changes, oracle.hooks = [], [], []
        self.heard, self.joined = {}, {}
        self.flights, self.answered, self.surplus = [], [], []
        self.asked, self.surplus_asks, self.hooked = [], [], []
        self._remember(moment)
        self.notes = {}
        self.before = oracle.snapshot

    def _remember(self, moment: Moment) -> None:
        for taken in moment.steps:
            if taken.after.credential is not None:
                self.tokens[taken.after.credential.access_token] = taken.after.credential_attempt
            if taken.row is None:
                continue
            event, source, target = event_name(taken.event), taken.row.source, taken.row.target
            if source is SessionState.ESTABLISHING and target is SessionState.NOT_LOGGED_IN:
                self.left = "logged out" if event == "logout" else "failed"
            elif target is SessionState.NOT_LOGGED_IN and source is not target:
                self.left = "logged out"
            elif target is SessionState.ESTABLISHED and event == "session_opened":
                self.stays, self.recovered, self.renewed = self.stays + 1, False, False
            elif event == "token_renewed" and target is SessionState.ESTABLISHED:
                self.renewed = self.renewed or "replace_credential" in taken.row.reactions
                self.recovered = self.recovered or source is SessionState.TOKEN_EXPIRED
        for observer in moment.heard:
            self.last_told[observer] = moment.told(observer)[-1]
        in_time = moment.took("renewal_due") and not self.oracle.lax
        self.was_asked = self.was_asked or (bool(moment.asked) and in_time)
        self.kind = self.oracle.snapshot.kind or self.kind
