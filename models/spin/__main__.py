"""`make second-opinion`: Spin looks at one slice, and finds the graph that the explorer finds in the code.

The rules are written a third time for it, in Promela. Where there is no Spin it says so, and that is all.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.spin import checker
from models.tlc import graphs
from models.tlc.checker import MissingToolError, ModelError
from splus_session import LIFECYCLE, Row
from splus_session.explore import slices


class Agreed(NamedTuple):
    """What both found."""

    states: int
    edges: int
    sha256: str


def check(model: str | None = None, rows: Iterable[Row] = LIFECYCLE) -> Agreed:
    """Have Spin search the slice, and compare what it sees with what the explorer finds.

    Args:
        model: another model than the one written by hand.
        rows: another table than the library's.

    Raises:
        MissingToolError: there is no Spin.
        ModelError: the search failed, or the two differ; the message says where first.
        ValueError: what is printed of the model's states does not tell them apart.
    """
    found = graphs.edges_of_model(checker.edges(model, rows))
    differences = list(_differences(found))
    if differences:
        raise ModelError("\n".join(differences))
    return Agreed(*graphs.digest(found))


def _differences(model: graphs.Edges) -> Iterator[str]:
    code = graphs.edges_of_code(slices.REPEATS)
    for who, mine, theirs in (("the code", code, model), ("the model", model, code)):
        alone = next((state for state in mine if state not in theirs), None)
        if alone is not None:
            yield f"{who} alone comes to {alone}"
    difference = graphs.first_difference(model, slices.REPEATS)
    if difference is not None:
        yield graphs.told(difference)


def main(arguments: list[str] | None = None) -> int:
    """Ask for it, and say what it is."""
    argparse.ArgumentParser(prog="make second-opinion", description=__doc__).parse_args(arguments)
    started = time.perf_counter()
    try:
        agreed = check()
    except MissingToolError as error:
        print(f"*** NOT RUN: {error} ***")
        return 0
    except (ModelError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"Spin agrees on {slices.REPEATS.name!r}: {agreed.states:,} states and {agreed.edges:,} edges, "
        f"commands included, in {time.perf_counter() - started:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
