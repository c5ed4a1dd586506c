"""The library's errors, by whose move it is: the blocks of `docs/reference/errors.md`.

Read from the classes, so that the page names each under the name that one imports.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import ids
from blocks import filled

import splus_session
from splus_session import (
    CallerError,
    ChartError,
    InterruptedByError,
    NotAuthorizedError,
    PlatformError,
    SplusSessionError,
    StoreError,
)

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "errors.md"
GROUPS: Final[Mapping[str, Sequence[type[SplusSessionError]]]] = {
    "yours": (CallerError,),
    "theirs": (PlatformError,),
    "no header": (NotAuthorizedError,),
    "other": (InterruptedByError, StoreError, ChartError),
}


def page() -> str:
    """The page."""
    return filled(PAGE, {name: partial(table, name) for name in GROUPS})


def table(group: str) -> str:
    """A row for each error of a group, each after the one that it is a kind of."""
    rows = [_row(error) for error in of_group(group)]
    return "\n".join(["| error | `code` | `retryable` | what it means |", "|---|---|---|---|", *rows])


def of_group(group: str) -> Iterator[type[SplusSessionError]]:
    """The errors of a group; one that is of two is in the first one's."""
    earlier = list(GROUPS)[: list(GROUPS).index(group)]
    elsewhere = tuple(root for name in earlier for root in GROUPS[name])
    for root in GROUPS[group]:
        for error in _with_kinds(root):
            if not issubclass(error, elsewhere):
                yield error


def _with_kinds(error: type[SplusSessionError]) -> Iterator[type[SplusSessionError]]:
    yield error
    for each in error.__subclasses__():  # as they are written: what is alike stands together
        if getattr(splus_session, each.__name__, None) is each:
            yield from _with_kinds(each)


def _row(error: type[SplusSessionError]) -> str:
    name = f"[`{error.__name__}`](api/splus_session.md#splus_session.{error.__name__})"
    return f"| {name} | `{error.code}` | {_retryable(error)} | {_meaning(error)} |"


def _retryable(error: type[SplusSessionError]) -> str:
    said: object = inspect.getattr_static(error, "retryable")
    if isinstance(said, property):  # its docstring says whether
        return "if" + (inspect.getdoc(said) or "").removeprefix("Whether").rstrip(".")
    return "yes" if said else "no"


def _meaning(error: type[SplusSessionError]) -> str:
    doc = " ".join((inspect.getdoc(error) or "").split("\n\n")[0].split())
    # By the root of its group it is found anyway.
    also = [f"`except {base.__name__}`" for base in error.__bases__ if base not in _roots_above(error)]
    caught = [f"{' and '.join(also)} catches it, too."] if also else []
    return " ".join([ids.without(doc), *caught, *map(ids.link, ids.NAMED.findall(doc))])


def _roots_above(error: type[SplusSessionError]) -> Sequence[type]:
    """The root of the group in which an error stands, if that has one, and the root of all."""
    group = next(roots for name, roots in GROUPS.items() if error in of_group(name))
    return [SplusSessionError, *(group if len(group) == 1 else ())]
