"""One scenario, played with one client on one platform, moment by moment, beside the oracle."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

import attrs

from splus_session import (
    AccessToken,
    AccessTokenGrant,
    AuthSignature,
    AuthToken,
    AuthTokenGrant,
    Denied,
    Event,
    Failure,
    FailureKind,
    Granted,
    HandlersChanged,
    InvalidAccessTokenError,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginCancelled,
    LoginWithAccessToken,
    Logout,
    Record,
    RenewalAnswered,
    RenewalUnable,
    RenewNow,
    Resume,
    RevokeOrphan,
    SecureLogout,
    SessionKind,
    SessionState,
    Snapshot,
    Step,
    TokenRejected,
    UserBanned,
    UserDeleted,
    VerificationFailed,
    Verify,
    VisitorGrant,
    credential_from_jwt,
    event_name,
)
from splus_session._answers import facts
from splus_session._core import Waiting, authorize
from splus_session._explain import refused
from splus_session._rules import unaided_grant
from splus_session.conformance._actions import Action
from splus_session.conformance._lines import AdapterError, Idle, Look, Told
from splus_session.conformance._moment import Call, Flight, Moment
from splus_session.conformance._oracle import IN_SESSION, Ask, Oracle
from splus_session.conformance._platform import SESSION_ENDPOINTS, Desk, answer_of, fits
from splus_session.conformance.verdicts import Line
from splus_session.testing import Endpoint, FakePlatform, ManualClock, Received

SETTLING: Final = 10.0
"""Real seconds within which the client and the platform agree on what was sent."""
PIECES: Final = 200
"""Into how many pieces one passing of time may fall."""


class Adapter(Protocol):
    """What does commands: a child process, or a host in this one."""

    def send(self, command: Mapping[str, object]) -> tuple[list[Told], Idle]:
        """One command; gives what was told, and the idle line."""
        ...

    def kill(self) -> None:
        """End it as a power failure would."""
        ...

    def meet(self, platform: FakePlatform) -> None:
        """Get to know the platform of the run that begins, if it is in the same process."""
        ...

    @property
    def pause(self) -> float:
        """After so many real seconds without news there are none, from one that does not count."""
        ...

    @property
    def said(self) -> str:
        """What it wrote besides."""
        ...


@attrs.define(eq=False)
class Client:
    """A client that is open, or was."""

    name: str
    oracle: Oracle
    is_open: bool = True
    observers: dict[int, str] = attrs.field(factory=dict)
    how: str = "report"
    """What its handlers do."""
    own_handler: bool = False
    look: Look | None = None
    before: Snapshot | None = None
    flights: list[Flight] = attrs.field(factory=list)
    """Those that arrived in this moment."""
    answered: list[Flight] = attrs.field(factory=list)
    heard: dict[int, list[Told]] = attrs.field(factory=dict)
    joined: dict[int, SessionState] = attrs.field(factory=dict)
    asked: list[Told] = attrs.field(factory=list)
    surplus_asks: list[Told] = attrs.field(factory=list)
    surplus: list[Received] = attrs.field(factory=list)
    hooked: list[str] = attrs.field(factory=list)
    order: list[str] = attrs.field(factory=list)
    """States told and hooks run, as they came."""
    renewals: dict[int, int] = attrs.field(factory=dict)
    """Which attempt the client's numbers for renewals are of."""
    notes: dict[str, Any] = attrs.field(factory=dict)
    """What sentences want to know of this moment."""
    left: str | None = None
    """How the last session, or login, ended."""
    stays: int = 0
    """How many times somebody was logged in."""
    recovered: bool = False
    """Whether this session was expired and came back."""
    renewed: bool = False
    last_told: dict[int, str] = attrs.field(factory=dict)
    devices: set[str] = attrs.field(factory=set)
    tokens: dict[AccessToken, int] = attrs.field(factory=dict)
    """All that it ever had, and the attempts that brought them."""
    set_back: bool = False
    """Whether its clock was set back."""
    kind: SessionKind | None = None
    """The last session's."""


