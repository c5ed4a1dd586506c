"""What a small client needs of the world: time, HTTP, and the meaning of the platform's answers.

Nothing here is splus_session's: this stands for the code of somebody else. The only thread reads
what has come, does what is to be done, and waits for nothing.
"""

import base64
import http.client
import io
import json
import math
import re
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, ClassVar, NamedTuple, cast
from urllib.parse import urlsplit

MAX_TIME = 253_402_300_800.0
"""The end of the year 9999."""

TIMEOUT = 30.0
"""How long a request may take, in seconds of the real clock: a socket knows no other."""

VISIBLE = re.compile(r"[\x21-\x7e]+")


class ClientError(Exception):
    """Whatever a client cannot do, and whose move it is. Its message never holds a secret."""

    def __init__(self, kind: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable


# ── Time, and what is to be done ────────────────────────────────────────────────────────────────


class Loop:
    """A clock that others move, a queue of what is to be done, and the open requests."""

    def __init__(self, now: float) -> None:
        self.now = now
        """What the wall clock shows, UTC seconds."""
        self.monotonic = 0.0
        """Seconds that passed while awake."""
        self.sent = 0
        self.on_uncaught: Callable[[Exception], None] = lambda _: None
        self._todo: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()

    @property
    def open(self) -> int:
        """How many requests are on their way."""
        return len(self._selector.get_map())

    def soon(self, job: Callable[[], None]) -> None:
        """Have something done after all that is to be done already."""
        self._todo.append(job)

    def move_to(self, now: float) -> None:
        """Let time pass until the wall clock shows this."""
        self.monotonic += now - self.now
        self.now = now

    def run(self) -> None:
        """Do what is to be done, answers that have come included."""
        self.work()
        while self._hear():
            self.work()

    def work(self) -> None:
        """Do what is to be done, and look for no answers."""
        while self._todo:
            try:
                self._todo.popleft()()
            except Exception as error:
                self.on_uncaught(error)

    def send(
        self, origin: str, request: bytes, then: "Callable[[Reply | None], None]", max_body: int
    ) -> "Exchange | None":
        """Send a request; `then` gets the answer, or None if there is none."""
        sent_at = self.now
        try:
            connection = _connect(origin, request)
        except OSError:
            self.soon(lambda: then(None))
            return None
        self.sent += 1
        exchange = Exchange(connection, request[:4], then, sent_at, max_body)
        self._selector.register(connection, selectors.EVENT_READ, exchange)
        return exchange

    def give_up(self, exchange: "Exchange") -> bool:
        """Hang up, and say whether that had not happened yet."""
        if exchange.connection.fileno() < 0:
            return False
        self._selector.unregister(exchange.connection)
        exchange.connection.close()
        return True

    def _hear(self) -> bool:
        ready = {id(key.data): key.data for key, _ in self._selector.select(0)} if self.open else {}
        late = [key.data for key in self._selector.get_map().values() if key.data.is_late]
        for exchange in [*ready.values(), *(late for late in late if id(late) not in ready)]:
            if exchange.is_late or exchange.hear():
                self.give_up(exchange)
                reply = None if exchange.is_late else exchange.reply(self.now)
                self.soon(partial(exchange.then, reply))
        return bool(ready or late)


class Reply(NamedTuple):
    """An answer, as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes | None
    """None: too long."""
    sent_at: float
    received_at: float


class Exchange:
    """One request on its way, over a connection of its own."""

    def __init__(
        self,
        connection: socket.socket,
        verb: bytes,
        then: Callable[[Reply | None], None],
        sent_at: float,
        max_body: int,
    ) -> None:
        self.connection = connection
        self.then = then
        self._verb = verb
        self._sent_at = sent_at
        self._max_body = max_body
        self._deadline = time.monotonic() + TIMEOUT
        self._heard = bytearray()

    @property
    def is_late(self) -> bool:
        """Whether it has taken too long."""
        return time.monotonic() > self._deadline

    def hear(self) -> bool:
        """Take what has come. Whether that is all of it, or more than anybody wants."""
        try:
            while part := self.connection.recv(1 << 16):
                self._heard += part
                if self._is_too_long:
                    return True
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            self._heard.clear()
        return True

    @property
    def _is_too_long(self) -> bool:
        return len(self._heard) > self._max_body + (1 << 16)

    def reply(self, now: float) -> Reply | None:
        """The answer, or None if it is none."""
        heard = cast("socket.socket", _Heard(bytes(self._heard)))
        response = http.client.HTTPResponse(heard, method=self._verb.decode().strip())
        try:
            response.begin()
            body = None if self._is_too_long else response.read()
        except (OSError, ValueError, http.client.HTTPException):
            return None
        fits = body is not None and len(body) <= self._max_body
        return Reply(response.status, response.msg, body if fits else None, self._sent_at, now)


class _Heard:
    """What http.client takes for a socket."""

    def __init__(self, heard: bytes) -> None:
        self._heard = heard

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._heard)


def _connect(origin: str, request: bytes) -> socket.socket:
    parts = urlsplit(origin)
    host, secure = parts.hostname or "", parts.scheme == "https"
    connection = socket.create_connection((host, parts.port or (443 if secure else 80)), timeout=5)
    try:
        if secure:
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        connection.sendall(request)
        connection.setblocking(False)
    except OSError:
        connection.close()
        raise
    return connection


# ── What is sent, and what an answer means ──────────────────────────────────────────────────────


class Credential(NamedTuple):
    """An access token, whose it is, and its times by the platform's clock (UTC seconds)."""

    token: str
    user_id: str
    issued_at: float
    expires_at: float | None


class Grant(NamedTuple):
    """What is presented to log in or to renew."""

    path: str
    fields: dict[str, str | None]
    user_id: str | None = None
    """Whose session the answer must be; None if the platform chooses."""
    credential: Credential | None = None
    """An access token that the app brought: it is verified, and nothing is posted."""


class Failure(NamedTuple):
    """Why something came to nothing."""

    kind: str
    status: int | None = None
    retry_after: float | None = None


class Answer(NamedTuple):
    """What came of a request."""

    credential: Credential | None = None
    failure: Failure | None = None
    orphan: Credential | None = None
    """A token that the platform made for this answer, to be revoked if nobody uses it."""
    status: int | None = None
    date: float | None = None
    """What the platform's clock showed."""
    sent_at: float = 0.0


Then = Callable[[Answer], None]


class Platform:
    """The platform, as one client sees it."""

    max_body: ClassVar[int] = 1 << 20
    max_depth: ClassVar[float] = 64

    def __init__(self, loop: Loop, origin: str, api_key: str) -> None:
        self._loop = loop
        self._origin = origin
        self._api_key = api_key
        self._exchanges: list[Exchange] = []

    def close(self) -> None:
        """Hang up on whatever is on its way."""
        for exchange in self._exchanges:
            if self._loop.give_up(exchange):
                self._loop.soon(partial(exchange.then, None))

    def open_session(self, grant: Grant, device_id: str, then: Then) -> None:
        """Log in or renew."""
        if grant.credential is not None:
            token = grant.credential.token
            self._ask("tokenLogin", "GET", "/api/v3/sessions", then, token=token, grant=grant)
            return
        info = {"kind": "web", "model": "small client", "sdkVersion": "small/1"}
        body: dict[str, object] = {**grant.fields, "deviceId": device_id, "deviceInfo": info}
        self._ask("login", "POST", grant.path, then, body=body, grant=grant)

    def verify(self, token: str, then: Then) -> None:
        """Ask whether a token is alive."""
        self._ask("verify", "GET", "/api/v3/sessions", then, token=token)

    def revoke(self, token: str, then: Then) -> None:
        """Void a token."""
        self._ask("revoke", "DELETE", "/api/v4/sessions", then, token=token)

    def get(self, path: str, token: str, then: Then) -> None:
        """Get what the app wants."""
        self._ask("api", "GET", path, then, token=token)

    def _ask(
        self,
        call: str,
        verb: str,
        path: str,
        then: Then,
        *,
        token: str | None = None,
        body: dict[str, object] | None = None,
        grant: Grant | None = None,
    ) -> None:
        content = b""
        headers = {"Host": urlsplit(self._origin).netloc, "Accept": "application/json"}
        if token is None:
            headers["X-API-Key"] = self._api_key
        else:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            content = json.dumps({name: field for name, field in body.items() if field is not None}).encode()
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
        lines = [f"{verb} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        request = "\r\n".join([*lines, "Connection: close", "", ""]).encode() + content

        def answered(reply: Reply | None) -> None:
            if reply is None:
                then(Answer(failure=Failure("unreachable")))
            else:
                then(self.read(call, reply, grant))

        self.send(self._origin, request, answered)

    def send(self, origin: str, request: bytes, then: Callable[[Reply | None], None]) -> None:
        """Send a request. A redirect is an answer like any other: nothing is sent elsewhere."""
        exchange = self._loop.send(origin, request, then, self.max_body)
        if exchange is not None:
            self._exchanges = [one for one in self._exchanges if one.connection.fileno() >= 0]
            self._exchanges.append(exchange)

    def read(self, call: str, reply: Reply, grant: Grant | None) -> Answer:
        """What an answer means. Whatever it holds, this raises nothing."""
        parsed = self.document(reply.body)
        date = http_date(reply.headers.get("date"))
        now = reply.received_at if date is None else date
        kind = self.meaning(call, reply.status, _code(parsed))
        credential, orphan = None, None
        if call == "login" and grant is not None:
            kind, credential, orphan = self.session(grant.user_id, parsed or {}, now, kind)
        elif call == "tokenLogin" and grant is not None:
            credential = grant.credential
        if kind is None and call in ("tokenLogin", "verify") and parsed is None:
            kind = None if reply.body in (b"", b"OK") else "malformed"
        if kind is None and call == "revoke" and (parsed is None or parsed.get("success") is not True):
            kind = "refused" if parsed is not None and parsed.get("success") is False else "malformed"
        wait = retry_after(reply.headers.get("retry-after"), now)
        failure = None if kind is None else Failure(kind, reply.status, wait)
        used = credential if failure is None else None
        return Answer(used, failure, orphan, reply.status, date, reply.sent_at)

    def meaning(self, call: str, status: int, code: int | None) -> str | None:
        """What is wrong, by status and the platform's own code; None if nothing is."""
        by_code = {
            400312: "banned",
            400311: "rateLimited",
            400100: "refused" if call in ("login", "tokenLogin") else "unauthorized",
            400400: "deleted" if call in ("login", "tokenLogin", "verify") else None,
        }
        if code in by_code and by_code[code] is not None:
            return by_code[code]
        if call in ("tokenLogin", "verify") and status in (403, 404):
            return "banned" if status == 403 else "deleted"
        if call in ("verify", "revoke", "api") and status == 401:
            return "unauthorized"
        if status == 429:
            return "rateLimited"
        if 500 <= status < 600:
            return "unavailable"
        if 200 <= status < 300 or call == "api":
            return None
        return "refused" if 400 <= status < 500 else "malformed"

    def document(self, body: bytes | None) -> dict[str, Any] | None:
        """The JSON object in a body; None if it is anything else, too long or too deep."""
        try:
            text = (body or b"").decode()
            parsed: object = json.loads(text) if _depth(text) <= self.max_depth else None
        except (ValueError, RecursionError):
            return None
        return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None

    def session(
        self, asked_for: str | None, parsed: dict[str, Any], now: float, kind: str | None
    ) -> tuple[str | None, Credential | None, Credential | None]:
        """Read the session that an answer grants: what is wrong, the credential, and what to revoke."""
        token = parsed.get("accessToken")
        if not isinstance(token, str) or len(token) > 16_384 or not VISIBLE.fullmatch(token):
            token = None
        user = self.user(asked_for, parsed, token)
        user_id = _name(user.get("userId"))
        if kind is None:
            kind = self.objection(asked_for, user_id, user)
        if token is None:
            return kind or "malformed", None, None
        orphan = Credential(token, user_id or "", 0.0, None)
        times = _times(parsed, now)
        if kind is not None or user_id is None or times is None:
            return kind or "malformed", None, orphan
        return None, Credential(token, user_id, *times), orphan

    def user(self, asked_for: str | None, parsed: dict[str, Any], token: str | None) -> dict[str, Any]:
        """What an answer says of the user that it is about."""
        listed: Any = parsed.get("users")
        candidates: list[Any] = listed if isinstance(listed, list) else []
        users = [user for user in candidates if isinstance(user, dict) and _name(user.get("userId"))]
        if users:
            return next((user for user in users if user["userId"] == asked_for), users[0])
        claims = _claims(token) if token is not None else None
        return {} if claims is None else {"userId": _claimed_user(claims)}

    def objection(self, asked_for: str | None, user_id: str | None, user: dict[str, Any]) -> str | None:
        """What speaks against a session that the platform seems to grant."""
        if user_id is None:
            return "malformed"
        if asked_for is not None and user_id != asked_for:
            return "wrongUser"
        if user.get("isDeleted"):
            return "deleted"
        return "banned" if user.get("isGlobalBan") or user.get("isGlobalBanned") else None


def credential_from_jwt(token: object, now: float) -> Credential:
    """Whose an access token is, and its times. It is not verified: that is the platform's part."""
    claims = _claims(token) if isinstance(token, str) and 0 < len(token) <= 16_384 else None
    if claims is None or not isinstance(token, str):
        raise ClientError("invalid_access_token", "the access token is not a JWT")
    user_id = _claimed_user(claims)
    if user_id is None:
        raise ClientError("invalid_access_token", "the access token does not name its user")
    issued, expires = claims.get("iat"), claims.get("exp")
    if not (issued is None or is_time(issued)) or not (expires is None or is_time(expires)):
        raise ClientError("invalid_access_token", "the access token's times make no sense")
    if issued is None:
        issued = now if expires is None else min(now, expires)
    if expires is not None and expires < issued:
        raise ClientError("invalid_access_token", "the access token's times make no sense")
    return Credential(token, user_id, issued, expires)


def is_time(value: object) -> bool:
    """Whether this is a number of seconds that a clock may show."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and -MAX_TIME <= cast("float", value) <= MAX_TIME


def _claims(token: str) -> dict[str, Any] | None:
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]*", token, re.ASCII):
        return None
    payload = token.split(".")[1]
    try:
        parsed: object = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None


def _claimed_user(claims: dict[str, Any]) -> str | None:
    user: object = claims.get("user")
    named = cast("dict[str, Any]", user) if isinstance(user, dict) else {}
    return _name(named.get("publicUserId") or named.get("userId") or claims.get("userId"))


def _name(text: object) -> str | None:
    if not isinstance(text, str) or text.encode(errors="replace").decode() != text:
        return None
    return text or None


def _times(parsed: dict[str, Any], now: float) -> tuple[float, float | None] | None:
    issued, expires = parsed.get("issuedAt"), parsed.get("expiresAt")
    expires_at = None if expires is None else _iso_time(expires)
    if issued is not None:
        issued_at = _iso_time(issued)
    else:
        issued_at = now if expires_at is None else min(now, expires_at)
    if not is_time(issued_at) or not (
        expires_at is None or (is_time(expires_at) and issued_at <= expires_at)
    ):
        return None
    return issued_at, expires_at


def _iso_time(text: object) -> float:
    try:
        return _utc(datetime.fromisoformat(text)) if isinstance(text, str) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def http_date(text: str | None) -> float | None:
    """UTC seconds of an HTTP date, or None."""
    try:
        return None if text is None else _utc(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def retry_after(text: str | None, now: float) -> float | None:
    """The seconds that a `Retry-After` asks for, or None."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,12}", text.strip(), re.ASCII):
        return float(text)
    date = http_date(text)
    return None if date is None else max(date - now, 0.0)


def _utc(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _code(parsed: dict[str, Any] | None) -> int | None:
    code: object = None if parsed is None else parsed.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _depth(text: str) -> int:
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]++|\\.)*+"?', "", text, flags=re.DOTALL)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
