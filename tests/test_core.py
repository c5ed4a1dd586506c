"""What the core promises whatever happens: pure, ordered, total, ended, and at home with any clock."""

import copy
import math
from collections.abc import Iterator
from typing import Any, cast

import attrs
import pytest

from splus_session import _core, _rules
from splus_session._commands import Announce, AskRenewal, Command, Persist, ReleaseWaiters, RunHook
from splus_session._config import Config
from splus_session._core import (
    HOOKS,
    LIFECYCLE,
    NOT_ALLOWED,
    Denied,
    Granted,
    SessionCore,
    Waiting,
    allowed_in,
    at_time,
    reason_of,
    step,
    upcoming,
)
from splus_session._credentials import MAX_TIME, Credential, SessionKind
from splus_session._errors import ChartError, InvalidArgumentError
from splus_session._events import (
    EVENTS,
    REQUESTS,
    AnswerOverdue,
    Event,
    HandlersChanged,
    Login,
    LoginFailed,
    Logout,
    RenewalAnswered,
    RenewalDue,
    RenewalFailed,
    RenewalUnable,
    RenewNow,
    RevocationDoubted,
    RevocationDue,
    SecureLogout,
    ServerClock,
    SessionOpened,
    TokenExpired,
    TokenRefuted,
    TokenRejected,
    UserBanned,
    event_name,
)
from splus_session._failures import Failure, FailureKind
from splus_session._row import Row
from splus_session._secrets import Secret
from splus_session._snapshot import Revocation, Snapshot, Step
from splus_session._states import ChangeReason, SessionState, TerminationReason
from tests.lives import AUTH_TOKEN, DAY, HOUR, START, YEAR, Life, Wanderer, credential

near: Any = pytest.approx  # it stands where a float does

# ── Whatever happens ────────────────────────────────────────────────────────────────────────────


def walk(seed: int, events: int = 400) -> Iterator[Step]:
    """Every step of a wandering session."""
    wanderer = Wanderer(seed)
    for event, now in wanderer.steps(events):
        yield from wanderer.core.receive(event, now)


@pytest.mark.parametrize("seed", range(4))
def test_a_step_writes_to_nothing_that_was_there_before(seed: int) -> None:
    wanderer = Wanderer(seed)
    for event, now in wanderer.steps(400):
        start = wanderer.core.snapshot
        kept = copy.deepcopy((start, event))
        steps = wanderer.core.receive(event, now)
        # The last step but one was written before the last: what it left must not have moved either.
        ends = copy.deepcopy([taken.after for taken in steps])
        step(wanderer.core.snapshot, event, now + 1)
        assert (start, event) == kept
        assert [taken.after for taken in steps] == ends


RANK: dict[type[Command], int] = {Persist: 0, Announce: 1, RunHook: 2}


@pytest.mark.requirement("RESUME-2", "HOOK-1")
@pytest.mark.parametrize("seed", range(12))
def test_commands_come_in_order(seed: int) -> None:
    for taken in walk(seed):
        ranks = [RANK.get(type(command), 3) for command in taken.commands]
        assert ranks == sorted(ranks), taken.commands
        assert ranks.count(0) <= 1
        assert ranks.count(1) <= 1


@pytest.mark.requirement("OBSERVE-4", "HOOK-1")
@pytest.mark.parametrize("seed", range(12, 18))
def test_exactly_the_changes_are_announced_and_the_hooks_of_the_row_run(seed: int) -> None:
    for taken in walk(seed):
        before, after = taken.before.state, taken.after.state
        changes = [command.change for command in taken.commands if isinstance(command, Announce)]
        assert [(c.previous, c.state, c.at) for c in changes] == (
            [(before, after, taken.after.now)] if before is not after else []
        )
        calls = [command.call for command in taken.commands if isinstance(command, RunHook)]
        assert tuple(call.hook for call in calls) == (taken.row.hooks if taken.row else ())
        assert {told.state for told in changes} | {call.state for call in calls} <= {after}
        told: list[Any] = [*changes, *calls]
        secrets = (Secret, Credential)
        assert not [
            part for each in told for part in attrs.astuple(each, recurse=False) if isinstance(part, secrets)
        ]


