"""Runs the customer's backend as a real HTTP server, and writes down what it is asked."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from docs.examples.demo.journal import Entry, Journal, Party

_IN_WORDS = {
    "/sign-in": "sign in as {}, by password",
    "/sign-out": "sign out",
    "/api/auth/social-plus-token": "auth token for {}, by cookie",
    "/api/auth/access-token": "access token, by cookie",
    "/api/visitor/auth-signature": "sign this device's id",
}


class Witness:
    """An app that writes into the journal what is asked of the app behind it, and what that answers."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        arrived = time.time()
        body = b""
        status = ""

        async def hear() -> Message:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        async def listen(message: Message) -> None:
            nonlocal status
            status = status or str(message["status"])
            await send(message)

        await self._app(scope, hear, listen)
        path: str = scope["path"]
        self._journal.add(
            Entry(
                at=arrived,
                source=Party.CLIENT,
                target=Party.BACKEND,
                what=_IN_WORDS[path].format(_user_in(body)),
                answer=status,
                wire=f"POST {path}",
            )
        )


def _user_in(body: bytes) -> str:
    """Whom a request names, if it does and was read; nothing else of it is to be seen."""
    asked = json.loads(body) if body else {}
    return str(asked.get("userId", "somebody"))


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve an app on a free port of 127.0.0.1 while the block runs; gives its URL."""
    # Bound here and not by uvicorn: so its port is known, and whoever is early waits in line.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # Connections stay open for longer than any client keeps one: so none is used while it closes.
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_keep_alive=60)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), name="the customer's backend")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
