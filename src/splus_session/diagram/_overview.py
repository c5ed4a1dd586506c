"""What an overview shows, whatever the language it is drawn in."""

import enum
from collections.abc import Iterable, Sequence

from attrs import frozen

from splus_session._errors import InvalidArgumentError
from splus_session._row import Row


@frozen
class Caption:
    """Events of which each runs the same hooks."""

    events: tuple[str, ...]
    hooks: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.events) + (f" (runs {', '.join(self.hooks)})" if self.hooks else "")


@frozen
class Overview:
    """A life cycle with one arrow a pair of states. Everything is in the table's order."""

    states: tuple[enum.Enum, ...]
    initial: enum.Enum
    active: enum.Enum | None
    arrows: dict[tuple[enum.Enum, enum.Enum], tuple[Caption, ...]]
    boxes: dict[enum.Enum, tuple[Caption, ...]]
    """What stays within a state, less what is the same everywhere."""
    everywhere: tuple[Caption, ...]
    """What stays within whatever state it finds, in the same way."""

    @property
    def runs_hooks(self) -> bool:
        """Whether any event runs a hook."""
        said = [*self.arrows.values(), *self.boxes.values(), self.everywhere]
        return any(caption.hooks for captions in said for caption in captions)

    def in_words(self) -> str:
        """All that the picture shows, as sentences."""
        begin = f"A state machine with {len(self.states)} states, beginning in {name_of(self.initial)}."
        sentences = [begin]
        if self.active is not None:
            sentences.append(f"The present state is {name_of(self.active)}.")
        for (source, target), captions in self.arrows.items():
            sentences.append(f"From {name_of(source)} to {name_of(target)}: {listed(captions)}.")
        for state, captions in self.boxes.items():
            if captions:
                sentences.append(f"Within {name_of(state)}: {listed(captions)}.")
        if self.everywhere:
            sentences.append(f"Within every state: {listed(self.everywhere)}.")
        return " ".join(sentences)


def listed(captions: Iterable[Caption]) -> str:
    """Captions in one line."""
    return "; ".join(map(str, captions))


def name_of(state: enum.Enum) -> str:
    """A state as its maker spells it."""
    return state.value if isinstance(state.value, str) else state.name


def overview(
    lifecycle: Sequence[Row], *, active: enum.Enum | None = None, initial: enum.Enum | None = None
) -> Overview:
    """What there is to show of a life cycle.

    Args:
        lifecycle: the rows of any flat chart.
        active: the state to show as the present one.
        initial: the state that the chart begins in; without it, the first row's source.

    Raises:
        InvalidArgumentError: there are no rows, or `active` or `initial` is no state of theirs.
    """
    states: tuple[enum.Enum, ...] = tuple(
        dict.fromkeys([*(row.source for row in lifecycle), *(row.target for row in lifecycle)])
    )
    if not states:
        raise InvalidArgumentError("a life cycle has at least one row")
    for state in (active, initial):
        if state is not None and state not in states:
            raise InvalidArgumentError(f"{state} is no state of this life cycle")
    moving: dict[tuple[enum.Enum, enum.Enum], list[Row]] = {}
    staying: dict[enum.Enum, list[Row]] = {state: [] for state in states}
    for row in lifecycle:
        if row.internal:
            staying[row.source].append(row)
        else:
            moving.setdefault((row.source, row.target), []).append(row)
    shared = _shared(list(staying.values()))
    return Overview(
        states,
        states[0] if initial is None else initial,
        active,
        {pair: _captions(rows) for pair, rows in moving.items()},
        {s: _captions(r for r in rows if _effect(r) not in shared) for s, rows in staying.items()},
        _captions(row for row in staying[states[0]] if _effect(row) in shared),
    )


def _shared(groups: Sequence[Sequence[Row]]) -> set[tuple[object, ...]]:
    """The effects that every group has. With one group alone that would be no news, so there are none."""
    first, *others = ({_effect(row) for row in rows} for rows in groups)
    return first.intersection(*others) if others else set()


def _effect(row: Row) -> tuple[object, ...]:
    """A row that stays where it is, less where that is."""
    return (row.event, row.guards, row.reactions, row.hooks)


def _captions(rows: Iterable[Row]) -> tuple[Caption, ...]:
    """Each event once, with the hooks of all its rows; what runs the same hooks stands together.

    What runs none comes last, so that nobody reads the hooks below as its own.
    """
    hooks_of: dict[str, dict[str, None]] = {}
    for row in rows:
        hooks_of.setdefault(row.event, {}).update(dict.fromkeys(row.hooks))
    events_of: dict[tuple[str, ...], list[str]] = {}
    for event, hooks in hooks_of.items():
        events_of.setdefault(tuple(hooks), []).append(event)
    captions = (Caption(tuple(events), hooks) for hooks, events in events_of.items())
    return tuple(sorted(captions, key=lambda caption: not caption.hooks))
