"""Everything that may happen to a session in a small world, looked at one by one: over the real core.

Five states in a picture say little about answers that come late, twice, or never. Here the core is put
into a world of requests on their way, handlers, a platform with its own truth, time, kills; and all
that may happen there happens, in every order.

    from splus_session.explore import MONITORS, EVENTUALLY, check_eventually, explore, slices

    graph = explore(slices.BAN, unbounded=True, monitors=MONITORS)  # and monitors of your own
    for promise in EVENTUALLY:
        check_eventually(graph, promise)

A `Monitor` says what must hold of everything that happens. The first thing that it says no to is
raised, with the shortest way there: `as_text` tells it, `as_pytest` makes a test of it.
`check_eventually` finds out whether anybody could wait for ever. A search that does not come to its
end is an error, never a result.

**What is looked at.** A `Slice` is a world small enough to be seen in full; `slices` holds those that
the library is judged in, and yours may be others. In a bounded search attempts are numbered up to a
limit. In an unbounded one their order alone counts, so there are any number of logins and renewals.

**What is not.** Time comes in ticks, and the figures are small: what holds for every figure and every
lifetime is shown otherwise. Drivers are not in it: this is the core.
"""

from splus_session.explore import slices
from splus_session.explore._liveness import BY_THEMSELVES, Eventually, StuckError, check_eventually
from splus_session.explore._monitors import MONITORS, Edge, Monitor
from splus_session.explore._promises import EVENTUALLY, NOT_PROMISED
from splus_session.explore._report import as_pytest, as_text
from splus_session.explore._search import Arrow, BreachError, Graph, TruncatedSearchError, explore, follow
from splus_session.explore._slice import TICK, Slice, Who, figures
from splus_session.explore._view import View, command_view, ranked, view
from splus_session.explore._world import Flight, Label, Move, Owed, World, beginning, moves

__all__ = [
    "BY_THEMSELVES",
    "EVENTUALLY",
    "MONITORS",
    "NOT_PROMISED",
    "TICK",
    "Arrow",
    "BreachError",
    "Edge",
    "Eventually",
    "Flight",
    "Graph",
    "Label",
    "Monitor",
    "Move",
    "Owed",
    "Slice",
    "StuckError",
    "TruncatedSearchError",
    "View",
    "Who",
    "World",
    "as_pytest",
    "as_text",
    "beginning",
    "check_eventually",
    "command_view",
    "explore",
    "figures",
    "follow",
    "moves",
    "ranked",
    "slices",
    "view",
]
