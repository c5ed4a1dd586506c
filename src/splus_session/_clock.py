"""The machine's clock."""

import time
from collections.abc import Callable


class SystemClock:
    """The time, as the machine has it."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def on_jump(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Nobody tells of this clock's jumps; a driver looks at it often enough. [EXPIRE-4]"""
        return lambda: None
