"""Long lives in bad weather: while it lasts the session does what its core says, and afterwards it comes to
rest by itself, with nobody waiting and nothing left on its way."""

from collections import Counter
from random import Random

import pytest
from hypothesis import settings

from tests.properties.monitors import all_properties
from tests.schedules.choices import Choices, schedules_by_chance
from tests.schedules.stages import STAGES
from tests.schedules.weather import bad_weather

NOT_MET = {"a stored session is resumed as it was stored", "time is known once anything happened"}
"""The properties that have nothing to say of a session that logs in with auth tokens and is not resumed."""
LIVES = 60
PARTS = 3
"""A driver's lives are shared out, so that they run side by side."""


def lives(driver: str, part: int, *, rate: float) -> "Counter[str]":
    """Live in bad weather; gives which named properties had something to say, and how often."""
    number = (4_500 if not settings().derandomize else LIVES) // PARTS
    witnesses: Counter[str] = Counter()

    def live(seed: int, choices: Choices) -> None:
        jury = STAGES[driver](bad_weather(seed), choices, Random(seed))
        witnesses.update(jury.witnesses)

    schedules_by_chance(live, range(part * number, (part + 1) * number), rate=rate)
    return witnesses


@pytest.mark.requirement(
    "RENEW-3", "RENEW-5", "RENEW-6", "RENEW-7", "RENEW-8", "EXPIRE-1", "EXPIRE-2", "EXPIRE-4", "EXPIRE-5", "BAN-1",
    "LOGIN-3", "LOGIN-6", "LOGOUT-1", "LOGOUT-3", "LOGOUT-4", "HOOK-1", "OBSERVE-1", "RESUME-2", "CLIENT-3",
)  # fmt: skip
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("driver", STAGES)
def test_a_session_comes_to_rest_after_bad_weather(driver: str, part: int) -> None:
    lives(driver, part, rate=(0.05, 0.2, 0.5)[part])


def test_the_weather_is_bad_enough() -> None:
    """Nothing above holds vacuously: together the lives meet what there is to meet in a session of this kind."""
    said = lives("asyncio", 0, rate=0.2)
    silent = {named.name for named in all_properties()} - said.keys()
    assert silent <= NOT_MET, sorted(silent - NOT_MET)
