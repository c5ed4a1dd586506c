"""What a diagram shows, whatever the language that it is drawn in."""

import enum
import textwrap
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal, get_args

from attrs import frozen

from splus_session._core import LIFECYCLE
from splus_session._errors import InvalidArgumentError
from splus_session._events import REQUESTS, event_name
from splus_session._meanings import EVENTS, MEANINGS
from splus_session._row import Guard, Row
from splus_session._text import visible

View = Literal["overview", "full"]
"""`overview`: the events and the client's hooks. `full`: every row, with all that it says."""
Direction = Literal["down", "right"]
"""Where the arrows lead."""
RANKS: Final[Mapping[Direction, str]] = {"down": "TB", "right": "LR"}
"""What Graphviz and Mermaid call them."""

_OURS: Final = frozenset(LIFECYCLE)
_REQUESTS: Final = frozenset(map(event_name, REQUESTS))


@frozen
class Label:
    """What is written in one place: events that run the same hooks, or in the full view one row."""

    events: tuple[str, ...]
    hooks: tuple[str, ...] = ()
    order: int | None = None
    """The place of a row among those of its event and state, which are tried in order; None: it is alone."""
    guards: tuple[Guard, ...] = ()
    reactions: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """What the session may ask of its driver."""
    requirements: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """What must happen, and under which condition: `resume (2) [is_live and not is_busy]`."""
        text = ", ".join(self.events)
        text += f" ({self.order})" if self.order is not None else ""
        return text + (f" [{condition(self.guards)}]" if self.guards else "")

    @property
    def consequences(self) -> tuple[str, ...]:
        """What follows: `does x, y`, `asks for X`, `runs on_x`, `see X-1`."""
        said = (
            ("does", self.reactions),
            ("asks for", self.commands),
            ("see", self.requirements),
            ("runs", self.hooks),
        )
        return tuple(f"{word} {', '.join(names)}" for word, names in said if names)

    def __str__(self) -> str:
        return " / ".join((self.cause, *self.consequences))


@frozen
class Place:
    """What is written on one arrow, or in one box."""

    labels: tuple[Label, ...] = ()
    steps: tuple[int, ...] = ()
    """Which steps of the path lead along here, counted from 1."""
    refused: tuple[str, ...] = ()
    """In a box: the requests for which there is no row."""
    dropped: tuple[str, ...] = ()
    """In a box: the other events for which there is no row."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What there is to say besides."""
        steps = f"step{'s' if len(self.steps) > 1 else ''} {', '.join(map(str, self.steps))}"
        return (
            *((steps,) if self.steps else ()),
            *((f"refuses {', '.join(self.refused)}",) if self.refused else ()),
            *((f"drops {', '.join(self.dropped)}",) if self.dropped else ()),
        )


@frozen
class Line:
    """A part of what is written in one place, short enough to stand in a line."""

    text: str
    kind: Literal["cause", "consequence", "hook", "remark"]
    event: str | None = None
    """Of a cause: the event, if it is the only one."""


def lines(place: Place, view: View, width: int, alone: Container[str] = ()) -> Iterator[Line]:
    """What is written in one place, in lines of about so many letters.

    In the overview a line that ends in a comma goes on in the next one. In the full view what follows from
    a cause is indented, and so is what goes on.

    Args:
        place: where.
        view: which kind of labels it has.
        width: how many letters.
        alone: events that get a line of their own.
    """
    indent = 4 if view == "full" else 0
    for label in place.labels:
        for cause, event in _causes(label, alone):
            for text in _wrapped(cause, width, 2 * indent):
                yield Line(text, "cause", event)
        for is_hook, said in groupby(label.consequences, lambda said: said.startswith("runs ")):
            for text in _wrapped(" " * indent + " / ".join(said), width, 2 * indent):
                yield Line(text, "hook" if is_hook else "consequence")
    for remark in place.remarks:
        for text in _wrapped(remark, width, 0):
            yield Line(text, "remark")


