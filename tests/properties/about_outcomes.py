"""What is true once an event was received, with all that was due before it or became due by it."""

import math

import attrs

from splus_session import (
    AnswerOverdue,
    RenewalDue,
    RenewNow,
    Resume,
    RevocationDue,
    SessionCore,
    SessionState,
    Snapshot,
    TokenExpired,
)
from splus_session._core import Denied, Granted, Waiting
from tests.properties.about_snapshots import LIVE, ROUNDING, flights
from tests.properties.about_steps import can_renew, dies_at, record_of
from tests.properties.monitors import Outcome, about_outcomes


@about_outcomes("EXPIRE-4")
def whatever_is_due_has_been_applied(outcome: Outcome) -> bool:
    due = SessionCore.of(outcome.end).deadline
    return outcome.end.now == outcome.now and (due is None or due > outcome.now)


@about_outcomes("EXPIRE-4", "RENEW-3")
def what_time_brings_comes_of_the_clock_alone(outcome: Outcome) -> bool:
    """Now that all that is due has been applied, such a fact from anybody else does nothing."""
    for forged in (TokenExpired(), RenewalDue(), AnswerOverdue(), RevocationDue()):
        core = SessionCore.of(outcome.end)
        if core.receive(forged, outcome.now) or core.snapshot != outcome.end:
            return False
    return True


@about_outcomes("CLIENT-2")
def what_was_is_left_as_it_was(outcome: Outcome) -> bool:
    """A snapshot is a value: whoever keeps one keeps what it said."""
    return hash(outcome.start) == outcome.start_hash


@about_outcomes("EXPIRE-4")
def it_comes_to_rest(outcome: Outcome) -> bool:
    """Before the event at most an expiry, a deadline and what follows from it; after it the same."""
    return len(outcome.steps) <= 8 and [taken.event for taken in outcome.steps].count(outcome.event) == 1


@about_outcomes("EXPIRE-4")
def each_step_begins_where_the_last_one_ended(outcome: Outcome) -> bool:
    ends = [taken.after for taken in outcome.steps]
    return [taken.before for taken in outcome.steps[1:]] == ends[:-1] and ends[-1] == outcome.end


@about_outcomes("EXPIRE-4")
def time_alone_changes_only_what_counts_from_our_clock(outcome: Outcome) -> bool | None:
    start, moved = outcome.start, outcome.steps[0].before
    back = moved.now - start.now
    if back >= 0:
        return attrs.evolve(start, now=moved.now) == moved
    gaps = zip(_from_now(start), _from_now(moved), strict=True)
    return _timeless(start) == _timeless(moved) and all(
        abs(after - before) <= ROUNDING for before, after in gaps
    )


def _timeless(s: Snapshot) -> Snapshot:
    """The same without anything that counts from our clock."""
    renewal, retry, revocation = s.renewal, s.retry, s.revocation
    if renewal is not None:
        renewal = attrs.evolve(renewal, deadline=None if renewal.deadline is None else 0.0, obtained_at=0.0)
    if retry is not None:
        retry = attrs.evolve(retry, at=0.0, obtained_at=0.0)
    if revocation is not None:
        revocation = attrs.evolve(revocation, deadline=0.0)
    return attrs.evolve(s, now=0.0, renewal=renewal, retry=retry, revocation=revocation)


def _from_now(s: Snapshot) -> list[float]:
    """How far away everything is that counts from our clock."""
    times = []
    if s.renewal is not None and s.renewal.deadline is not None:
        times.append(s.renewal.deadline)
    if s.renewal is not None and s.renewal.grant is not None:
        times.append(s.renewal.obtained_at)
    if s.retry is not None:
        times += [s.retry.at, s.retry.obtained_at if s.retry.grant is not None else s.now]
    if s.revocation is not None:
        times.append(s.revocation.deadline)
    return [time - s.now for time in times]


@about_outcomes("EXPIRE-2", "EXPIRE-5", "BAN-4", "LOGOUT-1", "RENEW-2")
def a_header_is_granted_exactly_for_a_live_token_of_this_session(outcome: Outcome) -> bool:
    s, answer = outcome.end, SessionCore.of(outcome.end).authorization()
    if not isinstance(answer, Granted):
        return s.state is not SessionState.ESTABLISHED
    if s.state is not SessionState.ESTABLISHED or s.credential is None:
        return False
    until = dies_at(s.config, s.credential) - s.offset
    mine = answer.credential == s.credential and answer.attempt == s.credential_attempt
    return mine and answer.until == until and s.now < until


@about_outcomes("EXPIRE-5", "RENEW-12")
def whoever_waits_waits_for_something_in_flight(outcome: Outcome) -> bool | None:
    answer = SessionCore.of(outcome.end).authorization()
    return answer.attempt in flights(outcome.end).values() if isinstance(answer, Waiting) else None


@about_outcomes("EXPIRE-5", "RENEW-9", "RENEW-12", "BAN-4")
def whoever_is_denied_is_told_why_and_until_when(outcome: Outcome) -> bool | None:
    s, answer = outcome.end, SessionCore.of(outcome.end).authorization()
    if not isinstance(answer, Denied):
        return None
    if answer.state is not s.state or answer.reason is not s.ended:
        return False
    if s.state is not SessionState.TOKEN_EXPIRED:
        return answer.retry_at is None
    if not can_renew(s, s.kind):
        return answer.failure is not None and answer.retry_at is None
    return answer.failure is not None and answer.retry_at is not None and answer.retry_at > s.now


@about_outcomes("EXPIRE-1", "RENEW-8", "RENEW-9")
def an_expired_session_that_can_be_renewed_is_on_its_way(outcome: Outcome) -> bool | None:
    s = outcome.end
    if s.state is not SessionState.TOKEN_EXPIRED or not can_renew(s, s.kind):
        return None
    return SessionCore.of(s).deadline is not None or bool(flights(s))


@about_outcomes("RENEW-9")
def asking_to_renew_renews(outcome: Outcome) -> bool | None:
    if not isinstance(outcome.event, RenewNow):
        return None
    [asked] = [taken for taken in outcome.steps if taken.event is outcome.event]
    return None if asked.dropped else outcome.end.renewal is not None


@about_outcomes("BAN-4", "LOGOUT-2", "EXPIRE-4")
def no_timer_runs_outside_a_session(outcome: Outcome) -> bool | None:
    return None if outcome.end.state in LIVE else SessionCore.of(outcome.end).deadline is None


@about_outcomes("RESUME-1", "RESUME-2")
def a_killed_process_goes_on_with_the_same_session(outcome: Outcome) -> bool | None:
    s, record = outcome.end, record_of(outcome.end)
    if record is None:
        return None
    handlers = s.session_handler or s.own_handler
    fresh = Snapshot(s.config, 0, session_handler=handlers, access_token_handler=s.access_token_handler)
    core = SessionCore.of(fresh)
    core.receive(Resume(record), s.now)
    if s.state is SessionState.TOKEN_EXPIRED and not can_renew(s, s.kind):
        return core.state is SessionState.NOT_LOGGED_IN
    again = core.snapshot
    same = (again.state, again.kind, again.user_id, again.credential) == (
        s.state,
        s.kind,
        s.user_id,
        s.credential,
    )
    return same and math.isfinite(again.now)
