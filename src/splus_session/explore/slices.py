"""The slices that the library is explored in. Together they take every row of the life cycle.

Each is small enough to be looked at in full, and large enough for what it is there to show: two or
more logins wherever it matters which of them an answer is for.
"""

from splus_session._credentials import SessionKind
from splus_session.explore._slice import Slice, Who, figures

__all__ = [
    "ACCESS_TOKEN",
    "BAN",
    "HANDLERS",
    "REJECTION",
    "RENEWAL",
    "REPEATS",
    "SECURE_LOGOUT",
    "SLICES",
    "STORAGE",
    "VISITORS",
]

RENEWAL = Slice(
    name="renewal",
    about="auth tokens: logins and renewals that are late, lost, refused, foreign, cancelled, overslept",
    logins=(Who(SessionKind.AUTH_TOKEN), Who(SessionKind.DEVELOPMENT)),  # the latter is refused
    app=frozenset({"logout", "renew_now", "cancel"}),
    handler=("auth token", "user id", "unable"),
    answers=("granted", "refused", "lost", "foreign"),
    sleeps=3,
)
BAN = Slice(
    name="ban",
    about="two users, one of whom the platform bans or deletes at any moment, while handlers come and go",
    logins=(Who(SessionKind.AUTH_TOKEN, "a"), Who(SessionKind.AUTH_TOKEN, "b")),
    handlers_change=True,
    lifetimes=(2,),
    answers=("granted", "lost"),
    ends=("banned", "deleted"),
    most_attempts=3,
)
REJECTION = Slice(
    name="rejection",
    about="API calls answered with 401, rightly and wrongly, before, during and after renewals",
    lifetimes=(2, -1),
    handler=("auth token",),
    answers=("granted", "lost"),
    rejects=True,
    ends=("banned",),
)
ACCESS_TOKEN = Slice(
    name="access token",
    about="access tokens of the customer's backend: fresh, nearly over, and dead ones",
    logins=(Who(SessionKind.ACCESS_TOKEN), Who(SessionKind.ACCESS_TOKEN, token="dead")),
    session_handler=False,
    access_token_handler=True,
    app=frozenset({"logout", "renew_now", "cancel"}),
    handler=("fresh", "late", "dead", "unable"),
)
HANDLERS = Slice(
    name="handlers",
    about="access tokens whose handler comes and goes, while the user is banned and processes are killed",
    logins=(Who(SessionKind.ACCESS_TOKEN),),
    session_handler=False,
    handlers_change=True,
    lifetimes=(2,),
    app=frozenset({"renew_now"}),
    handler=("fresh",),
    answers=("granted",),
    ends=("banned",),
    kills=True,
    most_attempts=2,
    most_processes=2,
    most_owed=0,
)
VISITORS = Slice(
    name="visitors",
    about="visitors, bots and development users, who renew themselves unless a handler is there",
    config=figures(development=True),
    logins=(
        Who(SessionKind.VISITOR, "v"),
        Who(SessionKind.SIGNED_VISITOR, "v"),
        Who(SessionKind.BOT, "v"),
        Who(SessionKind.DEVELOPMENT, "a", own_handler=True),
    ),
    session_handler=False,
    handlers_change=True,
    lifetimes=(2, -1),
    handler=("user id", "signature"),
    answers=("granted", "lost"),
    most_attempts=3,
)
SECURE_LOGOUT = Slice(
    name="secure logout",
    about="secure logouts, and all that they may meet: renewals, rejections, expiry, bans, logouts",
    config=figures(wait=1),
    app=frozenset({"logout", "secure_logout", "renew_now"}),
    lifetimes=(2,),
    handler=("auth token",),
    answers=("granted", "lost"),
    rejects=True,
    ends=("banned",),
)
REPEATS = Slice(
    name="repeats",
    about="tokens that come more than once, also as something that nobody should use",
    answers=("granted", "lost", "foreign"),
    repeats=True,
)
STORAGE = Slice(
    name="storage",
    about="a process that is killed between two things it does, and one that goes on with what is stored",
    lifetimes=(2,),
    handler=("auth token",),
    answers=("granted",),
    rejects=True,
    ends=("banned",),
    kills=True,
    most_attempts=3,
    most_processes=2,
    most_owed=1,
)

SLICES: tuple[Slice, ...] = (
    RENEWAL,
    BAN,
    REJECTION,
    ACCESS_TOKEN,
    HANDLERS,
    VISITORS,
    SECURE_LOGOUT,
    REPEATS,
    STORAGE,
)
