"""The app over ASGI, and once over a real socket; the platform behind it is a real server."""

import json
import logging
import socket
import threading
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount

from splus_session._errors import ConfigurationError, InvalidArgumentError, InvalidHandlerError
from splus_session._secrets import VisitorSecret
from splus_session.backend import (
    AuthTokenIssuer,
    auth_token_app,
    auth_token_route,
    sign_visitor,
    visitor_signature_route,
)
from tests.platform.servers import Server, answer

PATH = "/api/auth/social-plus-token"
VISITOR_PATH = "/api/visitor/auth-signature"


def by_header(request: Request) -> str | None:
    """Stands for the customer's own authentication."""
    return request.headers.get("x-test-user")


async def by_header_later(request: Request) -> str | None:
    await anyio.lowlevel.checkpoint()
    return by_header(request)


class ByHeader:
    async def __call__(self, request: Request) -> str | None:
        return await by_header_later(request)


def post(app: Any, path: str = PATH, *, user: str | None = None, **content: Any) -> httpx2.Response:
    """Send one request to an app, in process."""

    async def main() -> httpx2.Response:
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
            headers = {} if user is None else {"x-test-user": user}
            return await client.post(path, headers=headers, **content)

    return anyio.run(main)


@pytest.fixture
def platform() -> Iterator[Server]:
    with Server(answer(200, b"CANARY-token")) as server:
        yield server


def app_for(platform: Server, authenticate: Any = by_header) -> Starlette:
    return auth_token_app(AuthTokenIssuer("CANARY-key", endpoint=platform.origin), authenticate)


# ── the auth token ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("BACKEND-2", "BACKEND-1")
@pytest.mark.parametrize(
    "authenticate", [by_header, by_header_later, ByHeader(), lambda request: by_header_later(request)]
)
def test_an_authenticated_user_gets_a_token(platform: Server, authenticate: Any) -> None:
    response = post(app_for(platform, authenticate), user="anna", json={"userId": "anna"})
    assert response.status_code == 200
    assert response.json() == {"authToken": "CANARY-token", "message": "Token generated for verified user"}
    assert response.headers["cache-control"] == "no-store"
    assert [received.json for received in platform.received] == [{"userId": "anna"}]


REFUSALS: dict[str, tuple[str | None, dict[str, Any], int]] = {
    "unauthenticated": (None, {"json": {"userId": "anna"}}, 401),
    "unauthenticated, and no body": (None, {}, 401),
    "another user": ("anna", {"json": {"userId": "ben"}}, 403),
    "another case": ("anna", {"json": {"userId": "Anna"}}, 403),
    "a space more": ("anna", {"json": {"userId": "anna "}}, 403),
    "no body": ("anna", {}, 400),
    "no user id": ("anna", {"json": {}}, 400),
    "an empty user id": ("anna", {"json": {"userId": ""}}, 400),
    "a user id that is no text": ("anna", {"json": {"userId": ["anna"]}}, 400),
    "null": ("anna", {"json": {"userId": None}}, 400),
    "no object": ("anna", {"json": ["userId", "anna"]}, 400),
    "no JSON": ("anna", {"content": b"userId=anna"}, 400),
    "no UTF-8": ("anna", {"content": b'{"userId": "\xff"}'}, 400),
    "too deep": ("anna", {"content": b"[" * 8_000}, 400),
    "too long": ("anna", {"json": {"userId": "anna", "more": "x" * 8_192}}, 400),
    "far too long": ("anna", {"content": b'{"userId": "anna"}' + b" " * 10_000_000}, 400),
}


@pytest.mark.requirement("BACKEND-2")
@pytest.mark.parametrize(("user", "content", "status"), REFUSALS.values(), ids=REFUSALS)
def test_who_the_user_is_the_customers_authentication_says_and_not_the_body(
    platform: Server, user: str | None, content: dict[str, Any], status: int
) -> None:
    response = post(app_for(platform), user=user, **content)
    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert response.headers["cache-control"] == "no-store"
    assert platform.connections == 0