@pytest.mark.parametrize("seed", range(18, 24))
def test_a_step_is_the_row_it_names_or_nothing_at_all(seed: int) -> None:
    for taken in walk(seed):
        if taken.row is None:
            assert taken.dropped is not None
            assert taken.after is taken.before
            assert taken.commands == ()
        else:
            assert taken.dropped is None
            assert taken.row.event == event_name(taken.event)
            assert (taken.row.source, taken.row.target) == (taken.before.state, taken.after.state)


@pytest.mark.parametrize("seed", range(24, 28))
def test_a_step_is_dropped_for_a_guard_of_the_last_row_or_for_want_of_rows(seed: int) -> None:
    for taken in walk(seed):
        if taken.dropped is not None:
            candidates = [
                row
                for row in LIFECYCLE
                if row.source is taken.before.state and row.event == event_name(taken.event)
            ]
            expected = {str(guard) for guard in candidates[-1].guards} if candidates else {NOT_ALLOWED}
            assert taken.dropped in expected


def test_wandering_sessions_take_every_row() -> None:
    taken: set[Row | None] = {step.row for seed in range(40) for step in walk(seed, 500)}
    assert taken >= set(LIFECYCLE)


@pytest.mark.requirement("CLIENT-2")
def test_the_same_seed_and_events_give_the_same_session_and_another_seed_another_jitter() -> None:
    def life(seed: int) -> list[Step]:
        core = SessionCore(Config(jitter=0.5), seed=seed)
        told: list[Event] = [Login("user-1", AUTH_TOKEN), SessionOpened(credential(), 1)]
        return [taken for event in told for taken in core.receive(event, START)]

    assert life(1) == life(1)
    assert life(1)[-1].after.renew_at != life(2)[-1].after.renew_at
    assert SessionCore(seed=2**64 + 5).snapshot == SessionCore(seed=5).snapshot


@pytest.mark.requirement("CLIENT-2", "RENEW-1")
def test_the_jitter_is_that_of_knuths_generator_so_what_was_recorded_can_be_played_again() -> None:
    drawn = _rules.draft_of(Snapshot(Config(), 1))
    numbers = [_rules._random(drawn) for _ in range(3)]
    seeds = [1]
    for _ in range(3):
        seeds.append((seeds[-1] * 6364136223846793005 + 1442695040888963407) % 2**64)
    assert drawn.seed == seeds[-1]
    assert seeds[1] == 7806831264735756412  # as it is published
    assert numbers == [(seed >> 11) / 2**53 for seed in seeds[1:]]


@pytest.mark.requirement("CLIENT-2")
def test_sessions_share_their_configuration_and_nothing_else() -> None:
    config = Config(development=True)
    ours, theirs = SessionCore(config), SessionCore(config)
    before = copy.deepcopy(theirs.snapshot)
    ours.receive(Login("user-1"), START)
    assert theirs.snapshot == before
    assert ours.snapshot.config is theirs.snapshot.config


def test_a_core_of_which_nothing_is_said_has_the_ordinary_figures_and_begins_its_jitter_at_zero() -> None:
    assert SessionCore().snapshot == Snapshot(Config(), 0)


def test_a_core_is_its_snapshot_and_nothing_besides() -> None:
    core: Any = SessionCore()
    assert core.state is core.snapshot.state
    with pytest.raises(AttributeError):
        core.another = 1


def test_a_core_goes_on_from_any_snapshot_and_forks_are_free() -> None:
    life = Life().log_in()
    fork = SessionCore.of(life.snapshot)
    fork.receive(Logout(), life.now)
    assert fork.state is SessionState.NOT_LOGGED_IN
    assert life.state() is SessionState.ESTABLISHED


# ── Requests ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGIN-1", "LOGOUT-4")
def test_what_is_allowed_in_a_state_is_what_the_table_has_rows_for() -> None:
    logins = {"login", "login_with_access_token", "login_as_visitor", "login_as_bot", "resume"}
    ways_out = {"logout", "secure_logout"}
    assert {state: allowed_in(state) for state in SessionState} == {
        SessionState.NOT_LOGGED_IN: logins | ways_out,
        SessionState.ESTABLISHING: {"logout"},
        SessionState.ESTABLISHED: ways_out | {"renew_now"},
        SessionState.TOKEN_EXPIRED: ways_out | {"renew_now"},
        SessionState.TERMINATED: ways_out,
    }


