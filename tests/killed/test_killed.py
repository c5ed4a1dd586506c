"""`kill -9` at any point of login, renewal and logout, over SQLite."""

import os
import random
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from tests.killed.mutants import MUTANTS
from tests.killed.story import POSSIBLE

ROOT = Path(__file__).parents[2]
IN_MEMORY = Path("/dev/shm")  # noqa: S108  a folder of its own is made in there
DRIVERS = ["sync", "asyncio", "trio"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks, and kills with SIGKILL")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the store is: in memory if possible, as a killed process needs no disk that flushes."""
    if not os.access(IN_MEMORY, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=IN_MEMORY) as name:
        yield Path(name)


def rounds(how: str, folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.killed.rounds", how, *map(str, (folder, *arguments))]
    print(shlex.join(command))  # to do it again
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def kills(how: str, folder: Path, driver: str, number: int) -> Counter[str]:
    """What was killed, how often. Always the same, but for the times, unless Hypothesis searches anew."""
    seed = DRIVERS.index(driver) if settings().derandomize else random.randrange(1_000_000)
    run = rounds(how, folder, driver, seed, number)
    assert run.returncode == 0, run.stderr
    return Counter(line.rstrip() for line in run.stdout.splitlines())


@pytest.mark.requirement("RESUME-2", "RESUME-1", "LOGOUT-1", "BAN-4", "LOGOUT-5", "HOOK-1")
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_process_killed_at_any_point_resumes_to_what_it_told_last_or_stored_since(
    driver: str, folder: Path
) -> None:
    # Every eighth point, other ones on each driver; with the profile `deep`, every one.
    met = kills("points", folder, driver, stride := max(1, 800 // settings().max_examples))
    assert met.total() > 400 // stride
    # Nothing of this holds vacuously.
    for action in {action for actions in POSSIBLE.values() for action in actions}:
        assert any(line.startswith(f"during {action}") for line in met), action
    assert any(line.startswith("after") for line in met)
    assert any(line.endswith("with a journal") for line in met)


@pytest.mark.requirement("RESUME-2", "RESUME-1", "LOGOUT-1", "BAN-4", "LOGOUT-5", "HOOK-1")
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_process_killed_at_any_time_resumes_to_what_it_told_last_or_stored_since(
    driver: str, folder: Path
) -> None:
    times = settings().max_examples // 5
    assert kills("times", folder, driver, times).total() == times


@pytest.mark.requirement("RESUME-2", "LOGOUT-1", "BAN-4", "LOGOUT-5")
@pytest.mark.parametrize("name", MUTANTS)
def test_kills_show_a_library_that(name: str, folder: Path) -> None:
    driver = DRIVERS[list(MUTANTS).index(name) % len(DRIVERS)]
    mutant = MUTANTS[name]
    run = rounds("points", folder, driver, 0, 1, mutant.seen_during, name)
    assert run.returncode == 1
    assert mutant.seen_as in run.stderr
    assert run.stdout.count("\n") < 150, "it was seen late"
