"""Each named fault, by either face: what the client sees, and whether the platform did what it was asked."""

import json
import math
import threading
from collections.abc import Callable

import httpx2
import pytest

from splus_session.testing import Endpoint, FakePlatform, Fault, ManualClock, TokenTerms, faults

BROKEN = httpx2.RemoteProtocolError


def login(http: httpx2.Client, platform: FakePlatform) -> httpx2.Response:
    return http.post(
        "/api/v5/sessions",
        headers={"X-API-Key": platform.api_key.reveal()},
        json={
            "userId": "ann",
            "authToken": platform.issue_auth_token("ann").reveal(),
            "deviceId": "d",
        },
    )


def carried_out(platform: FakePlatform) -> bool:
    [request] = platform.requests
    tokens = platform.tokens_of("ann") + platform.tokens_of("mallory")
    assert request.carried_out is bool(tokens), "what the log says is what happened"
    return request.carried_out


def in_thread(target: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (faults.drop(), False),
        (faults.drop(carried_out=True), True),
        (faults.cut_short(), True),
        (faults.cut_short(0.0), True),
    ],
)
def test_the_connection_ends(fault: Fault, done: bool, http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.LOGIN, fault)
    with pytest.raises(BROKEN):
        login(http, platform)
    assert carried_out(platform) is done
    assert platform.requests[0].faults == (fault.name,)
    assert login(http, platform).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "code", "done"),
    [
        (faults.server_error(), 500, None, False),
        (faults.server_error(503), 503, None, False),
        (faults.server_error(502, carried_out=True), 502, None, True),
        (faults.error(403, 400300, "Forbidden"), 403, 400300, False),
        (faults.unauthorized(), 401, 400100, False),
        (faults.rate_limited(), 429, 400311, False),
        (faults.unsuccessful(), 200, None, False),
    ],
)
def test_another_answer_comes_instead(
    fault: Fault, status: int, code: int | None, done: bool, http: httpx2.Client, platform: FakePlatform
) -> None:
    platform.fail(Endpoint.LOGIN, fault)
    answer = login(http, platform)
    assert answer.status_code == platform.requests[0].status == status
    if code is not None:
        assert answer.json()["code"] == code
    assert carried_out(platform) is done


