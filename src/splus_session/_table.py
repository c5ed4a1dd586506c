# pyright: standard
# python-statemachine's specs are untyped; see _chart.py.
"""From a chart to a flat table of rows: what is declared is read, what a table cannot say is refused.

With `_chart.py` the only module that imports python-statemachine. It reads the class, never an
instance, and only names without a leading underscore.
"""

import enum
import keyword
from collections.abc import Iterable, Iterator
from typing import Any

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


def compile_chart(chart: type[StateChart[Any]]) -> tuple[Row, ...]:
    """Compile a flat chart into its rows, by source state and then in order of declaration.

    Args:
        chart: a `StateChart` whose states come from one enum (`States.from_enum`), whose guards,
            reactions and hooks are names, and which sets the four flags as `SessionChart` does.

    Raises:
        ChartError: the chart has what a flat table cannot hold; the message names it and says
            what to write instead.
    """
    _refuse_flags(chart)
    _refuse_structure(chart)
    rows = tuple(_rows(chart))
    _refuse_conventions(chart, rows)
    _refuse_twins(rows)
    return rows


def _refuse_flags(chart: type[StateChart[Any]]) -> None:
    for flag, needed in _FLAGS.items():
        if getattr(chart, flag) is not needed:
            raise ChartError(
                f"{chart.__name__}.{flag} is {getattr(chart, flag)}; the table means {needed}: set it"
            )


def _refuse_structure(chart: type[StateChart[Any]]) -> None:
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


def _rows(chart: type[StateChart[Any]]) -> Iterator[Row]:
    for state in chart.states:
        for transition in state.transitions:
            yield from _rows_of(transition)


def _rows_of(transition: Any) -> Iterator[Row]:
    if transition.is_eventless or not transition.event:
        raise ChartError(f"a transition from {transition.source.id} has no event")
    if len(transition.targets) != 1:
        raise ChartError(f"a transition from {transition.source.id} does not have one target")
    where = f"{transition.event} from {transition.source.id}"
    for group in ("validators", "before"):
        if _names(getattr(transition, group), where, group):
            raise ChartError(f"{where} has {group}=; the table knows cond, unless, on and after")
    if transition.target is transition.source and not transition.internal:
        raise ChartError(f"{where} leaves and enters the same state: say internal=True")
    guards = tuple(
        Guard(_name(spec, where, "cond"), bool(spec.expected_value))
        for spec in transition.cond
        if not spec.is_convention
    )
    for event in transition.event.split():
        if not event.isidentifier():
            raise ChartError(f"{where}: {event!r} is no plain event name")
        yield Row(
            transition.source.value,
            event,
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
        raise ChartError(f"{where} has a callable in {group}=: give its name instead")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ChartError(
            f"{where} has {group}={name!r}, which is no single name: several names are a list, "
            "`not` is unless=, and `or` is a row of its own"
        )
    return name


def _hook(name: str, where: str) -> str:
    if not name.startswith(HOOK_PREFIX):
        raise ChartError(f"{where} has after={name!r}; hooks are named {HOOK_PREFIX}on_…")
    return name.removeprefix(HOOK_PREFIX)


def _refuse_conventions(chart: type[StateChart[Any]], rows: Iterable[Row]) -> None:
    """Refuse what python-statemachine would run by convention, and the table would not know of.

    Any attribute called `on_<event>` or `on_enter_<state>` is a callback there, on the class as
    well as among the names that rows use.
    """
    conventional = {
        spec.func
        for state in chart.states
        for specs in (
            state.enter,
            state.exit,
            *(s for t in state.transitions for s in (t.cond, t.before, t.on, t.after, t.validators)),
        )
        for spec in specs
        if spec.is_convention and isinstance(spec.func, str)
    }
    used = {name for row in rows for name in (*row.reactions, *(g.name for g in row.guards))}
    for name in sorted(conventional & (used | {n for n in vars(chart) if callable(vars(chart)[n])})):
        raise ChartError(
            f"{chart.__name__} has the name {name}, which python-statemachine would also run by "
            "convention: call it something else"
        )


def _refuse_twins(rows: tuple[Row, ...]) -> None:
    """Refuse a row that can never be taken, because one above it has no guard or the same ones."""
    seen: dict[tuple[object, str], list[frozenset[Guard]]] = {}
    for row in rows:
        above = seen.setdefault((row.source, row.event), [])
        guards = frozenset(row.guards)
        if len({guard.name for guard in row.guards}) < len(row.guards):
            raise ChartError(f"{row.event} from {row.source} names a guard twice")
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
