"""The default store: sessions live as long as the process."""

from collections.abc import Callable
from typing import Literal

from splus_session._credentials import Record
from splus_session.stores._identity import make_device_id

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps records in memory; safe to use from any thread. See `splus_session.ports.Store`.

    It cannot fail, and what it has deleted it holds no more. [LOGOUT-5]
    """

    # Each step is one operation of a dict, which Python does as a whole. A lock would do no better,
    # and a fork could leave it locked in the child for ever.

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._device: dict[Literal["id"], str] = {}

    def load(self, key: str) -> Record | None:
        """The record stored under this key, if any."""
        return self._records.get(key)

    def save(self, key: str, record: Record) -> None:
        """Store the record."""
        self._records[key] = record

    def delete(self, key: str) -> None:
        """Forget the record and its secrets. [LOGOUT-5]"""
        self._records.pop(key, None)

    def device_id(self, make: Callable[[], str]) -> str:
        """This store's device id; made by `make` the first time. [LOGIN-10]

        Raises:
            InvalidArgumentError: `make` made no text, or an empty one.
        """
        known = self._device.get("id")
        # `make` is somebody else's code, and may be run by many at once; the first to come back wins.
        return self._device.setdefault("id", make_device_id(make)) if known is None else known
