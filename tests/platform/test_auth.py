"""An app's own httpx2 client, of both kinds and on both loops, against a real server."""

import gc
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx2
import pytest

from splus_session._errors import InvalidArgumentError, NotLoggedInError, SessionClosed
from splus_session.platform._peek import MAX_PEEK
from splus_session.platform.auth import SessionAuth
from tests.platform.drivers import DRIVERS, AsyncScriptedAuthorizer, Driver, ScriptedAuthorizer
from tests.platform.servers import Server, answer, bytes_and_hang_up, bytes_and_silence

REJECTED = {"status": "error", "code": 400100, "message": "Unauthorized"}
BANNED = {"status": "error", "code": 400312, "message": "Banned"}


def get(server: Server, path: str = "/api/v3/users", **options: Any) -> httpx2.Request:
    return httpx2.Request("GET", server.origin + path, **options)


def tokens(server: Server) -> list[str | None]:
    return [received.headers.get("authorization") for received in server.received]


# ── the header ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("EXPIRE-2")
def test_every_request_asks_the_session_anew(driver: Driver) -> None:
    with Server(answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        request = get(server)
        driver.send(authorizer, request)
        driver.send(authorizer, request)  # the same object: its old header is replaced
        driver.send(authorizer, get(server))
    assert tokens(server) == ["Bearer one", "Bearer two", "Bearer two"]
    assert authorizer.told == []


@pytest.mark.requirement("SECRET-2")
@pytest.mark.parametrize(
    "origin",
    ["https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://localhost:{port}", "http://127.0.0.2:{port}"],
)
def test_no_other_origin_gets_the_header_or_is_believed(driver: Driver, origin: str) -> None:
    with Server(answer(401, BANNED)) as server:
        ours = origin.format(port=server.origin.rpartition(":")[2])
        authorizer = ScriptedAuthorizer(ours, "CANARY")
        assert driver.send(authorizer, get(server)).status_code == 401
    assert tokens(server) == [None]
    assert authorizer.asked == 0
    assert authorizer.told == []


@pytest.mark.requirement("SECRET-2")
def test_the_origin_is_the_same_in_any_spelling(driver: Driver) -> None:
    with Server(answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin.replace("http", "HTTP") + "/", "one")
        driver.send(authorizer, get(server))
    assert tokens(server) == ["Bearer one"]


@pytest.mark.requirement("EXPIRE-3")
def test_a_header_of_the_apps_own_is_left_alone(driver: Driver) -> None:
    with Server(answer(401, BANNED)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one")
        response = driver.send(authorizer, get(server, headers={"Authorization": "Basic own"}))
    assert response.json() == BANNED
    assert tokens(server) == ["Basic own"]
    assert authorizer.asked == 0
    assert authorizer.told == []


@pytest.mark.requirement("SECRET-2")
def test_our_header_does_not_stay_on_a_request_that_now_goes_elsewhere(driver: Driver) -> None:
    with Server(answer(200)) as server, Server(answer(200)) as elsewhere:
        authorizer = ScriptedAuthorizer(server.origin, "CANARY")
        request = get(server)
        driver.send(authorizer, request)
        request.url = httpx2.URL(elsewhere.origin)
        driver.send(authorizer, request)
    assert tokens(elsewhere) == [None]


@pytest.mark.requirement("EXPIRE-5")
@pytest.mark.parametrize(
    "error",
    [NotLoggedInError("nobody is logged in"), SessionClosed("closed")],
    ids=["not logged in", "closed"],
)
def test_without_a_token_nothing_is_sent_and_the_app_hears_why(driver: Driver, error: Exception) -> None:
    with Server(answer(200)) as server:
        with pytest.raises(type(error)):
            driver.send(ScriptedAuthorizer(server.origin, error), get(server))
        assert server.connections == 0


@pytest.mark.requirement("SECRET-1")
def test_a_request_shows_no_token_beyond_what_httpx2_masks(driver: Driver) -> None:
    with Server(answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "CANARY")
        response = driver.send(authorizer, get(server))
    assert (
        "CANARY" not in f"{response.request!r} {response.request.headers!r} {response.request.extensions!r}"
    )
    assert "CANARY" not in repr(SessionAuth(authorizer))


def test_a_session_of_the_other_kind_is_refused() -> None:
    authorizer = ScriptedAuthorizer("http://127.0.0.1", "one")
    threaded = httpx2.Client(auth=SessionAuth(AsyncScriptedAuthorizer(authorizer)))
    with threaded, pytest.raises(InvalidArgumentError, match=r"httpx2\.AsyncClient"):
        threaded.get("http://127.0.0.1")

    async def main() -> None:
        async with httpx2.AsyncClient(auth=SessionAuth(authorizer)) as client:
            with pytest.raises(InvalidArgumentError, match=r"httpx2\.Client"):
                await client.get("http://127.0.0.1")

    anyio.run(main)


# ── rejections ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("EXPIRE-3")
@pytest.mark.parametrize(
    "rejection",
    [
        answer(401, REJECTED),
        answer(401),
        answer(401, b"<html>"),
        answer(400, REJECTED),
        answer(403, REJECTED),
    ],
    ids=["401 and 400100", "401", "401 in HTML", "400 and 400100", "403 and 400100"],
)
def test_a_rejected_token_is_reported_and_the_request_sent_again_with_a_new_one(
    driver: Driver, rejection: Any
) -> None:
    with Server(rejection, answer(200, {"ok": True})) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        request = httpx2.Request("POST", f"{server.origin}/api/v3/posts", json={"text": "hello"})
        response = driver.send(authorizer, request)
    assert response.json() == {"ok": True}
    assert tokens(server) == ["Bearer one", "Bearer two"]
    assert [received.json for received in server.received] == [{"text": "hello"}] * 2
    assert authorizer.told == [("rejected", 1)]


@pytest.mark.requirement("EXPIRE-3")
@pytest.mark.parametrize("then", ["one", NotLoggedInError("gone"), SessionClosed("closed")], ids=str)
def test_without_another_token_the_app_gets_its_401(driver: Driver, then: str | Exception) -> None:
    with Server(answer(401, REJECTED)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", then)
        response = driver.send(authorizer, get(server))
    assert response.status_code == 401
    assert response.json() == REJECTED
    assert tokens(server) == ["Bearer one"]
    assert authorizer.told == [("rejected", 1)]


@pytest.mark.requirement("EXPIRE-2", "EXPIRE-3")
def test_a_request_of_one_stay_is_not_sent_again_with_a_token_of_the_next(driver: Driver) -> None:
    with Server(answer(401, REJECTED), answer(200, {"ok": True})) as server:
        authorizer = ScriptedAuthorizer(server.origin, "alice", "bob", stays=(1, 2))
        response = driver.send(authorizer, get(server))
        assert response.status_code == 401
        assert response.json() == REJECTED
        assert tokens(server) == ["Bearer alice"]
        assert driver.send(authorizer, get(server)).json() == {"ok": True}
    assert tokens(server) == ["Bearer alice", "Bearer bob"]
    assert authorizer.told == [("rejected", 1)]


@pytest.mark.requirement("EXPIRE-3")
def test_a_second_rejection_is_reported_and_is_the_apps(driver: Driver) -> None:
    with Server(answer(401, REJECTED)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two", "three")
        response = driver.send(authorizer, get(server))
    assert response.status_code == 401
    assert tokens(server) == ["Bearer one", "Bearer two"]
    assert authorizer.told == [("rejected", 1), ("rejected", 2)]
    assert authorizer.asked == 2  # to ask once more would be to wait for nothing


@pytest.mark.requirement("EXPIRE-3")
def test_a_report_that_comes_too_late_hurts_nobody(driver: Driver) -> None:
    class Closed(ScriptedAuthorizer):
        def report_rejected(self, attempt: int) -> None:
            raise SessionClosed("closed")

        report_banned = report_rejected

    for code in (400100, 400312):
        with Server(answer(401, {"code": code})) as server:
            assert driver.send(Closed(server.origin, "one"), get(server)).json() == {"code": code}


@pytest.mark.requirement("BAN-3", "WIRE-1")
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_ban_is_reported_and_is_the_apps(driver: Driver, status: int) -> None:
    with Server(answer(status, BANNED)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        response = driver.send(authorizer, get(server))
    assert response.json() == BANNED
    assert len(server.received) == 1
    assert authorizer.told == [("banned", 1)]


@pytest.mark.requirement("BAN-3")
def test_a_ban_that_the_second_answer_brings_is_reported_too(driver: Driver) -> None:
    with Server(answer(401), answer(403, BANNED)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        assert driver.send(authorizer, get(server)).json() == BANNED
    assert authorizer.told == [("rejected", 1), ("banned", 2)]


@pytest.mark.requirement("WIRE-1")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, BANNED),
        (200, REJECTED),
        (302, BANNED),
        (403, {"code": 400301}),
        (404, {"code": 400400}),
        (429, {"code": 400311}),
        (500, {"code": 500000}),
        (400, [400312]),
    ],
)
def test_other_answers_are_none_of_the_sessions_business(driver: Driver, status: int, body: object) -> None:
    with Server(answer(status, body)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        assert driver.send(authorizer, get(server)).json() == body
    assert len(server.received) == 1
    assert authorizer.told == []


# ── bodies that cannot be sent twice ───────────────────────────────────────────────────────────────


class Upload:
    """Bytes in parts, for clients of either kind."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"some"
        yield b"thing"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"some"
        yield b"thing"


@pytest.mark.requirement("EXPIRE-3")
def test_a_streamed_body_is_sent_once(driver: Driver) -> None:
    parts: Any = iter(Upload()) if driver.name == "sync" else aiter(Upload())
    with Server(answer(401, REJECTED), answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        response = driver.send(authorizer, httpx2.Request("POST", server.origin, content=parts))
    assert response.json() == REJECTED
    assert [received.body for received in server.received] == [b"something"]
    assert authorizer.told == [("rejected", 1)]
    assert authorizer.asked == 1


@pytest.mark.requirement("EXPIRE-3")
def test_a_multipart_body_is_sent_once(driver: Driver) -> None:
    with Server(answer(401, REJECTED), answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        request = httpx2.Request("POST", server.origin, files={"file": b"content"})
        assert driver.send(authorizer, request).json() == REJECTED
    assert len(server.received) == 1
    assert authorizer.told == [("rejected", 1)]


# ── redirects ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("SECRET-2", "EXPIRE-3")
@pytest.mark.parametrize("body", [BANNED, REJECTED])
def test_a_redirect_elsewhere_takes_no_header_along_and_nobody_there_is_believed(
    driver: Driver, body: object
) -> None:
    with Server() as server, Server(answer(401, body)) as elsewhere:
        server.then(answer(307, headers={"Location": elsewhere.origin}))
        authorizer = ScriptedAuthorizer(server.origin, "CANARY", "two")
        response = driver.send(authorizer, get(server), follow_redirects=True)
    assert response.json() == body
    assert tokens(server) == ["Bearer CANARY"]
    assert tokens(elsewhere) == [None]
    assert "CANARY" not in str(elsewhere.received)
    assert authorizer.told == []


@pytest.mark.requirement("SECRET-2")
def test_where_httpx2_keeps_the_header_on_the_way_to_https_nobody_is_believed_either(driver: Driver) -> None:
    def upgrade(request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme == "http":
            return httpx2.Response(307, headers={"Location": "https://127.0.0.1/"})
        assert "authorization" in request.headers
        return httpx2.Response(401, json=BANNED)

    authorizer = ScriptedAuthorizer("http://127.0.0.1", "one", "two")
    request = httpx2.Request("GET", "http://127.0.0.1/")
    transport = httpx2.MockTransport(upgrade)
    response = driver.send(authorizer, request, follow_redirects=True, transport=transport)
    assert response.json() == BANNED
    assert authorizer.told == []


@pytest.mark.requirement("EXPIRE-3")
def test_a_redirect_there_and_back_has_lost_our_header_and_is_not_believed(driver: Driver) -> None:
    with Server() as server, Server() as elsewhere:
        server.then(answer(307, headers={"Location": elsewhere.origin}), answer(401, REJECTED))
        elsewhere.then(answer(307, headers={"Location": f"{server.origin}/again"}))
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        response = driver.send(authorizer, get(server), follow_redirects=True)
    assert response.json() == REJECTED
    assert tokens(server) == ["Bearer one", None]
    assert authorizer.told == []


@pytest.mark.requirement("EXPIRE-3")
def test_after_a_redirect_only_its_last_request_is_sent_again(driver: Driver) -> None:
    created = answer(303, headers={"Location": "/created"})
    with Server(created, answer(401, REJECTED), answer(200, {"ok": True})) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        request = httpx2.Request("POST", f"{server.origin}/create", json={"text": "hello"})
        response = driver.send(authorizer, request, follow_redirects=True)
    assert response.json() == {"ok": True}
    assert [(received.method, received.target) for received in server.received] == [
        ("POST", "/create"),
        ("GET", "/created"),
        ("GET", "/created"),
    ]
    assert tokens(server) == ["Bearer one", "Bearer one", "Bearer two"]


@pytest.mark.requirement("EXPIRE-2")
def test_a_redirect_that_the_app_sends_on_asks_the_session_anew(driver: Driver) -> None:
    with Server(answer(307, headers={"Location": "/moved"}), answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "alice", "bob", stays=(1, 2))
        redirect = driver.send(authorizer, get(server))
        assert redirect.next_request is not None
        driver.send(authorizer, redirect.next_request)
    assert tokens(server) == ["Bearer alice", "Bearer bob"]


@pytest.mark.requirement("EXPIRE-3")
def test_a_redirect_that_httpx2_follows_is_judged_by_the_token_that_it_took_along(driver: Driver) -> None:
    # No promise of ours: it is what httpx2 does, and SessionAuth's docstring says so.
    with Server(answer(307, headers={"Location": "/moved"}), answer(401, REJECTED)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "alice", "bob", stays=(1, 2))
        response = driver.send(authorizer, get(server), follow_redirects=True)
    assert response.json() == REJECTED
    assert tokens(server) == ["Bearer alice", "Bearer alice"]
    assert authorizer.told == [("rejected", 1)]


# ── the app's response ─────────────────────────────────────────────────────────────────────────────


def streamed(driver: Driver, authorizer: ScriptedAuthorizer, request: httpx2.Request) -> bytes:
    """The body of a response that the app streams, and the proof that it could."""
    parts: list[bytes] = []

    def read(response: httpx2.Response) -> None:
        assert not response.is_stream_consumed
        parts.extend(response.iter_bytes())

    async def aread(response: httpx2.Response) -> None:
        assert not response.is_stream_consumed
        parts.extend([part async for part in response.aiter_bytes()])

    response = driver.send(authorizer, request, read=read if driver.name == "sync" else aread)
    assert response.is_closed
    assert response.elapsed.total_seconds() >= 0
    return b"".join(parts)


@pytest.mark.requirement("EXPIRE-3")
@pytest.mark.parametrize("size", [0, 1, MAX_PEEK, MAX_PEEK + 1, 10 * MAX_PEEK])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("status", [401, 403])
def test_the_app_can_stream_its_response_to_the_last_byte(
    driver: Driver, status: int, size: int, *, chunked: bool
) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with Server(answer(status, body, chunked=chunked)) as server:
        assert streamed(driver, ScriptedAuthorizer(server.origin, "one"), get(server)) == body


@pytest.mark.requirement("EXPIRE-3", "SECRET-3")
def test_a_rejection_that_is_too_long_is_reported_but_is_the_apps(driver: Driver) -> None:
    body = json.dumps({**BANNED, "padding": "x" * MAX_PEEK}).encode()
    with Server(answer(401, body), answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        assert driver.send(authorizer, get(server)).content == body
    assert authorizer.told == [("rejected", 1)]
    assert authorizer.asked == 1


@pytest.mark.requirement("EXPIRE-3", "SECRET-3")
@pytest.mark.parametrize("parts", [0, 1])
@pytest.mark.parametrize("size", [10, 3 * MAX_PEEK])
def test_a_response_whose_end_never_comes_may_be_closed_before_it(
    driver: Driver, size: int, parts: int
) -> None:
    def begin(response: httpx2.Response) -> None:
        read = response.iter_raw()
        assert all(next(read) for _ in range(parts))

    async def abegin(response: httpx2.Response) -> None:
        read = response.aiter_raw()
        assert all([await anext(read) for _ in range(parts)])
        await read.aclose()

    raw = b"HTTP/1.1 403 Forbidden\r\ncontent-length: %d\r\n\r\n" % (size + (size > 10)) + b"x" * size
    with Server(bytes_and_silence(raw)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one")
        read: Any = begin if driver.name == "sync" else abegin
        response = driver.send(authorizer, get(server), read=read, timeout=None)
        assert response.is_closed
        server.hung_up_soon()


@pytest.mark.requirement("EXPIRE-3")
@pytest.mark.parametrize("backend", DRIVERS[1:])
def test_a_response_closed_early_leaves_no_generator_to_the_collector(backend: str) -> None:
    async def main() -> None:
        auth = SessionAuth(AsyncScriptedAuthorizer(ScriptedAuthorizer(server.origin, "one")))
        async with httpx2.AsyncClient(auth=auth, timeout=None) as client:
            async with client.stream("GET", server.origin) as response:
                assert response.status_code == 403
            del response
            gc.collect()  # trio warns of a generator that is collected unfinished

    raw = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 999999\r\n\r\n" + b"x" * 3 * MAX_PEEK
    with Server(bytes_and_silence(raw)) as server:
        anyio.run(main, backend=backend)


@pytest.mark.requirement("EXPIRE-3")
@pytest.mark.parametrize("status", [401, 403])
def test_a_response_that_breaks_off_breaks_off_for_the_app(driver: Driver, status: int) -> None:
    raw = b"HTTP/1.1 %d Whatever\r\ncontent-length: 100\r\n\r\n" % status + json.dumps(BANNED).encode()
    with Server(bytes_and_hang_up(raw), answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        with pytest.raises(httpx2.RemoteProtocolError) as caught:
            driver.send(authorizer, get(server))
        assert caught.value.request.url == server.origin + "/api/v3/users"
    assert authorizer.told == ([("rejected", 1)] if status == 401 else [])
    assert len(server.received) == 1


@pytest.mark.requirement("BAN-3", "SECRET-3")
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_answer_is_understood(driver: Driver, encoding: str) -> None:
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    body = compress(json.dumps(BANNED).encode())
    with Server(answer(403, body, {"Content-Encoding": encoding})) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one")
        assert driver.send(authorizer, get(server)).json() == BANNED
    assert authorizer.told == [("banned", 1)]


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize(
    "body", [gzip.compress(json.dumps({**BANNED, "padding": "x" * 10_000_000}).encode()), b"not gzip"]
)
def test_what_is_compressed_too_well_or_badly_tells_us_nothing(driver: Driver, body: bytes) -> None:
    def ignore(response: httpx2.Response) -> None:
        assert response.status_code == 403

    async def aignore(response: httpx2.Response) -> None:
        ignore(response)

    with Server(answer(403, body, {"Content-Encoding": "gzip"})) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one")
        driver.send(authorizer, get(server), read=ignore if driver.name == "sync" else aignore)
    assert authorizer.told == []


@pytest.mark.requirement("BAN-3")
def test_a_response_that_a_hook_has_read_already_is_understood(driver: Driver) -> None:
    async def aread(response: httpx2.Response) -> None:
        await response.aread()

    hooks: dict[str, list[Any]] = {"response": [httpx2.Response.read if driver.name == "sync" else aread]}
    with Server(answer(403, BANNED)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one")
        assert driver.send(authorizer, get(server), event_hooks=hooks).json() == BANNED
    assert authorizer.told == [("banned", 1)]


@pytest.mark.requirement("EXPIRE-3")
def test_a_response_that_a_hook_has_streamed_away_counts_by_its_status(driver: Driver) -> None:
    def drain(response: httpx2.Response) -> None:
        assert len(b"".join(response.iter_raw()))

    async def adrain(response: httpx2.Response) -> None:
        assert len(b"".join([part async for part in response.aiter_raw()]))

    async def anothing(_response: httpx2.Response) -> None:
        pass

    is_sync = driver.name == "sync"
    hooks: dict[str, list[Any]] = {"response": [drain if is_sync else adrain]}
    with Server(answer(401, REJECTED), answer(200)) as server:
        authorizer = ScriptedAuthorizer(server.origin, "one", "two")
        nothing: Any = (lambda _response: None) if is_sync else anothing
        response = driver.send(authorizer, get(server), read=nothing, event_hooks=hooks)
    assert response.status_code == 401
    assert authorizer.told == [("rejected", 1)]
