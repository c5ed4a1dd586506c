"""Two opinions on what a chart means: the table's, and that of python-statemachine's own engine.

Both are given the same state, event and valuation of the guards. The table is run by the very code
of `_core.step`, with stand-ins for the functions that the names mean; the engine runs the chart as it
stands, on a model that has every name. They share the chart and nothing else.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import attrs
from statemachine import StateChart

from splus_session import _core, _table
from splus_session._commands import Announce, RunHook
from splus_session._config import Config
from splus_session._events import EVENTS, event_name
from splus_session._row import Row
from splus_session._snapshot import Snapshot
from splus_session._states import SessionState

Chart = type[StateChart[Any]]
Valuation = Mapping[str, bool]


class Opinion(NamedTuple):
    """What comes of one event."""

    taken: bool
    """Whether there was a transition; if not, the event was dropped."""
    left: bool
    """Whether the row says that a state is left and one entered."""
    told: bool
    """Whether that is announced."""
    state: SessionState
    reactions: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()


# ── The engine's ────────────────────────────────────────────────────────────────────────────────


class Engine:
    """python-statemachine's own engine on one instance of a chart, set to any state."""

    def __init__(self, chart: Chart) -> None:
        self.guards, actions = names(chart)
        self._values: Valuation = dict.fromkeys(self.guards, False)
        self._heard: list[str] = []

        def guard(name: str) -> Callable[[object], bool]:
            return lambda model: self._values[name]

        def action(name: str) -> Callable[[object], None]:
            return lambda model: self._heard.append(name)

        methods: dict[str, Any] = {name: guard(name) for name in self.guards}
        methods |= {name: action(name) for name in (*actions, "on_transition", "on_exit_state")}
        self._chart = chart(type("Model", (), methods)())

    def opinion(self, state: SessionState, event: str, values: Valuation) -> Opinion:
        self._values = values
        self._chart.current_state_value = state
        self._heard.clear()
        self._chart.send(event)
        heard = [name for name in self._heard if name not in ("on_transition", "on_exit_state")]
        # Hooks come from `after`, so nothing else may follow the first one.
        first = next((at for at, name in enumerate(heard) if name.startswith("run_on_")), len(heard))
        return Opinion(
            "on_transition" in self._heard,
            "on_exit_state" in self._heard,
            "on_exit_state" in self._heard,
            self._chart.current_state_value,
            tuple(heard[:first]),
            tuple(name.removeprefix("run_") for name in heard[first:]),
        )


def names(chart: Chart) -> tuple[frozenset[str], frozenset[str]]:
    """The guards and the actions that a chart names, read from itself and not from its table."""
    transitions = [transition for state in chart.states for transition in state.transitions]
    guards = frozenset(spec.func for t in transitions for spec in t.cond if not spec.is_convention)
    actions = (spec for t in transitions for specs in (t.on, t.after) for spec in specs)
    return guards, frozenset(spec.func for spec in actions if not spec.is_convention)


# ── The table's ─────────────────────────────────────────────────────────────────────────────────


class Table:
    """Rows run by a copy of `_core`, where names mean their stand-ins."""

    def __init__(self, rows: Iterable[Row], core: Any) -> None:
        self._core = core
        self._values: Valuation = {}
        core._TABLE = core._bind(rows, self._meaning)

    def _meaning(self, name: str) -> Callable[..., bool | None]:
        def stand_in(snapshot: Snapshot, event: object, out: list[str] | None = None) -> bool | None:
            if out is None:
                return self._values[name]
            out.append(name)
            return None

        return stand_in

    def opinion(self, state: SessionState, event: str, values: Valuation) -> Opinion:
        self._values = values
        step = self._core.step(Snapshot(_CONFIG, 0, state), _EXAMPLES[event], 0)
        assert (step.dropped is None) == (step.row is not None)
        return Opinion(
            step.row is not None,
            step.row is not None and not step.row.internal,
            any(isinstance(command, Announce) for command in step.commands),
            step.after.state,
            tuple(command for command in step.commands if isinstance(command, str)),
            tuple(command.call.hook for command in step.commands if isinstance(command, RunHook)),
        )


_CONFIG = Config()


def _example(event: Any) -> Any:
    """An event of this class: stand-ins look at none of its fields, and the core only at `clock`."""
    return event(**{field.alias: None for field in attrs.fields(event)})


_EXAMPLES: Mapping[str, Any] = {event_name(event): _example(event) for event in EVENTS}


def copy(module: ModuleType, *changes: tuple[str, str]) -> Any:
    """A module made anew from the source of one, with changes to it, each of which fits exactly once."""
    assert module.__file__ is not None
    source = Path(module.__file__).read_text("utf-8")
    for old, new in changes:
        assert source.count(old) == 1, f"{old!r} is there {source.count(old)} times"
        source = source.replace(old, new)
    made = ModuleType(module.__name__)
    exec(compile(source, module.__file__, "exec"), vars(made))  # noqa: S102  our own source
    return made


# ── The comparison ──────────────────────────────────────────────────────────────────────────────


def disagreements(chart: Chart, table_module: Any = _table, core: Any = None) -> Iterator[str]:
    """Where the two differ, over every state, event and valuation of the guards in question."""
    engine = Engine(chart)
    table = Table(table_module.compile_chart(chart), copy(_core) if core is None else core)
    for state, event, values in situations(chart):
        seconds, firsts = engine.opinion(state, event, values), table.opinion(state, event, values)
        if firsts != seconds:
            true = sorted(name for name, holds in values.items() if holds)
            yield f"{event} while {state}, if {true}: table {firsts}, engine {seconds}"


def situations(chart: Chart) -> Iterator[tuple[SessionState, str, Valuation]]:
    """Every state, event and valuation of the guards on that state's transitions for that event."""
    all_guards, _ = names(chart)
    for state in chart.states:
        for event in _EXAMPLES:
            relevant = {
                spec.func: None
                for transition in state.transitions
                if event in [known.id for known in transition.events]
                for spec in transition.cond
            }
            for values in itertools.product((False, True), repeat=len(relevant)):
                valuation = dict.fromkeys(all_guards, False) | dict(zip(relevant, values, strict=True))
                yield SessionState(state.value), event, valuation
