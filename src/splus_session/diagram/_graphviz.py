# pyright: standard
# The graphviz package is not typed.
"""DOT drawn by Graphviz: the one in the pinned wheel, or another on request. The wheel draws no PDF."""

import html
import importlib.metadata
import re
from typing import Literal, get_args

from splus_session._errors import ConfigurationError, InvalidArgumentError, MissingExtraError
from splus_session.diagram._palette import in_both

Picture = Literal["svg", "png", "pdf"]

_WHEEL = "graphviz-pure"
_MARKS = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
"""By what each is known, near its beginning."""

# Where there is no Helvetica, Graphviz's own words may give a far wider font, which runs out of its
# boxes. These have Helvetica's widths.
_FONTS = 'font-family="Helvetica,sans-Serif"', 'font-family="Helvetica,Arial,Liberation Sans,sans-serif"'


def draw(dot: str, form: Picture, *, title: str, program: str | None, both: bool) -> bytes:
    """Draw DOT. An SVG gets a title and, where `Dot` wrote it, a description in words.

    Args:
        dot: what to draw.
        form: as what.
        title: what the picture is called.
        program: a Graphviz; None: the pinned one, or where that cannot do it, the system's.
        both: whether an SVG that is drawn in light colours has dark ones as well.

    Raises:
        MissingExtraError: the extra `diagram` is not installed.
        ConfigurationError: there is no such program, or it is no Graphviz.
        InvalidArgumentError: Graphviz cannot read the DOT.
    """
    if form not in get_args(Picture):
        raise InvalidArgumentError(f"{form!r} is no picture; there are {', '.join(get_args(Picture))}")
    program = "dot" if program is None and form == "pdf" else program
    drawn = _run(dot, form, program)
    if _MARKS[form] not in drawn[:1000]:
        raise ConfigurationError(f"{program or _WHEEL} is no Graphviz: what it gave is no {form.upper()}")
    if form != "svg":
        return drawn
    svg = _with_words(drawn.decode().replace(*_FONTS), dot, title)
    return (in_both(svg) if both else svg).encode()


def _with_words(svg: str, dot: str, title: str) -> str:
    """Tell screen readers that this is one picture, what it is called, and what it shows."""
    words = f"<title>{html.escape(title, quote=False)}</title>\n"
    if described := re.search(r'^  desc="((?:[^"\\]|\\.)*)"$', dot, re.MULTILINE):
        description = re.sub(r"\\(.)", r"\1", described[1])
        words += f"<desc>{html.escape(description, quote=False)}</desc>\n"
    opening = re.search(r"<svg[^>]*>\n", svg)
    if opening is None:
        return svg
    drawn = opening[0].removesuffix(">\n") + f' role="img">\n{words}'
    return svg[: opening.start()] + drawn + svg[opening.end() :]


def _run(dot: str, form: str, program: str | None) -> bytes:
    try:
        from graphviz.backend import CalledProcessError, ExecutableNotFound, dot_command, execute
    except ImportError:
        raise MissingExtraError("diagram") from None
    # graphviz names the program in a global of its process; a command of our own leaves that alone.
    command = [_wheels_program() if program is None else program, *dot_command.command("dot", form)[1:]]
    try:
        run = execute.run_check(command, input=dot.encode(), capture_output=True, quiet=True)
        drawn: bytes = run.stdout
        return drawn
    except (ExecutableNotFound, OSError) as error:
        problem: Exception = ConfigurationError(f"{command[0]} cannot be run to draw: {error}")
    except CalledProcessError as error:
        problem = InvalidArgumentError(f"Graphviz cannot draw this: {error.stderr.decode()}")
    raise problem


def _wheels_program() -> str:
    """The pinned wheel's program, wherever the installer put it."""
    try:
        files = importlib.metadata.files(_WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.stem == _WHEEL:
            return str(file.locate())
    raise MissingExtraError("diagram")
