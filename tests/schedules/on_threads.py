"""A scenario on the threaded driver, with the thread that runs chosen."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from splus_session import _engine, _observers, sync
from splus_session.sync import _session, _signal, _threads, _worker
from splus_session.testing import _waiting
from tests.properties.monitors import Jury
from tests.schedules.acts import Actor, Call, Scenario, Wait
from tests.schedules.choices import Choices
from tests.schedules.play import EPILOGUE, LONGEST_CALL, PROLOGUE, Play, quiet
from tests.schedules.threads import Interleaver
from tests.schedules.world import Kind, Requests, World

LINES = frozenset(
    str(module.__file__) for module in (_engine, _observers, _session, _signal, _threads, _worker)
)
"""The files of the threaded driver."""


class _Requests(Requests):
    def open_session(self, grant: Any, *, device_id: str) -> Any:
        self.sent("open_session", grant)
        return self.client.open_session(grant, device_id=device_id)

    def verify(self, access_token: Any) -> Any:
        self.sent("verify", access_token)
        return self.client.verify(access_token)

    def revoke(self, access_token: Any) -> Any:
        self.sent("revoke", access_token)
        return self.client.revoke(access_token)


class _Handler:
    def __init__(self, world: World, sleep: Callable[[float], None]) -> None:
        self._world, self._sleep = world, sleep

    def session_will_renew_access_token(self, renewal: Any) -> None:
        self._sleep(self._world.asked(renewal))
        self._world.answer(renewal)


def on_threads(
    scenario: Scenario,
    choices: Choices,
    moods: random.Random | None = None,
    *,
    kind: Kind = World,
    by_line: bool = False,
) -> Jury:
    """Play it in threads that are interrupted as chosen; `by_line`: before any line of the driver's, too."""
    lines = LINES if by_line else frozenset[str]()
    interleaver = Interleaver(choices, lines=lines, each_step=lambda: world.check())
    world = kind(lambda: interleaver.now, interleaver.point, moods)
    play = Play(scenario, choices, world)
    play.lost = lambda: interleaver.lost
    with quiet(), world.noting_what_is_stored(), controlled(interleaver) as watcher:
        try:
            _play_in_threads(play, interleaver)
        finally:
            choices.paused = True
            left = interleaver.end()
    left.remove("splus-session watcher")
    return play.finish(left + [f"{engine} in the watcher" for engine in watcher._times])


@contextmanager
def controlled(interleaver: Interleaver) -> Iterator[_threads.Watcher]:
    """Have the threaded driver's threads and its time in hand; gives the watcher, made for it."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (_engine, _observers, _signal, _threads, _worker, _waiting):
            patch.setattr(module, "threading", interleaver.threading)
        for module in (_threads, _worker):
            patch.setattr(module, "time", interleaver.time)
        watcher = _threads.Watcher()
        for module in (_threads, _session):
            patch.setattr(module, "watcher", watcher)
        yield watcher


def _play_in_threads(play: Play, interleaver: Interleaver) -> None:
    world, scenario, sleep = play.world, play.scenario, interleaver.sleep
    platform = _Requests(world, world.fake.client(timeout=world.config.request_timeout))
    session = world.make(sync.Session, platform, _Handler(world, sleep), lambda function: function)

    def perform(number: int, actor: Actor) -> None:
        for act in actor:
            if isinstance(act, Call):
                with play.judged(number, act) as result:
                    result.append(play.begin(session, number, act))
            else:
                play.begin(session, number, act)
                sleep(act.seconds if isinstance(act, Wait) else 0.0)
        play.acting.discard(number)

    def starting(number: int, actor: Actor) -> None:
        interleaver.start(lambda: perform(number, actor), f"actor {number}")

    with session:
        world.observe()
        perform(PROLOGUE, scenario.prologue)
        play.choices.paused = False
        for number, actor in enumerate(scenario.actors):
            starting(number, actor)
        if scenario.closing:
            interleaver.point()
            play.closing = True
        else:
            for seconds in play.until():
                sleep(seconds)
            perform(EPILOGUE, play.epilogue())
    for seconds in play.until() if scenario.closing else ():
        sleep(seconds)
    play.choices.paused = True
    sleep(LONGEST_CALL)  # requests and handlers cannot be cancelled, but they end
