"""A record to store, and ways to look at what a store made of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from splus_session._credentials import Credential, Record, SessionKind
from splus_session._secrets import AccessToken

KEY = "https://apix.sg.amity.co#0f#default"
CANARY = "canary-4f1d"


def record(token: str = "header.claims.signature", user_id: str = "user-123") -> Record:
    """A session like any other."""
    credential = Credential(AccessToken(token), user_id, 1_700_000_000.5, 1_702_592_000.25)
    return Record(SessionKind.AUTH_TOKEN, credential, expired=False, offset=-0.1)


def everything_in(folder: Path) -> bytes:
    """The bytes of all files there, names included."""
    return b"".join(bytes(file) + file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, as anybody may open it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def kept_aside(path: Path) -> list[str]:
    """What is kept aside, by the word that says why."""
    names = [file.name.removeprefix(f"{path.name}.") for file in path.parent.iterdir()]
    return sorted(name for name in names if name[-1].isdigit())
