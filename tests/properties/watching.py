"""The named properties of steps and snapshots, as monitors of whatever is explored."""

from splus_session import Snapshot, Step
from splus_session.explore import MONITORS, Edge, Monitor
from tests.properties import about_snapshots, about_steps
from tests.properties.monitors import SNAPSHOTS, STEPS, Property

NOT_IN_A_SLICE = {
    "time is known once anything happened": "a world begins with a time",
}
"""Properties that have nothing to say in any slice, each with the reason."""


def all_monitors() -> list[Monitor]:
    """Everything that is judged while exploring."""
    assert about_snapshots.__name__
    assert about_steps.__name__  # both register what they hold
    return [*MONITORS, *map(_of_steps, STEPS), *map(_of_snapshots, SNAPSHOTS)]


def _of_steps(named: Property[Step]) -> Monitor:
    judge = named.holds

    def holds(edge: Edge) -> bool | None:
        return None if edge.step is None else judge(edge.step)

    return Monitor(named.name, named.requirements, holds)


def _of_snapshots(named: Property[Snapshot]) -> Monitor:
    judge = named.holds
    return Monitor(named.name, named.requirements, lambda edge: judge(edge.after.session), once=True)
