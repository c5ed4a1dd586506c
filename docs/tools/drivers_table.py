"""What the drivers' sessions can be asked for, side by side: the blocks of `docs/reference/drivers.md`.

Read from the classes themselves, so that whatever only one of them has, or has otherwise, shows there.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Generic, NamedTuple

import ids
from blocks import filled

from splus_session.aio import Session as AsyncSession
from splus_session.sync import Session as ThreadedSession

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "drivers.md"
DRIVERS: Final = (AsyncSession, ThreadedSession)

_ABSENT: Final = "–"


class Member(NamedTuple):
    """Something public of a class."""

    call: str
    """How it is written, such as `login(user_id, *, auth_token=None)`."""
    kind: str
    about: str
    """The docstring up to its first full stop or colon, and the requirements in its first paragraph."""


def page() -> str:
    """The page."""
    return filled(PAGE, {"methods": lambda: methods(DRIVERS), "arguments": lambda: arguments(DRIVERS)})


def methods(drivers: Sequence[type]) -> str:
    """A row for everything public that any of these classes has, with how each has it."""
    members = [dict(_members(driver)) for driver in drivers]
    rows = []
    for name in dict.fromkeys(name for of_one in members for name in of_one):
        each = [of_one.get(name) for of_one in members]
        there = [member for member in each if member is not None]
        cells = [_once(member.call for member in there)]
        cells += [_ABSENT if member is None else member.kind for member in each]
        rows.append(_row(*cells, _once(member.about for member in there)))
    return _table(("what", *_heads(drivers), "what it is"), rows)


def arguments(drivers: Sequence[type]) -> str:
    """A row for every argument that any of these classes is made with, with how each takes it."""
    taken = [inspect.signature(driver).parameters for driver in drivers]
    told = [_told_of_arguments(driver.__init__) for driver in drivers]  # type: ignore[misc]
    rows = []
    for name in dict.fromkeys(name for of_one in taken for name in of_one):
        types = [_type(of_one[name]) if name in of_one else None for of_one in taken]
        is_same = len(set(types)) == 1
        cells = [f"`{_once(_plain(of_one[name]) for of_one in taken if name in of_one)}`"]
        cells += [_ABSENT if type is None else "yes" if is_same else f"`{type}`" for type in types]
        rows.append(_row(*cells, _once(of_one[name] for of_one in told if name in of_one)))
    return _table(("argument", *_heads(drivers), "what it is"), rows)


def _heads(drivers: Sequence[type]) -> Iterator[str]:
    for driver in drivers:
        yield f"`{driver.__module__.removesuffix('._session').removeprefix('splus_session.')}`"


def _members(driver: type) -> Iterator[tuple[str, Member]]:
    """Everything public of a class, what it inherits first, in the order of the source."""
    for holder in reversed(driver.__mro__):
        if holder not in (object, Generic):
            for name, member in vars(holder).items():
                if not name.startswith("_"):
                    yield name, _member(name, member)


def _member(name: str, member: object) -> Member:
    about = _first(inspect.getdoc(member) or "")
    if not inspect.isfunction(member):
        return Member(f"`{name}`", "attribute", about)
    parameters = list(inspect.signature(member).parameters.values())[1:]
    keyword_only = [each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters]
    words = [_plain(each) for each in parameters]
    if any(keyword_only):
        words.insert(keyword_only.index(True), "*")
    kind = "`await`" if inspect.iscoroutinefunction(member) else "call"
    return Member(f"`{name}({', '.join(words)})`", kind, about)


def _plain(parameter: inspect.Parameter) -> str:
    return str(parameter.replace(annotation=inspect.Parameter.empty))


def _type(parameter: inspect.Parameter) -> str:
    """A parameter's type, by its bare names."""
    return re.sub(r"\b(?:\w+\.)+(\w)", r"\1", inspect.formatannotation(parameter.annotation))


def _first(doc: str) -> str:
    paragraph = " ".join(doc.split("\n\n")[0].split())
    sentence = re.split(r"[.:](?:\s|$)", ids.without(paragraph), maxsplit=1)[0]
    return " ".join([sentence, *map(ids.link, ids.NAMED.findall(paragraph))])


def _told_of_arguments(function: object) -> dict[str, str]:
    """What a docstring says of each argument, with links."""
    section = re.search(r"^Args:\n((?: .*\n?)+)", inspect.getdoc(function) or "", re.MULTILINE)
    words = re.split(r"^    (\w+): ", "" if section is None else section[1], flags=re.MULTILINE)[1:]
    return {
        name: ids.NAMED.sub(lambda found: ids.link(found[1]), " ".join(text.split()))
        for name, text in zip(words[::2], words[1::2], strict=True)
    }


def _once(words: Iterator[str]) -> str:
    """What all of them say, said once; else what each says."""
    return "<br>".join(dict.fromkeys(words))


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join([_row(*head), "|---" * len(head) + "|", *rows])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
