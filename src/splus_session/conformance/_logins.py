"""Whether the platform lets a client in at all: if it never does, little of the rest can be seen."""

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from splus_session import AuthToken
from splus_session._text import visible
from splus_session.conformance._moment import OPENING
from splus_session.conformance._words import answer_in_words, json_object
from splus_session.testing import Received

_LOGINS: Final = (*OPENING, None)
"""Where logins go; None, if they go where there is nothing."""
_FOR_GOOD_REASON: Final = frozenset({400312, 400400})
"""The user is banned, or deleted."""
_MADE_UP: Final = AuthToken("made-up-by-nobody")


@attrs.frozen
class Logins:
    """What became of a run's logins."""

    refused: int = 0
    """How many the platform refused, though no fault struck them and nothing was wrong with the user."""
    was_let_in: bool = False
    """Whether any was answered with success."""
    last_refused: str = ""
    """The last of those that were refused, and its answer."""


def logins_of(records: Iterable[Received], without_secrets: Callable[[str], str]) -> Logins:
    """Sort out the logins and the renewals among requests, which the platform answers alike."""
    refused: list[Received] = []
    was_let_in = False
    for record in records:
        if record.method != "POST" or record.endpoint not in _LOGINS or record.status is None:
            continue
        was_let_in = was_let_in or record.status < 300
        if record.status >= 400 and not record.faults and not _is_rightly_refused(record):
            refused.append(record)
    return Logins(
        len(refused), was_let_in, without_secrets(_words(refused[-1], without_secrets)) if refused else ""
    )


def _is_rightly_refused(record: Received) -> bool:
    body = b"" if record.response is None else record.response.body
    is_gone = record.endpoint is not None and json_object(body).get("code") in _FOR_GOOD_REASON
    return is_gone or record.fields.get("authToken") == _MADE_UP


def _words(record: Received, without_secrets: Callable[[str], str]) -> str:
    path = visible(without_secrets(record.path))[:60]
    return f"{record.method} {path}, was answered with {answer_in_words(record, ())}"
