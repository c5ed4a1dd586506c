"""`aio.HttpPlatform`, on both its loops, and `sync.HttpPlatform`, over real sockets."""

import json
import logging
import socket
import ssl
import threading
import traceback
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from splus_session._credentials import AccessTokenGrant, AuthTokenGrant, Credential, UserIdGrant, VisitorGrant
from splus_session._errors import ConfigurationError
from splus_session._failures import Failure, FailureKind
from splus_session._secrets import AccessToken, AuthSignature, AuthToken
from splus_session.platform import Endpoint, aio, sync
from splus_session.platform._wire import MAX_BODY, Body
from splus_session.ports import Answer, AsyncPlatform, Platform
from tests.platform.drivers import DRIVERS, Driver
from tests.platform.servers import (
    Received,
    Server,
    answer,
    bytes_and_hang_up,
    bytes_and_silence,
    drip,
    silence,
)

TOKEN = AccessToken("CANARY.access.token")
GRANT = AuthTokenGrant("john", AuthToken("CANARY-auth-token"))
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
GRANTED = {
    "accessToken": TOKEN.reveal(),
    "issuedAt": "1994-11-06T08:49:37.000Z",
    "expiresAt": "1994-12-06T08:49:37.000Z",
    "users": [{"userId": "john"}],
}
RAW = json.dumps(GRANTED).encode()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n" % len(RAW)
WHOLE = HEAD + b"\r\n" + RAW
UNREACHABLE = Answer(failure=Failure(FailureKind.UNREACHABLE))
# Long enough for a busy machine to connect, far shorter than what the servers here would take.
SHORT = 0.5


def login(platform: Any) -> Any:
    return platform.open_session(GRANT, device_id="device-1")


def verify(platform: Any) -> Any:
    return platform.verify(TOKEN)


def revoke(platform: Any) -> Any:
    return platform.revoke(TOKEN)


def kind(answer: Answer) -> FailureKind | None:
    return None if answer.failure is None else answer.failure.kind


# ── asking and being answered ──────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGIN-2", "EXPIRE-4")
@pytest.mark.parametrize("chunked", [False, True])
def test_a_login_is_answered_with_a_credential(driver: Driver, *, chunked: bool) -> None:
    with Server(answer(200, GRANTED, {"Date": DATE}, chunked=chunked)) as server:
        times = iter([1000.0, 1001.0])
        got = driver.ask(server.origin, login, now=lambda: next(times))
        [received] = server.received
    assert got.failure is None
    assert got.credential == Credential(TOKEN, "john", 784_111_777, 784_111_777 + 30 * 86_400)
    assert got.clock is not None
    assert (got.clock.date, got.clock.sent_at) == (784_111_777, 1000.0)
    assert (received.method, received.target) == ("POST", "/api/v5/sessions")
    assert received.headers["x-api-key"] == "the-api-key"
    assert isinstance(received.json, dict)
    assert received.json["authToken"] == "CANARY-auth-token"
    assert received.json["deviceId"] == "device-1"


@pytest.mark.requirement("LOGIN-8")
def test_a_visitor_logs_in_at_an_endpoint_of_its_own(driver: Driver) -> None:
    grant = VisitorGrant(AuthSignature("signed"), "2026-01-02T03:04:05Z")
    with Server(answer(200, GRANTED)) as server:
        got = driver.ask(server.origin, lambda platform: platform.open_session(grant, device_id="d"))
        assert server.received[0].target == "/api/v5/sessions/visitor"
    assert got.failure is None


@pytest.mark.requirement("EXPIRE-3", "LOGOUT-3")
def test_a_token_is_verified_and_revoked(driver: Driver) -> None:
    with Server(answer(200), answer(200, {"success": True})) as server:
        assert driver.ask(server.origin, verify) == Answer()
        assert driver.ask(server.origin, revoke) == Answer()
        sent = [(received.method, received.target) for received in server.received]
        tokens = {received.headers["authorization"] for received in server.received}
    assert sent == [("GET", "/api/v3/sessions"), ("DELETE", "/api/v4/sessions")]
    assert tokens == {"Bearer CANARY.access.token"}


@pytest.mark.requirement("WIRE-1")
def test_an_error_is_a_failure_and_no_exception(driver: Driver) -> None:
    error = {"status": "error", "code": 400311, "message": "Slow down"}
    with Server(answer(429, error, {"Retry-After": "7"})) as server:
        got = driver.ask(server.origin, login)
    assert got.failure == Failure(FailureKind.RATE_LIMITED, 429, 400311, 7)


