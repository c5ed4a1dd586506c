"""A process that is killed, and another that goes on where it was."""

import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from docs.examples.demo.customer import PASSWORD
from docs.examples.demo.journal import Party
from docs.examples.demo.stage import PATIENCE, BrokenPromiseError
from docs.examples.demo.world import World
from splus_session import Change, ChangeReason, SessionState
from splus_session.testing import Endpoint

USER = "bob"


class Child:
    """A running `process.py`, and what it says."""

    def __init__(self, process: Process, world: World) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.changes: list[Change] = []
        self.process = process
        self._orders = process.stdin
        self._said = BufferedByteReceiveStream(process.stdout)
        self._journal = world.journal

    async def order(self, order: str) -> None:
        """Have it do something."""
        await self._orders.send(f"{order}\n".encode())

    async def end(self) -> None:
        """Let it end by itself: there are no more orders."""
        await self._orders.aclose()
        await self.process.wait()

    async def until_state(self, state: SessionState) -> None:
        """Listen until its session has told of a state."""
        while not (self.changes and self.changes[-1].state is state):
            await self.listen(f"the process is {state.value}")

    async def listen(self, promise: str) -> dict[str, Any]:
        """The next thing it says, which is there for `promise`.

        Raises:
            BrokenPromiseError: it says nothing.
        """
        try:
            with anyio.fail_after(PATIENCE):
                line = await self._said.receive_until(b"\n", 65_536)
        except (TimeoutError, anyio.EndOfStream, anyio.IncompleteRead):
            raise BrokenPromiseError(promise) from None
        said = cast("dict[str, Any]", json.loads(line))
        if "state" in said:
            self._hear(said)
        return said

    def _hear(self, said: dict[str, Any]) -> None:
        previous = said["previous"] and SessionState(said["previous"])
        change = Change(SessionState(said["state"]), previous, ChangeReason(said["reason"]), said["at"])
        self.changes.append(change)
        self._journal.note_change(change)


@asynccontextmanager
async def child(world: World, store: Path) -> AsyncIterator[Child]:
    """Such a process; killed at the block's end if it still runs."""
    command = [sys.executable, "-m", "docs.examples.demo.process"]
    orders = {
        "apiKey": world.platform.api_key.reveal(),
        "platform": world.platform_url,
        "backend": world.backend_url,
        "store": str(store),
        "userId": USER,
        "password": PASSWORD,
    }
    async with await anyio.open_process(command, stderr=None) as process:
        world.journal.write(Party.SYSTEM, "a process starts", Party.CLIENT)
        running = Child(process, world)
        try:
            await running.order(json.dumps(orders))
            yield running
        finally:
            if process.returncode is None:
                process.kill()


async def play(world: World) -> None:
    """Play the scene."""
    with (
        TemporaryDirectory() as folder,
        world.stage.scene(
            "A killed process, resumed",
            "The app's process is killed, with no chance to say goodbye. The next one finds the session "
            "in SQLite and goes on without login. Logging out leaves nothing in the file.",
            outcome="established again, without login",
        ) as scene,
    ):
        world.let_tokens_live(60)
        store = Path(folder) / "session.sqlite"
        async with child(world, store) as first:
            await first.until_state(SessionState.ESTABLISHED)
            first.process.kill()
            world.journal.write(Party.SYSTEM, "SIGKILL", Party.CLIENT)
            ended = await first.process.wait()
        scene.check("the first process was killed", ended == -signal.SIGKILL)
        secret = world.platform.tokens_of(USER)[-1].token
        scene.check("its access token is in the file", _holds(folder, secret.reveal()))
        sent = len(world.platform.requests)
        async with child(world, store) as second:
            await second.until_state(SessionState.ESTABLISHED)
            await second.order("call the API")
            said = await second.listen("the process calls the API")
            await second.order("log out")
            await second.until_state(SessionState.NOT_LOGGED_IN)
            await second.end()
        asked = [request.endpoint for request in world.platform.requests[sent:]]
        resumed, _ = second.changes
        scene.check("the second begins established, resumed", resumed.reason is ChangeReason.RESUMED)
        scene.check("its API call is answered", said["status"] == 200)
        scene.check("with the same token: it never logged in", asked == [Endpoint.GET_USER])
        scene.check("after logout no file holds the token", not _holds(folder, secret.reveal()))


def _holds(folder: str, secret: str) -> bool:
    return any(secret.encode() in file.read_bytes() for file in Path(folder).iterdir())
