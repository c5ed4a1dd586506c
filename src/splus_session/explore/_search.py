"""A breadth-first search through everything that may happen, over the real core."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import attrs

from splus_session._row import Row
from splus_session.explore._monitors import Edge, Monitor
from splus_session.explore._slice import Slice
from splus_session.explore._view import ranked, view
from splus_session.explore._world import Label, Move, World, beginning, moves


class Arrow(NamedTuple):
    """An edge of the graph."""

    source: int
    label: Label
    target: int


@attrs.frozen
class Graph:
    """All that may happen in a slice. Worlds that look alike are one state, numbered in the order in
    which they were found, from 0, the beginning.
    """

    slice: Slice
    unbounded: bool
    worlds: Sequence[World]
    """Of each state, the world that was found first."""
    arrows: Sequence[Arrow]
    found_by: Sequence[Arrow | None]
    """By which edge each state was found."""
    rows: Counter[Row]
    """How often each row of the life cycle was taken."""
    witnesses: Counter[str]
    """How often each monitor had something to say."""

    def way_to(self, state: int) -> list[Label]:
        """What happens on the shortest way to a state."""
        labels: list[Label] = []
        arrow = self.found_by[state]
        while arrow is not None:
            labels.append(arrow.label)
            arrow = self.found_by[arrow.source]
        return labels[::-1]


class BreachError(AssertionError):
    """Something happened that a monitor says must not; `way` is the shortest there is to that."""

    def __init__(self, monitor: Monitor, slice: Slice, way: Sequence[Edge]) -> None:
        ids = ", ".join(monitor.requirements)
        super().__init__(f"it is not so that {monitor.name} [{ids}], in the slice {slice.name!r}")
        self.monitor = monitor
        self.slice = slice
        self.way = tuple(way)


class TruncatedSearchError(RuntimeError):
    """There is more than was to be looked at: nothing is known to hold."""


def explore(
    slice: Slice,
    *,
    unbounded: bool = False,
    monitors: Iterable[Monitor] = (),
    most_states: int = 1_000_000,
) -> Graph:
    """Look at everything that may happen in a slice, the nearest first.

    Args:
        slice: the world.
        unbounded: whether it is the order of attempts alone that tells worlds apart, and not their
            numbers, so that there are any number of logins and renewals. Otherwise attempts go up to
            `Slice.most_attempts`.
        monitors: what must hold of every edge.
        most_states: how many states there may be.

    Raises:
        BreachError: at the first edge that a monitor says no to.
        TruncatedSearchError: there are more states.
    """
    look = ranked if unbounded else view
    every: list[Monitor] = []
    once: list[Monitor] = []
    for monitor in monitors:
        (once if monitor.once else every).append(monitor)
    start = beginning(slice)
    worlds = [start]
    known = {look(start): 0}
    found_by: list[Arrow | None] = [None]
    arrows: list[Arrow] = []
    rows: Counter[Row] = Counter()
    witnesses: Counter[str] = Counter()
    graph = Graph(slice, unbounded, worlds, arrows, found_by, rows, witnesses)
    for source, world in enumerate(worlds):  # which grows meanwhile
        for move in moves(world, slice):
            label, step, after = move
            if not unbounded and after.session.attempt > slice.most_attempts:
                continue
            if step is not None and step.row is not None:
                rows[step.row] += 1
            seen = look(after)
            target = known.get(seen)
            if every:
                _judge(graph, every, source, move)
            if once and target is None:
                _judge(graph, once, source, move)
            arrow = Arrow(source, label, len(worlds) if target is None else target)
            arrows.append(arrow)
            if target is None:
                known[seen] = len(worlds)
                worlds.append(after)
                found_by.append(arrow)
        if len(worlds) > most_states:
            raise TruncatedSearchError(f"{slice.name} has more than {most_states} states")
    return graph


def _judge(graph: Graph, monitors: Iterable[Monitor], source: int, move: Move) -> None:
    edge = Edge(graph.worlds[source], *move)
    for monitor in monitors:
        verdict = monitor.holds(edge)
        if verdict is None:
            continue
        if not verdict:
            way = follow(graph.slice, graph.way_to(source))
            raise BreachError(monitor, graph.slice, [*way, edge])
        graph.witnesses[monitor.name] += 1


def follow(slice: Slice, labels: Iterable[Label]) -> list[Edge]:
    """Have things happen one after the other, from the beginning.

    Args:
        slice: the world.
        labels: what happens.

    Raises:
        LookupError: something cannot happen there; the message says what can.
    """
    edges: list[Edge] = []
    world = beginning(slice)
    for label in labels:
        possible = {move.label: move for move in moves(world, slice)}
        if label not in possible:
            raise LookupError(f"{label} cannot happen here; possible are {', '.join(map(str, possible))}")
        edges.append(Edge(world, *possible[label]))
        world = edges[-1].after
    return edges
