"""A session for threads."""

import contextlib
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Self

from splus_session import _arguments
from splus_session._arguments import Hook
from splus_session._base import SessionBase, renewal_in, revocation_in
from splus_session._commands import Change
from splus_session._config import Config
from splus_session._engine import Flight
from splus_session._errors import CallerError, MissingExtraError, SessionClosed, WaitTimeoutError
from splus_session._events import (
    LoginAsBot,
    LoginCancelled,
    LoginRequest,
    Logout,
    RenewNow,
    Resume,
    SecureLogout,
    UserBanned,
)
from splus_session._explain import refused
from splus_session._recorder import Recorder
from splus_session._secrets import AccessToken, ApiKey, AuthSignature, AuthToken, Sealed
from splus_session.platform import Endpoint
from splus_session.ports import (
    AccessTokenHandler,
    Authorization,
    Clock,
    Platform,
    SessionHandler,
    Store,
)
from splus_session.sync._observers import Changes, Courier
from splus_session.sync._signal import Signal
from splus_session.sync._threads import watcher
from splus_session.sync._worker import Worker

if TYPE_CHECKING:
    from splus_session.platform.auth import SessionAuth


class Session(SessionBase[Signal]):
    """One user's stay on social.plus, for threads.

    Open it with `with`; any thread may call its methods inside that block. Leaving the block is not
    a logout: a stored session is resumed by the next one that is opened. [CLIENT-3] An idle session
    has no thread; one daemon thread watches the time for all sessions of the process.

    Example:
        ```python
        with Session(api_key="…", region="sg", session_handler=handler) as session:
            session.login("user-123", auth_token=backend.auth_token("user-123"))
        ```
    """

    _threaded = True

    def __init__(
        self,
        api_key: ApiKey | str,
        region: str | None = None,
        *,
        endpoint: Endpoint | str | None = None,
        development: bool = False,
        session_handler: SessionHandler | None = None,
        access_token_handler: AccessTokenHandler | None = None,
        hooks: Mapping[str, Hook] | None = None,
        store: Store | None = None,
        slot: str = "default",
        resume: bool = True,
        config: Config | None = None,
        platform: Platform | None = None,
        clock: Clock | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """Make a session. Nothing is sent or read before it is opened.

        Args:
            api_key: names your application at the platform. [CLIENT-1]
            region: `sg`, `eu` or `us`; `sg` if there is no endpoint either.
            endpoint: another place, instead of a region: `https://…`, or `http://` on loopback.
            development: whether a user id alone may log in.
            session_handler: renews sessions; see `ports.SessionHandler`. [HANDLER-1]
            access_token_handler: renews access-token sessions; see `ports.AccessTokenHandler`.
            hooks: side effects by name: `on_login`, `on_renewal`, `on_ban`, `on_logout`, each
                called with a `HookCall` on a thread, one after the other. [HOOK-1]
            store: where the session survives the process; by default it does not.
            slot: tells apart the sessions that one application keeps in one store. To the platform
                they are one device, on which a login may void another user's tokens.
            resume: whether opening resumes a stored session. [RESUME-1]
            config: windows, pauses, deadlines, limits.
            platform: another way to the platform than HTTP.
            clock: another time than the machine's.
            recorder: notes the last steps, without secrets; for this session alone.

        Raises:
            ConfigurationError: an empty API key, an unknown region, an unacceptable endpoint, or a
                region and an endpoint.
            InvalidHandlerError: a handler or hook of the wrong shape. [HANDLER-2] [HOOK-2]
            MissingExtraError: no `platform` is given, and the extra `http` is not installed.
        """
        self._started = False
        sealed = Sealed(api_key)
        del api_key
        super().__init__(
            sealed,
            region,
            endpoint,
            development,
            config,
            session_handler,
            access_token_handler,
            hooks,
            store,
            slot,
            clock,
            recorder,
            Signal,
            self._kick,
        )
        self._resumes = resume
        self._given_platform = platform
        self._asks_origin = platform is None
        if platform is None and find_spec("httpx2") is None:
            raise MissingExtraError("http")
        self._opened = False
        self._couriers: list[Courier] = []

    # ── Opening and closing ─────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        """Open: resume a stored session, if there is one, and start working.

        Raises:
            StoredRecordError: what is stored is damaged, foreign or of a future version; it was
                put aside, and opening again finds nothing stored. [RESUME-1]
            HandlerRequiredError: the stored session is expired and nobody can renew it; it was
                left as it is. `resume=False` opens without it. [RESUME-1]
            StoreError: the store cannot be read.
            SessionClosed: it was opened before.
            ForkedSessionError: it was made before a fork.
        """
        self._engine.raise_if_gone()
        if self._opened:
            raise SessionClosed("a session object is opened once; make another one")
        self._opened = True
        self._platform = self._given_platform or self._http()
        self._worker = Worker(
            self._engine,
            self._observers,
            self._platform,
            self._store,
            self._key,
            self._hooks,
            self._handlers,
        )
        try:
            self._begin()
        except BaseException:
            self._close()
            raise
        return self

    def _begin(self) -> None:
        worker, limits = self._worker, self._config.limits
        found = self._store.device_id(self._new_device_id)
        worker.device_id = self._device_id = _arguments.device_id(found, limits)
        self._stop_listening = self._clock.on_jump(self._engine.poke)
        self._started = True
        watcher.watch(self._engine)
        record = self._store.load(self._key) if self._resumes else None
        if record is not None:
            resumed = self._engine.flight()
            step, _ = self._engine.post(Resume(record), waiter=resumed)
            if step.dropped is not None:
                raise refused(step)
            self._warn(step.after)
            self._wait(resumed)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close: not a logout. What was committed is stored and told, then everything ends. [CLIENT-3]"""
        self._close()

    def _close(self) -> None:
        if self._engine.forked:
            return  # its threads and connections are the parent's
        self._engine.end()
        watcher.forget(self._engine)
        # One after the other, though a Ctrl-C come between: nobody is to wait for the rest in vain.
        try:
            if self._started:
                self._stop_listening()
                self._worker.stop()
        finally:
            self._observers.close()
            try:
                self._worker.let_callbacks_end(self._couriers)
            finally:
                if self._given_platform is None:
                    self._platform.close()

    def _kick(self) -> None:
        if self._started:
            self._worker.work()
            watcher.look_again(self._engine)

    def _http(self) -> Platform:
        from splus_session.platform.sync import HttpPlatform

        return HttpPlatform(
            self._endpoint,
            self._api_key,
            timeout=self._config.request_timeout,
            now=self._clock.now,
        )

    # ── Logging in ──────────────────────────────────────────────────────────────────────────────

    def login(
        self,
        user_id: str,
        *,
        auth_token: AuthToken | str | None = None,
        display_name: str | None = None,
        session_handler: SessionHandler | None = None,
    ) -> None:
        """Log in. Returns once the session is `established`. [LOGIN-1] [LOGIN-2]

        Args:
            user_id: who.
            auth_token: your backend's word for that; needed unless in development. [LOGIN-4]
            display_name: what the platform should call the user from now on.
            session_handler: renews this session alone, instead of the client's. It does not come
                back when the session is resumed by another process. [HANDLER-1]

        Raises:
            NotAllowedError: not possible in this state.
            AuthTokenRequiredError: production login without an auth token. Nothing was sent.
            InvalidArgumentError: not within the platform's limits. Nothing was sent. [LOGIN-10]
            PlatformError: refused, banned, deleted, unavailable or malformed. [LOGIN-3] [LOGIN-5]
            InterruptedByError: a logout came first. [LOGIN-9]
            SessionClosed: the session object was closed. [CLIENT-3]
        """
        sealed = Sealed(auth_token)
        del auth_token
        own = _arguments.session_handler(session_handler, threaded=self._threaded)
        self._log_in(self._login(user_id, sealed, display_name, own is not None), own)

    def login_with_access_token(self, access_token: AccessToken | str) -> None:
        """Log in with an access token that your backend issued. The platform verifies it. [LOGIN-7]

        Raises:
            HandlerRequiredError: no access token handler is registered. Nothing was sent.
            InvalidAccessTokenError: no JWT, no user id, or expired. Nothing was sent.
            NotAllowedError, PlatformError, InterruptedByError, SessionClosed: as `login`.
        """
        sealed = Sealed(access_token)
        del access_token
        self._log_in(self._access_token_login(sealed), None)

    def login_as_visitor(
        self,
        *,
        auth_signature: AuthSignature | str | None = None,
        auth_signature_expires_at: str | None = None,
        session_handler: SessionHandler | None = None,
    ) -> None:
        """Log in this device as a visitor, signed by your backend or not. [LOGIN-8]

        Args:
            auth_signature: your backend's signature of `device_id`.
            auth_signature_expires_at: its expiry, to the letter as it was signed (ISO 8601).
            session_handler: renews this session alone.

        Raises:
            NotAllowedError, InvalidArgumentError, PlatformError, InterruptedByError,
            SessionClosed: as `login`.
        """
        sealed = Sealed(auth_signature)
        del auth_signature
        own = _arguments.session_handler(session_handler, threaded=self._threaded)
        request = self._visitor_login(sealed, auth_signature_expires_at, own is not None)
        self._log_in(request, own)

    def login_as_bot(self, *, session_handler: SessionHandler | None = None) -> None:
        """Log in this device as a bot. Raises as `login`. [LOGIN-8]"""
        own = _arguments.session_handler(session_handler, threaded=self._threaded)
        self._log_in(LoginAsBot(own is not None), own)

    def _log_in(self, request: LoginRequest, own_handler: SessionHandler | None) -> None:
        self._raise_if_not_open()
        flight, attempt = self._start_login(request, own_handler)
        try:
            self._wait(flight)
        except BaseException:
            self._give_up(attempt)
            raise
        self._raise_for("login", flight)

    def _give_up(self, attempt: int) -> None:
        """The caller of a login was interrupted: so ends that attempt, and no other. [LOGIN-9]"""
        with contextlib.suppress(CallerError):  # closed as well
            self._engine.post(LoginCancelled(attempt), whenever=True)

    # ── Logging out ─────────────────────────────────────────────────────────────────────────────

    def logout(self) -> None:
        """Log out, here and now, from any state; needs no network. [LOGOUT-1]

        Nothing is authorised from the moment of the call. Returns once the stored session is gone;
        interrupting the caller does not stop that.

        Raises:
            StoreError: the user is logged out, but the stored record could not be deleted.
            SessionClosed: the session object was closed.
        """
        self._raise_if_not_open()
        waiter = self._engine.flight()
        self._engine.post(Logout(), waiter=waiter)
        self._wait(waiter)
        self._raise_for("logout", waiter)

    def secure_logout(self) -> None:
        """Revoke the access token, and log out only if that worked. [LOGOUT-3] [LOGOUT-4]

        A second call joins the first; interrupting a caller lets the revocation finish and apply.

        Raises:
            NotAllowedError: while `establishing`; `logout` is possible there.
            PlatformError: the token could not be revoked, and the session is as it was; or the
                user was banned or deleted meanwhile, and it is `terminated`.
            InterruptedByError: a plain `logout` came first.
            StoreError: logged out, but the stored record could not be deleted.
            SessionClosed: the session object was closed.
        """
        self._raise_if_not_open()
        waiter = self._engine.flight()
        step, flight = self._engine.post(SecureLogout(), waiter=waiter, watch=revocation_in)
        if step.dropped is not None:
            raise refused(step)
        ending = waiter if flight is None else flight
        self._wait(ending)
        self._raise_for("secure logout", ending)

    # ── Renewing ────────────────────────────────────────────────────────────────────────────────

    def renew_now(self) -> None:
        """Renew now, whatever pause there is: the user or the network is back. [RENEW-9]

        Returns once the token is renewed; joins a renewal in flight.

        Raises:
            NotAllowedError: nobody is logged in, or a secure logout is on its way.
            HandlerRequiredError: nobody can renew this session.
            PlatformError, InterruptedByError: the renewal came to nothing.
            SessionClosed: the session object was closed.
        """
        self._raise_if_not_open()
        step, flight = self._engine.post(RenewNow(), watch=renewal_in)
        if step.dropped is not None:
            raise refused(step)
        if flight is not None:
            self._wait(flight)
            self._raise_for("renewal", flight)

    # ── Authorising requests ────────────────────────────────────────────────────────────────────

    def authorization(self) -> Authorization:
        """What authorises one request, now. Ask again for every request. [EXPIRE-2] [EXPIRE-5]

        Waits, bounded by `Config.wait_limit`, for a login or a renewal on its way, and shares its
        success or its failure with everybody else who waits. [RENEW-3]

        Raises:
            NotLoggedInError, SessionTerminatedError: there is none, and waiting would not help.
            RenewalFailedError: the renewal failed; `retry_at` says when the session tries again.
            HandlerRequiredError: the token is expired and nobody can renew it. [RENEW-12]
            WaitTimeoutError: none became available in time.
            SessionClosed: the session object was closed.
        """
        live = self._engine.live
        if live is not None and self._now() < live.until:
            return live
        return self._authorization()

    def _authorization(self) -> Authorization:
        self._raise_if_not_open()
        until = self._clock.monotonic() + self._config.wait_limit
        flight: Flight[Signal] | None = None
        while True:
            outcome = self._engine.authorize(after=flight)
            if isinstance(outcome, Authorization):
                return outcome
            flight = outcome
            if not self._wait(flight, settled=False, until=until):
                raise WaitTimeoutError(
                    f"no header within {self._config.wait_limit:g} seconds",
                    state=self._engine.snapshot.state,
                )
            if flight.closed:
                raise SessionClosed("the session was closed")

    def report_rejected(self, attempt: int) -> None:
        """The API answered 401 or 400100. Returns when that is sorted out, or in time. [EXPIRE-3]

        Args:
            attempt: `Authorization.attempt` of what was rejected. An older one's is dropped.
        """
        self._raise_if_not_open()
        flight = self._engine.report_rejected(attempt)
        if flight is not None:
            until = self._clock.monotonic() + self._config.wait_limit
            self._wait(flight, settled=False, until=until)

    def report_banned(self, attempt: int) -> None:
        """The API answered 400312: the user is banned. Returns when that has been told. [BAN-3]

        Args:
            attempt: `Authorization.attempt` of the request.
        """
        self._raise_if_not_open()
        told = self._engine.flight()
        self._engine.post(UserBanned(attempt=attempt), waiter=told)
        self._wait(told)

    def auth(self) -> "SessionAuth":
        """Authentication for an httpx2 client: `httpx2.Client(auth=session.auth())`."""
        from splus_session.platform.auth import SessionAuth

        return SessionAuth(self)

    # ── Observing ───────────────────────────────────────────────────────────────────────────────

    def changes(self) -> Changes:
        """The changes from now on, in order, beginning with where the session is. [OBSERVE-1]

        Raises:
            SessionClosed: the session has not been opened yet.
            ForkedSessionError: the session object was made before a fork.
        """
        if not self._opened or self._engine.forked:
            self._raise_if_not_open()
        return Changes(self._observers.add())

    def on_change(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Call `callback` with every change, on a thread that comes and goes. [OBSERVE-1]

        It begins with where the session is. It may call into the session. One that raises is
        logged; one that falls 1,024 changes behind is dropped. [OBSERVE-2] [OBSERVE-3]

        Returns:
            What ends that.

        Raises:
            InvalidHandlerError: it cannot be called with one argument.
            SessionClosed: the session is not open.
        """
        self._raise_if_not_open()
        callback = _arguments.observer(callback, threaded=self._threaded)
        courier = Courier(callback)
        mailbox = courier.mailbox = self._observers.add(courier)
        courier.fire()
        self._couriers.append(courier)

        def end() -> None:
            self._observers.remove(mailbox)
            if courier in self._couriers:
                self._couriers.remove(courier)

        return end

    # ── Waiting ─────────────────────────────────────────────────────────────────────────────────

    def _wait(self, flight: Flight[Signal], *, settled: bool = True, until: float | None = None) -> bool:
        """Wait for a flight to be settled, or only released. False if `until` (monotonic) came first."""
        while True:
            event = flight.signal.listen()
            if flight.settled or (flight.released and not settled):
                return True
            left = None if until is None else until - self._clock.monotonic()
            if left is not None and left <= 0:
                return False
            event.wait(left)

    def _raise_if_not_open(self) -> None:
        if not self._opened:
            raise SessionClosed("open the session first: with session")
        self._engine.raise_if_gone()
