"""Kills processes in the middle of their sessions, and looks at what they leave. A script.

    python -m tests.killed.rounds points FOLDER DRIVER SEED STRIDE [ACTION MUTANT]
    python -m tests.killed.rounds times FOLDER DRIVER SEED ROUNDS

`points` has a session do everything that is possible in each state, or one ACTION alone, and kills
it at every STRIDE-th point of that. `times` kills at random times, every other time in a COMMIT. Either way each process goes on with
what the one before it left, and first of all must be told just that.

It is a process of its own because it forks: that is quick, and safe with one thread only. It says
in a line for each kill what the process was at, and ends badly at the first violation.
"""

import logging
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio._backends._asyncio  # imported here once, and not in every child
import anyio._backends._trio  # noqa: F401

from splus_session._errors import SplusSessionError
from splus_session.platform import Endpoint
from splus_session.stores import session_key
from splus_session.stores.sqlite import SqliteStore
from tests.killed.life import API_KEY, Choice, Life, at_random, toward
from tests.killed.mutants import MUTANTS
from tests.killed.points import Points
from tests.killed.story import IN, LIFETIME, OUT, POSSIBLE, Stored, Story, ViolationError, stored_in
from tests.lives import START
from tests.stores.records import everything_in, kept_aside

KEY = session_key(Endpoint.region("sg").origin, API_KEY)
TOKEN = b"eyJ"
"""How every access token begins, being a JWT."""
KILLED = (signal.SIGKILL, signal.SIGALRM)
"""Ends that come unasked, as `waitpid` tells them."""

Wait = Callable[[int], bytes]
"""Reads from a pipe until it is time to kill who writes there; gives what it read."""


class House:
    """A store's folder, and the processes that use it, one after the other."""

    def __init__(self, folder: Path, driver: str, mutant: str = "") -> None:
        self._folder = folder
        self._driver = driver
        self._mutant = mutant
        self._path = folder / "sessions.db"
        self._now = START
        self.clear()

    def clear(self) -> None:
        """Begin anew, without a store."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._left: Stored | None = None

    def pass_time(self, seconds: float) -> None:
        """Between two processes."""
        self._now += seconds

    def live(self, choose: Choice, points: Points | None = None, wait: Wait | None = None) -> bool:
        """Let a process live until it is killed, at a point or when it is time.

        Returns:
            Whether it was killed, and did not get to its end.

        Raises:
            ViolationError: it told or left what it must not.
        """
        hear, say = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(hear)
            os._exit(self._be_the_child(say, choose, points or Points()))
        os.close(say)
        said = b""
        if wait is not None:
            said = wait(hear)
            os.kill(child, signal.SIGKILL)
        with os.fdopen(hear, "rb") as pipe:
            said += pipe.read()
        _, status = os.waitpid(child, 0)
        story = self._heard(said.decode().splitlines())
        if status not in (0, *KILLED):
            raise ViolationError(f"the process failed by itself, after it was asked to {story.asked}")
        journal = self._path.with_name("sessions.db-journal").exists()
        self._left = self._look(story)
        if status in KILLED:
            print("during" if story.in_between else "after", story.asked, "with a journal" * journal)
        return status in KILLED

    def _be_the_child(self, say: int, choose: Choice, points: Points) -> int:
        try:
            if self._mutant:
                MUTANTS[self._mutant].plant()
            points.watch(self._folder)
            speak = points.around(lambda line: os.write(say, f"{line}\n".encode()))
            Life(self._path, self._left, self._now, speak).live(self._driver, choose)
        except BaseException:
            traceback.print_exc()
            return 1
        return 0

    def _heard(self, lines: list[str]) -> Story:
        story = Story(self._left)
        for line in lines:
            if line.startswith("asks "):
                action, at = line.removeprefix("asks ").rsplit(" ", 1)
                self._now = float(at)
                story.ask(action, self._now)
            else:
                story.hear(line)
        return story

    def _look(self, story: Story) -> Stored | None:
        """What is stored now, which must be something that may be."""
        # First the bare files, before anybody opens and so repairs them.
        left = everything_in(self._folder)
        if story.possible == {None} and TOKEN in left:
            raise ViolationError(f"there is a token in the files, {story}")
        if None not in story.possible and TOKEN not in left:
            raise ViolationError(f"there is no token in the files, {story}")
        if API_KEY.encode() in left:
            raise ViolationError(f"the API key is in the files, {story}")
        try:
            found = stored_in(SqliteStore(self._path).load(KEY))
        except SplusSessionError as error:
            raise ViolationError(f"the store cannot be read: {error}, {story}") from error
        if aside := kept_aside(self._path):
            raise ViolationError(f"a file was kept aside: {aside}, {story}")
        if found not in story.possible:
            raise ViolationError(f"{found} is stored, and should be one of {story.possible}, {story}")
        return found


# ── At every point ──────────────────────────────────────────────────────────────────────────────


def at_points(house: House, seed: int, stride: int, only: str) -> None:
    """See the module. The seed says at which of the first points to begin."""
    for number, (prepare, state, action) in enumerate(scenes(house)):
        if only and action != only:
            continue
        last = 1 + (seed + number) % stride
        killed = True
        while killed:
            prepare()
            points = Points(last)
            killed = house.live(toward(state, counted(action, points)), points)
            last += stride
    house.live(toward(OUT))


def scenes(house: House) -> Iterator[tuple[Callable[[], object], str, str]]:
    """What to prepare, and from which state to ask what, for everything that is ever possible."""
    for prepare in (house.clear, lambda: house.live(toward(IN)), lambda: leave_to_expire(house)):
        yield prepare, "", "open"
    for state, actions in POSSIBLE.items():
        for action in dict.fromkeys(actions):
            if state:
                yield lambda: None, state, action


def leave_to_expire(house: House) -> None:
    house.live(toward(IN))
    house.pass_time(LIFETIME)


def counted(action: str, points: Points) -> Iterator[str]:
    points.begin()
    yield action


# ── At any time ─────────────────────────────────────────────────────────────────────────────────


def at_times(house: House, chance: random.Random, rounds: int) -> None:
    """See the module."""
    for number in range(rounds):
        actions = at_random(random.Random(chance.random()))
        if number % 2:
            house.live(actions, wait=moment(chance))
        else:
            house.live(
                actions, Points(commit=chance.randint(1, 20), after=chance.uniform(1e-6, LONGEST_COMMIT))
            )
        house.pass_time(chance.choice([1.0, 1.0, 1.0, LIFETIME]))
    house.live(toward(OUT))


LONGEST_COMMIT = 0.0002
"""Seconds, about, on a disk that does not flush."""


def moment(chance: random.Random) -> Wait:
    """A while after a process has said some lines."""
    lines, longer = chance.randrange(30), chance.random() * 0.015

    def wait(hear: int) -> bytes:
        said = b""
        while said.count(b"\n") < lines and (more := os.read(hear, 4_096)):
            said += more
        time.sleep(longer)  # any moment will do
        return said

    return wait


def main(
    how: str, folder: str, driver: str, seed: str, number: str, only: str = "", mutant: str = ""
) -> None:
    """See the module."""
    logging.disable()  # of tokens that come too late, and of what is refused
    house = House(Path(folder) / "house", driver, mutant)
    if how == "points":
        at_points(house, int(seed), int(number), only)
    else:
        at_times(house, random.Random(int(seed)), int(number))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ViolationError as violation:
        sys.exit(str(violation))
