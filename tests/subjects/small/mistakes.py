"""The small client with one mistake at a time, of the kind that people make.

Each is a class that does one thing otherwise. The comments B1 to B41 name what was found in clients that
are in use. A name on the command line is the class's own: `LateAnswerLogsIn` is `late-answer-logs-in`.
"""

import json
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple, TypeVar

from client import (
    ESTABLISHED,
    ESTABLISHING,
    NOT_LOGGED_IN,
    PASSING,
    TERMINATED,
    TOKEN_EXPIRED,
    Client,
    RenewalHandle,
)
from parts import (
    BOT,
    Attempt,
    Change,
    Promise,
    Record,
    Renewal,
    Revocation,
    Stay,
    Store,
    Verification,
    log,
    user_grant,
    visitor_grant,
)
from wire import Answer, ClientError, Credential, Failure, Grant, Loop, Platform, Reply

ClientT = TypeVar("ClientT", bound=Client)


class Mistake(NamedTuple):
    """What is wrong with a client, and which requirement that breaks."""

    client: type[Client]
    requirement: str
    sentence: str


MISTAKES: dict[str, Mistake] = {}
"""Every mistake, by its name."""


def mistake(requirement: str, sentence: str) -> Callable[[type[ClientT]], type[ClientT]]:
    """Put a client with a mistake into the gallery."""

    def enter(client: type[ClientT]) -> type[ClientT]:
        slug = re.sub(r"(?<!^)(?=[A-Z])", "-", client.__name__).lower()
        MISTAKES[slug] = Mistake(client, requirement, sentence)
        return client

    return enter


# ── Client ──────────────────────────────────────────────────────────────────────────────────────


@mistake("CLIENT-1", "Takes plain http to anywhere for an endpoint.")
class PlainHttpAnywhere(Client):
    def checked_endpoint(self, endpoint: object) -> str:
        return str(endpoint).rstrip("/")


@mistake("CLIENT-1", "Takes an empty API key.")
class EmptyKeyAccepted(Client):
    def checked_api_key(self, api_key: object) -> str:
        return str(api_key)


@mistake("CLIENT-1", "Takes a region that it does not know for Singapore.")
class UnknownRegionIsSingapore(Client):
    def checked_origin(self, region: object, endpoint: object) -> str:
        return super().checked_origin(region if region in ("sg", "eu", "us") else None, endpoint)


@mistake("CLIENT-2", "Has one stream of changes for all clients of the process.")  # B24
class OneStreamForAll(Client):
    everybody: ClassVar[dict[Loop, list[Callable[[Change], None]]]] = {}

    def __init__(self, loop: Loop, *arguments: Any, **options: Any) -> None:
        super().__init__(loop, *arguments, **options)
        self.observers = self.everybody.setdefault(loop, [])

    def close(self) -> None:
        self.observers = []
        super().close()


@mistake("CLIENT-2", "Puts the token of whoever logged in last into a header that all clients share.")  # B24
class OneHeaderForAll(Client):
    header: ClassVar[list[Credential]] = []

    def use(self, stay: Stay, credential: Credential) -> None:
        super().use(stay, credential)
        self.header[:] = [credential]

    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        live = super().live_credential()
        return live if isinstance(live, Attempt) else (live[0], self.header[0])


@mistake("CLIENT-3", "Logs out when it is closed.")
class CloseLogsOut(Client):
    def close(self) -> None:
        self.logout()
        self.loop.work()
        super().close()


@mistake("CLIENT-3", "Tells observers that nobody is logged in when it is closed.")
class CloseIsTold(Client):
    def close(self) -> None:
        for observer in self.observers:
            self.tell(observer, Change(NOT_LOGGED_IN, self.state, "logout", self.loop.now))
        super().close()


@mistake("CLIENT-3", "Lets whoever waits for something wait on when it is closed.")
class CloseLeavesWaiters(Client):
    def close(self) -> None:
        self.stay = None
        self._sleepers.clear()
        super().close()


# ── Login ───────────────────────────────────────────────────────────────────────────────────────


@mistake("LOGIN-1", "Sends another login while one is on its way.")
class SecondLoginPosts(Client):
    def allow(self, request: str) -> None:
        if not (self.state == ESTABLISHING and request.startswith("login")):
            super().allow(request)


@mistake("LOGIN-1", "Logs in anew while a session is established.")  # B41
class LoginOverLogin(Client):
    def allow(self, request: str) -> None:
        if not (self.state == ESTABLISHED and request.startswith("login")):
            super().allow(request)


@mistake("LOGIN-2", "Authorises no request, though it is logged in.")
class NothingAuthorised(Client):
    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        live = super().live_credential()
        if not isinstance(live, Attempt):
            raise ClientError("not_logged_in", "nobody is logged in")
        return live


@mistake("LOGIN-2", "Tells that a session is established before it knows whose it is.")  # B28
class ToldBeforeInPlace(Client):
    def established(self, stay: Stay, credential: Credential) -> None:
        stay.user_id = None
        self.move(ESTABLISHED, "loggedIn", "on_login")
        self.loop.soon(lambda: self.put_in_place(stay, credential))

    def put_in_place(self, stay: Stay, credential: Credential) -> None:
        stay.user_id = credential.user_id
        self.use(stay, credential)
        self.save()
        self.over(stay.login)


@mistake("LOGIN-3", "Stays establishing when a login fails.")  # B4
class FailedLoginStaysEstablishing(Client):
    def fail_login(self, failure: Failure, reason: str | None = None) -> None:
        if reason is not None or self.stay is None:
            super().fail_login(failure, reason)
        else:
            self.over(self.stay.login, failure)


@mistake("LOGIN-3", "Keeps the token of a login that failed, and sends it.")  # B20
class FailedLoginKeepsToken(Client):
    kept: tuple[Stay, Credential] | None = None

    def login_answered(self, stay: Stay, answer: Answer) -> None:
        if answer.orphan is not None:
            self.kept = (stay, answer.orphan)
        super().login_answered(stay, answer)

    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        if self.kept is not None and self.state == NOT_LOGGED_IN and self.last.reason == "loginFailed":
            return self.kept
        return super().live_credential()

    def revoke_orphan(self, answer: Answer) -> None:
        pass


@mistake("LOGIN-3", "Does not look whether the token that a login brings is alive.")
class DeadOnArrival(Client):
    def failure_of(self, stay: Stay, answer: Answer) -> Failure | None:
        failure = super().failure_of(stay, answer)
        is_dead = failure is not None and failure.kind == "expiredOnArrival"
        return None if is_dead and self.state == ESTABLISHING else failure


class _AnyUser(Platform):
    def objection(self, asked_for: str | None, user_id: str | None, user: dict[str, Any]) -> str | None:
        return super().objection(None, user_id, user)


