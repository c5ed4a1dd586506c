"""What the theme's pages lack for people who hear a page, who have no mouse, or whose screen is small.

All of it is in the pages as they are written: nothing here waits for a script.
"""

import re
from typing import Any, Final

from docstrings import REQUIREMENTS_PAGE
from sphinx.application import Sphinx

from splus_session.requirements import REQUIREMENTS

_LIFE_CYCLE: Final = re.compile(r'<table class="[^"]*session-table.*?</table>', re.DOTALL)
_REQUIREMENT: Final = re.compile(rf"\b({'|'.join(REQUIREMENTS)})\b(?!-)")
_NARROW: Final = re.compile(r"<(table|details)\b.*?</\1>", re.DOTALL)
_NAME: Final = re.compile(r'(?<=<span class="pre">)[^<]*|(?<=<p>)[^<]*(?=</p></th>)')
_WORD_ENDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[_./:=(])(?=\w)")


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.connect("html-page-context", _mended, priority=900)  # after the theme


def _mended(app: Sphinx, page: str, template: str, context: dict[str, Any], _: Any) -> None:
    tree = context.get("furo_navigation_tree")
    if tree is not None:  # its headings say how deep they are
        context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')
    if "body" in context:
        # What may be wider than the page can be moved by keys.
        body = context["body"].replace("<pre>", '<pre tabindex="0">')
        body = body.replace('<div class="table-wrapper ', '<div tabindex="0" class="table-wrapper ')
        requirements = context["pathto"](REQUIREMENTS_PAGE)
        body = _LIFE_CYCLE.sub(lambda table: _linked(table[0], requirements), body)
        context["body"] = _NARROW.sub(lambda part: _NAME.sub(_breakable, part[0]), body)


def _linked(table: str, to: str) -> str:
    """The requirements that a life cycle's rows name, as links."""
    return _REQUIREMENT.sub(lambda id: f'<a href="{to}#{id[0].lower()}">{id[0]}</a>', table)


def _breakable(name: re.Match[str]) -> str:
    """A name that may go on in the next line after each of its words."""
    return _WORD_ENDS.sub("<wbr>", name[0])
