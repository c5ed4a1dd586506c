"""One user's stay is not the next one's: neither its requests nor those who wait in it pass over."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from splus_session import NotLoggedInError, SessionState
from splus_session._events import Login, Logout
from splus_session.testing import Endpoint, FakePlatform
from tests.drivers.conftest import OpenStage
from tests.drivers.faces import PATIENCE, Face, LoopFace, on_thread
from tests.drivers.stage import Asked, Stage
from tests.platform.drivers import NO_CERTIFICATES


def start_get(face: Face, session: Any, url: str) -> "Future[httpx2.Response]":
    """An app's own request, by a client of the driver's kind that the session authorises."""
    options: dict[str, Any] = {"auth": session.auth(), "verify": NO_CERTIFICATES, "timeout": PATIENCE}
    if not isinstance(face, LoopFace):

        def get() -> httpx2.Response:
            with httpx2.Client(**options) as client:
                return client.get(url)

        return on_thread(get)

    async def get_in_loop() -> httpx2.Response:
        async with httpx2.AsyncClient(**options) as client:
            return await client.get(url)

    return face.portal.start_task_soon(get_in_loop)


@pytest.mark.requirement("EXPIRE-2", "EXPIRE-3")
def test_a_request_of_one_user_is_not_sent_again_in_the_name_of_the_next(
    face: Face, fake: FakePlatform, stage: OpenStage
) -> None:
    with fake.serve() as server:
        s = stage(platform=None, endpoint=server.url)
        s.log_in("alice")
        hold = fake.hold(Endpoint.GET_USER)
        response = start_get(face, s.session, f"{server.url}/api/v3/users/alice")
        hold.arrived.wait()
        s.call("secure_logout")
        s.log_in("bob")
        hold.release()
        assert response.result(PATIENCE).status_code == 401
        assert [request.access_token for request in fake.requests_to(Endpoint.GET_USER)] == [
            fake.tokens_of("alice")[0].token
        ]
        assert s.state is SessionState.ESTABLISHED, "old news to the next one"
        assert fake.requests_to(Endpoint.VERIFY) == ()
        assert start_get(face, s.session, f"{server.url}/api/v3/users/bob").result(PATIENCE).is_success
        s.close()


@contextmanager
def before_anybody_wakes(s: Stage) -> Iterator[None]:
    """Whatever is committed in the block, those who wait hear of it all at once."""
    engine, late = s.session._engine, []
    finish = engine._finish
    engine._finish = lambda *arguments: late.append(arguments)
    yield
    engine._finish = finish
    for arguments in late:
        finish(*arguments)


@pytest.mark.requirement("EXPIRE-2", "EXPIRE-5")
@pytest.mark.parametrize("waits_for", ["login", "renewal"])
def test_who_waits_in_one_users_session_never_gets_the_next_ones_header(
    waits_for: str, fake: FakePlatform, stage: OpenStage
) -> None:
    handler = Asked()
    s = stage(session_handler=handler)
    if waits_for == "login":
        hold = fake.hold(Endpoint.LOGIN)
        s.start("login", "alice", auth_token=fake.issue_auth_token("alice"))
        hold.arrived.wait()
    else:
        s.log_in("alice")
        s.expire()
        handler.log.wait_count(1)
    waiting = [s.start("authorization") for _ in range(5)]
    s.until(lambda: s.moves.count("authorize") >= 5)
    with before_anybody_wakes(s):
        s.session._engine.post(Logout())
        s.session._engine.post(Login("bob", fake.issue_auth_token("bob")))
    for each in waiting:
        assert isinstance(s.failure(each), NotLoggedInError)
    s.heard(SessionState.ESTABLISHED)
    bobs = s.call("authorization").header
    assert fake.tokens_of("bob")[0].token.reveal() in bobs
