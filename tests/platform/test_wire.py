import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._answers import Attempt, facts
from splus_session._commands import OpenSession, Renew, Revoke, Verify
from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Credential,
    Grant,
    UserIdGrant,
    VisitorGrant,
)
from splus_session._events import ServerClock
from splus_session._failures import Failure, FailureKind
from splus_session._secrets import AccessToken, ApiKey, AuthSignature, AuthToken
from splus_session.platform import _wire as wire
from splus_session.ports import Answer

KEY = ApiKey("CANARY-api-key")
TOKEN = AccessToken("CANARY.access.token")
HELD = Credential(TOKEN, "john", issued_at=0.0)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
DATE_SECONDS = 784_111_777.0
GRANTED = {
    "accessToken": TOKEN.reveal(),
    "refreshToken": "CANARY-refresh",
    "issuedAt": "1994-11-06T08:49:37.000Z",
    "expiresAt": "1994-12-06T08:49:37.000Z",
    "users": [{"userId": "john", "displayName": "John"}],
    "files": [],
}


def ask(grant: Grant) -> wire.Request:
    return wire.open_session(grant, device_id="device-1", api_key=KEY)


LOGIN = ask(UserIdGrant("john"))
VISITOR = ask(VisitorGrant())
TOKEN_LOGIN = ask(AccessTokenGrant(HELD))
VERIFY = wire.verify(TOKEN)
REVOKE = wire.revoke(TOKEN)


