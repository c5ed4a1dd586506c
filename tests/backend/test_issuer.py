"""Over real sockets, from coroutines on asyncio and trio and from threads."""

import functools
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splus_session._config import Limits
from splus_session._errors import (
    ConfigurationError,
    InvalidArgumentError,
    MalformedAnswerError,
    PlatformError,
    RefusedError,
    UnavailableError,
    UserBannedError,
    UserDeletedError,
)
from splus_session._failures import Failure, FailureKind
from splus_session._secrets import AuthToken, ServerKey
from splus_session.backend import AuthTokenIssuer
from splus_session.platform import Endpoint
from tests.platform.servers import Script, Server, answer, bytes_and_hang_up, drip, silence

Issue = Callable[[AuthTokenIssuer, str], AuthToken]

SHORT = 0.3
"""Seconds that a test waits for what never comes."""


def in_a_coroutine(backend: str, issuer: AuthTokenIssuer, user_id: str) -> AuthToken:
    return anyio.run(issuer.issue, user_id, backend=backend)


WAYS: dict[str, Issue] = {
    "asyncio": functools.partial(in_a_coroutine, "asyncio"),
    "trio": functools.partial(in_a_coroutine, "trio"),
    "thread": AuthTokenIssuer.issue_sync,
}


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def issue(request: pytest.FixtureRequest) -> Issue:
    way: Issue = request.param
    return way


def issuer_for(server: Server, **options: Any) -> AuthTokenIssuer:
    return AuthTokenIssuer("CANARY-key", endpoint=server.origin, **options)


# ── what is sent, and the token ────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("BACKEND-1")
def test_the_server_key_is_exchanged_for_a_token(issue: Issue) -> None:
    with Server(answer(200, b"the-auth-token", {"Content-Type": "text/plain"})) as server:
        assert issue(issuer_for(server), "user-123") == AuthToken("the-auth-token")
        [received] = server.received
    assert (received.method, received.target) == ("POST", "/api/v4/authentication/token")
    assert received.headers["x-server-key"] == "CANARY-key"
    assert received.headers["content-type"] == "application/json"
    assert received.json == {"userId": "user-123"}
    assert not {"authorization", "cookie"} & set(received.headers)


@pytest.mark.requirement("BACKEND-1")
@pytest.mark.parametrize(
    "body", [b'"the-auth-token"', b"the-auth-token\n", b' "the-auth-token"\r\n', "the-auth-token"]
)
def test_a_token_may_come_as_text_or_as_json(body: object) -> None:
    with Server(answer(200, body, chunked=True)) as server:
        assert issuer_for(server).issue_sync("user-123") == AuthToken("the-auth-token")


