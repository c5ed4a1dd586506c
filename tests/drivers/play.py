"""A script played on a driver, act by act, each compared with the bare core's outcome in full."""

from concurrent.futures import Future
from typing import Any

from splus_session import Event, SessionCore, SessionState, Step
from splus_session._engine import Engine
from splus_session.ports import Answer
from splus_session.testing import ManualClock
from tests.drivers.faces import PATIENCE, AnySession, Face, Log
from tests.drivers.held import Asking, AsyncHeldPlatform, HeldHandlers, HeldPlatform, LoggingStore
from tests.drivers.script import CONFIG, SEED, START, Act, Answered, Bare, Call, Pass, Register, Reply, Tell

HOOKS = ("on_login", "on_renewal", "on_ban", "on_logout")


class LoggingCore(SessionCore):
    """A core that writes its steps down."""

    def __init__(self, log: Log) -> None:
        super().__init__(CONFIG, seed=SEED)
        self.log = log
        self._inner = False

    def receive(self, event: Event, now: float) -> list[Step]:
        self._inner = True
        steps = super().receive(event, now)
        self._inner = False
        self._note(steps)
        return steps

    def advance(self, now: float) -> list[Step]:
        steps = super().advance(now)
        if not self._inner:
            self._note(steps)
        return steps

    def _note(self, steps: list[Step]) -> None:
        for step in steps:
            self.log.add(step)
        self.log.notify()


class Play:
    """One script on one driver."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.clock = ManualClock(START)
        self.steps, self.told, self.hooked, self.asked, self.looks = Log(), Log(), Log(), Log(), Log()
        self.store = LoggingStore()
        self.platform = HeldPlatform() if face.name == "sync" else AsyncHeldPlatform()
        self.client, self.own = _Named("client", self.asked), _Named("own", self.asked)
        self.session: AnySession = face.make(
            api_key="an-api-key",
            platform=self.platform,
            clock=self.clock,
            store=self.store,
            config=CONFIG,
            session_handler=self.client,
            access_token_handler=self.client,
            hooks=dict.fromkeys(HOOKS, face.callback(self.hooked.add)),
        )
        self.store.state = lambda: self.session.state
        self.calls: list[tuple[Call, Future[Any]]] = []
        self.pending: list[Asking] = []
        self._instrument(self.session._engine)

    def _instrument(self, engine: Engine[Any]) -> None:
        core = engine._core = LoggingCore(self.steps)
        self.core = core
        self.session._tell_handlers()
        authorize = engine.authorize

        def look(after: Any = None) -> Any:
            try:
                return authorize(after)
            finally:
                self.looks.add(None)

        settle = engine.settle

        def note_settled(attempt: int, error: Any) -> None:
            settle(attempt, error)
            self.looks.notify()

        engine.authorize = look  # type: ignore[method-assign]
        engine.settle = note_settled  # type: ignore[method-assign]
        self.flights = engine._flights

    def run(self, script: list[Act]) -> list[tuple[str, str]]:
        """Play it. Gives what became of each call."""
        bare = Bare()
        with self.face.open(self.session):
            self.session.on_change(self.told.add)
            self.told.wait_count(1)
            self._compare(bare, None)
            for act in script:
                bare.act(act)
                self._act(act)
                self._compare(bare, act)
        for question in [*self.platform.calls, *(entry for _, entry in self.asked)]:
            if isinstance(question, Asking):
                question.answer(Answer())
        return [(call.method, _outcome(future)) for call, future in self.calls]

    def _act(self, act: Act) -> None:
        match act:
            case Call():
                named = {**act.named, "session_handler": self.own} if act.own_handler else act.named
                self.calls.append((act, self.face.start(self.session, act.method, *act.arguments, **named)))
            case Tell():
                getattr(self.session, act.method)(*act.arguments, **act.named)
            case Register():
                getattr(self.session, f"set_{act.which}")(self.client if act.there else None)
            case Reply():
                self.pending.pop(act.index).answer(act.answer)
            case Answered():
                question = self.asked[act.index][1]
                if isinstance(question, Asking):
                    question.answer(act.arguments[0])
                else:
                    getattr(question, act.verb)(*act.arguments)
            case Pass():
                (self.clock.jump if act.jump else self.clock.advance)(act.seconds)

    def _compare(self, bare: Bare, act: Act | None) -> None:
        expected, what = bare.expected, f"{self.face.name} after {act}"
        self.steps.wait_for(
            lambda: len(self.steps) >= len(expected.steps) and self.core.snapshot.now == bare.now, what
        )
        _same(self.steps, expected.steps, what)
        self._same_count(self.store.log, expected.stored, what)
        self._same_count(self.told, [self.told[0], *expected.told], what)
        self._same_count(self.hooked, expected.hooked, what)
        self._compare_requests(expected.requested, what)
        self.asked.wait_count(len(expected.asked))
        assert [name for name, _ in self.asked] == [name for _, name in expected.asked], what
        self.looks.wait_count(expected.looks)
        assert len(self.looks) == expected.looks, what
        assert self.core.snapshot == bare.core.snapshot, what
        self.looks.wait_for(lambda: self.flights.keys() <= _in_flight(bare), "what ended to be settled")
        if isinstance(act, Call) and not bare.waits(act):
            self.calls[-1][1].exception(PATIENCE)

    def _compare_requests(self, requested: list[list[Any]], what: str) -> None:
        calls, before = self.platform.calls, sum(map(len, requested[:-1]))
        calls.wait_count(before + len(requested[-1]))
        new = list(calls[before:])
        for payload in requested[-1]:
            [call, *_] = [call for call in new if call.payload == payload] or [None]
            assert call is not None, f"{what}: no request {payload}"
            new.remove(call)
            self.pending.append(call)
        assert new == [], what

    def _same_count(self, found: Log, expected: list[Any], what: str) -> None:
        found.wait_count(len(expected))
        _same(found, expected, what)


class _Named(HeldHandlers):
    def __init__(self, name: str, asked: Log) -> None:
        log = Log()
        log.add = lambda item: asked.add((name, item))  # type: ignore[method-assign]
        super().__init__(log)


def _in_flight(bare: Bare) -> set[int | None]:
    """The attempts that somebody may wait for."""
    snapshot = bare.core.snapshot
    establishing = snapshot.session if snapshot.state is SessionState.ESTABLISHING else None
    renewal, revocation = snapshot.renewal, snapshot.revocation
    return {
        establishing,
        snapshot.verification,
        None if renewal is None else renewal.attempt,
        None if revocation is None else revocation.attempt,
    }


def _same(found: list[Any], expected: list[Any], what: str) -> None:
    assert list(found) == list(expected), what


def _outcome(future: "Future[Any]") -> str:
    error = future.exception(PATIENCE)
    if error is not None:
        return f"{type(error).__name__}: {error}"
    result = future.result()
    return "done" if result is None else repr(result)
