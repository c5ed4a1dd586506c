"""The fake platform as a real HTTP server in a thread of its own."""

import asyncio
import socket
import sys
import threading

from splus_session._errors import MissingExtraError

try:
    import uvicorn

    from splus_session.testing._asgi import FakeApp, HangUpProtocol
except ImportError:
    raise MissingExtraError("testing") from None

from splus_session.testing._engine import Engine
from splus_session.testing._waiting import Signal


class FakeServer:
    """A running server. It listens before the constructor returns, on 127.0.0.1 and nowhere else.

    Args:
        engine: what carries the requests out.
        port: which; 0: any free one, so that any number of servers may run side by side.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, engine: Engine, port: int = 0) -> None:
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self._stopped = Signal()
        self._server = _Server(FakeApp(engine, self._stopped), self._stopped)
        self._thread = threading.Thread(target=self._run, name=f"fake platform {self.url}", daemon=True)
        self._thread.start()
        self._server.listening.wait()

    @property
    def url(self) -> str:
        """Where it is, such as `http://127.0.0.1:40123`."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End at once, as if killed: connections break, requests under way get no answer, and the
        port is free again. Doing it again does nothing."""
        self._stopped.set()
        # At the interpreter's end its thread runs no more, and would be waited for in vain.
        if not sys.is_finalizing():
            self._thread.join()

    def _run(self) -> None:
        with self._socket:  # also if there are no file descriptors left to stop with
            asyncio.run(self._server.serve(sockets=[self._socket]))


class _Server(uvicorn.Server):
    """uvicorn's server, told to stop by a signal instead of looking for it, and abrupt about it."""

    def __init__(self, app: FakeApp, stopped: Signal) -> None:
        config = uvicorn.Config(
            app,
            http=HangUpProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            date_header=False,  # the platform has its own clock
            # Longer than any client keeps one, lest a connection be used in the moment that it closes.
            timeout_keep_alive=3600,
            server_header=False,
        )
        super().__init__(config)
        self.listening = Signal()
        self._stopped = stopped

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        await self._stopped

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Closed servers are of no use to connections that are being accepted: CPython (gh-109564) drops
        # those without hanging up. So no more are accepted, these become connections, and then it closes.
        for listening in sockets or ():
            asyncio.get_running_loop().remove_reader(listening)
        while True:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            tasks = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
            if not tasks:
                break
            await asyncio.wait(tasks)
        for server in self.servers:
            server.close()
            await server.wait_closed()


def _listen(port: int) -> socket.socket:
    """Bound here and not by uvicorn: so the port is known, and nobody takes it meanwhile."""
    # asyncio turns Nagle's delay off only for sockets that name their protocol.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    return listening
