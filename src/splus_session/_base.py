"""What the two drivers' sessions have in common: how one is made, and what asks for no waiting."""

import logging
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Generic, cast

import attrs

from splus_session import _arguments
from splus_session._arguments import Hook
from splus_session._clock import SystemClock
from splus_session._config import Config
from splus_session._credentials import SessionKind, credential_from_jwt
from splus_session._engine import Engine, Flight, SignalT
from splus_session._errors import (
    ConfigurationError,
    InterruptedByError,
    InvalidArgumentError,
    SessionClosed,
    StoreError,
)
from splus_session._events import (
    HandlersChanged,
    Login,
    LoginAsVisitor,
    LoginRequest,
    LoginWithAccessToken,
    UserBanned,
    UserDeleted,
)
from splus_session._explain import failed, refused
from splus_session._failures import Failure, FailureKind
from splus_session._observers import Observers
from splus_session._recorder import Recorder
from splus_session._secrets import AccessToken, ApiKey, AuthSignature, Sealed
from splus_session._snapshot import Snapshot, Step
from splus_session._states import SessionState
from splus_session.platform import Endpoint
from splus_session.platform._endpoint import wrap_api_key
from splus_session.ports import AccessTokenHandler, Clock, SessionHandler, Store
from splus_session.stores import MemoryStore, session_key

logger = logging.getLogger("splus_session")