@mistake("LOGIN-3", "Takes a session for whoever it is.")
class AnotherUserLogsIn(Client):
    platform_class = _AnyUser

    def login_answered(self, stay: Stay, answer: Answer) -> None:
        stay.user_id = None
        super().login_answered(stay, answer)


@mistake("LOGIN-3", "Says that the platform refused when it could not be reached.")  # B20
class OfflineIsRefused(Client):
    def fail_login(self, failure: Failure, reason: str | None = None) -> None:
        super().fail_login(Failure("refused") if failure.kind == "unreachable" else failure, reason)


@mistake("LOGIN-3", "Never tells the caller that a login failed.")
class FailedLoginIsDone(Client):
    def start_login(self, stay: Stay, grant: Grant) -> Promise:
        super().start_login(stay, grant)
        promise = Promise()
        stay.login.callbacks.append(promise.settle)
        return promise


@mistake("LOGIN-4", "Sends a production login that has no auth token.")
class LoginWithoutAuthToken(Client):
    def login(
        self,
        user_id: object,
        auth_token: object = None,
        display_name: object = None,
        session_handler: Any = None,
    ) -> Promise:
        told, self.development = self.development, True
        try:
            return super().login(user_id, auth_token, display_name, session_handler)
        finally:
            self.development = told


class _OtherFlag(Platform):
    def objection(self, asked_for: str | None, user_id: str | None, user: dict[str, Any]) -> str | None:
        return super().objection(asked_for, user_id, {**user, "isGlobalBan": False})


@mistake("LOGIN-5", "Looks for `isGlobalBanned`, so that `isGlobalBan` logs in.")  # B13
class BanFlagUnseen(Client):
    platform_class = _OtherFlag


class _OneFlag(Platform):
    def objection(self, asked_for: str | None, user_id: str | None, user: dict[str, Any]) -> str | None:
        return super().objection(asked_for, user_id, {**user, "isGlobalBanned": False})


@mistake("LOGIN-5", "Looks for `isGlobalBan`, so that `isGlobalBanned` logs in.")
class BannedFlagUnseen(Client):
    platform_class = _OneFlag


class _NoDeleted(Platform):
    def objection(self, asked_for: str | None, user_id: str | None, user: dict[str, Any]) -> str | None:
        return super().objection(asked_for, user_id, {**user, "isDeleted": False})


@mistake("LOGIN-5", "Does not look for `isDeleted`.")
class DeletedFlagUnseen(Client):
    platform_class = _NoDeleted


@mistake("LOGIN-5", "Answers a banned user's login with false instead of an error.")
class BanIsABoolean(Client):
    def promise(self, attempt: Attempt | None, what: str) -> Promise:
        if attempt is None or what != "login":
            return super().promise(attempt, what)
        promise = Promise()

        def settle() -> None:
            error = self.error(what, attempt.failure)
            is_ban = error is not None and error.kind == "user_banned"
            promise.settle(*((False, None) if is_ban else (None, error)))

        attempt.callbacks.append(settle)
        return promise


@mistake("LOGIN-5", "Says of a banned user that the login was refused.")
class BanIsARefusal(Client):
    def fail_login(self, failure: Failure, reason: str | None = None) -> None:
        super().fail_login(Failure("refused") if failure.kind == "banned" else failure, reason)


@mistake("LOGIN-6", "Logs in by an answer that comes after a logout.")  # B1
class LateAnswerLogsIn(Client):
    def login_answered(self, stay: Stay, answer: Answer) -> None:
        if self.stay is None and self.state == NOT_LOGGED_IN and not self.is_closed:
            self.stay = stay
        super().login_answered(stay, answer)

    def fail_login(self, failure: Failure, reason: str | None = None) -> None:
        if self.state == ESTABLISHING:
            super().fail_login(failure, reason)
        self.stay = None


@mistake("LOGIN-6", "Gives a login the answer to the one before it.")
class AnswersMixedUp(Client):
    def login_answered(self, stay: Stay, answer: Answer) -> None:
        present = self.stay
        is_mixed_up = present is not None and self.state == ESTABLISHING
        super().login_answered(present if present is not None and is_mixed_up else stay, answer)


@mistake("LOGIN-7", "Logs in with an access token that nobody is there to renew.")
class AccessTokenWithoutHandler(Client):
    def login_with_access_token(self, access_token: object) -> Promise:
        handler, self.access_token_handler = self.access_token_handler, self.access_token_handler or self
        try:
            return super().login_with_access_token(access_token)
        finally:
            self.access_token_handler = handler


@mistake("LOGIN-7", "Believes an access token without asking the platform.")
class AccessTokenUnverified(Client):
    def present(self, grant: Grant, then: Callable[[Answer], None]) -> None:
        if grant.credential is None or self.state != ESTABLISHING:
            super().present(grant, then)
        else:
            self.loop.soon(lambda: then(Answer(grant.credential)))


@mistake("LOGIN-7", "Sends an access token that is expired.")
class ExpiredAccessTokenSent(Client):
    is_blind = False

    def login_with_access_token(self, access_token: object) -> Promise:
        self.is_blind = True
        try:
            return super().login_with_access_token(access_token)
        finally:
            self.is_blind = False

    def expiry(self, credential: Credential) -> float:
        return math.inf if self.is_blind else super().expiry(credential)


@mistake("LOGIN-7", "Takes an access token for good when the platform is away.")
class AccessTokenGoodOffline(Client):
    def present(self, grant: Grant, then: Callable[[Answer], None]) -> None:
        def answered(answer: Answer) -> None:
            is_away = answer.failure is not None and answer.failure.kind in PASSING
            is_login = grant.credential is not None and self.state == ESTABLISHING
            then(Answer(grant.credential) if is_away and is_login else answer)

        super().present(grant, answered)


@mistake("LOGIN-8", "Renews a visitor's session as if it were a user's.")  # B21
class VisitorRenewedAsUser(Client):
    def unaided_grant(self, stay: Stay) -> Grant:
        return user_grant(stay.user_id or "") if stay.is_visitors else super().unaided_grant(stay)


@mistake("LOGIN-8", "Renews a bot's session as if it were a user's.")
class BotRenewedAsUser(Client):
    def unaided_grant(self, stay: Stay) -> Grant:
        grant = super().unaided_grant(stay)
        return user_grant(stay.user_id or "") if grant is BOT else grant


class _Unsigned(RenewalHandle):
    def renew_with_auth_signature(self, signature: str, expires_at: str) -> None:
        self._answer(visitor_grant())


@mistake("LOGIN-8", "Renews a signed visitor's session without the signature.")  # B21
class SignatureDropped(Client):
    renewal_class = _Unsigned


