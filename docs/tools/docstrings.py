"""Docstrings as Sphinx reads them.

They are written for people in their editors, with the sections that Google's style has and the code that
Markdown has. What they say of an argument, an error or an example is made into fields by napoleon; this
does the rest: fenced code, and code that is set off by four spaces.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring

_SECTIONS: Final = re.compile(r"(Args|Attributes|Example|Examples|Raises|Returns|Yields):")
_FENCE: Final = re.compile(r"( *)```(\w*)")


def setup(app: Sphinx) -> None:
    """Have docstrings read so."""
    app.connect("autodoc-process-docstring", _process)


def _process(app: Sphinx, what: str, name: str, thing: Any, _: Any, lines: list[str]) -> None:
    text = list(_with_code(inspect.cleandoc("\n".join(lines)).split("\n")))
    # What is said of an attribute or a property is a sentence, and a colon in it is no type.
    if what not in ("attribute", "data", "property"):
        options: Any = Config(napoleon_use_rtype=False)
        kind: Any = what
        text = GoogleDocstring(text, options, app, kind, name, thing).lines()
    lines[:] = text


def _with_code(lines: Sequence[str]) -> Iterator[str]:
    """Markdown's code as reStructuredText has it."""
    fence: str | None = None
    in_section = False
    previous = ""
    is_code = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        found = _FENCE.fullmatch(line)
        if fence is not None:
            if found:
                fence = None
                yield ""
            else:
                yield f"   {line}" if line else ""
        elif found:
            fence = found[1]
            yield f"{fence}.. code-block:: {found[2] or 'text'}"
            yield ""
        else:
            if indent == 0 and line:
                in_section, is_code = bool(_SECTIONS.fullmatch(line)), False
            if (
                not in_section
                and not is_code
                and indent >= 4
                and not previous
                and not line.lstrip().startswith(("- ", ">>>"))
            ):
                is_code = True
                yield "::"
                yield ""
            yield line
        previous = line
