"""Our own session as a client whose time is nobody's to move: `python -m tests.conformance.own_time`.

With `--deaf` its renewals go unheard, so that its token just expires.
"""

import sys

import attrs

from splus_session.aio import Session
from splus_session.conformance.adapter import Setup, serve
from splus_session.ports import Renewal
from tests.subjects import own_aio

FEATURES = tuple(feature for feature in own_aio.FEATURES if feature not in ("time", "sleep", "jump"))


class Deaf:
    """A session handler that tells nobody."""

    def session_will_renew_access_token(self, renewal: Renewal) -> None:
        """See `SessionHandler`."""


def deaf_client(setup: Setup) -> Session:
    return own_aio.make_client(attrs.evolve(setup, session_handler=Deaf()))


if __name__ == "__main__":
    make_client = deaf_client if "--deaf" in sys.argv else own_aio.make_client
    serve(make_client, name="our own time", version="", features=FEATURES, threaded=False)
