"""Every order of a short scene, up to a bound, and orders drawn by chance beyond it: the session does what
its core says, whoever comes first."""

import pytest
from hypothesis import settings

from tests.schedules.choices import Choices, every_schedule, schedules_by_chance
from tests.schedules.scenarios import SCENARIOS
from tests.schedules.stages import STAGES

ORDERS = {"asyncio": 50, "trio": 10, "threads": 100}
"""Fewest orders that a scene has with one deviation: fewer, and they are not under control any more."""
DEEPER = {"asyncio": 2, "trio": 3, "threads": 1}
"""Deviations with the profile `deep`. In threads, chance has the rest: two would take an hour."""


def is_deep() -> bool:
    return not settings().derandomize


@pytest.mark.requirement(
    "LOGIN-2", "LOGIN-6", "LOGIN-9", "HOOK-1", "RENEW-3", "EXPIRE-1", "EXPIRE-2", "EXPIRE-3", "EXPIRE-5", "BAN-3",
    "LOGOUT-1", "LOGOUT-4", "OBSERVE-1", "RESUME-2", "CLIENT-3",
)  # fmt: skip
@pytest.mark.parametrize("scene", SCENARIOS)
@pytest.mark.parametrize("driver", STAGES)
def test_a_scene_ends_well_in_every_order_that_deviates_little(driver: str, scene: str) -> None:
    def run(choices: Choices) -> None:
        STAGES[driver](SCENARIOS[scene], choices)

    count = every_schedule(run, DEEPER[driver] if is_deep() else 1)
    print(f"{count} orders")
    assert count == 1 or count >= ORDERS[driver]


@pytest.mark.requirement("RENEW-3", "EXPIRE-2", "EXPIRE-5", "LOGOUT-1", "OBSERVE-1", "RESUME-2")
@pytest.mark.parametrize("driver", STAGES)
def test_scenes_end_well_in_orders_drawn_by_chance(driver: str) -> None:
    for scenario in SCENARIOS.values():

        def run(_: int, choices: Choices) -> None:
            STAGES[driver](scenario, choices)  # noqa: B023  run here and now

        schedules_by_chance(run, range(1_000 if is_deep() else 8), rate=0.3)
