"""The colours of a diagram: for a page that is light, that is dark, or that may be either."""

import hashlib
from typing import Final, Literal

from attrs import frozen

Theme = Literal["light", "dark", "both"]
"""`both`: as whoever looks at it prefers, where the language can say so; else light."""


@frozen
class Palette:
    """Each ink has a contrast of at least 4.5 to each ground, so that colour alone never matters."""

    ink: str
    hook: str
    remark: str
    line: str
    paper: str
    box: str
    active_box: str

    @property
    def colours(self) -> tuple[str, ...]:
        """All of them, in this order."""
        return self.ink, self.hook, self.remark, self.line, self.paper, self.box, self.active_box


LIGHT: Final = Palette(
    ink="#1b2430", hook="#8a2c0d", remark="#1d4f8f", line="#3b4a5e",
    paper="#ffffff", box="#eef2f7", active_box="#fff1c2",
)  # fmt: skip
DARK: Final = Palette(
    ink="#e8edf4", hook="#ffb38f", remark="#9cc7ff", line="#b3bfce",
    paper="#10151c", box="#1f2937", active_box="#4a3a10",
)  # fmt: skip


def palette(theme: Theme) -> Palette:
    """The colours to draw with."""
    return DARK if theme == "dark" else LIGHT


def in_both(svg: str) -> str:
    """An SVG that was drawn in light colours, with dark ones for whoever prefers those.

    They hold for this picture alone: a page may hold others.
    """
    name = scope(svg)
    rules = "".join(
        f'.{name} [{what}="{light}"]{{{what}:{dark}}}'
        for light, dark in zip(LIGHT.colours, DARK.colours, strict=True)
        for what in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>\n"
    head, end, rest = svg.replace("<svg ", f'<svg class="{name}" ', 1).partition("<g id=")
    return head + style + end + rest


def scope(content: str) -> str:
    """A name that a picture has alone, or shares with those that are the same."""
    return f"d{hashlib.sha256(content.encode()).hexdigest()[:10]}"