@mistake("LOGIN-9", "Leaves the caller of a login waiting when a logout ends it.")
class LogoutLeavesLoginWaiting(Client):
    def fail_login(self, failure: Failure, reason: str | None = None) -> None:
        if self.stay is not None and reason == "logout":
            self.stay.login = Attempt()
        super().fail_login(failure, reason)


@mistake("LOGIN-9", "Goes on with a login that its caller gave up.")
class CancelIsNotMeant(Client):
    def cancel(self, call: Promise) -> None:
        self.begin()
        call.settle(error=ClientError("cancelled", "the caller gave up"))


@mistake("LOGIN-10", "Is another device at every login.")  # B23
class NewDeviceEachTime(Client):
    def start_login(self, stay: Stay, grant: Grant) -> Promise:
        self.device_id = f"small#{self._random.getrandbits(64):016x}"
        return super().start_login(stay, grant)


@mistake("LOGIN-10", "Sends a user id that is too long for the platform.")
class LongUserIdSent(Client):
    LIMITS: ClassVar = {**Client.LIMITS, "user id": 1_000_000}


@mistake("LOGIN-10", "Sends a display name that is too long for the platform.")
class LongNameSent(Client):
    LIMITS: ClassVar = {**Client.LIMITS, "display name": 1_000_000}


# ── Handlers and hooks ──────────────────────────────────────────────────────────────────────────


@mistake("HANDLER-1", "Keeps the handler that a login brought for the logins after it.")
class OwnHandlerStays(Client):
    def start_login(self, stay: Stay, grant: Grant) -> Promise:
        self.session_handler = stay.own_handler or self.session_handler
        return super().start_login(stay, grant)


@mistake("HANDLER-1", "Asks the client's handler though the login brought one of its own.")
class OwnHandlerIgnored(Client):
    def handler_for(self, stay: Stay) -> Any:
        stay.own_handler = None if self.session_handler else stay.own_handler
        return super().handler_for(stay)


@mistake("HANDLER-1", "Forgets the client's handlers at logout.")
class LogoutForgetsHandlers(Client):
    def logout(self) -> Promise:
        self.session_handler = self.access_token_handler = None
        return super().logout()


@mistake("HANDLER-1", "Asks the access token handler whenever there is one, whatever the login was.")
class WrongHandlerAsked(Client):
    def ask(self, stay: Stay, renewal: Renewal) -> None:
        if self.access_token_handler is not None and self.is_open(stay, renewal):
            self.token_promised(stay, renewal, self.access_token_handler.on_token_renew(stay.user_id))
        else:
            super().ask(stay, renewal)


@mistake("HANDLER-2", "Establishes the session anew when an access token handler is registered.")
class SettingHandlerMoves(Client):
    def set_access_token_handler(self, handler: Any) -> None:
        super().set_access_token_handler(handler)
        if self.state == ESTABLISHED:
            self.move(ESTABLISHING, "login")
            self.move(ESTABLISHED, "loggedIn")


@mistake("HANDLER-2", "Takes an access token handler of any shape.")
class AnyHandlerAccepted(Client):
    def set_access_token_handler(self, handler: Any) -> None:
        self.begin()
        self.access_token_handler = handler


@mistake("HANDLER-2", "Takes an access token handler only while nobody is logged in.")
class HandlerOnlyBeforeLogin(Client):
    def set_access_token_handler(self, handler: Any) -> None:
        if self.state != NOT_LOGGED_IN:
            raise ClientError("not_allowed", f"not possible while {self.state}")
        super().set_access_token_handler(handler)


@mistake("HOOK-1", "Runs a hook before the session has moved.")
class HookBeforeMoving(Client):
    def move(self, state: str, reason: str, hook: str | None = None) -> None:
        if hook is not None:
            self.run_hook(hook)
        super().move(state, reason)


@mistake("HOOK-1", "Runs a hook once for every observer.")
class HookPerObserver(Client):
    def announce(self, change: Change) -> None:
        super().announce(change)
        if change.reason == "loggedIn":
            for _ in self.observers:
                self.loop.soon(lambda: self.run_hook("on_login"))


@mistake("HOOK-1", "Runs the hook of a ban only if realtime told of it.")
class HookOnlyByRealtime(Client):
    is_realtime = False

    def heard(self, kind: str, user_id: str | None) -> None:
        self.is_realtime = True
        super().heard(kind, user_id)
        self.is_realtime = False

    def move(self, state: str, reason: str, hook: str | None = None) -> None:
        super().move(state, reason, None if hook == "on_ban" and not self.is_realtime else hook)


# ── Renewal ─────────────────────────────────────────────────────────────────────────────────────


@mistake("RENEW-1", "Renews when the token is about to die, and not before.")
class RenewsTooLate(Client):
    SHARE = 1.0


@mistake("RENEW-1", "Takes five minutes off the life of any token, be it a minute.")
class FiveMinutesOffAnything(Client):
    def use(self, stay: Stay, credential: Credential) -> None:
        super().use(stay, credential)
        if credential.expires_at is not None:
            lifetime = max(0.0, credential.expires_at - credential.issued_at - 300)
            stay.renew_at = credential.issued_at + self.SHARE * lifetime


@mistake("RENEW-2", "Shows a renewal ahead of time as establishing.")  # B5
class RenewalShownAsEstablishing(Client):
    def send_renewal(self, stay: Stay, renewal: Renewal, grant: Grant, obtained_at: float) -> None:
        was_established = self.state == ESTABLISHED
        super().send_renewal(stay, renewal, grant, obtained_at)
        if was_established:
            change = Change(ESTABLISHING, ESTABLISHED, "login", self.loop.now)
            self.announce(change)
            renewal.callbacks.append(
                lambda: self.announce(change._replace(state=ESTABLISHED, previous=ESTABLISHING))
            )


@mistake("RENEW-2", "Lets requests wait for a renewal though the token is still alive.")
class OldTokenUnused(Client):
    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        renewal = None if self.stay is None else self.stay.renewal
        return renewal if renewal is not None and renewal.grant is not None else super().live_credential()


@mistake("RENEW-3", "Starts another renewal at expiry though one is on its way.")
class ExpiryRenewsAgain(Client):
    def expired(self, reason: str) -> None:
        super().expired(reason)
        if self.stay is not None:
            self.stay.renewal = None


@mistake("RENEW-3", "Starts another renewal when it is told to renew now.")
class RenewNowRenewsAgain(Client):
    def renew_now(self) -> Promise:
        if self.stay is not None and self.stay.revocation is None:
            self.stay.renewal = None
        return super().renew_now()