def plainly(place: Place, view: View, width: int) -> Iterator[str]:
    """The same for languages in which nothing can be indented: in the full view each label is one line."""
    if view == "overview":
        yield from (line.text for line in lines(place, view, width))
    else:
        yield from (*map(str, place.labels), *place.remarks)


def _causes(label: Label, alone: Container[str]) -> Iterator[tuple[str, str | None]]:
    if len(label.events) == 1:
        yield label.cause, label.events[0]
        return
    left = len(label.events)
    for is_alone, together in groupby(label.events, alone.__contains__):
        events = tuple(together)
        left -= len(events)
        if is_alone:
            yield from ((f"{event}," if event != label.events[-1] else event, event) for event in events)
        else:
            yield ", ".join(events) + ("," if left else ""), None


def _wrapped(text: str, width: int, hanging: int) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False
    )


@frozen
class Shown:
    """A life cycle with one arrow a pair of states. Everything is in the table's order."""

    begins: enum.Enum
    """What the chart begins in."""
    initial: enum.Enum | None
    """The same; None: it is not among those that are shown."""
    active: enum.Enum | None
    arrows: Mapping[tuple[enum.Enum, enum.Enum], Place]
    boxes: Mapping[enum.Enum, Place]
    """By state, what stays within it, less what is the same everywhere."""
    everywhere: tuple[Label, ...]
    """What stays within whatever state it finds, in the same way."""

    @property
    def legend(self) -> Iterator[str]:
        """How it is to be read, sentence by sentence."""
        labels = [label for place in (*self.arrows.values(), *self.boxes.values()) for label in place.labels]
        labels += self.everywhere
        yield "On an arrow: the events that lead there. In a box: the events that stay there."
        if any(label.order is not None for label in labels):
            yield "(1), (2): tried in this order, until what is in [ ] holds."
        if any(label.reactions for label in labels):
            yield "does ...: what happens to the session's memory."
        if any(label.commands for label in labels):
            yield "asks for ...: what the session may ask of its driver."
        if any(label.hooks for label in labels):
            yield "runs ...: the client's own side effects, afterwards."
        if any(place.refused or place.dropped for place in self.boxes.values()):
            yield "refuses ...: an error for whoever calls. drops ...: nothing comes of it."
        if self.everywhere:
            yield f"In every state: {'; '.join(map(str, self.everywhere))}."

    def in_words(self) -> str:
        """All that the picture shows, as sentences."""
        first = f", beginning in {name_of(self.initial)}" if self.initial is not None else ""
        count = f"{len(self.boxes)} state{'s' if len(self.boxes) > 1 else ''}"
        sentences = [f"A state machine with {count}{first}."]
        if self.active is not None:
            sentences.append(f"The present state is {name_of(self.active)}.")
        for (source, target), place in self.arrows.items():
            sentences.append(f"From {name_of(source)} to {name_of(target)}: {_listed(place)}.")
        for state, place in self.boxes.items():
            if said := _listed(place):
                sentences.append(f"Within {name_of(state)}: {said}.")
        if self.everywhere:
            sentences.append(f"Within every state: {'; '.join(map(str, self.everywhere))}.")
        return " ".join(sentences)


def _listed(place: Place) -> str:
    return "; ".join((*map(str, place.labels), *place.remarks))


def title_of(given: object) -> str:
    """A title, in one line.

    Raises:
        InvalidArgumentError: it is none.
    """
    title = " ".join(visible(given).split()) if isinstance(given, str) else ""
    if not title:
        raise InvalidArgumentError("a title is a string with at least one letter")
    return title


def check_option(option: str, chosen: object, choices: Any) -> None:
    """Refuse what is none of a `Literal`'s choices.

    Raises:
        InvalidArgumentError: it is none.
    """
    known: tuple[str, ...] = get_args(choices)
    if chosen not in known:
        raise InvalidArgumentError(f"{option} is {chosen!r}; it is one of {', '.join(known)}")


