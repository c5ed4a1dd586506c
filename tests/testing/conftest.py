"""A fake platform by a manual clock, and a client of it: in process, and over HTTP."""

import ssl
from collections.abc import Iterator

import httpx2
import pytest

from splus_session.testing import FakePlatform, ManualClock

# Loading the machine's certificates would be most of the time that these tests take.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def platform(clock: ManualClock) -> FakePlatform:
    return FakePlatform(clock=clock)


@pytest.fixture(params=["in process", "over HTTP"])
def http(platform: FakePlatform, request: pytest.FixtureRequest) -> Iterator[httpx2.Client]:
    """A client of the platform's whole API, by either face."""
    if request.param == "in process":
        with httpx2.Client(
            transport=platform.transport(), base_url="https://fake", timeout=None, verify=NO_TLS
        ) as client:
            yield client
    else:
        with (
            platform.serve() as server,
            httpx2.Client(base_url=server.url, timeout=None, verify=NO_TLS) as client,
        ):
            yield client