class _TakesAnything(RenewalHandle):
    def renew_with_auth_token(self, auth_token: str) -> None:
        self._answer(user_grant(self._stay.user_id or "", auth_token))


@mistake("RENEW-4", "Sends whatever a handler gives, an empty auth token too.")
class EmptyAuthTokenSent(Client):
    renewal_class = _TakesAnything


class _OneTry(RenewalHandle):
    def renew_with_auth_token(self, auth_token: str) -> None:
        try:
            super().renew_with_auth_token(auth_token)
        except ClientError:
            self.unable_to_retrieve_auth_token()
            raise


@mistake("RENEW-4", "Ends a renewal when its handler hands in something malformed.")
class MalformedAnswerEndsRenewal(Client):
    renewal_class = _OneTry


@mistake("RENEW-5", "Sends a second request when a renewal is answered a second time.")  # B10
class AnsweredTwiceSentTwice(Client):
    def is_open(self, stay: Stay, renewal: Renewal) -> bool:
        return not self.is_late(stay) and stay.renewal is renewal


@mistake("RENEW-5", "Sends a renewal that is answered after the session is over.")  # B1
class AnsweredLateSentAnyway(Client):
    def renewal_answered(self, stay: Stay, renewal: Renewal, grant: Grant) -> None:
        if self.is_late(stay) and not self.is_closed:
            self.present(grant, lambda answer: self.renewal_came_back(stay, renewal, answer))
        else:
            super().renewal_answered(stay, renewal, grant)


@mistake("RENEW-6", "Waits for ever for a handler that does not answer.")
class SilentHandlerAwaited(Client):
    ANSWER_TIMEOUT = math.inf


@mistake("RENEW-6", "Logs out when a handler raises.")
class RaisingHandlerLogsOut(Client):
    def ask(self, stay: Stay, renewal: Renewal) -> None:
        super().ask(stay, renewal)
        failure = renewal.failure
        if failure is not None and failure.kind == "unable" and stay is self.stay:
            self.end_stay(NOT_LOGGED_IN, "logout", failure, "on_logout")


@mistake("RENEW-7", "Asks a handler again at once that is unable.")
class UnableAskedAtOnce(Client):
    def pause(self, stay: Stay, renewal: Renewal, failure: Failure) -> None:
        self.try_later(stay, renewal, failure, 1.0 if failure.kind == "unable" else self.PAUSE, None)


@mistake("RENEW-7", "Does not heed `Retry-After`.")
class RetryAfterIgnored(Client):
    def back_off(self, stay: Stay, renewal: Renewal, failure: Failure) -> None:
        super().back_off(stay, renewal, failure._replace(retry_after=None))


@mistake("RENEW-7", "Sends a renewal again and again, ten times a second.")  # B31
class NoBackoff(Client):
    def back_off(self, stay: Stay, renewal: Renewal, failure: Failure) -> None:
        self.try_later(stay, renewal, failure, 0.1, renewal.grant)


@mistake("RENEW-7", "Asks for a new auth token after every failure of the network.")
class AuthTokenNeverResent(Client):
    def try_later(
        self, stay: Stay, renewal: Renewal, failure: Failure, wait: float, grant: Grant | None
    ) -> None:
        kept = grant if grant is not None and grant.credential is not None else None
        super().try_later(stay, renewal, failure, wait, kept)


@mistake("RENEW-7", "Sends an auth token again that is long out of date.")
class OldAuthTokenResent(Client):
    AUTH_TOKEN_LIFETIME = math.inf


@mistake("RENEW-7", "Sends an auth token again that was refused.")
class RefusalRetried(Client):
    def renewal_failed(self, stay: Stay, renewal: Renewal, failure: Failure) -> None:
        if failure.kind == "refused":
            self.back_off(stay, renewal, failure)
        else:
            super().renewal_failed(stay, renewal, failure)


@mistake("RENEW-8", "No longer knows whose session it is once the token was expired.")  # B3
class ExpiryForgetsUser(Client):
    forgotten: Stay | None = None

    def expired(self, reason: str) -> None:
        self.forgotten = self.stay
        super().expired(reason)

    @property
    def user_id(self) -> str | None:
        return None if self.forgotten is not None and self.forgotten is self.stay else super().user_id


@mistake("RENEW-8", "Renews no more once the token was expired.")  # B3
class RecoversOnce(Client):
    def use(self, stay: Stay, credential: Credential) -> None:
        super().use(stay, credential)
        if self.state == TOKEN_EXPIRED:
            stay.renew_at = None

    def can_renew(self, stay: Stay) -> bool:
        has_recovered = self.state == TOKEN_EXPIRED and stay.renew_at is None
        return not has_recovered and super().can_renew(stay)


@mistake("RENEW-9", "Logs out when a renewal fails after expiry.")  # B34
class FailedRenewalLogsOut(Client):
    def try_later(
        self, stay: Stay, renewal: Renewal, failure: Failure, wait: float, grant: Grant | None
    ) -> None:
        super().try_later(stay, renewal, failure, wait, grant)
        if self.state == TOKEN_EXPIRED:
            self.end_stay(NOT_LOGGED_IN, "logout", failure, "on_logout")


@mistake("RENEW-9", "Does not end a pause when it is told to renew now.")
class RenewNowKeepsPause(Client):
    def end_pause(self, stay: Stay) -> None:
        if stay.retry is None:
            super().end_pause(stay)


@mistake("RENEW-10", "Takes another user's access token for a renewal.")
class AnotherUsersTokenTaken(Client):
    def token_given(self, stay: Stay, renewal: Renewal, token: object) -> None:
        user_id = stay.user_id
        try:
            stay.user_id = json.loads(_payload(str(token)))["user"]["publicUserId"]
        except (ValueError, KeyError, TypeError, IndexError):
            stay.user_id = user_id
        super().token_given(stay, renewal, token)


def _payload(token: str) -> bytes:
    import base64

    middle = token.split(".")[1]
    return base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))


@mistake("RENEW-10", "Takes a new access token into use without asking the platform.")
class RenewedTokenUnverified(Client):
    def present(self, grant: Grant, then: Callable[[Answer], None]) -> None:
        if grant.credential is None or self.state == ESTABLISHING:
            super().present(grant, then)
        else:
            self.loop.soon(lambda: then(Answer(grant.credential)))


@mistake("RENEW-10", "Asks for another access token when the platform is away.")
class AccessTokenNotRetried(Client):
    def try_later(
        self, stay: Stay, renewal: Renewal, failure: Failure, wait: float, grant: Grant | None
    ) -> None:
        kept = grant if grant is not None and grant.credential is None else None
        super().try_later(stay, renewal, failure, wait, kept)


