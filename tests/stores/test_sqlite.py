"""One file: what it is like, what nobody finds in it, what goes wrong around it."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splus_session._errors import InvalidArgumentError, StoredRecordError, StoreError
from splus_session.ports import Store
from splus_session.stores import _sqlite_schema
from splus_session.stores.sqlite import SqliteStore
from tests.stores.machine import StoreMachine
from tests.stores.records import CANARY, KEY, everything_in, kept_aside, opened, record


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
def test_the_first_device_id_that_is_stored_stays(path: Path) -> None:
    def slowly() -> str:
        assert SqliteStore(path).device_id(lambda: "quick") == "quick"
        return "slow"

    assert SqliteStore(path).device_id(slowly) == "quick"
    assert SqliteStore(path).device_id(lambda: "late") == "quick"


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


@pytest.mark.requirement("RESUME-2")
def test_a_full_database_is_an_error_and_not_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(path)
    store.save(KEY, record())
    # As it is: SQLite lowers the bound no further than that.
    monkeypatch.setattr(_sqlite_schema, "_SETTINGS", ("PRAGMA max_page_count = 1",))
    with pytest.raises(StoreError, match=r"full.*what was stored before remains"):
        store.save(KEY, record(CANARY * 1_000))
    assert store.load(KEY) == record()
    assert kept_aside(path) == []


READ_ONLY = """
import os, sys
from pathlib import Path
from splus_session._errors import StoreError, StoredRecordError
from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import KEY, kept_aside, record

folder, modes = Path(sys.argv[1]), [int(mode, 8) for mode in sys.argv[2:]]
warm_up = SqliteStore(folder / "warm-up.db")  # imports all that it needs while it can read that
warm_up.save(KEY, record())
assert warm_up.load(KEY) == record()
if os.geteuid() == 0:
    os.setuid(65534)  # root may write whatever the permissions
own = folder / "own"
own.mkdir()
store = SqliteStore(own / "sessions.db")
store.save(KEY, record())
(own / "sessions.db").chmod(modes[0])
own.chmod(modes[1])
try:
    store.delete(KEY)
except StoreError as error:
    print(isinstance(error, StoredRecordError), error)
own.chmod(0o700)
(own / "sessions.db").chmod(0o600)
print(store.load(KEY) == record(), kept_aside(own / "sessions.db"))
"""


@pytest.mark.requirement("LOGOUT-1")
@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
@pytest.mark.parametrize("modes", [("444", "700"), ("600", "500"), ("000", "700")])
def test_what_must_not_be_written_is_an_error_and_is_not_moved_aside(modes: tuple[str, str]) -> None:
    # Not in tmp_path: it can be entered by its owner alone, and this test gives up being root.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        run = subprocess.run(
            [sys.executable, "-c", READ_ONLY, folder, *modes], check=True, capture_output=True, text=True
        )
    first, second = run.stdout.splitlines()
    assert first.startswith("False ")
    assert "may remain" in first
    assert second == "True []"
