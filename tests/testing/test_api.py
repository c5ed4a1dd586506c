"""Each endpoint answers in the platform's words, by either face."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import pytest

from splus_session._credentials import credential_from_jwt
from splus_session._secrets import AccessToken
from splus_session.backend import sign_visitor
from splus_session.testing import FakePlatform, ManualClock, SameDevice, TokenTerms

MONTH = 30 * 24 * 3600.0
UNAUTHORIZED, FORBIDDEN, BANNED = (401, 400100), (403, 400300), (403, 400312)
NOT_FOUND, INVALID, BAD_REQUEST = (404, 400400), (422, 500000), (400, 400000)


def login(
    http: httpx2.Client, platform: FakePlatform, who: str = "ann", /, **fields: object
) -> httpx2.Response:
    """Log in as an honest client does; `fields` replace what it sends, None leaves out."""
    usual = {
        "userId": who,
        "authToken": platform.issue_auth_token(who).reveal(),
        "deviceId": "device-1",
        "deviceInfo": {"kind": "web", "model": "v20", "sdkVersion": "v6.35.3-cjs"},
    }
    body = {name: field for name, field in {**usual, **fields}.items() if field is not None}
    headers = {**keyed(platform), "Content-Type": "application/json"}
    return http.post("/api/v5/sessions", headers=headers, content=json.dumps(body))


def keyed(platform: FakePlatform) -> dict[str, str]:
    return {"X-API-Key": platform.api_key.reveal()}


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def said(answer: httpx2.Response) -> tuple[int, int]:
    """Status and code of an error, its form checked."""
    body = answer.json()
    assert {"status", "code", "message"} <= set(body) <= {"status", "code", "message", "data"}
    assert body["status"] == "error"
    assert isinstance(body["message"], str)
    return answer.status_code, body["code"]


# ── Login and renewal ──────────────────────────────────────────────────────────────────────────────


def test_a_login_answers_a_token_its_times_and_the_user(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    answer = login(http, platform, displayName="Ann")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {
        "accessToken", "refreshToken", "issuedAt", "expiresAt", "users", "files", "userType",
    }  # fmt: skip
    assert body["userType"] == "signed-in"
    assert body["files"] == []
    [user] = body["users"]
    assert (user["userId"], user["displayName"]) == ("ann", "Ann")
    assert user["isGlobalBan"] is user["isDeleted"] is False
    assert body["issuedAt"] == "2023-11-14T22:13:20.000Z"
    assert datetime.fromisoformat(body["expiresAt"]).timestamp() == clock.now() + MONTH


def test_the_access_token_is_a_jwt_that_names_the_user_and_its_times(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    token = login(http, platform).json()["accessToken"]
    head, claims, signature = (segment + "=" * (-len(segment) % 4) for segment in token.split("."))
    assert json.loads(base64.urlsafe_b64decode(head)) == {"alg": "HS256", "typ": "JWT"}
    assert len(base64.urlsafe_b64decode(signature)) == 32
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims))
    assert content["user"]["publicUserId"] == "ann"
    assert content["user"]["userId"] == platform.user("ann").internal_id
    credential = credential_from_jwt(AccessToken(token), now=0)
    assert credential.user_id == "ann"
    assert (credential.issued_at, credential.expires_at) == (clock.now(), clock.now() + MONTH)


def test_an_unknown_user_is_created_and_a_display_name_updates_a_known_one(
    http: httpx2.Client, platform: FakePlatform
) -> None:
    token = login(http, platform, "new").json()["accessToken"]
    assert http.get("/api/v3/users/new", headers=bearing(token)).json()["users"][0]["displayName"] == "new"
    token = login(http, platform, "new", displayName="Newt").json()["accessToken"]
    token = login(http, platform, "new").json()["accessToken"]
    assert http.get("/api/v3/users/new", headers=bearing(token)).json()["users"][0]["displayName"] == "Newt"


def test_secure_mode_takes_nothing_but_a_living_auth_token_of_the_same_user(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    assert said(login(http, platform, authToken=None)) == UNAUTHORIZED
    assert said(login(http, platform, authToken="made-up")) == UNAUTHORIZED
    assert said(login(http, platform, authToken=platform.issue_auth_token("bob").reveal())) == UNAUTHORIZED
    token = platform.issue_auth_token("ann").reveal()
    clock.advance(599)
    assert login(http, platform, authToken=token).status_code == 200
    clock.advance(1)
    assert said(login(http, platform, authToken=token)) == UNAUTHORIZED
    token = platform.issue_auth_token("ann").reveal()
    platform.disown("ann")
    assert said(login(http, platform, authToken=token)) == UNAUTHORIZED


def test_without_secure_mode_a_user_id_is_enough(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.rules.secure_mode = False
    assert login(http, platform, authToken=None).status_code == 200
    assert login(http, platform, authToken="whatever").status_code == 200


def test_an_unknown_app_gets_nothing(http: httpx2.Client, platform: FakePlatform) -> None:
    for path in ("", "/visitor", "/bot"):
        for headers in ({}, {"X-API-Key": "made-up"}):
            answer = http.post(f"/api/v5/sessions{path}", headers=headers, json={"deviceId": "d"})
            assert said(answer) == UNAUTHORIZED


LIMITS = {
    "userId": (1, 50),
    "displayName": (1, 100),
    "authToken": (1, 100),
    "deviceId": (1, 150),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_field_beyond_its_limits_is_named_and_refused(
    name: str, http: httpx2.Client, platform: FakePlatform
) -> None:
    platform.rules.secure_mode = False
    shortest, longest = LIMITS[name]
    for length in (shortest, longest):
        assert login(http, platform, "ann", **{name: "x" * length}).status_code == 200
    wrong: tuple[object, ...] = ("x" * (shortest - 1), "x" * (longest + 1), 7, ["x"], "\ud800")
    for field in wrong:
        answer = login(http, platform, "ann", **{name: field})
        assert said(answer) == INVALID
        [detail] = answer.json()["data"]["detail"]
        assert f'"{name}"' in detail


def test_everything_that_is_wrong_is_said_at_once(http: httpx2.Client, platform: FakePlatform) -> None:
    info = {"kind": "toaster", "model": "x" * 101, "sdkVersion": "x" * 31}
    answer = login(http, platform, userId=None, deviceId=None, deviceInfo=info)
    assert said(answer) == INVALID
    details = " ".join(answer.json()["data"]["detail"])
    assert len(answer.json()["data"]["detail"]) == 5
    for name in ("userId", "deviceId", "kind", "model", "sdkVersion"):
        assert f'"{name}"' in details
    assert said(login(http, platform, deviceInfo="web")) == INVALID
    assert login(http, platform, deviceInfo=None).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_bad_request(
    body: bytes, http: httpx2.Client, platform: FakePlatform
) -> None:
    answer = http.post("/api/v5/sessions", headers=keyed(platform), content=body)
    assert said(answer) == BAD_REQUEST


def test_a_banned_and_a_deleted_user_are_refused(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.ban("ann")
    platform.delete("bob")
    assert said(login(http, platform, "ann")) == BANNED
    assert said(login(http, platform, "bob")) == NOT_FOUND
    platform.unban("ann")
    assert login(http, platform, "ann").status_code == 200


def test_or_they_are_let_in_with_a_flag(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.rules.admits_banned = True
    platform.ban("ann")
    platform.delete("bob")
    assert login(http, platform, "ann").json()["users"][0]["isGlobalBan"] is True
    answer = login(http, platform, "bob")
    assert answer.json()["users"][0]["isDeleted"] is True
    token = answer.json()["accessToken"]
    assert said(http.get("/api/v3/channels", headers=bearing(token))) == UNAUTHORIZED


@pytest.mark.parametrize(
    ("rule", "same_user", "other_user"),
    [
        (SameDevice.ANY_USER, False, False),
        (SameDevice.OTHER_USER, True, False),
        (SameDevice.NOBODY, True, True),
    ],
)
def test_a_new_session_on_a_device_voids_older_ones_as_the_rule_says(
    rule: SameDevice, same_user: bool, other_user: bool, http: httpx2.Client, platform: FakePlatform
) -> None:
    platform.rules.same_device = rule
    first = AccessToken(login(http, platform, "ann").json()["accessToken"])
    elsewhere = AccessToken(login(http, platform, "ann", deviceId="device-2").json()["accessToken"])
    login(http, platform, "ann")
    assert platform.is_alive(first) is same_user
    login(http, platform, "bob")
    assert platform.is_alive(first) is (same_user and other_user)
    assert platform.is_alive(elsewhere)


# ── Visitors and bots ──────────────────────────────────────────────────────────────────────────────


def signed(platform: FakePlatform, device_id: str, expires_at: str) -> dict[str, str]:
    """As the vendor's page on visitors says."""
    signed = f"deviceId={device_id}&authSignatureExpiresAt={expires_at}".encode()
    mac = hmac.new(platform.visitor_secret.reveal().encode(), signed, hashlib.sha256)
    return {
        "deviceId": device_id,
        "authSignature": mac.hexdigest(),
        "authSignatureExpiresAt": expires_at,
    }


