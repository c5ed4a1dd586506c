"""Where sessions survive the process: in memory for as long as it lives, or in a file.

`MemoryStore` is the default. `SqliteStore` is in `splus_session.stores.sqlite`, so that only its
users import `sqlite3`. Your own store is a class with the methods of `splus_session.ports.Store`.
"""

from splus_session.stores._identity import session_key
from splus_session.stores.memory import MemoryStore

__all__ = ["MemoryStore", "session_key"]