@pytest.mark.requirement("BACKEND-2")
@given(
    st.binary(max_size=200)
    | st.dictionaries(st.text(), st.text()).map(lambda body: json.dumps(body).encode())
)
def test_whatever_the_body_nobody_is_taken_for_somebody_else(body: bytes) -> None:
    # Nothing listens on port 1, so a request that got through would be a 502.
    app = auth_token_app(AuthTokenIssuer("key", endpoint="http://127.0.0.1:1"), by_header)
    assert post(app, user="anna-4711", content=body).status_code in {400, 403}
    assert post(app, content=body).status_code == 401


@pytest.mark.requirement("BACKEND-2", "SECRET-3")
@pytest.mark.parametrize(
    "script",
    [
        answer(401, b"Unauthorized CANARY-key"),
        answer(403, {"code": 400300, "message": "CANARY"}),
        answer(422),
        answer(429, headers={"Retry-After": "7"}),
        answer(500),
        answer(200, {"no": "token"}),
        answer(302, headers={"Location": "https://elsewhere.example"}),
    ],
)
def test_no_token_from_the_platform_is_a_bad_gateway(script: Any) -> None:
    with Server(script) as platform:
        response = post(app_for(platform), user="anna", json={"userId": "anna"})
    assert response.status_code == 502
    assert response.headers["cache-control"] == "no-store"
    assert "CANARY" not in response.text


@pytest.mark.requirement("BACKEND-2")
def test_a_platform_that_is_away_is_a_bad_gateway() -> None:
    app = auth_token_app(AuthTokenIssuer("key", endpoint="http://127.0.0.1:1"), by_header)
    assert post(app, user="anna", json={"userId": "anna"}).status_code == 502


