"""What can go wrong with one exchange, by name. Give them to `FakePlatform.fail`.

    platform.fail(Endpoint.LOGIN, faults.server_error(503), times=2)
    platform.fail(Endpoint.REVOKE, faults.drop(carried_out=True))
    platform.fail(Endpoint.LOGIN, faults.delay(3), faults.flagged("isGlobalBanned"))

Several faults given together strike the same exchange, in their order. *Carried out* means that
the platform did what it was asked, whatever the client hears of it.
"""

from collections.abc import Callable
from typing import cast

import attrs

from splus_session.testing._messages import Response
from splus_session.testing._tokens import TokenTerms
from splus_session.testing._waiting import Signal

__all__ = [
    "Fault",
    "Hold",
    "bad_date",
    "cut_short",
    "deep",
    "delay",
    "drip",
    "drop",
    "error",
    "expired_on_arrival",
    "flagged",
    "huge",
    "malformed",
    "no_date",
    "not_an_object",
    "rate_limited",
    "redirect",
    "server_error",
    "terms",
    "unauthorized",
    "unsuccessful",
    "wrong_user",
]


@attrs.frozen(kw_only=True)
class Fault:
    """One fault. What is left out goes as it should. Make your own if no function here makes it."""

    name: str
    before: "float | Hold | None" = None
    """What it waits for before the request is carried out: seconds, or a hold."""
    after: "float | Hold | None" = None
    """What it waits for before the answer leaves."""
    instead: Response | None = None
    """What is answered to a request that is not carried out."""
    lost: bool = False
    """Whether the connection ends before the request is carried out."""
    unanswered: bool = False
    """Whether the connection ends after the request was carried out, before the answer."""
    terms: TokenTerms | None = None
    """How the token is issued, if the request asks for one."""
    edit: Callable[[Response], Response] | None = None
    """What becomes of the answer."""
    cut: float | None = None
    """The share of the answer's body after which the connection ends."""
    drip: tuple[int, float] | None = None
    """How the answer's body leaves: so many bytes, and so many seconds before each piece."""


class Hold:
    """An exchange held up until a test lets it go. Several may be held up by one."""

    def __init__(self) -> None:
        self.arrived = Signal()
        """Set when an exchange got here: `hold.arrived.wait()`, or `await hold.arrived`."""
        self.released = Signal()
        self.struck: tuple[Fault, ...] = ()
        """What strikes it when it is let go."""

    def release(self, *faults: Fault) -> None:
        """Let it go, from any thread, to be struck by these faults if it is held up before it is
        carried out."""
        self.struck = faults
        self.released.set()

    def fault(self, *, carried_out: bool = False) -> Fault:
        """This hold as a fault, to be given together with others."""
        return _pause("hold", self, carried_out=carried_out)


def delay(seconds: float, *, carried_out: bool = False) -> Fault:
    """It takes some seconds by the platform's clock, before or after it is carried out."""
    return _pause("delay", seconds, carried_out=carried_out)


def drop(*, carried_out: bool = False) -> Fault:
    """The connection ends without an answer, before or after the request is carried out."""
    return Fault(name="drop", lost=not carried_out, unanswered=carried_out)


def cut_short(share: float = 0.5) -> Fault:
    """The connection ends in the middle of the answer's body. Carried out."""
    return Fault(name="cut short", cut=share)


def drip(size: int = 1, every: float = 1.0) -> Fault:
    """The answer's body leaves in small pieces, some seconds before each. Carried out."""
    return Fault(name="drip", drip=(size, every))


def error(status: int, code: int, message: str) -> Fault:
    """An error in the platform's form. Not carried out."""
    return Fault(name=f"error {status}/{code}", instead=Response.of_error(status, code, message))


def server_error(status: int = 500, *, carried_out: bool = False) -> Fault:
    """The platform ails, and says so in HTML, as its load balancer would."""
    page = Response(status, b"<html><h1>Server Error</h1></html>", (("content-type", "text/html"),))
    if carried_out:
        return Fault(name=f"server error {status}", edit=lambda _: page)
    return Fault(name=f"server error {status}", instead=page)


def rate_limited(retry_after: float | str | None = None) -> Fault:
    """Too many calls (429, 400311); `Retry-After` in seconds or as a date. Not carried out."""
    headers = () if retry_after is None else (("retry-after", str(retry_after)),)
    answer = Response.of_error(429, 400311, "Rate limit exceeded", headers=headers)
    return Fault(name="rate limited", instead=answer)


def unauthorized(message: str = "User is not join this community") -> Fault:
    """A 400100 that has nothing to do with the token: the platform overloads it. Not carried out."""
    return error(401, 400100, message)


def redirect(to: str, status: int = 307) -> Fault:
    """A redirection to another URL. Not carried out."""
    return Fault(name=f"redirect {status}", instead=Response(status, b"", (("location", to),)))


def malformed() -> Fault:
    """JSON that breaks off, though the HTTP is sound. Carried out."""
    return _edit("malformed", lambda answer: attrs.evolve(answer, body=answer.body[: len(answer.body) // 2]))


def not_an_object() -> Fault:
    """JSON, but an array. Carried out."""
    return _edit("not an object", lambda answer: attrs.evolve(answer, body=b"[" + answer.body + b"]"))


def huge(size: int = 64 * 1024 * 1024) -> Fault:
    """The right JSON object with one more field, of `size` bytes. Carried out."""
    return _edit_json("huge", lambda content: {**content, "padding": "x" * size})


def deep(levels: int = 100_000) -> Fault:
    """The right JSON object with one more field, of arrays in arrays. Carried out."""
    nested = b',"nested":' + b"[" * levels + b"]" * levels + b"}"
    return _edit("deep", lambda answer: attrs.evolve(answer, body=answer.body[:-1] + nested))


def terms(terms: TokenTerms) -> Fault:
    """This once, the token is issued on other terms."""
    return Fault(name="terms", terms=terms)


def expired_on_arrival() -> Fault:
    """The token lived for a minute, an hour ago."""
    return Fault(name="expired on arrival", terms=TokenTerms(lifetime=60.0, age=3600.0))


def wrong_user(user_id: str) -> Fault:
    """The token and the answer are another user's."""
    return Fault(name="wrong user", terms=TokenTerms(user_id=user_id))


def flagged(flag: str = "isGlobalBan", value: object = True) -> Fault:
    """The answered users carry a flag: `isGlobalBan`, `isGlobalBanned`, `isDeleted`. Carried out."""

    def edit(content: dict[str, object]) -> dict[str, object]:
        users = cast("list[dict[str, object]]", content.get("users", []))
        return {**content, "users": [{**user, flag: value} for user in users]}

    return _edit_json(f"flagged {flag}", edit)


def unsuccessful() -> Fault:
    """`{"success": false}` with status 200. Not carried out."""
    return Fault(name="unsuccessful", instead=Response.of_json({"success": False}))


def no_date() -> Fault:
    """The answer has no `Date`. Carried out."""
    return bad_date("")


def bad_date(date: str = "yesterday") -> Fault:
    """The answer has another `Date`; none, if empty. Carried out."""
    return _edit("bad date", lambda answer: attrs.evolve(answer, date=date))


def _pause(name: str, pause: float | Hold, *, carried_out: bool) -> Fault:
    return Fault(name=name, after=pause) if carried_out else Fault(name=name, before=pause)


def _edit(name: str, edit: Callable[[Response], Response]) -> Fault:
    return Fault(name=name, edit=edit)


def _edit_json(name: str, edit: Callable[[dict[str, object]], dict[str, object]]) -> Fault:
    return Fault(name=name, edit=lambda answer: answer.edited(edit))
