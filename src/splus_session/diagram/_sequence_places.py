"""Where everything is in a sequence diagram, as numbers: the drawing follows them and decides nothing.

Letters are as wide as in a fixed-width font, or wider, so that what fits here fits in every browser.
Each line of text has a height of its own, and each message a row of its own: nothing overlaps.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final, Protocol

from attrs import evolve, frozen

from splus_session._text import visible

__all__ = ["LETTER", "Arrow", "Box", "Diagram", "Head", "Message", "lay_out", "text_width"]

FONT: Final = 12
"""The size of letters, in pixels as all here."""
LETTER: Final = 7.5
"""Room for a letter. Fixed-width fonts take 0.55 to 0.61 of their size."""
WIDE: Final = 17.0
"""Room for an ideograph or an emoji."""
LINE: Final = 16
COLUMNS: Final = 920
"""Room for all lifelines, shared among them; what needs more is wider, and to be scrolled."""
WIDEST: Final = 230
NARROWEST: Final = 180
"""From one lifeline to the next, at most and at least."""
MARGIN: Final = 60
"""At the left, for the numbers of the rows and for the mark of the breach."""
GAP: Final = 10
LOOP: Final = 34
"""How far a message to oneself goes out."""
LOOP_HEIGHT: Final = 18


class Message(Protocol):
    """One thing that happened between two participants, or to one of them."""

    @property
    def sender(self) -> str:
        """Who."""
        ...

    @property
    def receiver(self) -> str:
        """To whom; the same, if to itself."""
        ...

    @property
    def text(self) -> str:
        """What."""
        ...

    @property
    def wrong(self) -> bool:
        """Whether it should not have happened so."""
        ...


@frozen
class Box:
    """A rectangle; `y` grows downwards."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Box") -> bool:
        """Whether both have some area in common."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@frozen
class Head:
    """A participant and its lifeline, which is in the middle of the box."""

    lines: tuple[str, ...]
    box: Box

    @property
    def x(self) -> float:
        """Where its lifeline is."""
        return self.box.x + self.box.width / 2


@frozen
class Arrow:
    """One message in its row: the text, and the arrow below or, if it is to oneself, beside it."""

    number: int
    row: Box
    """The whole width of the diagram; the next row begins where this one ends."""
    label: Box
    lines: tuple[str, ...]
    start: float
    end: float
    y: float
    loop: bool
    wrong: bool


@frozen
class Diagram:
    """All of it."""

    width: float
    height: float
    heads: tuple[Head, ...]
    feet: tuple[Head, ...]
    """The heads once more, below."""
    arrows: tuple[Arrow, ...]


def text_width(text: str) -> float:
    """How much room a line of text is given."""
    return sum(WIDE if _is_wide(letter) else LETTER for letter in text)


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0x2190


def wrap(text: str, room: float) -> tuple[str, ...]:
    """A text in lines that are no wider than `room`; words that are, are cut."""
    lines: list[str] = []
    for paragraph in visible(text).split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if text_width(longer) <= room:
                line = longer
                continue
            if line:
                lines.append(line)
            *full, line = _cut(word, room)
            lines += full
        if line:
            lines.append(line)
    return tuple(lines) or ("",)


def _cut(word: str, room: float) -> list[str]:
    """A word in pieces, each of them as long as may be."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(pieces[-1] + letter) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def lay_out(messages: Sequence[Message], participants: Sequence[str] = ()) -> Diagram:
    """Give everything its place. Participants stand in this order, others in that in which they appear."""
    seen = (name for message in messages for name in (message.sender, message.receiver))
    names = list(dict.fromkeys([*participants, *seen]))
    column = min(WIDEST, max(NARROWEST, COLUMNS // max(1, len(names))))
    width = MARGIN + max(1, len(names)) * column
    if any(message.sender == message.receiver == names[-1] for message in messages):
        width += column // 2  # The text of what the last one does by itself is beyond its lifeline.
    heads = _heads(names, column, y=GAP)
    top = max((head.box.y + head.box.height for head in heads), default=0.0) + GAP
    arrows: list[Arrow] = []
    for position, message in enumerate(messages, 1):
        sender, receiver = (heads[names.index(name)].x for name in (message.sender, message.receiver))
        row = Box(0, top, width, 0)
        if sender == receiver:
            arrows.append(_loop(position, message, sender, row, column))
        else:
            arrows.append(_straight(position, message, sender, receiver, row))
        top += arrows[-1].row.height
    feet = _heads(names, column, y=top + GAP)
    bottom = max((foot.box.y + foot.box.height for foot in feet), default=top)
    return Diagram(width, bottom + GAP, tuple(heads), tuple(feet), tuple(arrows))


def _heads(names: Sequence[str], column: float, y: float) -> list[Head]:
    texts = [wrap(name, column - 4 * GAP) for name in names]
    height = max((len(lines) for lines in texts), default=1) * LINE + GAP
    return [
        Head(lines, Box(MARGIN + position * column + GAP, y, column - 2 * GAP, height))
        for position, lines in enumerate(texts)
    ]


def _straight(number: int, message: Message, sender: float, receiver: float, row: Box) -> Arrow:
    """A message to another: the text, and below it the arrow."""
    room = abs(sender - receiver) - 2 * GAP
    lines = wrap(message.text, room)
    label = Box(min(sender, receiver) + GAP, row.y + GAP, room, len(lines) * LINE)
    y = label.y + label.height + GAP
    row = evolve(row, height=y + GAP - row.y)
    return Arrow(number, row, label, lines, sender, receiver, y, loop=False, wrong=message.wrong)


def _loop(number: int, message: Message, at: float, row: Box, column: float) -> Arrow:
    """A message to oneself: the text is beside the arrow, before the next lifeline or the end."""
    room = column - LOOP - 2 * GAP
    lines = wrap(message.text, room)
    label = Box(at + LOOP + GAP, row.y + GAP, room, len(lines) * LINE)
    # Two lines at least: in the margin there may be the number of the row and the mark below it.
    row = evolve(row, height=max(label.height, 2 * LINE) + 2 * GAP)
    y = row.y + GAP + max(label.height, LOOP_HEIGHT) / 2
    return Arrow(number, row, label, lines, at, at, y, loop=True, wrong=message.wrong)
