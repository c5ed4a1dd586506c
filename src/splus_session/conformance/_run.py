"""One scenario, played with one client on one platform, moment by moment, beside the oracle.

What there is in a run is on its `Stage`; what makes sense, `Sense` says; actions are `Doing`'s; and what
happened is made sense of by `Sorting`. Here is the order of it all, and whether there is any going on.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from splus_session import (
    Credential,
    Failure,
    FailureKind,
    Resume,
    RevokeOrphan,
    SessionOpened,
    Step,
    TokenRenewed,
    VerificationFailed,
    Verify,
    event_name,
)
from splus_session._renewals import MANY
from splus_session.conformance._actions import Action
from splus_session.conformance._client import Client
from splus_session.conformance._doing import Doing
from splus_session.conformance._lines import Look
from splus_session.conformance._logins import Logins, logins_of
from splus_session.conformance._moment import Moment, best_before
from splus_session.conformance._real_time import LATE
from splus_session.conformance._sense import Sense
from splus_session.conformance._sorting import Sorting
from splus_session.conformance._stage import Stage
from splus_session.conformance._talk import Adapter
from splus_session.conformance.verdicts import Line
from splus_session.testing import Received

_OF_PLATFORM: Final = frozenset({"next", "next_renewal", "hold", "release", "next_call", "platform", "skew"})
_WRONG: Final = 2.0
"""Seconds. Whose clock is less wrong knows the time: `Date` has whole seconds."""
_TIME_FACTS: Final = frozenset({"token_expired", "renewal_due", "answer_overdue", "revocation_due"})


class Run:
    """See the module.

    Args:
        start: gives an adapter that has said hello.
        features: what it declares.
        patience: real seconds to wait for what is missing, before it is said to be.
    """

    def __init__(
        self,
        start: Callable[[], Adapter],
        features: frozenset[str],
        *,
        patience: float = 0.03,
    ) -> None:
        self._stage = Stage(start, features)
        self._sorting = Sorting(self._stage, max(patience, LATE) if self._stage.in_real_time else patience)
        self.sense = Sense(self._stage)
        self.doing = Doing(self._stage, self.sense, self._sorting)
        self.played: list[Action] = []
        """The actions that made sense."""
        self.stopped: str | None = None
        """Why there was no going on."""
        self._is_over = False
        """Whether to end here, though nothing is wrong."""
        self._judged = 0
        """How many requests moments were made of."""
        self._answered = 0
        """How many of them were answered."""

    @property
    def lines(self) -> list[Line]:
        """What happened, so far."""
        return self._stage.lines

    @property
    def commands(self) -> int:
        """How many commands it took, so far."""
        return self._stage.commands

    @property
    def said(self) -> str:
        """What the adapter wrote to its standard error."""
        return self._stage.talk.said()

    @property
    def logins(self) -> Logins:
        """What became of the logins."""
        return logins_of(self._stage.desk.platform.requests, self.without_secrets)

    def without_secrets(self, text: str) -> str:
        """A text as it may be shown. [SECRET-1]"""
        return self._stage.talk.without_secrets(text)

    def play(self, scenario: tuple[Action, ...]) -> Iterator[Moment]:
        """Play it; gives its moments one by one. Whoever judges may stop asking for more."""
        with self._stage.lit():
            for action in scenario:
                if not self.sense.makes(action):
                    continue
                self.played.append(action)
                if action.do in _OF_PLATFORM:
                    self._stage.note("kit", "platform", action.words())
                for _ in self.doing.do(action):
                    yield from self._moments(action)
                    if self.stopped is not None or self._is_over:
                        return

    # ── Moments ─────────────────────────────────────────────────────────────────────────────────

    def _moments(self, action: Action) -> Iterator[Moment]:
        """What just happened, client by client, and whether to go on."""
        arrived = self._stage.desk.arrived()
        if len(arrived) < self._judged:  # another process counts anew
            self._judged = self._answered = 0
        requests, self._judged = arrived[self._judged :], len(arrived)
        before, self._answered = self._answered, sum(record.response is not None for record in arrived)
        leaks, uncaught = self._stage.talk.take_leaks(), self._sorting.take_uncaught()
        judged = [
            (client, self._moment(client, action, requests, leaks, uncaught))
            for client in self._stage.clients.values()
        ]
        if any(self._is_on_the_brink(moment) or _has_many_open(client) for client, moment in judged):
            self._is_over = True
            return
        yield from (moment for _, moment in judged)
        for client, moment in judged:
            self._move_on(client, moment)
            self._is_over |= self._answered > before and self._may_know_otherwise(client, moment)

    def _moment(
        self,
        client: Client,
        action: Action,
        requests: tuple[Received, ...],
        leaks: tuple[str, ...],
        uncaught: tuple[str, ...],
    ) -> Moment:
        oracle = client.oracle
        return Moment(
            action=action,
            client=client.name,
            before=client.before or oracle.snapshot,
            after=oracle.snapshot,
            now=self._stage.clock.now(),
            server_now=self._stage.desk.platform.now(),
            steps=tuple(oracle.steps),
            changes=tuple(oracle.changes),
            heard={observer: list(events) for observer, events in client.heard.items()},
            joined=dict(client.joined),
            observers=dict(client.observers),
            flights=tuple(client.flights),
            answered=tuple(client.answered),
            missing=tuple(flight.wanted for flight in oracle.flights if flight.record is None),
            surplus=tuple(client.surplus),
            requests=requests,
            asked=tuple(client.asked),
            unasked=tuple(ask.command for ask in oracle.asks if ask.renewal is None),
            surplus_asks=tuple(client.surplus_asks),
            calls=tuple(call for call in oracle.calls if call.is_due or call.ended is not None),
            waiting=tuple(call for call in oracle.calls if not call.is_due and call.ended is None),
            hooks=tuple(oracle.hooks),
            hooked=tuple(hook for hook, _ in client.hooked),
            uncaught=uncaught,
            leaks=leaks,
            elsewhere=self._stage.desk.elsewhere(),
            look=client.look if client.is_open else None,
            is_open=client.is_open,
            notes={**client.notes, **self._known(client, requests)},
        )

    def _known(self, client: Client, requests: tuple[Received, ...]) -> dict[str, Any]:
        """What sentences want to know besides."""
        clients = self._stage.clients.values()
        if len(clients) == 1:
            client.devices |= {record.device_id for record in requests if record.device_id is not None}
        held = [
            snapshot
            for other in clients
            for step in other.oracle.steps
            for snapshot in (step.before, step.after)
        ]
        wrong = self._stage.desk.platform.now() - self._stage.clock.now()
        # By an answer of this moment it may have learned the time after it did something.
        offsets = client.oracle.snapshot.offset, (client.before or client.oracle.snapshot).offset
        return {
            "devices": set(client.devices),
            "hooked_at": tuple(client.hooked),
            "lax": client.oracle.lax,
            "set_back": client.set_back,
            "own": client.own_handler,
            "left": client.left,
            "stays": client.stays,
            "recovered": client.recovered,
            "renewed": client.renewed,
            "was_asked": client.was_asked,
            "last_told": dict(client.last_told),
            "held": [*held, *(other.oracle.snapshot for other in clients)],
            "several": len(clients) > 1,
            "knows_time": all(abs(offset - wrong) < _WRONG for offset in offsets),
        }

    def _is_on_the_brink(self, moment: Moment) -> bool:
        """Whether a token came, or was stored, that is as good as expired: within that margin it is a
        client's own matter whether it begins to use it. [EXPIRE-2]
        """
        about = 0.0 if self._stage.in_real_time else _WRONG
        return any(
            credential.expires_at is not None
            and best_before(credential) - about <= moment.server_now < credential.expires_at + about
            for credential in map(_credential_of, moment.steps)
            if credential is not None
        )

    def _may_know_otherwise(self, client: Client, moment: Moment) -> bool:
        """Whether this client may know what the platform's clock shows and the oracle does not, or the other
        way round: some learn from every answer, some only from those that they wait for. [EXPIRE-4]
        """
        wrong = moment.server_now - moment.now
        in_vain = any(
            step.row is not None
            and step.row.reactions == ("revoke_orphan",)
            and abs(step.after.offset - step.before.offset) >= _WRONG
            for step in moment.steps
        )
        return client.is_open and (in_vain or abs(client.oracle.snapshot.offset - wrong) >= _WRONG)

    # ── Going on ────────────────────────────────────────────────────────────────────────────────

    def _move_on(self, client: Client, moment: Moment) -> None:
        """Make ready for the next moment, and stop if the two have parted."""
        oracle, now = client.oracle, self._stage.clock.now()
        lacking = [wanted for wanted in moment.missing if not isinstance(wanted, RevokeOrphan | Verify)]
        late = moment.unasked or lacking or not moment.is_agreed
        if late and client.is_open and moment.notes.get("time") is not None and _is_only_time(moment):
            oracle.forgive(moment.before, [ask for ask in oracle.asks if ask.renewal is None])
            oracle.flights = [flight for flight in oracle.flights if flight.record is not None]
        elif lacking or moment.unasked:
            self.stopped = "the client did not do what it should have"
        if client.is_open and (client.look is None or not moment.is_agreed):
            self.stopped = _whereabouts(client.look, oracle.snapshot.state.value)
        for wanted in moment.missing:
            if isinstance(wanted, Verify) and client.is_open:
                found_nothing = Failure(FailureKind.UNREACHABLE)
                oracle.feed(VerificationFailed(wanted.attempt, found_nothing), now)
        oracle.flights = [
            flight
            for flight in oracle.flights
            if flight.record is not None or not isinstance(flight.wanted, RevokeOrphan | Verify)
        ]
        client.move_on(moment)


def _credential_of(step: Step) -> Credential | None:
    """The token that a step is to begin to use."""
    match step.event:
        case SessionOpened() | TokenRenewed():
            return step.event.credential
        case Resume():
            return step.event.record.credential
        case _:
            return None


def _has_many_open(client: Client) -> bool:
    """Whether a handler leaves so many questions open that it need not be asked again: calls that hang can't
    be ended from outside, and must not pile up. Other clients may do in this what ours do.
    """
    return sum(ask.renewal is not None and not ask.came_back for ask in client.oracle.asks) >= MANY


def _whereabouts(look: Look | None, wanted: str) -> str:
    """Where a client is, and where it should be."""
    where = "does not say how it is" if look is None else f"is {look.state}"
    return f"the client {where}, and should be {wanted}"


def _is_only_time(moment: Moment) -> bool:
    """Whether nothing but time has brought what should have happened."""
    return all(event_name(step.event) in _TIME_FACTS for step in moment.steps)
