"""The scenarios of a seed: what is played, drawn from the phrases that the alphabet of actions has."""

import random
from typing import Final

from splus_session.conformance._actions import ALWAYS, GROUPS, OPENINGS, Action, Phrase
from splus_session.conformance._sense import needs

_SHORTEST, _LONGEST = 25, 50
"""How many phrases are drawn for a scenario; many make no sense where they stand."""
_SHARE: Final = 0.25
"""How many of the groups a scenario draws from, besides the one that it is about."""
_LOGINS: Final = (
    Action("login", "a", "ann"),
    Action("login_with_access_token", "a", "good"),
    Action("login_as_visitor", "a", "unsigned"),
    Action("login_as_bot", "a"),
)
_OVERTAKING: Final[tuple[Phrase, ...]] = (
    (Action("logout", "a"),),
    (Action("logout", "a"), Action("login", "a", "bob")),
    (Action("cancel", "a"),),
    (Action("close", "a"), Action("open", "a")),
)
OVERTAKEN: Final[tuple[Phrase, ...]] = tuple(
    (Action("hold"), login, *before, Action("release", "", "well"))
    for before in _OVERTAKING
    for login in _LOGINS
)
"""Each kind of login, and what may come before its answer: too many go wrong there for that to be left to
chance."""
_IN_TURN, _FIRST = 20, 10
"""One scenario in so many is the next of these, and the first of them is this one."""
_EVERY, _PASSINGS = 8, 2
"""Of so many scenarios one lets time pass, and so often, for a client whose time passes by itself."""


def scenario(features: frozenset[str], seed: int, number: int) -> tuple[Action, ...]:
    """One of a seed's scenarios for a client with these features: of the actions of some groups, or one of
    those in which a login's answer comes too late.

    Not drawn by Hypothesis, whose choices depend on its version and on what else is imported: the same
    seed is to give the same scenarios wherever it is tried.
    """
    if number % _IN_TURN == _FIRST:
        overtaken = [phrase for phrase in OVERTAKEN if _fits(phrase, features)]
        return overtaken[number // _IN_TURN % len(overtaken)]
    chance = random.Random(f"{seed} {number}")  # noqa: S311
    focus = chance.choice(list(GROUPS))
    groups = [group for group in GROUPS.values() if chance.random() < _SHARE]
    phrases = [*ALWAYS, *GROUPS[focus] * 3, *(phrase for group in groups for phrase in group)]
    fitting = [phrase for phrase in phrases if _fits(phrase, features)]
    opening = chance.choice([phrase for phrase in OPENINGS if _fits(phrase, features)])
    drawn = chance.choices(fitting, k=chance.randint(_SHORTEST, _LONGEST))
    actions = tuple(action for phrase in (opening, *drawn) for action in phrase)
    return actions if "time" in features else _in_real_time(actions, number)


def _fits(phrase: Phrase, features: frozenset[str]) -> bool:
    return all(needs(action) <= features for action in phrase)


def _in_real_time(actions: tuple[Action, ...], number: int) -> tuple[Action, ...]:
    """Without most of the waiting, which takes its time."""
    left = 0 if number % _EVERY else _PASSINGS
    kept: list[Action] = []
    for action in actions:
        if action.do == "until":
            if not left:
                continue
            left -= 1
        kept.append(action)
    return tuple(kept)
