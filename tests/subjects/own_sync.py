"""Our own session for threads, as a client to be judged: `python -m tests.subjects.own_sync`."""

import httpx2

from splus_session import Config
from splus_session.conformance.adapter import CountedStore, Setup, serve
from splus_session.platform import Endpoint
from splus_session.platform.sync import HttpPlatform
from splus_session.stores.sqlite import SqliteStore
from splus_session.sync import Session
from tests.subjects import own_aio

NAME = "splus_session.sync"
# A thread that waits in a login cannot be made to give up.
FEATURES = tuple(feature for feature in own_aio.FEATURES if feature != "cancel")


def make_client(setup: Setup) -> Session:
    """A session; see `own_aio.make_client`."""
    # It keeps no connection, so there is nothing to close: least of all what other threads wait for.
    http = httpx2.Client(transport=setup.traffic.transport())
    with own_aio.seeded():
        return _session(setup, http)


def _session(setup: Setup, http: httpx2.Client) -> Session:
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


if __name__ == "__main__":
    serve(make_client, name=NAME, version="", features=FEATURES, threaded=True)