def read(asked: wire.Request, body: object, status: int = 200, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return wire.read(asked, wire.Reply(status, named, raw, sent_at=1000.0, received_at=1001.0))


def kind(answer: Answer) -> FailureKind | None:
    return None if answer.failure is None else answer.failure.kind


def jwt(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.CANARY"


# ── requests ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGIN-8")
@pytest.mark.parametrize(
    ("grant", "path", "fields"),
    [
        (UserIdGrant("john"), "/api/v5/sessions", {"userId": "john"}),
        (UserIdGrant("john", "John"), "/api/v5/sessions", {"userId": "john", "displayName": "John"}),
        (
            AuthTokenGrant("john", AuthToken("auth-1"), "John"),
            "/api/v5/sessions",
            {"userId": "john", "displayName": "John", "authToken": "auth-1"},
        ),
        (VisitorGrant(), "/api/v5/sessions/visitor", {}),
        (
            VisitorGrant(AuthSignature("signed"), "2026-01-02T03:04:05Z"),
            "/api/v5/sessions/visitor",
            {"authSignature": "signed", "authSignatureExpiresAt": "2026-01-02T03:04:05Z"},
        ),
        (BotGrant(), "/api/v5/sessions/bot", {}),
    ],
)
def test_each_grant_is_presented_at_its_own_endpoint(grant: Grant, path: str, fields: dict[str, str]) -> None:
    asked = ask(grant)
    sent = json.loads(asked.body())
    device_info = sent.pop("deviceInfo")
    assert (asked.method, asked.path) == ("POST", path)
    assert sent == {**fields, "deviceId": "device-1"}
    assert device_info["kind"] in {"ios", "android", "web", "node"}
    assert 0 < len(device_info["model"]) <= 100
    assert 0 < len(device_info["sdkVersion"]) <= 30
    headers = asked.headers()
    assert headers["x-api-key"] == "CANARY-api-key"
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers


@pytest.mark.requirement("LOGIN-7", "EXPIRE-3", "LOGOUT-3")
@pytest.mark.parametrize(
    ("asked", "method", "path"),
    [
        (TOKEN_LOGIN, "GET", "/api/v3/sessions"),
        (VERIFY, "GET", "/api/v3/sessions"),
        (REVOKE, "DELETE", "/api/v4/sessions"),
    ],
)
def test_a_token_is_verified_and_revoked_as_a_bearer(asked: wire.Request, method: str, path: str) -> None:
    assert (asked.method, asked.path, asked.body()) == (method, path, b"")
    assert asked.headers()["authorization"] == "Bearer CANARY.access.token"
    assert "x-api-key" not in asked.headers()


@pytest.mark.requirement("SECRET-1")
def test_no_request_asks_for_the_token_as_a_cookie() -> None:
    for asked in (LOGIN, VISITOR, TOKEN_LOGIN, VERIFY, REVOKE):
        assert not [name for name in asked.headers() if "cookie" in name]


@pytest.mark.requirement("SECRET-1")
def test_requests_and_replies_show_no_secret() -> None:
    signed = ask(VisitorGrant(AuthSignature("CANARY-signature"), "2026-01-02T03:04:05Z"))
    vouched = ask(AuthTokenGrant("john", AuthToken("CANARY-auth-token")))
    reply = wire.Reply(200, {}, b"CANARY", 0.0, 0.0)
    body = wire.Body()
    body.feed(b"CANARY")
    for value in (LOGIN, signed, vouched, TOKEN_LOGIN, VERIFY, REVOKE, reply, body):
        assert "CANARY" not in f"{value!r} {value}"


# ── a session is granted ───────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGIN-2")
def test_a_session_is_read() -> None:
    assert read(LOGIN, GRANTED, date=DATE) == Answer(
        credential=Credential(TOKEN, "john", DATE_SECONDS, DATE_SECONDS + 30 * 86_400),
        clock=ServerClock(date=DATE_SECONDS, sent_at=1000.0),
    )


@pytest.mark.requirement("LOGIN-8")
def test_the_platform_says_who_a_visitor_is() -> None:
    answer = read(VISITOR, {**GRANTED, "users": [{"userId": "visitor-7"}]})
    assert answer.credential is not None
    assert answer.credential.user_id == "visitor-7"
    assert answer.failure is None


@pytest.mark.requirement("LOGIN-8")
@pytest.mark.parametrize("asked", [LOGIN, VISITOR])
@pytest.mark.parametrize("users", [[], None, "john", [{}], [7], [{"userId": ""}], [{"userId": 7}]])
def test_where_no_user_is_listed_the_token_says_whose_it_is(asked: wire.Request, users: object) -> None:
    answer = read(asked, {**GRANTED, "users": users, "accessToken": jwt(user={"publicUserId": "john"})})
    assert answer.failure is None
    assert answer.credential is not None
    assert answer.credential.user_id == "john"


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize("gone", [{"expiresAt": None}, {}])
def test_without_an_expiry_it_never_expires(gone: dict[str, None]) -> None:
    answer = read(LOGIN, {name: text for name, text in GRANTED.items() if name != "expiresAt"} | gone)
    assert answer.failure is None
    assert answer.credential is not None
    assert answer.credential.expires_at is None


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize(("headers", "expected"), [({"date": DATE}, DATE_SECONDS), ({}, 1001.0)])
def test_without_an_issue_time_it_is_issued_when_it_comes(headers: dict[str, str], expected: float) -> None:
    answer = read(LOGIN, {**GRANTED, "issuedAt": None}, 200, **headers)
    assert answer.failure is None
    assert answer.credential is not None
    assert answer.credential.issued_at == expected


@pytest.mark.requirement("EXPIRE-4", "LOGIN-3")
def test_without_an_issue_time_and_dead_already_it_is_dead_on_arrival_and_not_malformed() -> None:
    answer = read(LOGIN, {**GRANTED, "issuedAt": None, "expiresAt": "1990-01-01T00:00:00Z"}, date=DATE)
    assert answer.failure is None
    assert answer.credential is not None
    assert answer.credential.lifetime == 0


@pytest.mark.requirement("EXPIRE-4", "LOGIN-3")
@pytest.mark.parametrize("days", [-400, 0, 400])
def test_what_is_dead_on_arrival_is_dead_by_the_platforms_clock_and_not_by_ours(days: int) -> None:
    ours = DATE_SECONDS + days * 86_400
    for expires_at, lifetime in (("1994-11-07T08:49:37Z", 86_400), ("1994-11-05T08:49:37Z", 0)):
        body = json.dumps({**GRANTED, "issuedAt": None, "expiresAt": expires_at}).encode()
        answer = wire.read(LOGIN, wire.Reply(200, {"date": DATE}, body, sent_at=ours - 1, received_at=ours))
        assert answer.failure is None
        assert answer.credential is not None
        assert answer.credential.lifetime == lifetime


@pytest.mark.requirement("LOGIN-7")
@pytest.mark.parametrize("body", [b"", b"OK", {}, {"lastCachePurge": "2026-01-02"}])
def test_a_verified_token_is_given_back_as_it_was(body: object) -> None:
    assert read(TOKEN_LOGIN, body) == Answer(credential=HELD)
    assert read(VERIFY, body) == Answer()


@pytest.mark.requirement("LOGOUT-3")
def test_a_revocation_is_done_when_the_platform_says_so() -> None:
    assert read(REVOKE, {"success": True}) == Answer()


# ── or refused ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGIN-5")
@pytest.mark.parametrize("flag", ["isGlobalBan", "isGlobalBanned"])
@pytest.mark.parametrize("asked", [LOGIN, VISITOR])
def test_a_banned_user_is_banned_by_whichever_flag(asked: wire.Request, flag: str) -> None:
    answer = read(asked, {**GRANTED, "users": [{"userId": "john", flag: True}]})
    assert kind(answer) is FailureKind.BANNED
    assert answer.credential is not None
    assert answer.credential.access_token == TOKEN


@pytest.mark.requirement("LOGIN-5")
def test_a_deleted_user_is_deleted() -> None:
    answer = read(LOGIN, {**GRANTED, "users": [{"userId": "john", "isDeleted": True, "isGlobalBan": True}]})
    assert kind(answer) is FailureKind.DELETED


@pytest.mark.requirement("LOGIN-5")
def test_the_ban_of_somebody_else_in_the_answer_is_none_of_ours() -> None:
    users = [{"userId": "jane", "isGlobalBan": True}, {"userId": "john", "isGlobalBan": False}]
    assert read(LOGIN, {**GRANTED, "users": users}).failure is None


@pytest.mark.requirement("LOGIN-3", "LOGIN-6")
@pytest.mark.parametrize(
    "answer",
    [
        {**GRANTED, "users": [{"userId": "jane"}]},
        {**GRANTED, "users": [{"userId": "John"}]},
        {**GRANTED, "users": [], "accessToken": jwt(userId="jane")},
    ],
)
def test_a_session_for_somebody_else_is_refused_and_its_token_known(answer: dict[str, object]) -> None:
    read_answer = read(LOGIN, answer)
    assert kind(read_answer) is FailureKind.WRONG_USER
    assert read_answer.credential is not None
    assert read_answer.credential.access_token.reveal() == answer["accessToken"]


@pytest.mark.requirement("LOGIN-3", "EXPIRE-4", "SECRET-3")
@pytest.mark.parametrize(
    "times",
    [
        {"issuedAt": math.nan},
        {"expiresAt": math.inf},
        {"issuedAt": 784_111_777},
        {"expiresAt": 784_111_777},
        {"issuedAt": "soon"},
        {"expiresAt": True},
        {"expiresAt": "1994-11-06T08:49:36.000Z"},
        {"expiresAt": "9999-12-31T23:59:59-23:59"},
        {"issuedAt": None, "expiresAt": "later"},
    ],
)
def test_times_that_make_no_sense_are_malformed_and_the_token_is_known(times: dict[str, object]) -> None:
    answer = read(LOGIN, {**GRANTED, **times}, date=DATE)
    assert kind(answer) is FailureKind.MALFORMED
    assert answer.credential is not None
    assert answer.credential.access_token == TOKEN


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize(
    "token", [None, "", 7, "two words", "line\nbreak", "tokén", "\ud800", "x" * 16_385, {}]
)
def test_a_token_that_cannot_be_one_is_malformed(token: object) -> None:
    answer = read(LOGIN, {**GRANTED, "accessToken": token})
    assert kind(answer) is FailureKind.MALFORMED
    assert answer.credential is None


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize("name", ["", "\ud800", 7, None])
def test_a_visitor_without_a_name_is_malformed(name: object) -> None:
    answer = read(VISITOR, {**GRANTED, "users": [{"userId": name}]})
    assert kind(answer) is FailureKind.MALFORMED
    assert answer.credential is not None


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize("asked", [LOGIN, VISITOR, TOKEN_LOGIN, VERIFY, REVOKE])
@pytest.mark.parametrize("body", [None, b"<html>", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_makes_no_sense_is_malformed(asked: wire.Request, body: bytes | None) -> None:
    assert read(asked, body).failure == Failure(FailureKind.MALFORMED, 200)


@pytest.mark.requirement("LOGOUT-3")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"success": False}, FailureKind.REFUSED),
        ({"success": "true"}, FailureKind.MALFORMED),
        ({}, FailureKind.MALFORMED),
        (b"", FailureKind.MALFORMED),
    ],
)
def test_a_revocation_that_the_platform_does_not_confirm_failed(body: object, expected: FailureKind) -> None:
    assert kind(read(REVOKE, body)) is expected