def name_of(state: enum.Enum) -> str:
    """A state as its maker spells it."""
    return state.value if isinstance(state.value, str) else state.name


def condition(guards: Iterable[Guard], *, both: str = " and ", no: str = "not {}") -> str:
    """Guards as an expression over their names: all of them must hold."""
    return both.join(guard.name if guard.expected else no.format(guard.name) for guard in guards)


def states_of(lifecycle: Iterable[Row]) -> tuple[enum.Enum, ...]:
    """The states that rows are about, in the table's order."""
    rows = tuple(lifecycle)
    return tuple(dict.fromkeys([*(row.source for row in rows), *(row.target for row in rows)]))


def meaning_of(row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The commands that a row of the session may ask for, and the requirements that it keeps; of another
    chart's row nobody knows.
    """
    if row not in _OURS:
        return (), ()
    named = (*(guard.name for guard in row.guards), *row.reactions)
    meanings = [EVENTS[row.event], *(MEANINGS[name] for name in named)]
    asked = dict.fromkeys(command for meaning in meanings for command in meaning.commands)
    stored = ["Persist"] if "Persist" in asked else []
    told = [] if row.internal else ["Announce"]
    ran = ["RunHook"] if row.hooks else []
    commands = dict.fromkeys([*stored, *told, *ran, *asked])
    kept = {requirement for meaning in meanings for requirement in meaning.requirements}
    return tuple(commands), tuple(sorted(kept, key=_by_number))


def _by_number(requirement: str) -> tuple[str, int]:
    group, _, number = requirement.rpartition("-")
    return group, int(number)


def shown(
    lifecycle: Sequence[Row],
    *,
    view: View,
    initial: enum.Enum | str | None,
    active: enum.Enum | str | None,
    path: Sequence[Row],
    events: Iterable[str],
    dropped: bool,
) -> Shown:
    """What there is to show; see `Diagram` for what is asked for.

    Raises:
        InvalidArgumentError: there are no rows; a state, an event or a step is none of theirs.
    """
    states = states_of(lifecycle)
    if not states:
        raise InvalidArgumentError("a life cycle has at least one row")
    _check_names(lifecycle, states)
    first = states[0] if initial is None else _state(initial, states)
    present = None if active is None else _state(active, states)
    for row in path:
        if row not in lifecycle:
            raise InvalidArgumentError(f"{row} is no row of this life cycle")
    every = tuple(dict.fromkeys(row.event for row in lifecycle))
    chosen = frozenset(events) or frozenset(every)
    for event in sorted(chosen.difference(every)):
        raise InvalidArgumentError(f"{event!r} is no event of this life cycle; there are {', '.join(every)}")
    rows = [row for row in lifecycle if row.event in chosen]
    touched = {*states_of(rows), present} if len(chosen) < len(every) else {*states}
    moving: dict[tuple[enum.Enum, enum.Enum], list[Row]] = {}
    staying: dict[enum.Enum, list[Row]] = {state: [] for state in states if state in touched}
    for row in rows:
        if row.internal:
            staying[row.source].append(row)
        else:
            moving.setdefault((row.source, row.target), []).append(row)
    shared: set[tuple[object, ...]] = _shared(list(staying.values())) if view == "overview" else set()
    written = _captions if view == "overview" else _whole(lifecycle)
    return Shown(
        first,
        first if first in touched else None,
        present,
        {pair: Place(written(there), _steps(path, there)) for pair, there in moving.items()},
        {
            state: Place(
                written(row for row in within if _effect(row) not in shared),
                _steps(path, within),
                *(_without_row(state, lifecycle, chosen) if dropped else ()),
            )
            for state, within in staying.items()
        },
        _captions(row for row in next(iter(staying.values())) if _effect(row) in shared),
    )


def _check_names(lifecycle: Sequence[Row], states: Sequence[enum.Enum]) -> None:
    """What every language can write, and nobody mistakes for another."""
    names = [name_of(state) for state in states]
    for name in names:
        if not name.strip() or not name.isprintable():
            raise InvalidArgumentError(f"a state is called {name!r}, which cannot be read")
        if name != name.strip():
            raise InvalidArgumentError(f"a state is called {name!r}: spaces around a name get lost")
        if names.count(name) > 1:
            raise InvalidArgumentError(f"two states are called {name!r}")
    for row in lifecycle:
        for word in (row.event, *(guard.name for guard in row.guards), *row.reactions, *row.hooks):
            if not word.isidentifier():
                raise InvalidArgumentError(f"{word!r} is no name of an event, a guard, a reaction or a hook")


def _state(named: enum.Enum | str, states: Sequence[enum.Enum]) -> enum.Enum:
    """A state of these, given itself or by its name."""
    for state in states:
        if state is named:
            return state
    for call in (name_of, _own_name):  # in this order: what one state is called may be another's own name
        for state in states:
            if not isinstance(named, enum.Enum) and call(state) == named:
                return state
    known = ", ".join(map(name_of, states))
    raise InvalidArgumentError(f"{named} is no state of this life cycle; there are {known}")


def _own_name(state: enum.Enum) -> str:
    return state.name


def _steps(path: Sequence[Row], rows: Sequence[Row]) -> tuple[int, ...]:
    return tuple(number for number, row in enumerate(path, 1) if row in rows)


def _without_row(
    state: enum.Enum, lifecycle: Sequence[Row], chosen: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The requests and the other events for which a state has no row."""
    known = {row.event for row in lifecycle if row.source is state}
    lacking = [event for event in dict.fromkeys(row.event for row in lifecycle) if event in chosen - known]
    return (
        tuple(event for event in lacking if is_request(event, lifecycle)),
        tuple(event for event in lacking if not is_request(event, lifecycle)),
    )


def _shared(groups: Sequence[Sequence[Row]]) -> set[tuple[object, ...]]:
    """The effects that every group has. With one group alone that would be no news, so there are none."""
    first, *others = ({_effect(row) for row in rows} for rows in groups)
    return first.intersection(*others) if others else set()


def _effect(row: Row) -> tuple[object, ...]:
    """A row that stays where it is, less where that is."""
    return (row.event, row.guards, row.reactions, row.hooks)


def _captions(rows: Iterable[Row]) -> tuple[Label, ...]:
    """Each event once, with the hooks of all its rows; what runs the same hooks stands together.

    What runs none comes last, so that nobody reads the hooks below as its own.
    """
    hooks_of: dict[str, dict[str, None]] = {}
    for row in rows:
        hooks_of.setdefault(row.event, {}).update(dict.fromkeys(row.hooks))
    events_of: dict[tuple[str, ...], list[str]] = {}
    for event, hooks in hooks_of.items():
        events_of.setdefault(tuple(hooks), []).append(event)
    captions = (Label(tuple(events), hooks) for hooks, events in events_of.items())
    return tuple(sorted(captions, key=lambda caption: not caption.hooks))


def _whole(lifecycle: Sequence[Row]) -> Callable[[Iterable[Row]], tuple[Label, ...]]:
    return lambda rows: tuple(label_of(row, lifecycle) for row in rows)


def label_of(row: Row, lifecycle: Sequence[Row]) -> Label:
    """A row as a whole, with its place among those of the life cycle that it is tried with."""
    together = [each for each in lifecycle if (each.source, each.event) == (row.source, row.event)]
    order = together.index(row) + 1 if len(together) > 1 else None
    commands, requirements = meaning_of(row)
    return Label((row.event,), row.hooks, order, row.guards, row.reactions, commands, requirements)


def is_request(event: str, lifecycle: Sequence[Row]) -> bool:
    """Whether whoever calls is told if there is no row for it; of another chart nobody knows."""
    return event in _REQUESTS and _OURS.issuperset(lifecycle)
