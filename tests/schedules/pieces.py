"""The threaded driver's smallest parts, each with the threads that meet in it.

Small enough to be searched between any two lines (`Interleaver`), and by frontrun between any two byte
codes, for which this module is a program of its own.
"""

import sys
import types
from collections.abc import Callable
from typing import Any, Protocol, cast

import pytest

from splus_session import AuthToken, Login, Logout
from splus_session._commands import Change
from splus_session._config import Config
from splus_session._engine import Engine, Flight
from splus_session._observers import Mailbox, Observers
from splus_session._states import ChangeReason, SessionState
from splus_session.sync import Session, _threads
from splus_session.sync._signal import Signal
from splus_session.sync._threads import Series, Watcher
from splus_session.testing import ManualClock
from tests.schedules import mutants
from tests.schedules.choices import Choices
from tests.schedules.judge import check_header, validate_inputs
from tests.schedules.mutants import MUTANTS
from tests.schedules.on_threads import LINES, controlled
from tests.schedules.threads import Interleaver
from tests.schedules.trace import RecordingCore, Trace


class Piece(Protocol):
    """Made anew for every schedule."""

    @property
    def threads(self) -> tuple[Callable[[], object], ...]:
        """What each of its threads does."""
        ...

    def holds(self) -> bool:
        """Whether all is as it should be once the threads are done."""
        ...


class WhoWaitsForAFlightIsWoken:
    def __init__(self) -> None:
        self.flight: Flight[Signal] = Flight(Signal())
        self.woken: list[bool] = []
        self.threads = (self.wait, self.wait, self.flight.settle)

    def wait(self) -> None:
        Session._wait(types.SimpleNamespace(), self.flight)  # type: ignore[arg-type]
        self.woken.append(True)

    def holds(self) -> bool:
        return len(self.woken) == 2


class ASeriesRunsEveryJobAndOneAtATime:
    def __init__(self) -> None:
        self.series = Series("jobs")
        self.at_it = self.run = 0
        self.overlapped = False
        self.threads = (self.submit, self.submit)

    def submit(self) -> None:
        self.series.submit(self.job)

    def job(self) -> None:
        self.overlapped |= self.at_it > 0
        self.at_it += 1
        self.run += 1
        self.at_it -= 1

    def holds(self) -> bool:
        return self.run == 2 and not self.overlapped


class AnObserverHearsEveryChangeFromWhereItComes:
    def __init__(self) -> None:
        self.observers: Observers[Signal] = Observers(Signal, 0.0)
        self.changes = [self.observers.last]
        states = (SessionState.ESTABLISHING, SessionState.ESTABLISHED)
        self.changes += [Change(state, None, ChangeReason.LOGIN, 0.0) for state in states]
        self.mailbox: Mailbox[Signal] | None = None
        self.threads = (self.come, self.announce)

    def come(self) -> None:
        self.mailbox = self.observers.add()

    def announce(self) -> None:
        for change in self.changes[1:]:
            self.observers.announce(change)

    def holds(self) -> bool:
        heard: list[Change] = []
        while self.mailbox is not None and (change := self.mailbox.take()) is not None:
            heard.append(change)
        return heard == self.changes[-len(heard) :]


class ALookAskedForDuringATickIsNotLost:
    def __init__(self) -> None:
        self.watcher = Watcher()
        self.config = Config()
        self.deadline = 100.0
        self.seen = 0.0
        self.engine = cast("Engine[Signal]", self)
        self.watcher._times[self.engine] = float("inf")
        self.threads = (self.tick_it, self.move)

    def tick(self) -> float:
        self.seen = self.deadline
        return self.deadline

    def tick_it(self) -> None:
        self.watcher._tick(self.engine)

    def move(self) -> None:
        self.deadline = 1.0
        self.watcher.look_again(self.engine)

    def holds(self) -> bool:
        return self.seen == 1.0 or self.watcher._times[self.engine] == 0.0


class StepsComeOutInTheOrderInWhichTheyWereTaken:
    """A login, a logout and a look at the time, into one engine."""

    def __init__(self) -> None:
        self.clock = ManualClock(0.0)
        self.engine: Engine[Signal] = Engine(Config(), self.clock, seed=0, signal=Signal, kick=lambda: None)
        self.trace = Trace(lambda: 0.0)
        self.engine._core = RecordingCore(self.engine.config, 0, self.trace, lambda: None)
        self.threads = (self.log_in, self.log_out, self.engine.tick)

    def log_in(self) -> None:
        self.engine.post(Login("ann", AuthToken("a word")))

    def log_out(self) -> None:
        self.engine.post(Logout())

    def holds(self) -> bool:
        validate_inputs(self.trace, self.engine.config, 0)
        check_header(self.engine)
        commanded = [step.commands for given in self.trace.inputs for step in given.steps if step.commands]
        return [entry.commands for entry in self.engine._outbox] == commanded


LIMIT = 50_000
"""Of interleavings."""
FAULTY = frozenset({str(mutants.__file__)})
"""Where faults are planted from; a thread is interrupted in there, too."""

SMALL: tuple[type[Piece], ...] = (
    ASeriesRunsEveryJobAndOneAtATime,
    AnObserverHearsEveryChangeFromWhereItComes,
    ALookAskedForDuringATickIsNotLost,
)
"""Those that are searched to the end."""
PIECES: tuple[type[Piece], ...] = (
    *SMALL,
    WhoWaitsForAFlightIsWoken,
    StepsComeOutInTheOrderInWhichTheyWereTaken,
)


def play(piece: type[Piece], choices: Choices) -> None:
    """Have its threads interrupted before any line of the driver's, as chosen.

    Raises:
        AssertionError: not all is as it should be.
    """
    interleaver = Interleaver(choices, lines=LINES | FAULTY, early=False)
    with controlled(interleaver):
        made = piece()
        try:
            for number, thread in enumerate(made.threads):
                interleaver.start(thread, f"thread {number}")
            interleaver.wait_for(lambda: len(interleaver.threads) == 1)
        finally:
            interleaver.end()
        assert made.holds(), piece.__name__


def search_by_byte_code(piece: type[Piece], preemptions: int | None) -> Any:
    """Have frontrun search a piece; it must have been started by frontrun."""
    import frontrun  # type: ignore[import-untyped]  # in a process of its own only

    count = len(piece().threads)
    return frontrun.explore(
        setup=piece,
        workers=[lambda made, i=i: made.threads[i]() for i in range(count)],
        invariant=lambda made: made.holds(),
        trace_packages=["splus_session.*", "tests.schedules.*"],
        preemption_bound=preemptions,
        max_executions=LIMIT,
        reproduce_on_failure=0,
    )


def main(preemptions: str, *names: str) -> int:
    """Search the pieces of these names, with as many preemptions or `any`; a fault's name plants it."""
    # frontrun has no hand on a thread that a series starts; its jobs may also run where they are submitted.
    _threads.start = lambda job, name: (job(), None)[1]
    for name in MUTANTS.keys() & set(names):
        MUTANTS[name].plant(pytest.MonkeyPatch())
    failed = 0
    for piece in PIECES:
        if piece.__name__ not in names:
            continue
        result = search_by_byte_code(piece, None if preemptions == "any" else int(preemptions))
        # A search that was cut short has shown nothing.
        holds = result.property_holds and result.num_explored < LIMIT
        print(f"{piece.__name__}: {result.num_explored} interleavings, {'holds' if holds else 'BROKEN'}")
        if not holds:
            failed += 1
            print(result.explanation)
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
