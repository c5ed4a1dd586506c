"""A life cycle as JSON, for programs in whatever language.

    {"format": "splus-session life cycle", "version": 1, "title": "…", "initial": "notLoggedIn",
     "states": ["notLoggedIn", …],
     "transitions": [
       {"source": "notLoggedIn", "event": "login", "target": "establishing", "internal": false,
        "guards": [{"name": "has_auth_token_or_development", "expected": true}],
        "reactions": ["start_login"], "commands": ["Announce", "OpenSession"], "hooks": [],
        "requirements": ["LOGIN-1", "LOGIN-4"]}, …]}

Transitions of one source and event are tried in order; the first whose guards all have the value that is
expected is taken.
"""

import enum
import json
from collections.abc import Sequence

from splus_session._row import Row
from splus_session.diagram._shown import meaning_of, name_of


def as_json(lifecycle: Sequence[Row], states: Sequence[enum.Enum], initial: enum.Enum, title: str) -> str:
    """A life cycle as JSON."""
    transitions: list[dict[str, object]] = []
    for row in lifecycle:
        commands, requirements = meaning_of(row)
        transitions.append(
            {
                "source": name_of(row.source),
                "event": row.event,
                "target": name_of(row.target),
                "internal": row.internal,
                "guards": [{"name": guard.name, "expected": guard.expected} for guard in row.guards],
                "reactions": row.reactions,
                "commands": commands,
                "hooks": row.hooks,
                "requirements": requirements,
            }
        )
    content = {
        "format": "splus-session life cycle",
        "version": 1,
        "title": title,
        "initial": name_of(initial),
        "states": [name_of(state) for state in states],
        "transitions": transitions,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
