"""Cancelled at every await, and at every point of what goes on behind it, a call leaves all in order."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from splus_session import Config, NotLoggedInError, SessionClosed, SessionState, StoredRecordError
from splus_session._credentials import Grant, Record
from splus_session._secrets import AccessToken
from splus_session.aio import Session
from splus_session.ports import Answer, Renewal
from splus_session.stores import MemoryStore
from splus_session.testing import FakePlatform, ManualClock
from splus_session.testing._waiting import Signal
from tests.drivers.faces import PATIENCE

pytestmark = pytest.mark.anyio

MONTH = 30 * 24 * 3600.0


class Points:
    """Calls `act` when the point of this number is reached, if it ever is."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._at: int | None = None
        self._act: Callable[[], object] = lambda: None

    def arm(self, at: int, act: Callable[[], object]) -> None:
        """From here on, count."""
        self.names, self._at, self._act = [], at, act

    def reach(self, name: str) -> None:
        """Here is one."""
        self.names.append(name)
        if self._at is not None and len(self.names) == self._at + 1:
            self._act()


class Stepped:
    """Awaits something, and reaches a point whenever it is about to wait: before every checkpoint."""

    def __init__(self, awaitable: Awaitable[Any], points: Points) -> None:
        self._awaitable = awaitable
        self._points = points

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._awaitable.__await__()
        send: Callable[[], Any] = lambda: next(steps)  # noqa: E731
        while True:
            try:
                waits_for = send()
            except StopIteration as end:
                return end.value
            self._points.reach("await")
            try:
                value = yield waits_for
            except BaseException as error:
                send = _throw(steps, error)
            else:
                send = _send(steps, value)


def _send(steps: Generator[Any, Any, Any], value: object) -> Callable[[], Any]:
    return lambda: steps.send(value)


