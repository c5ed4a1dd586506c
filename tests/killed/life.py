"""One process's life, until it is killed: a real session over SQLite, that tells whatever it is told.

What is about to be asked is said before it is asked, and everything told is said as it is told,
each in a line of its own:

    asks login 1700000060.0
    establishing
    established
    on_login
    back
"""

import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from splus_session.ports import Renewal
from splus_session.stores.sqlite import SqliteStore
from splus_session.testing import Endpoint, FakePlatform, ManualClock
from tests.drivers.faces import PATIENCE, Face, Log, face_of
from tests.drivers.stage import HOOKS, Stage
from tests.killed.story import BACK, ENDED, EXPIRED, IN, LIFETIME, OUT, POSSIBLE, Stored, Story, user_at

API_KEY = "api-canary-90d2"
Choice = Callable[[str], str | None]
"""What to ask next, by where the session is; None: nothing more."""


def at_random(chance: random.Random) -> Choice:
    """Anything possible, without end."""
    return lambda state: chance.choice(POSSIBLE[state])


def toward(target: str, then: Iterable[str] = ()) -> Choice:
    """What leads to a state, from wherever it begins, and then something more, one after the other."""
    more: Iterator[str] | None = None

    def choose(state: str) -> str | None:
        nonlocal more
        if more is None and state != target:
            return _step(state, target)
        more = more or iter(then)
        return next(more, None)

    return choose


def _step(state: str, target: str) -> str:
    if state in (IN, EXPIRED):
        return {EXPIRED: "lapse", ENDED: "ban", IN: "renew"}.get(target, "logout")
    return {"": "open", OUT: "login"}.get(state, "logout")


class Life:
    """See the module."""

    def __init__(self, path: Path, found: Stored | None, start: float, say: Callable[[str], None]) -> None:
        """Begin a life.

        Args:
            path: the store's file.
            found: what is in it.
            start: what time it is (UTC seconds).
            say: sends a line out of the process.
        """
        self._path, self._say = path, say
        self._story = Story(found)
        self._clock = ManualClock(start)
        self._fake = FakePlatform(clock=self._clock)
        self._vouches = False
        self._told = Log()

    def live(self, driver: str, choose: Choice) -> None:
        """Do what is chosen, each thing once all of what was before has been told."""
        with face_of(driver) as face, self._stage(face, choose) as stage:
            stage.session.on_change(lambda change: self._tell(change.state.value))
            self._wait(stage)
            while action := choose(self._story.state):
                self._ask(action)
                self._act(stage, action)
                self._wait(stage)

    def _stage(self, face: Face, choose: Choice) -> Stage:
        self._ask(choose(self._story.state))
        return Stage(
            face,
            self._fake,
            self._clock,
            api_key=API_KEY,
            store=SqliteStore(self._path),
            session_handler=self,
            hooks=dict.fromkeys(HOOKS, face.callback(lambda call: self._tell(call.hook))),
        )

    def _ask(self, action: str | None) -> None:
        assert action is not None
        at = self._clock.now() + (LIFETIME if action in ("expire", "lapse") else 1.0)
        self._say(f"asks {action} {at!r}")
        self._story.ask(action, at)
        self._vouches = action in ("renew", "expire", "overtaken renewal")
        self._clock.advance(at - self._clock.now())

    def _wait(self, stage: Stage) -> None:
        """Until everybody has heard of everything, and nothing is on its way that would come later."""
        self._told.wait_for(lambda: self._story.all_told, f"what follows {self._story.asked}")
        if self._story.state == EXPIRED:  # the handler is asked and unable
            stage.until(lambda: stage.session._engine.snapshot.renewal is None)

    def _tell(self, word: str) -> None:
        self._say(word)
        self._story.hear(word)
        self._told.add(word)

    # ── What an app asks ────────────────────────────────────────────────────────────────────────

    def session_will_renew_access_token(self, renewal: Renewal) -> None:
        """See `ports.SessionHandler`."""
        if self._vouches:
            renewal.renew_with_auth_token(self._fake.issue_auth_token(renewal.user_id))
        else:
            renewal.unable_to_retrieve_auth_token()

    def _act(self, stage: Stage, action: str) -> None:
        user_id = user_at(self._clock.now())
        match action:
            case "login":
                stage.log_in(user_id)
            case "refused login":
                stage.start("login", user_id, auth_token="nobody's word").exception(PATIENCE)
            case "overtaken login":
                self._overtake(stage, "login", user_id, auth_token=self._fake.issue_auth_token(user_id))
            case "overtaken renewal":
                self._overtake(stage, "renew_now")
            case "renew":
                stage.call("renew_now")
            case "logout" | "secure_logout":
                stage.call(action)
            case "ban":
                stage.face.run(stage.session.note_ban)
            case "delete":
                stage.face.run(stage.session.note_deletion)
            case _:  # "expire" and "lapse": time has passed
                pass
        if BACK in self._story.awaited:
            self._tell(BACK)

    def _overtake(self, stage: Stage, method: str, *arguments: object, **named: object) -> None:
        """Log out while an answer is on its way; it comes too late, and brings a token."""
        hold = self._fake.hold(Endpoint.LOGIN, carried_out=True)
        overtaken = stage.start(method, *arguments, **named)
        hold.arrived.wait(PATIENCE)
        stage.call("logout")
        hold.release()
        overtaken.exception(PATIENCE)
