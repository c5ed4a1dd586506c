"""What the searches and the judging of traces rest on."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, cast

import attrs
import pytest

from splus_session import Logout
from splus_session._commands import AskRenewal, Persist
from tests.properties import mutants
from tests.schedules import choices as choices_module
from tests.schedules.choices import (
    Choices,
    DeadlockError,
    ScheduleError,
    every_schedule,
    read,
    schedules_by_chance,
    written,
)
from tests.schedules.judge import InvalidTraceError, validate
from tests.schedules.loop import ChosenLoop, run_in_chosen_loop
from tests.schedules.play import Play
from tests.schedules.scenarios import SCENARIOS
from tests.schedules.stages import STAGES
from tests.schedules.threads import Interleaver
from tests.schedules.trace import Done, Entry, Heard, Hooked, Input, Told, Trace
from tests.schedules.weather import bad_weather
from tests.schedules.world import CONFIG, SEED

# ── Choices ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("deviations", "orders"), [(0, 1), (1, 7), (2, 18), (3, 26), (9, 26)])
def test_every_schedule_within_the_bound_comes_once(deviations: int, orders: int) -> None:
    seen: list[tuple[int, ...]] = []

    def run(choices: Choices) -> None:
        first = choices.choose(2)
        seen.append((first, choices.choose(4), choices.choose(4 if first == 0 else 2)))

    count = every_schedule(run, deviations)
    assert count == len(seen) == len(set(seen))
    expected = {(a, b, c) for a in range(2) for b in range(4) for c in range(4 if a == 0 else 2)}
    assert set(seen) == {each for each in expected if 3 - each.count(0) <= deviations}


def test_a_failure_says_the_schedule_that_shows_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(choices: Choices) -> None:
        assert [choices.choose(3) for _ in range(5)] != [0, 2, 0, 1, 0]

    with pytest.raises(ScheduleError, match="SCHEDULE='1=2,3=1'") as caught:
        every_schedule(run, 2)
    monkeypatch.setattr(choices_module, "GIVEN", "1=2,3=1")
    with pytest.raises(ScheduleError):
        every_schedule(run, 0)
    assert read(written(caught.value.schedule)) == caught.value.schedule


def test_what_chance_found_is_left_with_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(seed: int, choices: Choices) -> None:
        taken = [choices.choose(2) for _ in range(40)]
        assert not (seed > 3 and taken[7] and taken[31])

    with pytest.raises(ScheduleError, match=r"SCHEDULE='\d+:7=1,31=1'") as caught:
        schedules_by_chance(run, range(100), rate=0.5)
    assert caught.value.schedule == {7: 1, 31: 1}
    monkeypatch.setattr(choices_module, "GIVEN", "3:7=1,31=1")
    assert schedules_by_chance(run, range(100)) == 1


# ── The schedulers ──────────────────────────────────────────────────────────────────────────────


def test_the_loop_runs_tasks_in_every_order() -> None:
    orders: set[str] = set()

    def run(choices: Choices) -> None:
        order: list[str] = []

        async def main() -> None:
            async def step(name: str) -> None:
                order.append(name)

            await asyncio.gather(*map(step, "abc"))

        run_in_chosen_loop(ChosenLoop(choices), main)
        orders.add("".join(order))

    every_schedule(run, 2)
    assert orders == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_the_loops_time_passes_by_itself_and_also_too_early() -> None:
    seen: set[tuple[float, int]] = set()

    def run(choices: Choices) -> None:
        loop = ChosenLoop(choices)

        async def main() -> None:
            steps: list[int] = []
            loop.call_later(3600.0, lambda: seen.add((loop.time(), len(steps))))
            for number in range(3):
                await asyncio.sleep(0)
                steps.append(number)
            await asyncio.sleep(7200.0)

        run_in_chosen_loop(loop, main)

    every_schedule(run, 1)
    assert (3600.0, 3) in seen
    assert (3600.0, 1) in seen, "the timer did not wait for what there was to do"


def test_threads_are_interrupted_between_two_lines() -> None:
    lost: set[int] = set()

    def run(choices: Choices) -> None:
        interleaver = Interleaver(choices, lines=frozenset({__file__}))
        count = [0]

        def add() -> None:
            before = count[0]
            count[0] = before + 1

        for number in range(2):
            interleaver.start(add, f"thread {number}")
        interleaver.wait_for(lambda: len(interleaver.threads) == 1)
        interleaver.end()
        lost.add(2 - count[0])

    every_schedule(run, 1)
    assert lost == {0, 1}


def test_a_deadlock_is_a_failure_that_says_who_waits() -> None:
    def run(choices: Choices) -> None:
        interleaver = Interleaver(choices)
        one, other = interleaver.threading.Lock(), interleaver.threading.Lock()

        def take(first: Any, second: Any) -> None:
            with first, second:
                pass

        try:
            interleaver.start(lambda: take(one, other), "left")
            interleaver.start(lambda: take(other, one), "right")
            interleaver.wait_for(lambda: len(interleaver.threads) == 1)
        finally:
            interleaver.end()

    every_schedule(run, 0)
    with pytest.raises(
        ScheduleError, match="nobody can go on: the test waits, left waits, right waits"
    ) as caught:
        every_schedule(run, 1)
    assert isinstance(caught.value.__cause__, DeadlockError)


@pytest.mark.parametrize("driver", STAGES)
def test_the_same_schedule_gives_the_same_trace(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    traces: list[str] = []
    finish = Play.finish

    def note(self: Play, left: list[str]) -> Any:
        traces.append(str(self.world.trace))
        return finish(self, left)

    monkeypatch.setattr(Play, "finish", note)
    first = Choices(seed=5)
    STAGES[driver](bad_weather(5), first, Random(5))
    STAGES[driver](bad_weather(5), Choices(first.made), Random(5))
    assert traces[0] == traces[1]


# ── The judging of traces ───────────────────────────────────────────────────────────────────────

Tamper = Callable[[list[Entry]], None]


def drop(kind: type[Any]) -> Tamper:
    return lambda entries: entries.remove([entry for entry in entries if isinstance(entry, kind)][-1])


def repeat(kind: type[Any]) -> Tamper:
    return lambda entries: entries.append([entry for entry in entries if isinstance(entry, kind)][-1])


def swap_two_done(entries: list[Entry]) -> None:
    stored = next(
        i for i, entry in enumerate(entries) if isinstance(entry, Done) and isinstance(entry.command, Persist)
    )
    told = next(i for i in range(stored + 1, len(entries)) if isinstance(entries[i], Done))
    entries[stored], entries[told] = entries[told], entries[stored]


def ask_twice(entries: list[Entry]) -> None:
    entries.append(next(e for e in entries if isinstance(e, Done) and isinstance(e.command, AskRenewal)))


def shift_a_time(entries: list[Entry]) -> None:
    number = [i for i, entry in enumerate(entries) if isinstance(entry, Input)][-1]
    given = cast("Input", entries[number])
    entries[number] = attrs.evolve(given, now=given.now + 3600.0)


def lose_an_input(entries: list[Entry]) -> None:
    entries.remove([entry for entry in entries if isinstance(entry, Input) and entry.steps][1])


def answer_first(entries: list[Entry]) -> None:
    number = next(i for i, entry in enumerate(entries) if isinstance(entry, Told) and entry.method == "login")
    entries.insert(entries[number].since + 1, entries.pop(number))  # type: ignore[union-attr]


def answer_before_it_is_stored(entries: list[Entry]) -> None:
    number = next(
        i for i, entry in enumerate(entries) if isinstance(entry, Told) and entry.method == "logout"
    )
    heard = next(
        i
        for i, entry in enumerate(entries)
        if isinstance(entry, Input) and any(isinstance(step.event, Logout) for step in entry.steps)
    )
    entries.insert(heard + 1, entries.pop(number))


TAMPERED: dict[str, tuple[Tamper, str]] = {
    "an observer misses the last change": (drop(Heard), "was never heard"),
    "an observer hears it twice": (repeat(Heard), "no step commands it"),
    "a hook is forgotten": (drop(Hooked), "was never hooked"),
    "a hook is called twice": (repeat(Hooked), "no step commands it"),
    "told before stored": (swap_two_done, "was stored, told, settled, number"),
    "asked twice": (ask_twice, "1 times too often"),
    "another time": (shift_a_time, "the core makes of it"),
    "an input is missing": (lose_an_input, "met a session that the core has not"),
    "a caller is answered at once": (answer_first, "is told of a login before observers are"),
    "a logout is answered at once": (answer_before_it_is_stored, "is told of a logout before that"),
}
SCENES = {"a logout is answered at once": "a plain logout overtakes a secure one"}
"""For what does not come up in the usual one."""


@pytest.mark.parametrize("how", TAMPERED)
def test_a_trace_that_was_tampered_with_is_seen(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper, seen_as = TAMPERED[how]
    traces: list[Trace] = []
    finish = Play.finish

    def note(self: Play, left: list[str]) -> Any:
        traces.append(self.world.trace)
        return finish(self, left)

    monkeypatch.setattr(Play, "finish", note)
    STAGES["asyncio"](SCENARIOS[SCENES.get(how, "a rejection, and a renewal meanwhile")], Choices())
    [trace] = traces
    tamper(trace)
    with pytest.raises(match=seen_as):
        validate(trace, CONFIG, SEED)


@pytest.mark.parametrize("driver", STAGES)
def test_a_trace_is_judged_by_the_properties_of_steps_too(
    driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core that it is held against has the same fault, so nothing else would tell."""
    mutants.a_logout_runs_no_hook(monkeypatch)
    with pytest.raises(InvalidTraceError, match="it is not so that hooks run once at their occasion"):
        STAGES[driver](SCENARIOS["a plain logout overtakes a secure one"], Choices())
