"""Races that a race seldom finds: the other one acts at the worst moment."""

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from splus_session._errors import StoredRecordError
from splus_session.stores import _sqlite_schema
from splus_session.stores._sqlite_file import StoreFile
from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import KEY, kept_aside, opened, record


@pytest.mark.requirement("RESUME-2")
def test_a_transaction_has_the_file_for_itself_from_its_start(path: Path) -> None:
    # One that turned from reader to writer halfway could fail where it should have waited.
    def work(_: sqlite3.Connection) -> None:
        with opened(path) as other:
            other.execute("PRAGMA busy_timeout = 0")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")

    StoreFile(path, timeout=1).run(work)


@pytest.mark.requirement("RESUME-2")
def test_the_new_file_of_a_quicker_process_is_not_moved_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("precious")
    slow, quick = SqliteStore(path), SqliteStore(path)
    keep_aside = slow._file._keep_aside

    def late(*arguments: Any) -> str:
        with pytest.raises(StoredRecordError):
            quick.load(KEY)
        quick.save(KEY, record())
        return keep_aside(*arguments)

    monkeypatch.setattr(slow._file, "_keep_aside", late)
    with pytest.raises(StoredRecordError, match="kept aside"):
        slow.load(KEY)
    assert slow.load(KEY) == record()
    assert kept_aside(path) == ["foreign-1"]


@pytest.mark.requirement("RESUME-2")
def test_a_file_that_is_replaced_at_the_last_moment_is_no_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(path)
    store.device_id(lambda: "my-device")
    transact = store._file._transact

    def once_late(*arguments: Any) -> object:
        monkeypatch.setattr(store._file, "_transact", transact)
        path.rename(path.with_name("moved"))
        return transact(*arguments)

    monkeypatch.setattr(store._file, "_transact", once_late)
    store.save(KEY, record())
    assert store.load(KEY) == record()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.requirement("RESUME-2")
def test_a_file_that_another_process_moves_aside_while_it_is_looked_at_is_no_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("precious")
    look = _sqlite_schema.is_ours_by_its_bytes

    def too_late(file: Path) -> bool:
        file.rename(file.with_name("moved"))
        return look(file)

    monkeypatch.setattr(_sqlite_schema, "is_ours_by_its_bytes", too_late)
    store = SqliteStore(path)
    store.save(KEY, record())
    assert store.load(KEY) == record()
