"""Judges a client in this process: `pytest test_my_client.py`."""

from splus_session.aio import Session
from splus_session.conformance import Conformance
from splus_session.testing import FakePlatform, ManualClock


class TestMyClient(Conformance):
    """One test for each requirement."""

    budget = 100  # scenarios

    def make_client(self, platform: FakePlatform, clock: ManualClock) -> Session:
        """Make your client here. This one is the library's own session."""
        return Session(platform.api_key, platform=platform.async_client(), clock=clock)
