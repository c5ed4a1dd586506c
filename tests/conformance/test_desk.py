"""The platform of a run, in the kit's hands: which of the requests that it keeps waiting is answered."""

import http.client
from urllib.parse import urlsplit

from splus_session.conformance._platform import Desk
from splus_session.testing import ManualClock
from tests.conformance.kit import eventually


def one_that_verifies(url: str) -> http.client.HTTPConnection:
    """A client that has sent a session request, and waits."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    connection.request("GET", "/api/v3/sessions")
    return connection


def test_a_request_whose_client_hung_up_is_not_the_one_that_is_answered() -> None:
    desk = Desk(ManualClock())
    desk.plan("hold")
    desk.plan("hold")
    with desk.serve() as url:
        gone = one_that_verifies(url)
        eventually(lambda: desk.held() == 1)
        waiting = one_that_verifies(url)
        eventually(lambda: desk.held() == 2)
        gone.close()
        eventually(lambda: desk.held() == 1)
        desk.release("banned")
        answer = waiting.getresponse()
        assert answer.status == 403
        answer.read()
        waiting.close()
        assert desk.held() == 0
        assert [record.status for record in desk.arrived()] == [None, 403]