class Run:
    """See the module.

    Args:
        adapter: the client's.
        features: what it declares.
        patience: real seconds to wait for what is missing, before it is said to be.
    """

    def __init__(
        self,
        start: Callable[[], Adapter],
        features: frozenset[str],
        *,
        patience: float = 0.03,
    ) -> None:
        self._start = start
        self.features = features
        self._patience = patience
        self.clock = ManualClock()
        self.desk = Desk(self.clock)
        self.clients: dict[str, Client] = {}
        self.records: dict[str, Record | None] = {}
        self.lines: list[Line] = []
        self.played: list[Action] = []
        """The actions that made sense."""
        self.commands = 0
        self.moments: list[Moment] = []
        self.stopped: str | None = None
        self._id = 1
        self._seen = 0
        self._events: list[Told] = []
        self._idle = Idle(0)
        self._counts = "counts" in features
        self._uncaught: list[str] = []
        self._leaks: list[str] = []
        self._app: list[str] = []
        self._calls: dict[int, Call] = {}
        self._observers = 0
        self._logged: set[int] = set()
        self._unread: list[Received] = []
        """API requests whose answers were not made sense of yet."""
        self._said = 0
        self._device_ids: dict[str, str] = {}
        self._stack = ExitStack()

    # ── A whole run ─────────────────────────────────────────────────────────────────────────────

    def play(self, scenario: tuple[Action, ...]) -> Iterator[Moment]:
        """Play it; gives its moments one by one. Whoever judges may stop asking for more."""
        with self._stack:
            self._begin()
            for action in scenario:
                if self.stopped is not None:
                    return
                if not self._makes_sense(action):
                    continue
                self.played.append(action)
                if action.do in _OF_PLATFORM:
                    self.lines.append(Line("kit", "platform", action.words()))
                for _ in self._do(action):
                    for moment in self._moments(action):
                        self.moments.append(moment)
                        yield moment
                    if self.stopped is not None:
                        return

    def _begin(self) -> None:
        self.store = Path(
            self._stack.enter_context(TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True))
        )
        self.url = self._stack.enter_context(self.desk.serve())
        self.adapter = self._start()
        self._hail(keep=False)

    def _hail(self, *, keep: bool) -> None:
        self.adapter.meet(self.desk.platform)
        self._send(
            {
                "do": "begin",
                "url": self.url,
                "api_key": self.desk.platform.api_key.reveal(),
                "now": self.clock.now(),
                "store": str(self.store),
                "keep": keep,
            },
            settle=False,
        )

    # ── Talking to the adapter ──────────────────────────────────────────────────────────────────

    def _send(self, command: dict[str, object], *, settle: bool = True) -> int:
        self._id += 1
        numbered = {"id": self._id, **command}
        sent = self._id
        self._take(self.adapter.send(numbered))
        if settle:
            self._settle()
        return sent

    def _take(self, answer: tuple[list[Told], Idle]) -> None:
        events, self._idle = answer
        for event in events:
            self._look_for_secrets(event)
        self._events += events

    def _look_for_secrets(self, event: Told) -> None:
        text = json.dumps(event.fields, ensure_ascii=False)
        if any(secret in text for secret in self.desk.secrets()):
            self._leaks.append(f"the event {event.event} holds a secret")

    def _look_at_what_was_said(self) -> None:
        """Standard error is no place for secrets either."""
        said = self.adapter.said
        if len(said) != self._said:
            self._said = len(said)
            if any(secret in said for secret in self.desk.secrets()):
                self._leaks.append("standard error holds a secret")

    def _ask_again(self) -> None:
        self._id += 1
        self._take(self.adapter.send({"id": self._id, "do": "settle"}))

    def _settle(self) -> None:
        """Wait until nothing is on its way between the client and the platform."""
        until = time.monotonic() + SETTLING
        pause = 0.0005
        while not self._is_settled():
            if time.monotonic() > until:
                raise AdapterError(
                    f"the adapter says that {self._idle.sent} requests were sent and {self._idle.open} are "
                    f"open; the platform has seen {len(self.desk.arrived())}, and keeps {self.desk.held()} waiting"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
            self._ask_again()

    def _is_settled(self) -> bool:
        if self._idle.sent is None:
            return self._is_quiet()
        desk = self.desk
        return (
            desk.under_way() == 0
            and self._idle.sent == len(desk.arrived())
            and self._idle.open == desk.held()
        )

    def _is_quiet(self) -> bool:
        """For who cannot count: nothing was heard for a while."""
        before = len(self.desk.arrived()), self.desk.over(), len(self._events)
        time.sleep(self.adapter.pause)
        self._ask_again()
        return self.desk.under_way() == 0 and before == (
            len(self.desk.arrived()),
            self.desk.over(),
            len(self._events),
        )

    # ── What makes sense ────────────────────────────────────────────────────────────────────────

    def _makes_sense(self, action: Action) -> bool:
        if action.do == "nothing" or not needs(action) <= self.features:
            return False
        check = getattr(self, f"_can_{action.do}", None)
        client = self.clients.get(action.client)
        if action.do in _NEEDS_CLIENT and client is not None and not client.is_open:
            return False
        if action.do in _NEEDS_CLIENT and client is None and action.client == "b":
            return False
        return check is None or bool(check(action))

    def _client(self, action: Action) -> Client | None:
        client = self.clients.get(action.client)
        return client if client is not None and client.is_open else None

    def _snapshot(self, action: Action) -> Snapshot | None:
        client = self._client(action)
        return None if client is None else client.oracle.snapshot

    def _can_open(self, action: Action) -> bool:
        if action.client == "c":
            return "c" not in self.clients
        client = self.clients.get(action.client)
        if action.client == "b":
            return "several" in self.features and client is None
        if action.how == "development" and "development" not in self.features:
            return False
        if action.how == "again":
            return client is not None and not client.is_open
        return client is None

    def _can_cancel(self, action: Action) -> bool:
        return self._login_of(action) is not None

    def _can_close(self, action: Action) -> bool:
        return self._client(action) is not None

    def _can_logout(self, action: Action) -> bool:
        return self._client(action) is not None

    _can_secure_logout = _can_renew_now = _can_observe = _can_handle = _can_logout

    def _can_kill(self, action: Action) -> bool:
        return bool(self.clients) and all(client.is_open for client in self.clients.values())

    def _can_answer(self, action: Action) -> bool:
        client = self._client(action)
        if client is None:
            return False
        open_ask = _open_ask(client)
        if action.how == "old":
            return self._old_renewal(client) is not None
        return open_ask is not None

    def _can_realtime(self, action: Action) -> bool:
        return self._client(action) is not None

    def _can_release(self, action: Action) -> bool:
        return self.desk.held() > 0

    def _can_until(self, action: Action) -> bool:
        return self._moment_of(action) is not None

    def _can_platform(self, action: Action) -> bool:
        return action.how in ("admit_banned", "fail_settings", "short_lived", "down") or bool(self.clients)

    def _can_skew(self, action: Action) -> bool:
        return not self.clients

    def _can_login(self, action: Action) -> bool:
        return action.how != "ann_own_handler" or self._client(action) is not None or True

    def _moment_of(self, action: Action) -> float | None:
        """When it is what `until` names."""
        client = self._client(action)
        if client is None:
            return None
        snapshot, now = client.oracle.snapshot, self.clock.now()
        when: float | None = None
        match action.how:
            case "due":
                when = client.oracle.deadline
            case "almost_expiry":
                credential = snapshot.credential
                if snapshot.state is SessionState.ESTABLISHED and credential and credential.expires_at:
                    when = credential.expires_at - snapshot.offset - min(10.0, credential.lifetime / 20)
            case "renewal":
                if snapshot.renew_at is not None and snapshot.renewal is None:
                    when = snapshot.renew_at - snapshot.offset
            case _:
                credential = snapshot.credential
                if snapshot.state is SessionState.ESTABLISHED and credential and credential.expires_at:
                    when = credential.expires_at - snapshot.offset + 1
        return None if when is None or not now < when < math.inf else when

    def _login_of(self, action: Action) -> Call | None:
        return next(
            (
                call
                for call in self._calls.values()
                if call.client == action.client
                and call.do in _LOGINS
                and not call.is_due
                and call.ended is None
            ),
            None,
        )

    def _old_renewal(self, client: Client) -> int | None:
        """The client's number for a renewal that is over."""
        open_ask = _open_ask(client)
        old = [
            ask.renewal
            for ask in client.oracle.asks
            if ask.renewal is not None and ask is not open_ask and not ask.is_token
        ]
        return old[-1] if old else None

    # ── Doing ───────────────────────────────────────────────────────────────────────────────────

    def _do(self, action: Action) -> Iterator[None]:
        """Do it; yields when a moment is over."""
        if action.do in _NEEDS_CLIENT and action.client not in self.clients:
            yield from self._open(Action("open", action.client))
            if self.stopped is not None:
                return
        done = getattr(self, f"_do_{action.do}")(action)
        if done is None:
            return
        yield from done

    def _moment(self) -> Iterator[None]:
        """What follows from what was done: first what the client did by itself, then the app's answers."""
        self._digest()
        yield
        while (ask := self._next_ask()) is not None:
            self._answer_by_itself(*ask)
            self._digest()
            yield

    def _call(self, client: Client, do: str, label: str, **fields: object) -> Call:
        """Have the client do a call."""
        self.lines.append(Line("app", _name(client), label))
        self.commands += 1
        call = Call(
            self._id + 1, do, client.name, since=self.clock.monotonic(), sent=len(self.desk.arrived())
        )
        self._calls[call.id] = call
        client.oracle.calls.append(call)
        self._send({"do": do, "client": client.name, **fields})
        return call

    def _do_open(self, action: Action) -> Iterator[None]:
        if action.client == "c":
            return self._open_wrongly(action)
        return self._open(action)

    def _open(self, action: Action) -> Iterator[None]:
        name = action.client
        old = self.clients.get(name)
        with_handlers = action.how != "without_handlers"
        development = action.how == "development"
        if action.how == "again" and old is not None:
            development = old.oracle.snapshot.config.development
        token_handler = with_handlers and "access_token" in self.features
        oracle = Oracle(
            development=development, session_handler=with_handlers, access_token_handler=token_handler
        )
        now = self.clock.now()
        client = self.clients[name] = Client(name, oracle)
        client.before = oracle.snapshot
        client.notes["opened"] = True
        client.notes["resumes"] = self.records.get(name) is not None
        oracle.feed(HandlersChanged(with_handlers, token_handler), now)
        call = self._call(
            client,
            "open",
            "open",
            development=development,
            session_handler=with_handlers,
            access_token_handler=token_handler,
            hooks="hooks" in self.features,
        )
        call.kinds = frozenset()
        client.observers[0] = "report"
        record = self.records.get(name)
        if record is not None and "resume" in self.features:
            oracle.record = record
            step = oracle.feed(Resume(record), now)
            if step.row is None:
                call.kinds = frozenset({"handler_required"})
                client.is_open = False
        client.joined[0] = oracle.snapshot.state
        return self._moment()

    def _open_wrongly(self, action: Action) -> Iterator[None]:
        """Make a client of what none can be made of. [CLIENT-1]"""
        wrong: dict[str, object] = {
            "no_key": {"api_key": ""},
            "no_region": {"region": "mars"},
            "plain_http": {"endpoint": "http://example.com"},
        }[action.how]  # type: ignore[assignment]
        oracle = Oracle(development=False, session_handler=False, access_token_handler=False)
        client = self.clients["c"] = Client("c", oracle, is_open=False)
        client.before = oracle.snapshot
        client.notes["wrongly"] = action.how
        flags = dict.fromkeys(("development", "session_handler", "access_token_handler", "hooks"), False)
        call = self._call(client, "open", f"open with {action.how.replace('_', ' ')}", **flags, **wrong)
        call.kinds = frozenset({"invalid_argument"})
        return self._moment()

    def _do_close(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        oracle = client.oracle
        call = self._call(client, "close", "close")
        call.kinds = frozenset()
        for waiting in oracle.calls:
            if not waiting.is_due:
                waiting.kinds = frozenset({"closed", "interrupted", "cancelled"})
        client.is_open = False
        client.notes["closed"] = True
        # What its requests are answered now is told to nobody.
        self._unread = [record for record in self._unread if self._attempt_of(client, record) is None]
        self.records[client.name] = oracle.record
        oracle.flights = [flight for flight in oracle.flights if flight.record is not None]
        oracle.core.snapshot = Snapshot(oracle.snapshot.config, 0, state=oracle.snapshot.state)
        return self._moment()

    def _do_kill(self, action: Action) -> Iterator[None]:
        self.lines.append(Line("kit", "client", "the process is killed"))
        for client in self.clients.values():
            self.records[client.name] = client.oracle.record
        self.clients.clear()
        self._calls.clear()
        self._unread.clear()
        self.adapter.kill()
        self.desk.let_all_go()
        self.adapter = self._start()
        self.desk.forget()
        self._seen = 0
        self._hail(keep=True)
        yield from self._open(Action("open", "a", "again"))

    def _log_in(
        self, client: Client, event: Event, call: Call, *, own_handler: bool = False, why: str | None = None
    ) -> None:
        if why is not None:  # refused before anything else is looked at, or for the state
            call.kinds = frozenset({why, "not_allowed"})
            return
        step = client.oracle.feed(event, self.clock.now())
        self._follow_request(client, call, step)
        if step.row is not None:
            client.own_handler = own_handler
            call.attempt = client.oracle.snapshot.session
            call.kinds = None

    def _do_login(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        user, _, rest = action.how.partition("_")
        fields: dict[str, object] = {"user_id": user}
        why: str | None = None
        token: str | None = self.desk.auth_token(user)
        match action.how:
            case "refused":
                fields["user_id"], token = "ann", "made-up-by-nobody"
            case "nobody":
                fields["user_id"], why = "", "invalid_argument"
            case "long_name":
                fields["user_id"], why = "a" * 51, "invalid_argument"
            case "bob_long_name":
                fields["display_name"], why = "b" * 101, "invalid_argument"
            case "ann_without":
                token = None
            case _:
                pass
        if token is not None:
            fields["auth_token"] = token
        own = action.how == "ann_own_handler"
        if own:
            fields["own_handler"] = True
        call = self._call(client, "login", action.words(), **fields)
        grant = None if token is None else AuthToken(token)
        event = Login(str(fields["user_id"]) or "x", grant, own_handler=own)
        self._log_in(client, event, call, own_handler=own, why=why)
        return self._moment()

    def _do_login_with_access_token(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        token = self.desk.access_token(action.how)
        call = self._call(client, "login_with_access_token", action.words(), access_token=token)
        try:
            credential = credential_from_jwt(
                AccessToken(token), client.oracle.snapshot.offset + self.clock.now()
            )
        except InvalidAccessTokenError:
            call.kinds = frozenset({"invalid_access_token", "not_allowed", "handler_required"})
            return self._moment()
        self._log_in(client, LoginWithAccessToken(credential), call)
        return self._moment()

    def _do_login_as_visitor(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        fields: dict[str, object] = {}
        event = LoginAsVisitor()
        if action.how != "unsigned":
            device = (client.look and client.look.device_id) or "unknown"
            signature, expires_at = self.desk.signature(device)
            if action.how == "badly_signed":
                signature = "0" * len(signature)
            fields = {"auth_signature": signature, "auth_signature_expires_at": expires_at}
            event = LoginAsVisitor(AuthSignature(signature), expires_at)
        call = self._call(client, "login_as_visitor", action.words(), **fields)
        self._log_in(client, event, call)
        return self._moment()

    def _do_login_as_bot(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        call = self._call(client, "login_as_bot", action.words())
        self._log_in(client, LoginAsBot(), call)
        return self._moment()

    def _do_logout(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        call = self._call(client, "logout", action.words())
        client.oracle.feed(Logout(), self.clock.now())
        call.kinds = frozenset()
        return self._moment()

    def _do_secure_logout(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        call = self._call(client, "secure_logout", action.words())
        step = client.oracle.feed(SecureLogout(), self.clock.now())
        self._follow_request(client, call, step)
        revocation = step.after.revocation
        if step.row is not None and revocation is not None:
            call.attempt, call.kinds = revocation.attempt, None
            self._release_late(client, call)
        return self._moment()

    def _do_renew_now(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        call = self._call(client, "renew_now", action.words())
        step = client.oracle.feed(RenewNow(), self.clock.now())
        self._follow_request(client, call, step)
        renewal = client.oracle.snapshot.renewal
        if step.row is not None and renewal is not None:
            call.attempt, call.kinds = renewal.attempt, None
            call.may_fail = True  # how its failure is named is not the requirement's matter
        return self._moment()

    def _release_late(self, client: Client, call: Call) -> None:
        """It may be over already: the oracle's step went on at once."""
        revocation = client.oracle.snapshot.revocation
        if revocation is None or revocation.attempt != call.attempt:
            call.kinds = frozenset()

    def _follow_request(self, client: Client, call: Call, step: Step) -> None:
        if step.row is None:
            call.kinds = frozenset({refused(step).code, "not_allowed"}) & _KNOWN or frozenset({"not_allowed"})
            client.notes["refused"] = event_name(step.event)
        else:
            call.kinds = frozenset()

    def _do_cancel(self, action: Action) -> Iterator[None]:
        client, login = self.clients[action.client], self._login_of(action)
        assert login is not None  # noqa: S101
        call = self._call(client, "cancel", "cancel the login", call=login.id)
        call.kinds = frozenset()
        client.notes["cancelled"] = True
        client.oracle.feed(LoginCancelled(login.attempt or 0), self.clock.now())
        return self._moment()

    def _do_set_access_token_handler(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        call = self._call(client, "set_access_token_handler", action.words(), to=action.how)
        call.kinds = frozenset({"invalid_handler"}) if action.how == "wrong" else frozenset()
        if action.how != "wrong":
            client.oracle.access_token_handler = action.how == "report"
            client.oracle.feed(
                HandlersChanged(client.oracle.session_handler, client.oracle.access_token_handler),
                self.clock.now(),
            )
        return self._moment()

    def _do_handle(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        call = self._call(client, "handle", action.words(), how=action.how)
        call.kinds = frozenset()
        client.how = action.how
        return self._moment()

    def _do_observe(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        self._observers += 1
        client.observers[self._observers] = action.how
        client.joined[self._observers] = client.oracle.snapshot.state
        call = self._call(client, "observe", action.words(), observer=self._observers, how=action.how)
        call.kinds = frozenset()
        if action.how == "logout" and client.oracle.snapshot.state is SessionState.ESTABLISHED:
            client.oracle.feed(Logout(), self.clock.now())
        return self._moment()

    def _do_call(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        client.notes["call_when"] = authorize(client.oracle.snapshot)
        self._call(client, "call", "GET /api/v3/channels", path="/api/v3/channels")
        if action.how == "twice":
            # What a rejection of the first leads to is kept waiting meanwhile.
            self._digest()
            client.notes["call_when"] = authorize(client.oracle.snapshot)
            self._call(client, "call", "GET /api/v3/channels", path="/api/v3/channels")
        return self._moment()

    def _do_realtime(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        snapshot = client.oracle.snapshot
        own = snapshot.user_id or "ann"
        user = "somebody-else" if action.how.startswith("other") else own
        deleted = action.how.endswith("deletion")
        event = "user.deleted" if deleted else "user.didGlobalBan"
        # What a push tells is so.
        (self.desk.platform.delete if deleted else self.desk.platform.ban)(user)
        call = self._call(client, "realtime", f"push: {event} {user}", event=event, user_id=user)
        call.kinds = frozenset()
        client.oracle.feed((UserDeleted if deleted else UserBanned)(user), self.clock.now())
        return self._moment()

    # ── Renewals ────────────────────────────────────────────────────────────────────────────────

    def _do_app(self, action: Action) -> None:
        self._app.append(action.how)

    def _next_ask(self) -> tuple[Client, Ask] | None:
        for client in self.clients.values():
            for ask in client.oracle.asks:
                if ask.renewal is not None and not ask.answered and client.is_open:
                    ask.answered = True
                    how = self._app.pop(0) if self._app else "well"
                    client.notes["app"] = how
                    if how != "hold" and self._is_open(client, ask):
                        return client, attrs.evolve(ask, answered=how)  # type: ignore[arg-type]
        return None

    def _is_open(self, client: Client, ask: Ask) -> bool:
        renewal = client.oracle.snapshot.renewal
        return renewal is not None and renewal.attempt == ask.command.attempt and renewal.grant is None

    def _answer_by_itself(self, client: Client, ask: Ask) -> None:
        how = str(ask.answered)
        if how == "twice":
            return self._answer_twice(client, ask)
        self._give_answer(client, ask, how)
        if how == "malformed" and self._is_open(client, ask):
            self._give_answer(client, ask, "well")

    def _answer_twice(self, client: Client, ask: Ask) -> None:
        """The second answer comes before the platform's to the first."""
        self.desk.plan_renewal("hold")
        self._give_answer(client, ask, "well")
        self._digest()
        self._give_answer(client, ask, "well")
        self._digest()
        if self.desk.held():
            self.desk.release("well", newest=True)
            self._after_platform()

    def _do_answer(self, action: Action) -> Iterator[None]:
        client = self.clients[action.client]
        if action.how == "old":
            number = self._old_renewal(client)
            ask = next(ask for ask in client.oracle.asks if ask.renewal == number)
            client.notes["late_answer"] = True
            self._give_answer(client, ask, "well")
        else:
            current = _open_ask(client)
            assert current is not None  # noqa: S101
            self._give_answer(client, current, action.how)
        return self._moment()

    def _give_answer(self, client: Client, ask: Ask, how: str) -> None:
        oracle, now = client.oracle, self.clock.now()
        snapshot = oracle.snapshot
        kind = snapshot.kind or client.kind or SessionKind.AUTH_TOKEN
        user = snapshot.user_id or "ann"
        attempt = ask.command.attempt
        fields, event, is_wrong = self._what_to_answer(ask, how, kind, user, client)
        open_before = self._is_open(client, ask)
        call = self._call(
            client, "answer", f"answer #{ask.renewal}: {fields['with']}", renewal=ask.renewal, **fields
        )
        call.kinds = frozenset({"invalid_argument"}) if is_wrong else frozenset()
        call.may_fail = not open_before  # a late answer may be refused in any way
        client.notes["answered_open"] = open_before
        if event is not None:
            client.notes["answer_step"] = oracle.feed(event(attempt), now)

    def _what_to_answer(
        self, ask: Ask, how: str, kind: SessionKind, user: str, client: Client
    ) -> tuple[dict[str, object], Callable[[int], Event] | None, bool]:
        """The command's fields, the oracle's event, and whether the argument is malformed."""
        if ask.is_token:
            return self._token_answer(how, user, client)
        if how in ("unable", "error"):
            signed = kind is SessionKind.SIGNED_VISITOR
            return {"with": "unable_signature" if signed else "unable"}, RenewalUnable, False
        if kind is SessionKind.SIGNED_VISITOR and how != "renew":
            device = (client.look and client.look.device_id) or "unknown"
            signature, until = self.desk.signature(device)
            if how == "malformed":
                return {"with": "auth_signature", "auth_signature": "", "expires_at": until}, None, True
            grant = VisitorGrant(AuthSignature(signature), until)
            fields = {"with": "auth_signature", "auth_signature": signature, "expires_at": until}
            return fields, lambda attempt: RenewalAnswered(attempt, grant), False
        if how == "renew" or kind in (SessionKind.VISITOR, SessionKind.BOT, SessionKind.DEVELOPMENT):
            plain = unaided_grant(kind, user)
            return {"with": "renew"}, lambda attempt: RenewalAnswered(attempt, plain), False
        if how == "malformed":
            return {"with": "auth_token", "auth_token": ""}, None, True
        token = "made-up-by-nobody" if how == "refused" else self.desk.auth_token(user)
        presented = AuthTokenGrant(user, AuthToken(token))
        fields = {"with": "auth_token", "auth_token": token}
        return fields, lambda attempt: RenewalAnswered(attempt, presented), False

    def _token_answer(
        self, how: str, user: str, client: Client
    ) -> tuple[dict[str, object], Callable[[int], Event] | None, bool]:
        if how in ("unable", "error", "renew"):
            return {"with": "error"}, RenewalUnable, False
        token = {
            "malformed": "no token at all",
            "wrong_user": self.desk.access_token_of("mallory"),
            "refused": self.desk.access_token("unknown"),
        }.get(how) or self.desk.access_token_of(user)
        try:
            credential = credential_from_jwt(
                AccessToken(token), client.oracle.snapshot.offset + self.clock.now()
            )
        except InvalidAccessTokenError:
            return {"with": "access_token", "access_token": token}, RenewalUnable, False
        fields: dict[str, object] = {"with": "access_token", "access_token": token}
        if credential.user_id != user:
            return fields, RenewalUnable, False
        grant = AccessTokenGrant(credential)
        return fields, lambda attempt: RenewalAnswered(attempt, grant), False

    # ── The platform ────────────────────────────────────────────────────────────────────────────

    def _do_next(self, action: Action) -> None:
        self.desk.plan(action.how)

    def _do_next_renewal(self, action: Action) -> None:
        self.desk.plan_renewal(action.how)

    def _do_hold(self, action: Action) -> None:
        self.desk.plan("hold")

    def _do_next_call(self, action: Action) -> None:
        self.desk.plan_call(action.how)

    def _do_release(self, action: Action) -> Iterator[None]:
        self.desk.release(action.how)
        self._after_platform()
        return self._moment()

    def _after_platform(self) -> None:
        self._ask_again()
        self._settle()

    def _do_platform(self, action: Action) -> None:
        client = self.clients.get("a")
        user = (client and client.oracle.snapshot.user_id) or "ann"
        self.desk.administer(action.how, user)

    def _do_skew(self, action: Action) -> None:
        self.clock.jump(action.seconds)
        self._hail(keep=False)

    # ── Time ────────────────────────────────────────────────────────────────────────────────────

    def _do_until(self, action: Action) -> Iterator[None]:
        when = self._moment_of(action)
        assert when is not None  # noqa: S101
        return self._pass("advance", when - self.clock.now())

    def _do_advance(self, action: Action) -> Iterator[None]:
        return self._pass("advance", action.seconds)

    def _do_sleep(self, action: Action) -> Iterator[None]:
        return self._pass("sleep", action.seconds)

    def _pass(self, how: str, seconds: float) -> Iterator[None]:
        """Let time pass, in pieces: each ends when something is due."""
        end = self.clock.now() + seconds
        for _ in range(PIECES):
            now = self.clock.now()
            if now >= end:
                return
            dues = [client.oracle.deadline for client in self.clients.values() if client.is_open]
            dues += [
                when for client in self.clients.values() if client.is_open for when in client.oracle.turns()
            ]
            ahead = [due for due in dues if due is not None and now < due < end]
            self._move(how, min([end, *ahead]) - now if how == "advance" else end - now)
            yield from self._moment()
            if self.stopped is not None:
                return

    def _move(self, how: str, seconds: float) -> None:
        (self.clock.advance if how == "advance" else self.clock.sleep)(seconds)
        self._at_time(how, seconds)

    def _do_jump(self, action: Action) -> Iterator[None]:
        self.clock.jump(action.seconds)
        self._at_time("jump", action.seconds)
        return self._moment()

    def _at_time(self, how: str, seconds: float) -> None:
        self.lines.append(Line("kit", "client", f"{how} {seconds:g} s"))
        self.commands += 1
        for client in self.clients.values():
            client.notes["time"], client.notes["seconds"] = how, seconds
            client.set_back = client.set_back or (how == "jump" and seconds < 0)
            if how == "jump":
                client.oracle.not_before += min(0.0, seconds)
            if client.is_open:
                client.oracle.advance(self.clock.now())
        self._send({"do": how, "seconds": seconds})

    # ── Making sense of what happened ───────────────────────────────────────────────────────────

    def _digest(self) -> None:
        """Bring the oracle up to what the client did, and give the client time for what is missing."""
        until = time.monotonic() + self._patience
        pause = 0.001
        while True:
            while self._sort_out():
                pass
            if not self._is_lacking() or time.monotonic() > until:
                break
            time.sleep(pause)
            pause *= 2
            self._ask_again()
            self._settle()
        for client in self.clients.values():
            client.look = self._idle.clients.get(client.name)
        self.desk.in_session = any(
            client.oracle.snapshot.state in IN_SESSION for client in self.clients.values() if client.is_open
        )

    def _is_lacking(self) -> bool:
        """Whether something that the oracle expects was not seen yet."""
        for client in self.clients.values():
            oracle = client.oracle
            look = self._idle.clients.get(client.name)
            if any(
                flight.record is None and not isinstance(flight.wanted, RevokeOrphan)
                for flight in oracle.flights
            ):
                return True
            if client.is_open and any(ask.renewal is None for ask in oracle.asks):
                return True
            if any(call.is_due and call.ended is None for call in oracle.calls):
                return True
            if client.is_open and look is not None and look.state != oracle.snapshot.state.value:
                return True
            plain = [str(event.text("state")) for event in client.heard.get(0, [])]
            if len(plain) < len(oracle.changes):
                return True
        return False

    def _sort_out(self) -> bool:
        """One round: answers, arrivals, events, in the order in which one follows from another."""
        for event in self._events:
            self._follow_expiry(event)
        new = self._answers()
        arrived = self.desk.arrived()
        for record in arrived[self._seen :]:
            new = True
            self._seen += 1
            self._arrive(record)
            self._answers()
        new = new or bool(self._events)
        events, self._events = self._events, []
        for event in events:
            self._hear(event)
        for client in self.clients.values():
            self._judge_calls(client)
        return new

    def _answers(self) -> bool:
        """Tell the oracle what was answered. Whether anything was."""
        new = False
        for record in [record for record in self._unread if _is_over(record)]:
            self._unread.remove(record)
            new = True
            self._read(record)
        for client in self.clients.values():
            for flight in tuple(client.oracle.flights):
                if flight.record is not None and flight.answer is None and _is_over(flight.record):
                    new = True
                    self._answered(client, flight)
            client.oracle.flights = [flight for flight in client.oracle.flights if flight.answer is None]
        return new

    def _hear(self, event: Told) -> None:
        client = self.clients.get(event.client)
        match event.event:
            case "state" if client is not None:
                self._hear_state(client, event)
            case "done" | "failed":
                self._hear_end(event)
            case "renewal" | "token_renew" if client is not None:
                self._hear_ask(client, event)
            case "hook" if client is not None:
                client.hooked.append(str(event.text("hook")))
                client.order.append(str(event.text("hook")))
            case "uncaught":
                self._uncaught.append(str(event.text("message"))[:200])
                self.lines.append(Line("client", "app", f"uncaught: {event.text('message')}"[:100]))
            case _:
                pass

    def _hear_state(self, client: Client, event: Told) -> None:
        observer, state = event.number("observer"), event.text("state")
        client.heard.setdefault(observer, []).append(event)
        if observer == 0:
            client.order.append(str(state))
            self.lines.append(Line(_name(client), "app", f"state: {state}"))

    def _follow_expiry(self, event: Told) -> None:
        """Take a token for expired because the client does, before it is renewed."""
        client = self.clients.get(event.client)
        is_expiry = event.event == "state" and event.text("state") == SessionState.TOKEN_EXPIRED.value
        if is_expiry and client is not None and client.is_open and event.number("observer") == 0:
            client.oracle.follow_expiry(self.clock.now())

    def _hear_end(self, event: Told) -> None:
        call = self._calls.get(event.number("of"))
        if call is None or call.ended is not None:
            return
        call.ended = event
        client = self.clients.get(call.client)
        if call.do not in ("answer", "observe", "handle", "realtime", "open"):
            what = "done" if event.event == "done" else f"failed: {event.text('kind')}"
            value = event.fields.get("value")
            shown = f" ({json.dumps(value)[:40]})" if value is not None else ""
            name = "client" if client is None else _name(client)
            self.lines.append(Line(name, "app", f"{call.do} {what}{shown}"))

    def _hear_ask(self, client: Client, event: Told) -> None:
        number, now = event.number("renewal"), self.clock.now()
        is_token = event.event == "token_renew"
        self.lines.append(Line(_name(client), "app", f"renewal #{number} is asked"))
        oracle = client.oracle
        ask = next((ask for ask in oracle.asks if ask.renewal is None), None)
        if ask is None and client.is_open:
            in_time = oracle.follow_renewal(now)
            ask = next((ask for ask in oracle.asks if ask.renewal is None), None)
            if ask is not None and not in_time:
                client.notes["asked_early"] = True
        if ask is None:
            client.surplus_asks.append(event)
            return
        ask.renewal, ask.is_token = number, is_token
        client.asked.append(event)
        if client.how == "raise" or (client.how == "garbage"):
            ask.answered = True
            client.notes["misbehaved"] = client.how
            if self._is_open(client, ask):
                oracle.feed(RenewalUnable(ask.command.attempt), now)

    # ── Requests ────────────────────────────────────────────────────────────────────────────────

    def _arrive(self, record: Received) -> None:
        label = f"{record.method} {record.path}"
        if record.user_id is not None and record.endpoint is Endpoint.LOGIN:
            label += f" ({record.user_id})"
        self.lines.append(Line("client", "platform", label))
        if record.over:
            self._log_answer(record)
        else:
            self.lines.append(Line("platform", "platform", "kept waiting"))
        if record.endpoint is Endpoint.GET_CHANNELS:
            self._unread.append(record)
        if record.endpoint not in SESSION_ENDPOINTS:
            return
        flight = self._match(record)
        if flight is None:
            for client in self.clients.values():
                if client.is_open and self._could_renew(client, record):
                    if not client.oracle.follow_renewal(self.clock.now()):
                        client.notes["renewed_early"] = True
                    flight = self._match(record)
                    if flight is not None:
                        return
        if flight is None:
            self._whose(record).surplus.append(record)

    def _could_renew(self, client: Client, record: Received) -> bool:
        """Whether this may be a renewal that comes before the oracle would send it."""
        snapshot = client.oracle.snapshot
        if (
            snapshot.state not in IN_SESSION
            or snapshot.renewal is not None
            or record.endpoint is Endpoint.REVOKE
        ):
            return False
        retry = snapshot.retry
        return (retry is not None and retry.grant is not None) or (
            snapshot.kind in (SessionKind.DEVELOPMENT, SessionKind.BOT, SessionKind.VISITOR)
            and record.endpoint is not Endpoint.VERIFY
        )

    def _whose(self, record: Received) -> Client:
        """Whose surplus request it is: as far as can be told, that of the client of its user."""
        clients = list(self.clients.values())
        of_user = [client for client in clients if client.oracle.snapshot.user_id == record.user_id]
        return (of_user or clients)[0]

    def _match(self, record: Received) -> Flight | None:
        for exact in (True, False):
            for client in self.clients.values():
                for flight in client.oracle.flights:
                    if flight.record is None and fits(flight.wanted, record, exact=exact):
                        flight.record, flight.exact = record, exact
                        flight.sent_at = self.clock.now()
                        client.flights.append(flight)
                        return flight
        return None

    def _log_answer(self, record: Received) -> None:
        self._logged.add(id(record))
        if record.response is None:
            self.lines.append(Line("platform", "client", "no answer: the connection ends"))
        else:
            struck = f" ({', '.join(record.faults)})" if record.faults else ""
            self.lines.append(Line("platform", "client", f"{record.status}{struck}"))

    def _answered(self, client: Client, flight: Flight) -> None:
        record = flight.record
        assert record is not None  # noqa: S101
        if id(record) not in self._logged:
            self._log_answer(record)
        flight.answer = answer = answer_of(flight, record, self.desk.platform, self.clock.now())
        client.answered.append(flight)
        if isinstance(flight.wanted, RevokeOrphan):
            return
        for fact in facts(flight.wanted, answer):
            client.oracle.feed(fact, self.clock.now())
            self._obey_observers(client)

    def _obey_observers(self, client: Client) -> None:
        """An observer that logs out when it is told `established` does."""
        changes = client.oracle.changes
        if (
            "logout" in client.observers.values()
            and changes
            and changes[-1].state is SessionState.ESTABLISHED
        ):
            if client.oracle.snapshot.state is SessionState.ESTABLISHED:
                client.notes["observer_logged_out"] = True
                for call in client.oracle.calls:
                    call.may_fail = True
                client.oracle.feed(Logout(), self.clock.now())

    # ── API calls ───────────────────────────────────────────────────────────────────────────────

    def _judge_calls(self, client: Client) -> None:
        """What should have become of API calls by now."""
        waited = self.clock.monotonic()
        for call in client.oracle.calls:
            if call.do != "call" or call.is_due:
                continue
            verdict = authorize(client.oracle.snapshot)
            requests = [
                record
                for record in self.desk.arrived()[call.sent :]
                if record.endpoint is Endpoint.GET_CHANNELS
                and (len(self.clients) == 1 or self._attempt_of(client, record) is not None)
            ]
            if requests:
                # One that was rejected may wait for what comes of that, and be sent again.
                call.may_fail = True
                snapshot = client.oracle.snapshot
                waits = isinstance(verdict, Waiting) or any(
                    (snapshot.renewal, snapshot.verification, snapshot.revocation)
                )
                call.kinds = None if waits or not all(map(_is_over, requests)) else frozenset()
            elif isinstance(verdict, Denied) or waited - call.since > 120:
                call.kinds = frozenset({"denied"})
            elif isinstance(verdict, Granted):
                call.kinds = frozenset()
            elif call.ended is not None and waited - call.since >= 1:
                call.kinds, call.may_fail = frozenset({"wait_timeout"}), True

    def _read(self, record: Received) -> None:
        """What the answer to an API request says of the session. [EXPIRE-3] [BAN-3]"""
        if id(record) not in self._logged:
            self._log_answer(record)
        body = {} if record.response is None else _object(record.response.body)
        code, now = body.get("code"), self.clock.now()
        for client in self.clients.values():
            oracle = client.oracle
            attempt = self._attempt_of(client, record)
            if not client.is_open or attempt is None:
                continue
            client.notes["api_said"] = "nothing" if record.status != 401 else "rejected"
            if code == 400312:
                client.notes["api_said"] = "banned"
                oracle.feed(UserBanned(attempt=attempt), now)
            elif record.status == 401 or code == 400100:
                oracle.feed(TokenRejected(attempt), now)

    def _attempt_of(self, client: Client, record: Received) -> int | None:
        """The attempt that brought the token of a request, if it is this client's."""
        snapshot = client.oracle.snapshot
        if record.access_token is None:
            return None
        recent = [snapshot, *(step.after for step in client.oracle.steps)]
        for each in recent:
            if each.credential is not None and each.credential.access_token == record.access_token:
                return each.credential_attempt
        return client.tokens.get(record.access_token)

    # ── Moments ─────────────────────────────────────────────────────────────────────────────────

    def _moments(self, action: Action) -> Iterator[Moment]:
        """What just happened, client by client, and whether to go on."""
        self._look_at_what_was_said()
        requests = self.desk.arrived()[self._judged :]
        self._judged = len(self.desk.arrived())
        judged = [
            (client, self._moment_for(client, action, tuple(requests))) for client in self.clients.values()
        ]
        yield from (moment for _, moment in judged)
        for client, moment in judged:
            self._move_on(client, moment)
        self._uncaught, self._leaks = [], []

    _judged = 0

    def _moment_for(self, client: Client, action: Action, requests: tuple[Received, ...]) -> Moment:
        oracle = client.oracle
        unasked = [ask for ask in oracle.asks if ask.renewal is None]
        missing = [flight.wanted for flight in oracle.flights if flight.record is None]
        ending = [call for call in oracle.calls if call.is_due or call.ended is not None]
        now = self.clock.now()
        return Moment(
            action=action,
            client=client.name,
            before=client.before or oracle.snapshot,
            after=oracle.snapshot,
            now=now,
            server_now=self.desk.platform.now(),
            steps=tuple(oracle.steps),
            changes=tuple(oracle.changes),
            heard={observer: list(events) for observer, events in client.heard.items()},
            joined=dict(client.joined),
            observers=dict(client.observers),
            flights=tuple(client.flights),
            answered=tuple(client.answered),
            missing=tuple(missing),
            surplus=tuple(client.surplus),
            requests=requests,
            asked=tuple(client.asked),
            unasked=tuple(ask.command for ask in unasked),
            surplus_asks=tuple(client.surplus_asks),
            calls=tuple(ending),
            waiting=tuple(call for call in oracle.calls if not call.is_due and call.ended is None),
            hooks=tuple(oracle.hooks),
            hooked=tuple(client.hooked),
            uncaught=tuple(self._uncaught),
            leaks=tuple(self._leaks),
            elsewhere=self.desk.elsewhere(),
            look=client.look if client.is_open else None,
            is_open=client.is_open,
            notes={**client.notes, **self._known(client, requests)},
        )

    def _known(self, client: Client, requests: tuple[Received, ...]) -> dict[str, Any]:
        """What sentences want to know besides."""
        if len(self.clients) == 1:
            client.devices |= {record.device_id for record in requests if record.device_id is not None}
        snapshot = client.oracle.snapshot
        held = [
            snapshot
            for other in self.clients.values()
            for step in other.oracle.steps
            for snapshot in (step.before, step.after)
        ]
        held += [other.oracle.snapshot for other in self.clients.values()]
        return {
            "devices": set(client.devices),
            "order": tuple(client.order),
            "lax": client.oracle.lax,
            "set_back": client.set_back,
            "own": client.own_handler,
            "left": client.left,
            "stays": client.stays,
            "recovered": client.recovered,
            "renewed": client.renewed,
            "last_told": dict(client.last_told),
            "held": held,
            "several": len(self.clients) > 1,
            "knows_time": abs(self.clock.now() + snapshot.offset - self.desk.platform.now()) < 2,
        }

    def _remember(self, client: Client, moment: Moment) -> None:
        """What later moments want to know of this one."""
        for taken in moment.steps:
            if taken.after.credential is not None:
                client.tokens[taken.after.credential.access_token] = taken.after.credential_attempt
            if taken.row is None:
                continue
            event, source, target = event_name(taken.event), taken.row.source, taken.row.target
            if source is SessionState.ESTABLISHING and target is SessionState.NOT_LOGGED_IN:
                client.left = "logged out" if event == "logout" else "failed"
            elif target is SessionState.NOT_LOGGED_IN and source is not target:
                client.left = "logged out"
            elif target is SessionState.ESTABLISHED and event == "session_opened":
                client.stays, client.recovered, client.renewed = client.stays + 1, False, False
            elif event == "token_renewed" and target is SessionState.ESTABLISHED:
                client.renewed = client.renewed or "replace_credential" in taken.row.reactions
                client.recovered = client.recovered or source is SessionState.TOKEN_EXPIRED
        for observer in moment.heard:
            client.last_told[observer] = moment.told(observer)[-1]
        client.kind = client.oracle.snapshot.kind or client.kind

    def _move_on(self, client: Client, moment: Moment) -> None:
        """Make ready for the next moment, and stop if the two have parted."""
        oracle = client.oracle
        lacking = [wanted for wanted in moment.missing if not isinstance(wanted, RevokeOrphan | Verify)]
        late = moment.unasked or lacking or not moment.is_agreed
        if late and client.is_open and moment.notes.get("time") is not None and _only_time(moment):
            oracle.forgive(moment.before, [ask for ask in oracle.asks if ask.renewal is None])
            oracle.flights = [flight for flight in oracle.flights if flight.record is not None]
        elif lacking or moment.unasked:
            self.stopped = "the client did not do what it should have"
        look = client.look
        if client.is_open and (look is None or look.state != oracle.snapshot.state.value):
            self.stopped = "the client is not where it should be"
        for wanted in moment.missing:
            if isinstance(wanted, Verify) and client.is_open:
                found_nothing = Failure(FailureKind.UNREACHABLE)
                oracle.feed(VerificationFailed(wanted.attempt, found_nothing), self.clock.now())
        oracle.flights = [
            flight
            for flight in oracle.flights
            if flight.record is not None or not isinstance(flight.wanted, RevokeOrphan | Verify)
        ]
        oracle.calls = [call for call in oracle.calls if not call.is_due and call.ended is None]
        oracle.steps, oracle.changes, oracle.hooks = [], [], []
        client.heard, client.joined = {}, {}
        client.flights, client.answered, client.surplus = [], [], []
        client.asked, client.surplus_asks, client.hooked, client.order = [], [], [], []
        self._remember(client, moment)
        client.notes = {}
        client.before = oracle.snapshot


def needs(action: Action) -> frozenset[str]:
    """The features that an action needs."""
    of_client = frozenset({"several"}) if action.client == "b" else frozenset[str]()
    by_how = {
        "development": "development",
        "no_key": "process",
        "no_region": "process",
        "plain_http": "process",
    }
    special = (
        frozenset({by_how[action.how]}) if action.do == "open" and action.how in by_how else frozenset[str]()
    )
    return _NEEDS.get(action.do, frozenset[str]()) | of_client | special


def _only_time(moment: Moment) -> bool:
    return all(event_name(step.event) in _TIME_FACTS for step in moment.steps)


def _open_ask(client: Client) -> Ask | None:
    renewal = client.oracle.snapshot.renewal
    if renewal is None or renewal.grant is not None:
        return None
    return next(
        (
            ask
            for ask in client.oracle.asks
            if ask.renewal is not None and ask.command.attempt == renewal.attempt
        ),
        None,
    )


def _is_over(record: Received) -> bool:
    """Whether nothing more comes of a request, for its client."""
    return record.over or record.given_up


def _name(client: Client) -> str:
    return "client" if client.name == "a" else f"client {client.name}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


_OF_PLATFORM: Final = frozenset({"next", "next_renewal", "hold", "release", "next_call", "platform", "skew"})
_TIME_FACTS: Final = frozenset({"token_expired", "renewal_due", "answer_overdue", "revocation_due"})
_LOGINS: Final = frozenset({"login", "login_with_access_token", "login_as_visitor", "login_as_bot"})
_KNOWN: Final = frozenset({"not_allowed", "auth_token_required", "handler_required", "invalid_access_token"})
_NEEDS_CLIENT: Final = frozenset(
    {
        "login", "login_with_access_token", "login_as_visitor", "login_as_bot", "logout", "secure_logout",
        "renew_now", "cancel", "set_access_token_handler", "handle", "observe", "call", "close", "realtime",
        "answer",
    }
)  # fmt: skip
"""Actions that a client must be open for; the first one opens it."""
_NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "login_with_access_token": frozenset({"access_token"}),
    "set_access_token_handler": frozenset({"access_token"}),
    "login_as_visitor": frozenset({"visitor"}),
    "login_as_bot": frozenset({"bot"}),
    "secure_logout": frozenset({"secure_logout"}),
    "renew_now": frozenset({"renew_now"}),
    "cancel": frozenset({"cancel"}),
    "observe": frozenset({"observers"}),
    "call": frozenset({"call"}),
    "next_call": frozenset({"call"}),
    "close": frozenset({"close"}),
    "kill": frozenset({"resume", "process"}),
    "realtime": frozenset({"realtime"}),
    "until": frozenset({"time"}),
    "advance": frozenset({"time"}),
    "sleep": frozenset({"sleep"}),
    "jump": frozenset({"jump"}),
    "skew": frozenset({"time"}),
}
"""The features that an action needs."""
