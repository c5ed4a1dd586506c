# pyright: standard
# The graphviz package is not typed.
"""DOT drawn by Graphviz: the one in the pinned wheel, or another on request."""

import html
import importlib.metadata
import re

from splus_session._errors import ConfigurationError, InvalidArgumentError, MissingExtraError

_WHEEL = "graphviz-pure"

# Where there is no Helvetica, Graphviz's own words may give a far wider font, which runs out of its
# boxes. These have Helvetica's widths.
_FONTS = 'font-family="Helvetica,sans-Serif"', 'font-family="Helvetica,Arial,Liberation Sans,sans-serif"'


def render_svg(dot: str, *, program: str | None = None) -> bytes:
    """Draw DOT as SVG, with a title and, where `to_dot` wrote it, a description in words.

    Args:
        dot: what `to_dot` returned, or any other DOT.
        program: a Graphviz of your own, such as `"dot"`; other versions give other bytes. Without
            it, the one that the extra `diagram` pins.

    Raises:
        MissingExtraError: the extra `diagram` is not installed.
        ConfigurationError: there is no such program.
        InvalidArgumentError: Graphviz cannot read the DOT.
    """
    drawn = _run(dot, "svg", program).decode().replace(*_FONTS)
    return _with_words(drawn, dot).encode()


def _with_words(svg: str, dot: str) -> str:
    """Tell screen readers that this is one picture, what it is called, and what it shows."""
    words = ""
    if title := re.search(r"<title>.*?</title>", svg, re.DOTALL):
        words = title[0] + "\n"
    if described := re.search(r'^  desc="((?:[^"\\]|\\.)*)"$', dot, re.MULTILINE):
        description = re.sub(r"\\(.)", r"\1", described[1])
        words += f"<desc>{html.escape(description, quote=False)}</desc>\n"
    return re.sub(r"(<svg[^>]*)>\n", lambda opening: f'{opening[1]} role="img">\n{words}', svg, count=1)


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
