"""The world behind a lock, with faults in front of it: what every face of the fake platform drives."""

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from splus_session.ports import Clock
from splus_session.testing._api import Api
from splus_session.testing._endpoints import endpoint_of
from splus_session.testing._exchange import Delivery, Exchange, exchange
from splus_session.testing._gate import Keys, bearer
from splus_session.testing._messages import Request, Response
from splus_session.testing._script import Received, Script, received
from splus_session.testing._tokens import TokenTerms
from splus_session.testing._waiting import Pause
from splus_session.testing._world import World
from splus_session.testing.clock import ManualClock
from splus_session.testing.faults import Fault

RealtimeEvent = Mapping[str, object]
"""`{"eventType": "user.didGlobalBan" | "user.deleted", "data": {"users": [...], "files": []}}`."""

Attendant = Callable[[Received], tuple[Fault, ...]]
"""Decides what strikes a request, when it has arrived."""


class Engine:
    """Carries exchanges out, one at a time but for their pauses, and tells realtime's subscribers."""

    def __init__(self, clock: Clock, world: World, keys: Keys) -> None:
        self.clock = clock
        self.clock_offset = 0.0
        self.world = world
        self.script = Script()
        self.requests: list[Received] = []
        self.subscribers: dict[object, Callable[[RealtimeEvent], None]] = {}
        self.attendant: Attendant | None = None
        self._api = Api(world, keys)
        self._lock = threading.Lock()
        self._utc = clock.true_now if isinstance(clock, ManualClock) else clock.now

    def now(self) -> float:
        """The platform's own time, UTC seconds."""
        return self._utc() + self.clock_offset

    @contextmanager
    def locked(self) -> Generator[World]:
        """The world, to read or to change; what realtime has to tell is told afterwards."""
        with self._lock:
            yield self.world
            events, self.world.events = self.world.events, []
            subscribers = tuple(self.subscribers.values())
        for event in events:
            for subscriber in subscribers:
                subscriber(event)

    def begin(self, request: Request, hung_up: Pause | None = None) -> Exchange:
        """Begin an exchange: record the request, and let it through what strikes it.

        Args:
            request: what arrived.
            hung_up: over as soon as the client hung up, if that can be seen.
        """
        with self.locked() as world:
            faults = self.script.next(endpoint_of(request))
            token = bearer(request)
            issued = None if token is None else world.tokens.get(token)
            owner = None if issued is None else issued.user_id
            record = received(request, self.now(), faults, owner, hung_up)
            self.requests.append(record)
        if self.attendant is not None:
            faults += self.attendant(record)
            record.faults = tuple(fault.name for fault in faults)
        return self._recorded(request, record, faults)

    def _recorded(self, request: Request, record: Received, faults: tuple[Fault, ...]) -> Exchange:
        def carry(request: Request, terms: TokenTerms | None) -> Response:
            with self.locked() as world:
                record.carried_out = True
                return self._api.answer(request, self.now(), terms or world.rules.terms)

        try:
            delivery: Delivery | None = yield from exchange(request, faults, self.clock, carry)
            if delivery is not None:
                record.status, record.response = delivery.response.status, delivery.response
            return delivery
        finally:
            record.over = True
