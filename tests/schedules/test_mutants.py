"""What the searches are worth: each driver fault is found, and its schedule shows it again."""

from random import Random

import pytest

from tests.schedules.choices import Choices, Run, ScheduleError, every_schedule, schedules_by_chance
from tests.schedules.mutants import IN_WEATHER, MUTANTS
from tests.schedules.pieces import PIECES, play
from tests.schedules.scenarios import SCENARIOS
from tests.schedules.stages import STAGES
from tests.schedules.weather import bad_weather


def deepen(run: Run) -> None:
    """Search with few deviations first, so that the schedule found has as few as can be."""
    for deviations in range(3):
        every_schedule(run, deviations)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_schedules_show_a_driver_in_which(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = MUTANTS[name]
    piece = {piece.__name__: piece for piece in PIECES}.get(mutant.scene)

    def run(choices: Choices) -> None:
        if piece is not None:
            play(piece, choices)
        else:
            STAGES[mutant.driver](SCENARIOS[mutant.scene], choices)

    mutant.plant(monkeypatch)
    with pytest.raises(ScheduleError, match=mutant.seen_as) as caught:
        deepen(run)
    schedule = caught.value.schedule
    print(caught.value)
    with pytest.raises(AssertionError, match=mutant.seen_as):
        run(Choices(schedule))
    monkeypatch.undo()
    run(Choices(schedule))


@pytest.mark.parametrize("driver", STAGES)
@pytest.mark.parametrize("name", IN_WEATHER)
def test_bad_weather_shows_a_driver_in_which(name: str, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def live(seed: int, choices: Choices) -> None:
        STAGES[driver](bad_weather(seed), choices, Random(seed))

    IN_WEATHER[name](monkeypatch)
    with pytest.raises(ScheduleError) as caught:
        schedules_by_chance(live, range(60), rate=0.0)
    print(caught.value)
