"""Waking threads."""

import threading


class Signal:
    """Wakes every thread that listens."""

    __slots__ = ("_event", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event: threading.Event | None = None

    def listen(self) -> threading.Event:
        """What is set when this fires next. Listen first, then look, then wait: no wake-up is lost."""
        with self._lock:
            if self._event is None:
                self._event = threading.Event()
            return self._event

    def fire(self) -> None:
        """Wake whoever listens now."""
        with self._lock:
            event, self._event = self._event, None
        if event is not None:
            event.set()
