"""The inside of a store's file: what makes it ours, and how SQLite treats it.

What was deleted or overwritten leaves no trace in the file nor beside it [RESUME-2] [LOGOUT-5]:

- The journal mode is DELETE. A commit *is* the deletion of the journal; there is no write-ahead log.
- `synchronous = EXTRA` flushes the folder after that deletion. Without it a power cut may bring the
  journal back, and with it a session that was logged out.
- `secure_delete` overwrites what is freed. But SQLite also copies rows from page to page to balance
  its trees, and the copies left in the gaps of pages it forgets. So every payload begins with a
  margin longer than the part of a row that lies in the tree: all behind it lies on overflow pages,
  which are never copied, and which `secure_delete` fills with zeros.
"""

import sqlite3
from pathlib import Path

from splus_session.stores._aside import Why
from splus_session.stores._record import BEGINNING

__all__ = [
    "MARGIN",
    "UnusableFile",
    "check",
    "configure",
    "connect",
    "create",
    "examine",
    "is_ours_by_its_bytes",
    "wait",
]

_PAGE_SIZE = 4096
_MARK = b"splus-session" + b" " * 64
MARGIN = _MARK.ljust(_PAGE_SIZE)
"""What every payload begins with."""

# By these our records are found in a broken file: what lies in the tree, and what lies on the first
# overflow page, where there is room for the beginning of every record. One may be lost.
_TRACES = (_MARK, BEGINNING.encode("ascii"))

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


class UnusableFile(Exception):  # noqa: N818  a finding, which these modules tell each other
    """The file is damaged, foreign, or of a future version."""

    def __init__(self, why: Why) -> None:
        super().__init__(f"the file is {why.value}")
        self.why = why


def connect(path: Path, timeout: float) -> sqlite3.Connection:
    """Open a file that is there, waiting `timeout` seconds for whoever has locked it."""
    # Never created here: SQLite would make it readable by everybody.
    connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=timeout, isolation_level=None)
    # As bytes: a message about text that is no UTF-8 would quote it, secrets and all.
    connection.text_factory = bytes
    return connection


def wait(connection: sqlite3.Connection, seconds: float) -> None:
    """Wait no longer than that for whoever has locked the file."""
    connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")


def configure(connection: sqlite3.Connection) -> None:
    """Tell SQLite how to treat this database of ours, before anything is read or written."""
    for setting in _SETTINGS:
        connection.execute(setting)


def create(connection: sqlite3.Connection) -> None:
    """Make an empty file a database of ours."""
    configure(connection)
    connection.executescript(_SCHEMA)


def check(connection: sqlite3.Connection) -> None:
    """Raise `UnusableFile` if this database is not ours, or of a version to come."""
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    if application_id != _APPLICATION_ID:
        raise UnusableFile(Why.FOREIGN)
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version != _SCHEMA_VERSION:
        raise UnusableFile(Why.FUTURE if version > _SCHEMA_VERSION else Why.DAMAGED)


def examine(connection: sqlite3.Connection) -> None:
    """Raise `UnusableFile` if anything in this database contradicts anything else."""
    if connection.execute("PRAGMA integrity_check(1)").fetchone() != (b"ok",):
        raise UnusableFile(Why.DAMAGED)


def is_ours_by_its_bytes(path: Path) -> bool:
    """Whether a file that SQLite cannot read has our application id, or the trace of a record of ours."""
    with path.open("rb") as file:
        tail = file.read(100)
        if tail.startswith(b"SQLite format 3\0") and tail[68:72] == _APPLICATION_ID.to_bytes(4):
            return True
        while chunk := file.read(1 << 20):
            if any(trace in tail + chunk for trace in _TRACES):
                return True
            tail = chunk[-max(map(len, _TRACES)) :]
    return False
