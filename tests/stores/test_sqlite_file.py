"""Races that a race seldom finds: the other one acts at the worst moment."""

import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from splus_session._errors import StoredRecordError, StoreError
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

    file = StoreFile(path, timeout=1)
    file.run(work, file.until())


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


def timed(call: Callable[[], object]) -> tuple[str, float]:
    """What came of a call, and how many seconds it took."""
    began = time.monotonic()
    try:
        call()
    except StoreError as error:
        return str(error), time.monotonic() - began
    return "done", time.monotonic() - began


@pytest.mark.requirement("CLIENT-2", "LOGOUT-1")
def test_a_busy_file_holds_up_its_own_threads_no_longer_than_the_timeout_and_no_other_store(
    path: Path,
) -> None:
    busy, idle = SqliteStore(path, timeout=0.5), SqliteStore(path.with_name("idle.db"), timeout=0.5)
    for store in (busy, idle):
        store.device_id(lambda: "device")
        store.delete(KEY)  # makes the file that is locked
    with opened(path.with_name("sessions.db.lock")) as another_process, ThreadPoolExecutor() as threads:
        another_process.execute("BEGIN EXCLUSIVE")
        held_up = [threads.submit(timed, lambda: busy.delete(KEY)) for _ in range(3)]
        time.sleep(0.1)  # one of them waits in SQLite by now
        assert timed(lambda: idle.delete(KEY))[0] == "done"
        assert not any(waiting.done() for waiting in held_up)
        for outcome, seconds in (waiting.result() for waiting in held_up):
            assert "locked" in outcome
            assert seconds < 1.2


@pytest.mark.requirement("LOGOUT-1")
def test_the_timeout_counts_once_for_all_that_a_call_waits_for(path: Path) -> None:
    store = SqliteStore(path, timeout=1)
    store.device_id(lambda: "device")
    store.delete(KEY)
    with (
        opened(path) as rival,
        opened(path.with_name("sessions.db.lock")) as another,
        ThreadPoolExecutor() as threads,
    ):
        rival.execute("BEGIN EXCLUSIVE")
        another.execute("BEGIN EXCLUSIVE")
        held_up = threads.submit(timed, lambda: store.delete(KEY))
        time.sleep(0.8)
        rival.execute("ROLLBACK")  # so that the first wait ends well, and the second begins
        outcome, seconds = held_up.result()
    assert "locked" in outcome
    assert seconds < 1.5


@pytest.mark.requirement("LOGIN-10")
def test_the_time_in_which_a_device_id_is_made_is_no_waiting(path: Path) -> None:
    store = SqliteStore(path, timeout=0.5)
    assert store.load(KEY) is None  # makes the file that is locked

    def lock_for_a_moment(is_locked: threading.Event) -> None:
        with opened(path) as rival:
            rival.execute("BEGIN EXCLUSIVE")
            is_locked.set()
            time.sleep(0.2)

    with ThreadPoolExecutor() as threads:

        def make() -> str:
            time.sleep(0.6)
            is_locked = threading.Event()
            threads.submit(lock_for_a_moment, is_locked)
            is_locked.wait()
            return "device"

        assert store.device_id(make) == "device"


def test_a_file_has_one_lock_by_whatever_name_it_goes(path: Path) -> None:
    link = path.parent / "link"
    link.symlink_to(path.parent, target_is_directory=True)
    outer = StoreFile(path, timeout=0)
    inner = StoreFile(link / path.name, timeout=0)
    with outer._alone(outer.until()), pytest.raises(TimeoutError):
        inner.purge_aside(inner.until())


@pytest.mark.parametrize("timeout", [1e12, float("inf")])
def test_a_timeout_may_be_longer_than_sqlite_can_count(path: Path, timeout: float) -> None:
    store = SqliteStore(path, timeout=timeout)
    store.save(KEY, record())
    store.delete(KEY)
    assert store.load(KEY) is None


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