@pytest.mark.parametrize("kind", ["visitor", "bot"])
def test_a_device_logs_in_without_a_user_and_stays_the_same_one(
    kind: str, http: httpx2.Client, platform: FakePlatform
) -> None:
    def enter(device_id: str) -> dict[str, Any]:
        answer = http.post(f"/api/v5/sessions/{kind}", headers=keyed(platform), json={"deviceId": device_id})
        assert answer.status_code == 200
        body: dict[str, Any] = answer.json()
        assert body["userType"] == kind
        return body

    first, again, other = enter("d1"), enter("d1"), enter("d2")
    assert first["users"][0]["userId"] == again["users"][0]["userId"]
    assert first["users"][0]["userId"] != other["users"][0]["userId"]
    answer = http.get("/api/v3/sessions", headers=bearing(again["accessToken"]))
    assert answer.status_code == 200


def test_a_visitors_signature_is_checked_to_the_letter(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    def enter(fields: dict[str, str]) -> httpx2.Response:
        return http.post("/api/v5/sessions/visitor", headers=keyed(platform), json=fields)

    good = signed(platform, "d1", "2023-11-14T22:23:20.000Z")
    assert enter({"deviceId": "d1"}).status_code == 200
    platform.rules.signed_visitors = True
    assert said(enter({"deviceId": "d1"})) == INVALID
    assert enter(good).status_code == 200
    for name, wrong in {
        "deviceId": "d2",
        "authSignature": good["authSignature"].upper(),
        "authSignatureExpiresAt": "2023-11-14T22:23:20Z",
    }.items():
        answer = enter({**good, name: wrong})
        assert said(answer) == INVALID
        assert answer.json()["message"] == "Invalid signature"
    assert said(enter(signed(platform, "d1", "tomorrow"))) == INVALID
    assert said(enter(signed(platform, "d1", "2023-11-14T22:23:20"))) == INVALID
    clock.advance(600)
    assert said(enter(good)) == INVALID
    platform.rules.signed_visitors = False
    assert said(enter(good)) == INVALID


def test_what_the_backends_function_signs_is_accepted(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    platform.rules.signed_visitors = True
    signed = sign_visitor("d1", platform.visitor_secret, clock.now() + 600.5)
    body = {
        "deviceId": "d1",
        "authSignature": signed.signature.reveal(),
        "authSignatureExpiresAt": signed.expires_at,
    }
    answer = http.post("/api/v5/sessions/visitor", headers=keyed(platform), json=body)
    assert answer.status_code == 200


# ── The access token ───────────────────────────────────────────────────────────────────────────────


def test_a_verification_tells_living_dead_banned_and_deleted_apart(
    http: httpx2.Client, platform: FakePlatform
) -> None:
    token = login(http, platform).json()["accessToken"]

    def verify(header: str | None) -> httpx2.Response:
        headers = {} if header is None else {"Authorization": header}
        return http.get("/api/v3/sessions", headers=headers)

    assert verify(f"Bearer {token}").status_code == 200
    assert said(verify(None)) == UNAUTHORIZED
    assert said(verify("Bearer made.up.token")) == UNAUTHORIZED
    assert said(verify(f"Basic {token}")) == INVALID
    platform.ban("ann")
    assert said(verify(f"Bearer {token}")) == BANNED
    platform.unban("ann")
    platform.delete("ann")
    assert said(verify(f"Bearer {token}")) == NOT_FOUND
    platform.revoke("ann")
    assert said(verify(f"Bearer {token}")) == UNAUTHORIZED


def test_a_revocation_voids_the_token_and_works_once(http: httpx2.Client, platform: FakePlatform) -> None:
    token = login(http, platform).json()["accessToken"]
    answer = http.delete("/api/v4/sessions", headers=bearing(token))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert not platform.is_alive(AccessToken(token))
    assert said(http.delete("/api/v4/sessions", headers=bearing(token))) == UNAUTHORIZED
    assert said(http.delete("/api/v4/sessions")) == UNAUTHORIZED


@pytest.mark.parametrize("lifetime", [1.0, 3600.0, MONTH, 40 * 365 * 24 * 3600.0])
def test_a_token_dies_at_its_expiry_and_not_before(
    lifetime: float, http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    platform.rules.terms = TokenTerms(lifetime=lifetime)
    token = login(http, platform).json()["accessToken"]
    clock.advance(lifetime - 0.5)
    assert http.get("/api/v3/channels", headers=bearing(token)).status_code == 200
    clock.advance(0.5)
    assert said(http.get("/api/v3/channels", headers=bearing(token))) == UNAUTHORIZED


@pytest.mark.parametrize(
    ("terms", "missing", "claims"),
    [
        (TokenTerms(lifetime=None), {"expiresAt"}, {"exp"}),
        (TokenTerms(tells_expiry=False), {"expiresAt"}, {"exp"}),
        (TokenTerms(tells_issue=False), {"issuedAt"}, {"iat"}),
    ],
)
def test_what_the_terms_leave_out_is_missing(
    terms: TokenTerms, missing: set[str], claims: set[str], http: httpx2.Client, platform: FakePlatform
) -> None:
    usual = login(http, platform).json()
    platform.rules.terms = terms
    body = login(http, platform).json()
    assert set(usual) - set(body) == missing
    assert set(claims_of(usual["accessToken"])) - set(claims_of(body["accessToken"])) == claims


def claims_of(token: str) -> dict[str, Any]:
    segment = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return claims


def test_an_expiry_that_is_not_told_comes_all_the_same(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    platform.rules.terms = TokenTerms(lifetime=60, tells_expiry=False)
    token = login(http, platform).json()["accessToken"]
    clock.advance(60)
    assert said(http.get("/api/v3/sessions", headers=bearing(token))) == UNAUTHORIZED


# ── For the customer's backend ─────────────────────────────────────────────────────────────────────


def test_the_server_key_gets_an_auth_token(http: httpx2.Client, platform: FakePlatform) -> None:
    key = {"x-server-key": platform.server_key.reveal()}
    answer = http.post("/api/v4/authentication/token", headers=key, json={"userId": "ann"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert 0 < len(answer.text) <= 100
    assert login(http, platform, authToken=answer.text).status_code == 200
    old = http.get("/api/v3/authentication/token", headers=key, params={"userId": "ann"})
    assert login(http, platform, authToken=old.json()).status_code == 200


def test_without_it_there_is_none(http: httpx2.Client, platform: FakePlatform) -> None:
    def ask(key: str | None, user_id: str) -> list[httpx2.Response]:
        headers = {} if key is None else {"x-server-key": key}
        return [
            http.post("/api/v4/authentication/token", headers=headers, json={"userId": user_id}),
            http.get("/api/v3/authentication/token", headers=headers, params={"userId": user_id}),
        ]

    right = platform.server_key.reveal()
    for wrong in (None, "made-up", right[:-1]):
        for answer in ask(wrong, "ann"):
            assert (answer.status_code, answer.text) == (401, "Unauthorized")
    for user_id in ("", "x" * 51):
        for answer in ask(right, user_id):
            assert said(answer) == INVALID
    platform.rules.secure_mode = False
    for answer in ask(right, "ann"):
        assert said(answer) == FORBIDDEN


# ── The ordinary API, and administrators ───────────────────────────────────────────────────────────

API = ["/api/v3/users/ann", "/api/v3/channels", "/api/v3/network-settings/chat"]


@pytest.mark.parametrize("path", API)
def test_the_api_opens_to_a_living_token_of_a_user_in_good_standing(
    path: str, http: httpx2.Client, platform: FakePlatform
) -> None:
    token = login(http, platform).json()["accessToken"]
    assert http.get(path, headers=bearing(token)).status_code == 200
    assert said(http.get(path)) == UNAUTHORIZED
    platform.ban("ann")
    assert said(http.get(path, headers=bearing(token))) == BANNED
    platform.unban("ann")
    assert http.get(path, headers=bearing(token)).status_code == 200
    platform.delete("ann")
    assert said(http.get(path, headers=bearing(token))) == UNAUTHORIZED


def test_users_are_found_by_their_public_ids_whatever_is_in_them(
    http: httpx2.Client, platform: FakePlatform
) -> None:
    token = login(http, platform, "a/b ü").json()["accessToken"]
    answer = http.get("/api/v3/users/a%2Fb%20%C3%BC", headers=bearing(token))
    assert answer.json()["users"][0]["userId"] == "a/b ü"
    assert said(http.get("/api/v3/users/nobody", headers=bearing(token))) == NOT_FOUND


def test_administrators_ban_and_unban(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.user("ann")
    token = login(http, platform).json()["accessToken"]

    def change(what: str, user_id: str, bearer: str) -> httpx2.Response:
        body = {"userId": user_id}
        return http.post(f"/api/v2/users/{what}", headers=bearing(bearer), json=body)

    admin = platform.admin_token.reveal()
    assert said(change("ban", "ann", token)) == UNAUTHORIZED
    assert said(change("ban", "nobody", admin)) == NOT_FOUND
    assert change("ban", "ann", admin).json()["users"][0]["isGlobalBan"] is True
    assert said(http.get("/api/v3/channels", headers=bearing(token))) == BANNED
    assert change("unban", "ann", admin).json()["users"][0]["isGlobalBan"] is False
    assert http.get("/api/v3/channels", headers=bearing(token)).status_code == 200


def test_a_user_may_make_so_many_calls_in_so_many_seconds(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    token = login(http, platform).json()["accessToken"]
    other = login(http, platform, "bob", deviceId="device-2").json()["accessToken"]
    platform.rules.rate_limit = (3, 5.0)
    for _ in range(3):
        assert http.get("/api/v3/channels", headers=bearing(token)).status_code == 200
        clock.advance(1)
    answer = http.get("/api/v3/channels", headers=bearing(token))
    assert said(answer) == (429, 400311)
    assert answer.headers["retry-after"] == "2"
    assert http.get("/api/v3/channels", headers=bearing(other)).status_code == 200
    clock.advance(2)
    assert http.get("/api/v3/channels", headers=bearing(token)).status_code == 200


def test_logins_are_calls_too(http: httpx2.Client, platform: FakePlatform) -> None:
    platform.rules.rate_limit = (1, 5.0)
    token = login(http, platform).json()["accessToken"]
    assert said(login(http, platform)) == (429, 400311)
    assert said(http.get("/api/v3/channels", headers=bearing(token))) == (429, 400311)


def test_what_it_does_not_know_is_not_found(http: httpx2.Client) -> None:
    assert said(http.get("/api/v3/posts")) == NOT_FOUND
    assert said(http.put("/api/v5/sessions")) == NOT_FOUND


def test_every_answer_is_dated_by_the_platforms_own_clock(
    http: httpx2.Client, platform: FakePlatform, clock: ManualClock
) -> None:
    def date() -> float:
        return parsedate_to_datetime(http.get("/api/v3/posts").headers["date"]).timestamp()

    assert date() == clock.now()
    platform.clock_offset = -7200
    assert date() == clock.now() - 7200
    clock.sleep(60)
    assert date() == clock.now() - 7200
    clock.jump(86400)
    assert date() == clock.now() - 7200 - 86400
