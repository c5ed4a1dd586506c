"""What must happen some day, whatever else does: by the cycles of the graph in which it never does.

Whoever waits may wait for ever only if the world can go round in a circle without helping, and such a
circle is unfair only if it leaves out something that could happen at every point of it and that
happens by itself: time passes, a message that is on its way arrives, the driver carries out what it
was commanded. Nothing else is taken for granted: neither the user, nor the app and its handlers, nor
what the platform makes of a request. (This is weak fairness.)
"""

from collections.abc import Callable, Iterable, Iterator

import attrs

from splus_session.explore._monitors import Edge
from splus_session.explore._search import Arrow, Graph, follow
from splus_session.explore._world import World, is_pressed, moves

BY_THEMSELVES = frozenset(
    {
        "tick", "token_expired", "renewal_due", "answer_overdue", "revocation_due",
        "open", "renew", "verify", "revoke", "orphan", "notice", "store", "tell",
    }
)  # fmt: skip
"""What happens by itself, by the first word of its label. It is taken for granted of a word and not of
each single message: that *some* login is answered, say, which is less."""


def _nothing_helps(edge: Edge) -> bool:
    return False


@attrs.frozen
class Eventually:
    """A sentence about what does not last for ever, and the ids of what would be breached without it."""

    name: str
    requirements: tuple[str, ...]
    waits: Callable[[World], bool]
    """Whether somebody waits in this world."""
    helps: Callable[[Edge], bool] = _nothing_helps
    """Whether something helps though the waiting goes on, such as another attempt."""


class StuckError(AssertionError):
    """Somebody may wait for ever: after `way` the world goes round among the states of `circle`."""

    def __init__(self, eventually: Eventually, graph: Graph, circle: Iterable[int]) -> None:
        ids = ", ".join(eventually.requirements)
        super().__init__(f"it may never be that {eventually.name} [{ids}], in the slice {graph.slice.name!r}")
        self.eventually = eventually
        self.circle = frozenset(circle)
        self.way = follow(graph.slice, graph.way_to(min(self.circle)))


def check_eventually(graph: Graph, eventually: Eventually) -> int:
    """Look for a fair circle in which somebody waits for ever.

    Returns:
        In how many states somebody waits. None of them lasts.

    Raises:
        StuckError: there is such a circle.
    """
    worlds = graph.worlds
    waiting = {state for state, world in enumerate(worlds) if eventually.waits(world)}
    able: dict[int, set[str]] = {}
    going: dict[int, list[Arrow]] = {state: [] for state in waiting}
    for arrow in graph.arrows:
        if arrow.source in waiting and arrow.target in waiting:
            going[arrow.source].append(arrow)
    for state in waiting:
        edges = {move.label: Edge(worlds[state], *move) for move in moves(worlds[state], graph.slice)}
        if not is_pressed(worlds[state], graph.slice):
            able[state] = {str(label[0]) for label in edges} & BY_THEMSELVES
        going[state] = [arrow for arrow in going[state] if not eventually.helps(edges[arrow.label])]
    for circle in _components(going):
        inside = [arrow for state in circle for arrow in going[state] if arrow.target in circle]
        done = {arrow.label[0] for arrow in inside}
        # What is pressing comes before all else, but only for a moment: it takes nobody's turn away.
        calm = [able[state] for state in circle if state in able]
        is_livelock = not calm and bool(inside)
        if is_livelock or (calm and calm[0].intersection(*calm) <= done):
            raise StuckError(eventually, graph, circle)
    return len(waiting)


def _components(going: dict[int, list[Arrow]]) -> Iterator[set[int]]:
    """The strongly connected components of a graph (Tarjan's algorithm, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in going:
        if root in index:
            continue
        work = [(root, iter(going[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            state, arrows = work[-1]
            for arrow in arrows:
                target = arrow.target
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(going[target])))
                    break
                if target in on_stack:
                    low[state] = min(low[state], index[target])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[state])
                if low[state] == index[state]:
                    component: set[int] = set()
                    while state not in component:
                        component.add(stack.pop())
                    on_stack -= component
                    yield component
