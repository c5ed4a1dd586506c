"""`splus-session doctor`: whether what a session needs is here, and in order."""

import argparse
import platform
import re
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Final, NamedTuple

from splus_session._errors import MissingExtraError, SplusSessionError
from splus_session._text import time_in_words
from splus_session.cli._status import FAILED, PASSED
from splus_session.diagram import Diagram
from splus_session.platform import REGIONS, Endpoint
from splus_session.stores._sqlite_schema import UnusableFile, check, connect, examine

_DESCRIPTION: Final = """\
Look whether what a session needs is here and in order: the parts that are installed, a store's file, and
the platform and its clock. Nothing is changed, and nothing secret is sent or shown.
"""
_EPILOG: Final = """\
exit status: 0 if all that was looked at is in order, 1 if something is not.
"""
_LIBRARY: Final = "splus-session"
_PARTS: Final = {
    "aio": "sessions for asyncio and trio",
    "http": "social.plus over HTTP",
    "backend": "the customer's side",
    "testing": "a social.plus of one's own",
    "conformance": "judging other clients",
    "sphinx": "diagrams in Sphinx documents",
    "completion": "this command's words, for a shell",
}
"""By extra, what it is for. Of `diagram` it is tried whether it works."""
_SKEW: Final = 5.0
"""Seconds by which our clock may be wrong untold: `Date` has whole ones, and the way takes time."""
_PATIENCE: Final = 10.0
"""Seconds to wait for the platform."""


class _Finding(NamedTuple):
    """What was looked at, and how it is."""

    is_well: bool | None
    """None: it is not here, which may be meant."""
    about: str
    words: str


def add_to(commands: Any) -> None:
    """Add the command to those that there are."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="look whether what a session needs is here and in order",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run)
    parser.add_argument("--store", type=Path, metavar="FILE", help="look into this file of a SqliteStore")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--region", choices=REGIONS, help="ask the platform in this region for the time")
    where.add_argument("--endpoint", metavar="URL", help="ask this one")


def _run(options: argparse.Namespace) -> int:
    chosen = (options.region, options.endpoint)
    endpoint = Endpoint.chosen(*chosen) if any(chosen) else None  # before anything is told
    findings = _findings(options.store, endpoint)
    is_well = True
    for finding in findings:
        mark = {True: "ok", False: "WRONG", None: "-"}[finding.is_well]
        print(f"{mark:<6} {finding.about:<12} {finding.words}")
        is_well &= finding.is_well is not False
    return PASSED if is_well else FAILED


def _findings(store: Path | None, endpoint: Endpoint | None) -> Iterator[_Finding]:
    running = f"{platform.python_implementation()} {platform.python_version()}, {sys.platform}"
    yield _Finding(True, "library", f"{_LIBRARY} {version(_LIBRARY)} on {running}")
    yield from map(_part, _PARTS)
    yield _pictures()
    if store is not None:
        yield from _store(store)
    if endpoint is not None:
        yield from _platform(endpoint)


def _part(extra: str) -> _Finding:
    purpose = _PARTS[extra]
    missing = sorted(name for name in set(_needed(extra)) if not _is_installed(name))
    if missing:
        return _Finding(None, extra, f"{purpose}: {MissingExtraError(extra)} (no {', '.join(missing)})")
    return _Finding(True, extra, purpose)


def _needed(extra: str) -> Iterator[str]:
    """The names of what an extra brings, as the library's own metadata has them."""
    for requirement in requires(_LIBRARY) or ():
        what, _, marker = requirement.partition(";")
        if not re.search(rf"""extra\s*==\s*['"]{extra}['"]""", marker):
            continue
        found = re.match(r"([\w.-]+)(?:\[([^]]*)\])?", what)
        if found is not None and found[1] == _LIBRARY:
            for other in found[2].split(","):
                yield from _needed(other.strip())
        elif found is not None:
            yield found[1]


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _pictures() -> _Finding:
    try:
        Diagram().draw()
    except MissingExtraError as error:
        return _Finding(None, "diagram", f"pictures of the life cycle: {error}")
    except SplusSessionError as error:
        return _Finding(False, "diagram", str(error))
    return _Finding(True, "diagram", "pictures of the life cycle")


# ── A store ─────────────────────────────────────────────────────────────────────────────────────


def _store(path: Path) -> Iterator[_Finding]:
    if path.with_name(f"{path.name}-journal").exists():
        words = f"{path} is being written, or was when a process ended; its next use mends that"
        yield _Finding(False, "store", words)
        return
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        with closing(connect(path.resolve(), _PATIENCE)) as database:
            check(database)
            examine(database)
            [count] = database.execute("SELECT count(*) FROM record").fetchone()
    except OSError as error:
        yield _Finding(False, "store", f"{path}: {error.strerror}")
        return
    except (sqlite3.Error, UnusableFile) as error:
        yield _Finding(False, "store", f"{path}: {error}")
        return
    yield _Finding(True, "store", f"{path} holds {count} session{'' if count == 1 else 's'}")
    if mode & 0o077 and sys.platform != "win32":
        yield _Finding(False, "store", f"{path} may be read by others (mode {mode:o}): chmod 600 {path}")


# ── The platform ────────────────────────────────────────────────────────────────────────────────


def _platform(endpoint: Endpoint) -> Iterator[_Finding]:
    try:
        import httpx2
    except ImportError:
        yield _Finding(False, "platform", f"was not asked: {MissingExtraError('http')}")
        return
    began = time.time()
    try:
        answer = httpx2.head(endpoint.origin, timeout=_PATIENCE)
    except httpx2.HTTPError as error:
        words = f"{endpoint.origin} cannot be reached: {type(error).__name__}: {error}"
        yield _Finding(False, "platform", words)
        return
    took = time.time() - began
    yield _Finding(True, "platform", f"{endpoint.origin} answered after {took * 1000:.0f} ms")
    try:
        date = parsedate_to_datetime(answer.headers["date"])
        told = (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    except (KeyError, ValueError):
        yield _Finding(None, "clock", "the answer does not tell the time")
        return
    wrong = (began + took / 2) - told
    words = f"ours is {time_in_words(abs(round(wrong)))} {'ahead' if wrong > 0 else 'behind'}"
    if abs(wrong) <= _SKEW:
        yield _Finding(True, "clock", "ours is right")
    else:
        yield _Finding(False, "clock", f"{words}: sessions cope with it, and set this machine's clock right")
