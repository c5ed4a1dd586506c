import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._failures import FailureKind
from splus_session.platform import ANY_STATUS, WIRE_TABLE, Call, meaning

pytestmark = pytest.mark.requirement("WIRE-1")

SESSION_CALLS = [Call.LOGIN, Call.TOKEN_LOGIN, Call.VERIFY, Call.REVOKE]
OPENING = [Call.LOGIN, Call.TOKEN_LOGIN]
CODES = [None, 400000, 400100, 400300, 400311, 400312, 400400, 500000]
STATUSES = [101, 200, 204, 302, 400, 401, 403, 404, 422, 429, 500, 503, 999]


@pytest.mark.requirement("BAN-3")
@pytest.mark.parametrize("call", Call)
@given(status=st.sampled_from(ANY_STATUS))
def test_400312_is_a_ban_anywhere(call: Call, status: int) -> None:
    assert meaning(call, status, 400312) is FailureKind.BANNED


@pytest.mark.parametrize(
    ("calls", "status", "code", "means"),
    [
        (OPENING, 401, 400100, FailureKind.REFUSED),
        (OPENING, 400, 400100, FailureKind.REFUSED),
        (OPENING, 401, None, FailureKind.REFUSED),
        (OPENING, 422, 500000, FailureKind.REFUSED),
        ([Call.VERIFY, Call.REVOKE, Call.API], 401, None, FailureKind.UNAUTHORIZED),
        ([Call.VERIFY, Call.REVOKE, Call.API], 401, 400100, FailureKind.UNAUTHORIZED),
        ([Call.VERIFY, Call.REVOKE, Call.API], 400, 400100, FailureKind.UNAUTHORIZED),
        ([Call.LOGIN, Call.TOKEN_LOGIN, Call.VERIFY], 404, 400400, FailureKind.DELETED),
        ([Call.TOKEN_LOGIN, Call.VERIFY], 404, None, FailureKind.DELETED),
        ([Call.LOGIN, Call.REVOKE], 404, None, FailureKind.REFUSED),
        ([Call.TOKEN_LOGIN, Call.VERIFY], 403, None, FailureKind.BANNED),
        ([Call.LOGIN, Call.REVOKE], 403, 400300, FailureKind.REFUSED),
        ([Call.API], 403, 400300, None),
        ([Call.API], 404, 400400, None),
        ([Call.API], 400, 400000, None),
        ([Call.API], 302, None, None),
        (Call, 429, None, FailureKind.RATE_LIMITED),
        (Call, 429, 400311, FailureKind.RATE_LIMITED),
        (Call, 400, 400311, FailureKind.RATE_LIMITED),
        (Call, 500, 500000, FailureKind.UNAVAILABLE),
        (Call, 503, None, FailureKind.UNAVAILABLE),
        (Call, 200, None, None),
        (Call, 204, None, None),
        (SESSION_CALLS, 302, None, FailureKind.MALFORMED),
        (SESSION_CALLS, 101, None, FailureKind.MALFORMED),
        (SESSION_CALLS, 400, 400000, FailureKind.REFUSED),
    ],
)  # fmt: skip
def test_an_answer_means_what_the_facts_say(
    calls: list[Call], status: int, code: int | None, means: FailureKind | None
) -> None:
    assert {meaning(call, status, code) for call in calls} == {means}


def test_every_answer_has_a_meaning() -> None:
    for call in Call:
        for status in ANY_STATUS:
            for code in (None, 0):
                assert any(rule.fits(call, status, code) for rule in WIRE_TABLE)


@pytest.mark.parametrize("rule", WIRE_TABLE, ids=str)
def test_every_rule_decides_something(rule: object) -> None:
    deciding = {
        next(row for row in WIRE_TABLE if row.fits(call, status, code))
        for call in Call
        for status in STATUSES
        for code in CODES
    }
    assert rule in deciding
