"""The engine by hand: what a driver would do of itself, each test does here in the order it likes."""

import pytest

from splus_session._answers import facts
from splus_session._commands import OpenSession
from splus_session._config import Config
from splus_session._engine import Engine, Flight
from splus_session._errors import NotLoggedInError
from splus_session._events import Login, Logout
from splus_session.ports import Authorization
from splus_session.testing import FakePlatform, ManualClock


class Silent:
    """A signal on which nobody waits."""

    def fire(self) -> None:
        pass


class Bench:
    """An engine whose requests a fake platform answers when it is told to."""

    def __init__(self) -> None:
        clock = ManualClock()
        self.fake = FakePlatform(clock=clock)
        self.engine = Engine(Config(), clock, seed=0, signal=Silent, kick=lambda: None)

    def start_login(self, user_id: str) -> None:
        self.engine.post(Login(user_id, self.fake.issue_auth_token(user_id)))

    def answer(self) -> None:
        platform = self.fake.client()
        while (entry := self.engine.take()) is not None:
            for command in entry.commands:
                if isinstance(command, OpenSession):
                    answer = platform.open_session(command.grant, device_id="a-device")
                    for fact in facts(command, answer):
                        self.engine.post(fact)

    def waiting(self) -> Flight[Silent]:
        """What somebody waits for who needs a header now."""
        flight = self.engine.authorize()
        assert isinstance(flight, Flight)
        return flight


@pytest.mark.requirement("EXPIRE-5")
def test_who_waited_gets_the_header_of_the_stay_that_it_was_asked_in() -> None:
    bench = Bench()
    bench.start_login("alice")
    flight = bench.waiting()
    assert bench.engine.authorize(after=flight) is flight
    bench.answer()
    given = bench.engine.authorize(after=flight)
    assert isinstance(given, Authorization)
    assert given.session == flight.session


@pytest.mark.requirement("EXPIRE-2", "EXPIRE-5")
@pytest.mark.parametrize("next_one", ["on its way", "established", "nobody"])
def test_who_waited_in_one_stay_gets_nothing_of_the_next(next_one: str) -> None:
    bench = Bench()
    bench.start_login("alice")
    flight = bench.waiting()
    bench.engine.post(Logout())
    if next_one != "nobody":
        bench.start_login("bob")
    if next_one == "established":
        bench.answer()
        assert isinstance(bench.engine.authorize(), Authorization)
    for _ in range(2):
        with pytest.raises(NotLoggedInError):
            bench.engine.authorize(after=flight)