@mistake("RENEW-11", "Keeps its token when a newer one would live shorter.")
class ShorterTokenIgnored(Client):
    def renewed(self, stay: Stay, renewal: Renewal, credential: Credential) -> None:
        old = stay.credential
        is_shorter = old is not None and self.expiry(credential) < self.expiry(old)
        super().renewed(stay, renewal, old if old is not None and is_shorter else credential)


@mistake("RENEW-11", "Takes a token from a renewal that is expired already.")
class DeadRenewalTaken(Client):
    def failure_of(self, stay: Stay, answer: Answer) -> Failure | None:
        failure = super().failure_of(stay, answer)
        is_dead = failure is not None and failure.kind == "expiredOnArrival"
        return None if is_dead and self.state != ESTABLISHING else failure


@mistake("RENEW-12", "Needs a handler to renew what could renew itself.")
class NothingRenewsItself(Client):
    def can_renew(self, stay: Stay) -> bool:
        return self.handler_for(stay) is not None


@mistake("RENEW-12", "Lets callers wait though nobody can renew the token.")
class NoHandlerAwaited(Client):
    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        if self.state == TOKEN_EXPIRED and self.stay is not None and not self.can_renew(self.stay):
            return Attempt()
        return super().live_credential()


# ── Expiry, rejection, clocks ───────────────────────────────────────────────────────────────────


@mistake("EXPIRE-1", "Tells twice that the token is expired.")
class ExpiryToldTwice(Client):
    def expired(self, reason: str) -> None:
        super().expired(reason)
        self.announce(self.last)


@mistake("EXPIRE-1", "Falls from an expired token to nobody being logged in.")  # B2
class ExpiryLogsOut(Client):
    def expired(self, reason: str) -> None:
        super().expired(reason)
        self.end_stay(NOT_LOGGED_IN, "logout", Failure("loggedOut"), "on_logout")


@mistake("EXPIRE-1", "Does not notice by itself that its token is expired.")
class ExpiryUnnoticed(Client):
    def next_due(self) -> tuple[float, Callable[[], None]] | None:
        stay = self.stay
        credential = None if stay is None else stay.credential
        if self.state != ESTABLISHED or stay is None or credential is None:
            return super().next_due()
        try:
            stay.credential = credential._replace(expires_at=None)
            return super().next_due()
        finally:
            stay.credential = credential


@mistake("EXPIRE-2", "Sends requests with a token that it knows to be expired.")
class DeadTokenSent(Client):
    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        if self.state == TOKEN_EXPIRED and self.stay is not None and self.stay.credential is not None:
            return self.stay, self.stay.credential
        return super().live_credential()


@mistake("EXPIRE-2", "Uses a token until its very last second.")
class NoLeeway(Client):
    LEEWAY = 0.0


@mistake("EXPIRE-3", "Takes any 400100 for the end of the session.")  # B14
class RejectionTerminates(Client):
    def verify(self, stay: Stay, credential: Credential) -> None:
        self.end_stay(TERMINATED, "globalBan", Failure("banned"), "on_ban")


@mistake("EXPIRE-3", "Takes any 400100 for an expired token.")
class RejectionExpires(Client):
    def verify(self, stay: Stay, credential: Credential) -> None:
        stay.verification = Verification()
        self.expired("tokenRejected")


@mistake("EXPIRE-3", "Asks the platform once for every rejection.")
class EveryRejectionVerified(Client):
    def rejected(self, stay: Stay, credential: Credential, then: Callable[[], None]) -> None:
        if stay.verification is not None and not self.is_late(stay) and self.state == ESTABLISHED:
            self.platform.verify(credential.token, lambda _: None)
        super().rejected(stay, credential, then)


@mistake("EXPIRE-3", "Takes a token for expired that the platform could not be asked about.")
class UnconfirmedIsExpired(Client):
    def verification_came_back(self, stay: Stay, verification: Verification, answer: Answer) -> None:
        is_away = answer.failure is not None and answer.failure.kind in PASSING
        super().verification_came_back(
            stay, verification, answer._replace(failure=Failure("unauthorized")) if is_away else answer
        )


class _FirstToken(Client):
    """Remembers the token of the login."""

    first: Credential | None = None

    def established(self, stay: Stay, credential: Credential) -> None:
        self.first = credential
        super().established(stay, credential)


@mistake("EXPIRE-3", "Asks about the token of the login when another one was rejected.")
class FirstTokenVerified(_FirstToken):
    def verify(self, stay: Stay, credential: Credential) -> None:
        super().verify(stay, self.first or credential)


@mistake("EXPIRE-3", "Does not care when its token is rejected.")
class RejectionIgnored(Client):
    def rejected(self, stay: Stay, credential: Credential, then: Callable[[], None]) -> None:
        then()


@mistake("EXPIRE-4", "Goes by its own clock, however wrong.")  # B30
class OwnClockBelieved(Client):
    def learn(self, answer: Answer) -> None:
        pass


class _AnHour(Platform):
    def read(self, call: str, reply: Reply, grant: Grant | None) -> Answer:
        answer = super().read(call, reply, grant)
        credential = answer.credential
        if credential is None or credential.expires_at is not None:
            return answer
        return answer._replace(credential=credential._replace(expires_at=credential.issued_at + 3600))


@mistake("EXPIRE-4", "Takes a token that says nothing of its expiry to live for an hour.")
class NoExpiryIsAnHour(Client):
    platform_class = _AnHour


@mistake("EXPIRE-4", "Counts the life of a token in waking time.")
class SleepUncounted(Client):
    def __init__(self, loop: Loop, *arguments: Any, **options: Any) -> None:
        super().__init__(loop, *arguments, **options)
        self._awake_since = loop.now - loop.monotonic

    def expiry(self, credential: Credential) -> float:
        slept = self.loop.now - self.loop.monotonic - self._awake_since
        return super().expiry(credential) + (slept if abs(slept) > 1e-3 else 0.0)

    def renewal_time(self, stay: Stay) -> float:
        slept = self.loop.now - self.loop.monotonic - self._awake_since
        return super().renewal_time(stay) + (slept if abs(slept) > 1e-3 else 0.0)


@mistake("EXPIRE-4", "Pauses for as long as a clock was set back.")
class ClockSetBackPauses(Client):
    def clock_stepped(self, back: float) -> None:
        pass


@mistake("EXPIRE-5", "Lets callers wait for a token as long as it takes.")
class CallersWaitForEver(Client):
    def authorize(
        self, then: Callable[[Stay, Credential], None], otherwise: Callable[[ClientError], None]
    ) -> None:
        bound, self.WAIT_LIMIT = self.WAIT_LIMIT, math.inf
        super().authorize(then, otherwise)
        self.WAIT_LIMIT = bound


