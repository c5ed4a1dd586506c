"""`make model`: TLC checks every property in every slice, and its graph is that of the code.

With `--lock`, writes `graphs.lock.json`: how large the graphs are, and their digests, so that a machine
without Java notices when the code goes its own way.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from models.tlc import graphs, modules
from models.tlc.checker import MissingToolError, ModelError, Run
from splus_session.explore import Slice, slices

LOCK = Path(__file__).parents[1] / "graphs.lock.json"


class Checked(NamedTuple):
    """What came of one slice."""

    name: str
    states: int
    edges: int
    digest: str
    seconds: float
    complaint: str = ""


def check(slice: Slice, table: str | None = None) -> Checked:
    """Have TLC check a slice, and compare the graphs.

    Args:
        slice: which.
        table: another table than the library's.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_modules(folder, slice, table)
        run = Run(folder, modules.module_name(slice), "slice.cfg")
        try:
            model = graphs.edges_of_model(run)
        except ModelError as error:
            return Checked(slice.name, 0, 0, "", 0.0, str(error))
    difference = graphs.first_difference(model, slice)
    if difference is not None:
        return Checked(slice.name, 0, 0, "", 0.0, graphs.told(difference))
    return Checked(slice.name, *graphs.digest(model), time.perf_counter() - started)


def write_modules(folder: Path, slice: Slice, table: str | None = None) -> None:
    """Put together in a folder what TLC reads."""
    for path in modules.TLA.glob("*.tla"):
        shutil.copy(path, folder)
    (folder / "Table.tla").write_text(table or modules.table(), "utf-8")
    (folder / f"{modules.module_name(slice)}.tla").write_text(modules.slice_module(slice), "utf-8")
    (folder / "slice.cfg").write_text(modules.configuration(slice, *modules.properties()), "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Check all of them, and say what was found."""
    parser = argparse.ArgumentParser(prog="make model", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="write the digests of the graphs")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    order = sorted(slices.SLICES, key=lambda slice: slice.name not in {"secure logout", "storage", "ban"})
    found: dict[str, Checked] = {}
    print(f"{'slice':<16}{'states':>9}{'edges':>10}{'seconds':>9}")
    try:
        with ProcessPoolExecutor(max_workers=2) as processes:
            for checked in processes.map(check, order):
                if checked.complaint:
                    print(f"{checked.name}: {checked.complaint}", file=sys.stderr)
                    return 1
                found[checked.name] = checked
                print(
                    f"{checked.name:<16}{checked.states:>9,}{checked.edges:>10,}{checked.seconds:>9.1f}",
                    flush=True,
                )
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return 2
    invariants, actions = modules.properties()
    print(
        f"{len(invariants)} invariants and {len(actions)} action properties hold in each, and the model's "
        f"graphs are those of the code, commands included; {time.perf_counter() - started:.0f} s"
    )
    lock = {
        slice.name: {
            "states": found[slice.name].states,
            "edges": found[slice.name].edges,
            "sha256": found[slice.name].digest,
        }
        for slice in slices.SLICES
    }
    if options.lock:
        LOCK.write_text(json.dumps(lock, indent=2) + "\n", "utf-8")
    elif json.loads(LOCK.read_text("utf-8")) != lock:
        print(f"{LOCK.name} is stale: run `make lock` and look at what changed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
