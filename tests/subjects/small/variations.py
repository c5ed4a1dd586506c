"""The small client, and as right as that, but it does what requirements leave open another way.

    python tests/subjects/small/variations.py NAME

Each is a class that does one thing otherwise.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from adapter import play
from client import ESTABLISHED, TOKEN_EXPIRED, Client
from parts import Attempt, Change, Promise, Renewal, Revocation, Stay
from wire import Answer, ClientError, Credential, Failure, Grant, Platform, Reply, credential_from_jwt

VARIATIONS: dict[str, type[Client]] = {}
"""Every variation, by its class's name."""

ClientT = TypeVar("ClientT", bound=Client)


def variation(client: type[ClientT]) -> type[ClientT]:
    """Put a client among the variations."""
    VARIATIONS[client.__name__] = client
    return client


# ── What time it is ─────────────────────────────────────────────────────────────────────────────


class _Teaching(Platform):
    teach: Callable[[Answer], None]

    def read(self, call: str, reply: Reply, grant: Grant | None) -> Answer:
        answer = super().read(call, reply, grant)
        self.teach(answer)
        return answer


@variation
class LearnsFromEveryAnswer(Client):
    platform_class = _Teaching
    platform: _Teaching

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.platform.teach = self.learn


@variation
class TakesDateAtItsWord(Client):
    def learn(self, answer: Answer) -> None:
        if answer.date is not None:
            self.offset = answer.date - self.loop.now


# ── What it sends besides ───────────────────────────────────────────────────────────────────────


@variation
class RevokesAtLogout(Client):
    def logout(self) -> Promise:
        credential = None if self.stay is None else self.stay.credential
        done = super().logout()
        if credential is not None:
            self.platform.revoke(credential.token, lambda _: None)
        return done


@variation
class RevokesTwice(Client):
    def revoke_orphan(self, answer: Answer) -> None:
        super().revoke_orphan(answer)
        self._sleepers.append((self.loop.monotonic + 1.0, partial(super().revoke_orphan, answer)))


@variation
class AsksForSettings(Client):
    def move(self, state: str, reason: str, hook: str | None = None) -> None:
        super().move(state, reason, hook)
        if state == ESTABLISHED:
            self.loop.soon(self._ask)

    def _ask(self) -> None:
        stay = self.stay
        if stay is None or stay.credential is None or self.state != ESTABLISHED or self.is_closed:
            return
        credential, asked = stay.credential, Promise()

        def answered(answer: Answer) -> None:
            if answer.status is not None:
                self.heard_from_api(stay, credential, answer, lambda _stay, _credential, _status: None, asked)

        self.platform.get("/api/v3/network-settings/chat", credential.token, answered)


@variation
class HangsUp(Client):
    def end_stay(self, state: str, reason: str, failure: Failure | None, hook: str) -> Failure | None:
        self.platform.close()
        return super().end_stay(state, reason, failure, hook)


@variation
class IsObservedOnlyThen(Client):
    """Whoever opens it and then observes it may be slower than the renewal that opening it begins."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._late: list[Callable[[Change], None]] = []

    def on_change(self, observer: Callable[[Change], None]) -> None:
        if self.state == TOKEN_EXPIRED:
            self._late.append(observer)
        else:
            super().on_change(observer)

    def renewal_came_back(self, stay: Stay, renewal: Renewal, answer: Answer) -> None:
        super().renewal_came_back(stay, renewal, answer)
        while self._late:
            super().on_change(self._late.pop())


# ── How it says no ──────────────────────────────────────────────────────────────────────────────


@variation
class LooksAtTheTokenFirst(Client):
    def login(self, user_id: object, auth_token: object = None, *others: Any, **options: Any) -> Promise:
        self.begin()
        if auth_token is None and not self.development:
            raise ClientError("auth_token_required", "a login takes an auth token")
        return super().login(user_id, auth_token, *others, **options)

    def login_with_access_token(self, access_token: object) -> Promise:
        self.begin()
        credential = credential_from_jwt(access_token, self.loop.now + self.offset)
        if self.loop.now + self.offset >= self.expiry(credential):
            raise ClientError("invalid_access_token", "the access token is expired")
        return super().login_with_access_token(access_token)


@variation
class CallsARefusedTokenInvalid(Client):
    def error(self, what: str, failure: Failure | None) -> ClientError | None:
        error = super().error(what, failure)
        is_of_token = self.stay is None and self._brought_a_token
        if error is not None and failure is not None and failure.kind == "refused" and is_of_token:
            return ClientError("invalid_access_token", "the platform does not take it")
        return error

    _brought_a_token = False

    def start_login(self, stay: Stay, grant: Grant) -> Promise:
        self._brought_a_token = grant.credential is not None
        return super().start_login(stay, grant)


@variation
class SaysThatRevokingWasRefused(Client):
    def revocation_checked(self, stay: Stay, revocation: Revocation, answer: Answer) -> None:
        if answer.failure is not None and answer.failure.kind in ("unreachable", "unavailable"):
            answer = answer._replace(failure=Failure("refused"))
        super().revocation_checked(stay, revocation, answer)


@variation
class HearsOfRejectionsOneByOne(Client):
    def rejected(self, stay: Stay, credential: Credential, then: Callable[[], None]) -> None:
        if stay.verification is None:
            super().rejected(stay, credential, then)
        else:  # as if this answer had been read only now
            until = self.loop.monotonic + self.WAIT_LIMIT
            self.wait(stay.verification, until, lambda _: self.rejected(stay, credential, then))


@variation
class FailsAtOnceWhileRevoking(Client):
    def live_credential(self) -> tuple[Stay, Credential] | Attempt:
        live = super().live_credential()
        if isinstance(live, Revocation):
            raise ClientError("renewal_failed", "there is no token, and there will be none", retryable=True)
        return live


if __name__ == "__main__":
    play(VARIATIONS[sys.argv[1]])
