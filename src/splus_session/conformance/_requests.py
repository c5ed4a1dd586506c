"""Making sense of requests: whose each one is, whether it was expected, and what its answer says."""

from splus_session import (
    Denied,
    FailureKind,
    Granted,
    Logout,
    ReleaseWaiters,
    Renew,
    RevokeOrphan,
    SessionKind,
    SessionState,
    TokenRejected,
    UserBanned,
    Verify,
)
from splus_session._answers import facts
from splus_session._core import Waiting, authorize
from splus_session._rules import unaided_grant
from splus_session.conformance._client import Client
from splus_session.conformance._moment import IN_SESSION, Call, Flight
from splus_session.conformance._platform import SESSION_ENDPOINTS, answer_of, fits
from splus_session.conformance._stage import Stage
from splus_session.conformance._words import answer_in_words, json_object
from splus_session.testing import Endpoint, Received


class Requests:
    """See the module."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._logged: set[int] = set()
        self._unread: list[Received] = []
        """API requests whose answers were not made sense of yet."""

    # ── Arrivals ────────────────────────────────────────────────────────────────────────────────

    def arrive(self, record: Received) -> None:
        """Tell which of the expected requests it is, if any."""
        label = f"{record.method} {record.path}"
        if record.user_id is not None and record.endpoint is Endpoint.LOGIN:
            label += f" ({record.user_id})"
        self._stage.note("client", "platform", label)
        if record.over:
            self._log_answer(record)
        else:
            self._stage.note("platform", "platform", "kept waiting")
        if record.endpoint not in SESSION_ENDPOINTS:
            self._unread.append(record)
        if record.endpoint in SESSION_ENDPOINTS and not (
            self._match(record, exact=True)
            or self._renews(record)
            or self._verifies_another_rejection(record)
            or self._match(record, exact=False)
            or self._revokes_what_is_not_used(record)
        ):
            for client in self._whose(record):
                client.surplus.append(record)

    def _match(self, record: Received, *, exact: bool) -> bool:
        for client in self._stage.clients.values():
            for flight in client.oracle.flights:
                if flight.record is None and fits(flight.wanted, record, exact=exact):
                    flight.record, flight.exact = record, exact
                    flight.sent_at = self._stage.clock.now()
                    client.flights.append(flight)
                    return True
        return False

    def _renews(self, record: Received) -> bool:
        """Whether it is a renewal that comes before the oracle would send it."""
        for client in self._stage.open_clients():
            if _could_renew(client, record):
                if not client.oracle.follow_renewal(self._stage.clock.now(), sends_again=True):
                    client.notes["renewed_early"] = True
                if self._match(record, exact=True):
                    return True
        return False

    def _verifies_another_rejection(self, record: Received) -> bool:
        """Whether it verifies the token once more, for a rejection that its client may have read only when
        the verification before was answered. [EXPIRE-3]
        """
        for client in self._stage.open_clients():
            oracle, snapshot = client.oracle, client.oracle.snapshot
            used = snapshot.credential
            if used is None or not fits(Verify(0, used), record, exact=True):
                continue
            unheard = sum(isinstance(step.event, TokenRejected) and step.row is None for step in oracle.steps)
            again = client.notes.get("verified_again", 0)
            if again < unheard and snapshot.verification is None:
                client.notes["verified_again"] = again + 1
                oracle.feed(TokenRejected(snapshot.credential_attempt), self._stage.clock.now())
                return self._match(record, exact=True)
        return False

    def _revokes_what_is_not_used(self, record: Received) -> bool:
        """Whether it revokes a token that nobody uses any more. It may, as long as nobody waits for that, and
        a client that was closed may, too. [LOGIN-6] [LOGOUT-1]
        """
        used = [client.oracle.snapshot.credential for client in self._stage.clients.values()]
        return record.endpoint is Endpoint.REVOKE and not any(
            credential is not None and credential.access_token == record.access_token for credential in used
        )

    def _whose(self, record: Received) -> list[Client]:
        """Whose surplus request it is: as far as can be told, that of the client of its user."""
        clients = list(self._stage.clients.values())
        of_user = [client for client in clients if client.oracle.snapshot.user_id == record.user_id]
        return (of_user or clients)[:1]

    # ── Answers ─────────────────────────────────────────────────────────────────────────────────

    def read_answers(self, *, given_up: bool = False) -> bool:
        """Tell the oracle what was answered; what its client hung up on counts only if that is asked for,
        since it may have done that for what another answer says. Whether anything was.
        """
        new = False

        def is_over(record: Received) -> bool:
            return record.over or (given_up and record.given_up)

        for record in [record for record in self._unread if is_over(record)]:
            self._unread.remove(record)
            new = True
            self._read(record)
        for client in self._stage.clients.values():
            for flight in tuple(client.oracle.flights):
                if flight.record is not None and flight.answer is None and is_over(flight.record):
                    new = True
                    self._answered(client, flight, flight.record)
            client.oracle.flights = [flight for flight in client.oracle.flights if flight.answer is None]
        return new

    def some_are_given_up(self) -> bool:
        """Whether a client hung up on a request, and that was not made sense of yet."""
        expected = [flight for client in self._stage.clients.values() for flight in client.oracle.flights]
        records = [*self._unread, *(flight.record for flight in expected if flight.record is not None)]
        return any(record.given_up and not record.over for record in records)

    def forget(self, client: Client | None = None) -> None:
        """What requests of a client, or of all, are answered from now on is told to nobody."""
        self._unread = [
            record for record in self._unread if client is not None and client.attempt_of(record) is None
        ]

    def _log_answer(self, record: Received) -> None:
        if id(record) in self._logged:
            return
        self._logged.add(id(record))
        if record.response is None:
            self._stage.note("platform", "client", "no answer: the connection ends")
        else:
            answer = answer_in_words(record, self._stage.desk.secrets())
            self._stage.note("platform", "client", answer)

    def _answered(self, client: Client, flight: Flight, record: Received) -> None:
        self._log_answer(record)
        now = self._stage.clock.now()
        flight.answer = answer = answer_of(flight, record, self._stage.desk.platform, now)
        client.answered.append(flight)
        if isinstance(flight.wanted, RevokeOrphan):
            return
        for fact in facts(flight.wanted, answer):
            taken = client.oracle.feed(fact, now)
            # With tokens of a few seconds it would make a renewal due no sooner than the expiry.
            if taken.row is not None and not self._stage.in_real_time:
                client.oracle.doubt(fact, now)
            self._obey_observers(client)

    def _obey_observers(self, client: Client) -> None:
        """An observer that logs out when it is told `established` does."""
        oracle = client.oracle
        is_told = bool(oracle.changes) and oracle.changes[-1].state is SessionState.ESTABLISHED
        if "logout" not in client.observers.values() or not is_told:
            return
        if oracle.snapshot.state is SessionState.ESTABLISHED:
            client.notes["observer_logged_out"] = True
            for call in oracle.calls:
                call.may_fail = True
            oracle.feed(Logout(), self._stage.clock.now())

    # ── API requests ────────────────────────────────────────────────────────────────────────────

    def _read(self, record: Received) -> None:
        """What the answer to an API request says of the session. [EXPIRE-3] [BAN-3]"""
        self._log_answer(record)
        body = {} if record.response is None else json_object(record.response.body)
        code, now = body.get("code"), self._stage.clock.now()
        for client in self._stage.open_clients():
            attempt = client.attempt_of(record)
            if attempt is None:
                continue
            said = client.notes.setdefault("api_said", set[str]())
            if code == 400312:
                said.add("banned")
                client.oracle.feed(UserBanned(attempt=attempt), now)
            elif record.status == 401 or code == 400100:
                said.add("rejected")
                client.oracle.feed(TokenRejected(attempt), now)
            elif record.status is None or record.status >= 400:
                said.add("nothing")

    def judge_calls(self, client: Client) -> None:
        """Tell what should have become of API calls by now."""
        for call in client.oracle.calls:
            if call.do == "call" and not call.is_due:
                self._judge_call(client, call)

    def _judge_call(self, client: Client, call: Call) -> None:
        snapshot = client.oracle.snapshot
        verdict = authorize(snapshot)
        waited = self._stage.clock.monotonic() - call.since
        requests = self._requests_of(client, call)
        if requests:
            # One that was rejected may wait for what comes of that, and be sent again.
            call.may_fail = True
            waits = isinstance(verdict, Waiting) or any(
                (snapshot.renewal, snapshot.verification, snapshot.revocation)
            )
            call.kinds = None if waits or not all(map(_is_over, requests)) else frozenset()
        elif call.ended is not None and _has_failed_to_renew(client):
            # What a renewal comes to is shared by all who wait for it, whatever comes next. [RENEW-3]
            call.kinds, call.may_fail = frozenset({"denied"}), True
        elif _may_wait_or_fail(client) and waited <= 120:
            if call.ended is not None:
                call.kinds, call.may_fail = frozenset({"denied"}), True
        elif isinstance(verdict, Denied) or waited > 120:
            call.kinds = frozenset({"denied"})
        elif (
            call.ended is not None
            and waited >= 1
            # Also if what it waited for came in the same moment.
            and (call.ended.text("kind") == "wait_timeout" or not isinstance(verdict, Granted))
        ):
            call.kinds, call.may_fail = frozenset({"wait_timeout"}), True
        elif isinstance(verdict, Granted):
            call.kinds = frozenset()

    def is_on_its_way(self, client: Client, call: Call) -> bool:
        """Whether this call is an API request that the platform has not answered yet."""
        requests = self._requests_of(client, call) if call.do == "call" else ()
        return not all(map(_is_over, requests))

    def _requests_of(self, client: Client, call: Call) -> list[Received]:
        """The API requests since a call began that may be its own."""
        return [
            record
            for record in self._stage.desk.arrived()[call.sent :]
            if record.endpoint is Endpoint.GET_CHANNELS
            and (len(self._stage.clients) == 1 or client.attempt_of(record) is not None)
        ]


def _has_failed_to_renew(client: Client) -> bool:
    """Whether a renewal came to an end that those who wait for it share."""
    return any(
        isinstance(command, ReleaseWaiters)
        and step.before.renewal is not None
        and command.attempt == step.before.renewal.attempt
        and command.failure is not None
        and command.failure.kind is not FailureKind.SUPERSEDED
        for step in client.oracle.steps
        for command in step.commands
    )


def _may_wait_or_fail(client: Client) -> bool:
    """Whether no renewal is on its way for an expired token, and yet there is something to wait for: one
    that will be sent again soon, or a revocation. Whoever needs a token may wait for that. [EXPIRE-5]
    """
    snapshot = client.oracle.snapshot
    if snapshot.state is not SessionState.TOKEN_EXPIRED or snapshot.renewal is not None:
        return False
    is_retried = snapshot.retry is not None and snapshot.retry.grant is not None
    return is_retried or snapshot.revocation is not None


def _could_renew(client: Client, record: Received) -> bool:
    """Whether this is a renewal that comes before the oracle would send it."""
    snapshot = client.oracle.snapshot
    if snapshot.state not in IN_SESSION or snapshot.renewal is not None or snapshot.kind is None:
        return False
    retry = snapshot.retry
    if retry is not None and retry.grant is not None:
        return fits(Renew(0, retry.grant), record, exact=True)
    unaided = snapshot.kind in (SessionKind.DEVELOPMENT, SessionKind.BOT, SessionKind.VISITOR)
    grant = unaided_grant(snapshot.kind, snapshot.user_id or "")
    return unaided and fits(Renew(0, grant), record, exact=True)


def _is_over(record: Received) -> bool:
    """Whether nothing more comes of a request, for its client."""
    return record.over or record.given_up
