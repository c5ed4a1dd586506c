# pyright: standard
# python-statemachine's specs are untyped; see _chart.py.
"""From a chart to a flat table of rows: what is declared is read, what a table cannot say is refused.

With `_chart.py` the only module that imports python-statemachine. It reads the class, never an
instance, and only names without a leading underscore. It refuses whatever python-statemachine's own
engine would run otherwise than the table, but for one thing that it cannot see: a guard named twice on
one transition, even as `cond=` and `unless=`, is dropped the second time before it gets here.
"""

import enum
import keyword
from collections.abc import Iterable, Iterator
from typing import Any, cast

from statemachine import StateChart

from splus_session._errors import ChartError
from splus_session._row import Guard, Row

HOOK_PREFIX = "run_"
"""`after="run_on_login"` names the hook `on_login`. The prefix keeps the name apart from
python-statemachine's own convention, by which `on_login` would also run on every event `login`."""

_FLAGS = {
    "allow_event_without_transition": True,
    "enable_self_transition_entries": False,
    "atomic_configuration_update": False,
    "catch_errors_as_events": False,
}

_GENERIC_CALLBACKS = frozenset(
    {
        "prepare_event",
        "before_transition",
        "on_transition",
        "after_transition",
        "on_enter_state",
        "on_exit_state",
        "on_invoke_state",
    }
)


def compile_chart(chart: type[StateChart[Any]]) -> tuple[Row, ...]:
    """Compile a flat chart into its rows, by source state and then in order of declaration.

    Args:
        chart: a `StateChart` whose states come from one enum (`States.from_enum`), whose guards,
            reactions and hooks are names, and which sets the four flags as `SessionChart` does.

    Raises:
        ChartError: the chart has what a flat table cannot hold; the message names it and says
            what to write instead.

    Example:
        >>> import enum
        >>> from statemachine.states import States
        >>> Door = enum.Enum("Door", "OPEN SHUT")
        >>> class DoorChart(StateChart):
        ...     allow_event_without_transition = True
        ...     enable_self_transition_entries = False
        ...     atomic_configuration_update = False
        ...     catch_errors_as_events = False
        ...     at = States.from_enum(Door, initial=Door.SHUT)
        ...     push = at.SHUT.to(at.OPEN, unless="is_locked", on="ring", after="run_on_open")
        ...     pull = at.OPEN.to(at.SHUT)
        >>> for row in compile_chart(DoorChart):
        ...     print(row.source, row.event, row.target, *row.guards, row.reactions, row.hooks)
        Door.OPEN pull Door.SHUT () ()
        Door.SHUT push Door.OPEN not is_locked ('ring',) ('on_open',)
    """
    _refuse_flags(chart)
    _refuse_inheritance(chart)
    _refuse_structure(chart)
    _refuse_events(chart)
    rows = tuple(_rows(chart))
    _refuse_names(chart, rows)
    _refuse_twins(rows)
    return rows


def _refuse_flags(chart: type[StateChart[Any]]) -> None:
    for flag, needed in _FLAGS.items():
        if getattr(chart, flag) is not needed:
            raise ChartError(
                f"{chart.__name__}.{flag} is {getattr(chart, flag)}; the table means {needed}: set it"
            )


def _refuse_inheritance(chart: type[StateChart[Any]]) -> None:
    """Refuse charts that extend each other: they share their states, and so their transitions.

    What is written in one is run by the other, whose rows nobody can tell from its own any more.
    """
    for base in chart.__mro__[1:]:
        if list(getattr(base, "states", ())):
            raise ChartError(f"{chart.__name__} extends the chart {base.__name__}: write it out in full")
        if vars(base).get("listeners"):
            raise ChartError(f"{chart.__name__} has the listeners of {base.__name__}; the table calls nobody")
    for extending in chart.__subclasses__():
        raise ChartError(f"{chart.__name__} is extended by {extending.__name__}, which may have changed it")


def _refuse_structure(chart: type[StateChart[Any]]) -> None:
    if not list(chart.states):
        raise ChartError(f"{chart.__name__} has no states")
    if len(chart.states_map) < len(list(chart.states)):
        raise ChartError(f"two states of {chart.__name__} have the same value")
    if vars(chart).get("listeners"):
        raise ChartError(f"{chart.__name__} has listeners; the table calls nobody")
    for state in chart.states:
        where = f"state {state.id} of {chart.__name__}"
        if state.parallel or state.is_history or list(state.states) or list(state.history):
            raise ChartError(f"{where} is nested, parallel or historic; the table is flat")
        if state.final:
            raise ChartError(f"{where} is final, which would end the machine for good")
        if not isinstance(state.value, enum.Enum):
            raise ChartError(f"{where} has no enum member as its value: use States.from_enum")
        for group in ("enter", "exit", "invoke"):
            declared = [spec.func for spec in getattr(state, group) if not spec.is_convention]
            if declared:
                raise ChartError(
                    f"{where} has {group}={declared}; write it on the transitions, so that a row "
                    "is the whole truth"
                )


def _refuse_events(chart: type[StateChart[Any]]) -> None:
    for event in _events(chart):
        if event.delay:
            raise ChartError(f"the event {event.id} is delayed; time is a fact that comes from outside")
        if event.internal:
            raise ChartError(f"the event {event.id} is internal; the table raises no events of its own")


def _events(chart: type[StateChart[Any]]) -> list[Any]:
    """The chart's events, which its metaclass keeps: type checkers look no further than the class."""
    return list(cast("Any", chart).events)


