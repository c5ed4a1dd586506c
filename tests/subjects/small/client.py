"""A small client of social.plus, and a right one: what the conformance kit has to find nothing wrong with.

    python tests/subjects/small/client.py [--mistake NAME | --mistakes]

It is written the plain way, with nothing of splus_session's in it. A user's stay, login to logout, is
one object. Whatever is asked for in its name remembers it; so an answer that comes when the stay is
over finds that it is, and nobody has to be told of that. What time brings is looked up, never set: there
are no timers that could be forgotten.
"""

import math
import random
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from parts import (
    BOT,
    Attempt,
    Change,
    Promise,
    Record,
    Renewal,
    Retry,
    Revocation,
    Stay,
    Store,
    Verification,
    checked_handler,
    is_loopback,
    limited,
    log,
    user_grant,
    visitor_grant,
)
from wire import (
    VISIBLE,
    Answer,
    ClientError,
    Credential,
    Failure,
    Grant,
    Loop,
    Platform,
    credential_from_jwt,
)

NOT_LOGGED_IN, ESTABLISHING, ESTABLISHED = "notLoggedIn", "establishing", "established"
TOKEN_EXPIRED, TERMINATED = "tokenExpired", "terminated"

LOGINS = ("login", "login_as_bot", "login_as_visitor", "login_with_access_token")
ALLOWED = {
    NOT_LOGGED_IN: (*LOGINS, "logout", "secure_logout"),
    ESTABLISHING: ("logout",),
    ESTABLISHED: ("logout", "renew_now", "secure_logout"),
    TOKEN_EXPIRED: ("logout", "renew_now", "secure_logout"),
    TERMINATED: ("logout", "secure_logout"),
}
REGIONS = {region: f"https://apix.{region}.amity.co" for region in ("sg", "eu", "us")}

# What a failure is to an app: the kind of error, and in words.
ERRORS = {
    "refused": ("refused", "the platform does not accept it"),
    "unauthorized": ("refused", "the platform does not know the access token"),
    "banned": ("user_banned", "the platform banned the user"),
    "deleted": ("user_deleted", "the platform deleted the user"),
    "rateLimited": ("unavailable", "the platform asks to slow down"),
    "unavailable": ("unavailable", "the platform is ailing"),
    "unreachable": ("unavailable", "the platform did not answer"),
    "malformed": ("malformed_answer", "the platform's answer makes no sense"),
    "wrongUser": ("malformed_answer", "the token is another user's"),
    "expiredOnArrival": ("malformed_answer", "the token was expired on arrival"),
    "unable": ("renewal_failed", "the handler could not get what is needed"),
    "noAnswer": ("renewal_failed", "the handler did not answer in time"),
    "cancelled": ("cancelled", "the caller gave up"),
    "loggedOut": ("interrupted", "a logout came first"),
    "superseded": ("interrupted", "something else took its place"),
    "closed": ("closed", "the client was closed"),
    "store": ("store", "the stored session could not be deleted"),
}
PASSING = ("unreachable", "unavailable", "rateLimited", "malformed")
"""Failures that may pass by themselves."""


class RenewalHandle:
    """What a session handler is given. Only the first answer counts, and only in time."""

    def __init__(self, client: "Client", stay: Stay, renewal: Renewal) -> None:
        self._client = client
        self._stay = stay
        self._renewal = renewal

    def renew(self) -> None:
        self._answer(self._client.unaided_grant(self._stay))

    def renew_with_auth_token(self, auth_token: str) -> None:
        limited("auth token", auth_token, 100)
        if self._stay.kind not in ("authToken", "development"):
            raise ClientError("invalid_argument", "this kind of session takes no auth token")
        self._answer(user_grant(self._stay.user_id or "", auth_token))

    def unable_to_retrieve_auth_token(self) -> None:
        self._client.renewal_unable(self._stay, self._renewal)

    def renew_with_auth_signature(self, signature: str, expires_at: str) -> None:
        limited("signature", signature, 16_384)
        limited("signature's expiry", expires_at, 64)
        if not self._stay.is_visitors:
            raise ClientError("invalid_argument", "this kind of session takes no signature")
        self._answer(visitor_grant(signature, expires_at))

    def unable_to_retrieve_auth_signature(self) -> None:
        self._client.renewal_unable(self._stay, self._renewal)

    def _answer(self, grant: Grant) -> None:
        self._client.renewal_answered(self._stay, self._renewal, grant)


