"""A fork at the worst moment: another thread is in the store. A script.

    python -m tests.stores.forked memory
    python -m tests.stores.forked sqlite PATH

It says how the child ended that uses the same store: 0, or the signal of its alarm.
"""

import os
import signal
import subprocess
import sys
import threading
import time

from splus_session.ports import Store
from splus_session.stores import MemoryStore
from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import KEY, record

BUSY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
"""


class SlowKey(str):
    """Keeps whoever looks it up, in the middle of that."""

    __slots__ = ()
    met, left = threading.Event(), threading.Event()

    def __hash__(self) -> int:
        self.met.set()
        self.left.wait()
        return super().__hash__()


def fork_and_use(store: Store) -> int:
    """Do in a child what a session does in its life, and give the child's id."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        store.device_id(lambda: "device")
        store.save(KEY, record())
        assert store.load(KEY) == record()
        store.delete(KEY)
        os._exit(0)
    return child


def in_memory() -> int:
    store = MemoryStore()
    other = threading.Thread(target=store.load, args=(SlowKey("slow"),))
    other.start()
    SlowKey.met.wait()
    child = fork_and_use(store)
    status = os.waitpid(child, 0)[1]
    SlowKey.left.set()
    other.join()
    return status


def in_sqlite(path: str) -> int:
    store = SqliteStore(path, timeout=8)
    store.delete(KEY)
    other = threading.Thread(target=store.delete, args=("other",))
    with subprocess.Popen(
        [sys.executable, "-c", BUSY, f"{path}.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as busy:
        assert busy.stdout
        assert busy.stdout.readline() == "locked\n"
        other.start()
        time.sleep(0.5)  # it waits for that process by now
        child = fork_and_use(store)
        busy.communicate("\n")
    other.join()
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    print(in_memory() if sys.argv[1] == "memory" else in_sqlite(sys.argv[2]))
