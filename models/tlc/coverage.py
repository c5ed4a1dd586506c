"""Whether all that the model lets happen does happen in some slice.

TLC has a report of that kind, which takes this model apart down to the last expression and runs out of
memory. The edges that it prints say the same of actions and of their outcomes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from models.tlc import modules
from models.tlc.graphs import Happening

_MAY_COME = ("granted", "refused", "lost", "foreign", "banned", "deleted", "banned with a token")
_MAY_SAY = ("auth token", "user id", "signature", "fresh", "late", "dead", "unable")

ACTIONS: Final[Mapping[str, Iterable[str]]] = {
    "Due": ("token_expired", "renewal_due", "answer_overdue", "revocation_due"),
    "Tick": ("tick",),
    "Oversleep": ("sleep",),
    "Login": ("login",),
    "Ask": ("logout", "secure_logout", "renew_now"),
    "Cancel": ("login_cancelled",),
    "ChangeHandlers": ("handlers_changed",),
    "Handler": [f"handler {word}" for word in _MAY_SAY],
    "AnswerLogin": [f"open {word}" for word in _MAY_COME],
    "AnswerRenewal": [f"renew {word}" for word in _MAY_COME],
    "Repeat": [f"{word} {kind}" for word in ("again", "no more") for kind in ("open", "renew")]
    + ["again orphan"],
    "AnswerVerification": [f"verify {word}" for word in ("lost", "banned", "confirmed", "refuted")],
    "AnswerRevocation": [f"revoke {word}" for word in ("lost", "doubted", "banned", "lost after", "revoked")],
    "BringOrphan": ("orphan",),
    "Reject": ("rejected",),
    "Void": ("void",),
    "EndUser": ("end banned", "end deleted"),
    "Notice": ("notice",),
    "Hear": ("api", "gossip"),
    "OpenStore": ("open the store",),
    "CarryOut": ("store", "tell"),
    "Kill": ("kill",),
}
"""The actions of the model, and what each may bring."""


def actions() -> list[str]:
    """The names of the actions, as the model has them."""
    text = (modules.TLA / "Session.tla").read_text("utf-8")
    [following] = re.findall(r"^Next ==\n((?:    .*\n)+)", text, re.MULTILINE)
    return re.findall(r"\w+", following)


def seen(happenings: Iterable[Happening]) -> Counter[str]:
    """What happened, by the words of its label, and how often."""
    return Counter(_words(happening) for happening in happenings)


def _words(happening: Happening) -> str:
    first, *rest = happening.label
    if first in {"login", "handlers_changed"}:
        return str(first)
    return " ".join([str(first), *(word for word in rest if isinstance(word, str))])


def dead(found: Mapping[str, int]) -> list[str]:
    """What never happened."""
    return [f"{action}: {word}" for action, words in ACTIONS.items() for word in words if not found.get(word)]