@mistake("EXPIRE-5", "Leaves callers waiting when a logout ends what they wait for.")
class LogoutLeavesCallersWaiting(Client):
    def wait(self, attempt: Attempt, until: float, then: Callable[[bool], None]) -> None:
        def unless_logged_out(is_over: bool) -> None:
            if attempt.failure is None or attempt.failure.kind != "loggedOut":
                then(is_over)

        super().wait(attempt, until, unless_logged_out)


@mistake("EXPIRE-5", "Turns callers away while a login is on its way.")
class CallersTurnedAwayAtLogin(Client):
    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        if self.state == ESTABLISHING:
            raise ClientError("not_logged_in", "nobody is logged in")
        return super().live_credential()


# ── Ban, deletion, termination ──────────────────────────────────────────────────────────────────


@mistake("BAN-1", "Shows a ban as a logout.")
class BanIsALogout(Client):
    def end_stay(self, state: str, reason: str, failure: Failure | None, hook: str) -> Failure | None:
        return super().end_stay(NOT_LOGGED_IN, reason, failure, hook)


@mistake("BAN-1", "Does not hear that a user was deleted.")
class DeletionUnheard(Client):
    def heard(self, kind: str, user_id: str | None) -> None:
        if kind != "deleted":
            super().heard(kind, user_id)


@mistake("BAN-2", "Does not hear of a ban while a login is on its way.")  # B6
class BanLostAtLogin(Client):
    def heard(self, kind: str, user_id: str | None) -> None:
        if self.state != ESTABLISHING:
            super().heard(kind, user_id)


@mistake("BAN-3", "Ends the session when anybody at all is banned.")  # B16
class AnybodysBan(Client):
    def heard(self, kind: str, user_id: str | None) -> None:
        super().heard(kind, None)


@mistake("BAN-3", "Does not hear of a ban in the answer to an ordinary request.")  # B14
class BanUnheardInAnswers(Client):
    def heard_from_api(
        self,
        stay: Stay,
        credential: Credential,
        answer: Answer,
        again: Callable[[Stay, Credential, int], None],
        promise: Promise,
    ) -> None:
        is_ban = answer.failure is not None and answer.failure.kind == "banned"
        super().heard_from_api(
            stay, credential, answer._replace(failure=None) if is_ban else answer, again, promise
        )


@mistake("BAN-3", "Takes a ban that a renewal finds for a refusal.")
class BanByRenewalIsRefusal(Client):
    def renewal_failed(self, stay: Stay, renewal: Renewal, failure: Failure) -> None:
        is_ban = failure.kind == "banned"
        super().renewal_failed(stay, renewal, failure._replace(kind="refused") if is_ban else failure)


@mistake("BAN-3", "Ends a session by a ban that was heard in an earlier one.")
class BanOfAnEarlierStay(Client):
    def heard_from_api(
        self,
        stay: Stay,
        credential: Credential,
        answer: Answer,
        again: Callable[[Stay, Credential, int], None],
        promise: Promise,
    ) -> None:
        present = stay if self.stay is None else self.stay
        is_ban = answer.failure is not None and answer.failure.kind == "banned"
        super().heard_from_api(present if is_ban else stay, credential, answer, again, promise)


@mistake("BAN-4", "Lets a banned user log in without a logout.")
class LoginOutOfTerminated(Client):
    def allow(self, request: str) -> None:
        if not (self.state == TERMINATED and request.startswith("login")):
            super().allow(request)


@mistake("BAN-4", "Goes on asking for renewals when the user is banned.")  # B1
class TerminatedRenews(Client):
    def end_stay(self, state: str, reason: str, failure: Failure | None, hook: str) -> Failure | None:
        stay = self.stay
        problem = super().end_stay(state, reason, failure, hook)
        if state == TERMINATED and stay is not None:
            self.stay, stay.renewal, stay.verification, stay.revocation = stay, None, None, None
        return problem

    def heard(self, kind: str, user_id: str | None) -> None:
        if self.state != TERMINATED:
            super().heard(kind, user_id)


@mistake("BAN-4", "Goes on sending a banned user's token.")  # B15
class TerminatedTokenSent(Client):
    kept: tuple[Stay, Credential] | None = None

    def end_stay(self, state: str, reason: str, failure: Failure | None, hook: str) -> Failure | None:
        if self.stay is not None and self.stay.credential is not None:
            self.kept = self.stay, self.stay.credential
        return super().end_stay(state, reason, failure, hook)

    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        if self.state == TERMINATED and self.kept is not None:
            return self.kept
        return super().live_credential()


class _Counts(Client):
    logins = 0

    def established(self, stay: Stay, credential: Credential) -> None:
        self.logins += 1
        super().established(stay, credential)


@mistake("BAN-5", "Hears of bans and deletions in the first session of a process alone.")  # B7
class SecondSessionDeaf(_Counts):
    def heard(self, kind: str, user_id: str | None) -> None:
        if self.logins < 2:
            super().heard(kind, user_id)


@mistake("BAN-5", "Cares for rejected tokens in the first session of a process alone.")  # B7
class SecondSessionTrusting(_Counts):
    def rejected(self, stay: Stay, credential: Credential, then: Callable[[], None]) -> None:
        if self.logins < 2:
            super().rejected(stay, credential, then)
        else:
            then()


# ── Logout ──────────────────────────────────────────────────────────────────────────────────────


@mistake("LOGOUT-1", "Stays terminated when it is to log out.")  # B17
class TerminatedForGood(Client):
    def logout(self) -> Promise:
        if self.state != TERMINATED:
            return super().logout()
        promise = Promise()
        promise.settle()
        return promise


@mistake("LOGOUT-1", "Cannot log out without the network.")
class LogoutNeedsNetwork(Client):
    def logout(self) -> Promise:
        self.begin()
        stay = self.stay
        if stay is None or stay.credential is None:
            return super().logout()
        promise = Promise()

        def answered(answer: Answer) -> None:
            if answer.failure is None and not self.is_late(stay):
                Client.logout(self).then(lambda done: promise.settle(error=done.error))
            else:
                promise.settle(error=self.error("logout", answer.failure))

        self.platform.revoke(stay.credential.token, answered)
        return promise


@mistake("LOGOUT-1", "Tells of a logout though nobody was logged in.")
class LogoutToldAgain(Client):
    def logout(self) -> Promise:
        if self.state == NOT_LOGGED_IN and not self.is_closed:
            self.announce(Change(NOT_LOGGED_IN, NOT_LOGGED_IN, "logout", self.loop.now))
        return super().logout()


