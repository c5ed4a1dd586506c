"""The platform of a run, in the kit's hands: what it answers, what it keeps waiting, and what arrived."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Final

from splus_session import (
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Credential,
    OpenSession,
    Renew,
    Revoke,
    RevokeOrphan,
    UserIdGrant,
    Verify,
    VisitorGrant,
)
from splus_session._answers import Answer
from splus_session._credentials import Grant
from splus_session.backend import sign_visitor
from splus_session.conformance._moment import OPENING, Flight, Wanted
from splus_session.platform import _wire
from splus_session.testing import (
    Endpoint,
    FakePlatform,
    Fault,
    Hold,
    ManualClock,
    Received,
    SameDevice,
    TokenTerms,
    faults,
)

SESSION_ENDPOINTS: Final = frozenset(
    {Endpoint.LOGIN, Endpoint.VISITOR_LOGIN, Endpoint.BOT_LOGIN, Endpoint.VERIFY, Endpoint.REVOKE}
)
"""Those that a session is about; the app's other requests are its own matter."""

_FAULTS: Final[dict[str, Callable[[], Fault]]] = {
    "lost": faults.drop,
    "lost_after": lambda: faults.drop(carried_out=True),
    "refused": lambda: faults.error(401, 400100, "Unauthorized"),
    "bad_request": lambda: faults.error(400, 400000, "Bad request"),
    "banned": lambda: faults.error(403, 400312, "User is globally banned"),
    "banned_by_code": lambda: faults.error(400, 400312, "User is globally banned"),
    "forbidden": lambda: faults.error(403, 400301, "Permission denied"),
    "deleted": lambda: faults.error(404, 400400, "User is already deleted"),
    "rate_limited": lambda: faults.rate_limited(7),
    "server_error": lambda: faults.server_error(503),
    "malformed": faults.malformed,
    "not_an_object": faults.not_an_object,
    "wrong_user": lambda: faults.wrong_user("mallory"),
    "expired": faults.expired_on_arrival,
    "isGlobalBan": lambda: faults.flagged("isGlobalBan"),
    "isGlobalBanned": lambda: faults.flagged("isGlobalBanned"),
    "isDeleted": lambda: faults.flagged("isDeleted"),
    "short_lived": lambda: faults.terms(TokenTerms(lifetime=120.0)),
    "no_expiry": lambda: faults.terms(TokenTerms(lifetime=None)),
    "no_issue": lambda: faults.terms(TokenTerms(tells_issue=False)),
    "huge": lambda: faults.huge(2 << 20),
    "deep": faults.deep,
    "unauthorized": faults.unauthorized,
}


