"""Ids of requirements: where docstrings name them, in brackets, and as links in Markdown."""

import re
from typing import Final

NAMED: Final = re.compile(r"\[([A-Z]+-[1-9][0-9]*)\]")
_WITH_SPACES: Final = re.compile(rf"\s*{NAMED.pattern}")


def without(text: str) -> str:
    """A text less the ids that it names, and the spaces before them."""
    return _WITH_SPACES.sub("", text)


def link(id: str, page: str = "requirements.md") -> str:
    """A link to a requirement on its page, which is named as seen from the page that has the link."""
    return f"[{id}]({page}#{id.lower()})"
