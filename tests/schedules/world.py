"""A session on a fake platform, in virtual time, with everything that happens written down.

What is particular to a driver (how to wait, how to run several actors) is in `stages.py`.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from splus_session import Config, SessionState
from splus_session._commands import (
    Announce,
    AskRenewal,
    OpenSession,
    Persist,
    ReleaseWaiters,
    Renew,
    Revoke,
    RevokeOrphan,
    Verify,
)
from splus_session._core import Granted
from splus_session._credentials import Record
from splus_session._snapshot import Snapshot
from splus_session.aio import _worker as aio_worker
from splus_session.ports import Renewal
from splus_session.stores import MemoryStore
from splus_session.sync import _worker as sync_worker
from splus_session.testing import FakePlatform, ManualClock, TokenTerms
from tests.schedules.judge import check_header
from tests.schedules.trace import SENT, Done, Heard, Hooked, Note, RecordingCore, Trace

SEED = 7
LIFETIME = 60.0
"""Of a token, in seconds: asked to be renewed after 43.2, and expired after 54."""
CONFIG = Config(jitter=0.0)
HOOKS = ("on_login", "on_renewal", "on_ban", "on_logout")


class VirtualClock(ManualClock):
    """The scheduler's time; the wall clock may be set besides."""

    def __init__(self, time: Callable[[], float]) -> None:
        super().__init__()
        self._time = time

    def now(self) -> float:
        return super().now() + self._time()

    def true_now(self) -> float:
        return super().true_now() + self._time()

    def monotonic(self) -> float:
        return super().monotonic() + self._time()


class CallingStore:
    """A store that is no mere memory to the driver, so that it is called on a thread; it fails if told to."""

    def __init__(self) -> None:
        self.failing = False
        self._memory = MemoryStore()

    def load(self, key: str) -> Record | None:
        return self._memory.load(key)

    def save(self, key: str, record: Record) -> None:
        if self.failing:
            raise OSError("the disk is full")
        self._memory.save(key, record)

    def delete(self, key: str) -> None:
        self._memory.delete(key)

    def device_id(self, make: Callable[[], str]) -> str:
        return self._memory.device_id(make)


