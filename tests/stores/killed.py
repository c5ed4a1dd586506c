"""Kills processes that use a store, at random moments, and looks at what they leave. A script.

    python -m tests.stores.killed FOLDER ROUNDS SEED

It is a process of its own because it forks: that is quick, and safe with one thread only.
"""

import contextlib
import logging
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from splus_session._errors import StoredRecordError
from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import KEY, everything_in, record


def live(path: Path, say: int) -> None:
    """Save and delete without end, saying before and after what is done: `+0` … `+0 -` … `-`."""
    store = SqliteStore(path)
    for number in range(1_000_000):
        if number % 3 == 2:
            os.write(say, b"- ")
            store.delete(KEY)
            os.write(say, b"-\n")
        else:
            os.write(say, f"+{number} ".encode())
            # Long ones have pages of their own, and a transaction of several writes.
            store.save(KEY, record(f"canary-{number}" * (1 + 500 * (number % 2))))
            os.write(say, f"+{number}\n".encode())


def killed_life(path: Path, chance: random.Random) -> list[bytes]:
    """What a process said until it was killed."""
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        live(path, say)
    os.close(say)
    said = b""
    for _ in range(chance.randrange(6)):
        said += os.read(hear, 65_536)
    time.sleep(chance.random() * 0.003)  # any moment will do
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while select.select([hear], [], [])[0] and (more := os.read(hear, 65_536)):
        said += more
    os.close(hear)
    return said.split()


def stored(path: Path) -> bytes:
    """What is in the store, in the words of `live`."""
    found = SqliteStore(path).load(KEY)
    if found is None:
        return b"-"
    _, number = found.credential.access_token.reveal().rsplit("-", 1)
    return f"+{number}".encode()


def round_of(folder: Path, chance: random.Random) -> str:
    path = folder / "sessions.db"
    kind = chance.choice(["as it is", "as it is", "new", "damaged"])
    SqliteStore(path).delete(KEY)
    if kind == "new":
        path.unlink()
    if kind == "damaged":
        SqliteStore(path).save(KEY, record("canary-of-old" * 300))
        os.truncate(path, 4096 * 3)
    said = killed_life(path, chance)
    # Words come in pairs: what is about to be done, and what is done.
    told = [b"-", *said[1::2]][-1]
    possible = {told, said[-1]} if len(said) % 2 else {told}
    if kind == "damaged" and not said[1::2]:
        with contextlib.suppress(StoredRecordError):  # the first call had not yet come so far
            stored(path)
    found = stored(path)
    assert found in possible, (kind, said[-4:], found)
    # Whatever was left lying about, the store works, and logout still clears it all away.
    store = SqliteStore(path)
    store.save(KEY, record("canary-again"))
    assert stored(path) == b"+again"
    store.delete(KEY)
    assert b"canary" not in everything_in(folder)
    return f"{kind}, {'between' if len(said) % 2 == 0 else 'during ' + said[-1][:1].decode()}"


if __name__ == "__main__":
    folder, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    logging.disable()  # of files kept aside, as it should be
    for _ in range(rounds):
        print(round_of(folder, chance))
