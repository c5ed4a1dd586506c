"""What came of judging a client: verdicts for requirements, and the shortest run that shows each breach.

Plain values, from which every report is made, and which go to JSON and back.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from splus_session.requirements import REQUIREMENTS

__all__ = ["Breach", "CutShort", "Line", "Report", "Result", "Subject", "Trouble", "Verdict"]


class Verdict(enum.Enum):
    """What can be said about one requirement."""

    KEPT = "kept"
    """Something that it speaks of happened, and each time it was kept."""
    BROKEN = "broken"
    NOT_REACHED = "not reached"
    """Nothing that it speaks of happened: nothing can be said."""
    NOT_APPLICABLE = "not applicable"
    """The client does not have what it speaks of."""


@attrs.frozen
class Line:
    """One thing that happened in a run, as a line of a sequence diagram."""

    sender: str
    """`kit`, `client`, `platform` or `app`; with several clients, `client a` and `client b`."""
    receiver: str
    text: str
    wrong: bool = False
    """Whether the breach is here."""

    def __str__(self) -> str:
        return f"{self.sender:>10} → {self.receiver:<10} {self.text}"


@attrs.frozen
class Breach:
    """One sentence that was broken, with the shortest run that was found to do so."""

    requirement: str
    """The id."""
    sentence: str
    """What the client should do, of which there may be several for one requirement."""
    expected: str
    observed: str
    scenario: tuple[Mapping[str, Any], ...]
    """What to do to see it: one JSON object for each step."""
    steps: tuple[str, ...]
    """The same in words."""
    lines: tuple[Line, ...]
    """What happened."""
    commands: int
    """How many commands the adapter was given, from the first `open` on and without any `settle`."""
    after: tuple[str, ...] = ()
    """What was seen broken earlier in that run, by ids and sentences: it may be why."""
    beside: tuple[str, ...] = ()
    """What was seen broken at the same moment: it may be the same mistake."""
    reason: str | None = None
    """Why it was expected, if it was."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.requirement, self.sentence

    @property
    def is_promised(self) -> bool:
        """Whether the vendor's own page promises it: all else is this library's, or a fact's."""
        return "S" in REQUIREMENTS[self.requirement].source


@attrs.frozen
class Result:
    """What can be said about one requirement."""

    requirement: str
    verdict: Verdict
    reached: int = 0
    """In how many runs something that it speaks of happened."""
    breaches: tuple[Breach, ...] = ()
    why: str | None = None
    """Why it is not applicable, if it is not."""


@attrs.frozen
class Trouble:
    """What is neither kept nor broken for sure: a breach that was expected and did not come, or that came
    once and never again; runs in which the adapter could not be talked to; or a platform that let nobody in.
    """

    requirement: str
    sentence: str
    text: str
    scenario: tuple[Mapping[str, Any], ...] = ()
    """The run in which it was seen once, for `--replay`."""


@attrs.frozen
class CutShort:
    """The breach at which most runs ended before they were played to their end."""

    requirement: str
    sentence: str
    runs: int
    """How many ended there."""
    of: int
    """Of how many."""


@attrs.frozen
class Subject:
    """Who was judged."""

    name: str
    version: str
    features: tuple[str, ...]
    command: str | None = None
    """How its adapter is started; None if it ran in this process."""


@attrs.frozen
class Report:
    """Everything that came of judging one client."""

    subject: Subject
    seed: int
    budget: int
    """How many scenarios were to be played."""
    runs: int
    """How many were, with those that shortened others."""
    seconds: float
    results: tuple[Result, ...]
    """By requirement, in the order of the catalogue."""
    unexpected: tuple[Breach, ...] = ()
    """Breaches that the file of expected ones does not list; all, if there is no such file."""
    troubles: tuple[Trouble, ...] = ()
    """What else there is to complain about."""
    cut_short: CutShort | None = None
    """What hides the rest, if most runs ended at the same breach."""

    @property
    def passed(self) -> bool:
        """Whether there is nothing to complain about."""
        return not self.unexpected and not self.troubles

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """All of them, expected or not."""
        return tuple(breach for result in self.results for breach in result.breaches)

    @property
    def expected(self) -> tuple[Breach, ...]:
        """Those that the file of expected ones lists."""
        return tuple(breach for breach in self.breaches if breach not in self.unexpected)

    def result(self, requirement: str) -> Result:
        """The result for one requirement."""
        return next(result for result in self.results if result.requirement == requirement)

    def count(self, verdict: Verdict) -> int:
        """How many requirements have this verdict."""
        return sum(result.verdict is verdict for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """As what `json.dumps` takes."""
        return attrs.asdict(self, value_serializer=lambda _, __, value: _plain(value))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Report":
        """What `to_json` gave, back."""
        results: list[Result] = []
        for raw in content["results"]:
            fields: dict[str, Any] = {
                **raw,
                "verdict": Verdict(raw["verdict"]),
                "breaches": _breaches(raw["breaches"]),
            }
            results.append(Result(**fields))
        subject: dict[str, Any] = {
            **content["subject"],
            "features": tuple(content["subject"]["features"]),
        }
        whole: dict[str, Any] = {
            **content,
            "subject": Subject(**subject),
            "results": tuple(results),
            "unexpected": _breaches(content["unexpected"]),
            "troubles": tuple(_trouble(raw) for raw in content["troubles"]),
            "cut_short": None if (cut := content.get("cut_short")) is None else CutShort(**cut),
        }
        return cls(**whole)


def _plain(value: object) -> object:
    return value.value if isinstance(value, Verdict) else value


def _trouble(raw: Mapping[str, Any]) -> Trouble:
    fields: dict[str, Any] = {**raw, "scenario": tuple(raw["scenario"])}
    return Trouble(**fields)


def _breaches(raws: Sequence[Mapping[str, Any]]) -> tuple[Breach, ...]:
    return tuple(_breach(raw) for raw in raws)


def _breach(raw: Mapping[str, Any]) -> Breach:
    fields: dict[str, Any] = {
        **raw,
        "scenario": tuple(raw["scenario"]),
        "steps": tuple(raw["steps"]),
        "after": tuple(raw["after"]),
        "beside": tuple(raw["beside"]),
        "lines": tuple(Line(**line) for line in raw["lines"]),
    }
    return Breach(**fields)
