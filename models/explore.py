"""Looks at everything that may happen in every slice, over the real core: `make explore`.

Any number of logins and renewals, every named property at every edge, and whether anybody could wait
for ever. Ends badly at the first breach, and shows the shortest way there. With `--lock`, its figures
become those that are kept.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from models import figures
from splus_session import LIFECYCLE, Row
from splus_session.explore import (
    EVENTUALLY,
    NOT_PROMISED,
    BreachError,
    Slice,
    StuckError,
    as_pytest,
    as_text,
    check_eventually,
    explore,
    slices,
)
from tests.properties.watching import NOT_IN_A_SLICE, all_monitors


class Found(NamedTuple):
    """What was seen in one slice."""

    name: str
    states: int
    edges: int
    rows: Counter[Row]
    witnesses: Counter[str]
    not_promised: frozenset[str]
    """What indeed never comes to an end there."""
    seconds: float
    complaint: str = ""


def look_at(slice: Slice) -> Found:
    """See one slice in full."""
    started = time.perf_counter()
    try:
        graph = explore(slice, unbounded=True, monitors=all_monitors())
        witnesses = graph.witnesses
        for promise in EVENTUALLY:
            witnesses[promise.name] += check_eventually(graph, promise)
    except BreachError as breach:
        test = as_pytest(breach.way, breach.monitor.name)
        return _failed(slice, f"{breach}\n{as_text(breach.way)}\n\n{test}")
    except StuckError as stuck:
        return _failed(slice, f"{stuck}\n{as_text(stuck.way)}\nand then round and round")
    endless = set()
    for hope in NOT_PROMISED:
        try:
            check_eventually(graph, hope)
        except StuckError:
            endless.add(hope.name)
    return Found(
        slice.name,
        len(graph.worlds),
        len(graph.arrows),
        graph.rows,
        witnesses,
        frozenset(endless),
        time.perf_counter() - started,
    )


def _failed(slice: Slice, complaint: str) -> Found:
    return Found(slice.name, 0, 0, Counter(), Counter(), frozenset(), 0.0, complaint)


def main(arguments: list[str] | None = None) -> int:
    """See all of them, and say what was found."""
    parser = argparse.ArgumentParser(prog="make explore", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="keep the figures of this run")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    print(f"{'slice':<16}{'states':>9}{'edges':>10}{'seconds':>9}")
    found: list[Found] = []
    # The largest first, so that two processes end about together.
    order = sorted(slices.SLICES, key=lambda slice: slice.name not in {"secure logout", "ban", "storage"})
    with ProcessPoolExecutor() as processes:
        for seen in processes.map(look_at, order):
            if seen.complaint:
                print(seen.complaint, file=sys.stderr)
                return 1
            found.append(seen)
            print(
                f"{seen.name:<16}{seen.states:>9,}{seen.edges:>10,}{seen.seconds:>9.1f}",
                flush=True,
            )
    edges, seconds = sum(seen.edges for seen in found), time.perf_counter() - started
    print(f"{'together':<16}{sum(seen.states for seen in found):>9,}{edges:>10,}{seconds:>9.1f}")
    spoke = sum((seen.witnesses for seen in found), Counter[str]())
    complaints = list(_complaints(found, spoke))
    print(*complaints, sep="\n", file=sys.stderr, end="\n" if complaints else "")
    if complaints:
        return 1
    names = _sentences()
    print(f"{len(names)} properties hold; all {len(LIFECYCLE)} rows were taken.")
    sizes = {seen.name: {"states": seen.states, "edges": seen.edges} for seen in found}
    ours = {
        "slices": {slice.name: sizes[slice.name] for slice in slices.SLICES},
        "spoke": {name: spoke[name] for name in names},
    }
    return 0 if figures.agree("explored", ours, lock=options.lock) else 1


def _sentences() -> list[str]:
    return [*(monitor.name for monitor in all_monitors()), *(each.name for each in EVENTUALLY)]


def _complaints(found: list[Found], spoke: Counter[str]) -> Iterator[str]:
    """Nothing may hold because it never came up."""
    rows = sum((seen.rows for seen in found), Counter[Row]())
    yield from (f"a row that was never taken: {row}" for row in LIFECYCLE if not rows[row])
    for sentence in _sentences():
        if not spoke[sentence] and sentence not in NOT_IN_A_SLICE:
            yield f"nothing was ever said on: {sentence}"
    endless = frozenset[str]().union(*(seen.not_promised for seen in found))
    for hope in NOT_PROMISED:
        if hope.name not in endless:
            yield f"this cannot be promised, and came true in every slice: {hope.name}"


if __name__ == "__main__":
    sys.exit(main())
