"""Every test here runs on every driver."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from splus_session.testing import FakePlatform, ManualClock
from tests.drivers.faces import Face, face_of
from tests.drivers.stage import Stage


@pytest.fixture(scope="session", params=["asyncio", "trio", "sync"])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """A driver."""
    with face_of(request.param) as face:
        yield face


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def fake(clock: ManualClock) -> FakePlatform:
    return FakePlatform(clock=clock)


OpenStage = Callable[..., Stage]


@pytest.fixture
def stage(face: Face, fake: FakePlatform, clock: ManualClock) -> Iterator[OpenStage]:
    """Opens a session on the fake platform, by hand of a driver; closed when the test ends."""
    with ExitStack() as stack:

        def open_one(**arguments: Any) -> Stage:
            opened = Stage(face, fake, clock, **arguments)
            stack.enter_context(opened)
            return opened

        yield open_one
