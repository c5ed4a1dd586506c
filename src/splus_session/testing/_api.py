"""The endpoints that a session needs, as functions from a request to an answer.

They check in the platform's order (who asks, then the shape, then whether the user may) and
answer in its words: status and code, the error object, ISO times with milliseconds.
"""

import hashlib
from collections.abc import Callable
from urllib.parse import unquote

from splus_session.testing._endpoints import Endpoint, endpoint_of
from splus_session.testing._fields import ApiError, Fields, error
from splus_session.testing._gate import LONGEST_ID, Gate, Keys, check_standing, user_id_of
from splus_session.testing._messages import Request, Response
from splus_session.testing._tokens import TokenTerms, iso
from splus_session.testing._world import User, UserType, World

LONGEST_DEVICE_ID = 150

Handler = Callable[[Request, float, TokenTerms], Response]
"""Carries out a request, at a time (UTC seconds), on the terms for tokens."""

CHAT_SETTINGS = {
    "enabled": True,
    "mention": {"isAllowMentionedChannelEnabled": True},
    "messagePreview": {"enabled": False, "isIncludeDeleted": False},
    "marker": {"enabled": True},
}
NO_CHANNELS: dict[str, object] = {"channels": [], "channelUsers": [], "users": [], "files": [], "paging": {}}