@pytest.mark.requirement("LOGIN-1")
def test_a_request_that_is_not_allowed_is_dropped_with_that_word_and_others_with_their_guard() -> None:
    assert Life().drop(RenewNow()) == NOT_ALLOWED == "not_allowed"
    assert Life().drop(Login("user-1")) == "has_auth_token_or_development"
    revoking = Life().log_in()
    revoking.tell(SecureLogout())
    assert revoking.drop(RenewNow()) == "not is_revoking"


def test_every_event_is_taken_or_dropped_in_every_state_and_never_an_error() -> None:
    lives = [
        Life(),
        Life(),
        Life().log_in(),
        Life(answer_timeout=HOUR).log_in(credential(lifetime=60.0)).expire(),
        Life().log_in(),
    ]
    lives[1].tell(Login("user-1", AUTH_TOKEN))
    lives[4].tell(UserBanned())
    assert [life.state() for life in lives] == list(SessionState)
    for life in lives:
        for event, now in Wanderer(1).steps(300):
            step(life.snapshot, event, now)


# ── Time ────────────────────────────────────────────────────────────────────────────────────────

NO_TIMES = [math.nan, math.inf, -math.inf, MAX_TIME * 1.001, -MAX_TIME * 1.001, 1e300, 10**400]


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize("now", NO_TIMES, ids=repr)
def test_what_is_no_time_is_refused_and_changes_nothing(now: float) -> None:
    for life in (Life().log_in(), Life(handler=False)):
        before = life.snapshot
        for call in (
            lambda core=life.core: core.receive(Logout(), now),
            lambda core=life.core: core.advance(now),
            lambda core=life.core: step(core.snapshot, Logout(), now),
            lambda core=life.core: at_time(core.snapshot, now),
        ):
            with pytest.raises(InvalidArgumentError) as refused:
                call()
            assert str(refused.value) == f"the time must be in UTC seconds, up to the year 9999, got {now!r}"
        assert life.snapshot is before
    with pytest.raises(InvalidArgumentError):
        SessionCore().advance(now)


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize("now", [MAX_TIME, -MAX_TIME, MAX_TIME - 1, 0.0, START], ids=repr)
@pytest.mark.parametrize("lifetime", [0.0, 0.001, 1.0, 60.0, 40 * YEAR, 2 * MAX_TIME, None])
def test_time_ends_at_any_date_and_for_any_lifetime(now: float, lifetime: float | None) -> None:
    life = Life(answer_timeout=0.001, pause=0.001, backoff=0.001, wait_limit=0.001)
    issued = -MAX_TIME if lifetime == 2 * MAX_TIME else START
    life.log_in(credential(issued=issued, lifetime=lifetime))
    life.until(now)
    for _ in range(20):
        if (deadline := life.core.deadline) is None:
            break
        assert -2 * MAX_TIME <= deadline <= 2 * MAX_TIME
        if deadline > MAX_TIME:
            break
        life.until(max(life.now, deadline))


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize("jump", [1.0, HOUR, 30 * DAY, 40 * YEAR])
def test_when_the_clock_steps_back_pauses_and_deadlines_do_too_and_expiry_does_not(jump: float) -> None:
    asked = Life().log_in()
    asked.until_due()
    assert asked.snapshot.renewal is not None
    assert asked.snapshot.renewal.deadline is not None
    back = at_time(asked.snapshot, asked.now - jump)
    assert back.renewal is not None
    assert back.renewal.deadline == near(asked.snapshot.renewal.deadline - jump)
    assert back.renewal.attempt == asked.snapshot.renewal.attempt
    assert (back.credential, back.renew_at) == (asked.snapshot.credential, asked.snapshot.renew_at)

    asked.wait(60.0)
    assert asked.snapshot.retry is not None
    back = at_time(asked.snapshot, asked.now - jump)
    assert back.retry == attrs.evolve(
        asked.snapshot.retry,
        at=near(asked.snapshot.retry.at - jump),
        obtained_at=near(asked.snapshot.retry.obtained_at - jump),
    )

    asked.tell(SecureLogout())
    assert asked.snapshot.revocation is not None
    back = at_time(asked.snapshot, asked.now - jump)
    assert back.revocation == attrs.evolve(
        asked.snapshot.revocation, deadline=near(asked.snapshot.revocation.deadline - jump)
    )


