"""`splus-session docs`: diagrams and tables in Markdown files, kept as they should be.

It may be run on pages that somebody else wrote: a mark names no program, and no file but a picture in the
page's folder or the present one. It may name a chart, though, whose module is imported.
"""

import argparse
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from splus_session._errors import InvalidArgumentError, SplusSessionError
from splus_session.cli import _diagram
from splus_session.cli._status import FAILED, PASSED
from splus_session.diagram import format_of

_DESCRIPTION: Final = """\
Write what stands between marks in Markdown files anew:

    <!-- splus-session: diagram --view overview -->
    <!-- /splus-session -->

The first mark holds the arguments of `splus-session diagram` or `splus-session table`. What is text comes
between the marks: Mermaid, unless another format is named. A picture is written to the file that -o names,
relative to the page, and the page shows it. If a mark names a chart of one's own, its module is imported.
"""
_EPILOG: Final = """\
exit status: 0 if all are as they should be, or were written; 1 if with --check one is not; 2 if one could
not be read, or a mark is wrong: then nothing is written; 2 also if a file could not be written.
"""
_BEGIN: Final = re.compile(r"(?P<indent>[ \t]*)<!-- splus-session: (?P<arguments>.*?) -->[ \t]*")
_END: Final = re.compile(r"[ \t]*<!-- /splus-session -->[ \t]*")
_LIKE_A_MARK: Final = re.compile(r"<!--\s*/?\s*splus-session\b")
_FENCE: Final = re.compile(r"[ \t]*(?P<fence>`{3,}(?!.*`)|~{3,})")
_WORDS: Final = {"dot": "dot", "mermaid": "mermaid", "plantuml": "plantuml", "scxml": "xml", "json": "json"}
"""What a fence with such a text is called."""
_PICTURES: Final = ("svg", "png")


def add_to(commands: Any) -> None:
    """Add the command to those that there are."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "docs",
        help="keep diagrams and tables in Markdown files fresh",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a page in Markdown")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if anything is stale")


def _run(options: argparse.Namespace) -> int:
    pages = {path.resolve(): _Page(path) for path in options.files}
    wanted: dict[Path, bytes] = {}
    shown: dict[Path, bytes] = {}
    for page in pages.values():  # pictures first: no page is to show one that is not there
        for file, content in page.pictures.items():
            if file.resolve() in pages:
                raise InvalidArgumentError(f"{page.path}: {file} is a page itself")
            if shown.setdefault(file.resolve(), content) != content:
                raise InvalidArgumentError(f"{page.path}: {file} is to hold two different pictures")
            wanted[file] = content
    wanted |= {page.path: page.content for page in pages.values()}
    stale = [file for file, content in wanted.items() if not file.exists() or _read(file) != content]
    for file in stale:
        if not options.check:
            _diagram.write(file, wanted[file])
        print(f"{file} is {'stale' if options.check else 'written'}", file=sys.stderr)
    return FAILED if stale and options.check else PASSED


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"{file} cannot be read: {error.strerror}") from None


class _Page:
    """A page as it should be, and the pictures that it shows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pictures: dict[Path, bytes] = {}
        try:
            text = _read(path).decode()
        except UnicodeDecodeError as error:
            raise InvalidArgumentError(f"{path} cannot be read: {error}") from None
        # Only line feeds end lines, and what comes before them stays: the page may be anybody's.
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        self.content = (mark + "".join(self._lines(text.removeprefix(mark)))).encode()

    def _lines(self, text: str) -> Iterator[str]:
        """The page's lines, with what stands between marks made anew."""
        fence, begin, example = "", 0, 0
        for number, whole in enumerate(re.findall(r"[^\n]*\n|[^\n]+\Z", text), 1):
            line = whole.rstrip("\r\n")
            found = _FENCE.match(line)
            if begin:
                if _BEGIN.fullmatch(line):
                    raise self._wrong(begin, f"it does not end before the mark of line {number}")
                if not _END.fullmatch(line):
                    continue
                begin = 0
            elif fence:  # marks in there are examples
                example = example or (number if _LIKE_A_MARK.search(line) else 0)
                if found and found["fence"].startswith(fence) and not line.strip(" \t" + fence[0]):
                    fence, example = "", 0
            elif mark := _BEGIN.fullmatch(line):
                begin = number
                yield whole
                end = whole[len(line) :] or "\n"
                for made in self._made(mark["arguments"], number):
                    yield (mark["indent"] + made if made else "") + end
                continue
            elif found:
                fence = found["fence"]
            elif _LIKE_A_MARK.search(line):
                raise self._wrong(number, "a mark is <!-- splus-session: … -->, alone in its line, and ends")
            yield whole
        if begin:
            raise self._wrong(begin, "no <!-- /splus-session --> follows this mark")
        if example:
            raise self._wrong(example, "this mark is in a fence that does not end")

    def _wrong(self, number: int, words: str) -> InvalidArgumentError:
        return InvalidArgumentError(f"{self.path}, line {number}: {words}")

    def _made(self, arguments: str, number: int) -> list[str]:
        """What is to stand between the marks."""
        try:
            options = _parser().parse_args(shlex.split(arguments))
            form, content = _diagram.form_of(options), _diagram.rendered(options)
            if (options.output != "-") != (form in _PICTURES):
                raise InvalidArgumentError(f"-o names the file of a picture, {' or '.join(_PICTURES)}")
            if options.output != "-":
                return [self._shown(options, content)]
        except (SplusSessionError, ValueError) as error:
            raise self._wrong(number, str(error)) from None
        text = content.decode().rstrip("\n").split("\n")
        return ["", *text, ""] if form in ("markdown", "rst") else [f"```{_WORDS[form]}", *text, "```"]

    def _shown(self, options: argparse.Namespace, content: bytes) -> str:
        """What shows a picture."""
        file = self.path.parent / options.output
        form = _diagram.form_of(options)
        if not _may_be_called(options.output) or format_of(Path(options.output)) != form:
            raise InvalidArgumentError(
                f"{options.output} is no name that a page may give to a {form} picture"
            )
        if not any(file.resolve().is_relative_to(folder.resolve()) for folder in (self.path.parent, Path())):
            raise InvalidArgumentError(f"{options.output} is not within the page's folder or the present one")
        if self.pictures.setdefault(file, content) != content:
            raise InvalidArgumentError(f"{options.output} is to hold two different pictures")
        title = getattr(options, "title", None) or f"Life cycle of {options.chart or 'a social.plus session'}"
        text = re.sub(r"[][\\]", lambda found: f"\\{found[0]}", title)
        return f"![{text}](<{options.output}>)"


def _may_be_called(name: str) -> bool:
    """Whether it is no hidden file, nor in a hidden folder, and Markdown can say it."""
    hidden = [part for part in Path(name).parts if part.startswith(".") and part != ".."]
    return not hidden and not re.search(r"[<>\\]", name)


class _Parser(argparse.ArgumentParser):
    """One that raises, and does not end the program."""

    def error(self, message: str) -> Any:
        raise InvalidArgumentError(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="splus-session", add_help=False)
    _diagram.add_to(parser.add_subparsers(dest="command", required=True), in_marks=True)
    return parser
