"""Time for clients whose time is nobody's to move: it passes by itself, and a run waits for it."""

import time
from typing import Final

from splus_session.testing.clock import ManualClock

LIFETIME: Final = 6.0
"""Of tokens there, in seconds. They are renewed after 4.3 s, and a machine may be busy for one of them."""

LONGEST: Final = 10.0
"""Real seconds that one waits for anything. What takes longer is not seen."""

LATE: Final = 1.0
"""Real seconds that a client may be late with what time brings."""


class RealClock(ManualClock):
    """The machine's time. To advance it is to wait."""

    def now(self) -> float:
        """See `ManualClock`."""
        return time.time()

    def true_now(self) -> float:
        """See `ManualClock`."""
        return time.time()

    def monotonic(self) -> float:
        """See `ManualClock`."""
        return time.monotonic()

    def advance(self, seconds: float) -> None:
        """See `ManualClock`."""
        time.sleep(seconds)
