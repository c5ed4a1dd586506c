"""Callbacks that observe a session: who may register one, and what it hears."""

from functools import partial

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from splus_session import Change, ChangeReason, SessionState
from splus_session.aio import Session

pytestmark = pytest.mark.anyio


class Ear:
    """Hears changes, and lets a test wait for the first."""

    def __init__(self) -> None:
        self.heard: list[Change] = []
        self.first = anyio.Event()

    async def hear(self, change: Change) -> None:
        await anyio.lowlevel.checkpoint()
        self.heard.append(change)
        self.first.set()


@pytest.mark.requirement("OBSERVE-1")
async def test_a_callback_hears_at_once_where_the_session_is() -> None:
    ear = Ear()
    async with Session("key") as session:
        session.on_change(ear.hear)
        with anyio.fail_after(10):
            await ear.first.wait()
    assert [(change.state, change.reason) for change in ear.heard] == [
        (SessionState.NOT_LOGGED_IN, ChangeReason.STARTED)
    ]


@pytest.mark.requirement("OBSERVE-1")
async def test_a_callback_registered_from_another_thread_runs_in_the_sessions_own_loop() -> None:
    ear = Ear()
    async with Session("key") as session:
        await anyio.to_thread.run_sync(partial(session.on_change, ear.hear))
        with anyio.fail_after(10):
            await ear.first.wait()
    assert len(ear.heard) == 1
