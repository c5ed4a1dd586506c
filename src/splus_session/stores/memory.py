"""The default store: sessions live as long as the process."""

import threading
from collections.abc import Callable

from splus_session._credentials import Record
from splus_session.stores._identity import make_device_id

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps records in memory; safe to use from any thread. See `splus_session.ports.Store`.

    It cannot fail, and what it has deleted it holds no more. [LOGOUT-5]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._device_id: str | None = None

    def load(self, key: str) -> Record | None:
        """The record stored under this key, if any."""
        with self._lock:
            return self._records.get(key)

    def save(self, key: str, record: Record) -> None:
        """Store the record."""
        with self._lock:
            self._records[key] = record

    def delete(self, key: str) -> None:
        """Forget the record and its secrets. [LOGOUT-5]"""
        with self._lock:
            self._records.pop(key, None)

    def device_id(self, make: Callable[[], str]) -> str:
        """This store's device id; made by `make` the first time. [LOGIN-10]

        Raises:
            InvalidArgumentError: `make` made no text, or an empty one.
        """
        with self._lock:
            known = self._device_id
        if known is not None:
            return known
        # `make` is somebody else's code and runs outside the lock; the first to come back wins.
        made = make_device_id(make)
        with self._lock:
            if self._device_id is None:
                self._device_id = made
            return self._device_id
