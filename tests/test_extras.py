"""What is not installed is said by name, where it is first needed."""

import pytest

from tests.processes import output

PROLOGUE = """
import sys

for absent in sys.argv[1].split():
    sys.modules[absent] = None  # as if it were not installed

from splus_session import MissingExtraError, SessionState
"""


def said(program: str, absent: str) -> list[str]:
    return output(PROLOGUE + program, absent)


@pytest.mark.requirement("CLIENT-1")
@pytest.mark.parametrize("driver", ["sync", "aio"])
def test_a_session_without_an_http_client_is_not_made_unless_it_has_a_platform(driver: str) -> None:
    program = f"""
from splus_session.{driver} import Session

print(Session("key", platform=object()).state is SessionState.NOT_LOGGED_IN)
try:
    Session("key")
except MissingExtraError as error:
    print(error)
"""
    [made, error] = said(program, "httpx2")
    assert made == "True"
    assert "splus-session[http]" in error


@pytest.mark.requirement("CLIENT-1")
def test_async_sessions_need_their_extra_and_threaded_ones_do_not() -> None:
    program = """
import splus_session.sync

try:
    import splus_session.aio
except MissingExtraError as error:
    print(error)
"""
    [error] = said(program, "anyio httpx2")
    assert "splus-session[aio]" in error


@pytest.mark.requirement("CLIENT-1")
@pytest.mark.parametrize(
    ("statement", "absent", "extra"),
    [
        ("import splus_session.aio", "anyio", "aio"),
        ("import splus_session.backend", "starlette", "backend"),
        ("import splus_session.backend", "httpx2", "backend"),
        ("import splus_session.platform.auth", "httpx2", "http"),
        ("import splus_session.platform.aio", "httpx2", "http"),
        ("import splus_session.platform.sync", "httpx2", "http"),
        ("import splus_session.testing", "anyio", "testing"),
        ("import splus_session.testing.strategies", "hypothesis", "testing"),
        ("from splus_session.testing import *; FakePlatform().transport()", "httpx2", "testing"),
        ("from splus_session.testing import *; FakePlatform().serve().__enter__()", "uvicorn", "testing"),
        ("from splus_session.testing import *; FakePlatform().serve().__enter__()", "starlette", "testing"),
        ("from splus_session.conformance import Conformance", "rich", "conformance"),
        ("from splus_session.conformance import *", "hypothesis", "conformance"),
        ("from splus_session.sync import Session; Session('k', platform=1).auth()", "httpx2", "http"),
    ],
)
def test_whatever_needs_an_extra_names_it(statement: str, absent: str, extra: str) -> None:
    program = f"""
try:
    {statement}
except MissingExtraError as error:
    print(error.extra)
"""
    assert said(program, absent) == [extra]
