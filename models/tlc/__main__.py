"""`make model`: TLC checks every property in every slice, and its graph is that of the code.

And nothing lasts for ever that should not, but for what is known not to be promised.

With `--lock`, what it found is kept: how large the graphs are, and their digests, so that a machine
without Java notices when the code goes its own way. With `--deep`, it looks further, and at the
sentences alone.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import attrs

from models import figures
from models.tlc import coverage, graphs, modules
from models.tlc.checker import MissingToolError, ModelError, Run
from models.tlc.lasting import ENDLESS, Settled, is_endless, settles
from splus_session.explore import Slice, slices

ORDER = sorted(slices.SLICES, key=lambda slice: slice.name not in {"secure logout", "ban", "storage"})
"""The largest first, so that two processes end about together."""

Value = TypeVar("Value")


class Checked(NamedTuple):
    """What came of one slice."""

    name: str
    states: int
    edges: int
    digest: str
    happened: Counter[str]
    seconds: float


def check(slice: Slice, table: str | None = None) -> Checked:
    """Have TLC check a slice, and compare the graphs.

    Args:
        slice: which.
        table: another table than the library's.

    Raises:
        ModelError: something does not hold, or the graphs differ.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        modules.write_modules(folder, slice, table)
        model = graphs.edges_of_model(Run(folder, modules.module_name(slice), "slice.cfg"))
    difference = graphs.first_difference(model, slice)
    if difference is not None:
        raise ModelError(f"{slice.name}: {graphs.told(difference)}")
    happened = coverage.seen(happening for leaving in model.values() for happening in leaving)
    return Checked(slice.name, *graphs.digest(model), happened, time.perf_counter() - started)


def check_deep(slice: Slice) -> Settled:
    """Have TLC check the sentences about worlds and steps with an attempt more, and compare nothing.

    Raises:
        ModelError: something does not hold.
    """
    started = time.perf_counter()
    further = attrs.evolve(slice, most_attempts=slice.most_attempts + 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        modules.write_modules(folder, further)
        configuration = modules.configuration(further, *modules.properties(), prints_edges=False)
        (folder / "slice.cfg").write_text(configuration, "utf-8")
        states = Run(folder, modules.module_name(further), "slice.cfg").states()
    return Settled(slice.name, states, time.perf_counter() - started)


def settles_deep(slice: Slice) -> Settled:
    """Have TLC look for what lasts with all the attempts that the slice has.

    Raises:
        ModelError: something does.
    """
    return settles(slice, more=0)


def main(arguments: list[str] | None = None) -> int:
    """Check all of them, and say what was found."""
    parser = argparse.ArgumentParser(prog="make model", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="keep the figures of this run, and the digests")
    parser.add_argument("--deep", action="store_true", help="with an attempt more")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        if options.deep:
            return _main_deep()
        with ProcessPoolExecutor(max_workers=2) as processes:
            graphs_found = processes.map(check, ORDER)
            lasting_found = processes.map(settles, ORDER)
            hopes_found = processes.map(is_endless, ENDLESS)
            ours = {"graphs": _tell_of_graphs(graphs_found), "lasting": _tell_of_lasting(lasting_found)}
            tell_of_hopes(hopes_found)
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return 2
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{time.perf_counter() - started:.0f} s in all")
    return 0 if figures.agree("checked", ours, lock=options.lock) else 1


def _main_deep() -> int:
    started = time.perf_counter()
    with ProcessPoolExecutor(max_workers=2) as processes:
        checked, lasting = processes.map(check_deep, ORDER), processes.map(settles_deep, ORDER)
        print("every sentence about worlds and steps, with an attempt more")
        _tell_of_states(checked)
        print("\nevery sentence about what does not last for ever, with all attempts")
        _tell_of_states(lasting)
    print(f"\nall hold; {time.perf_counter() - started:.0f} s in all")
    return 0


def _tell_of_states(found: Iterator[Settled]) -> dict[str, int]:
    kept: dict[str, int] = {}
    for name, states, seconds in found:
        kept[name] = states
        print(f"{name:<16}{states:>11,} states{seconds:>9.1f} s", flush=True)
    return _in_order(kept)


def _tell_of_graphs(found: Iterator[Checked]) -> dict[str, dict[str, int | str]]:
    print(f"{'slice':<16}{'states':>9}{'edges':>10}{'seconds':>9}")
    kept: dict[str, dict[str, int | str]] = {}
    happened: Counter[str] = Counter()
    for name, states, edges, digest, happens, seconds in found:
        happened += happens
        print(f"{name:<16}{states:>9,}{edges:>10,}{seconds:>9.1f}", flush=True)
        kept[name] = {"states": states, "edges": edges, "sha256": digest}
    if dead := coverage.dead(happened):
        raise ModelError(f"this never happens in any slice: {', '.join(dead)}")
    rarest, times = min(happened.items(), key=lambda item: item[1])
    print(
        f"Each of {len(coverage.ACTIONS)} actions happens with each outcome; least often {rarest}: {times}."
    )
    invariants, actions = modules.properties()
    print(
        f"{len(invariants)} invariants and {len(actions)} action properties hold in each, and the model's "
        "graphs are those of the code, commands included.\n"
    )
    return _in_order(kept)


def _tell_of_lasting(found: Iterator[Settled]) -> dict[str, int]:
    print("what lasts, in")
    kept = _tell_of_states(found)
    promised, _ = modules.liveness()
    print(f"{len(promised)} sentences about what does not last for ever hold in each.")
    return kept


def _in_order(found: dict[str, Value]) -> dict[str, Value]:
    return {slice.name: found[slice.name] for slice in slices.SLICES}


def tell_of_hopes(found: Iterator[bool]) -> None:
    """Say that what nobody can promise failed.

    Raises:
        ModelError: one of them came true.
    """
    for hope, is_seen in zip(ENDLESS, found, strict=True):
        if not is_seen:
            raise ModelError(f"this cannot be promised, and came true in {ENDLESS[hope].name!r}: {hope}")
    print(f"{len(ENDLESS)} that nobody can promise were found to fail.\n")


if __name__ == "__main__":
    sys.exit(main())
