"""One file: what it is like, what nobody finds in it, what happens when it is not what it was."""

import logging
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splus_session._errors import InvalidArgumentError, StoredRecordError, StoreError
from splus_session.ports import Store
from splus_session.stores._sqlite_file import MARGIN
from splus_session.stores.sqlite import SqliteStore
from tests.stores.machine import StoreMachine
from tests.stores.records import KEY, everything_in, record

CANARY = "canary-4f1d"


class SqliteMachine(StoreMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()

    def open(self) -> Store:
        return SqliteStore(Path(self.folder.name, "sessions.db"))

    def teardown(self) -> None:
        self.folder.cleanup()


TestSqliteStore = pytest.mark.requirement("RESUME-1", "LOGIN-10")(SqliteMachine.TestCase)
TestSqliteStore.settings = settings(max_examples=25, stateful_step_count=15)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def kept_aside(path: Path) -> list[str]:
    """What is kept aside, by the word that says why."""
    names = [file.name.removeprefix(f"{path.name}.") for file in path.parent.iterdir()]
    return sorted(name for name in names if name[-1].isdigit())


# ── what it is like ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("SECRET-1")
@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_only_its_owner_reads_it_whatever_the_umask(path: Path, umask: int) -> None:
    store = SqliteStore(path)
    before = os.umask(umask)
    try:
        store.save(KEY, record())
    finally:
        os.umask(before)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    with opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM record")
        journal = path.with_name("sessions.db-journal")
        assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def test_making_a_store_touches_no_file(path: Path) -> None:
    SqliteStore(path)
    assert list(path.parent.iterdir()) == []


def test_a_name_that_sqlite_gives_a_meaning_is_a_file_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x?mode=memory", "100%#?"):
        SqliteStore(name).save(KEY, record())
        assert SqliteStore(tmp_path / name).load(KEY) == record()


@pytest.mark.requirement("SECRET-1")
def test_its_repr_says_where_it_is_and_no_more(path: Path) -> None:
    store = SqliteStore(path)
    store.save(KEY, record(CANARY))
    assert repr(store) == f"SqliteStore({str(path)!r})"


def test_only_its_users_import_sqlite3() -> None:
    code = "import sys, splus_session.stores; print('sqlite3' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "False\n"


@pytest.mark.requirement("LOGIN-10")
def test_the_device_id_outlives_every_logout_and_process(path: Path) -> None:
    assert SqliteStore(path).device_id(lambda: "first") == "first"
    SqliteStore(path).save(KEY, record())
    SqliteStore(path).delete(KEY)
    assert SqliteStore(path).device_id(lambda: "second") == "first"


@pytest.mark.requirement("LOGIN-10")
def test_an_empty_device_id_is_refused(path: Path) -> None:
    store = SqliteStore(path)
    with pytest.raises(InvalidArgumentError):
        store.device_id(str)
    assert store.device_id(lambda: "device") == "device"


# ── what nobody finds in it ────────────────────────────────────────────────────────────────────────

# Short ones lie beside others in a page, long ones have pages of their own.
SIZES = st.one_of(st.integers(1, 12), st.integers(1, 12), st.integers(12, 300), st.integers(300, 900))


@pytest.mark.requirement("LOGOUT-5", "RESUME-2")
@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", "d" * 300]), SIZES | st.none()), min_size=1, max_size=25
    )
)
def test_no_part_of_what_was_deleted_or_overwritten_is_in_any_file(
    told: list[tuple[str, int | None]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = SqliteStore(Path(name, "sessions.db"))
        live: dict[str, str] = {}
        for number, (key, size) in enumerate([*told, *((key, None) for key in "abc"), ("d" * 300, None)]):
            if size is None:
                store.delete(key)
                live.pop(key, None)
            else:
                live[key] = f"<{CANARY}-{number:03}>"
                store.save(key, record(live[key] * size))
            found = everything_in(Path(name))
            for dead in {f"<{CANARY}-{n:03}>" for n in range(number + 1)} - set(live.values()):
                assert dead.encode() not in found
        assert CANARY.encode() not in everything_in(Path(name))


@pytest.mark.requirement("LOGOUT-5")
@settings(max_examples=30)
@given(st.lists(st.tuples(st.text("ab", min_size=1), SIZES), min_size=1, max_size=25))
def test_secrets_lie_only_on_pages_that_sqlite_never_copies(told: list[tuple[str, int]]) -> None:
    # Balancing its trees, SQLite forgets copies of rows in gaps, where secure_delete doesn't reach.
    # It happens once in thousands of transactions, so this looks at the cause instead.
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "sessions.db")
        for key, size in told:
            SqliteStore(path).save(key, record(CANARY * size))
        data = path.read_bytes()
        for start in range(0, len(data), 4096):
            page = data[start : start + 4096]
            # A page of a tree begins with its kind, 2 to 13; others with the number of the next one.
            assert page[0] == 0 or CANARY.encode() not in page


@pytest.mark.requirement("LOGOUT-5", "LOGOUT-2")
def test_nothing_of_the_user_is_left_after_logout(path: Path) -> None:
    store = SqliteStore(path)
    store.device_id(lambda: "device")
    store.save(KEY, record(CANARY, user_id=f"{CANARY}-user"))
    assert everything_in(path.parent).count(CANARY.encode()) == 2
    store.delete(KEY)
    left = everything_in(path.parent)
    assert CANARY.encode() not in left
    assert KEY.encode() not in left


@pytest.mark.requirement("LOGOUT-5")
def test_a_file_that_somebody_gave_a_write_ahead_log_loses_it(path: Path) -> None:
    store = SqliteStore(path)
    store.save(KEY, record(CANARY))
    with opened(path) as connection:
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        connection.execute("UPDATE record SET payload = payload || ' '")
    store.delete(KEY)
    assert CANARY.encode() not in everything_in(path.parent)
    with opened(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


# ── what goes wrong around it ──────────────────────────────────────────────────────────────────────

OPERATIONS: dict[str, tuple[Callable[[Store], object], str]] = {
    "load": (lambda store: store.load(KEY), "what is stored remains"),
    "save": (lambda store: store.save(KEY, record(CANARY)), "what was stored before remains"),
    "delete": (lambda store: store.delete(KEY), "its access token may remain there"),
    "device_id": (lambda store: store.device_id(lambda: "device"), "no device id"),
}
every_operation = pytest.mark.parametrize(("operation", "remains"), OPERATIONS.values(), ids=OPERATIONS)


@every_operation
@pytest.mark.requirement("LOGOUT-1", "RESUME-2", "SECRET-1")
def test_a_locked_file_is_an_error_that_says_what_remains(
    path: Path, operation: Callable[[Store], object], remains: str
) -> None:
    store = SqliteStore(path, timeout=0)
    store.save(KEY, record())
    with opened(path) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match=f"locked.*{remains}") as caught:
            operation(store)
    assert not isinstance(caught.value, StoredRecordError)
    assert caught.value.__context__ is None
    assert store.load(KEY) == record()


@every_operation
@pytest.mark.requirement("LOGOUT-1", "RESUME-2")
def test_a_missing_folder_is_an_error_that_names_it(
    path: Path, operation: Callable[[Store], object], remains: str
) -> None:
    store = SqliteStore(path.parent / "not-there" / "sessions.db")
    with pytest.raises(StoreError, match=f"not-there.*{remains}"):
        operation(store)


def test_a_folder_in_its_place_is_an_error_and_stays(path: Path) -> None:
    path.mkdir()
    Path(path, "precious").touch()
    with pytest.raises(StoreError):
        SqliteStore(path).load(KEY)
    assert list(path.iterdir()) == [path / "precious"]


def test_a_key_that_no_file_can_hold_is_an_error(path: Path) -> None:
    with pytest.raises(StoreError):
        SqliteStore(path).save("\ud800", record())


FULL_DISK = """
import resource, sys
from splus_session._errors import StoreError
from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import KEY, record

store = SqliteStore(sys.argv[1])
store.save(KEY, record())
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
try:
    store.save(KEY, record("canary" * 2_000))
    store.save("other", record("canary" * 2_000))
    store.save("third", record("canary" * 2_000))
except StoreError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(store.load("third"))
store.delete(KEY)
store.delete("other")
"""


@pytest.mark.requirement("LOGOUT-1", "LOGOUT-5", "RESUME-2")
@pytest.mark.skipif(os.name != "posix", reason="limits on the size of files are POSIX's")
def test_a_full_disk_is_an_error_and_what_was_stored_remains(path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", FULL_DISK, path], check=True, capture_output=True, text=True)
    error, loaded = run.stdout.splitlines()
    assert "what was stored before remains" in error
    assert loaded == "None"
    assert b"canary" not in everything_in(path.parent)


READ_ONLY = """
import os, sys
from splus_session._errors import StoreError, StoredRecordError
from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import KEY

if os.geteuid() == 0:
    os.setuid(65534)
try:
    SqliteStore(sys.argv[1]).delete(KEY)
except StoreError as error:
    print(isinstance(error, StoredRecordError), error)
"""


@pytest.mark.requirement("LOGOUT-1")
@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o777), (0o666, 0o555), (0o000, 0o777)])
def test_what_must_not_be_written_is_an_error_and_is_not_moved_aside(
    file_mode: int, folder_mode: int
) -> None:
    # Not in tmp_path: it can be entered by its owner alone, and this test gives up being root.
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "sessions.db")
        store = SqliteStore(path)
        store.save(KEY, record())
        path.chmod(file_mode)
        path.parent.chmod(folder_mode)
        run = subprocess.run(
            [sys.executable, "-c", READ_ONLY, path], check=True, capture_output=True, text=True
        )
        path.parent.chmod(0o777)
        path.chmod(0o600)
        assert run.stdout.startswith("False ")
        assert "may remain" in run.stdout
        assert store.load(KEY) == record()
        assert kept_aside(path) == []


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
    "its schema is overwritten": (lambda path: overwrite(path, 100, b"\xff" * 500), "damaged-1"),
    "its pages are overwritten": (lambda path: overwrite(path, 4096, b"\xff" * 4096 * 3), "damaged-1"),
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
    SqliteStore(path).save(KEY, record())
    assert kept_aside(path) == [kept]
    assert kept in caplog.text
    assert store.load(KEY) == record()


@every_damage
@pytest.mark.requirement("LOGOUT-5", "LOGOUT-1")
def test_logout_leaves_no_secret_in_it_and_no_stranger_harmed(
    store: SqliteStore,
    path: Path,
    damage: Callable[[Path], object],
    kept: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(path)
    spoilt = path.read_bytes()
    SqliteStore(path).delete(KEY)
    assert CANARY.encode() not in everything_in(path.parent)
    assert kept in caplog.text
    if kept.startswith("foreign"):
        assert path.with_name(f"{path.name}.{kept}").read_bytes() == spoilt
    else:
        assert kept_aside(path) == []


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
        with suppress(StoredRecordError):
            again.load(KEY)
        again.save(KEY, record(CANARY))
        assert again.load(KEY) == record(CANARY)
        again.delete(KEY)
        assert CANARY.encode() not in everything_in(path.parent)


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
    assert store.load(KEY) == record()


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
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact = store._file._transact

    def once_late(*arguments: Any) -> object:
        monkeypatch.setattr(store._file, "_transact", transact)
        path.rename(path.with_name("moved"))
        return transact(*arguments)

    monkeypatch.setattr(store._file, "_transact", once_late)
    store.save(KEY, record())
    assert store.load(KEY) == record()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


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
