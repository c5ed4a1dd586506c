"""`make bench`: every figure of the report, and whether it meets its bar. Fails if one does not.

Give names of groups to measure only those: `make bench ARGS="core memory"`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

import bench_core
import bench_drivers
from report import Row

GROUPS: Mapping[str, Callable[[], Sequence[Row]]] = {
    "core": bench_core.steps,
    "memory": bench_core.memory,
    "headers": bench_drivers.headers,
    "storms": bench_drivers.storms,
    "import": bench_drivers.imports,
    "threads": bench_drivers.idle_threads,
}


def main(names: Sequence[str]) -> int:
    """Measure the groups of these names, or all, and print a line for each figure."""
    missed = 0
    for name in names or GROUPS:
        for row in GROUPS[name]():
            verdict = {True: "met", False: "MISSED", None: ""}[row.met]
            missed += row.met is False
            print(f"{row.what:60} {row.figure:55} {row.bar:10} {verdict}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
