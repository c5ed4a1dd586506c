"""Testing what embeds this library, and the library itself: a platform of one's own, a clock to turn.

    clock = ManualClock()
    platform = FakePlatform(clock=clock)
    with platform.serve() as server:
        ...  # a client of server.url
        platform.ban("user-123")

Needs the extra `testing`.
"""

from importlib.util import find_spec

from splus_session._errors import MissingExtraError

if find_spec("anyio") is None:  # whatever else is in the extra is imported when asked for
    raise MissingExtraError("testing")

from splus_session.testing import faults
from splus_session.testing._endpoints import Endpoint
from splus_session.testing._script import Received
from splus_session.testing._tokens import TokenTerms
from splus_session.testing._world import IssuedToken, Rules, SameDevice, User
from splus_session.testing.clock import ManualClock
from splus_session.testing.faults import Fault, Hold
from splus_session.testing.platform import FakePlatform

__all__ = [
    "FakePlatform",
    "ManualClock",
    "Endpoint",
    "Fault",
    "Hold",
    "IssuedToken",
    "Received",
    "Rules",
    "SameDevice",
    "TokenTerms",
    "User",
    "faults",
]
