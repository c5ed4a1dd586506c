"""What the outside implements: the platform, the store, the clock, and the app's handlers.

All of it is structural: a class that has the methods fits, nothing need be inherited. The async
driver takes the async variants; where it also takes a plain one, it runs that on a worker thread.
"""

from collections.abc import Awaitable, Callable
from typing import NoReturn, Protocol, SupportsIndex

from splus_session._answers import Answer, facts
from splus_session._credentials import Grant, Record
from splus_session._secrets import AccessToken, AuthSignature, AuthToken
from splus_session._value import value

__all__ = [
    "AccessTokenHandler",
    "Answer",
    "AsyncAuthorizer",
    "AsyncPlatform",
    "Authorization",
    "Authorizer",
    "Clock",
    "Platform",
    "Renewal",
    "SessionHandler",
    "Store",
    "facts",
]


class Platform(Protocol):
    """The platform, seen from one device, for a threaded session. Never raises: failures are answers.

    Every call is bounded in time by the implementation, and safe to make from any thread.
    """

    def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        """Log in or renew: present a grant, get a credential. An `AccessTokenGrant` is verified
        and its credential given back."""
        ...

    def verify(self, access_token: AccessToken) -> Answer:
        """Ask whether a token is alive: no failure if so, `UNAUTHORIZED` if not, `BANNED`,
        `DELETED`, or whatever else came in between. [EXPIRE-3]"""
        ...

    def revoke(self, access_token: AccessToken) -> Answer:
        """Void a token: no failure if done, `UNAUTHORIZED` on a 401. [LOGOUT-3]"""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class AsyncPlatform(Protocol):
    """The platform, seen from one device, for an async session. Never raises but for cancellation."""

    async def open_session(self, grant: Grant, *, device_id: str) -> Answer:
        """See `Platform.open_session`."""
        ...

    async def verify(self, access_token: AccessToken) -> Answer:
        """See `Platform.verify`."""
        ...

    async def revoke(self, access_token: AccessToken) -> Answer:
        """See `Platform.revoke`."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


class Store(Protocol):
    """Where sessions survive the process. Calls may block; a session makes one at a time.

    A store may be shared by several sessions; `key` tells them apart and is no secret. Every
    method raises `StoreError` when it cannot do its work, and `load` raises `StoredRecordError`
    for a record that is damaged or of a future version, which it keeps aside. [RESUME-1] [RESUME-2]
    """

    def load(self, key: str) -> Record | None:
        """The record stored under this key, if any."""
        ...

    def save(self, key: str, record: Record) -> None:
        """Store the record durably before returning."""
        ...

    def delete(self, key: str) -> None:
        """Delete the record durably, and every trace of its secrets, before returning. [LOGOUT-5]"""
        ...

    def device_id(self, make: Callable[[], str]) -> str:
        """This store's device id; made by `make` and stored the first time. [LOGIN-10]"""
        ...


class Clock(Protocol):
    """The time. Replaced by a `ManualClock` in tests."""

    def now(self) -> float:
        """UTC seconds. May step in either direction. [EXPIRE-4]"""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever pass, from an arbitrary start."""
        ...

    def on_jump(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback`, from any thread, when the time moved otherwise than by passing. Gives
        back what ends that."""
        ...


class Renewal(Protocol):
    """One renewal, handed to the handler. Settled once; no method blocks; callable from any thread.

    A second answer, or one after its deadline, a logout, a ban or a newer renewal, is dropped,
    logged, and sends nothing. A malformed argument raises `InvalidArgumentError` and leaves the
    renewal open. [RENEW-4] [RENEW-5]
    """

    @property
    def user_id(self) -> str:
        """Whose session it is."""
        ...

    def renew(self) -> None:
        """Renew with what identifies the session already: enough for development, bots, visitors."""
        ...

    def renew_with_auth_token(self, auth_token: AuthToken | str) -> None:
        """Renew with a fresh auth token from the customer's backend."""
        ...

    def unable_to_retrieve_auth_token(self) -> None:
        """There is none to be had now; the session asks again after a pause. [RENEW-7]"""
        ...

    def renew_with_auth_signature(self, signature: AuthSignature | str, expires_at: str) -> None:
        """Renew a visitor with a fresh signature and its expiry, as signed (ISO 8601)."""
        ...

    def unable_to_retrieve_auth_signature(self) -> None:
        """There is none to be had now; the session asks again after a pause. [RENEW-7]"""
        ...


@value
class Authorization:
    """What authorises one API request, now. Ask again for every request. [EXPIRE-2]"""

    header: str
    """The `Authorization` header's value. A secret."""
    attempt: int
    """Numbers the credential; a rejection is reported with it. [EXPIRE-3]"""
    until: float
    """When it stops being good (UTC seconds, by our clock); infinite if never by the clock."""
    session: int = 0
    """Numbers the stay, login to logout. What was begun in one is not sent again in another. [EXPIRE-2]"""

    def __repr__(self) -> str:
        return f"Authorization(attempt={self.attempt}, until={self.until}, session={self.session})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("Authorization refuses pickling: it holds a secret")


class Authorizer(Protocol):
    """What an HTTP client's authentication asks of a threaded session."""

    @property
    def origin(self) -> str:
        """The platform's origin, such as `https://apix.sg.amity.co`: the only place that is sent
        the header. [SECRET-2]"""
        ...

    def authorization(self) -> Authorization:
        """What authorises a request; waits, bounded, for a login or a renewal on its way. [EXPIRE-5]

        Raises:
            NotAuthorizedError: there is none to be had; says why and when to try again.
            SessionClosed: the session object was closed.
        """
        ...

    def report_rejected(self, attempt: int) -> None:
        """The API answered 401 or 400100 to this credential. Returns when that is sorted out: by
        a renewal in flight, by one verification, or because it is old news. [EXPIRE-3]"""
        ...

    def report_banned(self, attempt: int) -> None:
        """The API answered 400312 to this credential. [BAN-3]"""
        ...


class AsyncAuthorizer(Protocol):
    """What an HTTP client's authentication asks of an async session. See `Authorizer`."""

    @property
    def origin(self) -> str:
        """See `Authorizer.origin`."""
        ...

    async def authorization(self) -> Authorization:
        """See `Authorizer.authorization`."""
        ...

    async def report_rejected(self, attempt: int) -> None:
        """See `Authorizer.report_rejected`."""
        ...

    async def report_banned(self, attempt: int) -> None:
        """See `Authorizer.report_banned`."""
        ...


class SessionHandler(Protocol):
    """Renews sessions that the platform issues tokens for."""

    def session_will_renew_access_token(self, renewal: Renewal) -> Awaitable[None] | None:
        """Get what is needed from the customer's backend and answer `renewal`. [RENEW-4]"""
        ...


class AccessTokenHandler(Protocol):
    """Renews sessions whose access tokens the customer's backend issues."""

    def on_token_renew(self, user_id: str) -> Awaitable[AccessToken | str] | AccessToken | str:
        """A fresh access token for this user, from the customer's backend. [RENEW-10]"""
        ...
