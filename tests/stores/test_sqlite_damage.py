"""What happens when the file, or a record in it, is not what it was."""

import logging
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._errors import StoredRecordError
from splus_session.stores._record import BEGINNING, encode
from splus_session.stores._sqlite_schema import MARGIN, create
from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import CANARY, KEY, everything_in, kept_aside, opened, record

# ── a file that cannot be used ─────────────────────────────────────────────────────────────────────


def overwrite(path: Path, start: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def truncate(path: Path) -> None:
    os.truncate(path, 4096 + 10)


def drop_a_table(path: Path) -> None:
    with opened(path) as connection:
        connection.execute("DROP TABLE record")


def set_version(version: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with opened(path) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

    return change


def spoil_the_key(path: Path) -> None:
    """In the table and not in its index: a look-up would quietly find nothing."""
    overwrite(path, path.read_bytes().rindex(KEY.encode()), b"X")


def put_something_else_there(path: Path) -> None:
    path.unlink()
    with opened(path) as connection:
        connection.execute("CREATE TABLE precious (thing)")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "its beginning is overwritten": (lambda path: overwrite(path, 0, b"\0" * 100), "damaged-1"),
    "its schema is no text": (
        lambda path: overwrite(path, path.read_bytes().index(b"recordrecord"), b"r\x96"), "damaged-1",
    ),
    "its schema is overwritten": (lambda path: overwrite(path, 100, b"\xff" * 500), "damaged-1"),
    "its pages are overwritten": (lambda path: overwrite(path, 4096, b"\xff" * 4096 * 3), "damaged-1"),
    "its first pages are lost": (lambda path: overwrite(path, 0, b"\0" * 4096 * 2), "damaged-1"),
    "all is lost but its records": (
        lambda path: overwrite(path, 0, b"\0" * (path.read_bytes().index(b'{"format"'))), "damaged-1",
    ),
    "it is truncated": (truncate, "damaged-1"),
    "a table is gone": (drop_a_table, "damaged-1"),
    "a key is spoilt": (spoil_the_key, "damaged-1"),
    "its version is of no time": (set_version(0), "damaged-1"),
    "its version is to come": (set_version(2), "future-1"),
    "it is another program's database": (put_something_else_there, "foreign-1"),
    "it is no database": (lambda path: path.write_text("precious\n" * 1_000), "foreign-1"),
    "it is a little text": (lambda path: path.write_text("precious"), "foreign-1"),
}  # fmt: skip
every_damage = pytest.mark.parametrize(("damage", "kept"), DAMAGES.values(), ids=DAMAGES)


@pytest.fixture
def store(path: Path) -> SqliteStore:
    """A store with a session and a device id in it."""
    store = SqliteStore(path)
    store.device_id(lambda: "my-device")
    store.save(KEY, record(CANARY * 20))
    return store


@every_damage
@pytest.mark.requirement("RESUME-1", "SECRET-1")
def test_a_file_that_cannot_be_used_is_told_kept_aside_and_replaced(
    store: SqliteStore, path: Path, damage: Callable[[Path], object], kept: str
) -> None:
    damage(path)
    store = SqliteStore(path)
    assert store.device_id(lambda: "new") in {"new", "my-device"}  # never fails over it
    with pytest.raises(StoredRecordError, match=f"kept aside as .*{kept}") as caught:
        store.load(KEY)
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None
    assert kept_aside(path) == [kept]
    assert store.load(KEY) is None
    store.save(KEY, record())
    assert SqliteStore(path).load(KEY) == record()
    assert store.device_id(lambda: "new") == "new"


@every_damage
@pytest.mark.requirement("RESUME-1", "RESUME-2")
def test_saving_does_not_fail_over_it(
    store: SqliteStore,
    path: Path,
    damage: Callable[[Path], object],
    kept: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(path)
    finder = SqliteStore(path)
    finder.save(KEY, record())
    assert kept_aside(path) == [kept]
    assert kept in caplog.text
    assert store.load(KEY) == record()
    # There may have been others in it, so it is told once, and then goes on.
    with pytest.raises(StoredRecordError, match=f"kept aside as .*{kept}$"):
        finder.load("other")
    assert finder.load(KEY) == record()


@every_damage
@pytest.mark.requirement("LOGOUT-5", "LOGOUT-1", "RESUME-1")
def test_logout_leaves_no_secret_in_it_and_no_stranger_harmed(
    store: SqliteStore,
    path: Path,
    damage: Callable[[Path], object],
    kept: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(path)
    spoilt = path.read_bytes()
    finder = SqliteStore(path)
    finder.delete(KEY)
    assert CANARY.encode() not in everything_in(path.parent)
    assert kept in caplog.text
    if kept.startswith("foreign"):
        assert path.with_name(f"{path.name}.{kept}").read_bytes() == spoilt
    else:
        assert kept_aside(path) == []
    end = "" if kept.startswith("foreign") else ", and was deleted by a logout"
    with pytest.raises(StoredRecordError, match=f"kept aside as .*{kept}{end}$"):
        finder.load("other")
    assert finder.load("other") is None


@pytest.mark.requirement("RESUME-1", "LOGOUT-5")
@given(st.data())
def test_whatever_bytes_are_spoilt_it_ends_in_a_record_or_one_error_and_logout_still_works(
    data: st.DataObject,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "sessions.db")
        store = SqliteStore(path)
        store.device_id(lambda: "my-device")
        store.save(KEY, record(CANARY * data.draw(st.sampled_from([1, 20, 800]))))
        # Not those by which a whole database is ours or another's.
        start = data.draw(st.integers(0, 67) | st.integers(72, path.stat().st_size - 1))
        spoilt = data.draw(st.binary(min_size=1, max_size=max(1, 68 - start) if start < 68 else 600))
        overwrite(path, start, spoilt)
        again = SqliteStore(path)
        told = []
        for save in (False, True):
            if save:
                again.save(KEY, record(CANARY))
            try:
                again.load(KEY)
            except StoredRecordError as error:  # what saving came upon, the next load tells
                told.append(error)
        assert again.load(KEY) == record(CANARY)
        assert len(told) <= 1
        again.delete(KEY)
        assert CANARY.encode() not in everything_in(path.parent)


@pytest.mark.requirement("LOGOUT-5")
def test_the_beginning_of_a_record_lies_on_one_page_wherever_sqlite_splits_the_row(path: Path) -> None:
    # By it a file is known as ours when all before it is lost.
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        create(db)
        db.execute("PRAGMA synchronous = OFF")
        for length in range(1, 4200):
            db.execute(
                "REPLACE INTO record VALUES (?, 'key')", (MARGIN + BEGINNING.encode() + b"x" * length,)
            )
            assert BEGINNING.encode() in path.read_bytes(), length


def test_an_empty_file_is_a_new_store(path: Path) -> None:
    path.touch()
    store = SqliteStore(path)
    store.save(KEY, record())
    assert store.load(KEY) == record()
    assert kept_aside(path) == []


@pytest.mark.requirement("RESUME-1")
def test_a_second_file_kept_aside_does_not_replace_the_first(path: Path) -> None:
    for number in (1, 2, 3):
        path.write_text(f"precious {number}")
        with pytest.raises(StoredRecordError, match=f"foreign-{number}"):
            SqliteStore(path).load(KEY)
    assert kept_aside(path) == ["foreign-1", "foreign-2", "foreign-3"]
    assert path.with_name(f"{path.name}.foreign-2").read_text() == "precious 2"


@pytest.mark.requirement("RESUME-1")
def test_a_stranger_that_is_in_use_is_kept_whole(path: Path) -> None:
    with opened(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE precious (thing)")
        connection.execute("INSERT INTO precious VALUES (1)")
        with pytest.raises(StoredRecordError):
            SqliteStore(path).load(KEY)
        # It is in the log still, which went along.
        with opened(path.with_name("sessions.db.foreign-1")) as moved:
            assert moved.execute("SELECT * FROM precious").fetchall() == [(1,)]
    assert SqliteStore(path).load(KEY) is None


@pytest.mark.requirement("RESUME-1")
def test_a_file_that_says_of_itself_that_it_must_not_be_written_is_damaged_for_who_writes(
    store: SqliteStore, path: Path
) -> None:
    overwrite(path, 18, b"\x09\x01")
    assert store.load(KEY) == record(CANARY * 20)
    store.save(KEY, record())
    assert kept_aside(path) == ["damaged-1"]
    with pytest.raises(StoredRecordError, match="damaged-1"):
        store.load(KEY)
    assert store.load(KEY) == record()


@pytest.mark.requirement("LOGIN-10", "RESUME-1")
def test_damage_that_comes_while_a_device_id_is_made_is_told_too(path: Path) -> None:
    store = SqliteStore(path)

    def make() -> str:
        path.write_text("precious")
        return "device"

    assert store.device_id(make) == "device"
    with pytest.raises(StoredRecordError, match="foreign-1"):
        store.load(KEY)
    assert store.device_id(lambda: "other") == "device"


@pytest.mark.requirement("LOGIN-10")
def test_a_device_id_that_is_no_text_is_damage(store: SqliteStore, path: Path) -> None:
    overwrite(path, path.read_bytes().index(b"my-device"), b"\xff")
    assert store.device_id(lambda: "new") == "new"
    with pytest.raises(StoredRecordError, match="damaged-1"):
        store.load(KEY)
    assert store.load(KEY) is None


@pytest.mark.requirement("LOGOUT-5", "RESUME-2")
def test_the_journal_of_a_file_that_was_removed_is_not_taken_for_the_next_ones(
    store: SqliteStore, path: Path
) -> None:
    journal = path.with_name("sessions.db-journal")
    with opened(path) as connection:
        connection.execute("PRAGMA cache_size = 1")  # so that the journal is written before the end
        connection.execute("BEGIN")
        connection.execute("UPDATE record SET payload = zeroblob(100000)")
        hot = journal.read_bytes()
    assert CANARY.encode() in hot
    path.unlink()
    journal.write_bytes(hot)
    assert store.load(KEY) is None
    assert CANARY.encode() not in everything_in(path.parent)


def test_a_file_that_was_replaced_is_examined_anew(store: SqliteStore, path: Path) -> None:
    assert store.load(KEY)
    other = path.with_name("copy")
    other.write_bytes(path.read_bytes())
    spoil_the_key(other)
    other.replace(path)
    with pytest.raises(StoredRecordError, match="damaged"):
        store.load(KEY)


# ── a record that cannot be used ───────────────────────────────────────────────────────────────────

PAYLOADS: dict[str, object] = {
    "damaged": MARGIN + b'{"format": "splus-session", "version": 1, "accessToken": "canary-4f1d"',
    "not text": b"\xff\xfe" + CANARY.encode(),
    "empty": b"",
    "a number": 5,
    "text where bytes should be": f'{{"accessToken": "{CANARY}"}}',
    "a later version": MARGIN + b'{"format": "splus-session", "version": 2, "sealed": "canary-4f1d"}',
    "of nobody": b'{"accessToken": "canary-4f1d"}',
    "too long": b'"canary-4f1d' + b"x" * 1_000_001 + b'"',
    "no margin": encode(record(CANARY)).reveal().encode(),
    "the margin alone": MARGIN,
    "the margin and no text": MARGIN + b"\xff\xfe" + CANARY.encode(),
    "the margin and a little": MARGIN + CANARY.encode(),
    "the margin and too much": MARGIN + CANARY.encode() * 100_000,
}


@pytest.mark.requirement("RESUME-1", "SECRET-1", "LOGOUT-5")
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_record_that_cannot_be_used_is_told_kept_aside_and_forgotten_at_logout(
    path: Path, payload: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = SqliteStore(path)
    store.save("other", record())
    with opened(path) as connection:
        connection.execute("INSERT INTO record VALUES (?, ?)", (payload, KEY))
    with pytest.raises(StoredRecordError, match="kept aside") as caught:
        store.load(KEY)
    assert CANARY not in str(caught.value) + caplog.text
    assert caught.value.__context__ is None
    with opened(path) as connection:
        assert connection.execute("SELECT payload, key FROM aside").fetchall() == [(payload, KEY)]
    assert store.load(KEY) is None
    assert store.load("other") == record()
    store.save(KEY, record())
    assert store.load(KEY) == record()
    store.delete("other")
    with opened(path) as connection:
        assert connection.execute("SELECT count(*) FROM aside").fetchone() == (1,)
    store.delete(KEY)
    assert CANARY.encode() not in everything_in(path.parent)
    assert kept_aside(path) == []
