"""In process and over HTTP it is the same platform: the same requests get the same answers."""

import json
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session import ports
from splus_session._answers import Answer
from splus_session._credentials import AuthTokenGrant, BotGrant
from splus_session.platform import Endpoint as Address
from splus_session.platform.sync import HttpPlatform
from splus_session.testing import Endpoint, FakePlatform, ManualClock, SameDevice, TokenTerms, faults

# Loading the machine's certificates would be most of the time that this takes.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

USERS = st.sampled_from(["ann", "bob"])
DEVICES = st.sampled_from(["d1", "d2"])
WHICH = st.integers(0, 3)
AUTH = st.sampled_from(["own", "old", "other's", "made up", "none"])
LIKELY_FAULTS = [
    faults.drop(),
    faults.drop(carried_out=True),
    faults.cut_short(),
    faults.server_error(503),
    faults.server_error(502, carried_out=True),
    faults.rate_limited(3),
    faults.unauthorized(),
    faults.malformed(),
    faults.not_an_object(),
    faults.huge(200_000),
    faults.flagged("isGlobalBanned"),
    faults.wrong_user("mallory"),
    faults.expired_on_arrival(),
    faults.redirect("https://elsewhere.example/"),
    faults.no_date(),
    faults.bad_date(),
    faults.terms(TokenTerms(lifetime=None)),
]
FAULTS = st.sampled_from(LIKELY_FAULTS)

STEPS = st.one_of(
    st.tuples(st.just("login"), USERS, DEVICES, AUTH),
    st.tuples(st.just("visit"), DEVICES, st.sampled_from(["visitor", "bot"])),
    st.tuples(st.just("verify"), WHICH),
    st.tuples(st.just("revoke"), WHICH),
    st.tuples(st.just("read"), WHICH, USERS),
    st.tuples(st.just("ban"), USERS, st.booleans()),
    st.tuples(st.just("delete"), USERS),
    st.tuples(st.just("expire"), USERS),
    st.tuples(st.just("advance"), st.sampled_from([1.0, 599.0, 3600.0, 3e6])),
    st.tuples(st.just("fail"), FAULTS),
    st.tuples(st.just("rule"), st.sampled_from(["secure_mode", "signed_visitors", "admits_banned"])),
    st.tuples(st.just("devices"), st.sampled_from(list(SameDevice))),
)


class Life:
    """One platform, and one client of it that keeps the tokens it was given."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.platform = FakePlatform(clock=self.clock)
        self.tokens: list[str] = []
        self.old_auth_token = self.platform.issue_auth_token("ann").reveal()

    def step(self, http: httpx2.Client, name: str, *arguments: Any) -> object:
        method: Callable[..., object] = getattr(self, name)
        takes_client = name in {"login", "visit", "verify", "revoke", "read"}
        return method(http, *arguments) if takes_client else method(*arguments)

    def login(self, http: httpx2.Client, user_id: str, device_id: str, auth: str) -> object:
        other = "bob" if user_id == "ann" else "ann"
        tokens = {
            "own": self.platform.issue_auth_token(user_id).reveal(),
            "other's": self.platform.issue_auth_token(other).reveal(),
            "old": self.old_auth_token,
            "made up": "made up",
        }
        body = {"userId": user_id, "deviceId": device_id, "authToken": tokens.get(auth)}
        return self.open(http, "/api/v5/sessions", body)

    def visit(self, http: httpx2.Client, device_id: str, kind: str) -> object:
        return self.open(http, f"/api/v5/sessions/{kind}", {"deviceId": device_id})

    def open(self, http: httpx2.Client, path: str, body: Mapping[str, object]) -> object:
        headers = {"X-API-Key": self.platform.api_key.reveal()}
        return self.seen(lambda: http.post(path, headers=headers, json=body))

    def verify(self, http: httpx2.Client, which: int) -> object:
        return self.seen(lambda: http.get("/api/v3/sessions", headers=self.bearing(which)))

    def revoke(self, http: httpx2.Client, which: int) -> object:
        return self.seen(lambda: http.delete("/api/v4/sessions", headers=self.bearing(which)))

    def read(self, http: httpx2.Client, which: int, user_id: str) -> object:
        return self.seen(lambda: http.get(f"/api/v3/users/{user_id}", headers=self.bearing(which)))

    def ban(self, user_id: str, banned: bool) -> None:
        (self.platform.ban if banned else self.platform.unban)(user_id)

    def delete(self, user_id: str) -> None:
        self.platform.delete(user_id)

    def expire(self, user_id: str) -> None:
        self.platform.expire(user_id)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def fail(self, fault: faults.Fault) -> None:
        self.platform.fail(None, fault)

    def rule(self, name: str) -> None:
        setattr(self.platform.rules, name, not getattr(self.platform.rules, name))

    def devices(self, rule: SameDevice) -> None:
        self.platform.rules.same_device = rule

    def bearing(self, which: int) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[which]}"} if which < len(self.tokens) else {}

    def seen(self, ask: Callable[[], httpx2.Response]) -> object:
        """What the client sees, secrets aside: they are each platform's own."""
        try:
            answer = ask()
        except httpx2.RemoteProtocolError:
            return "the connection ended"
        headers = {
            name: answer.headers.get(name) for name in ("content-type", "date", "retry-after", "location")
        }
        text = answer.text
        try:
            content = json.loads(text)
        except ValueError:
            # Where broken JSON breaks off is about the length of the secrets in it: the same.
            return answer.status_code, headers, len(text)
        if isinstance(content, dict) and "accessToken" in content:
            self.tokens.append(content["accessToken"])
        secret = re.compile(r'"(accessToken|refreshToken)":"[^"]*"')
        return answer.status_code, headers, secret.sub(r'"\1":"***"', text)