@pytest.mark.requirement("EXPIRE-4", "LOGOUT-3")
def test_when_the_clock_steps_back_the_check_of_a_revocation_is_still_waited_for() -> None:
    life = Life().log_in()
    life.tell(SecureLogout())
    life.tell(RevocationDoubted(2))
    life.wait(-HOUR)
    assert life.snapshot.revocation == Revocation(2, near(life.now + 30.0), sent=True, check=3)
    life.tell(TokenRefuted(3))
    assert life.state() is SessionState.NOT_LOGGED_IN


@pytest.mark.requirement("EXPIRE-4")
def test_a_grant_gets_no_older_by_a_clock_that_steps_back_and_forth() -> None:
    life = Life().log_in()
    life.until_due()
    assert life.snapshot.renewal is not None
    life.tell(RenewalAnswered(life.snapshot.renewal.attempt, _grant()))
    life.wait(-DAY)
    life.tell(RenewalFailed(life.snapshot.renewal.attempt, Failure(FailureKind.UNREACHABLE)))
    assert life.snapshot.retry is not None
    assert life.now - life.snapshot.retry.obtained_at == 0


def _grant() -> Any:
    return Login("user-1", AUTH_TOKEN).grant


@pytest.mark.requirement("EXPIRE-4", "EXPIRE-1")
def test_an_expiry_never_unhappens() -> None:
    life = Life().log_in().expire()
    life.wait(-HOUR / 2)
    assert life.state() is SessionState.TOKEN_EXPIRED
    assert life.states.count(SessionState.TOKEN_EXPIRED) == 1


@pytest.mark.requirement("EXPIRE-4")
def test_whatever_is_due_is_applied_before_what_is_heard() -> None:
    core = Life(handler=False).log_in().core
    steps = core.receive(Logout(), START + DAY)
    assert [type(taken.event) for taken in steps] == [TokenExpired, Logout]


@pytest.mark.requirement("EXPIRE-4")
def test_of_all_that_is_due_the_earliest_comes_first() -> None:
    core = Life().log_in().core
    steps = core.advance(START + DAY)
    assert [type(taken.event) for taken in steps] == [RenewalDue, TokenExpired]
    assert all(taken.after.now == START + DAY for taken in steps)


@pytest.mark.requirement("EXPIRE-4", "RENEW-3")
@pytest.mark.parametrize("fact", [TokenExpired(), RenewalDue(), AnswerOverdue(), RevocationDue()], ids=repr)
def test_what_time_brings_nobody_else_can_bring(fact: Event) -> None:
    asked = Life().log_in()
    asked.until_due()
    waiting = Life().log_in()
    waiting.until_due()
    waiting.tell(RenewalAnswered(2, _grant()))
    waiting.tell(SecureLogout())
    for life in (Life(), Life().log_in(), asked, waiting):
        before = life.snapshot
        assert life.core.receive(fact, life.now) == []
        assert life.snapshot == before
    overdue, same = SessionCore.of(asked.snapshot), SessionCore.of(asked.snapshot)
    assert overdue.receive(fact, START + DAY) == same.advance(START + DAY) != []
    assert overdue.snapshot == same.snapshot


@pytest.mark.requirement("EXPIRE-4", "RENEW-6", "RENEW-7", "LOGOUT-4")
@pytest.mark.parametrize("second", [AnswerOverdue, RenewalDue, RevocationDue])
def test_of_what_is_due_at_the_same_time_the_expiry_comes_first(second: type[Event]) -> None:
    expiry = START + HOUR - 35
    left = expiry - (START + 2640)
    life = Life(answer_timeout=left, pause=left, wait_limit=left).log_in()
    life.until_due()
    assert life.now + left == expiry
    if second is RenewalDue:
        life.tell(RenewalUnable(2))
    elif second is RevocationDue:
        life.tell(RenewalAnswered(2, _grant()))
        life.tell(SecureLogout())
    assert [type(taken.event) for taken in life.core.advance(expiry)] == [TokenExpired, second]


