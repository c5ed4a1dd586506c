"""Where adapters come from: one process for each run, or one for as many as it will begin."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast

import attrs

from splus_session.conformance._child import PATIENCE, Child
from splus_session.conformance._lines import FEATURES, PROTOCOL, AdapterError, Idle
from splus_session.conformance._talk import Adapter
from splus_session.conformance.verdicts import Subject

ALWAYS: Final = frozenset({"process"})
"""What a process of its own adds to what it declares: it can be killed."""


_PARTING: Final = 1.0
"""Real seconds that one whose run is over may take to end, while the next one is at work."""
_MOST_LEAVING: Final = 4
"""How many may do so at once."""


class Source(Protocol):
    """Gives adapters that have said hello, and are at no run."""

    subject: Subject
    features: frozenset[str]

    def take(self) -> Adapter:
        """One to begin a run with."""
        ...

    def fresh(self) -> Adapter:
        """The same, in a process that did nothing before."""
        ...

    def discard(self) -> None:
        """The last one is of no use any more."""
        ...

    def close(self) -> None:
        """End all."""
        ...


@attrs.define(eq=False)
class _Spare:
    """An adapter that is being started while another one works."""

    thread: threading.Thread
    child: Child | None = None
    """There as soon as there is a process, be it before its hello."""
    error: AdapterError | None = None
    is_wanted: bool = True


class Processes:
    """Adapters as child processes.

    Args:
        command: how to start one.
        patience: real seconds within which it answers a command.

    Raises:
        AdapterError: it cannot be started, or does not say hello as it should.
    """

    def __init__(self, command: Sequence[str], patience: float = PATIENCE) -> None:
        self._command = tuple(command)
        self._patience = patience
        self._spare: _Spare | None = None
        self._running: list[Child] = []
        self._leaving: list[tuple[threading.Thread, Child]] = []
        """Those that were told to end, in the background."""
        child = Child(self._command, patience)
        self._running.append(child)
        try:
            _, idle = child.send({"id": 0, "do": "hello", "protocol": PROTOCOL})
            self.subject = _subject(idle, " ".join(command))
        except BaseException:  # an interruption, too: nobody else knows of the process
            child.kill()
            raise
        self.features = frozenset(self.subject.features) | ALWAYS
        self._again = "again" in self.features

    def take(self) -> Adapter:
        """See `Source.take`. Ends the one before, unless it begins again."""
        if self._again and self._running and self._running[-1].is_alive:
            return self._running[-1]
        return self.fresh()

    def fresh(self) -> Adapter:
        """See `Source.fresh`. Meanwhile the one before ends, and the one that will be needed next begins."""
        self._dismiss()
        child = self._begun() if self._spare is None else self._from_spare()
        self._running.append(child)
        self._prepare()
        return child

    def discard(self) -> None:
        """See `Source.discard`."""
        self._retire()

    def close(self) -> None:
        """See `Source.close`. Says bye to the one that is at no command."""
        spare = self._spare
        try:
            if spare is not None:
                spare.is_wanted = False
                if spare.child is not None:
                    spare.child.close(_PARTING)  # at once, if it has not said hello
            for child in self._running:
                child.close()
            for thread, _ in self._leaving:
                thread.join()
        finally:
            self._retire()
            for _, child in self._leaving:
                child.kill()
            self._leaving.clear()
            if spare is not None:
                spare.thread.join()
                if spare.child is not None:
                    spare.child.kill()
                self._spare = None

    def _begun(self, spare: _Spare | None = None) -> Child:
        child = Child(self._command, self._patience)
        if spare is not None:
            spare.child = child
        try:
            if spare is not None and not spare.is_wanted:
                raise AdapterError("the adapter was ended")
            child.send({"id": 0, "do": "hello", "protocol": PROTOCOL})
        except BaseException:
            child.kill()
            raise
        return child

    def _dismiss(self) -> None:
        """Tell those that are at no command to end. Nobody waits for that, or for long."""
        for child in self._running:
            thread = threading.Thread(
                target=child.close, args=(_PARTING,), daemon=True, name="conformance bye"
            )
            self._leaving.append((thread, child))
            thread.start()
        self._running.clear()
        self._leaving = [(thread, child) for thread, child in self._leaving if thread.is_alive()]
        while len(self._leaving) > _MOST_LEAVING:
            thread, child = self._leaving.pop(0)
            child.kill()
            thread.join()

    def _retire(self) -> None:
        for child in self._running:
            child.kill()
        self._running.clear()

    def _prepare(self) -> None:
        def start() -> None:
            try:
                self._begun(spare)
            except AdapterError as error:
                spare.error = error

        spare = _Spare(threading.Thread(target=start, daemon=True, name="conformance spare"))
        self._spare = spare
        spare.thread.start()

    def _from_spare(self) -> Child:
        spare = self._spare
        assert spare is not None  # noqa: S101  for the type checker
        spare.thread.join()
        self._spare = None
        if spare.error is not None or spare.child is None:
            raise spare.error or AdapterError("the adapter cannot be started")
        if not spare.child.is_alive:  # it ended while nobody needed it; that is no run's fault
            spare.child.kill()
            return self._begun()
        return spare.child


def _subject(idle: Idle, command: str) -> Subject:
    fields = idle.fields
    protocol = fields.get("protocol")
    if protocol != PROTOCOL or isinstance(protocol, bool):
        raise AdapterError(f"the adapter speaks version {_shown(protocol)} of the protocol, not {PROTOCOL}")
    features = fields.get("features")
    if not isinstance(features, list):
        raise AdapterError("the adapter does not say which features its client has")
    declared = cast("list[object]", features)
    unknown = [each for each in declared if not isinstance(each, str) or each not in FEATURES]
    if unknown:
        shown = ", ".join(_shown(each) for each in unknown[:5]) + (", …" if len(unknown) > 5 else "")
        raise AdapterError(f"the adapter declares what the protocol does not know: {shown}")
    name, version = fields.get("name"), fields.get("version")
    return Subject(
        name[:100] if isinstance(name, str) else "a client",
        version[:100] if isinstance(version, str) else "",
        tuple(sorted({str(feature) for feature in declared})),
        command,
    )


def _shown(value: object) -> str:
    return repr(value)[:60]


class Hosted:
    """An adapter in this process."""

    def __init__(self, make: Callable[[], Adapter], subject: Subject) -> None:
        self._make = make
        self._current: Adapter | None = None
        self.subject = subject
        self.features = frozenset(subject.features)

    def take(self) -> Adapter:
        """See `Source.take`."""
        if self._current is None:
            self._current = self._make()
        return self._current

    def fresh(self) -> Adapter:
        """See `Source.fresh`: as fresh as may be here."""
        self.discard()
        return self.take()

    def discard(self) -> None:
        """See `Source.discard`."""
        if self._current is not None:
            with contextlib.suppress(AdapterError):
                self._current.kill()
            self._current = None

    def close(self) -> None:
        """See `Source.close`."""
        self.discard()
