"""Breaches that are known: listed with a reason, and held to, both ways."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import attrs

from splus_session._errors import InvalidArgumentError
from splus_session.conformance._actions import ALWAYS, ANSWERS, APP, GROUPS, OPENINGS, WORDS, Action
from splus_session.conformance.verdicts import Breach, Report, Result, Trouble
from splus_session.requirements import REQUIREMENTS

UNEXPLAINED: Final = "?"
"""The reason of a breach that nobody has explained yet."""


@attrs.frozen
class Known:
    """A breach that is expected."""

    requirement: str
    sentence: str
    reason: str
    scenario: tuple[Action, ...]
    """A run that shows it."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.requirement, self.sentence


def load(path: Path) -> tuple[Known, ...]:
    """Read a file of known breaches.

    Raises:
        InvalidArgumentError: it is none; says where.
    """
    entries = fields_of(path).get("breaches")
    if not isinstance(entries, list):
        raise InvalidArgumentError(f"{path} has no list of `breaches`")
    known = tuple(
        _known(entry, f"{path}, breach {n}") for n, entry in enumerate(cast("list[object]", entries), 1)
    )
    if len({each.key for each in known}) < len(known):
        raise InvalidArgumentError(f"{path} lists a breach twice")
    return known


def fields_of(path: Path) -> dict[str, object]:
    """The fields of the JSON object in a file; none, if it is anything else.

    Raises:
        InvalidArgumentError: it cannot be read.
    """
    try:
        content: object = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error}") from None
    return cast("dict[str, object]", content) if isinstance(content, dict) else {}


def _known(entry: object, where: str) -> Known:
    if not isinstance(entry, dict):
        raise InvalidArgumentError(f"{where} is no object")
    fields = cast("dict[str, object]", entry)
    texts = [fields.get(name) for name in ("requirement", "sentence", "reason")]
    if not all(isinstance(text, str) and text for text in texts):
        raise InvalidArgumentError(f"{where} needs a requirement, a sentence and a reason")
    requirement, sentence, reason = (str(text) for text in texts)
    if requirement not in REQUIREMENTS:
        raise InvalidArgumentError(f"{where}: no requirement is called {requirement}")
    return Known(requirement, sentence, reason, scenario_of(fields.get("scenario"), where))


def scenario_of(content: object, where: str) -> tuple[Action, ...]:
    """Read a scenario.

    Raises:
        InvalidArgumentError: it is none.
    """
    if not isinstance(content, list) or not content:
        raise InvalidArgumentError(f"{where} needs a scenario: a list of actions")
    return tuple(_action(entry, where) for entry in cast("list[object]", content))


def _action(entry: object, where: str) -> Action:
    shown = repr(entry)[:100]
    try:
        action = Action.from_json(cast("Mapping[str, Any]", entry))
    except TypeError:
        raise InvalidArgumentError(f"{where} has an action that is none: {shown}") from None
    if not all(_is_text(field) for field in (action.do, action.client, action.how)) or not _is_time(
        action.seconds
    ):
        raise InvalidArgumentError(f"{where} has an action that is none: {shown}")
    if action.do not in WORDS:
        raise InvalidArgumentError(f"{where} has an action that nobody knows: {action.do!r}")
    if action.client not in _CLIENTS or action.how not in _HOWS[action.do, action.client == "c"]:
        raise InvalidArgumentError(f"{where} has an action of which nobody knows who or how: {shown}")
    return action


def _is_text(field: object) -> bool:
    return isinstance(field, str)


def _is_time(seconds: object) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and abs(seconds) <= _LONGEST


def _hows() -> dict[tuple[str, bool], set[str]]:
    """By action, and whether it is by the client that cannot be made: every way that there is."""
    hows: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for phrases in (OPENINGS, ALWAYS, *GROUPS.values()):
        for action in (action for phrase in phrases for action in phrase):
            hows[action.do, action.client == "c"].add(action.how)
    for do in ("next", "next_renewal", "release"):
        hows[do, False] |= set(ANSWERS)
    hows["app", False] |= set(APP)
    return hows


_CLIENTS: Final = ("", "a", "b", "c")
_HOWS: Final = _hows()
_LONGEST: Final = 100 * 366 * 86400.0
"""Seconds: nobody waits longer, and calendars have an end."""


def dump(report: Report, known: Sequence[Known]) -> str:
    """A file of a report's breaches, with the reasons that are known. What was not judged stays as it was."""
    reasons = {each.key: each.reason for each in known}
    judged = {result.requirement for result in report.results}
    entries: list[dict[str, object]] = []
    for breach in report.breaches:
        reason = reasons.get(breach.key, UNEXPLAINED)
        told = _entry(breach.requirement, breach.sentence, reason)
        shown = {"observed": breach.observed, "commands": breach.commands}
        entries.append({**told, **shown, "scenario": list(breach.scenario)})
    for each in known:
        if each.requirement not in judged:
            told = _entry(each.requirement, each.sentence, each.reason)
            entries.append({**told, "scenario": [action.to_json() for action in each.scenario]})
    return json.dumps({"breaches": entries}, indent=1, ensure_ascii=False) + "\n"


def _entry(requirement: str, sentence: str, reason: str) -> dict[str, object]:
    return {"requirement": requirement, "sentence": sentence, "reason": reason}


def held_to(report: Report, known: Sequence[Known]) -> Report:
    """A report of which only what is not known is unexpected, and what is known and gone is trouble."""
    reasons = {each.key: each.reason for each in known}
    breaches = {breach.key for breach in report.breaches}
    judged = {result.requirement for result in report.results}
    gone = [
        Trouble(each.requirement, each.sentence, f"expected to be broken, and is not: {each.reason}")
        for each in known
        if each.key not in breaches and each.requirement in judged
    ]

    def explained(breach: Breach) -> Breach:
        return attrs.evolve(breach, reason=reasons.get(breach.key))

    def result(each: Result) -> Result:
        return attrs.evolve(each, breaches=tuple(explained(breach) for breach in each.breaches))

    return attrs.evolve(
        report,
        results=tuple(result(each) for each in report.results),
        unexpected=tuple(breach for breach in report.unexpected if breach.key not in reasons),
        troubles=(*report.troubles, *gone),
    )
