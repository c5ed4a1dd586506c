"""Sessions for asyncio and trio."""

from splus_session.aio._observers import Changes
from splus_session.aio._session import Session

__all__ = ["Changes", "Session"]
