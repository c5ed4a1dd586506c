"""Faults that the library could have, each of which the kills have to show.

Each is planted in a process that is about to be killed, and never in the one that judges.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from splus_session import SessionState
from splus_session._commands import Announce, Change, Command, Persist
from splus_session._credentials import Record
from splus_session._engine import Engine, Entry
from splus_session._observers import Observers
from splus_session._storing import persist
from splus_session.aio import _worker as aio_worker
from splus_session.ports import Store
from splus_session.stores import _sqlite_schema as schema
from splus_session.stores import sqlite
from splus_session.sync import _worker as sync_worker
from tests.drivers.faces import Log
from tests.killed.life import Life

Plant = Callable[[], None]


class Mutant(NamedTuple):
    """A fault."""

    plant: Plant
    seen_during: str
    """What the app asks where the fault shows."""
    seen_as: str
    """What the violation says."""


MUTANTS: dict[str, Mutant] = {}
"""Each by its name."""
UNTRUE = "is stored, and should be"
LOST = "there is no token in the files"
SECRET = "there is a token in the files"
STATES = {state.value for state in SessionState}


def mutant(seen_during: str, seen_as: str) -> Callable[[Plant], Plant]:
    """Add a fault; its name is the function's."""

    def add(plant: Plant) -> Plant:
        MUTANTS[plant.__name__.replace("_", " ")] = Mutant(plant, seen_during, seen_as)
        return plant

    return add


def commands(change: Callable[[tuple[Command, ...]], tuple[Command, ...]]) -> None:
    """Have the driver get other commands than the core gave."""
    take = Engine.take

    def taken(self: Engine[Any]) -> Entry[Any] | None:
        entry = take(self)
        return None if entry is None else entry._replace(commands=change(entry.commands))

    Engine.take = taken  # type: ignore[method-assign]


def in_order_of(key: Callable[[Command], bool]) -> None:
    """Have the driver carry out what is `False` first, and store only once everybody has heard of it.

    Observers hear on a thread or in a task of their own. Left to the scheduler, a store that is quick
    would mostly be done before anybody hears of what was told too early, and no kill came between.
    """
    commands(lambda given: tuple(sorted(given, key=key)))
    announced: list[SessionState] = []
    heard = Log()
    announce, tell = Observers.announce, Life._tell

    def announce_and_note(self: Observers[Any], change: Change) -> None:
        announced.append(change.state)
        announce(self, change)

    def tell_and_note(self: Life, word: str) -> None:
        tell(self, word)
        if word in STATES:
            heard.add(SessionState(word))

    def persist_once_heard(store: Store, key: str, record: Record | None) -> Any:
        # Before the first word there is no observer yet.
        heard.wait_for(lambda: not (heard and announced) or heard[-1] is announced[-1])
        return persist(store, key, record)

    Observers.announce = announce_and_note  # type: ignore[method-assign]
    Life._tell = tell_and_note  # type: ignore[method-assign]
    for worker in (aio_worker, sync_worker):
        worker.persist = persist_once_heard  # type: ignore[attr-defined]


def setting(before: str, after: str) -> None:
    """Have SQLite treat the database otherwise."""
    assert before in schema._SETTINGS
    schema._SETTINGS = tuple(after if each == before else each for each in schema._SETTINGS)  # type: ignore[assignment]


@mutant("login", LOST)
def tells_before_it_stores() -> None:
    in_order_of(lambda command: not isinstance(command, Announce))


@mutant("ban", SECRET)
def deletes_after_it_told() -> None:
    in_order_of(lambda command: command == Persist(None))


@mutant("login", LOST)
def saves_when_it_is_called_again() -> None:
    save, delete = sqlite.SqliteStore.save, sqlite.SqliteStore.delete
    late: list[Callable[[], None]] = []

    def catch_up() -> None:
        while late:
            late.pop()()

    def save_late(self: sqlite.SqliteStore, key: str, record: Record) -> None:
        catch_up()
        late.append(lambda: save(self, key, record))

    def delete_after(self: sqlite.SqliteStore, key: str) -> None:
        catch_up()
        delete(self, key)

    sqlite.SqliteStore.save = save_late  # type: ignore[method-assign]
    sqlite.SqliteStore.delete = delete_after  # type: ignore[method-assign]


@mutant("renew", LOST)
def replaces_a_record_in_two_goes() -> None:
    save = sqlite._save

    def save_in_two(db: Any, key: str, payload: Any) -> None:
        db.execute("DELETE FROM record WHERE key = ?", (key,))
        db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")
        save(db, key, payload)

    sqlite._save = save_in_two


@mutant("lapse", UNTRUE)
def forgets_that_a_token_expired() -> None:
    def save_no_expired(given: tuple[Command, ...]) -> tuple[Command, ...]:
        return tuple(
            command
            for command in given
            if not (isinstance(command, Persist) and command.record and command.record.expired)
        )

    commands(save_no_expired)


@mutant("ban", SECRET)
def keeps_the_record_of_who_is_banned() -> None:
    def without_deleting(given: tuple[Command, ...]) -> tuple[Command, ...]:
        told = [command.change.state for command in given if isinstance(command, Announce)]
        return given if SessionState.TERMINATED not in told else given[1:]

    commands(without_deleting)


@mutant("logout", SECRET)
def deletes_without_overwriting() -> None:
    setting("PRAGMA secure_delete = ON", "PRAGMA secure_delete = OFF")


@mutant("secure_logout", SECRET)
def leaves_its_journal_behind() -> None:
    setting("PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = PERSIST")
