"""A social.plus of one's own: its session API, with an administrator's hands and a saboteur's."""

import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from splus_session._clock import SystemClock
from splus_session._secrets import AccessToken, ApiKey, AuthToken, ServerKey, VisitorSecret
from splus_session.ports import Clock
from splus_session.testing._endpoints import Endpoint
from splus_session.testing._engine import Attendant, Engine, RealtimeEvent
from splus_session.testing._gate import Keys
from splus_session.testing._in_process import AsyncInProcessPlatform, InProcessPlatform
from splus_session.testing._script import Received
from splus_session.testing._tokens import TokenTerms
from splus_session.testing._world import IssuedToken, Rules, User, World
from splus_session.testing.faults import Fault, Hold

if TYPE_CHECKING:  # what needs httpx2 or uvicorn is imported when asked for
    from splus_session.testing._server import FakeServer
    from splus_session.testing._transport import FakeTransport

__all__ = ["Endpoint", "FakePlatform", "IssuedToken", "Received", "Rules", "TokenTerms", "User"]


class FakePlatform:
    """The platform's session API, in process and as a real HTTP server, over one and the same world.

    Thread-safe. What it does not know of social.plus (channels, posts, MQTT) it does not fake.

    Args:
        clock: the time it lives by; the machine's if None. By a `ManualClock` it lives in true
            time: a `jump` there sets the client's wall clock, and not the platform's.
        rules: how strict it is, changeable later as `rules`; production mode by default.
    """

    def __init__(self, *, clock: Clock | None = None, rules: Rules | None = None) -> None:
        self._keys = Keys(
            api_key=ApiKey(f"api-{secrets.token_hex(16)}"),
            server_key=ServerKey(f"server-{secrets.token_hex(16)}"),
            visitor_secret=VisitorSecret(secrets.token_hex(32)),
            admin_token=AccessToken(f"admin-{secrets.token_hex(32)}"),
        )
        self._engine = Engine(clock or SystemClock(), World(rules or Rules()), self._keys)

    # ── What the customer knows of it ───────────────────────────────────────────────────────────

    @property
    def api_key(self) -> ApiKey:
        """What identifies the customer's app."""
        return self._keys.api_key

    @property
    def server_key(self) -> ServerKey:
        """What the customer's backend gets auth tokens with."""
        return self._keys.server_key

    @property
    def visitor_secret(self) -> VisitorSecret:
        """What the customer's backend signs visitors' device ids with. [BACKEND-3]"""
        return self._keys.visitor_secret

    @property
    def admin_token(self) -> AccessToken:
        """What an administrator bans users with, over HTTP."""
        return self._keys.admin_token

    # ── Its ways ────────────────────────────────────────────────────────────────────────────────

    @property
    def rules(self) -> Rules:
        """How it behaves: assign to what is in there."""
        return self._engine.world.rules

    @property
    def clock(self) -> Clock:
        """The time it lives by."""
        return self._engine.clock

    @property
    def clock_offset(self) -> float:
        """Seconds by which its own clock is ahead of `clock`; assign to set it. [EXPIRE-4]"""
        return self._engine.clock_offset

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        self._engine.clock_offset = seconds

    def now(self) -> float:
        """The platform's own time, UTC seconds."""
        return self._engine.now()

    # ── What the customer's backend does, without HTTP ──────────────────────────────────────────

    def issue_auth_token(self, user_id: str) -> AuthToken:
        """The backend's word for a user, good for `rules.auth_token_lifetime` seconds."""
        with self._engine.locked() as world:
            return world.issue_auth_token(user_id, self.now())

    def disown(self, user_id: str) -> None:
        """Void a user's auth tokens: the customer's backend no longer vouches for this user."""
        with self._engine.locked() as world:
            world.void_auth_tokens(user_id)

    def issue_access_token(self, user_id: str, terms: TokenTerms | None = None) -> AccessToken:
        """An access token as the customer's own identity provider issues it, on `rules.terms` or
        others, and bound to no device. Creates the user. [LOGIN-7]"""
        with self._engine.locked() as world:
            return world.issue(world.user(user_id), None, self.now(), terms or world.rules.terms).token

    # ── What an administrator does ──────────────────────────────────────────────────────────────

    def user(self, user_id: str) -> User:
        """A user; created if unknown."""
        with self._engine.locked() as world:
            return world.user(user_id)

    def ban(self, user_id: str) -> None:
        """Ban a user from the whole network; realtime tells. Tokens live on, and open nothing."""
        with self._engine.locked() as world:
            world.set_banned(world.user(user_id), banned=True)

    def unban(self, user_id: str) -> None:
        """Let a user in again: tokens that still live open the API again."""
        with self._engine.locked() as world:
            world.set_banned(world.user(user_id), banned=False)

    def delete(self, user_id: str) -> None:
        """Delete a user; realtime tells."""
        with self._engine.locked() as world:
            world.delete(world.user(user_id))

    def revoke(self, whose: str | AccessToken) -> None:
        """Void an access token, or every one of a user. Nobody is told."""
        with self._engine.locked() as world:
            for issued in world.tokens_of(whose):
                issued.voided = True

    def expire(self, whose: str | AccessToken) -> None:
        """Let an access token, or every one of a user, expire now, whatever it says itself."""
        with self._engine.locked() as world:
            for issued in world.tokens_of(whose):
                issued.expires_at = self.now()

    def tokens_of(self, user_id: str) -> tuple[IssuedToken, ...]:
        """Every access token that was issued for a user, oldest first."""
        with self._engine.locked() as world:
            return tuple(world.tokens_of(user_id))

    def is_alive(self, token: AccessToken) -> bool:
        """Whether an access token was issued here and is neither voided nor expired."""
        with self._engine.locked() as world:
            return any(issued.is_alive(self.now()) for issued in world.tokens_of(token))

    def subscribe(self, callback: Callable[[RealtimeEvent], None]) -> Callable[[], None]:
        """Hear realtime's events, in the thread that caused them and outside locks. Gives back what
        ends that."""
        key = object()
        self._engine.subscribers[key] = callback

        def end() -> None:
            self._engine.subscribers.pop(key, None)

        return end

    # ── What goes wrong, and what happened ──────────────────────────────────────────────────────

    def fail(self, endpoint: Endpoint | None, *faults: Fault, skip: int = 0, times: float = 1) -> None:
        """Let faults, all of them together, strike coming exchanges.

        Args:
            endpoint: with which endpoint; None: with any.
            faults: see `splus_session.testing.faults`.
            skip: how many such exchanges to let pass first.
            times: how many to strike then; `math.inf`: until `mend`.
        """
        with self._engine.locked():
            self._engine.script.add(endpoint, faults, skip, times)

    def hold(
        self, endpoint: Endpoint | None, *, carried_out: bool = False, skip: int = 0, times: float = 1
    ) -> Hold:
        """Hold coming exchanges up until `release()`, before or after they are carried out."""
        hold = Hold()
        self.fail(endpoint, hold.fault(carried_out=carried_out), skip=skip, times=times)
        return hold

    def attend(self, attendant: Attendant | None) -> None:
        """Have a function decide what else strikes each request, when it has arrived. It is called
        outside locks, in the server's thread. None: nobody decides any more."""
        self._engine.attendant = attendant

    def mend(self) -> None:
        """Let nothing go wrong any more. What is held up stays so."""
        with self._engine.locked():
            self._engine.script.clear()

    @property
    def requests(self) -> tuple[Received, ...]:
        """Every request that arrived, in order."""
        return tuple(self._engine.requests)

    def requests_to(self, *endpoints: Endpoint) -> tuple[Received, ...]:
        """The requests that arrived for these endpoints, in order."""
        return tuple(request for request in self.requests if request.endpoint in endpoints)

    # ── Its faces ───────────────────────────────────────────────────────────────────────────────

    def client(self, *, timeout: float = 30.0) -> InProcessPlatform:
        """The platform for a threaded session in this process: no sockets, and no time but the clock's.

        Args:
            timeout: how long one request may take by `clock`, in seconds.
        """
        return InProcessPlatform(self._engine, self.api_key, timeout)

    def async_client(self, *, timeout: float = 30.0) -> AsyncInProcessPlatform:
        """The same for an async session, of asyncio or trio."""
        return AsyncInProcessPlatform(self._engine, self.api_key, timeout)

    def transport(self) -> "FakeTransport":
        """What an `httpx2.Client` or `AsyncClient` takes as `transport` to call the API in this
        process, whatever the origin. Needs httpx2."""
        from splus_session.testing._transport import FakeTransport

        return FakeTransport(self._engine)

    @contextmanager
    def serve(self, port: int = 0) -> Generator["FakeServer"]:
        """Be a real HTTP server on 127.0.0.1 while the block runs; `.url` says where.

        Args:
            port: which; 0: any free one. Give it to come back where an earlier server was.
        """
        from splus_session.testing._server import FakeServer

        server = FakeServer(self._engine, port)
        try:
            yield server
        finally:
            server.stop()
