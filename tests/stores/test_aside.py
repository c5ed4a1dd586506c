import os
from pathlib import Path

import pytest

from splus_session.stores._aside import COMPANIONS, Why, keep, purge


@pytest.mark.requirement("LOGOUT-5")
@pytest.mark.skipif(os.name != "posix", reason="only POSIX lets a folder be flushed")
def test_what_is_deleted_stays_so_after_a_power_cut(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    kept = keep(path, Why.DAMAGED)
    flushed: list[tuple[int, bool]] = []
    monkeypatch.setattr(os, "fsync", lambda fd: flushed.append((os.fstat(fd).st_ino, kept.exists())))
    assert purge(path) == [kept]
    assert flushed == [(path.parent.stat().st_ino, False)]


@pytest.mark.requirement("LOGOUT-5")
def test_files_of_other_stores_in_the_same_folder_are_left_alone(path: Path) -> None:
    names = ["sessions.db2.damaged-1", "my-sessions.db.damaged-1", "sessions.db.bak", "sessions.db.foreign-1"]
    for name in names:
        path.with_name(name).touch()
    assert purge(path) == []
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(names)


@pytest.mark.requirement("LOGOUT-5")
def test_what_was_kept_aside_goes_with_its_companions_and_a_users_own_files_stay(path: Path) -> None:
    path.touch()
    kept = [keep(path, Why.DAMAGED)]
    for ending in COMPANIONS:
        kept.append(kept[0].with_name(kept[0].name + ending))
        kept[-1].touch()
    own = [
        f"sessions.db.{ending}"
        for ending in (
            "damaged-backup",
            "damaged-1.bak",
            "damaged-",
            "future-x",
            "future-1-wal2",
        )
    ]
    for name in own:
        path.with_name(name).touch()
    assert sorted(purge(path)) == sorted(kept)
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(own)
