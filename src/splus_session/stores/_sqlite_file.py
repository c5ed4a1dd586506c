"""The file behind `SqliteStore`: made, checked, locked, and replaced when it cannot be used.

Every transaction opens the file and closes it again. That costs about a millisecond, a few times in
a session's day; in return any thread and any process may use the store, nothing is held open over a
fork, and a file that was moved aside is nobody's for longer than one transaction.

What was deleted or overwritten leaves no trace in the file nor beside it [RESUME-2] [LOGOUT-5]:

- The journal mode is DELETE. A commit *is* the deletion of the journal; there is no write-ahead log.
- `synchronous = EXTRA` flushes the folder after that deletion. Without it a power cut may bring the
  journal back, and with it a session that was logged out.
- `secure_delete` overwrites what is freed. But SQLite also copies rows from page to page to balance
  its trees, and the copies left in the gaps of pages it forgets. So every payload begins with a
  margin longer than the part of a row that lies in the tree: all behind it lies on overflow pages,
  which are never copied, and which `secure_delete` fills with zeros.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from splus_session.stores import _aside
from splus_session.stores._aside import Why

__all__ = ["MARGIN", "Done", "StoreFile", "UnusableFile"]

T = TypeVar("T")

_PAGE_SIZE = 4096
_MARK = b"splus-session" + b" " * 64
MARGIN = _MARK.ljust(_PAGE_SIZE)
"""What every payload begins with. By its own beginning our records are found in a broken file."""

_APPLICATION_ID = 0x53504C53  # "SPLS"
_SCHEMA_VERSION = 1
# The payload comes first, so that the mark is whole whatever the length of the key.
_SCHEMA = f"""
    PRAGMA page_size = {_PAGE_SIZE};
    BEGIN;
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {_SCHEMA_VERSION};
    CREATE TABLE record (payload BLOB NOT NULL, key TEXT PRIMARY KEY NOT NULL);
    CREATE TABLE aside (payload NOT NULL, key TEXT NOT NULL, why TEXT NOT NULL);
    CREATE TABLE device (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL);
    COMMIT;
"""
_SETTINGS = (
    "PRAGMA journal_mode = DELETE",
    "PRAGMA secure_delete = ON",
    "PRAGMA synchronous = EXTRA",
    "PRAGMA fullfsync = ON",  # macOS: to the disk, not only to its cache
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)
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
# So we open files by ourselves only under this lock, as they are made, or if they are no database.
_one_thread = threading.Lock()


class UnusableFile(Exception):  # noqa: N818  a finding between these two modules
    """The file is damaged, foreign, or of a future version."""

    def __init__(self, why: Why) -> None:
        super().__init__(f"the file is {why.value}")
        self.why = why


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

    def run(self, work: Callable[[sqlite3.Connection], T]) -> Done[T]:
        """Do `work` in one transaction, in a new file if the present one cannot be used.

        Raises:
            sqlite3.Error, OSError: it could not be done; nothing was changed.
            UnusableFile: the file kept becoming unusable.
        """
        kept_aside = None
        for _ in range(_ATTEMPTS):
            # Asked before opening: what is opened is then this file or a later one, and only this
            # one is ever moved. Another process's new file is safe from us.
            identity = self._identity() or self._create()
            try:
                return Done(self._transact(work, identity), kept_aside)
            except UnusableFile as found:
                why = found.why
            except sqlite3.Error:
                if self._identity() == identity:
                    raise
                continue  # somebody replaced the file under us
            kept_aside = self._keep_aside(identity, why)
        raise UnusableFile(Why.DAMAGED)

    def purge_aside(self) -> list[Path]:
        """Delete what was kept aside and may hold secrets of ours.

        Raises:
            sqlite3.Error, OSError: it could not be deleted.
        """
        with self._alone():
            return _aside.purge(self.path)

    def _transact(self, work: Callable[[sqlite3.Connection], T], identity: Identity | None) -> T:
        ours = False
        try:
            with closing(_connect(self.path, self._timeout)) as connection:
                _check(connection)
                ours = True
                _configure(connection)
                connection.execute("BEGIN IMMEDIATE")
                if identity != self._examined:  # once is enough: the file may hold many sessions
                    _examine(connection)
                    self._examined = identity
                value = work(connection)
                connection.execute("COMMIT")
                return value
        except sqlite3.DatabaseError as error:
            if self._is_trouble(error):
                raise
        except UnicodeDecodeError:
            pass  # SQLite's message about a damaged schema quotes the damage
        raise UnusableFile(Why.DAMAGED if ours or self._is_ours_by_its_bytes() else Why.FOREIGN)

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

    def _create(self) -> Identity | None:
        with self._alone():
            if identity := self._identity():
                return identity  # another process was first
            new = self.path.with_name(f"{self.path.name}.new")
            new.unlink(missing_ok=True)  # of a process that was killed right here
            _make_private(new)
            with closing(_connect(new, self._timeout)) as connection:
                _configure(connection)
                connection.executescript(_SCHEMA)
            # A journal whose database is gone would be taken for the new one's.
            for ending in _aside.COMPANIONS:
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
            new.replace(self.path)
            return self._identity()

    def _keep_aside(self, identity: Identity | None, why: Why) -> str:
        where = "next to it"
        with self._alone():
            if self._identity() == identity:
                where = f"as {_aside.keep(self.path, why)}"
        return f"the store's file {self.path} is {why.value}; it is kept aside {where}"

    def _is_ours_by_its_bytes(self) -> bool:
        """Whether a file that SQLite cannot read has our application id, or any record of ours."""
        with self.path.open("rb") as file:
            tail = file.read(100)
            if tail.startswith(b"SQLite format 3\0") and tail[68:72] == _APPLICATION_ID.to_bytes(4):
                return True
            while chunk := file.read(1 << 20):
                if _MARK in tail + chunk:
                    return True
                tail = chunk[-len(_MARK) :]
        return False

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        """Hold the lock under which files are made, moved and removed, against all processes.

        It is SQLite's own lock on an empty file beside ours: it works on every system, has a
        bounded wait, and ends with its process, however that ends.
        """
        lock = self.path.with_name(f"{self.path.name}.lock")
        with _one_thread:
            with suppress(FileExistsError):
                _make_private(lock)
            with closing(_connect(lock, self._timeout)) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                yield


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    # Never created here: SQLite would make it readable by everybody.
    connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=timeout, isolation_level=None)
    # As bytes: a message about text that is no UTF-8 would quote it, secrets and all.
    connection.text_factory = bytes
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    for setting in _SETTINGS:
        connection.execute(setting)


def _check(connection: sqlite3.Connection) -> None:
    """Raise `UnusableFile` if this database is not ours, or of a version to come."""
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    if application_id != _APPLICATION_ID:
        raise UnusableFile(Why.FOREIGN)
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version != _SCHEMA_VERSION:
        raise UnusableFile(Why.FUTURE if version > _SCHEMA_VERSION else Why.DAMAGED)


def _examine(connection: sqlite3.Connection) -> None:
    """Raise `UnusableFile` if anything in this database contradicts anything else."""
    if connection.execute("PRAGMA integrity_check(1)").fetchone() != (b"ok",):
        raise UnusableFile(Why.DAMAGED)


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
