"""Many at once, and killed at any moment."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import KEY, everything_in, record

ROOT = Path(__file__).parents[2]
RIVALS = ["anna", "ben", "cleo", "dora"]


def module(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"tests.stores.{name}", *map(str, arguments)]


@pytest.mark.requirement("RESUME-2", "LOGOUT-5", "RESUME-1")
@pytest.mark.skipif(os.name != "posix", reason="forks, and kills with SIGKILL")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_process_killed_at_any_moment_leaves_what_it_told_or_what_it_was_at(
    tmp_path: Path, seed: int
) -> None:
    run = subprocess.run(module("killed", tmp_path, 40, seed), cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    # Nothing of this holds vacuously: each kind was killed in the middle of something.
    met = Counter(run.stdout.splitlines())
    for kind in ("as it is", "new", "damaged"):
        assert met[f"{kind}, during +"] + met[f"{kind}, during -"] > 0


@pytest.mark.requirement("LOGOUT-1")
@pytest.mark.skipif(os.name != "posix", reason="forks")
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_fork_while_another_thread_is_in_the_store_leaves_a_child_that_can_use_it(
    tmp_path: Path, kind: str
) -> None:
    told = subprocess.run(
        module("forked", kind, tmp_path / "sessions.db"), cwd=ROOT, capture_output=True, text=True
    )
    assert (told.stdout, told.returncode) == ("0\n", 0), told.stderr


@pytest.fixture
def rivals() -> Iterator[list[subprocess.Popen[str]]]:
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    module("rival", name), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for name in RIVALS
        ]
        for rival in started:
            assert rival.stdout
            assert rival.stdout.readline() == "ready\n"
        yield started


def race(rivals: list[subprocess.Popen[str]], path: Path) -> list[tuple[str, str, bool]]:
    """What each of them got, all having started at once."""
    for rival in rivals:
        assert rival.stdin
        rival.stdin.write(f"{path}\n")
        rival.stdin.flush()
    answers = []
    for rival in rivals:
        assert rival.stdout
        answers.append(json.loads(rival.stdout.readline()))
    return answers


@pytest.mark.requirement("LOGIN-10", "RESUME-2")
def test_processes_that_start_at_once_get_one_device_id_and_lose_nothing(
    tmp_path: Path, rivals: list[subprocess.Popen[str]]
) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.db"
        answers = race(rivals, path)
        assert len({device_id for device_id, _, _ in answers}) == 1
        assert {(found, saved) for _, found, saved in answers} == {("None", True)}
        for name in RIVALS:
            assert SqliteStore(path).load(name) == record(f"{name}-4")


@pytest.mark.requirement("RESUME-1", "RESUME-2", "LOGIN-10")
def test_processes_that_find_a_damaged_file_at_once_keep_it_aside_once_and_lose_nothing(
    tmp_path: Path, rivals: list[subprocess.Popen[str]]
) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.db"
        path.write_text("precious" * 1_000)
        answers = race(rivals, path)
        assert len({device_id for device_id, _, _ in answers}) == 1
        assert "kept aside" in {found for _, found, _ in answers}
        assert {saved for _, _, saved in answers} == {True}
        assert [file.name for file in tmp_path.glob(f"{number}.db.foreign*")] == [f"{number}.db.foreign-1"]
        for name in RIVALS:
            assert SqliteStore(path).load(name) == record(f"{name}-4")


@pytest.mark.requirement("LOGIN-10", "RESUME-2", "LOGOUT-5")
def test_threads_that_share_a_store_lose_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "sessions.db", timeout=60)
    device_ids: list[str] = []

    def live(name: str) -> None:
        device_ids.append(store.device_id(lambda: name))
        for number in range(5):
            store.save(name, record(f"{name}-{number}"))
            assert store.load(name) == record(f"{name}-{number}")
            store.delete(KEY)
        device_ids.append(store.device_id(lambda: "late"))

    threads = [threading.Thread(target=live, args=(f"thread-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(device_ids) == 12
    assert len(set(device_ids)) == 1
    for number in range(6):
        assert store.load(f"thread-{number}") == record(f"thread-{number}-4")
        store.delete(f"thread-{number}")
    assert b"header.claims" not in everything_in(tmp_path)