@pytest.mark.requirement("BACKEND-1", "BACKEND-2", "SECRET-1")
@pytest.mark.parametrize("script", [answer(200, b"CANARY-token"), answer(401), answer(200, b"CANARY " * 50)])
def test_neither_key_nor_token_is_logged(script: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(script) as platform:
        post(app_for(platform), user="anna", json={"userId": "anna"})
    assert caplog.text.count("no auth token") <= 1
    assert "splus_session.backend" in {record.name for record in caplog.records}
    assert "anna" in caplog.text
    assert "CANARY" not in caplog.text


# ── an authentication that does something else ─────────────────────────────────────────────────────


@pytest.mark.requirement("BACKEND-2")
def test_an_authentication_may_refuse_in_its_own_words(platform: Server) -> None:
    def authenticate(_request: Request) -> str | None:
        raise HTTPException(418, "a teapot")

    assert post(app_for(platform, authenticate), json={"userId": "anna"}).status_code == 418
    assert platform.connections == 0


@pytest.mark.requirement("BACKEND-2")
def test_an_authentication_may_read_the_body_too(platform: Server) -> None:
    async def authenticate(request: Request) -> str | None:
        proof: dict[str, str] = await request.json()
        return "anna" if proof["password"] == "sesame" else None

    content = {"userId": "anna", "password": "sesame"}
    assert post(app_for(platform, authenticate), json=content).status_code == 200
    assert post(app_for(platform, authenticate), json=content | {"userId": "ben"}).status_code == 403
    assert post(app_for(platform, authenticate), json=content | {"password": "x"}).status_code == 401


@pytest.mark.requirement("BACKEND-2")
@pytest.mark.parametrize("result", ["", True, False, 0, 5, b"anna", {"id": "anna"}, "x" * 51])
def test_an_authentication_that_gives_no_user_id_lets_nobody_in(platform: Server, result: Any) -> None:
    claimed = result if isinstance(result, str) else str(result)
    # Not 403: that would blame the app's user for what is wrong with the server.
    assert post(app_for(platform, lambda _request: result), json={"userId": claimed}).status_code == 500
    assert platform.connections == 0


@pytest.mark.requirement("BACKEND-2")
def test_an_authentication_that_fails_lets_nobody_in(platform: Server) -> None:
    def authenticate(_request: Request) -> str | None:
        raise RuntimeError("the database is away")

    assert post(app_for(platform, authenticate), json={"userId": "anna"}).status_code == 500
    assert platform.connections == 0


@pytest.mark.requirement("BACKEND-2")
def test_a_plain_function_may_block_without_holding_up_the_others(platform: Server) -> None:
    entered, leave = threading.Event(), threading.Event()

    def authenticate(request: Request) -> str | None:
        if by_header(request) == "slow":
            entered.set()
            assert leave.wait(30)
        return by_header(request)

    async def main() -> list[int]:
        statuses = []

        async def ask(client: httpx2.AsyncClient, user: str) -> None:
            response = await client.post(PATH, headers={"x-test-user": user}, json={"userId": user})
            statuses.append(response.status_code)

        transport = httpx2.ASGITransport(app_for(platform, authenticate))
        async with (
            httpx2.AsyncClient(transport=transport, base_url="http://app") as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(ask, client, "slow")
            await anyio.to_thread.run_sync(entered.wait)
            await ask(client, "quick")
            leave.set()
        return statuses

    assert anyio.run(main) == [200, 200]


@pytest.mark.requirement("BACKEND-2")
def test_there_is_no_app_without_an_authentication() -> None:
    issuer = AuthTokenIssuer("key")
    with pytest.raises(TypeError):
        auth_token_app(issuer)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(InvalidHandlerError):
        auth_token_app(issuer, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.requirement("BACKEND-2", "SECRET-1")
@pytest.mark.parametrize("issuer", ["CANARY", None, AuthTokenIssuer])
def test_there_is_no_app_without_an_issuer_and_a_key_in_its_place_is_not_shown(issuer: Any) -> None:
    if issuer is AuthTokenIssuer:
        issuer = AuthTokenIssuer("key").issue
    for make in (auth_token_app, auth_token_route):
        with pytest.raises(ConfigurationError) as caught:
            make(issuer, by_header)
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours = [frame.locals for frame in shown.stack if "splus_session" in frame.filename]
        assert "CANARY" not in str(ours) + str(caught.value)


@pytest.mark.requirement("BACKEND-2", "BACKEND-3")
def test_each_route_has_a_name_of_its_own() -> None:
    routes = [
        auth_token_route(AuthTokenIssuer("key"), by_header),
        visitor_signature_route("secret", lambda *_: True),
    ]
    app = Starlette(routes=routes)
    assert app.url_path_for("auth_token") == "/api/auth/social-plus-token"
    assert app.url_path_for("visitor_signature") == "/api/visitor/auth-signature"


# ── visitors ───────────────────────────────────────────────────────────────────────────────────────


def visitor_app(allow_visitor: Any = lambda request, device_id: True, **options: Any) -> Starlette:
    route = visitor_signature_route("CANARY-secret", allow_visitor, now=lambda: 1_700_000_000.25, **options)
    return Starlette(routes=[route])


@pytest.mark.requirement("BACKEND-3")
def test_an_allowed_visitor_gets_a_signature() -> None:
    response = post(visitor_app(lifetime=600), VISITOR_PATH, json={"deviceId": "device-1"})
    assert response.status_code == 200
    signed = sign_visitor("device-1", "CANARY-secret", 1_700_000_600.25)
    assert response.json() == {
        "authSignature": signed.signature.reveal(),
        "authSignatureExpiresAt": "2023-11-14T22:23:20.250Z",
    }
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.requirement("BACKEND-3")
def test_a_policy_sees_the_request_and_the_device() -> None:
    seen = []

    async def allow(request: Request, device_id: str) -> bool:
        seen.append((request.headers["x-test-user"], device_id))
        return device_id == "device-1"

    app = visitor_app(allow)
    assert post(app, VISITOR_PATH, user="v", json={"deviceId": "device-1"}).status_code == 200
    assert post(app, VISITOR_PATH, user="v", json={"deviceId": "device-2"}).status_code == 403
    assert seen == [("v", "device-1"), ("v", "device-2")]


@pytest.mark.requirement("BACKEND-3")
@pytest.mark.parametrize("said", [None, False, 1, "yes"])
def test_a_policy_that_says_anything_but_true_lets_nobody_in(said: Any) -> None:
    response = post(visitor_app(lambda *_: said), VISITOR_PATH, json={"deviceId": "device-1"})
    assert response.status_code == 403
    assert "authSignature" not in response.text


@pytest.mark.requirement("BACKEND-3", "LOGIN-10")
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"json": {}},
        {"json": {"deviceId": ""}},
        {"json": {"deviceId": "x" * 151}},
        {"json": {"deviceId": "a&b"}},
    ]
    + [{"content": body} for body in (b"x", b'{"deviceId": "\\ud800"}', b'{"deviceId": "a\\nb"}')],
)
def test_a_device_id_that_cannot_be_signed_is_a_bad_request(content: dict[str, Any]) -> None:
    response = post(visitor_app(), VISITOR_PATH, **content)
    assert response.status_code == 400
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.requirement("BACKEND-3", "SECRET-1")
@pytest.mark.parametrize("secret", ["", b"CANARY", "CANARY" * 10_000])
def test_a_visitor_secret_that_cannot_be_is_refused_and_not_shown(secret: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        visitor_signature_route(secret, lambda *_: True)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame.locals for frame in shown.stack if "splus_session" in frame.filename]
    assert "CANARY" not in str(ours) + str(caught.value)


