"""The file behind `SqliteStore`: made, checked, locked, and replaced when it cannot be used.

Every transaction opens the file and closes it again. That costs about a millisecond, a few times in
a session's day; in return any thread and any process may use the store, nothing is held open over a
fork, and a file that was moved aside is nobody's for longer than one transaction.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from splus_session.stores import _aside
from splus_session.stores import _sqlite_schema as schema
from splus_session.stores._aside import Why
from splus_session.stores._sqlite_schema import UnusableFile, connect

__all__ = ["Done", "StoreFile"]

T = TypeVar("T")

# Troubles of the machine: the file may be perfectly well. As our statements are fixed, all others
# mean that the file is not what we made.
_TROUBLES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
}
_ATTEMPTS = 3

Identity = tuple[int, int]
"""Which file a path leads to: device and inode."""

# POSIX drops SQLite's locks on a file when *any* descriptor of this process on that file is closed.
# So we open files by ourselves only under these locks, as they are made, or if they are no database.
# One for each file, for ever, and no more than one: it is for all the stores of that file.
_one_thread: dict[str, threading.Lock] = {}

if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    # In the child there is no other thread that could release what it holds.
    os.register_at_fork(after_in_child=_one_thread.clear)

_LONGEST = 1_000_000.0  # seconds: SQLite counts milliseconds, in 32 bits


class Done(NamedTuple, Generic[T]):
    """A finished transaction, and what had to be kept aside on the way to it, if anything."""

    value: T
    kept_aside: str | None


class StoreFile:
    """One database file. Safe to use from any thread and from several processes at once."""

    def __init__(self, path: str | os.PathLike[str], timeout: float) -> None:
        # Absolute, so that SQLite sees no name of its own in it (":memory:"), and a changed
        # working directory no other file.
        self.path = Path(path).absolute()
        self._timeout = timeout
        self._examined: Identity | None = None

    def until(self) -> float:
        """When a call that begins now has waited long enough: seconds of `time.monotonic`."""
        return time.monotonic() + self._timeout

    def run(self, work: Callable[[sqlite3.Connection], T], until: float) -> Done[T]:
        """Do `work` in one transaction, in a new file if the present one cannot be used.

        It waits for other threads and processes no longer than `until`.

        Raises:
            sqlite3.Error, OSError: it could not be done; nothing was changed.
            UnusableFile: the file kept becoming unusable.
        """
        kept_aside = None
        for _ in range(_ATTEMPTS):
            # Asked before opening: what is opened is then this file or a later one, and only this
            # one is ever moved. Another process's new file is safe from us.
            identity = self._identity() or self._create(until)
            try:
                return Done(self._transact(work, identity, until), kept_aside)
            except UnusableFile as found:
                why = found.why
            except (sqlite3.Error, OSError):
                if self._identity() == identity:
                    raise
                continue  # somebody replaced the file under us
            kept_aside = self._keep_aside(identity, why, until)
        raise UnusableFile(Why.DAMAGED)

    def purge_aside(self, until: float) -> list[Path]:
        """Delete what was kept aside and may hold secrets of ours, waiting no longer than `until`.

        Raises:
            sqlite3.Error, OSError: it could not be deleted.
        """
        with self._alone(until):
            return _aside.purge(self.path)

    def _transact(
        self, work: Callable[[sqlite3.Connection], T], identity: Identity | None, until: float
    ) -> T:
        ours = False
        try:
            with closing(connect(self.path, _left(until))) as connection:
                schema.check(connection)
                ours = True
                schema.configure(connection)
                # SQLite counts anew for each lock that it waits for.
                schema.wait(connection, _left(until))
                connection.execute("BEGIN IMMEDIATE")
                if identity != self._examined:  # once is enough: the file may hold many sessions
                    schema.examine(connection)
                    self._examined = identity
                value = work(connection)
                schema.wait(connection, _left(until))
                connection.execute("COMMIT")
                return value
        except sqlite3.DatabaseError as error:
            if self._is_trouble(error):
                raise
        except UnicodeDecodeError:
            pass  # SQLite's message about a damaged schema quotes the damage
        raise UnusableFile(Why.DAMAGED if ours or schema.is_ours_by_its_bytes(self.path) else Why.FOREIGN)

    def _is_trouble(self, error: sqlite3.Error) -> bool:
        # Errors of the sqlite3 module itself have no code: they are about the call, not the file.
        code: int | None = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_READONLY and os.access(self.path, os.W_OK):
            return False  # only the file itself says that it must not be written
        return code is None or code & 0xFF in _TROUBLES

    def _identity(self) -> Identity | None:
        """Which file there is; None if there is none, or an empty one."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return (status.st_dev, status.st_ino) if status.st_size else None

    def _create(self, until: float) -> Identity | None:
        with self._alone(until):
            if identity := self._identity():
                return identity  # another process was first
            new = self.path.with_name(f"{self.path.name}.new")
            new.unlink(missing_ok=True)  # of a process that was killed right here
            _make_private(new)
            with closing(connect(new, _left(until))) as connection:
                schema.create(connection)
            # A journal whose database is gone would be taken for the new one's.
            for ending in _aside.COMPANIONS:
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
            new.replace(self.path)
            return self._identity()

    def _keep_aside(self, identity: Identity | None, why: Why, until: float) -> str:
        where = "next to it"
        with self._alone(until):
            if self._identity() == identity:
                where = f"as {_aside.keep(self.path, why)}"
        return f"the store's file {self.path} is {why.value}; it is kept aside {where}"

    @contextmanager
    def _alone(self, until: float) -> Generator[None, None, None]:
        """Hold the lock under which files are made, moved and removed, against all processes.

        It is SQLite's own lock on an empty file beside ours: it works on every system, has a
        bounded wait, and ends with its process, however that ends.

        Raises:
            TimeoutError, sqlite3.Error, OSError: others held it until then, or it cannot be had.
        """
        lock = self.path.with_name(f"{self.path.name}.lock")
        # By the name that all names of the file have in common.
        mutex = _one_thread.setdefault(os.path.realpath(lock), threading.Lock())
        if not mutex.acquire(timeout=_left(until)):
            raise TimeoutError("another thread has locked it")
        try:
            with suppress(FileExistsError):
                _make_private(lock)
            with closing(connect(lock, _left(until))) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                yield
        finally:
            mutex.release()


def _left(until: float) -> float:
    """How many seconds are left until then, for SQLite and for a lock."""
    return min(max(until - time.monotonic(), 0.0), _LONGEST)


def _make_private(path: Path) -> None:
    """Make an empty file that its owner can read and write and nobody else, whatever the umask.

    Raises:
        FileExistsError: there is one.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
