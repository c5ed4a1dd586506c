"""Sessions for asyncio and trio. Needs the extra `aio`."""

from importlib.util import find_spec

from splus_session._errors import MissingExtraError

if find_spec("anyio") is None:
    raise MissingExtraError("aio")

from splus_session.aio._observers import Changes
from splus_session.aio._session import Session

__all__ = ["Changes", "Session"]