@given(st.lists(STEPS, max_size=12))
def test_the_same_requests_get_the_same_answers(steps: list[tuple[Any, ...]]) -> None:
    inner, outer = Life(), Life()
    with (
        outer.platform.serve() as server,
        httpx2.Client(
            transport=inner.platform.transport(), base_url="https://fake", verify=NO_TLS
        ) as in_process,
        httpx2.Client(base_url=server.url, verify=NO_TLS) as over_http,
    ):
        for step in steps:
            assert inner.step(in_process, *step) == outer.step(over_http, *step)
    outcomes = [
        [
            (request.endpoint, request.user_id, request.carried_out, request.status)
            for request in life.platform.requests
        ]
        for life in (inner, outer)
    ]
    assert outcomes[0] == outcomes[1]


def test_the_steps_reach_every_endpoint_of_a_session() -> None:
    life = Life()
    with httpx2.Client(transport=life.platform.transport(), base_url="https://fake") as http:
        life.login(http, "ann", "d1", "own")
        life.visit(http, "d2", "visitor")
        life.visit(http, "d2", "bot")
        life.verify(http, 0)
        life.read(http, 0, "ann")
        life.revoke(http, 0)
    assert [request.status for request in life.platform.requests] == [200] * 6
    assert {request.endpoint for request in life.platform.requests} == {
        Endpoint.LOGIN, Endpoint.VISITOR_LOGIN, Endpoint.BOT_LOGIN,
        Endpoint.VERIFY, Endpoint.GET_USER, Endpoint.REVOKE,
    }  # fmt: skip


# ── The same to a session ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [None, *LIKELY_FAULTS], ids=lambda fault: getattr(fault, "name", "none"))
@pytest.mark.parametrize("call", ["login", "bot", "verify", "revoke"])
def test_a_session_hears_the_same_by_the_real_client_over_http(call: str, fault: faults.Fault | None) -> None:
    inner, outer = Life(), Life()

    def ask(life: Life, client: ports.Platform) -> Answer:
        token = life.platform.issue_access_token("ann")
        grant = AuthTokenGrant("ann", life.platform.issue_auth_token("ann"))
        if fault is not None:
            life.platform.fail(None, fault)
        match call:
            case "login":
                return client.open_session(grant, device_id="d")
            case "bot":
                return client.open_session(BotGrant(), device_id="d")
            case "verify":
                return client.verify(token)
            case _:
                return client.revoke(token)

    in_process = ask(inner, inner.platform.client())
    with outer.platform.serve() as server, httpx2.Client(verify=NO_TLS) as http:
        client = HttpPlatform(Address(server.url), outer.platform.api_key, client=http, now=outer.clock.now)
        over_http = ask(outer, client)
    assert secrets_aside(in_process) == secrets_aside(over_http)
    assert [request.status for request in inner.platform.requests] == [
        request.status for request in outer.platform.requests
    ]


def secrets_aside(answer: Answer) -> object:
    credential = answer.credential
    held = credential and (credential.user_id, credential.issued_at, credential.expires_at)
    return held, answer.failure, answer.clock
