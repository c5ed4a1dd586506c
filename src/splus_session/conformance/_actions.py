"""What a scenario is made of: actions of the client's user, of the platform, of the app, and of time.

An action names nothing that a run makes up, such as a token or a number: `release` lets go *the oldest*
request that is held. So a scenario stays playable when something is taken out of it. One that makes no
sense where it stands is passed over; what makes sense is for the oracle to say, never for the client.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from splus_session._text import time_in_words


@attrs.frozen
class Action:
    """One action."""

    do: str
    """Which: see `Doing`."""
    client: str = ""
    how: str = ""
    """Which way, in a word."""
    seconds: float = 0.0

    @property
    def opens_again(self) -> bool:
        """Whether it opens a client that was closed, in whatever way."""
        return self.how.startswith("again")

    def to_json(self) -> dict[str, object]:
        """As a JSON object, without what is empty."""
        return {name: value for name, value in attrs.asdict(self).items() if value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Action":
        """What `to_json` gave, back."""
        return cls(**content)

    def words(self) -> str:
        """In words."""
        text = WORDS[self.do]
        filled = text.replace("{how}", self.how.replace("_", " ")).replace(
            "{seconds}", time_in_words(self.seconds)
        )
        return filled if self.client in ("", "a") else f"{filled} (client {self.client})"


WORDS: Final[Mapping[str, str]] = {
    "login": "log in {how}",
    "login_with_access_token": "log in with an access token, {how}",
    "login_as_visitor": "log in as a visitor, {how}",
    "login_as_bot": "log in as a bot",
    "logout": "log out",
    "secure_logout": "log out securely",
    "renew_now": "ask to renew now",
    "cancel": "cancel the login",
    "set_access_token_handler": "set an access token handler: {how}",
    "handle": "from now on, handlers {how}",
    "observe": "begin to observe: {how}",
    "call": "make an API request",
    "close": "close the client",
    "open": "open a client {how}",
    "kill": "kill the process and start it again",
    "realtime": "a push tells: {how}",
    "answer": "the app answers the renewal: {how}",
    "app": "the app's answer to the next renewal: {how}",
    "next": "the platform's answer to the next session request: {how}",
    "next_renewal": "the platform's answer to the next renewal: {how}",
    "hold": "the platform keeps the next session request waiting",
    "release": "the platform answers a request it kept waiting: {how}",
    "next_call": "the platform's answer to the next API request: {how}",
    "platform": "at the platform: {how}",
    "skew": "the client's clock is {seconds} ahead of the platform's",
    "until": "time passes until {how}",
    "advance": "{seconds} pass",
    "sleep": "the machine sleeps for {seconds}",
    "jump": "the client's clock is set by {seconds}",
}

LOGINS: Final = ("login", "login_with_access_token", "login_as_visitor", "login_as_bot")
"""Actions by which somebody logs in."""

ANSWERS: Final = (
    "well", "lost", "lost_after", "refused", "bad_request", "banned", "banned_by_code", "forbidden",
    "deleted", "rate_limited", "server_error", "malformed", "not_an_object", "wrong_user", "expired",
    "isGlobalBan", "isGlobalBanned", "isDeleted", "short_lived", "no_expiry", "no_issue", "huge", "deep",
    "redirect",
)  # fmt: skip
"""How the platform may answer a session request."""

APP: Final = ("well", "hold", "unable", "refused", "twice", "malformed", "wrong_user", "renew", "error")
"""How the app may answer a renewal."""


Phrase = tuple[Action, ...]
"""Actions that go well together. A scenario is drawn phrase by phrase."""


def _of(do: str, *hows: str, client: str = "a") -> tuple[Phrase, ...]:
    return tuple((Action(do, client, how),) for how in hows)


def _by(do: str, *hows: str) -> tuple[Phrase, ...]:
    return _of(do, *hows, client="")


def _lasting(do: str, *seconds: float) -> tuple[Phrase, ...]:
    return tuple((Action(do, "", "", each),) for each in seconds)


def _each(phrases: tuple[Phrase, ...], then: Action) -> tuple[Phrase, ...]:
    return tuple((*phrase, then) for phrase in phrases)


_ALMOST: Final = Action("until", "a", "almost_expiry")
_DUE: Final = Action("until", "a", "due")
_LATER: Final = Action("advance", "", "", 601.0)
_LOGIN: Final = Action("login", "a", "ann")
_HELD_CALL: Final = Action("next_call", "", "hold")
_REJECTED: Final = Action("next_call", "", "unauthorized")
_CALL: Final = Action("call", "a")
_AGAIN: Final = Action("open", "a", "again")
_AGAIN_WITHOUT: Final = Action("open", "a", "again_without_handlers")
_SECURE: Final = Action("secure_logout", "a")


def _when_due(phrases: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """Each, and then a renewal falls due; twice, since a client may look for that now and then only."""
    return (*_each(phrases, _DUE), *_each(_each(phrases, _DUE), _LATER))


_HOUR, _DAY = 3600.0, 86400.0

NOTHING: Final = Action("nothing")
"""No action: what is left when one is taken out."""

OPENINGS: Final[tuple[Phrase, ...]] = (
    *[()] * 4,
    *_lasting("skew", 40 * _DAY, -40 * _DAY),
    *_of("open", "without_handlers"),
    (Action("open", "a", "without_handlers"), Action("login_as_bot", "a"), _DUE),
    (Action("open", "a", "without_handlers"), Action("login_as_visitor", "a", "unsigned"), _DUE),
    (Action("open", "a", "without_handlers"), _LOGIN, _ALMOST, _CALL),
    (Action("open", "a", "development"), Action("login", "a", "ann_without")),
    (
        Action("next", "", "no_expiry"),
        _LOGIN,
        Action("advance", "", "", _HOUR),
        Action("advance", "", "", _DAY),
    ),
)
"""How a scenario may begin."""

ALWAYS: Final[tuple[Phrase, ...]] = (
    *_of("login", *["ann"] * 10, "bob", "ann_without"),
    *_of("call", *[""] * 4),
    *_of("until", *["due"] * 4, "renewal", "renewal", "expiry", "expiry", "almost_expiry"),
    *_lasting("advance", 1.0, 601.0, _HOUR),
    *_of("logout", ""),
)
"""What every scenario may have. Each action is as likely as it is often there."""

GROUPS: Final[Mapping[str, tuple[Phrase, ...]]] = {
    "wrong logins": _of("login", "refused", "bob_long_name", "nobody", "long_name", "ann_without"),
    "own handlers": (
        *_of("login", *["ann_own_handler"] * 4),
        *_each(_of("login", "ann_own_handler", "ann_own_handler"), _DUE),
        *[(Action("logout", "a"), _LOGIN, _DUE)] * 2,
    ),
    "access tokens": (
        *_of("login_with_access_token", *["good"] * 9, *["expired"] * 3, "not_jwt", "no_user", "unknown"),
        *_of("set_access_token_handler", "none", "report", "wrong"),
        *_when_due(_of("app", *["wrong_user"] * 3, "error", "malformed")),
        *_when_due(_by("next_renewal", "lost", "server_error")),
    ),
    "visitors and bots": (
        *_of("login_as_visitor", *["unsigned"] * 4, *["signed"] * 4, "badly_signed"),
        *_of("login_as_bot", *[""] * 3),
    ),
    "logouts": _of("logout", *[""] * 6),
    "secure logouts": (
        *_of("secure_logout", *[""] * 4),
        *_each(_by("hold", *[""] * 4), _SECURE),
        *_each(_by("next", "lost", "lost_after", "server_error", "refused"), _SECURE),
        *[(Action("next_renewal", "", "hold"), _DUE, _SECURE, Action("release", "", "well"))] * 2,
    ),
    "renewing now": _of("renew_now", *[""] * 6),
    "cancelling": (*_of("cancel", *[""] * 4), *_by("hold", *[""] * 3)),
    "wrong handlers": _of("handle", "raise", "raise", "garbage", "report"),
    "observers": _of("observe", "report", "report", "raise", "raise"),
    "observers that log out": _each(
        _each(_of("observe", "logout"), Action("observe", "a", "report")), Action("login", "a", "ann")
    ),
    "rejections": (
        *_of("call", *[""] * 6, "twice", "twice"),
        *[(Action("next_renewal", "", "hold"), _REJECTED, _REJECTED, Action("call", "a", "twice"))] * 3,
        *_each(_by("next_call", "unauthorized", "unauthorized", "banned", "banned_by_code"), _CALL),
        *_each(_by("next_call", "forbidden", "server_error", "hold"), _CALL),
        *_each(_by("platform", "revoke", "revoke", "revoke"), Action("call", "a")),
        *_each(
            _each(
                _by("next_renewal", "server_error", "lost", "hold"), Action("next_call", "", "unauthorized")
            ),
            Action("call", "a"),
        ),
    ),
    "restarts": (
        *_each(_of("close", *[""] * 3), _AGAIN),
        *_each(_of("realtime", "ban"), Action("kill", "a")),
        *_of("kill", "", ""),
        *_of("open", "again", "again"),
        *[(Action("close", "a"), Action("advance", "", "", 31 * _DAY), _AGAIN)] * 8,
        *[(Action("close", "a"), Action("advance", "", "", 31 * _DAY), _AGAIN_WITHOUT, _AGAIN)] * 2,
    ),
    "impossible clients": _of("open", "no_key", "no_region", "plain_http", client="c"),
    "other clients": (
        *_each(_of("open", "", "", client="b"), Action("login", "b", "bob")),
        *_each(_of("login", "bob", "bob", "ann", client="b"), Action("call", "a")),
        *_of("logout", "", client="b"),
        *_of("call", "", "", client="b"),
    ),
    "pushes": _of("realtime", *["ban"] * 5, *["deletion"] * 3, *["other_ban"] * 3, "other_deletion"),
    "administrators": _by("platform", "ban", "ban", "delete", "delete", "unban", "revoke"),
    "rules": _by("platform", "admit_banned", "fail_settings", "short_lived"),
    "late handlers": (
        *_when_due(_of("app", *["hold"] * 3)),
        *[(Action("logout", "a"), Action("answer", "a", "old"))] * 3,
        *[(Action("app", "a", "hold"), _DUE, Action("until", "a", "almost_expiry"), Action("call", "a"))] * 2,
        *_of("answer", *["well"] * 4, *["old"] * 4, "unable", "malformed"),
    ),
    "unlucky handlers": _when_due(_of("app", *APP[2:], "twice", "unable", "wrong_user")),
    "a bad network": _by("next", "lost", "lost_after", "server_error", "rate_limited"),
    "refusals": _each(
        _by(
            "next",
            "refused",
            "bad_request",
            "banned",
            "banned_by_code",
            "forbidden",
            "deleted",
            "isGlobalBan",
            "isGlobalBanned",
            "isDeleted",
        ),
        _LOGIN,
    ),
    "bad answers": _each(
        _by("next", "wrong_user", "expired", "malformed", "not_an_object", "huge", "deep", "redirect"), _LOGIN
    ),
    "odd tokens": _each(_by("next", "short_lived", "no_expiry", "no_expiry", "no_issue"), _LOGIN),
    "failing renewals": (
        *_when_due(_by("next_renewal", "lost", "server_error", "rate_limited", "rate_limited", "refused")),
        *_when_due(_by("next_renewal", "banned", "deleted", "isGlobalBan", "bad_request")),
        *[(Action("platform", "", "down"), _DUE, Action("advance", "", "", _HOUR))] * 2,
    ),
    "bad renewals": _when_due(
        _by("next_renewal", "expired", "expired", "wrong_user", "malformed", "short_lived")
    ),
    "slow renewals": (
        *_when_due(_by("next_renewal", *["hold"] * 2)),
        *_by("release", "well", "banned", "server_error", "deleted"),
        *[(Action("logout", "a"), _LOGIN)] * 2,
    ),
    "slow answers": (
        *_by("hold", *[""] * 6),
        *_by("release", *["well"] * 8),
        *_each(_by("hold", "", ""), Action("login", "a", "ann")),
    ),
    "slow and bad answers": (
        *_by("hold", *[""] * 6),
        *_by("release", *(how for how in ANSWERS[1:] if how not in ("huge", "deep"))),
    ),
    "slow API answers": (
        *[(_HELD_CALL, _CALL, Action("logout", "a"), _LOGIN, Action("release", "", "banned"))] * 2,
        *_each(_by("next_call", "hold", "hold", "hold"), _CALL),
        *_by("release", "well", "banned", "banned", "refused"),
        *[(Action("logout", "a"), _LOGIN)] * 2,
    ),
    "clocks": (
        *_lasting("sleep", 601.0, 31 * _DAY),
        *_lasting("jump", -_HOUR, _HOUR),
        *[(Action("app", "a", "unable"), _DUE, Action("jump", "", "", -_HOUR), _DUE)] * 2,
    ),
    "more time": _lasting("advance", 61.0, 300.0, 601.0, _DAY),
}
"""What a scenario may have besides: it is drawn from its own choice of these groups, lest everything
happens in all of them and nothing for long in any."""
