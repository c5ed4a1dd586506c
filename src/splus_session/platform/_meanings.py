"""What the platform's answers mean, as one table. [WIRE-1]

`WIRE_TABLE` is data: this package reads answers by it, the documentation prints it, and
conformance checks other clients against it. The first rule that fits an answer decides.
"""

import enum
from typing import Final

from splus_session._failures import FailureKind
from splus_session._value import value


class Call(enum.Enum):
    """What was asked of the platform; the same answer means different things to each."""

    LOGIN = "login"
    """`POST /api/v5/sessions`, or its siblings for visitors and bots: a login or a renewal."""
    TOKEN_LOGIN = "tokenLogin"
    """`GET /api/v3/sessions` as a login or a renewal, with a token that the app brought."""
    VERIFY = "verify"
    """`GET /api/v3/sessions`: is the session's own token alive?"""
    REVOKE = "revoke"
    """`DELETE /api/v4/sessions`: void the token."""
    API = "api"
    """Any other request of the app's that carries the access token."""

    __hash__ = object.__hash__


@value
class WireRule:
    """One row: an answer to one of `calls`, with one of `statuses` and this `code`, means that."""

    calls: tuple[Call, ...]
    statuses: range
    """HTTP statuses; `ANY_STATUS` if the status does not matter."""
    code: int | None
    """The platform's own code in the body; None if it does not matter."""
    means: FailureKind | None
    """None: no failure, or none of the session's business."""

    def fits(self, call: Call, status: int, code: int | None) -> bool:
        """Whether the rule is about this answer."""
        return call in self.calls and status in self.statuses and self.code in (None, code)


ANY_STATUS: Final = range(1000)
_EVERY: Final = tuple(Call)
_SESSION: Final = (Call.LOGIN, Call.TOKEN_LOGIN, Call.VERIFY, Call.REVOKE)
_OPENING: Final = (Call.LOGIN, Call.TOKEN_LOGIN)
_VERIFYING: Final = (Call.TOKEN_LOGIN, Call.VERIFY)
_WITH_OUR_TOKEN: Final = (Call.VERIFY, Call.REVOKE, Call.API)


def _only(status: int) -> range:
    return range(status, status + 1)


WIRE_TABLE: Final = (
    # What the platform says in its own code counts for more than the HTTP status around it.
    WireRule(_EVERY, ANY_STATUS, 400312, FailureKind.BANNED),
    WireRule(_EVERY, ANY_STATUS, 400311, FailureKind.RATE_LIMITED),
    WireRule(_OPENING, ANY_STATUS, 400100, FailureKind.REFUSED),
    WireRule((Call.LOGIN, *_VERIFYING), ANY_STATUS, 400400, FailureKind.DELETED),
    # A verification answers by status alone; elsewhere 403 and 404 may be about anything.
    WireRule(_VERIFYING, _only(403), None, FailureKind.BANNED),
    WireRule(_VERIFYING, _only(404), None, FailureKind.DELETED),
    # To the API, 400100 also says "not a member here": the session verifies before it believes.
    WireRule(_WITH_OUR_TOKEN, _only(401), None, FailureKind.UNAUTHORIZED),
    WireRule(_WITH_OUR_TOKEN, ANY_STATUS, 400100, FailureKind.UNAUTHORIZED),
    WireRule(_EVERY, _only(429), None, FailureKind.RATE_LIMITED),
    WireRule(_EVERY, range(500, 600), None, FailureKind.UNAVAILABLE),
    WireRule(_SESSION, range(400, 500), None, FailureKind.REFUSED),
    WireRule(_EVERY, range(200, 300), None, None),
    # A redirect, too: none is followed, so it answers nothing.
    WireRule(_SESSION, ANY_STATUS, None, FailureKind.MALFORMED),
    WireRule((Call.API,), ANY_STATUS, None, None),
)
"""Every rule, in the order in which they are tried. [WIRE-1]"""


def meaning(call: Call, status: int, code: int | None) -> FailureKind | None:
    """What an answer means by `WIRE_TABLE`.

    Args:
        call: what was asked.
        status: the HTTP status, of three digits at most.
        code: the platform's own code in the body, if there is one.

    Returns:
        None if it is no failure, or an error that is none of the session's business.
    """
    return next(rule.means for rule in WIRE_TABLE if rule.fits(call, status, code))
