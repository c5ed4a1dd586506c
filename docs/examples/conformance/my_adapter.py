"""Answers the kit's commands: `splus-session conform -- python my_adapter.py`."""

import httpx2

from splus_session.aio import Session
from splus_session.conformance.adapter import Setup, serve
from splus_session.platform import Endpoint
from splus_session.platform.aio import HttpPlatform


def make_client(setup: Setup) -> Session:
    """Make your client here. This one is the library's own session."""
    http = httpx2.AsyncClient(transport=setup.traffic.async_transport())  # counts its requests
    setup.at_close(http.aclose)
    return Session(
        setup.api_key,
        setup.region,
        endpoint=setup.endpoint,
        session_handler=setup.session_handler,
        access_token_handler=setup.access_token_handler,
        platform=HttpPlatform(Endpoint(setup.url), setup.api_key, client=http, now=setup.clock.now),
        clock=setup.clock,
    )


if __name__ == "__main__":
    serve(
        make_client,
        name="my client",
        version="1.2.3",
        features=(
            "access_token",
            "own_handler",
            "region",
            "secure_logout",
            "call",
            "observers",
            "close",
            "time",
            "again",
        ),
        threaded=False,
    )
