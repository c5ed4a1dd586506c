"""Making sense of what happened: events, arrivals and answers, as one follows from another.

Afterwards the oracle is where the client should be, and what the client did is with its `Client`.
"""

import json
import time
from collections.abc import Iterable
from typing import Final

from splus_session import RenewalUnable, RevokeOrphan, SessionState
from splus_session.conformance._client import Client
from splus_session.conformance._lines import Told
from splus_session.conformance._moment import IN_SESSION, Call
from splus_session.conformance._oracle import Ask
from splus_session.conformance._platform import SESSION_ENDPOINTS
from splus_session.conformance._requests import Requests
from splus_session.conformance._stage import Stage
from splus_session.testing import Received

MANY_ASKS: Final = 30
"""So many calls of handlers in one moment are told apart, and answered."""

_UNSHOWN: Final = frozenset({"answer", "observe", "handle", "realtime", "open"})
"""Calls whose end no line tells."""


class Sorting:
    """See the module.

    Args:
        stage: where it happened.
        patience: real seconds to wait for what is missing, before it is said to be.
    """

    def __init__(self, stage: Stage, patience: float) -> None:
        self._stage = stage
        self._patience = patience
        self._requests = Requests(stage)
        self._seen = 0
        self._uncaught: list[str] = []

    def digest(self) -> None:
        """Bring the oracle up to what the client did, and give the client time for what is missing."""
        stage = self._stage
        until = time.monotonic() + self._patience
        pause = 0.001
        while True:
            while self._sort_out():
                pass
            if not self._is_lacking() or time.monotonic() > until:
                break
            time.sleep(pause)
            pause *= 2
            stage.talk.ask_again()
            stage.talk.settle()
        for client in stage.clients.values():
            client.look = stage.talk.idle.clients.get(client.name)
        stage.desk.in_session = any(
            client.oracle.snapshot.state in IN_SESSION for client in stage.open_clients()
        )

    def forget(self, client: Client) -> None:
        """What a client's requests are answered from now on is told to nobody."""
        self._requests.forget(client)

    def is_on_its_way(self, client: Client, call: Call) -> bool:
        """Whether this call is an API request that the platform has not answered yet."""
        return self._requests.is_on_its_way(client, call)

    def start_over(self) -> None:
        """Another process begins."""
        self._requests.forget()
        self._seen = 0

    def take_uncaught(self) -> tuple[str, ...]:
        """What nobody caught since this was asked last."""
        uncaught, self._uncaught = self._uncaught, []
        return tuple(uncaught)

    def _sort_out(self) -> bool:
        """One round. Whether anything was new."""
        for event in self._stage.talk.events:
            self._follow_expiry(event)
        new = self._requests.read_answers()
        arrived = self._stage.desk.arrived()[self._seen :]
        self._seen += len(arrived)
        if self._requests.some_are_given_up():
            # A client hangs up for what an API answer says, or since time is over and it goes on.
            self._arrive(record for record in arrived if record.endpoint not in SESSION_ENDPOINTS)
            new = self._requests.read_answers(given_up=True) or new
            self._arrive(record for record in arrived if record.endpoint in SESSION_ENDPOINTS)
        else:
            self._arrive(arrived)
        new = new or bool(arrived)
        events = self._stage.talk.take_events()
        for event in events:
            self._hear(event)
        for client in self._stage.clients.values():
            self._requests.judge_calls(client)
        return new or bool(events)

    def _arrive(self, records: Iterable[Received]) -> None:
        for record in records:
            self._requests.arrive(record)
            self._requests.read_answers()

    def _is_lacking(self) -> bool:
        """Whether something that the oracle expects was not seen yet."""
        return any(self._lacks(client) for client in self._stage.clients.values())

    def _lacks(self, client: Client) -> bool:
        oracle = client.oracle
        look = self._stage.talk.idle.clients.get(client.name)
        is_elsewhere = look is not None and look.state != oracle.snapshot.state.value
        is_unasked = any(ask.renewal is None for ask in oracle.asks)
        return (
            any(
                flight.record is None and not isinstance(flight.wanted, RevokeOrphan)
                for flight in oracle.flights
            )
            or (client.is_open and (is_unasked or is_elsewhere))
            or any(call.is_due and call.ended is None for call in oracle.calls)
            or len(client.heard.get(0, ())) < len(oracle.changes)
        )

    # ── Events ──────────────────────────────────────────────────────────────────────────────────

    def _follow_expiry(self, event: Told) -> None:
        """Take a token for expired because the client does, before it is renewed."""
        client = self._stage.open_client(event.client)
        is_expiry = event.event == "state" and event.text("state") == SessionState.TOKEN_EXPIRED.value
        if is_expiry and client is not None and event.number("observer") == 0:
            client.oracle.follow_expiry(self._stage.clock.now())

    def _hear(self, event: Told) -> None:
        client = self._stage.clients.get(event.client)
        match event.event:
            case "state" if client is not None:
                self._hear_state(client, event)
            case "done" | "failed":
                self._hear_end(event)
            case "renewal" | "token_renew" if client is not None:
                self._hear_ask(client, event)
            case "hook" if client is not None:
                client.hooked.append((str(event.text("hook")), event.text("state")))
            case "uncaught":
                self._uncaught.append(str(event.text("message"))[:200])
                self._stage.note("client", "app", f"uncaught: {event.text('message')}"[:100])
            case _:
                pass

    def _hear_state(self, client: Client, event: Told) -> None:
        observer, state = event.number("observer"), event.text("state")
        client.heard.setdefault(observer, []).append(event)
        if observer == 0:
            self._stage.note(client.label, "app", f"state: {state}")

    def _hear_end(self, event: Told) -> None:
        call = self._stage.calls.get(event.number("of"))
        if call is None or call.ended is not None:
            return
        call.ended = event
        client = self._stage.clients.get(call.client)
        if call.do not in _UNSHOWN:
            what = "done" if event.event == "done" else f"failed: {event.text('kind')}"
            value = event.fields.get("value")
            shown = f" ({json.dumps(value)[:40]})" if value is not None else ""
            name = "client" if client is None else client.label
            self._stage.note(name, "app", f"{call.do} {what}{shown}")

    def _hear_ask(self, client: Client, event: Told) -> None:
        number, now = event.number("renewal"), self._stage.clock.now()
        if len(client.asked) + len(client.surplus_asks) >= MANY_ASKS:
            client.surplus_asks.append(event)  # it asks without end, which has been seen by now
            return
        self._stage.note(client.label, "app", f"renewal #{number} is asked")
        ask = _expected_ask(client)
        if ask is None and client.is_open:
            in_time = client.oracle.follow_renewal(now)
            ask = _expected_ask(client)
            if ask is not None and not in_time:
                client.notes["asked_early"] = True
        if ask is None:
            client.surplus_asks.append(event)
            return
        ask.renewal, ask.is_token = number, event.event == "token_renew"
        client.asked.append(event)
        if client.how in ("raise", "garbage"):
            ask.answered = ask.came_back = True
            client.notes["misbehaved"] = client.how
            if client.is_open_ask(ask):
                client.oracle.feed(RenewalUnable(ask.command.attempt), now)


def _expected_ask(client: Client) -> Ask | None:
    return next((ask for ask in client.oracle.asks if ask.renewal is None), None)
