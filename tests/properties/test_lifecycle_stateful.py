"""Whole lives of sessions: every event of the table at any moment, in a world that forgets nothing.

The rules are made from `LIFECYCLE`: one for every event of it that comes from outside, with a
payload aimed at the session as it is. Beside them there is a small honest world: a platform that
answers what it was asked (late, twice, out of order, or not at all), a handler, a store, observers,
callers who wait, a clock, and processes that are killed. The world keeps the books that a single
step cannot know of; the properties of steps and snapshots are judged on the way.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from splus_session import (
    LIFECYCLE,
    AccessToken,
    AccessTokenGrant,
    Announce,
    AskRenewal,
    Config,
    Credential,
    Event,
    Failure,
    FailureKind,
    HandlersChanged,
    LoginCancelled,
    OpenSession,
    Persist,
    Record,
    ReleaseWaiters,
    Renew,
    RenewalAnswered,
    RenewalFailed,
    RenewalUnable,
    Resume,
    Revoke,
    RevokeOrphan,
    Row,
    SessionCore,
    SessionState,
    Snapshot,
    Step,
    TokenRenewed,
    Verify,
    event_name,
)
from splus_session._answers import Answer, Attempt, facts
from splus_session._events import EVENTS
from splus_session.testing.strategies import EPOCH, configs, events_for, failures, grants, records, times_for
from tests.properties.about_snapshots import IN_SESSION, LIVE, flights
from tests.properties.about_steps import record_of
from tests.properties.monitors import Jury, Outcome
from tests.properties.mutants import MUTANTS

OF_TIME = {"token_expired", "renewal_due", "answer_overdue", "revocation_due"}
INDEX = st.sampled_from((0, 0, 0, 1, 2, 5))
"""Mostly the newest."""
LOST = Failure(FailureKind.UNREACHABLE)


class World(RuleBasedStateMachine):
    """One session at a time, and everybody around it."""

    rows: ClassVar[Counter[Row]] = Counter()
    """Which rows of the table were taken, in all lives."""
    is_judged: ClassVar[bool] = True
    """Whether the properties of steps and snapshots are judged on the way."""

    @initialize(
        config=configs(),
        seed=st.integers(0, 2**64 - 1),
        handlers=st.tuples(st.booleans(), st.booleans()),
        record=st.none() | records(),
    )
    def begin(self, config: Config, seed: int, handlers: tuple[bool, bool], record: Record | None) -> None:
        """A process begins, perhaps with a session that an earlier one had stored."""
        self.jury = Jury()
        self.stored: Record | None = None
        self.heard = self.minted = 0
        self.orphaned: list[AccessToken] = []
        self.start_process(SessionCore(config, seed=seed))
        self.receive(HandlersChanged(*handlers), EPOCH)
        if record is not None:
            self.receive(Resume(record), EPOCH)

    def start_process(self, core: SessionCore) -> None:
        """Nothing outlives a process but the store."""
        self.core = core
        self.told = SessionState.NOT_LOGGED_IN
        self.waited: list[int] = []
        self.logins: list[int] = []
        self.unanswered: set[int] = set()
        self.presented: list[int] = []
        self.asked: list[int] = []
        self.pending: list[Attempt] = []
        self.answered: list[tuple[Event, ...]] = []

    @property
    def now(self) -> float:
        """The present time (UTC seconds)."""
        return self.core.snapshot.now

    def receive(self, event: Event, now: float) -> None:
        """Have the session hear of something, judge what it does, and do what it commands."""
        self.heard += 1
        if isinstance(event, TokenRenewed | RenewalFailed):
            self.unanswered.discard(event.attempt)
        start = self.core.snapshot
        was = hash(start)
        steps = tuple(self.core.receive(event, now))
        if self.is_judged:
            self.jury.judge_outcome(Outcome(start, was, event, now, steps, self.core.snapshot))
        for taken in steps:
            self.carry_out(taken)

    def carry_out(self, taken: Step) -> None:
        """Do what a step commands, and keep the books."""
        if taken.row is not None:
            World.rows[taken.row] += 1
        before = len(self.waited)
        for command in taken.commands:
            match command:
                case Persist(record=record):
                    self.stored = record
                case Announce(change=change):
                    assert change.previous is self.told, "changes are told in order, each once [OBSERVE-1]"
                    self.told = change.state
                case OpenSession() | Renew() | Verify() | Revoke():
                    assert command.attempt not in self.presented, "a number is used once [LOGIN-6] [RENEW-5]"
                    self.presented.append(command.attempt)
                    self.pending.append(command)
                    if isinstance(command, OpenSession):
                        self.logins.append(command.attempt)
                    elif isinstance(command, Renew):
                        self.unanswered.add(command.attempt)
                case AskRenewal(attempt=attempt):
                    assert attempt not in self.asked + self.presented, "a question is asked once [RENEW-3]"
                    self.asked.append(attempt)
                case RevokeOrphan(credential=credential):
                    self.orphaned.append(credential.access_token)
                case ReleaseWaiters(attempt=attempt):
                    assert attempt in self.waited, "who waits is released once [EXPIRE-5]"
                    self.waited.remove(attempt)
                case _:
                    pass
        assert len(self.waited) <= before
        self.waited += [n for n in flights(taken.after).values() if n not in self.waited]

    @rule(data=st.data())
    def anything_happens(self, data: st.DataObject) -> None:
        """Also where the table has no row for it."""
        self.receive(data.draw(events_for(self.core.snapshot, self.now).filter(self.may_happen)), self.now)

    def may_happen(self, event: Event) -> bool:
        """Who cancels a login once began it: there is nobody who could cancel a resumed session."""
        return not isinstance(event, LoginCancelled) or event.attempt in self.logins

    # ── The books ───────────────────────────────────────────────────────────────────────────────

    @invariant()
    def observers_know_the_state(self) -> None:
        assert self.told is self.core.state, "[OBSERVE-1]"

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        assert sorted(self.waited) == sorted(flights(self.core.snapshot).values()), "[EXPIRE-5] [LOGIN-9]"

    @invariant()
    def the_store_holds_the_session_and_nothing_after_its_end(self) -> None:
        needed = record_of(self.core.snapshot)
        assert (self.stored is None) == (needed is None), "[RESUME-2] [LOGOUT-2]"
        if self.stored is not None and needed is not None:
            assert attrs.evolve(self.stored, offset=0.0) == attrs.evolve(needed, offset=0.0), "[RESUME-2]"

    @invariant()
    def one_renewal_of_a_session_is_on_the_wire(self) -> None:
        session = self.core.snapshot.session
        assert len([number for number in self.unanswered if number > session]) <= 1, "[RENEW-3]"

    @invariant()
    def the_token_in_use_was_not_revoked(self) -> None:
        held = self.core.snapshot.credential
        if held is not None and held.access_token.reveal().startswith("minted"):
            assert held.access_token not in self.orphaned, "[LOGIN-6] [EXPIRE-2]"

    # ── The world ───────────────────────────────────────────────────────────────────────────────

    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        """Up to whatever is due, a moment before or after; or the clock is set back."""
        self.advance(data.draw(times_for(self.core.snapshot)))

    @precondition(lambda self: self.core.deadline is not None)
    @rule()
    def the_next_thing_is_due(self) -> None:
        assert self.core.deadline is not None
        self.advance(self.core.deadline)

    def advance(self, now: float) -> None:
        """Let it be `now`."""
        for taken in self.core.advance(now):
            if self.is_judged:
                self.jury.judge_step(taken)
            self.carry_out(taken)

    @precondition(lambda self: self.pending)
    @rule(index=INDEX, lifetime=st.sampled_from((3600.0, 20.0, 1.0, 0.0, None)))
    def the_platform_agrees(self, index: int, lifetime: float | None) -> None:
        command = self.pending.pop(-1 - index % len(self.pending))
        credential = None
        if isinstance(command, OpenSession | Renew):
            credential = self.issue(command, lifetime)
        self.hear(facts(command, Answer(credential)))

    @precondition(lambda self: self.pending)
    @rule(index=INDEX, failure=failures() | st.just(LOST), late_token=st.booleans())
    def the_platform_refuses_or_its_answer_is_lost(
        self, index: int, failure: Failure, late_token: bool
    ) -> None:
        command = self.pending.pop(-1 - index % len(self.pending))
        token = late_token and isinstance(command, OpenSession | Renew)
        credential = self.issue(command, 3600.0) if token else None
        self.hear(facts(command, Answer(credential, failure)))

    @precondition(lambda self: any(isinstance(command, Verify | Revoke) for command in self.pending))
    @rule()
    def the_platform_does_not_know_the_token(self) -> None:
        command = [command for command in self.pending if isinstance(command, Verify | Revoke)][-1]
        self.pending.remove(command)
        self.hear(facts(command, Answer(failure=Failure(FailureKind.UNAUTHORIZED, 401))))

    @precondition(lambda self: self.answered)
    @rule(index=INDEX)
    def an_answer_is_heard_again(self, index: int) -> None:
        for fact in self.answered[-1 - index % len(self.answered)]:
            self.receive(fact, self.now)

    def issue(self, command: Attempt, lifetime: float | None) -> Credential:
        """A new token for whoever the grant names; a token that was presented is confirmed."""
        assert isinstance(command, OpenSession | Renew)
        if isinstance(command.grant, AccessTokenGrant):
            return command.grant.credential
        self.minted += 1
        user = getattr(command.grant, "user_id", None) or self.core.snapshot.user_id or "this device"
        issued_at = self.now + self.core.snapshot.offset
        expires_at = None if lifetime is None else issued_at + lifetime
        return Credential(AccessToken(f"minted-{self.minted}"), user, issued_at, expires_at)

    def hear(self, answer: tuple[Event, ...]) -> None:
        """Hear an answer of the platform."""
        self.answered.append(answer)
        for fact in answer:
            self.receive(fact, self.now)

    @precondition(lambda self: self.core.snapshot.renewal and self.core.snapshot.renewal.grant is None)
    @rule(data=st.data())
    def the_handler_answers_what_it_is_asked(self, data: st.DataObject) -> None:
        asked, s = self.core.snapshot.renewal, self.core.snapshot
        assert asked is not None
        grant = data.draw(grants(self.now, s.user_id))
        self.receive(RenewalAnswered(asked.attempt, grant), self.now)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), able=st.booleans(), index=INDEX)
    def a_handler_answers(self, data: st.DataObject, able: bool, index: int) -> None:
        """Perhaps one that was asked long ago, perhaps for the second time."""
        attempt = self.asked[-1 - index % len(self.asked)]
        if able:
            grant = data.draw(grants(self.now, self.core.snapshot.user_id))
            self.receive(RenewalAnswered(attempt, grant), self.now)
        else:
            self.receive(RenewalUnable(attempt), self.now)

    @precondition(lambda self: self.stored is not None)
    @rule(seed=st.integers(0, 2**64 - 1))
    def the_process_is_killed_and_resumed(self, seed: int) -> None:
        died = self.core.snapshot
        self.start_process(SessionCore(died.config, seed=seed))
        self.receive(HandlersChanged(True, True), died.now)
        assert self.stored is not None
        self.receive(Resume(self.stored), died.now)
        again = self.core.snapshot
        assert (again.state, again.credential) == (died.state, died.credential), "[RESUME-1] [RESUME-2]"


def _rule_for(name: str, made: type[Event]) -> Callable[..., None]:
    """A rule by which an event of this kind comes from nowhere, where the table has a row for it.

    Answers come where there is something to answer. What ends a session, or gets nowhere from where
    there is none, comes every fourth time, or lives would be short and dull. `anything_happens`
    knows none of these limits.
    """
    rows = [row for row in LIFECYCLE if row.event == name]
    sources = {row.source for row in rows}
    fruitful = {row.source for row in rows if row.source in LIVE or not row.internal}
    seldom = sources - fruitful | (IN_SESSION if name in ENDINGS else set())

    def may_mean_something(self: World) -> bool:
        s = self.core.snapshot
        if s.state not in sources or (name in ANSWERED and not ANSWERED[name](s)):
            return False
        if made is LoginCancelled and s.session not in self.logins:
            return False
        return s.state not in seldom or self.heard % 4 == 0

    def happens(self: World, data: st.DataObject) -> None:
        aimed = events_for(self.core.snapshot, self.now, [made])
        self.receive(data.draw(aimed.filter(self.may_happen)), self.now)

    happens.__name__ = happens.__qualname__ = name
    return precondition(may_mean_something)(rule(data=st.data())(happens))


ENDINGS = {"login_failed", "login_cancelled", "user_banned", "user_deleted", "logout"}


def _is_renewing(s: Snapshot) -> bool:
    return s.renewal is not None


def _is_verifying(s: Snapshot) -> bool:
    return s.verification is not None or (s.revocation is not None and s.revocation.check is not None)


def _is_revoking(s: Snapshot) -> bool:
    return s.revocation is not None and s.revocation.sent


ANSWERED: dict[str, Callable[[Snapshot], bool]] = {
    **dict.fromkeys(("renewal_answered", "renewal_unable", "token_renewed", "renewal_failed"), _is_renewing),
    **dict.fromkeys(("token_confirmed", "token_refuted", "verification_failed"), _is_verifying),
    **dict.fromkeys(("token_revoked", "revocation_doubted", "revocation_failed"), _is_revoking),
}
"""When an answer may be one to something in flight. At other times `anything_happens` brings it."""

FROM_OUTSIDE = {event_name(made): made for made in EVENTS if event_name(made) not in OF_TIME}
Life: type[World] = type(
    "Life", (World,), {name: _rule_for(name, made) for name, made in FROM_OUTSIDE.items()}
)


HEALTHY = (
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
    HealthCheck.data_too_large,
)
"""What a long life is, whatever Hypothesis thinks of it."""


def live(machine: type[World], **changes: Any) -> None:
    """Live lives of up to a hundred events, as many as the settings say.

    Raises:
        AssertionError: a property or the world's books do not hold.
    """
    how = settings(stateful_step_count=100, suppress_health_check=HEALTHY, **changes)
    run_state_machine_as_test(machine, settings=how)


@pytest.mark.requirement(
    "LOGIN-1", "LOGIN-2", "LOGIN-3", "LOGIN-6", "LOGIN-9",
    "RENEW-3", "RENEW-5", "RENEW-8", "RENEW-9", "RENEW-11",
    "EXPIRE-1", "EXPIRE-3", "EXPIRE-4", "EXPIRE-5",
    "BAN-1", "BAN-2", "BAN-3", "BAN-4", "BAN-5",
    "LOGOUT-1", "LOGOUT-2", "LOGOUT-3", "LOGOUT-4",
    "OBSERVE-1", "RESUME-1", "RESUME-2",
)  # fmt: skip
def test_every_row_of_the_table_is_lived_through_and_every_promise_kept() -> None:
    World.rows.clear()
    for batch in range(16):
        # The same lives in every run, unless the profile wants others each time.
        machine = type("Life", (Life,), {})
        lives = min(settings().max_examples, 1_000)  # a test that takes 300 seconds counts as hung
        live(seed(batch)(machine) if settings().derandomize else machine, max_examples=lives)
        if World.rows.keys() == set(LIFECYCLE):
            break
    never = [
        f"{row.source.value}: {row.event} {list(map(str, row.guards))}"
        for row in LIFECYCLE
        if not World.rows[row]
    ]
    assert never == [], "rows that no life ever took"


SEEN_BY_THE_BOOKS = (
    "who waits for a failed login waits for ever",
    "who waits for a renewal that was given up waits on",
    "an expiry is told but not stored",
    "a logout leaves the record in the store",
    "a session told to be expired is resumed as established",
    "the token in use is revoked as an orphan",
    "a renewal that is answered twice is sent twice",
    "the token in use is revoked if it comes once more with a failure",
    "a login that is undone comes back with the next process",
)


@pytest.mark.parametrize("name", SEEN_BY_THE_BOOKS)
def test_a_fault_shows_in_the_worlds_books_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the properties of single steps: each of these does harm that a caller would notice."""
    [mutant] = [mutant for mutant in MUTANTS if mutant.name == name]
    mutant.plant(monkeypatch)
    blind = seed(0)(type("BlindLife", (Life,), {"is_judged": False}))
    with pytest.raises(AssertionError):
        live(
            blind,
            # Which lives are lived depends on what else is imported: Hypothesis takes its constants from there.
            max_examples=2_000,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            print_blob=False,
        )
