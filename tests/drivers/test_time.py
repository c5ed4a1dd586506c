"""Time as a driver brings it to the core: with clocks that fail, and clocks that nobody tells of."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from splus_session import (
    Config,
    Event,
    RenewalAnswered,
    SessionOpened,
    SessionState,
    TokenRenewed,
    TokenRevoked,
)
from splus_session.testing import FakePlatform, ManualClock
from tests.drivers.conftest import OpenStage
from tests.drivers.faces import Face, Log
from tests.drivers.stage import DUE, Asked, Stage, Vouching


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


ANSWERS = SessionOpened, RenewalAnswered, TokenRenewed, TokenRevoked


@pytest.mark.requirement("EXPIRE-4", "LOGIN-2", "RENEW-8", "LOGOUT-3")
@pytest.mark.parametrize("gives_nan", [False, True], ids=["raises", "gives NaN"])
def test_an_answer_counts_though_the_clock_fails_as_it_comes(
    gives_nan: bool, face: Face, failing: Failing
) -> None:
    fake, came = FakePlatform(clock=failing), Log()
    failing.gives_nan = gives_nan
    with Stage(face, fake, failing, session_handler=Vouching(fake)) as s:
        post = s.session._engine.post

        def post_as_the_clock_fails(event: Event, **named: Any) -> Any:
            if isinstance(event, ANSWERS):
                came.add(type(event))
                failing.fails = 1
            return post(event, **named)

        s.session._engine.post = post_as_the_clock_fails
        s.log_in()
        s.expire()
        s.heard(SessionState.ESTABLISHED)
        s.call("secure_logout")
        s.heard(SessionState.NOT_LOGGED_IN)
    assert came == list(ANSWERS)


class Unheard(ManualClock):
    """A clock that tells nobody when it is set, as a machine's own does not."""

    def on_jump(self, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


@pytest.mark.requirement("EXPIRE-4")
def test_the_time_is_looked_at_again_though_nobody_tells_that_it_was_set(face: Face) -> None:
    clock, handler = Unheard(), Asked()
    fake = FakePlatform(clock=clock)
    with Stage(face, fake, clock, session_handler=handler, config=Config(recheck=0.01)) as s:
        s.log_in()
        s.heard(SessionState.ESTABLISHED)
        clock.sleep(DUE)
        handler.log.wait_count(1)
        clock.jump(DUE)
        s.heard(SessionState.TOKEN_EXPIRED)


@pytest.mark.requirement("CLIENT-3")
def test_a_closed_session_hears_nothing_more_of_the_clock(face: Face, stage: OpenStage) -> None:
    s = stage()
    assert len(s.clock._callbacks) == 1
    s.close()
    assert s.clock._callbacks == {}
