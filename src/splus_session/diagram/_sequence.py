"""What happened to a session, as a sequence diagram."""

import re
from collections.abc import Iterable
from typing import Any

from splus_session._errors import InvalidArgumentError
from splus_session._recorder import RecordedStep, Recorder
from splus_session.diagram._palette import Theme
from splus_session.diagram._recording import PARTICIPANTS, messages
from splus_session.diagram._sequence_svg import alone
from splus_session.diagram._shown import check_option, title_of

_NAMES = {
    "app": "app",
    "session": "session",
    "backend": "the customer's backend",
    "platform": "social.plus",
}


class SequenceDiagram:
    """What a flight recorder kept, between the app, the session, the customer's backend and the platform.

        recorder = Recorder()
        async with Session(..., recorder=recorder) as session:
            ...
        print(SequenceDiagram(recorder).to_text())

    Args:
        recorded: a recorder, or entries of one.
        title: what it is called.

    Raises:
        InvalidArgumentError: these are no entries, or that is no title.
    """

    def __init__(
        self,
        recorded: Recorder | Iterable[RecordedStep],
        *,
        title: str = "What happened to a social.plus session",
    ) -> None:
        given: Iterable[Any] = recorded.entries if isinstance(recorded, Recorder) else recorded
        entries: tuple[Any, ...] = tuple(given)
        if not all(isinstance(entry, RecordedStep) for entry in entries):
            raise InvalidArgumentError("what happened is told by a Recorder, or by entries of one")
        self._messages = tuple(messages(entries))
        self._title = title_of(title)

    def __repr__(self) -> str:
        return f"<{self._title!r}: {len(self._messages)} messages>"

    def to_text(self) -> str:
        """A line a message: for a log, or a terminal."""
        lines = [self._title, ""]
        for number, message in enumerate(self._messages, 1):
            within = message.sender == message.receiver
            who = message.sender if within else f"{message.sender} -> {message.receiver}"
            lines.append(f"{number:>4}  {who:<19}  {message.text}")
        return "".join(f"{line}\n" for line in lines)

    def to_mermaid(self) -> str:
        """Mermaid's language, which GitHub and many others draw by themselves."""
        lines = ["sequenceDiagram", f"    accTitle: {_plain(self._title)}", "    autonumber"]
        lines += [f"    participant {name} as {_NAMES[name]}" for name in self._participants]
        for message in self._messages:
            arrow = "--x" if message.in_vain else "->>"
            lines.append(f"    {message.sender}{arrow}{message.receiver}: {_plain(message.text)}")
        return "".join(f"{line}\n" for line in lines)

    @property
    def _participants(self) -> list[str]:
        """Those that have to do with it, from left to right."""
        seen = {name for message in self._messages for name in (message.sender, message.receiver)}
        return [name for name in PARTICIPANTS if name in seen]

    def to_svg(self, *, theme: Theme = "both") -> str:
        """A picture, with all of it in words for those who do not see it.

        Raises:
            InvalidArgumentError: there is no such theme.
        """
        check_option("theme", theme, Theme)
        return alone(self._messages, self._participants, title=self._title, theme=theme)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows."""
        return {"text/plain": self.to_text(), "image/svg+xml": self.to_svg()}


def _plain(text: str) -> str:
    """Text for Mermaid, to which these signs begin a comment and end a statement."""
    return re.sub("[#;\n]", " ", text)
