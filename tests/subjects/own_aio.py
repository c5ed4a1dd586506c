"""Our own session for asyncio, as a client to be judged: `python -m tests.subjects.own_aio`."""

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
    """A session. Its time is the run's, so that a run is the same each time, and so is its jitter: none."""
    http = httpx2.AsyncClient(transport=setup.traffic.async_transport())
    setup.at_close(http.aclose)
    session = Session(
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
    return session


if __name__ == "__main__":
    serve(make_client, name=NAME, version="0", features=FEATURES, threaded=False)
