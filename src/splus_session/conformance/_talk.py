"""The conversation with an adapter: commands one way, events the other, until nothing is under way.

It knows no client and no action: who reads the events makes sense of them.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, cast

import attrs

from splus_session.conformance._lines import AdapterError, Idle, Told
from splus_session.conformance._platform import Desk
from splus_session.testing import FakePlatform

SETTLING: Final = 10.0
"""Real seconds within which the client and the platform agree on what was sent."""


class Adapter(Protocol):
    """What does commands: a child process, or a host in this one."""

    def send(self, command: Mapping[str, object]) -> tuple[list[Told], Idle]:
        """One command; gives what was told, and the idle line."""
        ...

    def kill(self) -> None:
        """End it as a power failure would."""
        ...

    def meet(self, platform: FakePlatform) -> None:
        """Get to know the platform of the run that begins, if it is in the same process."""
        ...

    @property
    def pause(self) -> float:
        """After so many real seconds without news there are none, from one that does not count."""
        ...

    @property
    def heard(self) -> int:
        """How many bytes it wrote besides."""
        ...

    def said(self, since: int = 0) -> str:
        """What it wrote besides after so many bytes, as much as is kept."""
        ...


class Talk:
    """See the module.

    Args:
        start: gives an adapter that has said hello.
        desk: the platform that the adapter's clients ask.
    """

    def __init__(self, start: Callable[[], Adapter], desk: Desk) -> None:
        self._start = start
        self._desk = desk
        self._adapter: Adapter | None = None
        self._id = 1
        self._begun = self._looked = 0
        """How much it had written besides when it was started, and when it was looked at last."""
        self._events: list[Told] = []
        self._leaks: list[str] = []
        self.idle = Idle(0)
        """The last line that was heard."""

    # ── Who is talked to ────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to talk."""
        self._adapter = self._start()
        self._begun = self._looked = self._adapter.heard

    def kill(self) -> None:
        """End whom it talks to."""
        self.adapter.kill()

    @property
    def adapter(self) -> Adapter:
        """Whom it talks to."""
        assert self._adapter is not None, "nobody was started"  # noqa: S101
        return self._adapter

    def said(self) -> str:
        """What it wrote to its standard error, without the secrets that are in it."""
        return "" if self._adapter is None else self.without_secrets(self._adapter.said())

    def without_secrets(self, text: str) -> str:
        """A text as it may be shown. [SECRET-1]"""
        for secret in self._desk.secrets() if text else ():
            text = text.replace(secret, "(a secret)")
        return text

    # ── Saying ──────────────────────────────────────────────────────────────────────────────────

    @property
    def next_id(self) -> int:
        """What the next command will be numbered."""
        return self._id + 1

    def send(self, command: Mapping[str, object]) -> None:
        """Say one command, and hear the answer."""
        self._id = self.next_id
        events, idle = self.adapter.send({"id": self._id, **command})
        self._events += [self._looked_into(event) for event in events]
        self.idle = self._looked_into_idle(idle)
        self._look_into_what_was_said()

    def ask_again(self) -> None:
        """Hear what is new."""
        self.send({"do": "settle"})

    def settle(self) -> None:
        """Wait until nothing is on its way between the client and the platform.

        Raises:
            AdapterError: the adapter counts other requests than the platform saw.
        """
        until = time.monotonic() + SETTLING
        pause = 0.0005
        while not self._is_settled():
            if time.monotonic() > until:
                raise AdapterError(
                    f"the adapter says that {self.idle.sent} requests were sent and {self.idle.open} are "
                    f"open; the platform has seen {len(self._desk.arrived())}, and keeps {self._desk.held()} "
                    "waiting"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
            self.ask_again()

    def _is_settled(self) -> bool:
        if self.idle.sent is None:
            return self._is_quiet()
        desk = self._desk
        # Who follows a redirect may count that request as well.
        unseen = self.idle.sent - len(desk.arrived())
        return desk.under_way() == 0 and unseen in (0, desk.elsewhere()) and self.idle.open == desk.held()

    def _is_quiet(self) -> bool:
        """For who cannot count: nothing was heard for a while."""
        before = self._heard_so_far()
        time.sleep(self.adapter.pause)
        self.ask_again()
        return self._desk.under_way() == 0 and before == self._heard_so_far()

    def _heard_so_far(self) -> tuple[int, int, int]:
        return len(self._desk.arrived()), self._desk.over(), len(self._events)

    # ── Hearing ─────────────────────────────────────────────────────────────────────────────────

    @property
    def events(self) -> tuple[Told, ...]:
        """What was told, and not taken yet."""
        return tuple(self._events)

    def take_events(self) -> list[Told]:
        """What was told since this was asked last."""
        events, self._events = self._events, []
        return events

    def take_leaks(self) -> tuple[str, ...]:
        """What held a secret since this was asked last. [SECRET-1]"""
        self._look_into_what_was_said()
        leaks, self._leaks = self._leaks, []
        return tuple(leaks)

    def _looked_into(self, event: Told) -> Told:
        """An event without the secrets in it: who shows a part of it later may cut one in two."""
        if not self._holds_secret(event.fields):
            return event
        self._leaks.append(f"the event {event.event} holds a secret")
        return attrs.evolve(event, fields=self._stripped(event.fields))

    def _looked_into_idle(self, idle: Idle) -> Idle:
        if not self._holds_secret(idle.fields):
            return idle
        self._leaks.append("how a client looks holds a secret")
        looks = {
            name: attrs.evolve(
                look,
                user_id=self._stripped(look.user_id),
                device_id=self._stripped(look.device_id),
            )
            for name, look in idle.clients.items()
        }
        return attrs.evolve(idle, clients=looks, fields=self._stripped(idle.fields))

    def _holds_secret(self, fields: Mapping[str, object]) -> bool:
        text = json.dumps(fields, ensure_ascii=False) if fields else ""
        return any(secret in text for secret in (self._desk.secrets() if text else ()))

    def _stripped(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.without_secrets(value)
        if isinstance(value, dict):
            fields = cast("dict[str, object]", value)
            return {self.without_secrets(name): self._stripped(each) for name, each in fields.items()}
        if isinstance(value, list):
            return [self._stripped(each) for each in cast("list[object]", value)]
        return value

    def _look_into_what_was_said(self) -> None:
        heard = self.adapter.heard
        if heard == self._looked:
            return
        secrets = self._desk.secrets()
        # The beginning of a secret may have come before the last look, and its end after it.
        since = max(self._begun, self._looked - max(map(len, secrets)) + 1)
        self._looked = heard
        said = self.adapter.said(since)
        if any(secret in said for secret in secrets):
            self._leaks.append("standard error holds a secret")