@pytest.mark.requirement("EXPIRE-4")
def test_at_its_own_time_a_snapshot_is_itself_and_not_a_copy() -> None:
    life = Life().log_in()
    assert at_time(life.snapshot, life.now) is life.snapshot


@pytest.mark.requirement("EXPIRE-4")
def test_what_becomes_due_by_an_event_is_applied_with_it() -> None:
    life = Life(handler=False).log_in().expire()
    steps = life.core.receive(HandlersChanged(session_handler=True, access_token_handler=False), life.now)
    assert [type(taken.event) for taken in steps] == [HandlersChanged, RenewalDue]


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize("seed", range(30, 42))
def test_what_time_brings_is_never_dropped_and_nothing_stays_due(seed: int) -> None:
    wanderer = Wanderer(seed)
    for event, now in wanderer.steps(400):
        due = upcoming(at_time(wanderer.core.snapshot, now))
        if due is not None:
            assert step(wanderer.core.snapshot, due[1], now).dropped is None
        steps = wanderer.core.receive(event, now)
        assert len(steps) < 12
        assert [taken.event for taken in steps if taken.event is not event and taken.dropped] == []
        assert wanderer.core.deadline is None or wanderer.core.deadline > now


@pytest.mark.requirement("BAN-4", "LOGOUT-2", "LOGIN-3")
def test_no_timer_runs_where_nobody_is_logged_in() -> None:
    life, deadlines = Life(), []
    told: list[Event] = [
        Login("user-1", AUTH_TOKEN),
        LoginFailed(1, Failure(FailureKind.REFUSED)),
        Login("user-1", AUTH_TOKEN),
        SessionOpened(credential(), 2),
        UserBanned(),
        Logout(),
    ]
    for event in told:
        life.tell(event)
        deadlines.append(life.core.deadline is not None)
    assert deadlines == [False, False, False, True, False, False]


@pytest.mark.requirement("EXPIRE-4")
def test_a_token_that_never_expires_has_no_timer_and_a_rejection_ends_it() -> None:
    life = Life().log_in(credential(lifetime=None))
    assert life.core.deadline is None
    life.until(MAX_TIME)
    assert life.state() is SessionState.ESTABLISHED
    life.tell(TokenRejected(1))
    life.tell(TokenRefuted(2))
    assert life.state() is SessionState.TOKEN_EXPIRED


# ── The platform's clock ────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("EXPIRE-4")
@pytest.mark.parametrize("offset", [0.0, 90.0, -90.0, 3 * DAY, -3 * DAY, 10 * YEAR])
def test_a_token_lives_by_the_platforms_clock_which_its_answers_tell(offset: float) -> None:
    life = Life(handler=False)
    life.tell(Login("user-1", AUTH_TOKEN))
    clock = ServerClock(date=START + offset, sent_at=START)
    life.tell(SessionOpened(credential(issued=START + offset), 1, clock=clock))
    assert life.state() is SessionState.ESTABLISHED
    assert life.core.deadline == near(START + HOUR - 35, abs=1)


@pytest.mark.requirement("EXPIRE-4")
def test_the_offset_moves_as_little_as_it_has_to() -> None:
    def learned(offset: float, date: float, sent_at: float = -2.0) -> float:
        return _rules.learned(offset, ServerClock(START + date, START + sent_at), START)

    assert learned(0.0, 0.0) == 0.0  # within what a Date of whole seconds and a journey allow
    assert learned(0.0, -2.5) == 0.0
    assert learned(0.0, 10.0) == 10.0
    assert learned(0.0, -10.0) == -7.0
    assert learned(3.0, 0.0, sent_at=1.0) == 0.0  # so long a way back that one time is left
    assert learned(3.0, 0.0, sent_at=2.0) == 3.0  # the clock stepped back on the way: no bounds at all
    for nonsense in (math.nan, math.inf, -math.inf, 1e300):
        assert learned(3.0, nonsense) == 3.0
    assert _rules.learned(3.0, None, START) == 3.0
    for last in (MAX_TIME, -MAX_TIME):
        assert _rules.learned(0.0, ServerClock(last, 0.0), 0.0) == near(last, abs=1)