@mistake("LOGOUT-2", "Still sends the user's token after a logout.")  # B27
class TokenOutlivesLogout(Client):
    kept: tuple[Stay, Credential] | None = None

    def end_stay(self, state: str, reason: str, failure: Failure | None, hook: str) -> Failure | None:
        if self.stay is not None and self.stay.credential is not None:
            self.kept = self.stay, self.stay.credential
        return super().end_stay(state, reason, failure, hook)

    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        if self.state == NOT_LOGGED_IN and self.kept is not None:
            return self.kept
        return super().live_credential()


@mistake("LOGOUT-2", "Leaves the timer running that asks for the renewal.")  # B9, B11
class TimerOutlivesLogout(Client):
    left: tuple[float, Stay] | None = None

    def end_stay(self, state: str, reason: str, failure: Failure | None, hook: str) -> Failure | None:
        stay = self.stay
        if stay is not None and state == NOT_LOGGED_IN and self.can_renew(stay) and stay.renewal is None:
            self.left = self.renewal_time(stay), stay
        return super().end_stay(state, reason, failure, hook)

    def next_due(self) -> tuple[float, Callable[[], None]] | None:
        due = super().next_due()
        if self.left is None or (due is not None and due[0] <= self.left[0]):
            return due
        return self.left[0], partial(self.fire, self.left[1])

    def fire(self, stay: Stay) -> None:
        self.left = None
        handler = self.handler_for(stay)
        if handler is self.session_handler and handler is not None:
            handler.session_will_renew_access_token(self.renewal_class(self, stay, Renewal(0)))


@mistake("LOGOUT-2", "Still says whose session it was.")
class UserOutlivesLogout(Client):
    known: str | None = None

    @property
    def user_id(self) -> str | None:
        self.known = super().user_id or self.known
        return self.known


@mistake("LOGOUT-3", "Logs out though the token could not be revoked.")
class LogsOutUnrevoked(Client):
    def revocation_failed(self, stay: Stay, revocation: Revocation, failure: Failure) -> None:
        self.end_stay(NOT_LOGGED_IN, "secureLogout", None, "on_logout")


@mistake("LOGOUT-3", "Takes a 401 to the revocation for *void already* without asking.")
class RejectedRevocationBelieved(Client):
    def revocation_came_back(self, stay: Stay, revocation: Revocation, answer: Answer) -> None:
        is_401 = answer.failure is not None and answer.failure.kind == "unauthorized"
        super().revocation_came_back(stay, revocation, answer._replace(failure=None) if is_401 else answer)


@mistake("LOGOUT-3", "Logs out first and revokes then.")
class RevokesAfterwards(Client):
    def secure_logout(self) -> Promise:
        self.begin()
        self.allow("secure_logout")
        credential = None if self.stay is None else self.stay.credential
        promise = self.logout()
        if credential is not None:
            self.platform.revoke(credential.token, lambda _: None)
        return promise


@mistake("LOGOUT-4", "Takes a secure logout during a login for a plain one.")
class SecureLogoutEndsLogin(Client):
    def allow(self, request: str) -> None:
        if not (self.state == ESTABLISHING and request == "secure_logout"):
            super().allow(request)

    def secure_logout(self) -> Promise:
        return self.logout() if self.state == ESTABLISHING else super().secure_logout()


@mistake("LOGOUT-3", "Revokes the token of the login, though it was renewed since.")
class FirstTokenRevoked(_FirstToken):
    def revocation_due(self, stay: Stay, revocation: Revocation) -> None:
        current, stay.credential = stay.credential, self.first or stay.credential
        super().revocation_due(stay, revocation)
        stay.credential = current


@mistake("LOGOUT-4", "Revokes a second time when a secure logout is asked for twice.")
class RevokesTwice(Client):
    def secure_logout(self) -> Promise:
        stay = self.stay
        if (
            stay is not None
            and stay.revocation is not None
            and stay.credential is not None
            and not self.is_closed
        ):
            self.platform.revoke(stay.credential.token, lambda _: None)
        return super().secure_logout()


@mistake("LOGOUT-4", "Does not log out while a secure logout is on its way.")
class LogoutWaitsForRevocation(Client):
    def logout(self) -> Promise:
        if self.stay is None or self.stay.revocation is None:
            return super().logout()
        return self.promise(self.stay.revocation, "logout")


@mistake("LOGOUT-4", "Revokes the old token while a renewal is on its way.")
class RevokesWhileRenewing(Client):
    def start_revocation(self, stay: Stay) -> None:
        super().start_revocation(stay)
        stay.renewal = None


# ── Observation ─────────────────────────────────────────────────────────────────────────────────


@mistake("OBSERVE-1", "Tells a new observer nothing before the next change.")
class NewObserverHearsNothing(Client):
    def on_change(self, observer: Callable[[Change], None]) -> None:
        self.begin()
        self.observers.append(observer)


@mistake("OBSERVE-1", "Tells everybody again when somebody begins to observe.")  # B38
class EverybodyHearsAgain(Client):
    def on_change(self, observer: Callable[[Change], None]) -> None:
        others = list(self.observers)
        super().on_change(observer)
        for other in others:
            self.loop.soon(partial(self.tell, other, self.last))


@mistake("OBSERVE-1", "Tells an observer twice.")
class ToldTwice(Client):
    def announce(self, change: Change) -> None:
        super().announce(change)
        super().announce(change)


@mistake("OBSERVE-2", "Breaks a login when an observer raises.")  # B28
class ObserverBreaksLogin(Client):
    def announce(self, change: Change) -> None:
        for observer in self.observers:
            observer(change)


@mistake("OBSERVE-3", "Drops what an observer calls while it is told.")
class CallsOfObserversLost(Client):
    is_telling = False

    def tell(self, observer: Callable[[Change], None], change: Change) -> None:
        self.is_telling = True
        super().tell(observer, change)
        self.is_telling = False

    def begin(self) -> None:
        if self.is_telling:
            raise ClientError("not_allowed", "not while observers are told")
        super().begin()


@mistake("OBSERVE-3", "Tells others of a change that an observer caused before the one that it was told.")
class OrderLost(Client):
    def announce(self, change: Change) -> None:
        for observer in list(self.observers):
            self.tell(observer, change)


@mistake("OBSERVE-4", "Does not say why a state changed.")
class NoReason(Client):
    def announce(self, change: Change) -> None:
        super().announce(change._replace(reason=""))


@mistake("OBSERVE-4", "Gives the new state for the previous one.")
class PreviousIsPresent(Client):
    def announce(self, change: Change) -> None:
        super().announce(change._replace(previous=change.state))


# ── Resume and storage ──────────────────────────────────────────────────────────────────────────


