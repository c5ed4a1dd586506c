"""A session's life as a list of acts, made up against the bare core; and what must come of each.

`Bare` is the whole session without a driver: it knows what every act leads to, so that a driver
can be waited for, and then compared, without a sleep.
"""

from typing import Any

import attrs

from splus_session import (
    AccessToken,
    AuthToken,
    Config,
    Event,
    SessionCore,
    SessionState,
    Step,
)
from splus_session._answers import Attempt, facts
from splus_session._commands import (
    Announce,
    AskRenewal,
    Command,
    HookCall,
    OpenSession,
    Persist,
    ReleaseWaiters,
    Renew,
    RevokeOrphan,
    RunHook,
    Verify,
)
from splus_session._core import Granted, Waiting
from splus_session._credentials import Record, SessionKind, credential_from_jwt
from splus_session._errors import SplusSessionError
from splus_session._events import (
    HandlersChanged,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginWithAccessToken,
    Logout,
    RenewalUnable,
    RenewNow,
    SecureLogout,
    TokenRejected,
    UserBanned,
    UserDeleted,
)
from splus_session._failures import FailureKind
from splus_session._renewals import HandlersRenewal, token_answer
from splus_session._secrets import Sealed
from splus_session.ports import Answer
from tests.drivers.held import Payload

START = 1_700_000_000.0
SEED = 7
CONFIG = Config(development=True, wait_limit=31 * 24 * 3600.0)
"""Waiting is not bounded here: whether a bound or an answer comes first would be chance."""


@attrs.frozen
class Call:
    """A method of the session is called; what waits, waits beside the script."""

    method: str
    arguments: tuple[Any, ...] = ()
    named: dict[str, Any] = attrs.field(factory=dict)
    own_handler: bool = False


@attrs.frozen
class Tell:
    """A method that asks for no waiting."""

    method: str
    arguments: tuple[Any, ...] = ()
    named: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Register:
    """A client's handler is registered or unregistered."""

    which: str
    there: bool


@attrs.frozen
class Reply:
    """The platform answers its `index`-th request that still waits."""

    index: int
    answer: Answer


@attrs.frozen
class Answered:
    """The handler answers the `index`-th thing it was asked."""

    index: int
    verb: str
    arguments: tuple[Any, ...] = ()


@attrs.frozen
class Pass:
    """Time passes, or the wall clock is set (`jump`), by seconds."""

    seconds: float
    jump: bool = False


_PLAIN: dict[str, Event] = {
    "logout": Logout(),
    "secure_logout": SecureLogout(),
    "renew_now": RenewNow(),
}

Act = Call | Tell | Register | Reply | Answered | Pass


@attrs.define
class Expected:
    """All that has happened until now, as counts and in full."""

    steps: list[Step] = attrs.field(factory=list)
    stored: list[tuple[Record | None, SessionState]] = attrs.field(factory=list)
    told: list[Any] = attrs.field(factory=list)
    hooked: list[HookCall] = attrs.field(factory=list)
    requested: list[list[Payload]] = attrs.field(factory=list)
    """One list an act: within it, requests start side by side."""
    asked: list[tuple[int, str]] = attrs.field(factory=list)
    """Attempt, and whom: a handler's own name for itself."""
    looks: int = 0
    """How often a caller who needs a header has looked for one, but for the quick look."""


