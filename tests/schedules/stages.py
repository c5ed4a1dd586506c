"""The drivers, each as what plays a scenario under a schedule and judges it."""

from collections.abc import Callable

from tests.properties.monitors import Jury
from tests.schedules.on_loops import on_asyncio, on_trio
from tests.schedules.on_threads import on_threads

STAGES: dict[str, Callable[..., Jury]] = {"asyncio": on_asyncio, "trio": on_trio, "threads": on_threads}
"""The drivers, by name."""
