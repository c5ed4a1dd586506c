"""What a scenario is made of: actions of the client's user, of the platform, of the app, and of time.

An action names nothing that a run makes up, such as a token or a number: `release` lets go *the oldest*
request that is held. So a scenario stays playable when something is taken out of it. One that makes no
sense where it stands is passed over; what makes sense is for the oracle to say, never for the client.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs


@attrs.frozen
class Action:
    """One action."""

    do: str
    """Which: the name of a method of `Run`."""
    client: str = ""
    how: str = ""
    """Which way, in a word."""
    seconds: float = 0.0

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
        filled = text.replace("{how}", self.how.replace("_", " ")).replace("{seconds}", f"{self.seconds:g}")
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
    "hold": "the platform keeps the next session request waiting",
    "release": "the platform answers a request it kept waiting: {how}",
    "next_call": "the platform's answer to the next API request: {how}",
    "platform": "at the platform: {how}",
    "skew": "the client's clock is {seconds} s ahead of the platform's",
    "until": "time passes until {how}",
    "advance": "{seconds} s pass",
    "sleep": "the machine sleeps for {seconds} s",
    "jump": "the client's clock is set by {seconds} s",
}

ANSWERS: Final = (
    "well", "lost", "lost_after", "refused", "bad_request", "banned", "deleted", "rate_limited", "server_error",
    "malformed", "not_an_object", "wrong_user", "expired", "isGlobalBan", "isGlobalBanned", "isDeleted",
    "short_lived", "no_expiry", "no_issue", "huge", "deep", "redirect",
)  # fmt: skip
"""How the platform may answer a session request."""

APP: Final = ("well", "hold", "unable", "refused", "twice", "malformed", "wrong_user", "renew", "error")
"""How the app may answer a renewal."""


def _of(do: str, *hows: str, client: str = "a") -> list[Action]:
    return [Action(do, client, how) for how in hows]


_HOUR, _DAY = 3600.0, 86400.0

NOTHING: Final = Action("nothing")
"""No action: what is left when one is taken out."""

# A scenario is drawn from its own choice of these groups, lest everything happens in all of them and
# nothing for long in any. Each action is as likely as it is often there.
ALWAYS: Final[tuple[Action, ...]] = (
    *_of("login", *["ann"] * 10, "bob"),
    *_of("call", *[""] * 4),
    *[Action("until", "a", "due")] * 4,
    *[Action("until", "a", how) for how in ("renewal", "renewal", "expiry", "expiry")],
    *[Action("advance", "", "", seconds) for seconds in (1.0, 601.0, _HOUR)],
    Action("logout", "a"),
)
"""What every scenario may have."""

GROUPS: Final[tuple[tuple[Action, ...], ...]] = (
    (*_of("login", "refused", "bob_long_name", "nobody", "long_name", "ann_without", "ann_without"),),
    (*_of("login", *["ann_own_handler"] * 6),),
    (
        *_of("login_with_access_token", *["good"] * 10, "expired", "not_jwt", "no_user", "unknown"),
        *_of("set_access_token_handler", "none", "report", "wrong"),
    ),
    (
        *_of("login_as_visitor", *["unsigned"] * 4, *["signed"] * 4, "badly_signed"),
        *_of("login_as_bot", *[""] * 3),
    ),
    (*_of("open", "development", "development"), *_of("login", *["ann_without"] * 3)),
    (*_of("open", "without_handlers", "without_handlers", "without_handlers"),),
    (*_of("logout", *[""] * 6),),
    (*_of("secure_logout", *[""] * 8),),
    (*_of("renew_now", *[""] * 6),),
    (*_of("cancel", *[""] * 4), *[Action("hold")] * 3),
    (*_of("handle", "raise", "raise", "garbage", "report"),),
    (*_of("observe", "report", "report", "raise", "raise"),),
    (*_of("observe", "logout"),),
    (
        *_of("call", *[""] * 8),
        *[Action("next_call", "", how) for how in ("unauthorized", "unauthorized", "banned")],
        *[Action("platform", "", "revoke")] * 3,
    ),
    (*_of("close", *[""] * 3), *_of("open", *["again"] * 4), *_of("kill", "", "")),
    (*_of("open", "no_key", "no_region", "plain_http", client="c"),),
    (
        *_of("open", "", client="b"),
        *_of("login", *["bob"] * 3, "ann", client="b"),
        *_of("logout", "", client="b"),
        *_of("call", "", "", client="b"),
    ),
    (*_of("realtime", *["ban"] * 5, *["deletion"] * 3, *["other_ban"] * 3, "other_deletion"),),
    (*[Action("platform", "", how) for how in ("ban", "ban", "delete", "delete", "unban", "revoke")],),
    (*[Action("platform", "", how) for how in ("admit_banned", "fail_settings", "short_lived")],),
    (*_of("app", *["hold"] * 6), *_of("answer", *["well"] * 4, *["old"] * 4, "unable", "malformed")),
    (*_of("app", *["unable", "refused", "twice", "malformed", "wrong_user", "renew", "error"] * 2),),
    (*[Action("next", "", how) for how in ("lost", "lost_after", "server_error", "rate_limited")] * 2,),
    (
        *[Action("next", "", how) for how in ("refused", "bad_request", "banned", "deleted", "unavailable")][
            :4
        ],
        *[
            Action("next", "", how)
            for how in ("isGlobalBan", "isGlobalBanned", "isDeleted", "wrong_user", "expired")
        ],
    ),
    (*[Action("next", "", how) for how in ("malformed", "not_an_object", "huge", "deep", "redirect")],),
    (*[Action("next", "", how) for how in ("short_lived", "short_lived", "no_expiry", "no_issue")],),
    (*[Action("hold")] * 8, *[Action("release", "", "well")] * 8),
    (
        *[Action("hold")] * 6,
        *[Action("release", "", how) for how in ANSWERS[1:] if how not in ("huge", "deep")],
    ),
    (*[Action("skew", "", "", seconds) for seconds in (40 * _DAY, -40 * _DAY)] * 3,),
    (
        *[Action("sleep", "", "", seconds) for seconds in (601.0, 31 * _DAY)],
        *[Action("jump", "", "", seconds) for seconds in (-_HOUR, _HOUR)],
    ),
    (*[Action("advance", "", "", seconds) for seconds in (61.0, 300.0, 601.0, _DAY)],),
)
"""What a scenario may have besides."""