class Bare:
    """The core, with the surroundings that a driver would give it."""

    def __init__(self) -> None:
        self.now = START
        self.core = SessionCore(CONFIG, seed=SEED)
        self.expected = Expected()
        self.pending: list[Command] = []
        self.asked: list[HandlersRenewal | tuple[int, str]] = []
        self.settled: set[int] = set()
        """The indices in `asked` of access token handlers that have answered."""
        self._waiting: list[int] = []
        self._revocations: set[int] = set()
        """Those of the attempts waited for that bring no token."""
        self._handlers = {"session_handler": True, "access_token_handler": True}
        self._last_told = SessionState.NOT_LOGGED_IN
        self._batch: list[Payload] = []
        self._take(HandlersChanged(True, True))
        self._end_act()

    # ── Acts ────────────────────────────────────────────────────────────────────────────────────

    def act(self, act: Act) -> None:
        """Let it happen."""
        match act:
            case Call("authorization"):
                self._look()
            case Call():
                self._take(self._request(act))
            case Tell("note_ban"):
                self._take(UserBanned(*act.arguments, **act.named))
            case Tell("note_deletion"):
                self._take(UserDeleted(*act.arguments, **act.named))
            case Register():
                self._handlers[act.which] = act.there
                self._take(HandlersChanged(*self._handlers.values()))
            case Reply():
                command = self.pending.pop(act.index)
                if not isinstance(command, RevokeOrphan):
                    for fact in facts(_attempt(command), act.answer):
                        self._take(fact)
            case Answered():
                self._answer(act)
            case Pass():
                self.now += act.seconds
                self._carry_out(self.core.advance(self.now))
            case Tell():
                raise AssertionError(act)
        self._end_act()

    def _request(self, call: Call) -> Event:
        named, own = call.named, call.own_handler
        match call.method:
            case "login":
                token = named.get("auth_token")
                wrapped = None if token is None else AuthToken(token)
                return Login(call.arguments[0], wrapped, None, own)
            case "login_with_access_token":
                token = AccessToken(call.arguments[0])
                return LoginWithAccessToken(credential_from_jwt(token, self.now + self.core.snapshot.offset))
            case "login_as_visitor":
                return LoginAsVisitor(own_handler=own)
            case "login_as_bot":
                return LoginAsBot(own)
            case "report_rejected":
                return TokenRejected(*call.arguments)
            case "report_banned":
                return UserBanned(attempt=call.arguments[0])
            case method:
                return _PLAIN[method]

    def _answer(self, act: Answered) -> None:
        question = self.asked[act.index]
        if isinstance(question, HandlersRenewal):
            getattr(question, act.verb)(*act.arguments)
            return
        self.settled.add(act.index)
        attempt, user_id = question
        server_now = self.now + self.core.snapshot.offset
        fact: Event
        try:
            fact = token_answer(attempt, user_id, Sealed(act.arguments[0]), server_now)
        except SplusSessionError:
            fact = RenewalUnable(attempt)
        self._take(fact)

    def _look(self) -> None:
        verdict = self.core.authorization()
        if isinstance(verdict, Granted) and self.now < verdict.until:
            return  # the quick look is enough
        self.expected.looks += 1
        if isinstance(verdict, Waiting):
            self._wait(verdict)

    def _wait(self, verdict: Waiting) -> None:
        self._waiting.append(verdict.attempt)
        revocation = self.core.snapshot.revocation
        if revocation is not None and revocation.attempt == verdict.attempt:
            self._revocations.add(verdict.attempt)

    def waits(self, call: Call) -> bool:
        """Whether a call, just made, waits for what the script does next. If not, it is over."""
        snapshot = self.core.snapshot
        match call.method:
            case "authorization":
                return isinstance(self.core.authorization(), Waiting)
            case "logout":
                return False
            case "secure_logout":
                return snapshot.revocation is not None
            case _:
                return True  # or perhaps not: what comes of it is settled all the same

    # ── Outcomes ────────────────────────────────────────────────────────────────────────────────

    def _take(self, event: Event) -> None:
        self._carry_out(self.core.receive(event, self.now))

    def _carry_out(self, steps: list[Step]) -> None:
        for step in steps:
            self.expected.steps.append(step)
            for command in step.commands:
                self._do(command)

    def _do(self, command: Command) -> None:
        expected = self.expected
        match command:
            case Persist():
                expected.stored.append((command.record, self._last_told))
            case Announce():
                self._last_told = command.change.state
                expected.told.append(command.change)
            case RunHook():
                expected.hooked.append(command.call)
            case AskRenewal():
                self._ask(command.attempt)
            case ReleaseWaiters():
                self._release(command)
            case _:
                self.pending.append(command)
                self._batch.append(payload(command))

    def _ask(self, attempt: int) -> None:
        snapshot = self.core.snapshot
        kind, user_id = snapshot.kind, snapshot.user_id
        if snapshot.renewal is None or snapshot.renewal.attempt != attempt or not kind or not user_id:
            return
        own = snapshot.own_handler and kind is not SessionKind.ACCESS_TOKEN
        self.expected.asked.append((attempt, "own" if own else "client"))
        if kind is SessionKind.ACCESS_TOKEN:
            self.asked.append((attempt, user_id))
        else:
            self.asked.append(HandlersRenewal(attempt, kind, user_id, CONFIG.limits, self._take))

    def _release(self, command: ReleaseWaiters) -> None:
        woken = [attempt for attempt in self._waiting if attempt == command.attempt]
        self._waiting = [attempt for attempt in self._waiting if attempt != command.attempt]
        self.expected.looks += len(woken)
        failure, verdict = command.failure, self.core.authorization()
        brings_token = command.attempt not in self._revocations
        gives_up = brings_token and failure is not None and failure.kind is not FailureKind.SUPERSEDED
        if isinstance(verdict, Waiting) and not gives_up:
            for _ in woken:
                self._wait(verdict)

    def _end_act(self) -> None:
        self.expected.requested.append(self._batch)
        self._batch = []


def payload(command: Command) -> Payload:
    """What the platform sees of a command."""
    match command:
        case OpenSession() | Renew():
            return ("open_session", command.grant)
        case Verify():
            return ("verify", command.credential.access_token)
        case _:
            return ("revoke", _credential(command).access_token)


def _attempt(command: Command) -> Attempt:
    assert isinstance(command, Attempt)
    return command


def _credential(command: Any) -> Any:
    return command.credential