@pytest.mark.requirement("BACKEND-3")
@pytest.mark.parametrize("lifetime", [0, -1, float("nan"), float("inf")])
def test_a_lifetime_that_cannot_be_is_refused(lifetime: float) -> None:
    with pytest.raises(InvalidArgumentError):
        visitor_signature_route(VisitorSecret("secret"), lambda *_: True, lifetime=lifetime)


@pytest.mark.requirement("BACKEND-3")
def test_there_is_no_visitors_route_without_a_policy() -> None:
    with pytest.raises(InvalidHandlerError):
        visitor_signature_route("secret", None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# ── in a customer's own server ─────────────────────────────────────────────────────────────────────


class Listening(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(uvicorn.Config(app, port=0, log_config=None))
        self.listens = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The app on a real socket on loopback."""
    server = Listening(app)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.listens.wait(60)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.requirement("BACKEND-2", "BACKEND-3")
def test_it_serves_real_clients_beside_the_customers_own_routes(platform: Server) -> None:
    issuer = AuthTokenIssuer("CANARY-key", endpoint=platform.origin)
    app = Starlette(
        routes=[
            auth_token_route(issuer, by_header, path="/token"),
            visitor_signature_route("secret", lambda *_: True, path="/visitor"),
            Mount("/v2", auth_token_app(issuer, by_header_later)),
        ]
    )
    headers = {"x-test-user": "anna"}
    with served(app) as origin, httpx2.Client(base_url=origin, headers=headers, trust_env=False) as client:
        for path in ("/token", f"/v2{PATH}"):
            assert client.post(path, json={"userId": "anna"}).json()["authToken"] == "CANARY-token"
            assert client.post(path, json={"userId": "ben"}).status_code == 403
            assert client.get(path).status_code == 405
        assert client.post("/visitor", json={"deviceId": "device-1"}).status_code == 200


@pytest.mark.requirement("BACKEND-2")
def test_a_client_that_hangs_up_halfway_is_no_error(platform: Server) -> None:
    async def main() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def parts() -> AsyncIterator[dict[str, Any]]:
            yield {"type": "http.request", "body": b'{"userId"', "more_body": True}
            yield {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": PATH, "query_string": b"", "root_path": "",
            "headers": [(b"x-test-user", b"anna")],
        }  # fmt: skip
        await app_for(platform)(scope, parts().__anext__, send)
        return sent

    assert anyio.run(main)[0]["status"] == 400
    assert platform.connections == 0
