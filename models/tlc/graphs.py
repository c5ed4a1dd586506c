"""Two graphs of the same slice: what TLC saw in the model, and what the explorer finds in the code.

An edge is where it begins, what happened and what was commanded, and where it leads. Both graphs must
have the same edges, all of them: then the model and the code do the same, as far as the slice goes.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from splus_session.explore import Graph, Label, Slice, View, World, command_view, explore, moves, view

_PARTS = re.compile(r"<<|>>|\{|\}|, ")
_TO_JSON = (
    ("<<", "["),
    (">>", "]"),
    ("{", '{"set": ['),
    ("}", "]}"),
    ("TRUE", "true"),
    ("FALSE", "false"),
)


class Happening(NamedTuple):
    """What an edge is labelled with."""

    label: Label
    kind: str
    """`taken`, `dropped`, or nothing where the session does not hear of it."""
    commands: View


Edges = Mapping[View, Mapping[Happening, View]]
"""By where it begins and what happens: where it leads."""


def edges_of_code(slice: Slice, graph: Graph | None = None) -> dict[View, dict[Happening, View]]:
    """What the real core does in a slice."""
    found = explore(slice) if graph is None else graph
    return {view(world): edges_from(world, slice) for world in found.worlds}


def edges_from(world: World, slice: Slice) -> dict[Happening, View]:
    """What may happen next, in the code."""
    edges: dict[Happening, View] = {}
    for label, step, after in moves(world, slice):
        if after.session.attempt > slice.most_attempts:
            continue
        if step is None:
            happening = Happening(label, "", ())
        else:
            commands = tuple(command_view(after, command) for command in step.commands)
            happening = Happening(label, "taken" if step.dropped is None else "dropped", commands)
        edges[happening] = view(after)
    return edges


def edges_of_model(lines: Iterable[str]) -> dict[View, dict[Happening, View]]:
    """What TLC printed."""
    known: dict[str, Any] = {}

    def value(text: str) -> Any:
        found = known.get(text)
        if found is None:
            found = known[text] = parsed(text)
        return found

    edges: dict[View, dict[Happening, View]] = {}
    for line in lines:
        before, happening, after = map(value, _split(line))
        leaving = edges.setdefault(before, {})
        if leaving.setdefault(Happening(*happening), after) != after:
            raise ValueError(f"in the model, this leads to two worlds at once: {happening}")
        edges.setdefault(after, {})
    return edges


def _split(line: str) -> list[str]:
    """The three parts of a tuple that TLC wrote."""
    inner = line[2:-2]
    parts, depth, start = [], 0, 0
    for found in _PARTS.finditer(inner):
        word = found.group()
        if word in {"<<", "{"}:
            depth += 1
        elif word in {">>", "}"}:
            depth -= 1
        elif depth == 0:
            parts.append(inner[start : found.start()])
            start = found.end()
    return [*parts, inner[start:]]


def parsed(text: str) -> Any:
    """A value as TLC writes it."""
    for tla, other in _TO_JSON:
        text = text.replace(tla, other)
    return _as_view(json.loads(text))


def _as_view(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_as_view, value))
    if isinstance(value, dict):
        return tuple(sorted(map(_as_view, value["set"])))
    return value


class Difference(NamedTuple):
    """The first edge that one graph has and the other has not."""

    who: str
    """Who has it: the code or the model."""
    way: list[Happening]
    """How to get there."""
    here: View
    has: Happening
    leads_to: View
    others: list[Happening]
    """What the other one has there with the same label."""


def first_difference(model: Edges, slice: Slice) -> Difference | None:
    """Walk through the code, the nearest first, for as long as the model goes along."""
    graph = explore(slice)
    for state, world in enumerate(graph.worlds):
        here, code = view(world), edges_from(world, slice)
        other = model.get(here, {})
        if code == other:
            continue
        for who, mine, theirs in (("the code", code, other), ("the model", other, code)):
            for happening, target in mine.items():
                if theirs.get(happening) != target:
                    same = [each for each in theirs if each.label == happening.label]
                    way = [Happening(label, "", ()) for label in graph.way_to(state)]
                    return Difference(who, way, here, happening, target, same)
    return None


def told(difference: Difference) -> str:
    """A difference in words."""
    lines = ["the code and the model differ. What happens:"]
    lines += [f"{number:>4}. {_words(step.label)}" for number, step in enumerate(difference.way, 1)]
    lines.append(f"then {difference.who} has")
    lines += [f"      {line}" for line in _described(difference.has, difference.leads_to)]
    lines.append("and the other one has" + ("" if difference.others else " nothing of that name"))
    for other in difference.others:
        lines += [f"      {line}" for line in _described(other, None)]
    return "\n".join(lines)


def _described(happening: Happening, target: View | None) -> list[str]:
    lines = [f"{_words(happening.label)}: {happening.kind or 'not heard of'}"]
    lines += [f"  {_words(command)}" for command in happening.commands]
    if target is not None:
        lines.append(f"  and is then {target[0]}")
    return lines


def _words(label: Iterable[object]) -> str:
    return " ".join(map(str, label))


def digest(edges: Edges) -> tuple[int, int, str]:
    """How many states and edges there are, and one hash of them all."""
    lines = sorted(
        f"{before!r} {tuple(happening)!r} {after!r}"
        for before, leaving in edges.items()
        for happening, after in leaving.items()
    )
    return len(edges), len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()
