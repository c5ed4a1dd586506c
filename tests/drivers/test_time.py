"""Time as a driver brings it to the core: with clocks that fail, and clocks that nobody tells of."""

import math

import pytest

from splus_session import Config, SessionState
from splus_session.testing import FakePlatform, ManualClock
from tests.drivers.faces import Face
from tests.drivers.stage import DUE, Asked, Stage


class Failing(ManualClock):
    """A clock that fails as often as it is told, one way or the other."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = 0
        self.gives_nan = False

    def now(self) -> float:
        if self.fails:
            self.fails -= 1
            if self.gives_nan:
                return math.nan
            raise OSError("no clock")
        return super().now()


@pytest.fixture
def failing() -> Failing:
    return Failing()


@pytest.mark.requirement("EXPIRE-4", "RENEW-1")
@pytest.mark.parametrize("gives_nan", [False, True], ids=["raises", "gives NaN"])
def test_a_clock_that_fails_for_a_while_is_looked_at_again(
    gives_nan: bool, face: Face, failing: Failing
) -> None:
    handler = Asked()
    with Stage(
        face, FakePlatform(clock=failing), failing, session_handler=handler, config=Config(recheck=0.01)
    ) as s:
        s.log_in()
        s.heard(SessionState.ESTABLISHED)
        failing.gives_nan, failing.fails = gives_nan, 3
        failing.advance(DUE)
        handler.log.wait_count(1)
