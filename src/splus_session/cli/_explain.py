"""`splus-session explain NAME`: what a word of the life cycle means, read from the definition that runs."""

import argparse
import difflib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, get_args

from splus_session._commands import Command
from splus_session._core import HOOKS, LIFECYCLE
from splus_session._errors import InvalidArgumentError, SplusSessionError
from splus_session._events import Event, event_name
from splus_session._meanings import EVENTS, MEANINGS
from splus_session._row import Row
from splus_session._situation import ENDED, WHERE
from splus_session._states import SessionState, TerminationReason
from splus_session.cli._status import PASSED

_WIDTH: Final = 96
_DESCRIPTION: Final = """\
Say what a word of the life cycle means: a state, why the platform ended a session, an event, a guard, a
reaction, a command, a hook, a requirement's id, or an error's code. All of it is read from the definition
that runs.
"""


def add_to(commands: Any) -> None:
    """Add the command to those that there are."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "explain",
        help="say what a state, an event, a requirement or an error means",
        description=_DESCRIPTION,
        epilog="examples: explain tokenExpired, explain secure_logout, explain RENEW-7, explain not_allowed",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run)
    parser.add_argument("names", nargs="+", metavar="NAME", help="what is to be explained")


def _run(options: argparse.Namespace) -> int:
    known = _known()
    for name in options.names:
        if name.lower() not in known:
            raise InvalidArgumentError(f"nothing here is called {name!r}{_meant(name, list(known))}")
    for place, name in enumerate(options.names):
        if place:
            print()
        for line in known[name.lower()]():
            print(line)
    return PASSED


def _meant(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else "; --help says what may be asked for"


def _known() -> Mapping[str, Callable[[], Iterator[str]]]:
    """By every word, in small letters, how it is explained."""
    from splus_session.requirements import REQUIREMENTS

    known: dict[str, Callable[[], Iterator[str]]] = {}

    def add(name: str, explain: Callable[..., Iterator[str]], *arguments: Any) -> None:
        known.setdefault(name.lower(), lambda: explain(*arguments))

    for state in SessionState:
        add(state.value, _state, state)
    for event in get_args(Event):
        add(event_name(event), _event, event)
        add(event.__name__, _event, event)
    for state in SessionState:
        add(state.name, _state, state)
    for name in MEANINGS:
        add(name, _meaning, name)
    for command in get_args(Command):
        add(command.__name__, _command, command)
    for reason in TerminationReason:
        add(reason.value, _reason, reason)
    for hook in HOOKS:
        add(hook, _hook, hook)
    for requirement in REQUIREMENTS:
        add(requirement, _requirement, requirement)
    for error in _errors(SplusSessionError):
        add(error.code, _error, error)
        add(error.__name__, _error, error)
    return known


def _state(state: SessionState) -> Iterator[str]:
    yield f"{state.value}, a state: {WHERE[state]}."
    yield from _table("Leads here", [row for row in LIFECYCLE if row.target is state and not row.internal])
    yield from _table("Leads out", [row for row in LIFECYCLE if row.source is state and not row.internal])
    yield from _table("Stays", [row for row in LIFECYCLE if row.source is state and row.internal])


def _reason(reason: TerminationReason) -> Iterator[str]:
    yield f"{reason.value}, a reason: {ENDED[reason]}."


def _event(event: type[Event]) -> Iterator[str]:
    name = event_name(event)
    meaning = EVENTS[name]
    yield from _wrapped(f"{name}, an event: {_plain(meaning.about)} [{', '.join(meaning.requirements)}]")
    yield from _table("What it does", [row for row in LIFECYCLE if row.event == name])
    states = [state.value for state in SessionState if not any(_is(row, state, event) for row in LIFECYCLE)]
    if states:
        yield f"  Without a row in: {', '.join(states)}."


def _is(row: Row, state: SessionState, event: type[Event]) -> bool:
    return row.source is state and row.event == event_name(event)


def _meaning(name: str) -> Iterator[str]:
    meaning = MEANINGS[name]
    rows = [row for row in LIFECYCLE if name in (*(guard.name for guard in row.guards), *row.reactions)]
    kind = "reaction" if any(name in row.reactions for row in rows) else "guard"
    yield from _wrapped(f"{name}, a {kind}: {_plain(meaning.about)} [{', '.join(meaning.requirements)}]")
    if meaning.commands:
        yield f"  May ask for: {', '.join(meaning.commands)}."
    yield from _table("Where", rows)


def _command(command: type[Any]) -> Iterator[str]:
    name = command.__name__
    yield from _wrapped(f"{name}, a command: {_about(command)}")
    asking = [each for each, meaning in MEANINGS.items() if name in meaning.commands]
    if asking:
        yield from _wrapped(f"  Asked for by: {', '.join(asking)}.")


def _hook(hook: str) -> Iterator[str]:
    yield f"{hook}, a hook: the client's own side effect, run once what led to it is stored and told."
    yield from _table("Where", [row for row in LIFECYCLE if hook in row.hooks])


def _requirement(name: str) -> Iterator[str]:
    from splus_session.requirements import REQUIREMENTS, SOURCES

    requirement = REQUIREMENTS[name]
    yield f"{name}, a requirement: {_plain(requirement.title)}"
    yield from _wrapped(f"  {_plain(requirement.text)}")
    yield from _wrapped(f"  Why: {'; '.join(SOURCES[source] for source in requirement.source)}.")
    meanings = {**EVENTS, **MEANINGS}
    names = [each for each, meaning in meanings.items() if name in meaning.requirements]
    if names:
        yield from _wrapped(f"  Kept by: {', '.join(names)}.")


def _error(error: type[SplusSessionError]) -> Iterator[str]:
    yield from _wrapped(f"{error.__name__}, an error, code {error.code}: {_about(error)}")
    if error.retryable is True:
        yield "  The same call may succeed later."


def _errors(error: type[SplusSessionError]) -> Iterator[type[SplusSessionError]]:
    yield error
    for each in error.__subclasses__():
        if each.__module__.startswith("splus_session."):
            yield from _errors(each)


# ── Words ───────────────────────────────────────────────────────────────────────────────────────


def _about(documented: object) -> str:
    """The first paragraph of its documentation, in one line, without marks."""
    text = inspect.cleandoc(getattr(documented, "__doc__", None) or "").split("\n\n")[0]
    return _plain(text) or "Python was told to leave its documentation out."


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[`*]", "", text).split())


def _table(title: str, rows: list[Row]) -> Iterator[str]:
    if not rows:
        return
    yield f"  {title}:"
    for row in rows:
        condition = f" if {' and '.join(map(str, row.guards))}" if row.guards else ""
        where = f"stays {row.source.value}" if row.internal else f"{row.source.value} -> {row.target.value}"
        does = ", ".join((*row.reactions, *(f"runs {hook}" for hook in row.hooks)))
        line = f"    {row.event}: {where}{condition}{'; ' + does if does else ''}"
        yield from _wrapped(line, deeper=4)


def _wrapped(text: str, *, deeper: int = 0) -> Iterator[str]:
    indent = len(text) - len(text.lstrip())
    yield from textwrap.wrap(
        re.sub(r"\s+", " ", text.strip()),
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + deeper or 2),
        break_on_hyphens=False,
    )
