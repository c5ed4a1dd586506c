"""The protocol's lines: what an adapter says, checked before anybody believes it. [SECRET-3]

The page is `docs/reference/protocol.md`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import cast

import attrs

from splus_session._errors import SplusSessionError

PROTOCOL = 1
"""The version of the page."""

LONGEST_LINE = 1 << 20
"""Bytes, the line feed not among them."""

MOST_EVENTS = 10_000
"""In answer to one command; more is a flood."""

LONGEST_ANSWER = 4 << 20
"""Bytes of all lines that answer one command; more is a flood, too."""

DEEPEST = 20
"""How deeply a line may be nested: what Python reads without a word, it need not be able to write."""

FEATURES: Mapping[str, str] = {
    "development": "logs in with a user id alone",
    "access_token": "logs in with an access token",
    "visitor": "logs in as a visitor",
    "bot": "logs in as a bot",
    "own_handler": "lets a login bring a session handler of its own",
    "region": "is made for a region, by its name",
    "secure_logout": "revokes its token before it logs out",
    "renew_now": "can be told to renew now",
    "cancel": "lets a login on its way be given up",
    "call": "makes ordinary API requests with the session's token",
    "realtime": "hears of bans and deletions by push",
    "observers": "lets somebody begin to observe at any time",
    "reasons": "tells previous state and reason",
    "hooks": "runs side effects",
    "close": "can be closed without a logout",
    "resume": "goes on with a stored session",
    "several": "can exist more than once in one process",
    "time": "takes its time from the kit",
    "sleep": "tells sleeping from waking time",
    "jump": "lets its clock be set",
    "again": "begins any number of times in one process",
}
"""What a client may declare, and what it says by that."""

KINDS = frozenset(
    {
        "not_allowed", "invalid_argument", "auth_token_required", "handler_required", "invalid_access_token",
        "invalid_handler", "refused", "user_banned", "user_deleted", "unavailable", "malformed_answer",
        "not_logged_in", "terminated", "renewal_failed", "wait_timeout", "interrupted", "cancelled", "closed",
        "store", "stored_record", "unsupported", "other",
    }
)  # fmt: skip
"""How an adapter may name an error."""


class AdapterError(SplusSessionError):
    """The adapter cannot be talked to: it died, says nothing, or says what the protocol does not know.

    About the adapter and not about the client: no requirement is judged by it.
    """

    code = "adapter"


@attrs.frozen
class Look:
    """How a client says that it is."""

    state: str
    user_id: str | None = None
    device_id: str | None = None


@attrs.frozen
class Told:
    """One line that is not the last one of an answer."""

    event: str
    client: str = ""
    fields: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)

    def text(self, name: str) -> str | None:
        """A field that is text, if it is there."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int:
        """A field that is a whole number."""
        return cast("int", self.fields[name])


@attrs.frozen
class Idle:
    """The last line of an answer."""

    of: int
    clients: Mapping[str, Look] = attrs.field(factory=dict[str, Look])
    sent: int | None = None
    open: int | None = None
    fields: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)


_LONGEST_DEVICE_ID = 150
_SHOWN = 120
"""How many bytes are shown of a line that is none."""
_LAST_WORD = re.compile(r"[\w.~+/=-]+\Z", re.ASCII)
"""What is of the characters that secrets are of."""
_STATES = ("notLoggedIn", "establishing", "established", "tokenExpired", "terminated")
_TEXT, _COUNT = "a text", "a whole number"
_EVENTS: Mapping[str, Mapping[str, str]] = {
    "state": {"client": _TEXT, "observer": _COUNT, "state": _TEXT},
    "done": {"of": _COUNT},
    "failed": {"of": _COUNT, "kind": _TEXT},
    "renewal": {"client": _TEXT, "renewal": _COUNT},
    "token_renew": {"client": _TEXT, "renewal": _COUNT},
    "hook": {"client": _TEXT, "hook": _TEXT},
    "uncaught": {"message": _TEXT},
}


def parse(line: bytes) -> Told | Idle:
    """One line of an adapter's.

    Raises:
        AdapterError: it is none that the protocol knows; says why, and shows how the line begins.
    """
    try:
        content: object = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _bad(line, "it is no JSON") from None
    if not isinstance(content, dict):
        raise _bad(line, "it is no JSON object")
    if _is_too_deep(cast("object", content)):
        raise _bad(line, f"it is nested more than {DEEPEST} deep")
    fields = cast("dict[str, object]", content)
    try:
        return _idle(fields) if "idle" in fields else _told(fields)
    except _WrongError as error:
        problem = str(error)
    raise _bad(line, problem)


class _WrongError(Exception):
    """What is wrong with a line."""


def _told(fields: dict[str, object]) -> Told:
    event = fields.get("event")
    if not isinstance(event, str) or event not in _EVENTS:
        raise _WrongError("it has neither `idle` nor a known `event`")
    for name, form in _EVENTS[event].items():
        _check(fields, name, form)
    if event == "state" and fields["state"] not in _STATES:
        raise _WrongError(f"no state is called so; there are {', '.join(_STATES)}")
    if event == "failed" and fields["kind"] not in KINDS:
        raise _WrongError("no kind of error is called so")
    client = fields.get("client")
    return Told(event, client if isinstance(client, str) else "", fields)


def _idle(fields: dict[str, object]) -> Idle:
    _check(fields, "idle", _COUNT)
    looks = fields.get("clients", {})
    if not isinstance(looks, dict):
        raise _WrongError("`clients` is no object")
    clients = {name: _look(look) for name, look in cast("dict[str, object]", looks).items()}
    if ("sent" in fields) != ("open" in fields):
        raise _WrongError("`sent` and `open` go together")
    if "sent" in fields:
        _check(fields, "sent", _COUNT)
        _check(fields, "open", _COUNT)
    sent, still = cast("int | None", fields.get("sent")), cast("int | None", fields.get("open"))
    return Idle(cast("int", fields["idle"]), clients, sent, still, fields)


def _look(look: object) -> Look:
    if not isinstance(look, dict):
        raise _WrongError("how a client looks is an object")
    fields = cast("dict[str, object]", look)
    if fields.get("state") not in _STATES:
        raise _WrongError(f"a client's `state` is one of {', '.join(_STATES)}")
    user_id, device_id = fields.get("user_id"), fields.get("device_id")
    if not isinstance(user_id, str | None) or not isinstance(device_id, str | None):
        raise _WrongError("`user_id` and `device_id` are texts, or null")
    if device_id and not (
        len(device_id) <= _LONGEST_DEVICE_ID and device_id.isprintable() and "&" not in device_id
    ):
        raise _WrongError("the platform takes no such `device_id`")
    return Look(str(fields["state"]), user_id, device_id)


def _check(fields: dict[str, object], name: str, form: str) -> None:
    value = fields.get(name)
    fits = isinstance(value, str) if form is _TEXT else isinstance(value, int) and not isinstance(value, bool)
    if not fits or (isinstance(value, int) and value < 0):
        raise _WrongError(f"`{name}` must be {form}")


def _is_too_deep(content: object) -> bool:
    layer = [content]
    for _ in range(DEEPEST):
        layer = [inner for each in layer for inner in _inside(each)]
    return any(isinstance(each, dict | list) for each in layer)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _bad(line: bytes, problem: str) -> AdapterError:
    shown = line[:_SHOWN].decode("utf-8", "replace")
    if len(line) > _SHOWN:  # no word is cut, lest half a secret stays that nobody knows for one
        shown = f"{_LAST_WORD.sub('', shown)}…"
    return AdapterError(f"a line of the adapter's is not of the protocol: {problem}: {shown!r}")
