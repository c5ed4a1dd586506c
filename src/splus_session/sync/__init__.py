"""Sessions for threads."""

from splus_session.sync._observers import Changes
from splus_session.sync._session import Session

__all__ = ["Changes", "Session"]
