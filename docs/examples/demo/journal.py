"""Who said what to whom, and when: everything that the timelines show."""

import enum
import logging
import time

import attrs

from splus_session import Change
from splus_session.testing import Endpoint, FakePlatform, Received


class Party(enum.Enum):
    """Somebody in the demo, as the timelines call them."""

    CLIENT = "client"
    BACKEND = "backend"
    PLATFORM = "platform"
    USER = "user"
    ADMIN = "admin"
    SYSTEM = "system"


@attrs.frozen(kw_only=True)
class Entry:
    """One line of a timeline. It never holds a secret."""

    at: float
    """UTC seconds."""
    source: Party
    target: Party | None = None
    """None: it happened within `source`."""
    what: str
    answer: str = ""
    """What `target` answered, if it did yet."""
    wire: str = ""
    """What was asked, as HTTP says it."""
    change: Change | None = None
    """The change of a session, if it is one."""


class Journal:
    """What happened, from all parties. Any thread may write.

    Requests to the platform are read from its own record: it was told what it was told, whatever a
    client believes to have said.
    """

    def __init__(self, platform: FakePlatform) -> None:
        self._platform = platform
        self._entries: list[Entry] = []

    def write(
        self, source: Party, what: str, target: Party | None = None, *, answer: str = "", wire: str = ""
    ) -> None:
        """Something happened now."""
        self.add(Entry(at=time.time(), source=source, target=target, what=what, answer=answer, wire=wire))

    def add(self, entry: Entry) -> None:
        """Something happened, maybe a while ago."""
        self._entries.append(entry)

    def note_change(self, change: Change) -> None:
        """A session told of a change."""
        came = f"{change.previous.value} → " if change.previous else ""
        what = f"{came}{change.state.value} ({change.reason.value})"
        self.add(Entry(at=change.at, source=Party.CLIENT, what=what, change=change))

    def since(self, moment: float) -> list[Entry]:
        """What happened from `moment` (UTC seconds) on, in the order of time."""
        asked = (request for request in self._platform.requests if request.at >= moment)
        entries = [*self._entries, *(self._told(request) for request in asked)]
        return sorted((entry for entry in entries if entry.at >= moment), key=lambda entry: entry.at)

    def _told(self, request: Received) -> Entry:
        asks_for_a_user = request.endpoint is Endpoint.AUTH_TOKEN
        return Entry(
            at=request.at,
            source=Party.BACKEND if asks_for_a_user else Party.CLIENT,
            target=Party.PLATFORM,
            what=self._in_words(request),
            answer=self._answered(request),
            wire=f"{request.method} {request.path}",
        )

    def _in_words(self, request: Received) -> str:
        whose = request.user_id or "nobody"
        match request.endpoint:
            case Endpoint.AUTH_TOKEN:
                return f"auth token for {whose}, by server key"
            case Endpoint.LOGIN:
                shown = "auth token" if "authToken" in request.fields else "user id"
                return f"access token for {whose}, by {shown}"
            case Endpoint.VISITOR_LOGIN:
                shown = "signature" if "authSignature" in request.fields else "device id"
                return f"access token for a visitor, by {shown}"
            case Endpoint.VERIFY:
                return f"is {self._token(request)} alive?"
            case Endpoint.REVOKE:
                return f"void {self._token(request)}"
            case Endpoint.GET_USER:
                return f"API: read user {request.path.rpartition('/')[2]}, by {self._token(request)}"
            case _:
                return f"{request.method} {request.path}"

    def _token(self, request: Received) -> str:
        """The access token that a request carries, by its number."""
        if request.access_token is None:
            return "no token"
        issued = self._platform.tokens_of(request.user_id or "")
        numbers = [token.number for token in issued if token.token == request.access_token]
        return f"token {numbers[0]}" if numbers else "an unknown token"

    def _answered(self, request: Received) -> str:
        held = "hold" in request.faults
        if request.status is None:
            return "…" if held or not request.faults else "nothing"
        return ", ".join([str(request.status), *self._issued(request), *(["late"] if held else [])])

    def _issued(self, request: Received) -> list[str]:
        """The token that a user's login or renewal brought, by its number."""
        if request.endpoint is not Endpoint.LOGIN or request.status != 200:
            return []
        tokens = self._platform.tokens_of(request.user_id or "")
        return [f"token {token.number}" for token in tokens if token.issued_at >= request.at][:1]


class JournalHandler(logging.Handler):
    """What the library logs, as lines of the timeline."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Write it down."""
        self._journal.write(Party.CLIENT, f"log: {record.getMessage()}")