class Desk:
    """See the module. One for each run."""

    def __init__(self, clock: ManualClock) -> None:
        self.platform = FakePlatform(clock=clock)
        # What another session on this device does to a token is not what is judged here.
        self.platform.rules.same_device = SameDevice.NOBODY
        self._stranger = FakePlatform(clock=clock)
        self._elsewhere = FakePlatform(clock=clock)
        self._elsewhere_url = ""
        self._plans: list[str] = []
        self._renewal_plans: list[str] = []
        self._call_plans: list[str] = []
        self._down = 0
        self.in_session = False
        """Whether somebody is logged in, so that the next session request is no login."""
        self._holds: list[tuple[Received, Hold]] = []
        self._fails_settings = False
        self._forgotten = 0
        self._made: set[str] = {self.platform.api_key.reveal()}
        self._stack = ExitStack()
        self.platform.attend(self._attend)

    @contextmanager
    def serve(self) -> Generator[str]:
        """Be there while the block runs; gives the URL."""
        with self.platform.serve() as server, self._stack:
            try:
                yield server.url
            finally:
                self.let_all_go()

    # ── What is asked of it ─────────────────────────────────────────────────────────────────────

    def plan(self, how: str) -> None:
        """Answer the next session request so, or keep it waiting."""
        if how == "redirect":
            self._be_elsewhere()
        self._plans.append(how)

    def plan_renewal(self, how: str) -> None:
        """Answer the next session request of somebody who is logged in so."""
        self._renewal_plans.append(how)

    def plan_call(self, how: str) -> None:
        """Answer the next API request so."""
        self._call_plans.append(how)

    def release(self, how: str, *, newest: bool = False) -> None:
        """Answer the request that has waited longest, or shortest, of those whose client still waits:
        nobody could tell when one that was hung up on is over.
        """
        if how == "redirect":
            self._be_elsewhere()
        waiting = self._waiting()
        if waiting:
            released = waiting[-1 if newest else 0]
            self._holds.remove(released)
            released[1].release(*self._struck(how))

    def let_all_go(self) -> None:
        """Keep nothing waiting any more."""
        for _, hold in self._holds:
            hold.release(faults.drop())
        self._holds.clear()
        self._plans.clear()
        self._renewal_plans.clear()
        self._call_plans.clear()
        self._down = 0

    def held(self) -> int:
        """How many requests wait for an answer, by the will of the kit and of their client."""
        return len(self._waiting())

    def _waiting(self) -> list[tuple[Received, Hold]]:
        return [(record, hold) for record, hold in self._holds if not record.over and not record.given_up]

    def administer(self, how: str, user: str) -> None:
        """Do what an administrator, or a rule, does."""
        platform = self.platform
        match how:
            case "ban":
                platform.ban(user)
            case "unban":
                platform.unban(user)
            case "delete":
                platform.delete(user)
            case "revoke":
                platform.revoke(user)
            case "admit_banned":
                platform.rules.admits_banned = True
            case "fail_settings":
                self._fails_settings = True
            case "down":
                self._down = 14
            case "short_lived":
                platform.rules.terms = TokenTerms(lifetime=900.0)
            case _:
                raise ValueError(how)

    def _be_elsewhere(self) -> None:
        if not self._elsewhere_url:
            self._elsewhere_url = self._stack.enter_context(self._elsewhere.serve()).url

    def _attend(self, record: Received) -> tuple[Fault, ...]:
        if record.endpoint in SESSION_ENDPOINTS:
            return self._strike(record, self._next(record))
        if record.endpoint is Endpoint.GET_SETTINGS and self._fails_settings:
            return (faults.server_error(503),)
        if record.endpoint is Endpoint.GET_CHANNELS and self._call_plans:
            return self._strike(record, self._call_plans.pop(0))
        return ()

    def _strike(self, record: Received, how: str) -> tuple[Fault, ...]:
        if how != "hold":
            return self._struck(how)
        hold = Hold()
        self._holds.append((record, hold))
        return (hold.fault(),)

    def _next(self, record: Received) -> str:
        if self._down and record.endpoint in OPENING:
            self._down -= 1
            return "server_error"
        if self._renewal_plans and self.in_session and record.endpoint is not Endpoint.REVOKE:
            return self._renewal_plans.pop(0)
        return self._plans.pop(0) if self._plans else "well"

    def _struck(self, how: str) -> tuple[Fault, ...]:
        if how == "redirect":
            return (faults.redirect(f"{self._elsewhere_url}/api/v5/sessions"),)
        return (_FAULTS[how](),) if how in _FAULTS else ()

    # ── What it saw ─────────────────────────────────────────────────────────────────────────────

    def arrived(self) -> tuple[Received, ...]:
        """Every request since the process began, in order."""
        return self.platform.requests[self._forgotten :]

    def over(self) -> int:
        """How many of them are over."""
        return sum(record.over for record in self.arrived())

    def under_way(self) -> int:
        """How many of them are being answered this very moment."""
        kept = {id(record) for record, _ in self._holds}
        return sum(
            not record.over and not record.given_up and id(record) not in kept for record in self.arrived()
        )

    def elsewhere(self) -> int:
        """How many requests came to the other origin."""
        return len(self._elsewhere.requests)

    def forget(self) -> None:
        """Another process counts from here."""
        self._forgotten = len(self.platform.requests)

    # ── What the customer's backend gives ───────────────────────────────────────────────────────

    def auth_token(self, user: str) -> str:
        """The backend's word for a user."""
        return self._secret(self.platform.issue_auth_token(user or "ann").reveal())

    def access_token_of(self, user: str) -> str:
        """An access token that the backend issued for a user."""
        return self._secret(self.platform.issue_access_token(user).reveal())

    def access_token(self, how: str) -> str:
        """One for ann, or something that is to be refused."""
        match how:
            case "good":
                return self.access_token_of("ann")
            case "expired":
                terms = TokenTerms(lifetime=60.0, age=3600.0)
                return self._secret(self.platform.issue_access_token("ann", terms).reveal())
            case "unknown":
                return self._secret(self._stranger.issue_access_token("ann").reveal())
            case "no_user":
                return "eyJhbGciOiJub25lIn0.eyJpYXQiOjF9.c2lnbmF0dXJl"
            case _:
                return "this-is-no-jwt"

    def signature(self, device_id: str) -> tuple[str, str]:
        """The backend's signature of a visitor's device id, and its expiry."""
        signed = sign_visitor(device_id, self.platform.visitor_secret, self.platform.now() + 3600.0)
        return self._secret(signed.signature.reveal()), signed.expires_at

    def _secret(self, text: str) -> str:
        self._made.add(text)
        return text

    def secrets(self) -> set[str]:
        """What nobody should ever show."""
        world = self.platform._engine.world  # pyright: ignore[reportPrivateUsage]  the same kit's
        return self._made | {token.reveal() for token in tuple(world.tokens)}