@pytest.mark.parametrize("wait", [7, 0.5, "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_too_many_calls_say_when_to_come_back(
    wait: float | str, http: httpx2.Client, platform: FakePlatform
) -> None:
    platform.fail(Endpoint.LOGIN, faults.rate_limited(wait))
    assert login(http, platform).headers["retry-after"] == str(wait)


def test_a_redirection_names_where_to(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.LOGIN, faults.redirect("https://elsewhere.example/"))
    answer = login(http, platform)
    assert (answer.status_code, answer.headers["location"]) == (307, "https://elsewhere.example/")
    assert not carried_out(platform)


def test_json_can_break_off_or_be_something_else(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.LOGIN, faults.malformed())
    platform.fail(Endpoint.LOGIN, faults.not_an_object())
    with pytest.raises(json.JSONDecodeError):
        login(http, platform).json()
    assert isinstance(login(http, platform).json(), list)


def test_an_answer_can_be_huge_or_deep_and_still_the_right_one(
    http: httpx2.Client, platform: FakePlatform
) -> None:
    platform.fail(Endpoint.LOGIN, faults.huge(2_000_000))
    platform.fail(Endpoint.LOGIN, faults.deep(200))
    huge = login(http, platform)
    assert len(huge.content) > 2_000_000
    assert huge.json()["users"][0]["userId"] == "ann"
    nested = login(http, platform).json()["nested"]
    for _ in range(199):
        [nested] = nested
    assert nested == []


@pytest.mark.parametrize("flag", ["isGlobalBan", "isGlobalBanned", "isDeleted"])
def test_users_can_be_flagged_in_any_spelling(flag: str, http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.LOGIN, faults.flagged(flag))
    assert login(http, platform).json()["users"][0][flag] is True
    assert not platform.user("ann").is_banned


def test_the_token_can_be_anothers_and_then_it_is_really_theirs(
    http: httpx2.Client, platform: FakePlatform
) -> None:
    platform.fail(Endpoint.LOGIN, faults.wrong_user("mallory"))
    body = login(http, platform).json()
    assert body["users"][0]["userId"] == "mallory"
    [issued] = platform.tokens_of("mallory")
    assert issued.token.reveal() == body["accessToken"]
    assert carried_out(platform)


def test_the_token_can_be_dead_on_arrival(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.LOGIN, faults.expired_on_arrival())
    login(http, platform)
    [issued] = platform.tokens_of("ann")
    assert not platform.is_alive(issued.token)


def test_the_terms_can_be_others_for_once(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.LOGIN, faults.terms(TokenTerms(lifetime=5)))
    login(http, platform)
    login(http, platform)
    assert [token.expires_at - platform.now() for token in platform.tokens_of("ann") if token.expires_at] == [
        5,
        platform.rules.terms.lifetime,
    ]


def test_the_date_can_be_garbage_or_missing(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.LOGIN, faults.bad_date("yesterday"))
    platform.fail(Endpoint.LOGIN, faults.no_date())
    assert login(http, platform).headers["date"] == "yesterday"
    assert "date" not in login(http, platform).headers


# ── Time ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("done", [False, True])
def test_a_held_exchange_goes_on_when_it_is_let_go(
    done: bool, http: httpx2.Client, platform: FakePlatform
) -> None:
    hold = platform.hold(Endpoint.LOGIN, carried_out=done)
    answers: list[httpx2.Response] = []
    thread = in_thread(lambda: answers.append(login(http, platform)))
    hold.arrived.wait()
    assert carried_out(platform) is done
    assert platform.requests[0].status is None
    hold.release()
    thread.join(30)
    assert [answer.status_code for answer in answers] == [200]
    assert platform.requests[0].status == 200


@pytest.mark.parametrize("done", [False, True])
def test_a_delay_passes_with_the_platforms_clock(
    done: bool, http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    platform.fail(Endpoint.LOGIN, faults.delay(3, carried_out=done))
    answers = answers_as_time_passes(http, platform, clock)
    assert [answer.status_code for answer in answers] == [200]
    assert clock.monotonic() >= 3


def test_an_answer_can_drip(http: httpx2.Client, platform: FakePlatform, clock: ManualClock) -> None:
    platform.fail(Endpoint.LOGIN, faults.drip(size=100, every=1.0))
    [answer] = answers_as_time_passes(http, platform, clock)
    assert clock.monotonic() >= len(answer.content) // 100
    assert answer.json()["users"][0]["userId"] == "ann"


def answers_as_time_passes(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> list[httpx2.Response]:
    """Log in while the clock is moved in small steps until that is over."""
    answers: list[httpx2.Response] = []
    thread = in_thread(lambda: answers.append(login(http, platform)))
    while thread.is_alive():
        clock.advance(0.25)
        thread.join(0.001)
    return answers


# ── The script ─────────────────────────────────────────────────────────────────────────────────────


def statuses(http: httpx2.Client, paths: str) -> list[int]:
    urls = {"c": "/api/v3/channels", "s": "/api/v3/network-settings/chat"}
    return [http.get(urls[path]).status_code for path in paths]


def test_a_plan_lets_some_pass_strikes_some_and_is_over(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.GET_CHANNELS, faults.server_error(503), skip=1, times=2)
    assert statuses(http, "cscccs") == [401, 401, 503, 503, 401, 401]


def test_plans_of_one_endpoint_queue_up(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(Endpoint.GET_CHANNELS, faults.server_error(500))
    platform.fail(Endpoint.GET_CHANNELS, faults.server_error(501))
    assert statuses(http, "ccc") == [500, 501, 401]


def test_a_policy_holds_for_every_endpoint_until_all_is_mended(
    http: httpx2.Client, platform: FakePlatform
) -> None:
    platform.fail(None, faults.server_error(503), times=math.inf)
    assert statuses(http, "cscs") == [503] * 4
    platform.mend()
    assert statuses(http, "cs") == [401] * 2


def test_faults_given_together_strike_the_same_exchange(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.fail(
        Endpoint.LOGIN, faults.flagged("isGlobalBan"), faults.flagged("isDeleted", "yes"), faults.no_date()
    )
    answer = login(http, platform)
    user = answer.json()["users"][0]
    assert (user["isGlobalBan"], user["isDeleted"]) == (True, "yes")
    assert "date" not in answer.headers
    assert platform.requests[0].faults == ("flagged isGlobalBan", "flagged isDeleted", "bad date")
