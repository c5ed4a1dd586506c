"""A request and its answer, as they are on the wire: what both faces of the fake platform exchange."""

import json
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Self, cast
from urllib.parse import parse_qs, urlsplit

import attrs

Headers = tuple[tuple[str, str], ...]
"""Names in lower case, with their values, in order."""


@attrs.frozen
class Request:
    """What arrived."""

    method: str
    path: str
    query: str = attrs.field(default="", repr=False)
    headers: Headers = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)

    @classmethod
    def to(cls, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Self:
        """A request for a URL or the path of one."""
        parts = urlsplit(url)
        lower = tuple((name.lower(), text) for name, text in headers.items())
        return cls(method, parts.path, parts.query, lower, body)

    def header(self, name: str) -> str | None:
        """The first header of this name, given in lower case."""
        return next((text for key, text in self.headers if key == name), None)

    def parameter(self, name: str) -> str | None:
        """The first query parameter of this name."""
        return next(iter(parse_qs(self.query, keep_blank_values=True).get(name, [])), None)

    def json(self) -> object:
        """The body, as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@attrs.frozen
class Response:
    """What is answered."""

    status: int
    body: bytes = attrs.field(default=b"", repr=False)
    headers: Headers = attrs.field(default=(), repr=False)
    date: str | None = None
    """What its `Date` says; None: when it left; empty: there is none."""

    @classmethod
    def of_json(cls, content: object, status: int = 200, headers: Headers = ()) -> Self:
        """A JSON answer."""
        body = json.dumps(content, separators=(",", ":")).encode()
        return cls(status, body, (("content-type", "application/json"), *headers))

    @classmethod
    def of_text(cls, text: str, status: int = 200) -> Self:
        """A plain text answer."""
        return cls(status, text.encode(), (("content-type", "text/plain; charset=utf-8"),))

    @classmethod
    def of_error(
        cls, status: int, code: int, message: str, detail: list[str] | None = None, headers: Headers = ()
    ) -> Self:
        """An error, in the platform's form."""
        body: dict[str, object] = {"status": "error", "code": code, "message": message}
        if detail is not None:
            body["data"] = {"detail": detail}
        return cls.of_json(body, status, headers)

    def sent_at(self, now: float) -> Headers:
        """All its headers, for one that leaves now (UTC seconds)."""
        date = formatdate(now, usegmt=True) if self.date is None else self.date
        return (*self.headers, ("content-length", str(len(self.body))), *((("date", date),) if date else ()))

    def edited(self, edit: Callable[[dict[str, object]], dict[str, object]]) -> Self:
        """The same answer with its JSON object edited; untouched if it has none."""
        try:
            content: object = json.loads(self.body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            return self
        edited = edit(cast("dict[str, object]", content))
        return attrs.evolve(self, body=json.dumps(edited, separators=(",", ":")).encode())