# ── What a caller may do now ────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("EXPIRE-5", "EXPIRE-2")
def test_a_caller_is_granted_told_to_wait_or_denied() -> None:
    life = Life(answer_timeout=HOUR)
    assert life.core.authorization() == Denied(SessionState.NOT_LOGGED_IN, None, None, None)
    life.tell(Login("user-1", AUTH_TOKEN))
    assert life.core.authorization() == Waiting(1)
    life.opened()
    assert life.core.authorization() == Granted(credential(), 1, START + HOUR - 35)
    life.until_due()
    assert isinstance(life.core.authorization(), Granted)  # while renewing ahead of time
    life.expire()
    assert life.core.authorization() == Waiting(2)
    life.wait(HOUR)
    pause = life.core.authorization()
    assert pause == Denied(SessionState.TOKEN_EXPIRED, Failure(FailureKind.NO_ANSWER), near(life.now + 600.0))
    life.tell(UserBanned())
    ended = life.core.authorization()
    assert isinstance(ended, Denied)
    assert ended.reason is not None


@pytest.mark.requirement("EXPIRE-5", "RENEW-12")
def test_a_caller_is_denied_at_once_where_nobody_can_renew() -> None:
    life = Life(handler=False).log_in().expire()
    assert life.core.authorization() == Denied(SessionState.TOKEN_EXPIRED, Failure(FailureKind.NO_HANDLER))


@pytest.mark.requirement("EXPIRE-5")
def test_a_caller_gets_an_answer_even_before_what_is_due_has_been_applied() -> None:
    life = Life().log_in()
    expired = step(life.snapshot, TokenExpired(), START + HOUR).after
    assert upcoming(expired) == (START + HOUR, RenewalDue())
    assert SessionCore.of(expired).authorization() == Denied(SessionState.TOKEN_EXPIRED)


@pytest.mark.requirement("RENEW-12")
def test_nobody_can_renew_a_session_of_no_kind() -> None:
    life = Life(tokens=True)
    assert _rules.can_renew(life.snapshot, None) is False
    assert all(_rules.can_renew(life.snapshot, kind) for kind in SessionKind)


@pytest.mark.requirement("EXPIRE-5", "LOGOUT-4")
def test_a_caller_waits_for_a_revocation_only_when_the_token_is_dead() -> None:
    life = Life(handler=False).log_in()
    life.tell(SecureLogout())
    assert isinstance(life.core.authorization(), Granted)
    life.expire()
    assert life.core.authorization() == Waiting(2)


# ── The table ───────────────────────────────────────────────────────────────────────────────────


def test_every_class_of_event_is_bound_and_every_request_among_them() -> None:
    assert set(_core._TABLE) == set(EVENTS)
    assert set(EVENTS) >= REQUESTS
    bound = [
        entry.row for by_state in _core._TABLE.values() for entries in by_state.values() for entry in entries
    ]
    assert len(bound) == len(LIFECYCLE)
    assert set(bound) == set(LIFECYCLE)


