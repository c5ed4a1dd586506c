"""The points at which a process can be killed for certain: before and after whatever may matter.

That is each commit of a step, each thing stored, told, settled or said, each statement that reads
or writes the database, and each file opened, renamed or removed in its folder. What happens inside
a COMMIT, where SQLite writes, a kill can meet only by its time: the system's own timer is precise.
"""

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from splus_session._engine import Engine
from splus_session._observers import Observers
from splus_session.aio import _worker as aio_worker
from splus_session.sync import _worker as sync_worker

WATCHED: list[tuple[Any, str]] = [
    (Engine, "_commit"),
    (Engine, "settle"),
    (Observers, "announce"),
    (aio_worker, "persist"),
    (sync_worker, "persist"),
]
FILE_EVENTS = {"open", "os.remove", "os.rename"}


class Points:
    """Counts the points that this process passes from `begin` on, and kills it at one of them.

    Args:
        last: at which, from 1; None: at none.
        commit: in which COMMIT of the database instead, from 1.
        after: how many seconds into that.
    """

    def __init__(self, last: int | None = None, *, commit: int | None = None, after: float = 0.0) -> None:
        self._last = last
        self._commit = commit
        self._after = after
        self._passed = 0
        self._commits = 0
        self._counting = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """From here on it counts."""
        self._counting = True

    def reach(self) -> None:
        """Here is one."""
        with self._lock:
            self._passed += self._counting
            if self._passed == self._last:
                os.kill(os.getpid(), signal.SIGKILL)

    def enter_commit(self) -> None:
        """SQLite is about to write."""
        self._commits += 1
        if self._commits == self._commit:
            # Nobody handles SIGALRM, so it ends the process as SIGKILL does: at once, wherever it is.
            signal.setitimer(signal.ITIMER_REAL, self._after)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, with a point before and a point after."""

        def watched(*arguments: Any, **named: Any) -> Any:
            self.reach()
            try:
                return function(*arguments, **named)
            finally:
                self.reach()

        return watched

    def watch(self, folder: Path) -> None:
        """Have everything named above be a point, for the rest of this process's life."""
        for owner, name in WATCHED:
            setattr(owner, name, self.around(getattr(owner, name)))
        self._watch_database()
        self._watch_files(str(folder))

    def _watch_database(self) -> None:
        points, connect = self, sqlite3.connect

        class Watched(sqlite3.Connection):
            def execute(self, *arguments: Any) -> sqlite3.Cursor:
                if str(arguments[0]).startswith("PRAGMA"):
                    return super().execute(*arguments)
                if arguments[0] == "COMMIT":
                    points.enter_commit()
                cursor: sqlite3.Cursor = points.around(super().execute)(*arguments)
                return cursor

            def executescript(self, script: Any) -> sqlite3.Cursor:
                cursor: sqlite3.Cursor = points.around(super().executescript)(script)
                return cursor

        def connect_watched(*arguments: Any, **named: Any) -> sqlite3.Connection:
            return connect(*arguments, factory=Watched, **named)

        sqlite3.connect = connect_watched  # type: ignore[assignment]

    def _watch_files(self, folder: str) -> None:
        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in FILE_EVENTS and str(arguments[0]).startswith(folder):
                self.reach()

        sys.addaudithook(hook)
