"""Who asks, and may they? The platform's ways of finding out."""

import hashlib
import hmac

import attrs

from splus_session._secrets import AccessToken, ApiKey, AuthToken, Secret, ServerKey, VisitorSecret
from splus_session.testing._fields import ApiError, Fields, error
from splus_session.testing._messages import Request, Response
from splus_session.testing._tokens import from_iso
from splus_session.testing._world import User, World

LONGEST_ID = 50


@attrs.define(kw_only=True)
class Keys:
    """What the platform and the customer know of each other. Rotate one by assigning another."""

    api_key: ApiKey
    server_key: ServerKey
    visitor_secret: VisitorSecret
    admin_token: AccessToken


class Gate:
    """Every check is a method that raises `ApiError` if the request may not pass."""

    def __init__(self, world: World, keys: Keys) -> None:
        self._world = world
        self._keys = keys

    def check_api_key(self, request: Request) -> None:
        """Is it an app that the platform knows?"""
        if not _same(request.header("x-api-key"), self._keys.api_key):
            raise error(401, 400100, "Unauthorized: unknown API key")

    def check_auth_token(self, auth_token: str | None, user_id: str, now: float) -> None:
        """Does the customer's backend vouch for this user?"""
        if auth_token is None or not self._world.accepts(AuthToken(auth_token), user_id, now):
            raise error(401, 400100, "Unauthorized: the auth token does not vouch for this user")

    def check_signature(self, device_id: str, signature: str, expires_at: str, now: float) -> None:
        """Did the customer's backend sign this visitor's device id, and is it still good? [BACKEND-3]"""
        signed = f"deviceId={device_id}&authSignatureExpiresAt={expires_at}"
        key = self._keys.visitor_secret.reveal().encode()
        right = hmac.digest(key, signed.encode(), hashlib.sha256).hex()
        until = from_iso(expires_at)
        if not hmac.compare_digest(signature.encode(), right.encode()) or until is None or until <= now:
            raise error(422, 500000, "Invalid signature")

    def authorised(self, request: Request, now: float) -> tuple[User, AccessToken]:
        """Whose call it is. A deleted user's token is void, a banned one's says so."""
        user, token = self.token_of(request, now)
        if user.is_deleted:
            raise error(401, 400100, "Unauthorized")
        check_standing(user)
        self.count_call(user.user_id, now)
        return user, token

    def token_of(self, request: Request, now: float) -> tuple[User, AccessToken]:
        """Whose living access token the request carries, whatever became of the user."""
        token = bearer(request)
        issued = None if token is None else self._world.tokens.get(token)
        if token is None or issued is None or not issued.is_alive(now):
            raise error(401, 400100, "Unauthorized")
        return self._world.users[issued.user_id], token

    def count_call(self, user_id: str, now: float) -> None:
        """Is it one call too many?"""
        if wait := self._world.wait_for_call(user_id, now):
            raise error(429, 400311, "Rate limit exceeded", retry_after=wait)

    def check_server_key(self, request: Request) -> None:
        """Is it the customer's backend? Its key is of use in secure mode only."""
        if not _same(request.header("x-server-key"), self._keys.server_key):
            raise ApiError(Response.of_text("Unauthorized", 401))
        if not self._world.rules.secure_mode:
            raise error(403, 400300, "Forbidden: secure mode is off")

    def administered(self, request: Request) -> User:
        """Whom an administrator wants to change."""
        if bearer(request) != self._keys.admin_token:
            raise error(401, 400100, "Only administrator can update user")
        user_id = user_id_of(request.json())
        if user_id not in self._world.users:
            raise error(404, 400400, "User not found")
        return self._world.users[user_id]


def user_id_of(content: object) -> str:
    """The `userId` that an object names, and nothing else of it."""
    fields = Fields(content)
    user_id = fields.text("userId", LONGEST_ID, required=True)
    fields.check()
    return str(user_id)


def check_standing(user: User) -> None:
    """Is the user neither banned nor deleted?"""
    if user.is_banned:
        raise error(403, 400312, "User is globally banned")
    if user.is_deleted:
        raise error(404, 400400, "User is already deleted")


def bearer(request: Request) -> AccessToken | None:
    """The access token that a request carries, if any."""
    header = request.header("authorization") or ""
    token = header.removeprefix("Bearer ")
    return AccessToken(token) if token != header and 0 < len(token) <= AccessToken.max_length else None


def _same(header: str | None, secret: Secret) -> bool:
    return hmac.compare_digest((header or "").encode(), secret.reveal().encode())
