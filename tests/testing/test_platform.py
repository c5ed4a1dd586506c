"""The administrator's hands, the log, and realtime."""

import threading

import attrs
import pytest

from splus_session._credentials import AuthTokenGrant, credential_from_jwt
from splus_session._failures import FailureKind
from splus_session._secrets import AccessToken
from splus_session.testing import Endpoint, FakePlatform, ManualClock, Rules, TokenTerms


def enter(platform: FakePlatform, user_id: str = "ann", device_id: str = "d") -> AccessToken:
    grant = AuthTokenGrant(user_id, platform.issue_auth_token(user_id))
    credential = platform.client().open_session(grant, device_id=device_id).credential
    assert credential is not None
    return credential.access_token


def verdict(platform: FakePlatform, token: AccessToken) -> FailureKind | None:
    failure = platform.client().verify(token).failure
    return None if failure is None else failure.kind


def test_the_customers_provider_issues_access_tokens_that_open_the_api(
    platform: FakePlatform, clock: ManualClock
) -> None:
    token = platform.issue_access_token("ann", TokenTerms(lifetime=60))
    assert credential_from_jwt(token, 0).expires_at == clock.now() + 60
    assert verdict(platform, token) is None
    clock.advance(60)
    assert verdict(platform, token) is FailureKind.UNAUTHORIZED
    assert verdict(platform, platform.issue_access_token("ann")) is None


def test_one_token_or_every_one_of_a_user_can_be_revoked_or_expired(platform: FakePlatform) -> None:
    first, second = enter(platform, "ann", "d1"), enter(platform, "ann", "d2")
    other = enter(platform, "bob", "d3")
    platform.revoke(first)
    assert [platform.is_alive(token) for token in (first, second, other)] == [False, True, True]
    platform.expire("ann")
    assert [platform.is_alive(token) for token in (first, second, other)] == [False, False, True]
    platform.expire(other)
    assert verdict(platform, other) is FailureKind.UNAUTHORIZED
    unknown = AccessToken("made.up.token")
    platform.revoke(unknown)
    assert not platform.is_alive(unknown)


def test_tokens_of_a_user_are_listed_oldest_first(platform: FakePlatform) -> None:
    tokens = [enter(platform, "ann", "d1"), enter(platform, "bob", "d2"), enter(platform, "ann", "d1")]
    first, second = platform.tokens_of("ann")
    assert [first.token, second.token] == [tokens[0], tokens[2]]
    assert (first.voided, second.voided) == (True, False)
    assert (first.number, second.number) == (1, 3)


def test_realtime_tells_of_bans_and_deletions_and_of_nothing_else(platform: FakePlatform) -> None:
    heard: list[tuple[object, object]] = []

    def hear(event: object) -> None:
        assert isinstance(event, dict)
        assert set(event) == {"eventType", "data"}
        assert platform.user("ann").user_id == "ann", "the platform may be asked while it tells"
        heard.append((event["eventType"], event["data"]["users"][0]["userId"]))

    end = platform.subscribe(hear)
    platform.user("ann")
    platform.ban("ann")
    platform.unban("ann")
    platform.delete("bob")
    assert heard == [("user.didGlobalBan", "ann"), ("user.deleted", "bob")]
    end()
    end()
    platform.ban("bob")
    assert len(heard) == 2


def test_the_log_says_who_asked_what_and_what_came_of_it(platform: FakePlatform, clock: ManualClock) -> None:
    token = enter(platform)
    clock.advance(5)
    platform.client().revoke(token)
    platform.client().revoke(token)
    login, revocation, again = platform.requests
    assert (login.endpoint, login.method, login.path) == (Endpoint.LOGIN, "POST", "/api/v5/sessions")
    assert (login.user_id, login.device_id, login.status) == ("ann", "d", 200)
    assert revocation.at == login.at + 5
    assert (revocation.user_id, revocation.access_token) == ("ann", token)
    assert (revocation.status, again.status) == (200, 401)
    assert platform.requests_to(Endpoint.REVOKE, Endpoint.VERIFY) == (revocation, again)


def test_the_log_tells_secrets_apart_and_shows_none(platform: FakePlatform) -> None:
    auth_token = platform.issue_auth_token("ann")
    token = platform.client().open_session(AuthTokenGrant("ann", auth_token), device_id="d").credential
    assert token is not None
    platform.client().verify(token.access_token)
    assert platform.requests[0].fields["authToken"] == auth_token
    assert platform.requests[1].access_token == token.access_token
    shown = repr((platform, platform.requests, platform.tokens_of("ann"), vars(platform)))
    for secret in (
        auth_token,
        token.access_token,
        platform.api_key,
        platform.server_key,
        platform.visitor_secret,
        platform.admin_token,
    ):
        assert secret.reveal() not in shown


def test_platforms_share_nothing(platform: FakePlatform) -> None:
    other = FakePlatform(clock=platform.clock)
    token = enter(platform)
    assert verdict(other, token) is FailureKind.UNAUTHORIZED
    assert platform.api_key != other.api_key
    assert platform.server_key != other.server_key
    assert other.requests_to(Endpoint.LOGIN) == ()


def test_it_lives_by_the_true_time_and_its_own_offset(platform: FakePlatform, clock: ManualClock) -> None:
    start = platform.now()
    clock.advance(1)
    clock.sleep(2)
    clock.jump(-1000)
    assert platform.now() == start + 3
    platform.clock_offset = 60
    assert platform.now() == start + 63
    assert platform.clock_offset == 60


def test_it_lives_by_any_clock() -> None:
    fresh = FakePlatform()
    assert abs(fresh.now() - fresh.clock.now()) < 60
    assert verdict(fresh, enter(fresh)) is None


def test_the_rules_may_be_given_and_changed() -> None:
    platform = FakePlatform(rules=Rules(terms=TokenTerms(lifetime=1)))
    enter(platform)
    platform.rules.terms = attrs.evolve(platform.rules.terms, lifetime=None)
    enter(platform)
    lifetimes = [
        token.expires_at and round(token.expires_at - token.issued_at) for token in platform.tokens_of("ann")
    ]
    assert lifetimes == [1, None]


@pytest.mark.parametrize("threads", [8])
def test_threads_may_use_it_together(platform: FakePlatform, threads: int) -> None:
    def work(number: int) -> None:
        for turn in range(50):
            enter(platform, f"user-{number}", f"device-{number}-{turn}")
            platform.ban(f"user-{number}")
            platform.unban(f"user-{number}")

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(platform.requests) == threads * 50
    assert {request.status for request in platform.requests} == {200}
    numbers = [token.number for who in range(threads) for token in platform.tokens_of(f"user-{who}")]
    assert sorted(numbers) == list(range(1, threads * 50 + 1))
