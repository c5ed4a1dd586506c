"""`splus-session diagram` and `splus-session table`."""

import argparse
import contextlib
import sys
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from splus_session._errors import InvalidArgumentError
from splus_session._files import write_whole
from splus_session.cli._status import FAILED, PASSED
from splus_session.diagram import FORMATS, Diagram, Direction, Theme, View, chart_named, format_of

_EPILOG: Final = """\
formats: {formats}; without a FILE and a FORMAT: {otherwise}

exit status: 0 if it was written, or with --check is what it should be; 1 if with --check it is not;
2 if nothing could be written.

A chart of your own is declared as the session's is, with python-statemachine, and is named as
package.module:ChartClass; the present folder is searched first.
"""

_TABLES: Final = ("markdown", "rst")


def add_to(commands: Any, *, in_marks: bool = False) -> None:
    """Add both commands to those that there are.

    Args:
        commands: those.
        in_marks: whether what they make comes into a page: Mermaid, if no format is named. There nobody asks
            for help, checks a file, or names a program: the page may be a stranger's.
    """
    otherwise = "mermaid" if in_marks else "dot"
    diagram: argparse.ArgumentParser = commands.add_parser(
        "diagram",
        add_help=not in_marks,
        help="draw the life cycle, or write it in some other program's language",
        description="Draw the life cycle of a session, or of any flat chart that is declared as it is.",
        epilog=_EPILOG.format(formats=", ".join(FORMATS), otherwise=otherwise),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    diagram.set_defaults(run=_run, otherwise=otherwise)
    _add_what(diagram, tuple(FORMATS), in_marks=in_marks)
    diagram.add_argument("--initial", metavar="STATE", help="the state that it begins in")
    diagram.add_argument("--active", metavar="STATE", help="show this state as the present one")
    diagram.add_argument(
        "--dropped", action="store_true", help="say in each state which events find no row there"
    )
    diagram.add_argument(
        "--direction", choices=get_args(Direction), default="down", help="where the arrows lead (down)"
    )
    diagram.add_argument(
        "--theme", choices=get_args(Theme), default="both", help="what kind of page it is for (both)"
    )
    diagram.add_argument(
        "--link",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="where a state or an event leads to; may be repeated",
    )
    diagram.add_argument("--title", help="what it is called")
    if not in_marks:
        diagram.add_argument(
            "--graphviz",
            metavar="PROGRAM",
            help="draw with this Graphviz, not the one that comes along",
        )
    table: argparse.ArgumentParser = commands.add_parser(
        "table",
        add_help=not in_marks,
        help="write the life cycle as a table",
        description="Write what each event leads to in each state or, in full, every row of the life cycle.",
        epilog=_EPILOG.format(formats=", ".join(_TABLES), otherwise=_TABLES[0]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    table.set_defaults(run=_run, otherwise=_TABLES[0])
    _add_what(table, _TABLES, in_marks=in_marks)


def _add_what(parser: argparse.ArgumentParser, formats: tuple[str, ...], *, in_marks: bool) -> None:
    parser.add_argument("chart", nargs="?", metavar="MODULE:CHART", help="a chart of your own")
    parser.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to; - is standard output (-)"
    )
    parser.add_argument(
        "-f", "--format", choices=formats, metavar="FORMAT", help="what as; else as FILE's name ends"
    )
    parser.add_argument(
        "--view", choices=get_args(View), default="overview", help="how much there is to see (overview)"
    )
    parser.add_argument(
        "--event", action="append", default=[], metavar="NAME", help="only this event; may be repeated"
    )
    if not in_marks:
        parser.add_argument(
            "--check",
            action="store_true",
            help="write nothing; fail if FILE is not what would be written",
        )


def form_of(options: argparse.Namespace) -> str:
    """As what it is to be written."""
    to = None if options.output == "-" else Path(options.output)
    form: str = options.format or (options.otherwise if to is None else format_of(to))
    if options.command == "table" and form not in _TABLES:
        raise InvalidArgumentError(f"a table is written as {' or '.join(_TABLES)}, and not as {form}")
    return form


def rendered(options: argparse.Namespace) -> bytes:
    """What is to be written."""
    return _diagram(options).render(form_of(options), program=getattr(options, "graphviz", None))


def write(to: Path, content: bytes) -> None:
    """Write a file, all of it or nothing.

    Raises:
        InvalidArgumentError: it cannot be written.
    """
    try:
        write_whole(to, content)
    except OSError as error:
        raise InvalidArgumentError(f"{to} cannot be written: {error.strerror}") from None


def _run(options: argparse.Namespace) -> int:
    to = None if options.output == "-" else Path(options.output)
    if options.check and form_of(options) == "pdf":
        raise InvalidArgumentError("no two PDFs are the same, so there is nothing to check")
    content = rendered(options)
    if options.check:
        return _check(to, content)
    if to is not None:
        write(to, content)
    elif sys.stdout is None:
        raise InvalidArgumentError("there is no standard output: name a file with -o")
    elif b"\0" in content and sys.stdout.isatty():
        raise InvalidArgumentError(f"{form_of(options)} is nothing for a terminal: name a file with -o")
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    return PASSED


def _check(to: Path | None, content: bytes) -> int:
    if to is None:
        raise InvalidArgumentError("--check needs a file, which -o names")
    try:
        if to.exists() and to.read_bytes() == content:
            return PASSED
    except OSError as error:
        raise InvalidArgumentError(f"{to} cannot be read: {error.strerror}") from None
    print(f"{to} is {'stale' if to.exists() else 'missing'}: write it without --check", file=sys.stderr)
    return FAILED


@contextlib.contextmanager
def _present_folder_first() -> Generator[None]:
    """Have charts looked for here first, as with `python -m`; and nothing else that is imported."""
    sys.path.insert(0, "")
    try:
        yield
    finally:
        sys.path.remove("")


def _diagram(options: argparse.Namespace) -> Diagram:
    given = vars(options)
    names = ("view", "initial", "active", "dropped", "direction", "theme", "title")
    asked: dict[str, Any] = {name: given[name] for name in names if given.get(name) is not None}
    asked |= {"events": options.event, "links": _links(given.get("link", ()))}
    if options.chart is None:
        return Diagram(**asked)
    with _present_folder_first():
        chart = chart_named(options.chart)
    return Diagram.of(chart, **asked)


def _links(given: Iterable[str]) -> Mapping[str, str]:
    links: dict[str, str] = {}
    for each in given:
        name, equals, url = each.partition("=")
        if not equals or not name or not url:
            raise InvalidArgumentError(f"a link is NAME=URL, and not {each!r}")
        links[name] = url
    return links
