"""What the small client is made of: promises, a stay and what is on its way in it, what is stored."""

import hashlib
import ipaddress
import json
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from wire import ClientError, Credential, Failure, Grant, is_time

KINDS = ("authToken", "development", "accessToken", "visitor", "signedVisitor", "bot")


class Promise:
    """What will become of a call: settled once, then told."""

    def __init__(self) -> None:
        self.is_settled = False
        self.value: object = None
        self.error: ClientError | None = None
        self._callbacks: list[Callable[[Promise], None]] = []

    def settle(self, value: object = None, error: ClientError | None = None) -> None:
        """Tell what became of it. A second time is dropped."""
        if not self.is_settled:
            self.is_settled, self.value, self.error = True, value, error
            for callback in self._callbacks:
                callback(self)

    def then(self, callback: "Callable[[Promise], None]") -> None:
        """Call this when it is settled."""
        if self.is_settled:
            callback(self)
        else:
            self._callbacks.append(callback)


class Change(NamedTuple):
    """What an observer is told."""

    state: str
    previous: str | None
    reason: str
    at: float


class Attempt:
    """Something on its way that callers wait for and share the outcome of."""

    brings_token = True

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.is_over = False
        self.callbacks: list[Callable[[], None]] = []


class Renewal(Attempt):
    """A renewal: waiting for the handler until its deadline or, once there is a grant, for the platform."""

    def __init__(self, failures: int, deadline: float | None = None) -> None:
        super().__init__()
        self.failures = failures
        self.deadline = deadline
        self.grant: Grant | None = None
        self.obtained_at = 0.0


class Revocation(Attempt):
    """A secure logout. It waits for a renewal on its way until its deadline."""

    brings_token = False

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self.deadline = deadline
        self.sent = False


class Verification(Attempt):
    """A question to the platform whether a rejected token is alive."""


class Retry:
    """Between two renewals: when to try again, after what, and with what."""

    def __init__(
        self,
        at: float,
        failures: int = 0,
        failure: Failure | None = None,
        grant: Grant | None = None,
        obtained_at: float = 0.0,
    ) -> None:
        self.at = at
        self.failures = failures
        self.failure = failure
        self.grant = grant
        self.obtained_at = obtained_at


class Stay:
    """One user's stay, login to logout. When it is over, nothing of it is left."""

    def __init__(self, kind: str, user_id: str | None, own_handler: Any = None) -> None:
        self.kind = kind
        self.user_id = user_id
        self.own_handler = own_handler
        self.login = Attempt()
        self.credential: Credential | None = None
        self.renew_at: float | None = None
        """By the platform's clock."""
        self.renewal: Renewal | None = None
        self.retry: Retry | None = None
        self.verification: Verification | None = None
        self.revocation: Revocation | None = None

    @property
    def is_visitors(self) -> bool:
        """Whether it is a visitor's, signed or not."""
        return self.kind in ("visitor", "signedVisitor")

    def attempts(self) -> Iterator[Attempt]:
        """All that is on its way."""
        for attempt in (self.login, self.renewal, self.verification, self.revocation):
            if attempt is not None and not attempt.is_over:
                yield attempt


class Record(NamedTuple):
    """What is stored of a session."""

    kind: str
    credential: Credential
    expired: bool
    offset: float


class Store:
    """One client's files in a folder: its device id, and its session."""

    def __init__(self, folder: Path, name: str, origin: str, api_key: str) -> None:
        client = hashlib.sha256(name.encode()).hexdigest()[:16]
        secret = hashlib.sha256(f"{origin} {api_key}".encode()).hexdigest()[:16]
        self._device = folder / f"{client}.device"
        self._session = folder / f"{client}.{secret}.json"

    def device_id(self) -> str:
        """This device's id, the same for ever."""
        known = self._device.read_bytes() if self._device.exists() else b""
        if not re.fullmatch(rb"small#[0-9a-f-]{36}", known):
            known = f"small#{uuid.uuid4()}".encode()
            self._write(self._device, known.decode())
        return known.decode()

    def load(self) -> Record | None:
        """What is stored. What cannot be used is put aside."""
        if not self._session.exists():
            return None
        record = self._read()
        if record is None:
            self._session.replace(self._session.with_suffix(".aside"))
            raise ClientError("stored_record", "the stored session is damaged; it was put aside")
        return record

    def save(self, record: Record) -> None:
        """Store a session in place of any other."""
        kind, credential, expired, offset = record
        self._write(self._session, json.dumps([1, kind, *credential, expired, offset]))

    def delete(self) -> None:
        """Leave nothing stored."""
        self._session.unlink(missing_ok=True)

    def _read(self) -> Record | None:
        try:
            version, kind, token, user_id, issued, expires, expired, offset = json.loads(
                self._session.read_text()
            )
        except (ValueError, TypeError, RecursionError):
            return None
        texts = all(isinstance(text, str) and text for text in (kind, token, user_id))
        times = is_time(issued) and is_time(offset) and (expires is None or is_time(expires))
        if version != 1 or kind not in KINDS or not texts or not times or not isinstance(expired, bool):
            return None
        return Record(kind, Credential(token, user_id, issued, expires), expired, offset)

    def _write(self, path: Path, text: str) -> None:
        # In one move, for the process may be killed in the middle of anything.
        new = path.with_suffix(".new")
        new.write_text(text)
        new.replace(path)


# ── What is handed in, checked, and what is presented ───────────────────────────────────────────


def limited(what: str, given: object, limit: int) -> str:
    """A text within the platform's limit."""
    if not isinstance(given, str) or not given.strip():
        raise ClientError("invalid_argument", f"the {what} must be a string that is not empty")
    if given.encode(errors="replace").decode() != given:
        raise ClientError("invalid_argument", f"the {what} has half of a surrogate pair in it")
    if len(given) > limit:
        raise ClientError("invalid_argument", f"the {what} is too long; the platform takes {limit}")
    return given


def checked_handler(handler: Any, method: str) -> Any:
    """A handler of the right shape, or None."""
    if handler is not None and not callable(getattr(handler, method, None)):
        raise ClientError("invalid_handler", f"a handler needs a method {method}(…)")
    return handler


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def user_grant(user_id: str, auth_token: str | None = None, display_name: str | None = None) -> Grant:
    """What a user presents; without an auth token only in development."""
    fields = {"userId": user_id, "authToken": auth_token, "displayName": display_name}
    return Grant("/api/v5/sessions", fields, user_id)


def visitor_grant(signature: str | None = None, expires_at: str | None = None) -> Grant:
    """What a visitor presents, signed or not."""
    fields = {"authSignature": signature, "authSignatureExpiresAt": expires_at}
    return Grant("/api/v5/sessions/visitor", fields)


BOT = Grant("/api/v5/sessions/bot", {})


def log(line: str) -> None:
    """Say what an app's developer wants to know."""
    print(line, file=sys.stderr)