@mistake("RESUME-1", "Resumes an expired session as established.")
class ExpiredResumedAsEstablished(Client):
    def is_stale(self, record: Record) -> bool:
        return False

    def use(self, stay: Stay, credential: Credential) -> None:
        if self.state == NOT_LOGGED_IN and credential.expires_at is not None:  # it resumes
            age = self.loop.now + self.offset - credential.issued_at
            times = credential.issued_at + age, credential.expires_at + age
            credential = credential._replace(issued_at=times[0], expires_at=times[1])
        super().use(stay, credential)


@mistake("RESUME-1", "Stays establishing when it resumes.")  # B18
class ResumeStaysEstablishing(Client):
    def move(self, state: str, reason: str, hook: str | None = None) -> None:
        super().move(ESTABLISHING if reason == "resumed" else state, reason, hook)


@mistake("RESUME-1", "Does not resume what it stored.")
class ResumesNothing(Client):
    def open(self) -> None:
        self.device_id = self.store.device_id()


@mistake("RESUME-1", "Opens as if nothing were stored when nobody can renew what is.")
class UnrenewableIgnored(Client):
    def open(self) -> None:
        try:
            super().open()
        except ClientError as error:
            if error.kind != "handler_required":
                raise


@mistake("RESUME-1", "Throws away what nobody can renew just now.")
class UnrenewableThrownAway(Client):
    def open(self) -> None:
        try:
            super().open()
        except ClientError as error:
            if error.kind == "handler_required":
                self.forget_record()
            raise


@mistake("RESUME-2", "Resumes after a logout.")
class ResumesAfterLogout(Client):
    is_ended = False

    def forget_record(self) -> Failure | None:
        return super().forget_record() if self.is_ended else None

    def ended_by_platform(self, failure: Failure) -> None:
        self.is_ended = True
        super().ended_by_platform(failure)
        self.is_ended = False


@mistake("RESUME-2", "Resumes after a ban.")
class ResumesAfterBan(Client):
    is_ended = False

    def forget_record(self) -> Failure | None:
        return None if self.is_ended else super().forget_record()

    def ended_by_platform(self, failure: Failure) -> None:
        self.is_ended = True
        super().ended_by_platform(failure)
        self.is_ended = False


@mistake("RESUME-2", "Stores a session only once some time has passed, so that one who is killed has none.")
class StoredAtLeisure(Client):
    unsaved: tuple[float, bool] | None = None

    def save(self, *, expired: bool = False) -> None:
        self.unsaved = self.loop.now, expired

    def tick(self) -> None:
        if self.unsaved is not None and self.loop.now > self.unsaved[0]:
            _, expired = self.unsaved
            self.unsaved = None
            super().save(expired=expired)
        super().tick()

    def close(self) -> None:
        if self.unsaved is not None:
            super().save(expired=self.unsaved[1])
        super().close()


class _FirstOnly(Store):
    first: Record | None = None

    def save(self, record: Record) -> None:
        self.first = self.first or record
        super().save(self.first._replace(expired=record.expired))

    def delete(self) -> None:
        self.first = None
        super().delete()


@mistake("RESUME-2", "Does not store the token of a renewal.")
class RenewedTokenNotStored(Client):
    store_class = _FirstOnly


# ── Secrets, trust, the wire ────────────────────────────────────────────────────────────────────


@mistake("SECRET-1", "Shows the auth token in the message of an error.")
class AuthTokenInMessage(Client):
    shown: str | None = None

    def present(self, grant: Grant, then: Callable[[Answer], None]) -> None:
        self.shown = grant.fields.get("authToken")
        super().present(grant, then)

    def error(self, what: str, failure: Failure | None) -> ClientError | None:
        error = super().error(what, failure)
        if error is None or self.shown is None:
            return error
        return ClientError(
            error.kind, f"{error}, with the auth token {self.shown}", retryable=error.retryable
        )


@mistake("SECRET-1", "Writes the access token into its log.")  # B27
class TokenInLog(Client):
    def use(self, stay: Stay, credential: Credential) -> None:
        super().use(stay, credential)
        log(f"using {credential.token}")


class _Follows(Platform):
    def send(self, origin: str, request: bytes, then: Callable[[Reply | None], None]) -> None:
        def answered(reply: Reply | None) -> None:
            location = None if reply is None else reply.headers.get("location")
            if reply is None or location is None or not 300 <= reply.status < 400:
                then(reply)
                return
            there = re.match(r"https?://[^/]+", location)
            path = location[there.end() :] if there else location
            first, rest = request.split(b"\r\n", 1)
            line = b" ".join([first.split(b" ")[0], path.encode() or b"/", b"HTTP/1.1"])
            super(_Follows, self).send(there[0] if there else origin, line + b"\r\n" + rest, then)

        super().send(origin, request, answered)


@mistake("SECRET-2", "Follows a redirect, and shows the API key and the token there.")
class RedirectFollowed(Client):
    platform_class = _Follows


class _Crashes(Platform):
    def document(self, body: bytes | None) -> dict[str, Any] | None:
        parsed: dict[str, Any] = json.loads(body or b"{}")
        return parsed


@mistake("SECRET-3", "Crashes at an answer that is no JSON.")
class MalformedAnswerCrashes(Client):
    platform_class = _Crashes


class _Huge(Platform):
    max_body = 1 << 40


@mistake("SECRET-3", "Reads an answer to its end, however long.")
class HugeAnswerRead(Client):
    platform_class = _Huge


class _Deep(Platform):
    def document(self, body: bytes | None) -> dict[str, Any] | None:
        try:
            return super().document(body) if body is None else json.loads(body)  # RecursionError
        except ValueError:
            return None


@mistake("SECRET-3", "Crashes at an answer that nests deep.")
class DeepAnswerCrashes(Client):
    platform_class = _Deep


class _NoDeletion(Platform):
    def meaning(self, call: str, status: int, code: int | None) -> str | None:
        return "refused" if call == "login" and code == 400400 else super().meaning(call, status, code)


@mistake("WIRE-1", "Takes a 400400 to a renewal for a mere refusal.")
class DeletionIsRefusal(Client):
    platform_class = _NoDeletion


class _AnyForbidden(Platform):
    def meaning(self, call: str, status: int, code: int | None) -> str | None:
        return "banned" if status == 403 else super().meaning(call, status, code)


@mistake("WIRE-1", "Takes any 403 for a ban.")
class ForbiddenIsBan(Client):
    platform_class = _AnyForbidden


class _ByStatus(Platform):
    def meaning(self, call: str, status: int, code: int | None) -> str | None:
        return super().meaning(call, status, None if code == 400312 and status != 403 else code)


@mistake("WIRE-1", "Knows a ban by its HTTP status and not by its code.")
class BanByStatusAlone(Client):
    platform_class = _ByStatus