def test_one_platform_answers_many_requests(driver: Driver) -> None:
    with Server(answer(200)) as server:
        if driver.name == "sync":
            platform = sync.HttpPlatform(Endpoint(server.origin), "key")
            assert [platform.verify(TOKEN) for _ in range(3)] == [Answer()] * 3
            platform.close()
        else:

            async def main() -> None:
                platform = aio.HttpPlatform(Endpoint(server.origin), "key")
                assert [await platform.verify(TOKEN) for _ in range(3)] == [Answer()] * 3
                await platform.aclose()

            anyio.run(main, backend=driver.name)


def test_they_are_what_the_ports_ask_for() -> None:
    threaded: Platform = sync.HttpPlatform(Endpoint(), "key")
    threaded.close()

    async def main() -> None:
        platform: AsyncPlatform = aio.HttpPlatform(Endpoint(), "key")
        await platform.aclose()

    anyio.run(main)


# ── no answer ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGIN-3")
def test_a_refused_connection_is_unreachable(driver: Driver) -> None:
    with Server() as server:
        origin = server.origin
    assert driver.ask(origin, login) == UNREACHABLE


@pytest.mark.requirement("LOGIN-3")
@pytest.mark.parametrize("length", [0, 10, len(HEAD), len(WHOLE) - 1])
def test_a_server_that_dies_in_mid_answer_is_unreachable(driver: Driver, length: int) -> None:
    with Server(bytes_and_hang_up(WHOLE[:length])) as server:
        assert driver.ask(server.origin, login) == UNREACHABLE


@pytest.mark.requirement("LOGIN-3", "SECRET-3")
@pytest.mark.parametrize("raw", [b"\x00" * 500, b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 99999 \r\n\r\n"])
def test_a_server_that_speaks_no_http_is_unreachable(driver: Driver, raw: bytes) -> None:
    with Server(bytes_and_hang_up(raw)) as server:
        assert driver.ask(server.origin, login) == UNREACHABLE


@pytest.mark.requirement("LOGIN-3")
def test_a_black_hole_is_unreachable_at_the_deadline(driver: Driver) -> None:
    with Server(silence) as server:
        # Nobody goes on listening behind our back, either.
        got = driver.ask(server.origin, login, timeout=SHORT, before_closing=server.hung_up_soon)
    assert got == UNREACHABLE


@pytest.mark.requirement("LOGIN-3", "SECRET-3")
@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"x-padding: " + b"x" * 1000 + b"\r\n\r\n" + RAW,
        HEAD.replace(b"%d" % len(RAW), b"1000") + b"\r\n" + RAW.ljust(1000),
    ],
    ids=["the headers", "the body"],
)
def test_the_deadline_is_for_the_whole_answer_however_it_drips_in(driver: Driver, raw: bytes) -> None:
    # The answer would be complete, and good, after some twenty seconds.
    with Server(drip(raw)) as server:
        got = driver.ask(server.origin, login, timeout=SHORT, before_closing=server.hung_up_soon)
    assert got == UNREACHABLE


def test_a_closed_platform_is_unreachable(driver: Driver) -> None:
    with Server(answer(200)) as server:
        if driver.name == "sync":
            platform = sync.HttpPlatform(Endpoint(server.origin), "key")
            platform.close()
            assert platform.verify(TOKEN) == UNREACHABLE
        else:

            async def main() -> None:
                platform = aio.HttpPlatform(Endpoint(server.origin), "key")
                await platform.aclose()
                assert await platform.verify(TOKEN) == UNREACHABLE

            anyio.run(main, backend=driver.name)
        assert server.received == []


@pytest.mark.requirement("CLIENT-3")
def test_closing_ends_the_requests_of_other_threads_and_leaves_other_connections_alone() -> None:
    """A thread that still waited for a closed connection would read from the next one of the same number."""
    asked = threading.Event()

    def listen(server: Server, connection: socket.socket, received: Received) -> None:
        asked.set()
        silence(server, connection, received)

    with Server(listen) as silent, Server(bytes_and_hang_up(WHOLE)) as other:
        platform = sync.HttpPlatform(Endpoint(silent.origin), "key", timeout=30)
        answers: list[Answer] = []
        asking = threading.Thread(target=lambda: answers.append(platform.verify(TOKEN)), daemon=True)
        asking.start()
        assert asked.wait(10)
        platform.close()
        asking.join(10)
        assert answers == [UNREACHABLE]
        again = sync.HttpPlatform(Endpoint(other.origin), "key")
        try:
            assert login(again).failure is None
        finally:
            again.close()


def test_without_a_thread_to_be_had_it_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: object) -> None:
        raise RuntimeError("can't start new thread")

    with Server(answer(200)) as server:
        platform = sync.HttpPlatform(Endpoint(server.origin), "key")
        with monkeypatch.context() as patch:
            patch.setattr("threading.Thread.start", refuse)
            assert platform.verify(TOKEN) == UNREACHABLE
        platform.close()


