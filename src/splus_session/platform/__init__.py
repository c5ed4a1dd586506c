"""The real platform, over HTTP.

`HttpPlatform` is in `splus_session.platform.aio` and `.sync`, `SessionAuth` in `.auth`: these
three need httpx2 (the extra `http`). What is named here needs nothing.
"""

from splus_session.platform._endpoint import REGIONS, Endpoint
from splus_session.platform._meanings import ANY_STATUS, WIRE_TABLE, Call, WireRule, meaning

__all__ = [
    "Endpoint",
    "REGIONS",
    "Call",
    "WireRule",
    "WIRE_TABLE",
    "ANY_STATUS",
    "meaning",
]
