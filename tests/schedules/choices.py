"""What runs next, as a list of decisions: searched systematically, drawn by chance, or given to be replayed.

A scheduler asks `choose` whenever more than one thing can go on. Alternative 0 is what would go on if
nobody interfered; any other is a *deviation*. A schedule is its deviations, `12=1,40=2`: at decision
12 the first alternative, at decision 40 the second, and else no interference. Few deviations are
enough for nearly every fault of this kind, so `every_schedule` goes through all that have at most so
many (*delay bounding*), each once. Beyond that bound, chance decides.

A failure says its schedule, each deviation in words, and how to run it again.

What no deviation can bring about is not searched: see the schedulers for what is one step to them.
"""

import os
import random
from collections.abc import Callable, Iterator, Mapping

GIVEN = os.environ.get("SCHEDULE", "")
"""The only schedule to run, for whoever wants to see one again: `12=1,40=2`, or `none`; where a seed has
made what is run, `7:12=1,40=2`."""

Schedule = Mapping[int, int]
"""Which alternative is taken where it is not the first."""


class Choices:
    """The decisions of one run: those of a schedule, then of chance, if there is any, and then none."""

    def __init__(
        self, schedule: Schedule | None = None, *, seed: int | None = None, rate: float = 0.2
    ) -> None:
        """Make decisions.

        Args:
            schedule: the deviations to make.
            seed: of the chance that decides where the schedule says nothing; None: no deviations there.
            rate: how often chance deviates.
        """
        self.asked: list[int] = []
        """How many alternatives there were, decision by decision."""
        self.made: dict[int, int] = {}
        """The deviations that were made."""
        self.labels: dict[int, str] = {}
        """What each of them was."""
        self.paused = False
        """Whether nothing is to be decided: for what comes before and after the part that matters."""
        self._schedule = schedule or {}
        self._chance = None if seed is None else random.Random(seed)
        self._rate = rate

    def choose(self, alternatives: int, label: Callable[[int], str] = str) -> int:
        """Choose one of so many alternatives; `label` says what one is."""
        if alternatives < 2 or self.paused:
            return 0
        number = len(self.asked)
        self.asked.append(alternatives)
        taken = min(self._schedule.get(number, 0), alternatives - 1)
        if self._chance is not None and self._chance.random() < self._rate:
            taken = self._chance.randrange(alternatives)
        if taken:
            self.made[number] = taken
            self.labels[number] = f"{label(taken)} before {label(0)}"
        return taken


Run = Callable[[Choices], None]
"""Runs something under a schedule; raises if it goes wrong."""


class DeadlockError(AssertionError):
    """Nobody can go on, and nothing will change that."""


class ScheduleError(AssertionError):
    """Something goes wrong under a schedule, which the message says how to run again."""

    def __init__(
        self, schedule: Schedule, choices: Choices, error: BaseException, seed: int | None = None
    ) -> None:
        self.schedule = dict(schedule)
        seeded = "" if seed is None else f"{seed}:"
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" (")[0]
        lines = [f"{error}", "", "under this schedule, which runs again by", ""]
        lines += [f"  SCHEDULE='{seeded}{written(schedule)}' make test ARGS='-n0 -s \"{test}\"'", ""]
        lines += [f"  decision {number}: {choices.labels[number]}" for number in sorted(choices.labels)]
        super().__init__("\n".join(lines))


def written(schedule: Schedule) -> str:
    """A schedule as text; `none` if it deviates nowhere."""
    return ",".join(f"{number}={taken}" for number, taken in sorted(schedule.items())) or "none"


def read(text: str) -> Schedule:
    """A schedule from its text."""
    pairs = [pair.split("=") for pair in text.split(",") if "=" in pair]
    return {int(number): int(taken) for number, taken in pairs}


def every_schedule(run: Run, deviations: int) -> int:
    """Run under every schedule of at most so many deviations; gives how many there were.

    Raises:
        ScheduleError: it goes wrong under one.
    """
    if GIVEN:
        _under(run, read(GIVEN))
        return 1
    count = 0
    waiting: list[dict[int, int]] = [{}]
    while waiting:
        schedule = waiting.pop()
        choices = _under(run, schedule)
        count += 1
        if len(schedule) < deviations:
            # Only behind the last deviation, so that none comes twice.
            first = max(schedule, default=-1) + 1
            waiting += (
                {**schedule, number: taken}
                for number in range(first, len(choices.asked))
                for taken in range(1, choices.asked[number])
            )
    return count


def schedules_by_chance(run: Callable[[int, Choices], None], seeds: range, *, rate: float = 0.2) -> int:
    """Run once with each seed, which is also told to `run`; gives how many there were.

    Raises:
        ScheduleError: it goes wrong with one; of its deviations, those that do not matter are left out.
    """
    if GIVEN:
        given, _, schedule = GIVEN.partition(":")
        _under(lambda choices: run(int(given), choices), read(schedule), int(given))
        return 1
    for seed in seeds:
        choices = Choices(seed=seed, rate=rate)
        try:
            run(seed, choices)
        except Exception as error:

            def again(choices: Choices, seed: int = seed) -> None:
                run(seed, choices)

            _under(again, shrunk(again, choices.made), seed)
            raise ScheduleError(choices.made, choices, error, seed) from error
    return len(seeds)


def shrunk(run: Run, schedule: Schedule, tries: int = 120) -> dict[int, int]:
    """A smaller schedule that something goes wrong under too, as far as so many tries find one."""
    kept = dict(schedule)
    size = max(1, len(kept) // 2)
    while kept and tries > 0:
        for part in _parts(sorted(kept), size):
            fewer = {number: taken for number, taken in kept.items() if number not in part}
            tries -= 1
            if tries >= 0 and _fails(run, fewer):
                kept = fewer
        if size == 1:
            break
        size //= 2
    return kept


def _parts(numbers: list[int], size: int) -> Iterator[list[int]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _fails(run: Run, schedule: Schedule) -> bool:
    try:
        run(Choices(schedule))
    except Exception:
        return True
    return False


def _under(run: Run, schedule: Schedule, seed: int | None = None) -> Choices:
    choices = Choices(schedule)
    try:
        run(choices)
    except Exception as error:
        raise ScheduleError(schedule, choices, error, seed) from error
    return choices
