"""Every test here runs in asyncio and in trio."""

from collections.abc import Callable
from typing import Any

import pytest

from splus_session.aio import Session
from splus_session.testing import FakePlatform, ManualClock


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def fake(clock: ManualClock) -> FakePlatform:
    return FakePlatform(clock=clock)


MakeSession = Callable[..., Session]


@pytest.fixture
def make(fake: FakePlatform, clock: ManualClock) -> MakeSession:
    """Makes a session on the fake platform, not opened yet."""

    def make(**arguments: Any) -> Session:
        return Session(fake.api_key, **{"platform": fake.async_client(), "clock": clock, **arguments})

    return make