# ── answers that are no good ───────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_body_is_malformed_and_not_read_to_its_end(driver: Driver, *, chunked: bool) -> None:
    body = json.dumps({**GRANTED, "padding": "x" * 16 * MAX_BODY}).encode()
    with Server(answer(200, body, chunked=chunked)) as server:
        assert kind(driver.ask(server.origin, login)) is FailureKind.MALFORMED
        server.hung_up_soon()


@pytest.mark.requirement("SECRET-3")
def test_a_body_just_within_the_bound_is_read(driver: Driver) -> None:
    body = json.dumps(GRANTED).encode().ljust(MAX_BODY)
    with Server(answer(200, body)) as server:
        assert driver.ask(server.origin, login).failure is None


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff\xfe", b""])
def test_a_body_that_makes_no_sense_is_malformed(driver: Driver, body: bytes) -> None:
    with Server(answer(200, body)) as server:
        assert kind(driver.ask(server.origin, login)) is FailureKind.MALFORMED


# ── where secrets go ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("SECRET-2")
@pytest.mark.parametrize("call", [login, verify, revoke])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_follows_a_redirect(driver: Driver, call: Any, status: int) -> None:
    with Server() as server, Server(answer(200, GRANTED)) as elsewhere:
        server.then(answer(status, headers={"Location": f"{elsewhere.origin}/api/v5/sessions"}))
        got = driver.ask(server.origin, call)
        assert len(server.received) == 1
        assert elsewhere.connections == 0
    assert got.failure == Failure(FailureKind.MALFORMED, status)


@pytest.mark.requirement("SECRET-2")
def test_a_client_that_was_given_sends_what_we_say_and_stays_open(driver: Driver) -> None:
    make = httpx2.Client if driver.name == "sync" else httpx2.AsyncClient
    client: Any = make(
        follow_redirects=True,
        auth=("user", "password"),
        cookies={"a": "b"},
        headers={"x-own": "1"},
        base_url="http://127.0.0.1:1",
    )
    with Server() as server, Server(answer(200, GRANTED)) as elsewhere:
        server.then(answer(307, headers={"Location": elsewhere.origin}))
        got = driver.ask(server.origin, login, client=client)
        [received] = server.received
        assert elsewhere.connections == 0
    assert kind(got) is FailureKind.MALFORMED
    assert not {"authorization", "cookie", "x-own"} & set(received.headers)
    assert not client.is_closed


@pytest.mark.requirement("SECRET-2")
def test_a_certificate_that_nobody_vouches_for_gets_no_request(driver: Driver) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "self_signed.pem")
    with Server(answer(200, GRANTED), tls=context) as server:
        assert driver.ask(server.origin, login) == UNREACHABLE
        assert server.connections == 1
        assert server.received == []


