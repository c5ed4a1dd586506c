"""What states are called in languages that take no other name than an identifier."""

import enum
from collections.abc import Iterable
from typing import Final

from splus_session._states import SessionState
from splus_session.diagram._shown import name_of

_HARMLESS: Final = frozenset(state.value for state in SessionState)
"""Words that none of these languages has a meaning of its own for."""


class Names(dict[enum.Enum, str]):
    """By state, an identifier: `s1`, `s2` and so on, or its own name if that is one of the session's."""

    def __init__(self, states: Iterable[enum.Enum]) -> None:
        super().__init__(
            (state, name_of(state) if name_of(state) in _HARMLESS else f"s{number}")
            for number, state in enumerate(states, 1)
        )