@pytest.mark.requirement("LOGIN-5", "LOGIN-6", "WIRE-1")
def test_a_token_that_comes_with_a_ban_is_known() -> None:
    answer = read(LOGIN, {**GRANTED, "code": 400312}, status=403)
    assert answer.failure == Failure(FailureKind.BANNED, 403, 400312)
    assert answer.credential is not None
    assert answer.credential.access_token == TOKEN


@pytest.mark.requirement("WIRE-1")
@pytest.mark.parametrize(
    ("asked", "status", "code", "expected"),
    [
        (LOGIN, 401, 400100, FailureKind.REFUSED),
        (TOKEN_LOGIN, 401, 400100, FailureKind.REFUSED),
        (VERIFY, 401, 400100, FailureKind.UNAUTHORIZED),
        (REVOKE, 401, 400100, FailureKind.UNAUTHORIZED),
        (LOGIN, 404, 400400, FailureKind.DELETED),
        (VERIFY, 403, 400312, FailureKind.BANNED),
    ],
)
def test_an_error_means_what_the_table_says(
    asked: wire.Request, status: int, code: int, expected: FailureKind
) -> None:
    error = {"status": "error", "code": code, "message": "CANARY"}
    assert read(asked, error, status).failure == Failure(expected, status, code)


@pytest.mark.requirement("SECRET-3", "WIRE-1")
def test_an_error_whose_page_is_too_long_is_still_that_error() -> None:
    assert kind(read(LOGIN, None, status=503)) is FailureKind.UNAVAILABLE
    assert kind(read(VERIFY, None, status=401)) is FailureKind.UNAUTHORIZED