# ── What was asked for, and what was answered ───────────────────────────────────────────────────


def fits(wanted: Wanted, record: Received, *, exact: bool) -> bool:
    """Whether this request is the one that is wanted; if not `exactly`, whether it is meant to be."""
    match wanted:
        case OpenSession(_, AccessTokenGrant(credential)) | Renew(_, AccessTokenGrant(credential)):
            return record.endpoint is Endpoint.VERIFY and (not exact or _carries(record, credential))
        case OpenSession(_, grant) | Renew(_, grant):
            return record.endpoint in OPENING and (not exact or _presents(record, grant))
        case Verify(_, credential):
            return record.endpoint is Endpoint.VERIFY and (not exact or _carries(record, credential))
        case Revoke(_, credential):
            return record.endpoint is Endpoint.REVOKE and (not exact or _carries(record, credential))
        case RevokeOrphan(credential):
            return record.endpoint is Endpoint.REVOKE and _carries(record, credential)


def _carries(record: Received, credential: Credential) -> bool:
    return record.access_token == credential.access_token


def _presents(record: Received, grant: Grant) -> bool:
    fields = record.fields
    match grant:
        case AuthTokenGrant(user_id, auth_token):
            is_user = record.endpoint is Endpoint.LOGIN and fields.get("userId") == user_id
            return is_user and fields.get("authToken") == auth_token
        case UserIdGrant(user_id):
            is_user = record.endpoint is Endpoint.LOGIN and fields.get("userId") == user_id
            return is_user and fields.get("authToken") is None
        case VisitorGrant(signature, expires_at):
            signed = fields.get("authSignature") == signature
            return (
                record.endpoint is Endpoint.VISITOR_LOGIN
                and signed
                and fields.get("authSignatureExpiresAt") == expires_at
            )
        case BotGrant():
            return record.endpoint is Endpoint.BOT_LOGIN
        case AccessTokenGrant():
            return False


def answer_of(flight: Flight, record: Received, platform: FakePlatform, now: float) -> Answer:
    """What the answer that a request got means, to a client that reads it rightly. [WIRE-1]"""
    response = record.response
    if response is None:
        return _wire.UNREACHABLE
    match flight.wanted:
        case OpenSession(_, grant) | Renew(_, grant):
            asked = _wire.open_session(
                grant, device_id=record.device_id or "unknown", api_key=platform.api_key
            )
        case Verify(_, credential):
            asked = _wire.verify(credential.access_token)
        case Revoke(_, credential) | RevokeOrphan(credential):
            asked = _wire.revoke(credential.access_token)
    body = response.body if len(response.body) <= _wire.MAX_BODY else None
    headers = dict(response.sent_at(platform.now()))
    reply = _wire.Reply(response.status, headers, body, flight.sent_at, now)
    return _wire.read(asked, reply)
