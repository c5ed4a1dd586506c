"""Life cycles to draw: the session's own, and one that somebody else might declare."""

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Final

from statemachine import StateChart
from statemachine.states import States

from splus_session import LIFECYCLE, Row
from splus_session._table import compile_chart


class Door(enum.Enum):
    """States that are not strings, one of which needs escaping where it is one."""

    SHUT = 1
    OPEN = '<open>: & "wide" | 1; #1 \\N *go* __x__ //y// direction LR \\'
    STATE = "state"
    """A word that means something in the languages that it is written in."""


class DoorChart(StateChart[Any]):
    """Somebody else's chart."""

    allow_event_without_transition = True
    enable_self_transition_entries = False
    atomic_configuration_update = False
    catch_errors_as_events = False

    at = States.from_enum(Door, initial=Door.SHUT)

    push__hard = (
        at.SHUT.to(at.OPEN, cond="is_strong", unless="is_locked", on=["_lean_", "wait"], after="run_on_creak")
        | at.SHUT.to.itself(internal=True, cond="is_strong")
        | at.SHUT.to(at.STATE)
    )
    pull = at.OPEN.to(at.SHUT) | at.STATE.to(at.SHUT)
    knock = (
        at.SHUT.to.itself(internal=True)
        | at.OPEN.to.itself(internal=True)
        | at.STATE.to.itself(internal=True)
    )
    paint = at.SHUT.to.itself(internal=True)


LIFECYCLES: Final[Mapping[str, Sequence[Row]]] = {
    "session": LIFECYCLE,
    "door": compile_chart(DoorChart),
}
