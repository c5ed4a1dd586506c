import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from splus_session.stores._sqlite_schema import configure, connect, create


@pytest.mark.requirement("SECRET-1")
def test_sqlite_never_makes_the_file_by_itself(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), closing(connect(path, 0)) as connection:
        connection.execute("PRAGMA user_version")
    assert not path.exists()


@pytest.mark.requirement("RESUME-2", "LOGOUT-5")
def test_every_connection_is_durable_and_overwrites_what_it_deletes(path: Path) -> None:
    # A power cut cannot be tested here. What SQLite promises for one hangs on these settings.
    path.touch()
    with closing(connect(path, 0)) as connection:
        create(connection)
    with closing(connect(path, 0)) as connection:
        configure(connection)
        settings = ("journal_mode", "synchronous", "fullfsync", "secure_delete", "temp_store", "page_size")
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in settings]
    assert found == [b"delete", 3, 1, 1, 2, 4096]