class World:
    """Everything around one session, and the trace of it."""

    config = CONFIG
    lifetime = LIFETIME

    def __init__(
        self,
        time: Callable[[], float],
        point: Callable[[], None] = lambda: None,
        moods: "random.Random | None" = None,
    ) -> None:
        """Make a world.

        Args:
            time: the scheduler's.
            point: where the core may be interrupted, if there are threads.
            moods: of a handler that does not always answer; None: it always does, at once.
        """
        self.time = time
        self.clock = VirtualClock(time)
        self.fake = FakePlatform(clock=self.clock)
        self.fake.rules.terms = TokenTerms(lifetime=self.lifetime)
        self.store = CallingStore()
        self.trace = Trace(time)
        self.moods = moods
        self.violations: list[str] = []
        self.jumped = 0.0
        """Seconds by which the wall clock was set forward."""
        self.pause = 0.0
        """Seconds that a handler without moods takes."""
        self.session: Any = None
        self._point = point
        self._late: list[Renewal] = []
        self._observers = 0

    # ── The session ─────────────────────────────────────────────────────────────────────────────

    def make(self, kind: type[Any], platform: Any, handler: object, callback: Callable[[Any], Any]) -> Any:
        """Make the session; `callback` makes a callback of the driver's kind of a function."""
        self.session = session = kind(
            api_key=self.fake.api_key,
            platform=platform,
            clock=self.clock,
            store=self.store,
            config=self.config,
            session_handler=handler,
            hooks=dict.fromkeys(HOOKS, callback(lambda call: self.trace.add(Hooked(call)))),
        )
        engine = session._engine
        engine._core = RecordingCore(self.config, SEED, self.trace, self._point)
        session._tell_handlers()
        announce, settle = session._observers.announce, engine.settle

        def announce_and_note(change: Any) -> None:
            self.trace.add(Done(Announce(change)))
            announce(change)

        def settle_and_note(attempt: int, error: Any) -> None:
            self.trace.add(Done(ReleaseWaiters(attempt)))
            settle(attempt, error)

        session._observers.announce = announce_and_note
        engine.settle = settle_and_note
        return session

    @contextmanager
    def noting_what_is_stored(self) -> Iterator[None]:
        """Write down what the drainer has stored, once it has."""
        with pytest.MonkeyPatch.context() as patch:
            for worker in (aio_worker, sync_worker):
                patch.setattr(worker, "persist", self._noting(worker.persist))
            yield

    def _noting(self, persist: Callable[..., Any]) -> Callable[..., Any]:
        def persist_and_note(store: Any, key: str, record: Any) -> Any:
            error = persist(store, key, record)
            self.trace.add(Done(Persist(record)))
            return error

        return persist_and_note

    @property
    def snapshot(self) -> Snapshot:
        """Where the core is."""
        snapshot: Snapshot = self.session._engine.snapshot
        return snapshot

    def check(self) -> None:
        """What holds at every step; the first violation is kept until somebody asks."""
        if self.session is None or self.violations:
            return
        try:
            check_header(self.session._engine)
        except AssertionError as error:
            self.violations.append(str(error))

    def observe(self) -> None:
        """Have one more observer that writes down what it hears."""
        self._observers += 1
        number = self._observers
        self.session.on_change(lambda change: self.trace.add(Heard(change, number)))

    # ── The handler ─────────────────────────────────────────────────────────────────────────────

    def asked(self, renewal: Renewal) -> float:
        """A renewal is asked for; gives the seconds until the handler answers it."""
        self.trace.add(Done(AskRenewal(renewal._attempt)))  # type: ignore[attr-defined]
        return self.pause if self.moods is None else self.moods.choice((0.0, 0.0, 3.0, 70.0))

    def answer(self, renewal: Renewal) -> None:
        """The handler answers, or does otherwise."""
        mood = "right" if self.moods is None else self.moods.choice(
            ("right", "right", "right", "twice", "never", "raises", "unable", "refused", "late too")
        )  # fmt: skip
        self.trace.add(Note(f"handler  {mood}"))
        match mood:
            case "never":
                self._late.append(renewal)
            case "raises":
                raise RuntimeError("the customer's backend is away")
            case "unable":
                renewal.unable_to_retrieve_auth_token()
            case "refused":
                renewal.renew_with_auth_token("nobody's word")
            case _:
                renewal.renew_with_auth_token(self.fake.issue_auth_token("ann"))
        if mood == "twice":
            renewal.unable_to_retrieve_auth_token()
        if mood == "late too":
            for late in self._late:
                late.renew_with_auth_token(self.fake.issue_auth_token("ann"))

    # ── Whether it has settled ──────────────────────────────────────────────────────────────────

    def unsettled(self) -> str | None:
        """What is still on its way, or not as it should be in the end; None if nothing."""
        s, engine = self.snapshot, self.session._engine
        on_its_way = {
            "a renewal": s.renewal, "another try": s.retry, "a verification": s.verification,
            "a revocation": s.revocation, "a waiting caller": engine._flights or None,
            "a command": engine._outbox or None,
        }  # fmt: skip
        for what, there in on_its_way.items():
            if there is not None:
                return f"{what} is on its way: {there}"
        if len(self.trace.done(SENT)) < len(self.trace.commanded(SENT)):
            return "a request has not been sent"
        due = engine._core.deadline
        if due is not None and due <= self.clock.now():
            return "something is due"
        if s.state in (SessionState.ESTABLISHING, SessionState.TOKEN_EXPIRED):
            return f"the session is {s.state.value}"
        if self.session.state is not s.state:
            return f"{s.state.value} has not been told"
        user = self.fake.user("ann")
        if s.state is SessionState.TERMINATED and not (user.is_banned or user.is_deleted):
            return "the session is terminated, and nobody was banned"
        granted = isinstance(engine._core.authorization(), Granted)
        if granted is not (s.state is SessionState.ESTABLISHED):
            return "a header is there only when the session is established"
        return None

    def mend(self) -> None:
        """Everything works from now on."""
        self.trace.add(Note("         nothing goes wrong any more"))
        self.moods, self.pause = None, 0.0
        self.store.failing = False
        self.fake.mend()


Kind = Callable[..., World]
"""Makes a world, as `World` does."""


class Requests:
    """A client of the platform that writes down what is sent."""

    def __init__(self, world: World, client: Any) -> None:
        self._world = world
        self.client = client

    def close(self) -> None:
        """There is nothing to let go of."""

    def sent(self, kind: str, secret: object) -> None:
        """Note which command is carried out: the first of this kind and secret that has not been yet."""
        kinds = {"open_session": OpenSession | Renew, "verify": Verify, "revoke": Revoke | RevokeOrphan}[kind]
        trace = self._world.trace
        left = trace.commanded(kinds)
        for done in trace.done(kinds):
            if done in left:
                left.remove(done)
        for command in left:
            grant = getattr(command, "grant", None)
            if secret == (command.credential.access_token if grant is None else grant):
                trace.add(Done(command))
                return
        held, engine = self._world.snapshot.credential, self._world.session._engine
        if kind == "revoke" and engine._gone and (held is None or secret != held.access_token):
            return  # the token of an answer that came after the closing: no core hears of it [LOGIN-6]
        self._world.violations.append(f"{kind} was sent, and no step commands it")