class SessionBase(Generic[SignalT]):
    """One user's stay, login to logout. See `splus_session.aio.Session` and `.sync.Session`."""

    _threaded: bool
    """Whether callbacks must be plain functions."""
    _asks_origin: bool
    """Whether what is sent goes to `origin`, rather than to a platform of the app's own."""

    def __init__(
        self,
        api_key: Sealed,
        region: str | None,
        endpoint: Endpoint | str | None,
        development: bool,
        config: Config | None,
        session_handler: SessionHandler | None,
        access_token_handler: AccessTokenHandler | None,
        hooks: Mapping[str, Hook] | None,
        store: Store | None,
        slot: str,
        clock: Clock | None,
        recorder: Recorder | None,
        signal: Callable[[], SignalT],
        kick: Callable[[], None],
    ) -> None:
        # First of all, for tracebacks of what is refused below show the session, and it its state.
        self._clock: Clock = SystemClock() if clock is None else clock
        self._observers: Observers[SignalT] = Observers(signal, self._clock.now())
        self._api_key = wrap_api_key(cast("ApiKey | str", api_key.value))
        self._endpoint = Endpoint.chosen(region, endpoint)
        self._config = _config(config, development)
        self._session_handler = _arguments.session_handler(session_handler, threaded=self._threaded)
        self._access_token_handler = _arguments.access_token_handler(
            access_token_handler, threaded=self._threaded
        )
        self._hooks = _arguments.hooks(hooks, threaded=self._threaded)
        self._store: Store = MemoryStore() if store is None else _arguments.store(store)
        self._key = session_key(self._endpoint.origin, self._api_key.reveal(), slot)
        self._now = self._clock.now
        self._device_id: str | None = None
        self._said_development = False
        if recorder is not None and type(recorder) is not Recorder:
            raise InvalidArgumentError(f"a recorder is a Recorder, and not a {type(recorder).__name__}")
        self._engine: Engine[SignalT] = Engine(
            self._config,
            self._clock,
            seed=secrets.randbits(64),
            signal=signal,
            kick=kick,
            forked=self._observers.after_fork,
            recorder=recorder,
        )
        self._tell_handlers()

    def __repr__(self) -> str:
        closed = ", closed" if self._observers.closed else ""
        return f"<{type(self).__module__.rpartition('.')[0]}.Session {self.state.value}{closed}>"

    # ── Where it is ─────────────────────────────────────────────────────────────────────────────

    @property
    def state(self) -> SessionState:
        """The state announced last. Authorisation may be ahead of it, never behind. [EXPIRE-2]"""
        return self._observers.last.state

    @property
    def user_id(self) -> str | None:
        """Whose session it is; None if nobody's."""
        return self._engine.snapshot.user_id

    @property
    def device_id(self) -> str:
        """This device's id, stable per store; what a visitor's signature is about. [LOGIN-10]

        Raises:
            SessionClosed: the session has not been opened yet.
        """
        if self._device_id is None:
            raise SessionClosed("the session has not been opened yet")
        return self._device_id

    @property
    def origin(self) -> str:
        """The platform's origin: the only place that gets the session's header. [SECRET-2]"""
        return self._endpoint.origin

    # ── Handlers ────────────────────────────────────────────────────────────────────────────────

    def set_session_handler(self, handler: SessionHandler | None) -> None:
        """Register what renews this client's sessions; None unregisters. In any state. [HANDLER-1]

        Raises:
            InvalidHandlerError: it has not the right shape.
        """
        self._session_handler = _arguments.session_handler(handler, threaded=self._threaded)
        self._tell_handlers()

    def set_access_token_handler(self, handler: AccessTokenHandler | None) -> None:
        """Register what renews access-token sessions; None unregisters. In any state. [HANDLER-2]

        Raises:
            InvalidHandlerError: it has not the right shape.
        """
        self._access_token_handler = _arguments.access_token_handler(handler, threaded=self._threaded)
        self._tell_handlers()

    def _handlers(self) -> tuple[SessionHandler | None, AccessTokenHandler | None]:
        """Who renews, as of now; a session's own handler goes before the client's. [HANDLER-1]"""
        own = self._engine.own_handler
        return self._session_handler if own is None else own, self._access_token_handler

    def _tell_handlers(self) -> None:
        self._engine.post(
            HandlersChanged(self._session_handler is not None, self._access_token_handler is not None)
        )

    # ── What realtime connections tell ──────────────────────────────────────────────────────────

    def note_ban(self, user_id: str | None = None, *, attempt: int | None = None) -> None:
        """A realtime connection told that the platform banned a user. [BAN-3]

        Args:
            user_id: whom, if it said so. Another user's ban is dropped.
            attempt: `Authorization.attempt` of what the connection was opened with. A ban heard
                over an earlier session's connection is dropped.
        """
        self._engine.post(UserBanned(user_id, attempt))

    def note_deletion(self, user_id: str | None = None, *, attempt: int | None = None) -> None:
        """A realtime connection told that the platform deleted a user. See `note_ban`. [BAN-3]"""
        self._engine.post(UserDeleted(user_id, attempt))

    # ── Requests, checked ───────────────────────────────────────────────────────────────────────

    def _login(self, user_id: object, auth_token: Sealed, display_name: object, own: bool) -> Login:
        limits = self._config.limits
        return Login(
            _arguments.user_id(user_id, limits),
            _arguments.auth_token(auth_token, limits),
            _arguments.display_name(display_name, limits),
            own,
        )

    def _access_token_login(self, access_token: Sealed) -> LoginWithAccessToken:
        token = _arguments.secret(AccessToken, access_token)
        return LoginWithAccessToken(credential_from_jwt(token, self._engine.server_now()))

    def _visitor_login(self, signature: Sealed, expires_at: object, own: bool) -> LoginAsVisitor:
        if signature.value is None:
            if expires_at is not None:
                raise InvalidArgumentError("a signature's expiry comes with the signature")
            return LoginAsVisitor(own_handler=own)
        return LoginAsVisitor(
            _arguments.secret(AuthSignature, signature), _arguments.expires_at(expires_at), own
        )

    def _start_login(
        self, request: LoginRequest, own_handler: SessionHandler | None
    ) -> tuple[Flight[SignalT], int]:
        """Have the core start a login, and get the flight and number of that attempt.

        Raises:
            CallerError: it is not possible here, or without what is missing.
        """
        step, flight = self._engine.post(request, own_handler=own_handler, watch=_login_in)
        if flight is None:
            raise refused(step)
        self._warn(step.after)
        return flight, step.after.session

    def _warn(self, snapshot: Snapshot) -> None:
        """Say what a developer wants to know at login, not at expiry. [LOGIN-4] [RENEW-12]"""
        kind = snapshot.kind
        if kind is SessionKind.DEVELOPMENT and not self._said_development:
            self._said_development = True
            logger.warning("development login: a user id alone, with no word from your backend")
        if kind in (SessionKind.AUTH_TOKEN, SessionKind.SIGNED_VISITOR) and not (
            snapshot.session_handler or snapshot.own_handler
        ):
            logger.warning("no session handler is registered: this session will not outlive its token")

    def _raise_for(self, what: str, flight: Flight[SignalT]) -> None:
        """Raise what became of a login, renewal or secure logout, if it came to nothing."""
        if flight.closed:
            raise SessionClosed("the session was closed")
        failure, state = flight.failure, self._engine.snapshot.state
        if failure is None:
            if flight.error is not None:
                # A fresh one: several may wait, and each error collects its own traceback.
                raise StoreError(str(flight.error), state=state)
            return
        if what == "secure logout" and failure.kind is FailureKind.LOGGED_OUT:
            raise InterruptedByError(
                "a plain logout came first: the user is logged out, "
                "but the access token may still be valid on the platform",
                state=state,
                failure=failure,
            )
        origin = self.origin if self._asks_origin else None
        raise failed(what, failure, state, self._retry_at(failure), origin)

    def _retry_at(self, failure: Failure) -> float | None:
        """When trying again makes sense: when the session will, or when the platform asked for it."""
        retry = self._engine.snapshot.retry
        if retry is not None and retry.failure is failure:
            return retry.at
        return None if failure.retry_after is None else self._now() + failure.retry_after

    def _new_device_id(self) -> str:
        return f"splus-session#{uuid.uuid4()}"


def _config(config: object, development: bool) -> Config:
    chosen = Config() if config is None else config
    if not isinstance(chosen, Config):
        raise ConfigurationError(f"the configuration is a Config, not a {type(chosen).__name__}")
    return attrs.evolve(chosen, development=True) if development else chosen


def _login_in(step: Step, snapshot: Snapshot) -> int | None:
    return snapshot.session if step.dropped is None else None


def revocation_in(step: Step, snapshot: Snapshot) -> int | None:
    """The secure logout that is on its way after a step, if one is."""
    return None if snapshot.revocation is None else snapshot.revocation.attempt


def renewal_in(step: Step, snapshot: Snapshot) -> int | None:
    """The renewal that is in flight after a step, if one is."""
    return None if snapshot.renewal is None else snapshot.renewal.attempt
