"""A threaded session on the fake platform."""

from collections.abc import Callable
from typing import Any

import pytest

from splus_session.sync import Session
from splus_session.testing import FakePlatform, ManualClock


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
        return Session(fake.api_key, **{"platform": fake.client(), "clock": clock, **arguments})

    return make
