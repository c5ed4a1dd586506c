"""The catalogue of what a social.plus session must do, as data.

Properties, tests, conformance checks and the documentation name a requirement by its id; an id never
changes its meaning. The texts live in ``requirements.toml`` beside this module and are read when this
module is imported, which ``import splus_session`` does not do.

    >>> REQUIREMENTS["LOGIN-2"].title
    'Everything is in place before anyone is told'
"""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final, cast

from attrs import frozen

__all__ = [
    "LEVELS",
    "REQUIREMENTS",
    "SOURCES",
    "STATUSES",
    "CatalogueError",
    "Requirement",
    "parse",
]

SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "S": "the vendor's page on authentication says so",
        "F": "follows from a fact about the platform or about the SDKs that the vendor ships",
        "O": "this library's own promise",
    }
)
"""The letters of `Requirement.source` and what each means."""

LEVELS: Final = ("must", "should")
"""How binding a requirement is."""

STATUSES: Final = ("active", "planned")
"""Whether the library already keeps a requirement, or will."""

_ID: Final = re.compile(r"[A-Z]+-[1-9][0-9]*")
_REQUIRED: Final = frozenset({"id", "group", "title", "text", "source", "level"})
_OPTIONAL: Final = frozenset({"status", "source_note", "should_part", "planned_part"})


class CatalogueError(ValueError):
    """The catalogue is not well-formed; the message names the entry and what is wrong with it."""


@frozen
class Requirement:
    """One entry of the catalogue."""

    id: str
    """The stable name, such as ``LOGIN-1``."""
    group: str
    """The heading under which it stands."""
    title: str
    """A few words."""
    text: str
    """The requirement itself, as one paragraph of Markdown."""
    source: tuple[str, ...]
    """Where it comes from: one or more keys of `SOURCES`."""
    level: str
    """One of `LEVELS`."""
    status: str = "active"
    """One of `STATUSES`."""
    source_note: str = ""
    """The fact behind it in a few words, where there is one worth telling."""
    should_part: str = ""
    """What is only a "should" within a "must"."""
    planned_part: str = ""
    """What is still planned within an active requirement."""


def parse(toml: str) -> Mapping[str, Requirement]:
    """Return the requirements written in ``toml``, by id and in the order of the text.

    Raises:
        CatalogueError: if it is not TOML, or an entry is incomplete, unknown in a field, or a duplicate.
    """
    try:
        document = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"the catalogue is not TOML: {error}") from error
    entries: object = document.pop("requirement", None)
    if document:
        raise CatalogueError(f"the catalogue has unknown keys: {', '.join(sorted(document))}")
    if not isinstance(entries, list) or not entries:
        raise CatalogueError("the catalogue has no [[requirement]]")
    catalogue: dict[str, Requirement] = {}
    for position, entry in enumerate(cast("list[object]", entries), start=1):
        requirement = _requirement(entry, f"requirement number {position}")
        if requirement.id in catalogue:
            raise CatalogueError(f"{requirement.id} is there twice")
        catalogue[requirement.id] = requirement
    return MappingProxyType(catalogue)


def _requirement(entry: object, where: str) -> Requirement:
    """Return one validated requirement; ``where`` names the entry as long as its id is not known."""
    if not isinstance(entry, dict):
        raise CatalogueError(f"{where} is not a table")
    fields = cast("dict[str, object]", entry)
    where = str(fields.get("id", where))
    if missing := _REQUIRED - fields.keys():
        raise CatalogueError(f"{where} has no {', '.join(sorted(missing))}")
    if unknown := fields.keys() - _REQUIRED - _OPTIONAL:
        raise CatalogueError(f"{where} has unknown fields: {', '.join(sorted(unknown))}")
    source = _letters(fields.pop("source"), where)
    texts = {name: _words(value, name, where) for name, value in fields.items()}
    requirement = Requirement(source=source, **texts)
    if not _ID.fullmatch(requirement.id):
        raise CatalogueError(f"{where} is not an id like LOGIN-1")
    if requirement.level not in LEVELS:
        raise CatalogueError(f"{where} has the unknown level {requirement.level!r}")
    if requirement.status not in STATUSES:
        raise CatalogueError(f"{where} has the unknown status {requirement.status!r}")
    if requirement.should_part and requirement.level != "must":
        raise CatalogueError(f"{where} is a should as a whole and needs no should_part")
    if requirement.planned_part and requirement.status != "active":
        raise CatalogueError(f"{where} is planned as a whole and needs no planned_part")
    return requirement


def _letters(value: object, where: str) -> tuple[str, ...]:
    """Return the sources, of which there is at least one, none unknown and none twice."""
    letters = cast("list[object]", value) if isinstance(value, list) else []
    known = [letter for letter in letters if isinstance(letter, str) and letter in SOURCES]
    if not known or len(known) != len(letters) or len(set(known)) != len(known):
        raise CatalogueError(f"{where} has the unknown source {value!r}; it is a list of S, F and O")
    return tuple(known)


def _words(value: object, name: str, where: str) -> str:
    """Return the value of one text field with its white space folded, so that TOML may wrap lines."""
    if not isinstance(value, str) or not value.strip():
        raise CatalogueError(f"{where} has an empty {name}, or one that is not text")
    return " ".join(value.split())


REQUIREMENTS: Final = parse(files("splus_session").joinpath("requirements.toml").read_text("utf-8"))
"""Every requirement by id, in the order of the catalogue."""
