"""A scenario being played, whatever the driver: what its actors are told, when it is over, and whether it was right."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from splus_session import SessionState, SplusSessionError
from splus_session.ports import Authorization
from tests.properties.monitors import Jury
from tests.schedules.acts import LOGIN, Act, Actor, Call, Scenario, Wait
from tests.schedules.choices import Choices
from tests.schedules.judge import InvalidTraceError, validate
from tests.schedules.trace import Note, Told
from tests.schedules.world import SEED, World

LONGEST_LIFE = 10_000.0
"""Seconds after which actors that still wait in bad weather will wait for ever."""
LONGEST_CALL = 200.0
"""Seconds: a renewal that is waited for, with its question and its request, and a revocation after it."""
PROLOGUE, EPILOGUE = -1, -2
"""Numbers of actors."""
AUTHORIZATION = Call("authorization")
ROUNDING = 0.001
"""Seconds."""


class Play:
    """A scenario in its world, whatever the driver."""

    def __init__(self, scenario: Scenario, choices: Choices, world: World) -> None:
        self.scenario, self.choices, self.world = scenario, choices, world
        self.acting = set(range(len(scenario.actors)))
        """The actors that are still at it."""
        self.closing = False
        self.lost: Callable[[], float] = lambda: 0.0
        """Gives the seconds that passed for no reason but the schedule."""
        choices.paused = True

    def begin(self, session: Any, actor: int, act: Act) -> Any:
        """Have an act begin; gives what a call gives, which may have to be awaited."""
        self.world.trace.add(Note(f"actor {actor}  {act}"))
        if isinstance(act, Call):
            named: dict[str, Any] = {name: self._given(named) for name, named in act.named.items()}
            if act.method == "login":
                named["auth_token"] = self.world.fake.issue_auth_token(named["user_id"])
            return getattr(session, act.method)(**named)
        if not isinstance(act, Wait):
            act.how(self.world)
        return None

    def _given(self, argument: Any) -> Any:
        return argument(self.world) if callable(argument) else argument

    @contextmanager
    def judged(self, actor: int, act: Call) -> Iterator[list[Any]]:
        """Write down what becomes of a call; the block puts its result into the list."""
        world, result, outcome = self.world, list[Any](), ""
        since, began, earliest = len(world.trace), world.time(), world.clock.now()
        core = world.session._engine._core
        grants = len(core.granted) - 1
        try:
            yield result
            outcome = "done" if result else "gave up"
        except SplusSessionError as error:
            outcome = f"{type(error).__name__}: {error}"
            if "closed" in outcome and not self.closing:
                world.violations.append(f"actor {actor} hears that the session is closed, and it is open")
        if result and isinstance(result[0], Authorization):
            header = result[0]
            outcome = f"the header of attempt {header.attempt}"
            if header.attempt not in core.granted[grants:] or header.until <= min(
                earliest, world.clock.now()
            ):
                world.violations.append(f"actor {actor} has a header that was not live while it asked")
        if world.time() - began > LONGEST_CALL + self.lost():
            world.violations.append(f"actor {actor} waited {world.time() - began:g} s for {act}")
        if actor == EPILOGUE and not outcome.startswith(("done", "the header")):
            world.violations.append(f"nothing goes wrong any more, but {act}: {outcome}")
        world.trace.add(Told(actor, act.method, outcome, since))

    def until(self) -> Iterator[float]:
        """Wait until everything has come to an end, or should have: gives how long, again and again."""
        scenario, mended = self.scenario, False
        until = self.world.time() + (LONGEST_LIFE if scenario.mends else scenario.settles_within)
        while True:
            if not self.acting and not mended:
                mended = True
                until = self.world.time() + scenario.settles_within
                if scenario.mends:
                    self.world.mend()
                else:
                    self.choices.paused = True
            overdue = self.overdue()
            if overdue is None:
                return
            if self.world.time() > until:
                self.world.violations.append(f"{overdue}, and has had its time")
                return
            yield 5.0

    def epilogue(self) -> Actor:
        """What an app does when the weather is fine again, and must succeed in."""
        user = self.world.fake.user("ann")
        self.choices.paused = True
        if not self.scenario.mends or user.is_banned or user.is_deleted:
            return ()
        out = self.world.snapshot.state is SessionState.NOT_LOGGED_IN
        return (LOGIN, AUTHORIZATION) if out else (AUTHORIZATION,)

    def finish(self, left: list[str]) -> Jury:
        """Judge what happened; `left` are the tasks or threads that are still there.

        Raises:
            InvalidTraceError: it should not have.
        """
        world = self.world
        try:
            if world.violations:
                raise InvalidTraceError(world.violations[0])
            if left:
                raise InvalidTraceError(f"these were left behind: {', '.join(left)}")
            lost = self.lost()
            # A closing gives hooks and observers a bounded time, which the machine may have slept through.
            finished = not (self.closing and lost >= world.config.wait_limit)
            return validate(
                world.trace, world.config, SEED, slack=ROUNDING + lost + world.jumped, finished=finished
            )
        except InvalidTraceError as error:
            raise InvalidTraceError(f"{error}\n\nwhat happened:\n{world.trace.shown()}") from error

    def overdue(self) -> str | None:
        """What should have come to an end; None if everything has."""
        if self.acting:
            return f"actor {min(self.acting)} still waits"
        return None if self.scenario.closing else self.world.unsettled()


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged: what goes wrong here goes wrong on purpose."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
