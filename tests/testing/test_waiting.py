import threading
from collections.abc import Callable

import anyio
import anyio.to_thread
import pytest

from splus_session._clock import SystemClock
from splus_session.testing import ManualClock
from splus_session.testing._waiting import First, Signal, Until, wait, wait_async


def in_thread(target: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def test_a_signal_wakes_threads_that_wait_and_lets_later_ones_pass() -> None:
    signal = Signal()
    threads = [in_thread(signal.wait) for _ in range(3)]
    assert signal.left() > 0
    assert repr(signal) == "<Signal: not set>"
    told: list[None] = []
    signal.on_change(lambda: told.append(None))
    signal.set()
    signal.set()
    assert len(told) == 1
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    signal.wait(0)
    wait(signal)
    assert signal.is_set()
    assert repr(signal) == "<Signal: set>"


def test_waiting_for_a_signal_that_nobody_sets_is_a_failure_and_not_a_hang() -> None:
    with pytest.raises(TimeoutError, match="nobody set the signal"):
        Signal().wait(0.001)


@pytest.mark.anyio
async def test_a_signal_set_by_another_thread_wakes_tasks() -> None:
    signal = Signal()
    woken: list[int] = []

    async def waiter(number: int) -> None:
        await signal
        woken.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(waiter, number)
        await anyio.wait_all_tasks_blocked()
        assert woken == []
        await anyio.to_thread.run_sync(signal.set)
    assert sorted(woken) == [0, 1, 2]
    await signal


@pytest.mark.anyio
async def test_a_pause_by_a_manual_clock_ends_when_the_clock_gets_there() -> None:
    clock = ManualClock()
    passed: list[str] = []

    async def waiter() -> None:
        await wait_async(Until(clock, 10))
        passed.append("10")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(waiter)
        await anyio.wait_all_tasks_blocked()
        clock.advance(9.5)
        await anyio.wait_all_tasks_blocked()
        assert passed == []
        clock.jump(100)
        await anyio.wait_all_tasks_blocked()
        assert passed == []
        clock.advance(0.5)
    assert passed == ["10"]


@pytest.mark.anyio
async def test_a_pause_by_the_machines_clock_just_takes_its_time() -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    await wait_async(Until(clock, 0.01))
    wait(Until(clock, 0.01))
    assert clock.monotonic() - begun >= 0.02


@pytest.mark.anyio
async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    clock = ManualClock()
    signal = Signal()
    with anyio.move_on_after(0):
        await wait_async(First(Until(clock, 10), signal))
    assert not clock._callbacks
    assert not signal._callbacks


@pytest.mark.parametrize("which", [0, 1])
def test_the_first_of_several_pauses_ends_them(which: int) -> None:
    clock, signals = ManualClock(), (Signal(), Signal())
    first = First(*signals, Until(clock, 5))
    assert first.left() == 5
    thread = in_thread(lambda: wait(first))
    signals[which].set()
    thread.join(10)
    assert not thread.is_alive()
    assert first.left() == 0
    assert not clock._callbacks


def test_a_signal_that_outlives_the_loop_of_its_waiter_can_still_be_set() -> None:
    kept: list[Callable[[], None]] = []

    class Kept(Signal):
        def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
            kept.append(callback)
            return lambda: None

    pause = Kept()

    async def main() -> None:
        with anyio.move_on_after(0):
            await wait_async(pause)

    for backend in ("asyncio", "trio"):
        anyio.run(main, backend=backend)
    for callback in kept:
        callback()
    assert len(kept) == 2