@pytest.mark.requirement("OBSERVE-4", "BAN-1", "LOGIN-9", "LOGOUT-4")
def test_every_row_that_moves_a_session_says_why() -> None:
    told = {(row.event, row.target): reason_of(row) for row in LIFECYCLE if row.target is not row.source}
    out, live, dead = SessionState.NOT_LOGGED_IN, SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED
    assert told == {
        ("login", SessionState.ESTABLISHING): ChangeReason.LOGIN,
        ("login_with_access_token", SessionState.ESTABLISHING): ChangeReason.LOGIN,
        ("login_as_visitor", SessionState.ESTABLISHING): ChangeReason.LOGIN,
        ("login_as_bot", SessionState.ESTABLISHING): ChangeReason.LOGIN,
        ("session_opened", live): ChangeReason.LOGGED_IN,
        ("session_opened", out): ChangeReason.LOGIN_FAILED,
        ("login_failed", out): ChangeReason.LOGIN_FAILED,
        ("login_cancelled", out): ChangeReason.LOGIN_CANCELLED,
        ("resume", live): ChangeReason.RESUMED,
        ("resume", dead): ChangeReason.RESUMED,
        ("token_renewed", live): ChangeReason.TOKEN_RENEWED,
        ("token_expired", dead): ChangeReason.TOKEN_EXPIRED,
        ("token_refuted", dead): ChangeReason.TOKEN_REJECTED,
        ("token_refuted", out): ChangeReason.SECURE_LOGOUT,
        ("token_revoked", out): ChangeReason.SECURE_LOGOUT,
        ("logout", out): ChangeReason.LOGOUT,
        ("secure_logout", out): ChangeReason.LOGOUT,
        ("user_banned", out): TerminationReason.GLOBAL_BAN,
        ("user_banned", SessionState.TERMINATED): TerminationReason.GLOBAL_BAN,
        ("user_deleted", out): TerminationReason.USER_DELETED,
        ("user_deleted", SessionState.TERMINATED): TerminationReason.USER_DELETED,
    }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            Row(SessionState.ESTABLISHED, "sneezed", SessionState.ESTABLISHED),
            "the chart has an event sneezed, but there is no such class",
        ),
        (
            Row(SessionState.ESTABLISHED, "logout", SessionState.ESTABLISHED, reactions=("sneeze",)),
            "the chart names sneeze, which _rules.py does not define",
        ),
        (
            Row(SessionState.ESTABLISHED, "logout", SessionState.ESTABLISHED, reactions=("_use",)),
            "the chart names _use, which _rules.py does not define",
        ),
    ],
)
def test_rows_that_name_what_nobody_defines_are_refused(row: Row, words: str) -> None:
    with pytest.raises(ChartError) as refused:
        _core._bind([row], _core._meaning)
    assert str(refused.value) == words


def test_a_copy_of_a_snapshot_has_every_field() -> None:
    life = Life(tokens=True).log_in()
    life.until_due()
    life.wait(60.0)
    life.tell(SecureLogout())
    marked = attrs.evolve(life.snapshot, verification=9, own_handler=True, ended=None)
    draft = _rules.draft_of(marked)
    assert draft == marked
    assert draft is not marked
    # In the same order: a field that were swapped with its neighbour would be equal by chance at most.
    names = [field.name for field in attrs.fields(Snapshot)]
    numbered: Any = cast("Any", Snapshot)(*range(len(names)))
    assert [getattr(_rules.draft_of(numbered), name) for name in names] == list(range(len(names)))


@pytest.mark.requirement("HOOK-1")
def test_the_hooks_are_those_that_the_chart_names() -> None:
    assert isinstance(HOOKS, frozenset)
    assert sorted(HOOKS) == ["on_ban", "on_login", "on_logout", "on_renewal"]


@pytest.mark.requirement("HOOK-1", "RESUME-2")
@pytest.mark.parametrize("stored", [True, False])
def test_hooks_run_in_their_order_after_what_is_told_and_before_the_rest(
    stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = ("on_logout", "on_ban", "on_login")
    reactions = ("end_session", "forget_record") if stored else ("end_session",)
    row = Row(
        SessionState.ESTABLISHED, "logout", SessionState.NOT_LOGGED_IN, reactions=reactions, hooks=hooks
    )
    life = Life().log_in()
    life.until_due()
    monkeypatch.setattr(_core, "_TABLE", _core._bind([row], _core._meaning))
    commands = life.tell(Logout())
    kinds = [type(command) for command in commands]
    assert kinds == [*[Persist][: int(stored)], Announce, RunHook, RunHook, RunHook, ReleaseWaiters]
    assert tuple(command.call.hook for command in commands if isinstance(command, RunHook)) == hooks


def test_a_row_without_reactions_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row(SessionState.NOT_LOGGED_IN, "logout", SessionState.TERMINATED, hooks=("on_logout",))
    monkeypatch.setattr(_core, "_TABLE", _core._bind([row], _core._meaning))
    assert [type(command) for command in SessionCore().receive(Logout(), START)[0].commands] == [
        Announce,
        RunHook,
    ]


def test_what_is_overdue_is_only_what_was_asked() -> None:
    life = Life().log_in()
    asked = life.until_due()
    assert [type(command) for command in asked] == [AskRenewal]
    due = upcoming(life.snapshot)
    assert due == (life.now + 60.0, AnswerOverdue())
