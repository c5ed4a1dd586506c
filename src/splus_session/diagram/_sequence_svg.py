"""A sequence diagram, drawn as SVG for a page that brings colours and letters for it."""

from collections.abc import Iterator, Sequence
from html import escape

from splus_session._text import visible
from splus_session.diagram._palette import DARK, Palette, Theme, palette, scope
from splus_session.diagram._sequence_places import (
    FONT,
    GAP,
    LINE,
    LOOP,
    LOOP_HEIGHT,
    MARGIN,
    Arrow,
    Diagram,
    Head,
    Message,
    lay_out,
)

__all__ = ["alone", "sequence_diagram"]

_TIP = 8


def sequence_diagram(messages: Sequence[Message], *, name: str, title: str) -> str:
    """Draw messages, from top to bottom, as an SVG element without colours.

    Args:
        messages: what happened.
        name: makes the ids of this picture differ from those of others on the page.
        title: what is seen, for those who do not see it; all messages follow in words.
    """
    return _svg(lay_out(messages), in_words(messages), name=name, title=title)


def alone(messages: Sequence[Message], participants: Sequence[str], *, title: str, theme: Theme) -> str:
    """The same as a picture of its own, that brings its colours and letters.

    Args:
        messages: what happened.
        participants: from left to right.
        title: as above.
        theme: what kind of page it is for.
    """
    places, words = lay_out(messages, participants), in_words(messages)
    name = scope(f"{title} {theme} {words}")  # what is on the same page has colours of its own
    style = _LETTERS + _coloured(palette(theme))
    if theme == "both":
        style += f"@media (prefers-color-scheme:dark){{{_coloured(DARK)}}}"
    style = style.replace(".sequence", f".{name}")
    return _svg(places, words, name=name, title=title, style=f"<style>{style}</style>")


_LETTERS = (
    ".sequence{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,Liberation Mono,monospace}"
    ".sequence text{text-anchor:middle;white-space:pre}.sequence .loop{text-anchor:start}"
    ".sequence .number{text-anchor:end}.sequence .name{font-weight:700}"
    ".sequence .life{stroke-dasharray:4 4;fill:none}.sequence .arrow{stroke-width:1.3;fill:none}"
)


def _coloured(colours: Palette) -> str:
    return (
        f".sequence text,.sequence .tip{{fill:{colours.ink}}}.sequence .number{{fill:{colours.line}}}"
        f".sequence .paper,.sequence .ground{{fill:{colours.paper}}}"
        f".sequence .head{{fill:{colours.box};stroke:{colours.line}}}"
        f".sequence .life,.sequence .arrow{{stroke:{colours.line}}}"
    )


def _svg(diagram: Diagram, words: str, *, name: str, title: str, style: str = "") -> str:
    width, height = _px(diagram.width), _px(diagram.height)
    kind = name if style else "sequence"
    paper = f'<rect class="paper" width="{width}" height="{height}"/>'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-desc">',
        f'<title id="{name}-title">{escape(visible(title))}</title>',
        f'<desc id="{name}-desc">{escape(words)}</desc>',
        *([style, paper] if style else []),
        *_lifelines(diagram),
    ]
    for arrow in diagram.arrows:
        lines += _drawn(arrow)
    return "\n".join([*lines, "</svg>"])


def in_words(messages: Sequence[Message]) -> str:
    """All that the picture shows, as sentences."""
    return " ".join(
        f"{position}. {visible(message.sender)} to {visible(message.receiver)}: {visible(message.text)}"
        f"{' (the breach is here)' if message.wrong else ''}."
        for position, message in enumerate(messages, 1)
    )


def _px(number: float) -> str:
    return f"{number:g}"


def _text(x: float, y: float, lines: Sequence[str], kind: str) -> Iterator[str]:
    """Lines of text, the first one in the row of letters that begins at `y`."""
    for position, line in enumerate(lines):
        baseline = y + position * LINE + FONT
        yield f'<text class="{kind}" x="{_px(x)}" y="{_px(baseline)}">{escape(line)}</text>'


def _lifelines(diagram: Diagram) -> Iterator[str]:
    for head, foot in zip(diagram.heads, diagram.feet, strict=True):
        top, bottom = head.box.y + head.box.height, foot.box.y
        yield f'<path class="life" d="M{_px(head.x)} {_px(top)}V{_px(bottom)}"/>'
    for head in (*diagram.heads, *diagram.feet):
        yield from _head(head)


def _head(head: Head) -> Iterator[str]:
    box = head.box
    yield (
        f'<rect class="head" x="{_px(box.x)}" y="{_px(box.y)}" width="{_px(box.width)}" '
        f'height="{_px(box.height)}" rx="4"/>'
    )
    free = box.height - len(head.lines) * LINE
    yield from _text(head.x, box.y + free / 2, head.lines, "name")


def _drawn(arrow: Arrow) -> Iterator[str]:
    """One row: its number, perhaps the mark, the text on ground of its own, and the arrow."""
    row, label = arrow.row, arrow.label
    kind = " wrong" if arrow.wrong else ""
    if arrow.wrong:
        yield (
            f'<rect class="here" x="3" y="{_px(row.y + 2)}" width="{_px(row.width - 6)}" '
            f'height="{_px(row.height - 4)}" rx="6"/>'
        )
        yield from _text(MARGIN - 2 * GAP, label.y + LINE, ["here"], "number wrong")
    yield from _text(MARGIN - 2 * GAP, label.y, [str(arrow.number)], f"number{kind}")
    middle = label.x if arrow.loop else label.x + label.width / 2
    if not arrow.loop:
        # Lifelines that the text crosses pass behind it.
        yield (
            f'<rect class="ground" x="{_px(label.x)}" y="{_px(label.y)}" width="{_px(label.width)}" '
            f'height="{_px(label.height)}"/>'
        )
    yield from _text(middle, label.y, arrow.lines, f"said{' loop' if arrow.loop else ''}{kind}")
    yield from _line(arrow, kind)


def _line(arrow: Arrow, kind: str) -> Iterator[str]:
    tip_x, tip_y = arrow.end, arrow.y
    if arrow.loop:
        out, half = arrow.start + LOOP, LOOP_HEIGHT / 2
        tip_y = arrow.y + half - 2
        path = f"M{_px(arrow.start)} {_px(arrow.y - half + 2)}H{_px(out)}V{_px(tip_y)}H{_px(tip_x + _TIP)}"
        back = 1
    else:
        back = -1 if arrow.end > arrow.start else 1
        path = f"M{_px(arrow.start)} {_px(arrow.y)}H{_px(tip_x + back * _TIP)}"
    yield f'<path class="arrow{kind}" d="{path}"/>'
    base = tip_x + back * _TIP
    yield (
        f'<path class="tip{kind}" d="M{_px(tip_x)} {_px(tip_y)}L{_px(base)} {_px(tip_y - 4.5)}'
        f'V{_px(tip_y + 4.5)}Z"/>'
    )
