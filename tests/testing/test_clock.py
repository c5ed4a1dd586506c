import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session import ports
from splus_session._errors import InvalidArgumentError
from splus_session.testing import ManualClock

SPANS = st.floats(0, 1e6)
MOVES = st.lists(st.tuples(st.sampled_from(["advance", "sleep", "jump"]), SPANS))


def test_it_is_a_clock() -> None:
    clock: ports.Clock = ManualClock(start=5.0)
    assert clock.now() == 5.0
    assert clock.now() == 5.0


@given(MOVES)
def test_each_clock_counts_what_it_should(moves: list[tuple[str, float]]) -> None:
    clock = ManualClock(start=0.0)
    start = clock.monotonic()
    for name, seconds in moves:
        getattr(clock, name)(seconds)

    def total(*names: str) -> float:
        return math.fsum(seconds for name, seconds in moves if name in names)

    assert clock.monotonic() - start == pytest.approx(total("advance"))
    assert clock.true_now() == pytest.approx(total("advance", "sleep"))
    assert clock.now() == pytest.approx(total("advance", "sleep", "jump"))


def test_a_jump_back_moves_the_wall_clock_alone() -> None:
    clock = ManualClock(start=100.0)
    clock.jump(-40)
    assert (clock.now(), clock.true_now(), clock.monotonic()) == (60.0, 100.0, 0.0)


@pytest.mark.parametrize("move", ["advance", "sleep", "jump"])
def test_every_move_is_told_once_it_is_done_and_outside_locks(move: str) -> None:
    clock = ManualClock(start=0.0)
    heard: list[float] = []
    end = clock.on_jump(lambda: heard.append(clock.now()))
    getattr(clock, move)(7)
    assert heard == [7.0]
    end()
    end()
    getattr(clock, move)(7)
    assert heard == [7.0]


def test_the_same_callback_may_listen_twice() -> None:
    clock = ManualClock()
    heard: list[int] = []
    first = clock.on_jump(lambda: heard.append(1))
    clock.on_jump(lambda: heard.append(2))
    first()
    clock.advance(1)
    assert heard == [2]


def test_threads_move_it_without_losing_a_second() -> None:
    clock = ManualClock(start=0.0)

    def work() -> None:
        for _ in range(1000):
            clock.advance(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == clock.monotonic() == 8000


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, True])
def test_time_passes_forwards_and_by_finite_amounts(seconds: float) -> None:
    clock = ManualClock(start=0.0)
    for move in (clock.advance, clock.sleep):
        with pytest.raises(InvalidArgumentError):
            move(seconds)
    if seconds != -1:
        with pytest.raises(InvalidArgumentError):
            clock.jump(seconds)
        with pytest.raises(InvalidArgumentError):
            ManualClock(start=seconds)
    assert clock.now() == clock.monotonic() == 0


def test_it_says_what_time_it_is() -> None:
    assert repr(ManualClock(start=12.5)) == "ManualClock(now=12.5)"
