"""Who there is and who may do what: the fake platform's memory, without a word of HTTP.

Not thread-safe: `FakePlatform` holds a lock around it. Times are UTC seconds by the platform's
clock.
"""

import enum
import hashlib
import secrets
from collections import defaultdict, deque

import attrs

from splus_session._secrets import AccessToken, AuthToken
from splus_session.testing._tokens import Mint, TokenTerms, claims

NETWORK_ID = "fake-network"


class UserType(enum.Enum):
    """How the platform calls the kinds of users."""

    SIGNED_IN = "signed-in"
    VISITOR = "visitor"
    BOT = "bot"


class SameDevice(enum.Enum):
    """Which older tokens of a device a new session there voids. The vendor's pages disagree."""

    ANY_USER = "anyUser"
    """All of them: so says the FAQ."""
    OTHER_USER = "otherUser"
    """Those of other users: so says the page about the server's API."""
    NOBODY = "nobody"


@attrs.define
class User:
    """A user of the platform."""

    user_id: str
    """As the customer calls the user: the public id."""
    internal_id: str
    user_type: UserType = UserType.SIGNED_IN
    display_name: str | None = None
    is_banned: bool = False
    is_deleted: bool = False

    def raw(self) -> dict[str, object]:
        """As the API answers it."""
        return {
            "_id": self.internal_id,
            "userInternalId": self.internal_id,
            "userId": self.user_id,
            "userPublicId": self.user_id,
            "displayName": self.display_name or self.user_id,
            "userType": self.user_type.value,
            "isGlobalBan": self.is_banned,
            "isDeleted": self.is_deleted,
            "roles": [],
            "permissions": [],
            "metadata": {},
        }


@attrs.define
class IssuedToken:
    """An access token that the platform issued, or the customer's own identity provider."""

    number: int
    """Counts them, from 1."""
    token: AccessToken
    user_id: str
    device_id: str | None
    issued_at: float
    expires_at: float | None
    voided: bool = False
    """Whether it was revoked, or a newer session on its device took its place."""

    def is_alive(self, now: float) -> bool:
        """Whether it opens the API, a ban or deletion of its user aside."""
        return not self.voided and (self.expires_at is None or now < self.expires_at)


@attrs.define(kw_only=True)
class Rules:
    """How the platform behaves. Assign to change. Times are seconds."""

    secure_mode: bool = True
    """Whether a login needs an auth token: production."""
    signed_visitors: bool = False
    """Whether a visitor's login needs a signature; one that is given is always checked."""
    admits_banned: bool = False
    """Whether a banned or deleted user is let in with a flag on the answered user, as the vendor's
    SDKs expect, instead of refused, as its list of error codes says."""
    terms: TokenTerms = attrs.field(factory=TokenTerms)
    """How access tokens are issued."""
    auth_token_lifetime: float = 600.0
    same_device: SameDevice = SameDevice.ANY_USER
    rate_limit: tuple[int, float] | None = None
    """How many calls a user may make in how many seconds; the real platform's is `(100, 5.0)`."""


@attrs.define
class World:
    """The users and their tokens."""

    rules: Rules
    users: dict[str, User] = attrs.field(factory=dict, init=False)
    tokens: dict[AccessToken, IssuedToken] = attrs.field(factory=dict, init=False)
    events: list[dict[str, object]] = attrs.field(factory=list, init=False)
    """What realtime has still to tell."""
    _auth_tokens: dict[AuthToken, tuple[str, float]] = attrs.field(factory=dict, init=False)
    _on_device: defaultdict[str, list[IssuedToken]] = attrs.field(
        factory=lambda: defaultdict(list), init=False
    )
    _calls: defaultdict[str, deque[float]] = attrs.field(factory=lambda: defaultdict(deque), init=False)
    _mint: Mint = attrs.field(factory=Mint, init=False)

    def user(self, user_id: str, user_type: UserType = UserType.SIGNED_IN) -> User:
        """The user of this id, created if unknown."""
        if user_id not in self.users:
            internal = hashlib.sha256(user_id.encode()).hexdigest()[:24]
            self.users[user_id] = User(user_id, internal, user_type)
        return self.users[user_id]

    def issue(self, user: User, device_id: str | None, now: float, terms: TokenTerms) -> IssuedToken:
        """A new access token. Voids older ones of the same device, as `same_device` says."""
        issued_at = now - terms.age
        expires_at = None if terms.lifetime is None else issued_at + terms.lifetime
        named: dict[str, object] = {
            "userId": user.internal_id,
            "publicUserId": user.user_id,
            "networkId": NETWORK_ID,
        }
        token = self._mint.token(claims(terms, issued_at, expires_at, named))
        number = len(self.tokens) + 1
        issued = IssuedToken(number, token, user.user_id, device_id, issued_at, expires_at)
        self.tokens[token] = issued
        if device_id is not None:
            if self.rules.same_device is not SameDevice.NOBODY:
                self._void_older(device_id, user.user_id)
            self._on_device[device_id].append(issued)
        return issued

    def _void_older(self, device_id: str, user_id: str) -> None:
        for older in self._on_device[device_id]:
            if self.rules.same_device is SameDevice.ANY_USER or older.user_id != user_id:
                older.voided = True

    def issue_auth_token(self, user_id: str, now: float) -> AuthToken:
        """The customer's backend's word for a user, for a while."""
        token = AuthToken(secrets.token_hex(32))
        self._auth_tokens[token] = (user_id, now + self.rules.auth_token_lifetime)
        return token

    def accepts(self, auth_token: AuthToken, user_id: str, now: float) -> bool:
        """Whether this auth token vouches for this user, now."""
        whose, until = self._auth_tokens.get(auth_token, (None, 0.0))
        return whose == user_id and now < until

    def void_auth_tokens(self, user_id: str) -> None:
        """The customer's backend no longer vouches for this user."""
        self._auth_tokens = {
            token: entry for token, entry in self._auth_tokens.items() if entry[0] != user_id
        }

    def tokens_of(self, whose: str | AccessToken) -> list[IssuedToken]:
        """One token, or all of a user."""
        if isinstance(whose, AccessToken):
            return [self.tokens[whose]] if whose in self.tokens else []
        return [issued for issued in self.tokens.values() if issued.user_id == whose]

    def set_banned(self, user: User, banned: bool) -> None:
        """Ban a user from the whole network, or let in again. Realtime tells of a ban."""
        user.is_banned = banned
        if banned:
            self._tell("user.didGlobalBan", user)

    def delete(self, user: User) -> None:
        """Delete a user. Realtime tells of it."""
        user.is_deleted = True
        self._tell("user.deleted", user)

    def _tell(self, event_type: str, user: User) -> None:
        self.events.append({"eventType": event_type, "data": {"users": [user.raw()], "files": []}})

    def wait_for_call(self, user_id: str, now: float) -> float:
        """Count a call of this user. Seconds to wait if it is one too many, else 0."""
        if self.rules.rate_limit is None:
            return 0.0
        allowed, span = self.rules.rate_limit
        calls = self._calls[user_id]
        while calls and calls[0] <= now - span:
            calls.popleft()
        if len(calls) >= allowed:
            return (calls[0] if calls else now) + span - now
        calls.append(now)
        return 0.0