@pytest.mark.requirement("SECRET-2")
def test_no_proxy_of_the_environment_gets_what_is_meant_for_this_machine(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(answer(200, GRANTED)) as proxy, Server(answer(200, GRANTED)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert driver.ask(server.origin, login).failure is None
        assert proxy.connections == 0


@pytest.mark.requirement("SECRET-2")
def test_a_proxy_of_the_environment_sees_where_a_request_goes_and_nothing_else(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(answer(502)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.origin)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert driver.ask(Endpoint().origin, login) == UNREACHABLE
        [received] = proxy.received
    assert (received.method, received.target) == ("CONNECT", "apix.sg.amity.co:443")
    assert "CANARY" not in str(received)
    assert "the-api-key" not in str(received)


@pytest.mark.requirement("SECRET-2", "LOGOUT-5")
def test_no_cookie_is_kept(driver: Driver) -> None:
    def verify_and_look(platform: Any) -> Any:
        clients.append(platform._client)
        return verify(platform)

    clients: list[Any] = []
    with Server(answer(200, {}, {"Set-Cookie": "_ascSession=CANARY"})) as server:
        assert driver.ask(server.origin, verify_and_look) == Answer()
    assert list(clients[0].cookies.jar) == []


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize(
    "script",
    [
        answer(200, GRANTED),
        answer(400, {"code": 400100, "message": "CANARY-auth-token"}),
        bytes_and_hang_up(WHOLE[:-1]),
        bytes_and_hang_up(b"CANARY"),
        silence,
    ],
    ids=["granted", "refused", "killed", "no HTTP", "black hole"],
)
def test_no_secret_is_logged(driver: Driver, script: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(script) as server:
        driver.ask(server.origin, login, timeout=SHORT, api_key="CANARY-api-key")
        driver.ask(server.origin, verify, timeout=SHORT, api_key="CANARY-api-key")
    assert caplog.records
    assert "CANARY" not in caplog.text


@pytest.mark.requirement("SECRET-1", "LOGIN-7", "EXPIRE-3")
@pytest.mark.parametrize("token", ["CANARY\r\nX: Y", "CANARY ключ", "CANARY\ud800"])
def test_a_token_that_no_header_can_carry_counts_as_refused_and_is_not_sent(
    driver: Driver, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bad = AccessToken(token)
    grant = AccessTokenGrant(Credential(bad, "john", 0.0))
    with Server(answer(200)) as server:
        for call, expected in (
            (lambda platform: platform.open_session(grant, device_id="d"), FailureKind.REFUSED),
            (lambda platform: platform.verify(bad), FailureKind.UNAUTHORIZED),
            (lambda platform: platform.revoke(bad), FailureKind.UNAUTHORIZED),
        ):
            assert driver.ask(server.origin, call) == Answer(failure=Failure(expected))
        assert server.connections == 0
    assert "CANARY" not in caplog.text


@pytest.mark.requirement("SECRET-1")
def test_the_log_says_no_more_of_an_error_than_its_name(
    driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.LocalProtocolError("Illegal header value b'Bearer CANARY'") from ValueError("CANARY")

    caplog.set_level(logging.DEBUG)
    make = httpx2.Client if driver.name == "sync" else httpx2.AsyncClient
    client: Any = make(transport=httpx2.MockTransport(fail))
    assert driver.ask("http://127.0.0.1:1", login, client=client) == UNREACHABLE
    assert "LocalProtocolError < ValueError" in caplog.text
    assert "CANARY" not in caplog.text


def test_the_log_says_why_there_is_no_answer(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="splus_session")
    with Server(silence) as server:
        origin = server.origin
        driver.ask(origin, login, timeout=SHORT)
    driver.ask(origin, login)
    timed_out, refused = [
        record.getMessage() for record in caplog.records if record.name == "splus_session.platform"
    ]
    assert timed_out.startswith(f"no answer from {origin} to POST /api/v5/sessions: ")
    assert "timeout" in timed_out.lower()
    assert refused.startswith(f"no answer from {origin} to POST /api/v5/sessions: ConnectError < ")


# ── cancellation ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGIN-9", "SECRET-1")
@pytest.mark.parametrize("backend", DRIVERS[1:])
def test_cancellation_passes_through_and_shows_no_secret_of_our_frames(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = HEAD.replace(b"%d" % len(RAW), b"100000") + b"\r\n" + RAW
    seen: list[traceback.TracebackException] = []

    async def ask(platform: aio.HttpPlatform) -> None:
        try:
            await login(platform)
        except BaseException as error:
            seen.append(traceback.TracebackException.from_exception(error, capture_locals=True))
            raise

    async def main() -> None:
        platform = aio.HttpPlatform(Endpoint(server.origin), "CANARY-api-key")
        async with anyio.create_task_group() as group:
            group.start_soon(ask, platform)
            await anyio.to_thread.run_sync(half_read.wait)
            group.cancel_scope.cancel()
        await platform.aclose()

    def feed(body: Body, part: bytes) -> bool:
        half_read.set()
        return Body.feed(body, part)

    half_read = threading.Event()
    noticing = type("Body", (Body,), {"feed": feed})
    monkeypatch.setattr("splus_session.platform._wire.Body", noticing)
    with Server(bytes_and_silence(raw)) as server:
        anyio.run(main, backend=backend)
        server.hung_up_soon()
    [shown] = seen
    ours = [frame for frame in shown.stack if "splus_session" in frame.filename]
    assert {"_ask", "_exchange"} <= {frame.name for frame in ours}
    assert "CANARY" not in str([frame.locals for frame in ours])


# ── making one ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("CLIENT-1", "SECRET-1")
@pytest.mark.parametrize("make", [aio.HttpPlatform, sync.HttpPlatform])
@pytest.mark.parametrize(
    ("key", "timeout"),
    [
        ("", 30.0),
        ("CANARY key", 30.0),
        ("CANARY", 0.0),
        ("CANARY", -1.0),
        ("CANARY", float("nan")),
        ("CANARY", float("inf")),
    ],
)
def test_what_cannot_be_is_refused_without_showing_it(make: Any, key: str, timeout: float) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(Endpoint(), key, timeout=timeout)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "splus_session" in frame.filename]
    assert ours
    assert "CANARY" not in str([frame.locals for frame in ours])


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize("make", [aio.HttpPlatform, sync.HttpPlatform])
def test_a_platform_shows_no_key(make: Any) -> None:
    platform = make(Endpoint(), "CANARY")
    assert "CANARY" not in f"{platform!r} {vars(platform)}"


def test_the_user_id_alone_is_presented_in_development(driver: Driver) -> None:
    with Server(answer(200, GRANTED)) as server:
        driver.ask(server.origin, lambda p: p.open_session(UserIdGrant("john"), device_id="d"))
        assert isinstance(server.received[0].json, dict)
        assert "authToken" not in server.received[0].json
