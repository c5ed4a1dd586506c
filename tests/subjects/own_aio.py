"""Our own session for asyncio, as a client to be judged: `python -m tests.subjects.own_aio`."""

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import httpx2

from splus_session import Config
from splus_session.aio import Session
from splus_session.conformance.adapter import CountedStore, Setup, serve
from splus_session.platform import Endpoint
from splus_session.platform.aio import HttpPlatform
from splus_session.stores.sqlite import SqliteStore

NAME = "splus_session.aio"
FEATURES = (
    "development",
    "access_token",
    "visitor",
    "bot",
    "own_handler",
    "region",
    "secure_logout",
    "renew_now",
    "cancel",
    "call",
    "realtime",
    "observers",
    "reasons",
    "hooks",
    "close",
    "resume",
    "several",
    "time",
    "sleep",
    "jump",
    "again",
)


def make_client(setup: Setup) -> Session:
    """A session that does the same in each run: its time is the run's, it has no jitter, and its seed is known."""
    http = httpx2.AsyncClient(transport=setup.traffic.async_transport())
    setup.at_close(http.aclose)
    with seeded():
        return _session(setup, http)


def _session(setup: Setup, http: httpx2.AsyncClient) -> Session:
    return Session(
        setup.api_key,
        setup.region,
        endpoint=setup.endpoint,
        development=setup.development,
        session_handler=setup.session_handler,
        access_token_handler=setup.access_token_handler,
        hooks=setup.hooks,
        store=CountedStore(SqliteStore(setup.store / f"{setup.client}.sqlite"), setup.traffic),
        config=Config(jitter=0.0),
        platform=HttpPlatform(Endpoint(setup.url), setup.api_key, client=http, now=setup.clock.now),
        clock=setup.clock,
    )


def seeded() -> AbstractContextManager[Any]:
    """Sessions that are made in this block draw their pauses alike, in each process and run."""
    return mock.patch("splus_session._base.secrets.randbits", return_value=1)


if __name__ == "__main__":
    serve(make_client, name=NAME, version="", features=FEATURES, threaded=False)