class Api:
    """Carries requests out on a world. Not thread-safe: `FakePlatform` holds a lock around it."""

    def __init__(self, world: World, keys: Keys) -> None:
        self._world = world
        self._rules = world.rules
        self._gate = Gate(world, keys)
        self._handlers: dict[Endpoint, Handler] = {
            Endpoint.LOGIN: self._login,
            Endpoint.VISITOR_LOGIN: self._visitor_login,
            Endpoint.BOT_LOGIN: self._bot_login,
            Endpoint.VERIFY: self._verify,
            Endpoint.REVOKE: self._revoke,
            Endpoint.AUTH_TOKEN: self._auth_token,
            Endpoint.AUTH_TOKEN_V3: self._auth_token_v3,
            Endpoint.GET_USER: self._get_user,
            Endpoint.GET_SETTINGS: self._get_settings,
            Endpoint.GET_CHANNELS: self._get_channels,
            Endpoint.BAN: self._ban,
            Endpoint.UNBAN: self._unban,
        }

    def answer(self, request: Request, now: float, terms: TokenTerms) -> Response:
        """Carry a request out, at the platform's time `now` (UTC seconds)."""
        endpoint = endpoint_of(request)
        if endpoint is None:
            return Response.of_error(404, 400400, "Not Found")
        try:
            return self._handlers[endpoint](request, now, terms)
        except ApiError as refusal:
            return refusal.response

    # ── Logins ──────────────────────────────────────────────────────────────────────────────────

    def _login(self, request: Request, now: float, terms: TokenTerms) -> Response:
        self._gate.check_api_key(request)
        fields = Fields(request.json())
        user_id = fields.text("userId", LONGEST_ID, required=True)
        display_name = fields.text("displayName", 100)
        auth_token = fields.text("authToken", 100)
        device_id = self._device(fields)
        if self._rules.secure_mode:
            self._gate.check_auth_token(auth_token, str(user_id), now)
        self._gate.count_call(str(user_id), now)
        user = self._world.user(str(user_id))
        if display_name is not None:
            user.display_name = display_name
        return self._open(user, device_id, now, terms)

    def _visitor_login(self, request: Request, now: float, terms: TokenTerms) -> Response:
        self._gate.check_api_key(request)
        fields = Fields(request.json())
        signature = fields.text("authSignature", 200)
        expires_at = fields.text("authSignatureExpiresAt", 50)
        device_id = self._device(fields)
        if signature is not None or expires_at is not None or self._rules.signed_visitors:
            self._gate.check_signature(device_id, signature or "", expires_at or "", now)
        user = self._world.user(_device_user("visitor", device_id), UserType.VISITOR)
        return self._open(user, device_id, now, terms)

    def _bot_login(self, request: Request, now: float, terms: TokenTerms) -> Response:
        self._gate.check_api_key(request)
        device_id = self._device(Fields(request.json()))
        user = self._world.user(_device_user("bot", device_id), UserType.BOT)
        return self._open(user, device_id, now, terms)

    def _device(self, fields: Fields) -> str:
        """The device id; the last field to be read, so what was wrong with any is said here."""
        device_id = fields.text("deviceId", LONGEST_DEVICE_ID, required=True)
        fields.device_info()
        fields.check()
        return str(device_id)

    def _open(self, user: User, device_id: str, now: float, terms: TokenTerms) -> Response:
        if terms.user_id is not None:
            user = self._world.user(terms.user_id)
        if not self._rules.admits_banned:
            check_standing(user)
        issued = self._world.issue(user, device_id, now, terms)
        content: dict[str, object] = {
            "accessToken": issued.token.reveal(),
            "refreshToken": hashlib.sha256(issued.token.reveal().encode()).hexdigest(),
            "users": [user.raw()],
            "files": [],
            "userType": user.user_type.value,
        }
        if terms.tells_issue:
            content["issuedAt"] = iso(issued.issued_at)
        if terms.tells_expiry and issued.expires_at is not None:
            content["expiresAt"] = iso(issued.expires_at)
        return Response.of_json(content)

    # ── The access token ────────────────────────────────────────────────────────────────────────

    def _verify(self, request: Request, now: float, _terms: TokenTerms) -> Response:
        header = request.header("authorization")
        if header is not None and not header.startswith("Bearer "):
            raise error(422, 500000, "Unprocessable Entity", detail=['"authorization" is no bearer token'])
        user, _ = self._gate.token_of(request, now)
        check_standing(user)
        return Response.of_json({"success": True})

    def _revoke(self, request: Request, now: float, _terms: TokenTerms) -> Response:
        _, token = self._gate.authorised(request, now)
        self._world.tokens[token].voided = True
        return Response.of_json({"success": True})

    # ── For the customer's backend ──────────────────────────────────────────────────────────────

    def _auth_token(self, request: Request, now: float, _terms: TokenTerms) -> Response:
        self._gate.check_server_key(request)
        user_id = user_id_of(request.json())
        return Response.of_text(self._world.issue_auth_token(user_id, now).reveal())

    def _auth_token_v3(self, request: Request, now: float, _terms: TokenTerms) -> Response:
        self._gate.check_server_key(request)
        user_id = user_id_of({"userId": request.parameter("userId")})
        return Response.of_json(self._world.issue_auth_token(user_id, now).reveal())

    # ── The ordinary API ────────────────────────────────────────────────────────────────────────

    def _get_user(self, request: Request, now: float, _terms: TokenTerms) -> Response:
        self._gate.authorised(request, now)
        user_id = unquote(request.path.rpartition("/")[2])
        user = self._world.users.get(user_id)
        if user is None or user.is_deleted:
            raise error(404, 400400, "User not found")
        return Response.of_json({"users": [user.raw()], "files": []})

    def _get_settings(self, request: Request, now: float, _terms: TokenTerms) -> Response:
        self._gate.authorised(request, now)
        return Response.of_json(CHAT_SETTINGS)

    def _get_channels(self, request: Request, now: float, _terms: TokenTerms) -> Response:
        self._gate.authorised(request, now)
        return Response.of_json(NO_CHANNELS)

    # ── For administrators ──────────────────────────────────────────────────────────────────────

    def _ban(self, request: Request, _now: float, _terms: TokenTerms) -> Response:
        user = self._gate.administered(request)
        self._world.set_banned(user, banned=True)
        return Response.of_json({"users": [user.raw()], "files": []})

    def _unban(self, request: Request, _now: float, _terms: TokenTerms) -> Response:
        user = self._gate.administered(request)
        self._world.set_banned(user, banned=False)
        return Response.of_json({"users": [user.raw()], "files": []})


def _device_user(kind: str, device_id: str) -> str:
    """A visitor's or a bot's user id: the same for the same device."""
    return f"{kind}-{hashlib.sha256(device_id.encode()).hexdigest()[:24]}"