def _throw(steps: Generator[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: steps.throw(error)


class Platform:
    """The fake's, with a point before and after each request."""

    def __init__(self, fake: FakePlatform, points: Points) -> None:
        self._platform, self._points = fake.async_client(), points

    async def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        return await self._between(lambda: self._platform.open_session(grant, device_id=device_id))

    async def verify(self, access_token: AccessToken) -> Answer:
        return await self._between(lambda: self._platform.verify(access_token))

    async def revoke(self, access_token: AccessToken) -> Answer:
        return await self._between(lambda: self._platform.revoke(access_token))

    async def aclose(self) -> None:
        await self._platform.aclose()

    async def _between(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        self._points.reach("request")
        await anyio.lowlevel.checkpoint()
        answer = await request()
        self._points.reach("answer")
        await anyio.lowlevel.checkpoint()
        return answer


class Store(MemoryStore):
    """With a point before and after each write."""

    def __init__(self, points: Points) -> None:
        super().__init__()
        self._points = points

    def save(self, key: str, record: Record) -> None:
        self._points.reach("save")
        super().save(key, record)
        self._points.reach("saved")

    def delete(self, key: str) -> None:
        self._points.reach("delete")
        super().delete(key)
        self._points.reach("deleted")

    @property
    def tokens(self) -> list[AccessToken]:
        return [record.credential.access_token for record in self._records.values()]


class ThreadedStore:
    """Without points, and not known to be quick: it is called on threads, as a real one."""

    def __init__(self) -> None:
        self._store = Store(Points())

    def load(self, key: str) -> Record | None:
        return self._store.load(key)

    def save(self, key: str, record: Record) -> None:
        self._store.save(key, record)

    def delete(self, key: str) -> None:
        self._store.delete(key)

    def device_id(self, make: Callable[[], str]) -> str:
        return self._store.device_id(make)

    @property
    def tokens(self) -> list[AccessToken]:
        return self._store.tokens


class HeldStore(ThreadedStore):
    """It takes as long for `what` as the test likes."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what
        self.began, self.go_on = Signal(), Signal()

    def save(self, key: str, record: Record) -> None:
        self._hold("save")
        super().save(key, record)

    def delete(self, key: str) -> None:
        self._hold("delete")
        super().delete(key)

    def _hold(self, what: str) -> None:
        if what == self._what:
            self.began.set()
            self.go_on.wait()


class Handler:
    """The customer's backend vouches, in its own time."""

    def __init__(self, fake: FakePlatform, points: Points) -> None:
        self._fake, self._points = fake, points

    async def session_will_renew_access_token(self, renewal: Renewal) -> None:
        self._points.reach("asked")
        await anyio.lowlevel.checkpoint()
        renewal.renew_with_auth_token(self._fake.issue_auth_token("ann"))


class Scene:
    """A session with points all around it."""

    def __init__(self, points: Points, store: ThreadedStore | None = None) -> None:
        self.points = points
        self.clock = ManualClock()
        self.fake = FakePlatform(clock=self.clock)
        self.store: Store | ThreadedStore = store or Store(points)
        self.told: list[SessionState] = []
        self.seen: set[str] = set()
        self.revokes = False
        """Whether nothing that has happened leaves a token alive, as a plain logout does."""

    def make(self) -> Session:
        return Session(
            self.fake.api_key,
            platform=Platform(self.fake, self.points),
            clock=self.clock,
            store=self.store,
            session_handler=Handler(self.fake, self.points),
            hooks=dict.fromkeys(
                ("on_login", "on_logout", "on_renewal"), lambda call: self.points.reach("hook")
            ),
            config=Config(jitter=0.0),
        )

    def observe(self, session: Session) -> None:
        def hear(change: Any) -> None:
            self.points.reach("told")
            self.told.append(change.state)

        session.on_change(hear)

    async def log_in(self, session: Session) -> None:
        await session.login("ann", auth_token=self.fake.issue_auth_token("ann"))

    async def quiet(self, session: Session) -> None:
        """Wait until nothing is in flight any more: then all agree."""
        with anyio.move_on_after(10):
            while set(self._unsettled(session).values()) != {True}:
                await anyio.lowlevel.checkpoint()
        assert [what for what, holds in self._unsettled(session).items() if not holds] == []

    def _unsettled(self, session: Session) -> dict[str, bool]:
        engine = session._engine
        snapshot = engine.snapshot
        held = [] if snapshot.credential is None else [snapshot.credential.access_token]
        alive = [issued.token for issued in self.fake.tokens_of("ann") if issued.is_alive(self.fake.now())]
        in_flight = (snapshot.renewal, snapshot.retry, snapshot.verification, snapshot.revocation)
        return {
            "nothing is in flight": in_flight == (None,) * 4,
            "the login has ended": snapshot.state is not SessionState.ESTABLISHING,
            "what was committed is told": self.told[-1:] == [session.state] == [snapshot.state],
            "what was committed is done": not engine._outbox,
            "nobody waits": engine._flights == {},
            "what is held is stored": self.store.tokens == held,
            "no token is left that nobody uses": alive in (held, []) or not self.revokes,
            "what is held is good": alive == held or snapshot.state is not SessionState.ESTABLISHED,
        }

    async def in_order(self, session: Session) -> None:
        """Whatever happened: state, store, observers and platform agree, nobody waits, and all works."""
        await self.quiet(session)
        assert all(before is not after for before, after in zip(self.told, self.told[1:], strict=False))
        self.revokes = False
        await session.logout()
        await self.log_in(session)
        assert (await session.authorization()).header
        await session.renew_now()
        await session.secure_logout()
        assert self.store.tokens == []
        assert session.state is SessionState.NOT_LOGGED_IN


Call = Callable[[Scene, Session], Awaitable[Any]]


async def log_in(scene: Scene, session: Session) -> None:
    await scene.log_in(session)


async def log_out(scene: Scene, session: Session) -> None:
    await session.logout()


async def log_out_securely(scene: Scene, session: Session) -> None:
    await session.secure_logout()


async def renew(scene: Scene, session: Session) -> None:
    await session.renew_now()


async def get_header(scene: Scene, session: Session) -> None:
    await session.authorization()


async def cancelled_at(at: int, call: Call, scene: Scene, session: Session, how: str) -> bool:
    """Make a call, cancel it at a point, and say whether there was one so late."""
    if how == "natively":
        task = asyncio.ensure_future(_stepped(call, scene, session))
        scene.points.arm(at, task.cancel)
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
    else:
        with anyio.CancelScope() as scope:
            scene.points.arm(at, scope.cancel)
            await _stepped(call, scene, session)
    await scene.quiet(session)
    reached = len(scene.points.names) > at
    scene.seen.update(scene.points.names)
    scene.points.arm(0, lambda: None)
    return reached


async def _stepped(call: Call, scene: Scene, session: Session) -> None:
    await Stepped(call(scene, session), scene.points)


CALLS: dict[str, tuple[Call, bool, set[SessionState]]] = {
    # What is called, whether in `tokenExpired`, and where the session may be afterwards.
    "login": (log_in, False, {SessionState.NOT_LOGGED_IN, SessionState.ESTABLISHED}),
    "logout": (log_out, False, {SessionState.NOT_LOGGED_IN}),
    "logout, expired": (log_out, True, {SessionState.NOT_LOGGED_IN}),
    "secure_logout": (log_out_securely, False, {SessionState.NOT_LOGGED_IN}),
    "renew_now": (renew, False, {SessionState.ESTABLISHED}),
    "authorization, expired": (get_header, True, {SessionState.ESTABLISHED}),
}


@pytest.mark.requirement("LOGIN-9", "EXPIRE-5", "LOGOUT-1", "LOGOUT-4", "RENEW-3")
@pytest.mark.parametrize("how", ["by scope", "natively"])
@pytest.mark.parametrize("name", CALLS)
async def test_a_call_cancelled_anywhere_leaves_all_in_order(name: str, how: str, anyio_backend: str) -> None:
    if how == "natively" and anyio_backend == "trio":
        return  # trio has no other cancellation than by scope
    call, expired, allowed = CALLS[name]
    points_seen: set[str] = set()
    at, reached, ends = 0, True, set[SessionState]()
    while reached:
        scene = Scene(Points())
        scene.revokes = call in (log_in, log_out_securely)
        async with scene.make() as session:
            scene.observe(session)
            if call is not log_in:
                await scene.log_in(session)
                await scene.quiet(session)
            if expired:
                session._stop_listening()  # the call itself finds out
                scene.clock.advance(MONTH)
            reached = await cancelled_at(at, call, scene, session, how)
            ends.add(session.state)
            assert session.state in allowed
            await scene.in_order(session)
            points_seen.update(scene.seen)
        at += 1
    assert ends == allowed, "and each of them is seen"
    assert at >= 4, "there are such points"
    assert "await" in points_seen


@pytest.mark.requirement("LOGIN-9", "LOGIN-6")
async def test_a_cancelled_login_ends_at_once_and_its_late_token_is_revoked(anyio_backend: str) -> None:
    scene = Scene(Points())
    async with scene.make() as session:
        scene.observe(session)
        with anyio.CancelScope() as scope:
            scene.points.arm(0, scope.cancel)
            await Stepped(scene.log_in(session), scene.points)
        assert scope.cancelled_caught
        assert session._engine.snapshot.state is SessionState.NOT_LOGGED_IN, "at once"
        await scene.in_order(session)


@pytest.mark.requirement("LOGOUT-1")
async def test_a_logout_is_finished_before_its_cancellation_is_felt(anyio_backend: str) -> None:
    scene = Scene(Points())
    async with scene.make() as session:
        scene.observe(session)
        await scene.log_in(session)
        finished = False
        with anyio.CancelScope() as scope:
            scope.cancel()
            await session.logout()
            finished = True
            assert scene.store.tokens == []
            assert session.state is SessionState.NOT_LOGGED_IN
            await anyio.lowlevel.checkpoint()
        assert finished
        assert scope.cancelled_caught


@pytest.mark.requirement("LOGOUT-1")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_logout_that_times_out_has_deleted_the_record_before_that_is_raised(times: int) -> None:
    store = HeldStore("delete")
    scene = Scene(Points(), store)
    async with scene.make() as session:
        scene.observe(session)
        await scene.log_in(session)

        async def log_out() -> None:
            async with asyncio.timeout(None) as timer:
                timers.append(timer)
                await session.logout()

        timers: list[asyncio.Timeout] = []
        task = asyncio.ensure_future(log_out())
        await store.began
        timers[0].reschedule(0.0)  # long ago
        for _ in range(times - 1):
            await anyio.wait_all_tasks_blocked()
            task.cancel()
        await anyio.wait_all_tasks_blocked()
        assert not task.done()
        store.go_on.set()
        await asyncio.wait([task])
        assert store.tokens == []
        assert session.state is SessionState.NOT_LOGGED_IN
        if times == 1:
            assert isinstance(task.exception(), TimeoutError)
        else:
            assert task.cancelled()
        await scene.in_order(session)


@pytest.mark.requirement("LOGIN-9", "LOGIN-6")
@pytest.mark.parametrize("how", ["by scope", "natively"])
async def test_a_login_cancelled_while_it_is_stored_leaves_nobody_logged_in(
    how: str, anyio_backend: str
) -> None:
    if how == "natively" and anyio_backend == "trio":
        return  # trio has no other cancellation than by scope
    store = HeldStore("save")
    scene = Scene(Points(), store)
    async with scene.make() as session:
        scene.observe(session)
        if how == "natively":
            task = asyncio.ensure_future(scene.log_in(session))
            await store.began
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        else:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(scene.log_in, session)
                await store.began
                tasks.cancel_scope.cancel()
        assert session._engine.snapshot.state is SessionState.NOT_LOGGED_IN, "at once"
        with pytest.raises(NotLoggedInError):
            await session.authorization()
        store.go_on.set()
        await scene.quiet(session)
        while not scene.fake.tokens_of("ann")[0].voided:
            await anyio.lowlevel.checkpoint()
        assert store.tokens == []
        await scene.in_order(session)


@pytest.mark.requirement("EXPIRE-5", "RENEW-3")
async def test_a_cancelled_waiter_takes_nobody_along(anyio_backend: str) -> None:
    scene = Scene(Points())
    async with scene.make() as session:
        scene.observe(session)
        await scene.log_in(session)
        scene.clock.advance(MONTH)
        headers: list[str] = []

        async def get() -> None:
            headers.append((await session.authorization()).header)

        async with anyio.create_task_group() as tasks:
            cancelled = anyio.CancelScope()
            with cancelled:
                scene.points.arm(0, cancelled.cancel)
                for _ in range(3):
                    tasks.start_soon(get)
                await Stepped(session.authorization(), scene.points)
        assert len(headers) == 3
        await scene.in_order(session)


class Entering:
    """A session whose opening or closing is stepped through."""

    def __init__(self, session: Session, points: Points, which: str) -> None:
        self._session, self._points, self._which = session, points, which
        self.opened = False

    async def __aenter__(self) -> Session:
        session = self._session
        if self._which == "opening":
            await Stepped(session.__aenter__(), self._points)
        else:
            await session.__aenter__()
        self.opened = True
        return session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if self._which == "closing":
            await Stepped(self._session.__aexit__(kind, error, frames), self._points)
        else:
            await self._session.__aexit__(kind, error, frames)


@pytest.mark.requirement("CLIENT-3", "RESUME-1")
@pytest.mark.parametrize("expired", [False, True], ids=["live", "expired"])
@pytest.mark.parametrize("which", ["opening", "closing"])
@pytest.mark.parametrize("how", ["by scope", "natively"])
async def test_opening_and_closing_cancelled_anywhere_lose_nothing(
    how: str, which: str, expired: bool, anyio_backend: str
) -> None:
    if how == "natively" and anyio_backend == "trio":
        return  # trio has no other cancellation than by scope
    at, reached = 0, True
    while reached:
        scene = Scene(Points())
        async with scene.make() as first:
            await scene.log_in(first)
        [stored] = scene.store.tokens
        if expired:
            scene.clock.advance(MONTH)
        session = scene.make()

        async def live(scene: Scene = scene, session: Session = session, at: int = at) -> None:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(Entering(session, scene.points, which))
                await anyio.wait_all_tasks_blocked()

        if how == "natively":
            task = asyncio.ensure_future(live())
            scene.points.arm(at, task.cancel)
            await asyncio.wait([task])
        else:
            with anyio.CancelScope() as scope:
                scene.points.arm(at, scope.cancel)
                await live()
        reached = len(scene.points.names) > at
        scene.points.arm(0, lambda: None)
        with pytest.raises(SessionClosed):
            await session.authorization()
        assert session._engine._flights == {}
        assert expired or scene.store.tokens == [stored], "a session that was stored stays stored"
        assert len(scene.store.tokens) == 1
        async with scene.make() as again:
            scene.observe(again)
            await scene.quiet(again)
            assert again.state is SessionState.ESTABLISHED
            await scene.in_order(again)
        at += 1
    assert at >= 2


async def whole_block(
    scene: Scene, session: Session, call: Call, at: int, cancel: Callable[[], object] | None
) -> None:
    """A session from its opening to its closing, to be cancelled during a call."""
    async with session:
        scene.observe(session)
        if call is not log_in:
            await scene.log_in(session)
        scene.points.arm(at, cancel or this_task().cancel)
        await _stepped(call, scene, session)


def this_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None
    return task


@pytest.mark.requirement("LOGOUT-1", "RESUME-2", "CLIENT-3")
@pytest.mark.parametrize("how", ["by scope", "natively"])
@pytest.mark.parametrize("call", [log_in, log_out, log_out_securely], ids=lambda call: call.__name__)
@pytest.mark.parametrize("threaded", [False, True], ids=["quick store", "threaded store"])
async def test_what_was_committed_is_stored_and_told_though_the_whole_block_be_cancelled_anywhere(
    threaded: bool, call: Call, how: str, anyio_backend: str
) -> None:
    if how == "natively" and anyio_backend == "trio":
        return  # trio has no other cancellation than by scope
    at, reached = 0, True
    while reached:
        scene = Scene(Points(), ThreadedStore() if threaded else None)
        session = scene.make()

        if how == "natively":
            await asyncio.wait([asyncio.ensure_future(whole_block(scene, session, call, at, None))])
        else:
            with anyio.CancelScope() as scope:
                await whole_block(scene, session, call, at, scope.cancel)
        reached = len(scene.points.names) > at
        snapshot = session._engine.snapshot
        assert scene.told[-1] is snapshot.state
        assert session.state is snapshot.state
        held = [] if snapshot.credential is None else [snapshot.credential.access_token]
        assert scene.store.tokens == held
        assert session._engine.take() is None
        at += 1
    assert at >= 4


@pytest.mark.requirement("LOGOUT-1", "LOGOUT-4", "CLIENT-3")
@pytest.mark.parametrize("method", ["login", "logout", "secure_logout", "renew_now"])
async def test_whatever_is_called_while_the_session_closes_ends(method: str, anyio_backend: str) -> None:
    scene = Scene(Points())
    ended: list[BaseException | None] = []

    async def call(session: Session) -> None:
        try:
            if method == "login":
                await scene.log_in(session)
            else:
                await getattr(session, method)()
        except SessionClosed as error:
            ended.append(error)
        else:
            ended.append(None)

    async with anyio.create_task_group() as tasks:
        async with scene.make() as session:
            if method != "login":
                await scene.log_in(session)
            tasks.start_soon(call, session)
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
    assert len(ended) == 1
    if method == "logout":
        assert (ended == [None]) is (scene.store.tokens == []), "it is refused, or it is done"


async def let_the_time_come(scene: Scene, session: Session) -> None:
    """Renewal is due, and nobody calls the session."""
    scene.clock.advance(25 * 24 * 3600.0)
    while len(scene.fake.tokens_of("ann")) < 2:
        await anyio.lowlevel.checkpoint()


async def log_in_anew(scene: Scene, session: Session) -> None:
    await session.logout()
    await scene.log_in(session)


@pytest.mark.requirement("CLIENT-3", "LOGOUT-4", "EXPIRE-4")
@pytest.mark.parametrize(
    "call",
    [log_out_securely, renew, get_header, log_in_anew, let_the_time_come],
    ids=lambda call: call.__name__,
)
async def test_a_shielded_clean_up_may_still_use_the_session_whose_block_is_cancelled(
    call: Call, anyio_backend: str
) -> None:
    scene = Scene(Points())
    session, cleaned_up = scene.make(), False
    with anyio.CancelScope() as scope:
        async with session:
            scene.observe(session)
            await scene.log_in(session)
            try:
                scope.cancel()
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True), anyio.fail_after(PATIENCE):
                    if call is get_header:
                        scene.clock.advance(MONTH)
                    await call(scene, session)
                    await scene.quiet(session)
                    cleaned_up = True
    assert cleaned_up
    assert scope.cancelled_caught
    with pytest.raises(SessionClosed):
        await session.authorization()


@pytest.mark.requirement("RESUME-1")
@pytest.mark.parametrize("how", ["by scope", "natively"])
async def test_who_is_cancelled_while_opening_still_hears_of_a_damaged_record(
    how: str, anyio_backend: str
) -> None:
    if how == "natively" and anyio_backend == "trio":
        return  # trio has no other cancellation than by scope
    began, go_on = Signal(), Signal()

    class Damaged(ThreadedStore):
        def load(self, key: str) -> Record | None:
            began.set()
            go_on.wait()
            raise StoredRecordError("it is damaged, and was put aside")

    scene = Scene(Points(), Damaged())
    heard: list[BaseException] = []

    async def live() -> None:
        with scope:
            try:
                async with scene.make():
                    raise AssertionError("it cannot be opened")
            except StoredRecordError as error:
                heard.append(error)

    scope, running = anyio.CancelScope(), list[asyncio.Task[None]]()
    async with anyio.create_task_group() as tasks:
        if how == "natively":
            running.append(asyncio.ensure_future(live()))
        else:
            tasks.start_soon(live)
        await began
        for task in running:
            task.cancel()
        if not running:
            scope.cancel()
        await anyio.wait_all_tasks_blocked()
        go_on.set()
        for task in running:
            await asyncio.wait([task])
    assert len(heard) == 1
