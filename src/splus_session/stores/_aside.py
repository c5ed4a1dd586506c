"""Files that the store cannot use, kept next to its own under another name, never silently deleted.

`sessions.db` becomes `sessions.db.damaged-1`. The second word says why, and with that whether there
may be secrets of ours in it:

- `damaged`: written by this library, and broken since;
- `future`: written by a later version of this library;
- `foreign`: written by something else. There is nothing of ours in it, and it is nobody's to delete.
"""

import enum
import os
import re
from pathlib import Path

__all__ = ["COMPANIONS", "Why", "keep", "purge"]

COMPANIONS = ("-journal", "-wal", "-shm")
"""What SQLite may put next to a database, by the ending of its name."""


class Why(enum.Enum):
    """Why a file cannot be used."""

    DAMAGED = "damaged"
    FUTURE = "future"
    FOREIGN = "foreign"


def keep(path: Path, why: Why) -> Path:
    """Move a file and its companions out of the way; the caller sees to it that nobody else does.

    Returns:
        Where it is now.

    Raises:
        OSError: it could not be moved.
    """
    number = 1
    while (target := path.with_name(f"{path.name}.{why.value}-{number}")).exists():
        number += 1
    path.rename(target)
    # A journal that stayed would be taken for that of the next database of this name.
    for ending in COMPANIONS:
        companion = path.with_name(path.name + ending)
        if companion.exists():
            companion.rename(target.with_name(target.name + ending))
    return target


def purge(path: Path) -> list[Path]:
    """Delete, durably, the files kept aside in which there may be secrets of ours. [LOGOUT-5]

    Nothing else is deleted: `sessions.db.damaged-backup` is somebody's own.

    Returns:
        The files that are gone now.

    Raises:
        OSError: one could not be deleted.
    """
    why, ending = f"{Why.DAMAGED.value}|{Why.FUTURE.value}", "|".join(COMPANIONS)
    ours = re.compile(rf"{re.escape(path.name)}\.({why})-[0-9]+({ending})?")
    gone = [file for file in path.parent.iterdir() if ours.fullmatch(file.name)]
    for file in gone:
        file.unlink(missing_ok=True)
    if gone:
        _sync(path.parent)
    return gone


def _sync(folder: Path) -> None:
    if os.name != "posix":  # pragma: no cover  Windows has no such call
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