class Client:
    """One login session. Methods that ask the platform give a `Promise`; what is wrong raises at once."""

    MARGIN, SHARE, LEEWAY = 300.0, 0.8, 35.0
    ANSWER_TIMEOUT, PAUSE, BACKOFF = 60.0, 600.0, 1.0
    AUTH_TOKEN_LIFETIME, WAIT_LIMIT = 600.0, 30.0
    LIMITS: ClassVar[dict[str, int]] = {"user id": 50, "display name": 100, "auth token": 100}

    platform_class: type[Platform] = Platform
    store_class: type[Store] = Store
    renewal_class: type[RenewalHandle] = RenewalHandle

    def __init__(
        self,
        loop: Loop,
        folder: Path,
        name: str,
        *,
        api_key: object,
        region: object = None,
        endpoint: object = None,
        development: bool = False,
        session_handler: Any = None,
        access_token_handler: Any = None,
        hooks: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        self.origin = self.checked_origin(region, endpoint)
        key = self.checked_api_key(api_key)
        self.development = development
        self.session_handler = checked_handler(session_handler, "session_will_renew_access_token")
        self.access_token_handler = checked_handler(access_token_handler, "on_token_renew")
        self.state = NOT_LOGGED_IN
        self.stay: Stay | None = None
        self.offset = 0.0
        """The platform's clock less ours."""
        self.device_id: str | None = None
        self.is_closed = False
        self.loop = loop
        self.hooks = dict(hooks or {})
        self.platform = self.platform_class(loop, self.origin, key)
        self.store = self.store_class(folder, name, self.origin, key)
        self.observers: list[Callable[[Change], None]] = []
        self.last = Change(NOT_LOGGED_IN, None, "started", loop.now)
        self._random = random.Random(name)
        self._seen_at = loop.now
        self._sleepers: list[tuple[float, Callable[[], None]]] = []

    # ── What it is made from ────────────────────────────────────────────────────────────────────

    def checked_api_key(self, api_key: object) -> str:
        if not isinstance(api_key, str) or not VISIBLE.fullmatch(api_key):
            raise ClientError("invalid_argument", "an API key is visible ASCII, and not empty")
        return api_key

    def checked_origin(self, region: object, endpoint: object) -> str:
        if endpoint is None:
            if region is not None and region not in REGIONS:
                raise ClientError("invalid_argument", f"there are the regions {', '.join(REGIONS)}")
            return REGIONS["sg" if region is None else str(region)]
        if region is not None:
            raise ClientError("invalid_argument", "give a region or an endpoint, not both")
        return self.checked_endpoint(endpoint)

    def checked_endpoint(self, endpoint: object) -> str:
        host = r"(?:[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
        form = re.compile(rf"https?://{host}(?::([0-9]{{1,5}}))?/?", re.IGNORECASE | re.ASCII)
        match = form.fullmatch(endpoint) if isinstance(endpoint, str) else None
        if match is None or not 0 < int(match[1] or 1) < 65_536:
            raise ClientError("invalid_argument", "an endpoint is https://host[:port] and nothing more")
        origin = match[0].rstrip("/").lower()
        if origin.startswith("http:") and not is_loopback(urlsplit(origin).hostname or ""):
            raise ClientError("invalid_argument", "http would show secrets on the way: use https")
        return origin

    # ── Opening, closing, observing ─────────────────────────────────────────────────────────────

    @property
    def user_id(self) -> str | None:
        """Whose session it is; nobody's as long as it is not established."""
        return None if self.stay is None or self.state == ESTABLISHING else self.stay.user_id

    def open(self) -> None:
        """Go on with a stored session, if there is one."""
        try:
            self.device_id = self.store.device_id()
            record = self.store.load()
        except OSError as error:
            raise ClientError("store", f"the store cannot be read: {type(error).__name__}") from None
        if record is None:
            return
        credential = record.credential
        self.stay = Stay(record.kind, credential.user_id)
        if self.is_stale(record):
            if not self.can_renew(self.stay):
                self.stay = None
                raise ClientError("handler_required", "the stored session is expired and nobody can renew it")
            state = TOKEN_EXPIRED
        else:
            state = ESTABLISHED
        self.offset = record.offset
        self.stay.login.is_over = True
        self.use(self.stay, credential)
        self.save(expired=state == TOKEN_EXPIRED)
        self.move(state, "resumed")

    def is_stale(self, record: Record) -> bool:
        """Whether what is stored is expired."""
        return record.expired or self.loop.now + record.offset >= self.expiry(record.credential)

    def close(self) -> None:
        """End it all here, and leave the login as it is."""
        self.is_closed = True
        self.observers.clear()
        self.platform.close()
        if self.stay is not None:
            for attempt in self.stay.attempts():
                self.over(attempt, Failure("closed"))
        for _, wake in self._sleepers:
            self.loop.soon(wake)

    def on_change(self, observer: Callable[[Change], None]) -> None:
        """Observe, beginning with how it is now."""
        self.begin()
        self.observers.append(observer)
        change = self.last
        self.loop.soon(lambda: self.tell(observer, change))

    def move(self, state: str, reason: str, hook: str | None = None) -> None:
        """Be in a state from now on: all that belongs to it is in place. Tell it, then run the hook."""
        self.last = Change(state, self.state, reason, self.loop.now)
        self.state = state
        self.announce(self.last)
        if hook is not None:
            self.loop.soon(lambda: self.run_hook(hook))
        self.loop.soon(self.tick)

    def announce(self, change: Change) -> None:
        for observer in self.observers:
            self.loop.soon(partial(self.tell, observer, change))

    def tell(self, observer: Callable[[Change], None], change: Change) -> None:
        if self.is_closed:
            return
        try:
            observer(change)
        except Exception as error:
            log(f"an observer raised {type(error).__name__}")

    def run_hook(self, hook: str) -> None:
        try:
            if hook in self.hooks:
                self.hooks[hook]()
        except Exception as error:
            log(f"the hook {hook} raised {type(error).__name__}")

    def save(self, *, expired: bool = False) -> None:
        stay = self.stay
        if stay is not None and stay.credential is not None:
            try:
                self.store.save(Record(stay.kind, stay.credential, expired, self.offset))
            except OSError as error:
                log(f"the session is not stored: {type(error).__name__}")

    def forget_record(self) -> Failure | None:
        try:
            self.store.delete()
        except OSError:
            return Failure("store")
        return None

    # ── Time ────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """Before anything is asked of it: is it open, and what is due by now?"""
        if self.is_closed:
            raise ClientError("closed", "the client was closed")
        self.tick()

    def tick(self) -> None:
        """Do whatever is due, the earliest first."""
        if self.is_closed:
            return
        self.clock_stepped(min(0.0, self.loop.now - self._seen_at))
        self._seen_at = self.loop.now
        while (due := self.next_due()) is not None and due[0] <= self.loop.now:
            due[1]()
        awake = [sleeper for sleeper in self._sleepers if sleeper[0] <= self.loop.monotonic + 1e-6]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper not in awake]
        for _, wake in awake:
            wake()

    def clock_stepped(self, back: float) -> None:
        """Somebody set the clock back: what counts from it steps back with it. An expiry does not."""
        stay = self.stay
        if stay is None or back == 0:
            return
        if stay.renewal is not None:
            stay.renewal.obtained_at += back
            if stay.renewal.deadline is not None:
                stay.renewal.deadline += back
        if stay.retry is not None:
            stay.retry.at += back
            stay.retry.obtained_at += back
        if stay.revocation is not None:
            stay.revocation.deadline += back

    def deadline(self) -> float:
        """When something will be due next, by the wall clock; infinite if nothing will."""
        due = self.next_due()
        sleepers = [self.loop.now + at - self.loop.monotonic for at, _ in self._sleepers]
        return min([math.inf if due is None else due[0], *sleepers])

    def next_due(self) -> tuple[float, Callable[[], None]] | None:
        """What time brings next, and when."""
        stay = self.stay
        if stay is None or stay.credential is None:
            return None
        dues: list[tuple[float, Callable[[], None]]] = []
        if self.state == ESTABLISHED:
            dues.append((self.expiry(stay.credential) - self.offset, lambda: self.expired("tokenExpired")))
        renewal, revocation = stay.renewal, stay.revocation
        if renewal is None:
            if revocation is None and self.can_renew(stay):
                dues.append((self.renewal_time(stay), lambda: self.renewal_due(stay)))
        elif renewal.deadline is not None:
            overdue = Failure("noAnswer")
            dues.append((renewal.deadline, lambda: self.pause(stay, renewal, overdue)))
        if revocation is not None and not revocation.sent:
            at = self.loop.now if renewal is None else revocation.deadline
            dues.append((at, lambda: self.revocation_due(stay, revocation)))
        return min(dues, key=lambda due: due[0], default=None)

    def renewal_time(self, stay: Stay) -> float:
        if stay.retry is not None:
            return stay.retry.at
        if self.state == TOKEN_EXPIRED:
            return self.loop.now
        return math.inf if stay.renew_at is None else stay.renew_at - self.offset

    def expiry(self, credential: Credential) -> float:
        """When a credential counts as expired, by the platform's clock: a little before its time."""
        if credential.expires_at is None:
            return math.inf
        lifetime = credential.expires_at - credential.issued_at
        return credential.expires_at - min(self.LEEWAY, lifetime / 10)

    def learn(self, answer: Answer) -> None:
        """Learn what the platform's clock shows. `Date` has whole seconds, so it only gives bounds."""
        if answer.date is not None:
            low, high = answer.date - self.loop.now, answer.date + 1 - answer.sent_at
            if low <= high:
                self.offset = min(max(self.offset, low), high)

    # ── Logging in ──────────────────────────────────────────────────────────────────────────────

    def login(
        self,
        user_id: object,
        auth_token: object = None,
        display_name: object = None,
        session_handler: Any = None,
    ) -> Promise:
        self.begin()
        checked_handler(session_handler, "session_will_renew_access_token")
        limits = self.LIMITS
        user = limited("user id", user_id, limits["user id"])
        token = None if auth_token is None else limited("auth token", auth_token, limits["auth token"])
        name = None if display_name is None else limited("display name", display_name, limits["display name"])
        self.allow("login")
        if token is None and not self.development:
            raise ClientError("auth_token_required", "production login needs an auth token from your backend")
        if token is None:
            log("development login: a user id alone, with no word from your backend")
        stay = Stay("development" if token is None else "authToken", user, session_handler)
        return self.start_login(stay, user_grant(user, token, name))

    def login_with_access_token(self, access_token: object) -> Promise:
        self.begin()
        credential = credential_from_jwt(access_token, self.loop.now + self.offset)
        self.allow("login_with_access_token")
        if self.access_token_handler is None:
            raise ClientError("handler_required", "register an access token handler first")
        if self.loop.now + self.offset >= self.expiry(credential):
            raise ClientError("invalid_access_token", "the access token is expired")
        stay = Stay("accessToken", credential.user_id)
        return self.start_login(stay, Grant("", {}, credential.user_id, credential))

    def login_as_visitor(self, auth_signature: object = None, expires_at: object = None) -> Promise:
        self.begin()
        signature, until = None, None
        if auth_signature is not None:
            signature = limited("signature", auth_signature, 16_384)
            until = limited("signature's expiry", expires_at, 64)
        elif expires_at is not None:
            raise ClientError("invalid_argument", "a signature's expiry comes with the signature")
        self.allow("login_as_visitor")
        stay = Stay("visitor" if signature is None else "signedVisitor", None)
        return self.start_login(stay, visitor_grant(signature, until))

    def login_as_bot(self) -> Promise:
        self.begin()
        self.allow("login_as_bot")
        return self.start_login(Stay("bot", None), BOT)

    def allow(self, request: str) -> None:
        """Refuse what is not possible in this state."""
        if request not in ALLOWED[self.state]:
            possible = ", ".join(ALLOWED[self.state])
            raise ClientError(
                "not_allowed", f"{request} is not possible while {self.state}; possible here: {possible}"
            )

    def start_login(self, stay: Stay, grant: Grant) -> Promise:
        self.stay = stay
        self.move(ESTABLISHING, "login")
        self.present(grant, lambda answer: self.login_answered(stay, answer))
        return self.promise(stay.login, "login")

    def present(self, grant: Grant, then: Callable[[Answer], None]) -> None:
        self.platform.open_session(grant, self.device_id or "", then)

    def login_answered(self, stay: Stay, answer: Answer) -> None:
        if self.is_late(stay):
            self.revoke_orphan(answer)
            return
        self.learn(answer)
        failure = self.failure_of(stay, answer)
        if failure is None and answer.credential is not None:
            self.established(stay, answer.credential)
            return
        self.revoke_orphan(answer)
        self.fail_login(failure or Failure("malformed"))

    def is_late(self, stay: Stay) -> bool:
        """Whether an answer comes when the stay that asked is over."""
        return stay is not self.stay or self.is_closed

    def established(self, stay: Stay, credential: Credential) -> None:
        stay.user_id = credential.user_id
        self.use(stay, credential)
        self.save()
        self.move(ESTABLISHED, "loggedIn", "on_login")
        self.over(stay.login)

    def failure_of(self, stay: Stay, answer: Answer) -> Failure | None:
        """What is wrong with the answer to a login or a renewal."""
        credential = answer.credential
        if answer.failure is not None or credential is None:
            return answer.failure or Failure("malformed")
        if stay.user_id is not None and credential.user_id != stay.user_id:
            return Failure("wrongUser")
        if self.loop.now + self.offset >= self.expiry(credential):
            return Failure("expiredOnArrival")
        return None

    def use(self, stay: Stay, credential: Credential) -> None:
        """This is the stay's credential from now on. Plan its renewal."""
        stay.credential = credential
        stay.renew_at = None
        if credential.expires_at is not None:
            lifetime = credential.expires_at - credential.issued_at
            margin = min(self.MARGIN, lifetime / 10)
            stay.renew_at = credential.issued_at + self.SHARE * (lifetime - margin)

    def fail_login(self, failure: Failure, reason: str | None = None) -> None:
        """A login came to nothing, and nothing of it stays."""
        stay, self.stay = self.stay, None
        reasons = {"banned": "globalBan", "deleted": "userDeleted"}
        self.move(NOT_LOGGED_IN, reason or reasons.get(failure.kind, "loginFailed"))
        if stay is not None:
            self.over(stay.login, failure)

    def cancel(self, call: Promise) -> None:
        """The caller of a login gives up. If that has ended by now, nothing happens."""
        self.begin()
        stay = self.stay
        if not call.is_settled and stay is not None and self.state == ESTABLISHING:
            self.fail_login(Failure("cancelled"), "loginCancelled")

    def revoke_orphan(self, answer: Answer) -> None:
        """Nobody will use this token, so nobody shall. Best effort."""
        orphan = answer.orphan
        used = None if self.stay is None else self.stay.credential
        if orphan is not None and not self.is_closed and (used is None or orphan.token != used.token):
            self.platform.revoke(orphan.token, lambda _: None)

    # ── Renewing ────────────────────────────────────────────────────────────────────────────────

    def set_access_token_handler(self, handler: Any) -> None:
        """Register what renews access-token sessions, or nothing. Moves nothing."""
        self.begin()
        self.access_token_handler = checked_handler(handler, "on_token_renew")
        self.tick()  # a renewal may have waited for nothing else

    def handler_for(self, stay: Stay) -> Any:
        """Who renews this stay."""
        if stay.kind == "accessToken":
            return self.access_token_handler
        return stay.own_handler or self.session_handler

    def can_renew(self, stay: Stay) -> bool:
        return stay.kind in ("development", "visitor", "bot") or self.handler_for(stay) is not None

    def unaided_grant(self, stay: Stay) -> Grant:
        """What a stay presents that has nothing new from the app's backend."""
        if stay.is_visitors:
            return visitor_grant()
        return BOT if stay.kind == "bot" else user_grant(stay.user_id or "")

    def renewal_due(self, stay: Stay) -> None:
        retry, stay.retry = stay.retry, None
        failures = 0 if retry is None else retry.failures
        if retry is not None and retry.grant is not None and self.is_young(retry):
            self.send_renewal(stay, Renewal(failures), retry.grant, retry.obtained_at)
        elif self.handler_for(stay) is not None:
            renewal = Renewal(failures, self.loop.now + self.ANSWER_TIMEOUT)
            stay.renewal = renewal
            self.loop.soon(lambda: self.ask(stay, renewal))
        else:
            self.send_renewal(stay, Renewal(failures), self.unaided_grant(stay), self.loop.now)

    def is_young(self, retry: Retry) -> bool:
        """Whether what was presented last is worth presenting again."""
        if retry.grant is not None and retry.grant.credential is not None:
            return self.loop.now + self.offset < self.expiry(retry.grant.credential)
        return self.loop.now - retry.obtained_at < self.AUTH_TOKEN_LIFETIME

    def ask(self, stay: Stay, renewal: Renewal) -> None:
        """Ask the app's handler, if there still is anything to ask for."""
        if not self.is_open(stay, renewal):
            return
        handler = self.handler_for(stay)
        try:
            if stay.kind == "accessToken":
                self.token_promised(stay, renewal, handler.on_token_renew(stay.user_id))
            elif handler.session_will_renew_access_token(self.renewal_class(self, stay, renewal)) is not None:
                self.renewal_unable(stay, renewal)
        except Exception as error:
            log(f"the handler raised {type(error).__name__}")
            self.renewal_unable(stay, renewal)

    def token_promised(self, stay: Stay, renewal: Renewal, promised: object) -> None:
        if isinstance(promised, Promise):
            promised.then(lambda promise: self.token_given(stay, renewal, promise.error or promise.value))
        else:
            self.token_given(stay, renewal, promised)

    def token_given(self, stay: Stay, renewal: Renewal, token: object) -> None:
        try:
            credential = credential_from_jwt(token, self.loop.now + self.offset)
        except ClientError:
            credential = None
        if credential is None or credential.user_id != stay.user_id:
            self.renewal_unable(stay, renewal)
        else:
            self.renewal_answered(stay, renewal, Grant("", {}, credential.user_id, credential))

    def is_open(self, stay: Stay, renewal: Renewal) -> bool:
        """Whether a renewal still waits for the handler."""
        return not self.is_late(stay) and stay.renewal is renewal and renewal.grant is None

    def renewal_answered(self, stay: Stay, renewal: Renewal, grant: Grant) -> None:
        self.tick()
        if self.is_open(stay, renewal):
            self.send_renewal(stay, renewal, grant, self.loop.now)

    def renewal_unable(self, stay: Stay, renewal: Renewal) -> None:
        self.tick()
        if self.is_open(stay, renewal):
            self.pause(stay, renewal, Failure("unable"))

    def send_renewal(self, stay: Stay, renewal: Renewal, grant: Grant, obtained_at: float) -> None:
        stay.renewal = renewal
        renewal.deadline, renewal.grant, renewal.obtained_at = None, grant, obtained_at
        self.present(grant, lambda answer: self.renewal_came_back(stay, renewal, answer))

    def renewal_came_back(self, stay: Stay, renewal: Renewal, answer: Answer) -> None:
        if self.is_late(stay):
            self.revoke_orphan(answer)
            return
        self.learn(answer)
        self.tick()
        failure = self.failure_of(stay, answer)
        if failure is None and answer.credential is not None:
            self.renewed(stay, renewal, answer.credential)
            return
        self.revoke_orphan(answer)
        self.renewal_failed(stay, renewal, failure or Failure("malformed"))

    def renewal_failed(self, stay: Stay, renewal: Renewal, failure: Failure) -> None:
        if failure.kind in ("banned", "deleted"):
            self.ended_by_platform(failure)
        elif failure.kind in PASSING:
            self.back_off(stay, renewal, failure)
        else:
            self.pause(stay, renewal, failure)

    def renewed(self, stay: Stay, renewal: Renewal, credential: Credential) -> None:
        stay.renewal, stay.retry = None, None
        self.use(stay, credential)
        self.give_respite(stay, credential)
        self.save()
        if self.state == TOKEN_EXPIRED:
            self.move(ESTABLISHED, "tokenRenewed", "on_renewal")
        else:
            self.loop.soon(lambda: self.run_hook("on_renewal"))
        self.verified(stay)
        self.over(renewal)

    def give_respite(self, stay: Stay, credential: Credential) -> None:
        """A token that came too late to be renewed as planned is left half of its time."""
        if stay.renew_at is not None and stay.renew_at <= self.loop.now + self.offset:
            left = self.expiry(credential) - self.offset - self.loop.now
            wait = min(self.PAUSE, max(left / 2, self.BACKOFF))
            stay.retry = Retry(self.loop.now + wait, failure=Failure("expiredOnArrival"))

    def back_off(self, stay: Stay, renewal: Renewal, failure: Failure) -> None:
        """Try the same again after a random time, the bound of which doubles with every failure."""
        bound = min(self.PAUSE, self.BACKOFF * 2.0 ** min(renewal.failures, 64))
        wait = max(self._random.random() * bound, min(failure.retry_after or 0.0, self.PAUSE))
        self.try_later(stay, renewal, failure, wait, renewal.grant)

    def pause(self, stay: Stay, renewal: Renewal, failure: Failure) -> None:
        """This will not get better in a moment: leave the app and its backend alone."""
        self.try_later(stay, renewal, failure, self.PAUSE, None)

    def try_later(
        self, stay: Stay, renewal: Renewal, failure: Failure, wait: float, grant: Grant | None
    ) -> None:
        at = self.loop.now + wait
        stay.retry = Retry(at, renewal.failures + 1, failure, grant, renewal.obtained_at)
        stay.renewal = None
        self.over(renewal, failure)

    def renew_now(self) -> Promise:
        self.begin()
        self.allow("renew_now")
        stay = self.stay
        if stay is None or not self.can_renew(stay):
            raise ClientError("handler_required", "no handler is registered to renew the session")
        if stay.revocation is not None:
            raise ClientError(
                "not_allowed", f"renew_now is not possible while {self.state}: it is logging out"
            )
        if stay.renewal is None:
            self.end_pause(stay)
            self.tick()
        return self.promise(stay.renewal, "renewal")

    def end_pause(self, stay: Stay) -> None:
        now, retry = self.loop.now, stay.retry
        stay.retry = (
            Retry(now) if retry is None else Retry(now, retry.failures, None, retry.grant, retry.obtained_at)
        )

    # ── Expiry and rejection ────────────────────────────────────────────────────────────────────

    def expired(self, reason: str) -> None:
        self.save(expired=True)
        self.move(TOKEN_EXPIRED, reason)
        if self.stay is not None:
            self.verified(self.stay)

    def verified(self, stay: Stay) -> None:
        """A verification on its way is not needed any more, or has found what it has."""
        verification, stay.verification = stay.verification, None
        if verification is not None:
            self.over(verification)

    def rejected(self, stay: Stay, credential: Credential, then: Callable[[], None]) -> None:
        """A token was rejected, which proves nothing yet. `then` goes on when that is sorted out."""
        self.tick()
        if self.is_late(stay) or stay.credential is not credential or self.state != ESTABLISHED:
            then()
            return
        if stay.renewal is None and stay.verification is None and stay.revocation is None:
            self.verify(stay, credential)
        attempt = stay.verification or stay.renewal or stay.revocation
        if attempt is None:
            then()
        else:
            self.wait(attempt, self.loop.monotonic + self.WAIT_LIMIT, lambda _: then())

    def verify(self, stay: Stay, credential: Credential) -> None:
        verification = stay.verification = Verification()
        self.platform.verify(
            credential.token, lambda answer: self.verification_came_back(stay, verification, answer)
        )

    def verification_came_back(self, stay: Stay, verification: Verification, answer: Answer) -> None:
        if self.is_late(stay):
            return
        self.learn(answer)
        self.tick()
        kind = None if answer.failure is None else answer.failure.kind
        if answer.failure is not None and kind in ("banned", "deleted"):
            self.ended_by_platform(answer.failure)
        elif stay.verification is verification:
            if kind == "unauthorized":
                self.expired("tokenRejected")
            else:
                self.verified(stay)

    # ── What the app sends ──────────────────────────────────────────────────────────────────────

    def call(self, path: str) -> Promise:
        """GET what the app wants; the value is the HTTP status."""
        self.begin()
        promise = Promise()

        def send(stay: Stay, credential: Credential) -> None:
            self.platform.get(path, credential.token, lambda answer: answered(stay, credential, answer))

        def answered(stay: Stay, credential: Credential, answer: Answer) -> None:
            if answer.status is None:
                promise.settle(error=self.error("call", self.no_answer()))
                return
            self.heard_from_api(stay, credential, answer, again, promise)

        def again(stay: Stay, credential: Credential, status: int) -> None:
            """Once more, if the same stay has another token by now. Else the app gets its 401."""

            def decide(newer: Stay | None, other: Credential | None) -> None:
                if other is None or newer is not stay or other.token == credential.token:
                    promise.settle(status)
                    return
                self.platform.get(path, other.token, lambda answer: last(stay, other, answer))

            self.authorize(decide, lambda _: promise.settle(status))

        def last(stay: Stay, credential: Credential, answer: Answer) -> None:
            if answer.status is None:
                promise.settle(error=self.error("call", self.no_answer()))
            else:
                give = promise.settle
                self.heard_from_api(stay, credential, answer, lambda _s, _c, status: give(status), promise)

        self.authorize(send, lambda error: promise.settle(error=error))
        return promise

    def no_answer(self) -> Failure:
        return Failure("closed" if self.is_closed else "unreachable")

    def heard_from_api(
        self,
        stay: Stay,
        credential: Credential,
        answer: Answer,
        again: Callable[[Stay, Credential, int], None],
        promise: Promise,
    ) -> None:
        """What an answer to the app says of the session."""
        status = answer.status or 0
        kind = answer.failure.kind if answer.failure is not None and status >= 400 else None
        if kind == "unauthorized":
            self.rejected(stay, credential, lambda: again(stay, credential, status))
            return
        if kind == "banned" and not self.is_late(stay):
            self.ended_by_platform(Failure("banned", status))
        self.loop.soon(lambda: promise.settle(status))

    def authorize(
        self, then: Callable[[Stay, Credential], None], otherwise: Callable[[ClientError], None]
    ) -> None:
        """Get a live credential, which may take a while, but not too long."""
        until = self.loop.monotonic + self.WAIT_LIMIT
        first = self.stay

        def look(before: Attempt | None = None) -> None:
            try:
                self.begin()
                if before is not None and self.stay is not None and self.stay is not first:
                    raise ClientError("not_logged_in", "the session that this was asked of is over")
                live = self.live_credential()
                if isinstance(live, Attempt) and before is not None and self.is_shared(before):
                    raise self.renewal_error(before.failure)
            except ClientError as error:
                otherwise(error)
                return
            if not isinstance(live, Attempt):
                then(*live)
                return
            self.wait(live, until, lambda is_over: woken(live, is_over))

        def woken(attempt: Attempt, is_over: bool) -> None:
            if is_over or self.is_closed:
                look(attempt)
            else:
                otherwise(ClientError("wait_timeout", "no token became available in time", retryable=True))

        look()

    def is_shared(self, attempt: Attempt) -> bool:
        """Whether callers share the failure of what they waited for, rather than wait for another."""
        failure = attempt.failure
        return attempt.brings_token and failure is not None and failure.kind != "superseded"

    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        """What authorises a request now, or what has to be waited for."""
        stay = self.stay
        if stay is None:
            if self.state == TERMINATED:
                raise ClientError("terminated", f"the platform ended the session: {self.last.reason}")
            raise ClientError("not_logged_in", f"nobody is logged in: {self.last.reason}")
        if self.state == ESTABLISHED and stay.credential is not None:
            return stay, stay.credential
        attempt = stay.login if self.state == ESTABLISHING else stay.renewal or stay.revocation
        if attempt is not None:
            return attempt
        if not self.can_renew(stay):
            raise ClientError("handler_required", "the token is expired and nobody can renew it")
        raise self.renewal_error(stay.retry.failure if stay.retry else None)

    def renewal_error(self, failure: Failure | None) -> ClientError:
        why = "" if failure is None else f": {ERRORS[failure.kind][1]}"
        return ClientError(
            "renewal_failed", f"the token is expired and its renewal failed{why}", retryable=True
        )

    def wait(self, attempt: Attempt, until: float, then: Callable[[bool], None]) -> None:
        """Wait for an attempt, until a time by the monotonic clock; `then` hears whether it is over."""
        is_told = False

        def tell(is_over: bool) -> None:
            nonlocal is_told
            if not is_told:
                is_told = True
                self._sleepers = [one for one in self._sleepers if one is not sleeper]
                then(is_over)

        sleeper = (until, lambda: tell(False))
        self._sleepers.append(sleeper)
        attempt.callbacks.append(lambda: tell(True))

    def over(self, attempt: Attempt, failure: Failure | None = None) -> None:
        """An attempt has ended: whoever waits for it goes on, after what was to be told before."""
        attempt.failure, attempt.is_over = failure, True
        for callback in attempt.callbacks:
            self.loop.soon(callback)
        self.loop.soon(self.tick)

    def promise(self, attempt: Attempt | None, what: str) -> Promise:
        promise = Promise()
        if attempt is None:
            promise.settle()
        else:
            attempt.callbacks.append(lambda: promise.settle(error=self.error(what, attempt.failure)))
        return promise

    def error(self, what: str, failure: Failure | None) -> ClientError | None:
        if failure is None:
            return None
        kind, words = ERRORS[failure.kind]
        said = "" if failure.status is None else f" (status {failure.status})"
        return ClientError(kind, f"{what} failed: {words}{said}", retryable=kind == "unavailable")

    # ── Ban, deletion, logout ───────────────────────────────────────────────────────────────────

    def heard(self, kind: str, user_id: str | None) -> None:
        """Realtime tells that a user was `banned` or `deleted`."""
        self.begin()
        if self.stay is not None and user_id in (None, self.stay.user_id):
            self.ended_by_platform(Failure(kind))

    def ended_by_platform(self, failure: Failure) -> None:
        """The platform banned or deleted the user of this stay, however that was heard."""
        if self.state == ESTABLISHING:
            self.fail_login(failure)
        else:
            reason = "globalBan" if failure.kind == "banned" else "userDeleted"
            self.end_stay(TERMINATED, reason, failure, "on_ban")

    def end_stay(self, state: str, reason: str, failure: Failure | None, hook: str) -> Failure | None:
        """Nothing of the user is left. Gives what the store could not do."""
        stay, self.stay = self.stay, None
        problem = self.forget_record()
        self.move(state, reason, hook)
        if stay is not None:
            for attempt in stay.attempts():
                done = reason == "secureLogout" and attempt is stay.revocation
                self.over(attempt, problem if done else failure)
        return problem

    def logout(self) -> Promise:
        """Forget the user, here and now. Needs no network."""
        self.begin()
        if self.state == NOT_LOGGED_IN:
            problem = self.forget_record()
        elif self.state == ESTABLISHING:
            problem = self.forget_record()
            self.fail_login(Failure("loggedOut"), "logout")
        else:
            problem = self.end_stay(NOT_LOGGED_IN, "logout", Failure("loggedOut"), "on_logout")
        promise = Promise()
        self.loop.soon(lambda: promise.settle(error=self.error("logout", problem)))
        return promise

    def secure_logout(self) -> Promise:
        """Revoke the token first, and log out only if that worked."""
        self.begin()
        self.allow("secure_logout")
        stay = self.stay
        if stay is None:
            return self.logout()
        if stay.revocation is None:
            self.start_revocation(stay)
        promise = self.promise(stay.revocation, "secure logout")
        self.tick()
        return promise

    def start_revocation(self, stay: Stay) -> None:
        """A question to the handler is withdrawn, a renewal on its way awaited."""
        stay.revocation = Revocation(self.loop.now + self.WAIT_LIMIT)
        if stay.renewal is not None and stay.renewal.grant is None:
            renewal, stay.renewal = stay.renewal, None
            self.over(renewal, Failure("superseded"))

    def revocation_due(self, stay: Stay, revocation: Revocation) -> None:
        if stay.renewal is not None or stay.credential is None:
            self.revocation_failed(stay, revocation, Failure("unreachable"))
            return
        revocation.sent = True
        self.platform.revoke(
            stay.credential.token, lambda answer: self.revocation_came_back(stay, revocation, answer)
        )

    def revocation_came_back(self, stay: Stay, revocation: Revocation, answer: Answer) -> None:
        if self.is_late(stay):
            return
        self.learn(answer)
        self.tick()
        failure = answer.failure
        if failure is None:
            self.end_stay(NOT_LOGGED_IN, "secureLogout", None, "on_logout")
        elif failure.kind in ("banned", "deleted"):
            self.ended_by_platform(failure)
        elif failure.kind == "unauthorized" and stay.credential is not None:
            # It may be void already. One question finds out.
            self.platform.verify(
                stay.credential.token, lambda answer: self.revocation_checked(stay, revocation, answer)
            )
        else:
            self.revocation_failed(stay, revocation, failure)

    def revocation_checked(self, stay: Stay, revocation: Revocation, answer: Answer) -> None:
        if self.is_late(stay):
            return
        self.learn(answer)
        self.tick()
        failure = answer.failure or Failure("unauthorized")
        if answer.failure is not None and failure.kind == "unauthorized":
            self.end_stay(NOT_LOGGED_IN, "secureLogout", None, "on_logout")
        elif failure.kind in ("banned", "deleted"):
            self.ended_by_platform(failure)
        else:
            self.revocation_failed(stay, revocation, failure)

    def revocation_failed(self, stay: Stay, revocation: Revocation, failure: Failure) -> None:
        """The session stays exactly as it was."""
        stay.revocation = None
        self.over(revocation, failure)


if __name__ == "__main__":
    from adapter import main

    sys.exit(main(sys.argv[1:]))
