"""A scenario on the async driver: in asyncio and in trio, with the order of what runs chosen."""

import random
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import trio
import trio.testing

from splus_session import aio
from splus_session.aio import _foreign
from tests.properties.monitors import Jury
from tests.schedules.acts import Actor, Call, Scenario, Wait
from tests.schedules.choices import Choices
from tests.schedules.loop import ChosenLoop, Threads, run_in_chosen_loop
from tests.schedules.play import EPILOGUE, PROLOGUE, Play, quiet
from tests.schedules.world import Kind, Requests, World


class _AsyncHandler:
    def __init__(self, world: World) -> None:
        self._world = world

    async def session_will_renew_access_token(self, renewal: Any) -> None:
        await anyio.sleep(self._world.asked(renewal))
        self._world.answer(renewal)


class _AsyncRequests(Requests):
    async def open_session(self, grant: Any, *, device_id: str) -> Any:
        self.sent("open_session", grant)
        return await self.client.open_session(grant, device_id=device_id)

    async def verify(self, access_token: Any) -> Any:
        self.sent("verify", access_token)
        return await self.client.verify(access_token)

    async def revoke(self, access_token: Any) -> Any:
        self.sent("revoke", access_token)
        return await self.client.revoke(access_token)


async def _play_async(play: Play) -> None:
    world, scenario = play.world, play.scenario
    platform = _AsyncRequests(world, world.fake.async_client(timeout=world.config.request_timeout))
    session = world.make(aio.Session, platform, _AsyncHandler(world), _async_callback)

    async def perform(number: int, actor: Actor) -> None:
        for act in actor:
            if isinstance(act, Call):
                with play.judged(number, act) as result:
                    with anyio.move_on_after(act.cancelled_after):
                        result.append(await play.begin(session, number, act))
            else:
                play.begin(session, number, act)
                await anyio.sleep(act.seconds if isinstance(act, Wait) else 0.0)
        play.acting.discard(number)

    async with anyio.create_task_group() as actors:
        async with session:
            world.observe()
            await perform(PROLOGUE, scenario.prologue)
            play.choices.paused = False
            for number, actor in enumerate(scenario.actors):
                actors.start_soon(perform, number, actor, name=f"actor {number}")
            if scenario.closing:
                await anyio.lowlevel.checkpoint()
                play.closing = True
            else:
                for seconds in play.until():
                    await anyio.sleep(seconds)
                await perform(EPILOGUE, play.epilogue())
        for seconds in play.until() if scenario.closing else ():
            await anyio.sleep(seconds)
        actors.cancel_scope.cancel()


def _async_callback(function: Callable[[Any], object]) -> Callable[[Any], Any]:
    async def call(argument: Any) -> None:
        await anyio.lowlevel.checkpoint()
        function(argument)

    return call


def on_asyncio(
    scenario: Scenario, choices: Choices, moods: random.Random | None = None, *, kind: Kind = World
) -> Jury:
    """Play it in a loop of asyncio whose every step is chosen."""
    loop = ChosenLoop(choices, each_step=lambda: world.check())
    world = kind(loop.time, moods=moods)
    play = Play(scenario, choices, world)
    play.lost = lambda: loop.lost
    with pytest.MonkeyPatch.context() as patch, quiet(), world.noting_what_is_stored():
        patch.setattr(_foreign, "threading", Threads(loop.call_soon))
        left = run_in_chosen_loop(loop, lambda: _play_async(play))
    return play.finish(left)


def on_trio(
    scenario: Scenario, choices: Choices, moods: random.Random | None = None, *, kind: Kind = World
) -> Jury:
    """Play it in trio, with the order of each of its batches chosen, by a clock that jumps when all wait."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    world = kind(lambda: clock.current_time(), moods=moods)
    play = Play(scenario, choices, world)

    async def main() -> None:
        patch.setattr(_foreign, "threading", Threads(trio.lowlevel.current_trio_token().run_sync_soon))
        await _play_async(play)

    with pytest.MonkeyPatch.context() as patch, quiet(), world.noting_what_is_stored():
        patch.setattr(trio._core._run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
        patch.setattr(trio._core._run, "_r", _Batches(choices))
        trio.run(main, clock=clock, instruments=[_EachStep(world)])
    return play.finish([])  # trio ends with everything that it began


class _Batches:
    """What trio has of `random.Random`."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def shuffle(self, batch: list[Any]) -> None:
        """Put what can run into the order in which it does, the first at the end."""
        left, ordered = list(batch), list[Any]()
        while left:
            taken = self._choices.choose(len(left), lambda i: str(left[i].name))
            ordered.append(left.pop(taken))
        batch[:] = reversed(ordered)


class _EachStep(trio.abc.Instrument):
    def __init__(self, world: World) -> None:
        self._world = world

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._world.check()