@pytest.mark.requirement("RENEW-7")
@pytest.mark.parametrize(("wait", "expected"), [("120", 120), ("Sun, 06 Nov 1994 08:50:37 GMT", 60)])
@pytest.mark.parametrize("status", [429, 503])
def test_the_platform_says_how_long_to_wait(status: int, wait: str, expected: float) -> None:
    answer = read(LOGIN, {"code": 400311}, status, date=DATE, retry_after=wait)
    assert answer.failure == Failure(FailureKind.RATE_LIMITED, status, 400311, expected)


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize("asked", [LOGIN, TOKEN_LOGIN, VERIFY, REVOKE])
@pytest.mark.parametrize("status", [200, 401, 500])
def test_every_answer_tells_the_platforms_time(asked: wire.Request, status: int) -> None:
    assert read(asked, {}, status, date=DATE).clock == ServerClock(DATE_SECONDS, sent_at=1000.0)
    assert read(asked, {}, status, date="yesterday").clock is None
    assert read(asked, {}, status).clock is None


# ── whatever comes ─────────────────────────────────────────────────────────────────────────────────

ASKED = st.sampled_from(
    [
        (LOGIN, [OpenSession(1, UserIdGrant("john")), Renew(1, UserIdGrant("john"))]),
        (VISITOR, [OpenSession(1, VisitorGrant()), Renew(1, VisitorGrant())]),
        (TOKEN_LOGIN, [OpenSession(1, AccessTokenGrant(HELD)), Renew(1, AccessTokenGrant(HELD))]),
        (VERIFY, [Verify(1, HELD)]),
        (REVOKE, [Revoke(1, HELD)]),
    ]
)
STATUS = st.sampled_from([200, 200, 200, 400, 401, 403, 404, 429, 500, 503]) | st.integers(100, 999)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "date": st.sampled_from([DATE, "", "Sun, 99 Nov 0000 99:99:99 +999999999"]) | st.text(),
        "retry-after": st.sampled_from(["1", "-1", "inf", "9" * 5000, DATE]) | st.text(),
    },
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(["john", "jane", "", "\ud800"]) | ANYTHING
USERS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "userId": NAMES,
            "isGlobalBan": ANYTHING,
            "isGlobalBanned": ANYTHING,
            "isDeleted": ANYTHING,
        },
    )
    | ANYTHING,
    max_size=3,
)
TIMES = st.sampled_from(["2026-01-02T03:04:05Z", "0001-01-01", "9999-12-31T23:59:59.999999Z"]) | ANYTHING
TOKENS = st.sampled_from(
    [TOKEN.reveal(), jwt(user={"publicUserId": "john"}), jwt(userId="jane", exp=1e300), "a.b.c"]
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "accessToken": TOKENS | ANYTHING,
        "issuedAt": TIMES,
        "expiresAt": TIMES,
        "users": USERS | ANYTHING,
        "code": st.sampled_from([400100, 400311, 400312, 400400]) | ANYTHING,
        "success": ANYTHING,
    },
)


@pytest.mark.requirement("SECRET-1", "SECRET-3")
@given(
    question=ASKED,
    status=STATUS,
    headers=HEADERS,
    body=st.none() | st.binary() | (NEARLY | ANYTHING).map(lambda json_: json.dumps(json_).encode()),
    at=st.sampled_from([0.0, 1.8e9, -1e300, math.nan, math.inf]),
)
def test_any_answer_is_an_answer_that_shows_no_secret(
    question: tuple[wire.Request, list[Attempt]],
    status: int,
    headers: dict[str, str],
    body: bytes | None,
    at: float,
) -> None:
    asked, commands = question
    answer = wire.read(asked, wire.Reply(status, headers, body, at, at))
    assert "CANARY" not in repr(answer)
    if answer.failure is None:
        assert 200 <= status < 300
        assert (answer.credential is None) == (asked in (VERIFY, REVOKE))
        assert asked != LOGIN or (answer.credential and answer.credential.user_id == "john")
    for command in commands:
        assert facts(command, answer)


@pytest.mark.requirement("SECRET-3")
@given(st.lists(st.integers(0, wire.MAX_BODY)))
def test_no_more_of_a_body_is_kept_than_the_bound(sizes: list[int]) -> None:
    body = wire.Body()
    fits = all(body.feed(bytes(size)) for size in sizes)
    assert fits == (sum(sizes) <= wire.MAX_BODY)
    whole = body.whole()
    assert whole == (bytes(sum(sizes)) if fits else None)
