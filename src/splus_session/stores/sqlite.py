"""A store in one SQLite file, with the standard library alone."""

import logging
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from splus_session._credentials import Record
from splus_session._errors import StoredRecordError, StoreError
from splus_session.stores._aside import Why
from splus_session.stores._identity import make_device_id
from splus_session.stores._record import Payload, decode, encode
from splus_session.stores._sqlite_file import Done, StoreFile
from splus_session.stores._sqlite_schema import MARGIN, UnusableFile

__all__ = ["SqliteStore"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class SqliteStore:
    """Keeps sessions in a file, for any number of threads and processes. See `ports.Store`.

    What a method has done when it returns survives a killed process and a power cut. What it has
    deleted or overwritten is in none of the store's files any more; what a disk or a file system
    remembers of deleted blocks is beyond it. [RESUME-2] [LOGOUT-5]

    The access token is in the file as it is. The file can be read by its owner alone (0600); put it
    in a folder that others cannot write to, since who can replace the file can replace the session.
    The folder must exist; `PATH.lock` stays in it, empty.

    A file that is damaged, foreign or of a future version is kept aside as `PATH.damaged-1`,
    `PATH.foreign-1` or `PATH.future-1`, and a single such record in a table; the store then goes on
    without it, and the next `load` tells. `delete` also removes what was kept aside and may hold the
    secrets of its key: all files but the foreign ones. [RESUME-1]

    Args:
        path: the file; made when first used.
        timeout: seconds that one call waits, all in all, for other threads and processes that use
            the file.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 5.0) -> None:
        self._file = StoreFile(path, timeout)
        # One at most, the last. Taken and put without a lock, which a fork could leave locked.
        self._untold: deque[str] = deque(maxlen=1)

    def __repr__(self) -> str:
        return f"SqliteStore({str(self._file.path)!r})"

    def load(self, key: str) -> Record | None:
        """The record stored under this key, if any.

        Raises:
            StoredRecordError: it, or the whole file, is damaged, foreign or of a future version; it
                is kept aside. It is told once, also if another call found it, and the next call
                gives what is stored now, if anything. [RESUME-1]
            StoreError: the file cannot be read; what is stored remains.
        """
        found, kept_aside = self._run(lambda db: _load(db, key), "what is stored remains")
        with suppress(IndexError):
            untold = self._untold.pop()
            kept_aside = kept_aside or untold
        if kept_aside is not None:
            raise StoredRecordError(kept_aside)
        if isinstance(found, str):
            raise StoredRecordError(f"{found}; it is kept aside in {self._file.path}")
        return found

    def save(self, key: str, record: Record) -> None:
        """Store the record durably before returning.

        Raises:
            StoreError: it is not stored; an earlier record under this key remains.
        """
        payload = encode(record)
        _, kept_aside = self._run(
            lambda db: _save(db, key, payload), "it is not stored, and what was stored before remains"
        )
        self._report(kept_aside)

    def delete(self, key: str) -> None:
        """Delete the record durably, and every trace of its secrets, before returning. [LOGOUT-5]

        Raises:
            StoreError: the stored session, its access token included, may remain in the file.
        """
        remains = "the stored session and its access token may remain there"
        until = self._file.until()
        _, kept_aside = self._run(lambda db: _delete(db, key), remains, until)
        self._report(kept_aside)
        for file in self._attempt(lambda: self._file.purge_aside(until), remains):
            _log.warning("deleted %s: it was kept aside, and may have held what was to be deleted", file)
            self._tell_the_end_of(file)

    def device_id(self, make: Callable[[], str]) -> str:
        """This store's device id; made by `make` and stored the first time. [LOGIN-10]

        Raises:
            InvalidArgumentError: `make` made no text, or an empty one.
            StoreError: it cannot be read or stored.
        """
        remains = "there is no device id without it"
        until = self._file.until()
        known, kept_aside = self._run(_device_id, remains, until)
        if known is None:
            # Somebody else's code, so outside the transaction. The first to be stored wins.
            began = time.monotonic()
            made = make_device_id(make)
            until += time.monotonic() - began  # the time that it takes is no waiting
            stored = self._run(lambda db: _ensure_device_id(db, made), remains, until)
            known, kept_aside = stored.value, kept_aside or stored.kept_aside
        self._report(kept_aside)
        return known

    def _report(self, kept_aside: str | None) -> None:
        if kept_aside is not None:
            _log.warning("%s", kept_aside)
            self._untold.append(kept_aside)  # a lost session is for `load` to tell

    def _tell_the_end_of(self, file: Path) -> None:
        with suppress(IndexError):
            untold = self._untold.pop()
            # Nobody is to look for it.
            gone = ", and was deleted by a logout" if untold.endswith(str(file)) else ""
            self._untold.append(untold + gone)

    def _run(
        self, work: Callable[[sqlite3.Connection], T], remains: str, until: float | None = None
    ) -> Done[T]:
        last = self._file.until() if until is None else until
        return self._attempt(lambda: self._file.run(work, last), remains)

    def _attempt(self, work: Callable[[], T], remains: str) -> T:
        try:
            return work()
        except (sqlite3.Error, OSError, UnusableFile, UnicodeError) as error:
            problem = str(error)
        raise StoreError(f"the store {self._file.path} failed: {problem}; {remains}")


def _load(db: sqlite3.Connection, key: str) -> Record | str | None:
    """The record; what is wrong with it, after keeping it aside; or None."""
    row = db.execute("SELECT payload FROM record WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    try:
        return decode(_payload(row))
    except StoredRecordError as error:
        problem = str(error)
    finally:
        del row
    db.execute("INSERT INTO aside SELECT payload, key, ? FROM record WHERE key = ?", (problem, key))
    db.execute("DELETE FROM record WHERE key = ?", (key,))
    return problem


def _payload(row: tuple[object]) -> Payload:
    [raw] = row
    written = raw.removeprefix(MARGIN) if isinstance(raw, bytes) and raw.startswith(MARGIN) else b""
    try:
        return Payload(written.decode("ascii"))
    except ValueError:  # not ours, not ASCII, empty, or too long
        return Payload("damaged")


def _save(db: sqlite3.Connection, key: str, payload: Payload) -> None:
    db.execute("REPLACE INTO record VALUES (?, ?)", (MARGIN + payload.reveal().encode("ascii"), key))


def _delete(db: sqlite3.Connection, key: str) -> None:
    db.execute("DELETE FROM record WHERE key = ?", (key,))
    db.execute("DELETE FROM aside WHERE key = ?", (key,))


def _device_id(db: sqlite3.Connection) -> str | None:
    row = db.execute("SELECT id FROM device").fetchone()
    if row is None:
        return None
    [raw] = row
    try:
        return str(raw, "utf-8")
    except (TypeError, UnicodeDecodeError):
        pass
    raise UnusableFile(Why.DAMAGED)


def _ensure_device_id(db: sqlite3.Connection, made: str) -> str:
    db.execute("INSERT OR IGNORE INTO device VALUES (1, ?)", (made,))
    return _device_id(db) or made
