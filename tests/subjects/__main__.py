"""`make conform`: every client in this repository, judged by the kit as anybody's would be.

Our own sessions and the small client must keep everything. The vendor's SDKs must break what is listed
in `vendor/ts6.json` and `vendor/ts7.json`, with reasons, and nothing else. Reports are written to
`build/conformance`, one folder for each client.

`--lock` takes what they come to today for what they should, and writes `verdicts.json`, of which the
documentation's matrix is made. `--deep` is for the night: see `deep.py`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

from splus_session.conformance.reports import as_json, markdown
from tests.npm import CannotInstallError, installed
from tests.subjects import deep

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
REPORTS: Final = ROOT / "build" / "conformance"
VERDICTS: Final = HERE / "verdicts.json"
SIDE_BY_SIDE: Final = 2


class Subject(NamedTuple):
    """A client to be judged."""

    name: str
    command: tuple[str, ...]
    known: Path | None = None
    """The file of its known breaches."""


OURS: Final = (
    Subject("aio", (sys.executable, "-m", "tests.subjects.own_aio")),
    Subject("sync", (sys.executable, "-m", "tests.subjects.own_sync")),
    Subject("small", (sys.executable, "tests/subjects/small/client.py")),
)


def theirs() -> tuple[Subject, ...]:
    """The vendor's SDKs, installed on demand.

    Raises:
        CannotInstallError: they cannot be had here.
    """
    vendor = HERE / "vendor"
    packages = str(installed(vendor))
    return tuple(
        Subject(name, ("node", f"tests/subjects/vendor/{name}.mjs", packages), vendor / f"{name}.json")
        for name in ("ts7", "ts6")
    )


def judge(subject: Subject, *, lock: bool) -> int:
    """Judge one; gives the exit status of the command that does it."""
    command = [sys.executable, "-m", "splus_session.cli", "conform", "--report", str(REPORTS / subject.name)]
    if subject.known is not None:
        known = str(subject.known)
        command += ["--against", known]  # with --lock as well: what it finds no more is played all the same
        command += ["--accept", known] if lock else []
    done = subprocess.run(
        [*command, "--", *subject.command], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    shown = (
        done.stdout.strip().splitlines()[-1:] if done.returncode == 0 or lock else [done.stdout, done.stderr]
    )
    print(f"{subject.name}: " + "\n".join(shown), flush=True)
    return 0 if lock and subject.known is not None and done.returncode == 1 else done.returncode


def overview(names: Sequence[str]) -> dict[str, Any]:
    """What each of them came to, without what differs from run to run."""
    reports = {name: as_json.load((REPORTS / name / "report.json").read_text("utf-8")) for name in names}
    page = markdown.page(list(reports.values()), catalogue="../../docs/reference/requirements.md")
    (REPORTS / "index.md").write_text(page, "utf-8")
    return {
        name: {
            "name": report.subject.name,
            "version": report.subject.version,
            "verdicts": {result.requirement: result.verdict.value for result in report.results},
        }
        for name, report in reports.items()
    }


def main() -> int:
    """Judge all; gives the exit status."""
    parser = argparse.ArgumentParser(description="Judge every client in this repository.")
    parser.add_argument("--lock", action="store_true", help="take what they come to for what they should")
    parser.add_argument("--deep", action="store_true", help="more seeds, larger budgets, the whole gallery")
    parser.add_argument(
        "--seeds", type=deep.seeds_of, default=deep.ALL_SEEDS, help="for --deep, such as 1-20"
    )
    options = parser.parse_args()
    if options.deep:
        return deep.main(OURS, options.seeds, REPORTS / "deep", SIDE_BY_SIDE)
    try:
        subjects = (*theirs(), *OURS)  # the longest first
    except CannotInstallError as error:
        print(f"*** NOT JUDGED: the vendor's SDKs: {error} ***")
        subjects = OURS
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        statuses = list(pool.map(lambda subject: judge(subject, lock=options.lock), subjects))
    if any(status > 1 for status in statuses):
        return 1
    found = overview(sorted(subject.name for subject in subjects))
    if options.lock:
        VERDICTS.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return int(any(statuses)) if options.lock else int(any(statuses) or _is_stale(found))


def _is_stale(found: dict[str, Any]) -> bool:
    """Whether the verdicts that the documentation shows are others."""
    written = json.loads(VERDICTS.read_text("utf-8")) if VERDICTS.exists() else {}
    stale = [
        f"{name}, {requirement}: {verdict}, but {VERDICTS.name} says {told}"
        for name, subject in found.items()
        for requirement, verdict in subject["verdicts"].items()
        if (told := written.get(name, {}).get("verdicts", {}).get(requirement)) != verdict
    ]
    for line in stale:
        print(line)
    if stale:
        print("if that is right: make conform ARGS=--lock && make generate")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
