"""Who and what there is in one run: the clock, the platform, the clients, their calls, and what was noted."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from splus_session import Record
from splus_session.conformance._client import Client
from splus_session.conformance._moment import Call
from splus_session.conformance._platform import Desk
from splus_session.conformance._real_time import LIFETIME, RealClock
from splus_session.conformance._talk import Adapter, Talk
from splus_session.conformance.verdicts import Line
from splus_session.testing import ManualClock, TokenTerms


class Stage:
    """See the module.

    Args:
        start: gives an adapter that has said hello.
        features: what it declares.
    """

    def __init__(self, start: Callable[[], Adapter], features: frozenset[str]) -> None:
        self.features = features
        self.in_real_time = "time" not in features
        self.clock = RealClock() if self.in_real_time else ManualClock()
        self.desk = Desk(self.clock)
        if self.in_real_time:
            self.desk.platform.rules.terms = TokenTerms(lifetime=LIFETIME)
        self.talk = Talk(start, self.desk)
        self.clients: dict[str, Client] = {}
        self.records: dict[str, Record | None] = {}
        """What clients that are open no more had stored."""
        self.calls: dict[int, Call] = {}
        self.lines: list[Line] = []
        self.commands = 0
        self._url = self._store = ""

    @contextmanager
    def lit(self) -> Generator[None]:
        """Be there while the block runs, with an adapter that has begun."""
        with (
            TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as self._store,
            self.desk.serve() as self._url,
        ):
            self.talk.start()
            self.hail(keep=False)
            yield

    def hail(self, *, keep: bool) -> None:
        """Have the adapter begin; whether it is to keep what is stored."""
        self.talk.adapter.meet(self.desk.platform)
        self.talk.send(
            {
                "do": "begin",
                "url": self._url,
                "api_key": self.desk.platform.api_key.reveal(),
                "now": self.clock.now(),
                "store": self._store,
                "keep": keep,
            }
        )

    # ── Clients ─────────────────────────────────────────────────────────────────────────────────

    def open_client(self, name: str) -> Client | None:
        """The client of this name, if it is open."""
        client = self.clients.get(name)
        return client if client is not None and client.is_open else None

    def open_clients(self) -> list[Client]:
        """All that are open."""
        return [client for client in self.clients.values() if client.is_open]

    def call(self, client: Client, do: str, label: str, **fields: object) -> Call:
        """Have the client do a call."""
        self.note("app", client.label, label)
        self.commands += 1
        call = Call(
            self.talk.next_id,
            do,
            client.name,
            since=self.clock.monotonic(),
            sent=len(self.desk.arrived()),
        )
        self.calls[call.id] = call
        client.oracle.calls.append(call)
        self.talk.send({"do": do, "client": client.name, **fields})
        self.talk.settle()
        return call

    # ── Notes ───────────────────────────────────────────────────────────────────────────────────

    def note(self, sender: str, receiver: str, text: str) -> None:
        """One line of what is shown of the run."""
        self.lines.append(Line(sender, receiver, text))