@pytest.mark.requirement("BACKEND-1")
def test_one_issuer_serves_any_loop_and_thread() -> None:
    with Server(answer(200, b"token")) as server:
        issuer = issuer_for(server)
        got: list[AuthToken] = []
        threads = [
            threading.Thread(target=lambda issue=issue: got.append(issue(issuer, "user-123")))
            for issue in WAYS.values()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [AuthToken("token")] * 3


@pytest.mark.requirement("BACKEND-1")
def test_a_thread_with_an_event_loop_may_call_it_too() -> None:
    async def main() -> AuthToken:
        return issuer_for(server).issue_sync("user-123")

    with Server(answer(200, b"token")) as server:
        assert anyio.run(main) == AuthToken("token")


# ── what the platform says instead ─────────────────────────────────────────────────────────────────


def flood(server: Server, connection: socket.socket, _received: object) -> None:
    """An answer without end."""
    with suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        while not server.stopped.is_set():
            connection.sendall(b"x" * 65_536)
    server.hung_up.set()


REFUSALS: dict[str, tuple[Script, type[PlatformError], Failure, str]] = {
    "the key is unknown": (
        answer(401, b"Unauthorized"), RefusedError, Failure(FailureKind.REFUSED, 401), "does not know this server key",
    ),
    "secure mode is off": (
        answer(403, {"status": "error", "code": 400300}),
        RefusedError, Failure(FailureKind.REFUSED, 403, 400300), "secure mode",
    ),
    "the user id is not taken": (
        answer(422, {"status": "error", "code": 500000}),
        RefusedError, Failure(FailureKind.REFUSED, 422, 500000), "does not take this user id",
    ),
    "another refusal": (answer(418), RefusedError, Failure(FailureKind.REFUSED, 418), "418"),
    "the user is banned": (
        answer(403, {"code": 400312}), UserBannedError, Failure(FailureKind.BANNED, 403, 400312), "banned",
    ),
    "the user is deleted": (
        answer(404, {"code": 400400}), UserDeletedError, Failure(FailureKind.DELETED, 404, 400400), "deleted",
    ),
    "it is ailing": (answer(503), UnavailableError, Failure(FailureKind.UNAVAILABLE, 503), "ailing"),
    "it is too busy": (
        answer(429, {"code": 400311}, {"Retry-After": "7"}),
        UnavailableError, Failure(FailureKind.RATE_LIMITED, 429, 400311, 7.0), "slow down",
    ),
    "no token": (answer(200), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense"),
    "a page": (
        answer(200, b"<html>sign in to this network</html>"),
        MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "an object": (
        answer(200, {"token": "CANARY"}), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "a page without a blank": (
        answer(200, b"<html></html>"), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "an object without a blank": (
        answer(200, b'{"success":false}'), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "half an object": (
        answer(200, b'{"token":"CANARY'), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "a list": (answer(200, b"[]"), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense"),
    "null": (answer(200, b"null"), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense"),
    "true": (answer(200, b" true\n"), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense"),
    "a number": (answer(200, b"500000"), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense"),
    "a page in JSON": (
        answer(200, b'"<html></html>"'), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "a control character in JSON": (
        answer(200, b'"to\\u0000ken"'), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "broken JSON": (answer(200, b'"CANARY'), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense"),
    "no ASCII": (answer(200, "é".encode()), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense"),
    "a token too long": (
        answer(200, b"x" * 101), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "an answer too long": (
        answer(200, b"x" * 1_100_000), MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "an answer without end": (
        flood, MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "a compressed answer": (
        answer(200, bytes.fromhex("1f8b08000000000000ff2b4e4d2e4a2d0100"), {"Content-Encoding": "gzip"}),
        MalformedAnswerError, Failure(FailureKind.MALFORMED, 200), "no sense",
    ),
    "no HTTP": (
        bytes_and_hang_up(b"220 mail.example.com ESMTP\r\n"),
        UnavailableError, Failure(FailureKind.UNREACHABLE), "did not answer at http:",
    ),
    "half an answer": (
        bytes_and_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nCANARY-half"),
        UnavailableError, Failure(FailureKind.UNREACHABLE), "did not answer at http:",
    ),
    "silence": (silence, UnavailableError, Failure(FailureKind.UNREACHABLE), "did not answer at http:"),
    "a body that drips": (
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"CANARY" * 10_000),
        UnavailableError, Failure(FailureKind.UNREACHABLE), "did not answer at http:",
    ),
    "a head that drips": (
        drip(b"HTTP/1.1 200 OK\r\n" + b"X-CANARY: x\r\n" * 10_000),
        UnavailableError, Failure(FailureKind.UNREACHABLE), "did not answer at http:",
    ),
}  # fmt: skip
every_refusal = pytest.mark.parametrize(
    ("script", "error", "failure", "words"), REFUSALS.values(), ids=REFUSALS
)


@every_refusal
@pytest.mark.requirement("BACKEND-1", "SECRET-1", "SECRET-3", "WIRE-1")
def test_what_comes_instead_of_a_token_is_a_typed_error_that_shows_no_secret(
    issue: Issue,
    script: Script,
    error: type[PlatformError],
    failure: Failure,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(script) as server, pytest.raises(error, match=words) as caught:
        issue(issuer_for(server, timeout=SHORT if failure.status is None else 10.0), "user-123")
    assert caught.value.failure == failure
    assert caught.value.retryable is (error is UnavailableError)
    assert (caught.value.retry_at is not None) is (failure.retry_after is not None)
    assert_shows_no_canary(caught.value)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("splus_session")]
    assert "CANARY" not in str(ours)
    assert "CANARY-key" not in caplog.text


def assert_shows_no_canary(error: BaseException) -> None:
    """Neither its message, nor what it hangs on, nor any variable of a frame of ours."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [f"{frame.line} {frame.locals}" for frame in shown.stack if "splus_session" in frame.filename]
    assert "CANARY" not in str(ours) + str(error)
    assert error.__context__ is None


@pytest.mark.requirement("BACKEND-1", "SECRET-2")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(issue: Issue, status: int) -> None:
    with Server() as server, Server(answer(200, b"token")) as elsewhere:
        server.then(answer(status, headers={"Location": f"{elsewhere.origin}/api/v4/authentication/token"}))
        with pytest.raises(MalformedAnswerError):
            issue(issuer_for(server), "user-123")
        assert len(server.received) == 1
        assert elsewhere.connections == 0


@pytest.mark.requirement("BACKEND-1")
def test_nobody_there_is_retryable(issue: Issue) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnavailableError) as caught:
        issue(AuthTokenIssuer("key", endpoint=f"http://127.0.0.1:{port}"), "user-123")
    assert caught.value.retryable


@pytest.mark.requirement("BACKEND-1")
@pytest.mark.parametrize("way", WAYS)
def test_a_name_server_that_says_nothing_holds_nobody_up(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told, held_up = threading.Event(), []

    def look_up(
        _host: object,
        _port: object,
        _family: int = 0,
        _type: int = 0,
        _proto: int = 0,
        flags: int = 0,
        **_: int,
    ) -> None:
        # trio asks first whether it is a number, as that needs no waiting.
        if not flags & socket.AI_NUMERICHOST and not told.wait(30):
            held_up.append(way)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    async def main() -> None:
        with pytest.raises(UnavailableError):
            await issuer.issue("user-123")
        told.set()  # before the loop ends, which waits for its threads

    issuer = AuthTokenIssuer("key", timeout=SHORT)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    if way == "thread":
        with pytest.raises(UnavailableError):
            issuer.issue_sync("user-123")
        told.set()
    else:
        anyio.run(main, backend=way)
    assert held_up == []


@pytest.mark.requirement("BACKEND-1", "SECRET-3")
@settings(max_examples=40)
@given(
    status=st.sampled_from([200, 200, 201, 204, 400, 401, 500]),
    body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode),
)
def test_any_answer_is_a_token_or_a_platform_error(status: int, body: bytes) -> None:
    with Server(answer(status, b"" if status == 204 else body)) as server:
        try:
            token = issuer_for(server).issue_sync("user-123").reveal()
        except PlatformError:
            return
    assert status in {200, 201}
    assert 1 <= len(token) <= 100
    assert token.isascii()
    assert token.isprintable()
    assert token.encode() in body


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_exchange_shows_no_secret_of_our_frames(backend: str) -> None:
    seen: list[traceback.TracebackException] = []
    answered = threading.Event()

    def script(server: Server, connection: socket.socket, _received: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nCANARY-token")
        answered.set()
        server.await_hang_up(connection)

    async def ask(issuer: AuthTokenIssuer) -> None:
        try:
            await issuer.issue("user-123")
        except BaseException as error:
            seen.append(traceback.TracebackException.from_exception(error, capture_locals=True))
            raise

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(ask, issuer_for(server))
            await anyio.to_thread.run_sync(answered.wait)
            group.cancel_scope.cancel()

    with Server(script) as server:
        anyio.run(main, backend=backend)
    [shown] = seen
    ours = [frame for frame in shown.stack if "splus_session" in frame.filename]
    assert ours
    assert "CANARY" not in str([frame.locals for frame in ours])


# ── where it may go ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("BACKEND-1", "SECRET-2")
def test_a_certificate_nobody_vouches_for_gets_no_key(issue: Issue) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem = Path(__file__).parents[1] / "platform" / "self_signed.pem"
    tls.load_cert_chain(pem)
    with Server(answer(200, b"token"), tls=tls) as server:
        with pytest.raises(UnavailableError):
            issue(issuer_for(server), "user-123")
        assert server.received == []
        trusting = ssl.create_default_context(cafile=str(pem))
        trusting.check_hostname = False
        assert issue(issuer_for(server, ssl_context=trusting), "user-123") == AuthToken("token")


@pytest.mark.requirement("SECRET-2")
def test_no_proxy_of_the_environment_gets_what_is_meant_for_this_machine(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(answer(200, b"proxied")) as proxy, Server(answer(200, b"token")) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert issue(issuer_for(server), "user-123") == AuthToken("token")
        assert proxy.connections == 0


@pytest.mark.requirement("CLIENT-1", "BACKEND-1")
def test_it_asks_the_region_it_is_told() -> None:
    assert AuthTokenIssuer("key").origin == "https://apix.sg.amity.co"
    assert AuthTokenIssuer("key", region="eu").origin == "https://apix.eu.amity.co"
    assert AuthTokenIssuer("key", endpoint=Endpoint.region("us")).origin == "https://apix.us.amity.co"
    assert AuthTokenIssuer("key", endpoint="https://a.example").origin == "https://a.example"


# ── what is refused at once ────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("BACKEND-1", "CLIENT-1", "SECRET-1", "SECRET-2")
@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("", {}),
        (None, {}),
        (b"CANARY", {}),
        ("CANARY\r\nX: y", {}),
        ("CANARY key", {}),
        ("CANARY-é", {}),
        ("CANARY" * 10_000, {}),
        ("CANARY", {"region": "mars"}),
        ("CANARY", {"endpoint": "http://social.example.com"}),
        ("CANARY", {"endpoint": "not a URL"}),
        ("CANARY", {"endpoint": 7}),
        ("CANARY", {"region": "mars", "endpoint": "https://a.example"}),
        ("CANARY", {"region": "sg", "endpoint": "https://a.example"}),
        ("CANARY", {"timeout": 0}),
        ("CANARY", {"timeout": float("nan")}),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_made(key: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AuthTokenIssuer(key, **options)
    assert_shows_no_canary(caught.value)


@pytest.mark.requirement("BACKEND-1", "LOGIN-10")
@pytest.mark.parametrize("user_id", ["", " ", "x" * 51, "john\ud83d", None, 5])
def test_a_user_id_the_platform_does_not_take_is_not_sent(issue: Issue, user_id: Any) -> None:
    with Server(answer(200, b"token")) as server:
        with pytest.raises(InvalidArgumentError):
            issue(issuer_for(server), user_id)
        assert server.connections == 0


@pytest.mark.requirement("LOGIN-10")
def test_the_platforms_limits_can_be_changed() -> None:
    with Server(answer(200, b"x" * 101)) as server:
        issuer = issuer_for(server, limits=Limits(user_id=60, auth_token=200))
        assert issuer.issue_sync("x" * 51) == AuthToken("x" * 101)


@pytest.mark.requirement("BACKEND-1", "SECRET-1")
def test_an_issuer_shows_no_key() -> None:
    issuer = AuthTokenIssuer(ServerKey("CANARY"))
    assert "CANARY" not in repr(issuer) + str(vars(issuer))