def _rows(chart: type[StateChart[Any]]) -> Iterator[Row]:
    for state in chart.states:
        for transition in state.transitions:
            yield from _rows_of(transition)


def _rows_of(transition: Any) -> Iterator[Row]:
    if transition.is_eventless:
        raise ChartError(f"a transition from {transition.source.id} has no event")
    where = f"{transition.event} from {transition.source.id}"
    if len(transition.targets) != 1 or transition.initial:
        raise ChartError(f"{where} does not lead to one target")
    for group in ("validators", "before"):
        if _names(getattr(transition, group), where, group):
            raise ChartError(f"{where} has {group}=; the table knows cond, unless, on and after")
    if transition.target is transition.source and not transition.internal:
        raise ChartError(f"{where} leaves and enters the same state: say internal=True")
    # No convention names a guard, so all of these were written.
    guards = tuple(Guard(_name(spec, where, "cond"), bool(spec.expected_value)) for spec in transition.cond)
    for event in transition.events:
        # Any other name is a pattern: a dotted one fits by its prefix, and `*` or an empty one, which
        # two spaces in `event="a  b"` make, fits every event.
        if not event.id.isidentifier():
            raise ChartError(f"{where}: {event.id!r} is no plain event name")
        yield Row(
            transition.source.value,
            str(event.id),
            transition.target.value,
            bool(transition.internal),
            guards,
            _names(transition.on, where, "on"),
            tuple(_hook(name, where) for name in _names(transition.after, where, "after")),
        )


def _names(specs: Iterable[Any], where: str, group: str) -> tuple[str, ...]:
    return tuple(_name(spec, where, group) for spec in specs if not spec.is_convention)


def _name(spec: Any, where: str, group: str) -> str:
    name = spec.func
    if not isinstance(name, str):
        raise ChartError(f"{where} has something else than a name in {group}=: give a name instead")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ChartError(
            f"{where} has {group}={name!r}, which is no single name: several names are a list, "
            "`not` is unless=, and `or` is a row of its own"
        )
    return name


def _hook(name: str, where: str) -> str:
    if not name.startswith(f"{HOOK_PREFIX}on_"):
        raise ChartError(f"{where} has after={name!r}; hooks are named {HOOK_PREFIX}on_…")
    return name.removeprefix(HOOK_PREFIX)


def _refuse_names(chart: type[StateChart[Any]], rows: Iterable[Row]) -> None:
    """Refuse names that python-statemachine gives a meaning which the table does not know of.

    Whatever is called `on_<event>` or `on_enter_<state>` is run there by convention, be it an
    attribute of the chart or a name that rows use; and a name that a chart has anyway, such as an
    event's, is called as what it is.
    """
    conventional = frozenset(_conventions(chart))
    meant = {*dir(StateChart), *(event.id for event in _events(chart)), *(s.id for s in chart.states)}
    used = {name for row in rows for name in (*row.reactions, *(guard.name for guard in row.guards))}
    for name in sorted(used & conventional | {name for name in conventional if hasattr(chart, name)}):
        raise ChartError(
            f"{chart.__name__} has the name {name}, which python-statemachine would also run by "
            "convention: call it something else"
        )
    for name in sorted(used & meant):
        raise ChartError(f"{chart.__name__} names {name}, which means something else in a chart")


def _conventions(chart: type[StateChart[Any]]) -> Iterator[str]:
    """The names that python-statemachine runs without being told to."""
    yield from _GENERIC_CALLBACKS
    for event in _events(chart):
        yield from (f"before_{event.id}", f"on_{event.id}", f"after_{event.id}")
    for state in chart.states:
        yield from (f"on_enter_{state.id}", f"on_exit_{state.id}", f"on_invoke_{state.id}")


def _refuse_twins(rows: tuple[Row, ...]) -> None:
    """Refuse a row that can never be taken, because one above it has no guard or the same ones."""
    seen: dict[tuple[object, str], list[frozenset[Guard]]] = {}
    for row in rows:
        above = seen.setdefault((row.source, row.event), [])
        guards = frozenset(row.guards)
        if any(earlier <= guards for earlier in above):
            raise ChartError(f"a row of {row.event} from {row.source} can never be taken")
        above.append(guards)


def render(rows: tuple[Row, ...]) -> str:
    """The Python module that holds the rows of `SessionChart`. Deterministic."""
    lines = [
        '"""GENERATED from `_chart.py` by `make generate`; a test keeps it fresh. Do not edit."""',
        "",
        "from splus_session._row import Guard, Row",
        "from splus_session._states import SessionState",
        "",
        "ROWS: tuple[Row, ...] = (",
    ]
    for row in rows:
        lines.append("    Row(")
        lines.append(f"        {row.source},")
        lines.append(f'        "{row.event}",')
        lines.append(f"        {row.target},")
        if row.internal:
            lines.append("        internal=True,")
        if row.guards:
            lines.append(f"        guards={_tuple(_guard(guard) for guard in row.guards)},")
        if row.reactions:
            lines.append(f"        reactions={_tuple(_quoted(name) for name in row.reactions)},")
        if row.hooks:
            lines.append(f"        hooks={_tuple(_quoted(name) for name in row.hooks)},")
        lines.append("    ),")
    lines.append(")")
    return "\n".join(lines) + "\n"


def _guard(guard: Guard) -> str:
    return f'Guard("{guard.name}")' if guard.expected else f'Guard("{guard.name}", expected=False)'


def _quoted(name: str) -> str:
    return f'"{name}"'


def _tuple(items: Iterable[str]) -> str:
    parts = list(items)
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
