"""The changes to the code that no test can see, each with the reason; and how a change is named."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).parent / "equivalents.toml"


class Mutant(NamedTuple):
    """A change: in which function of which module, which lines it takes away, and which it puts there."""

    where: str
    was: str
    now: str


def between(where: str, difference: Iterable[str]) -> Mutant:
    """The change that a difference shows. Where a line stands does not matter, nor how far in."""
    told = list(difference)
    was, now = (" ".join(line[1:].strip() for line in told if line.startswith(sign)) for sign in "-+")
    return Mutant(where, was, now)


def equivalents() -> dict[Mutant, str]:
    """All that are listed, with the reasons."""
    reasons: list[dict[str, str | list[list[str]]]] = tomllib.loads(LIST.read_text("utf-8"))["because"]
    return {Mutant(*mutant): str(reason["why"]) for reason in reasons for mutant in reason["mutants"]}
