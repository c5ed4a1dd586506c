"""Both of our own sessions, by an adapter in this process and by one that is a process of its own."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.conformance.kit import Kit, as_child, in_process
from tests.subjects import own_aio, own_sync

SUBJECTS = {"aio": own_aio, "sync": own_sync}
WAYS = {"in process": in_process, "child": as_child}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> ModuleType:
    """A client with an adapter."""
    return SUBJECTS[request.param]


@pytest.fixture(params=WAYS)
def kit(request: pytest.FixtureRequest, subject: ModuleType, tmp_path: Path) -> Iterator[Kit]:
    """A run that has begun."""
    with WAYS[request.param](subject) as channel:
        kit = Kit(channel, tmp_path)
        try:
            kit.begin()
            yield kit
        finally:
            kit.stop()
