"""Faults that a core could have, each with the property that has to see it.

A check that no fault fails checks nothing. Each mutant changes one thing, as a slip of somebody who
edits the chart, the rules or the core would: a guard that forgets half of its question, a reaction
that leaves something behind, a row that leads elsewhere, a clock that is believed too much.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import attrs
import pytest

from splus_session import (
    LIFECYCLE,
    AskRenewal,
    ChangeReason,
    OpenSession,
    Renew,
    Retry,
    Revocation,
    RevokeOrphan,
    Row,
    SessionCore,
    SessionState,
    Snapshot,
    TerminationReason,
    TokenExpired,
    UserIdGrant,
)
from splus_session import _core as core
from splus_session import _rules as rules
from splus_session._events import TimeFact
from splus_session._snapshot import Renewal

Patch = Callable[[pytest.MonkeyPatch], None]


class Mutant(NamedTuple):
    """A fault, and which property sees it."""

    name: str
    seen_by: str
    plant: Patch


MUTANTS: list[Mutant] = []


def mutant(seen_by: str) -> Callable[[Patch], Patch]:
    """Add a fault to the list; its name is the function's."""

    def add(plant: Patch) -> Patch:
        MUTANTS.append(Mutant(plant.__name__.replace("_", " "), seen_by, plant))
        return plant

    return add


# ── Ways to plant one ───────────────────────────────────────────────────────────────────────────


def replace(patch: pytest.MonkeyPatch, name: str, meaning: Callable[..., Any]) -> None:
    """Give a name of the chart another meaning."""
    patch.setattr(rules, name, meaning)
    bind(patch, LIFECYCLE)


def bind(patch: pytest.MonkeyPatch, rows: tuple[Row, ...]) -> None:
    """Run on other rows, or on the same ones with other meanings."""
    patch.setattr(core, "_TABLE", core._bind(rows, core._meaning))


def change_rows(patch: pytest.MonkeyPatch, event: str, change: Callable[[Row], Row | None]) -> None:
    """Change each row of an event, or leave it out (None)."""
    changed = [change(row) if row.event == event else row for row in LIFECYCLE]
    bind(patch, tuple(row for row in changed if row is not None))


def always(*, answer: bool) -> Callable[..., bool]:
    """A guard that does not look."""
    return lambda snapshot, event: answer


def leaving(name: str, *fields: str) -> Callable[..., None]:
    """A reaction that forgets to change some fields of the snapshot."""
    reaction = getattr(rules, name)

    def forgetful(draft: Any, event: Any, out: list[Any]) -> None:
        kept = {field: getattr(draft, field) for field in fields}
        reaction(draft, event, out)
        for field, was in kept.items():
            setattr(draft, field, was)

    return forgetful


def then(name: str, **fields: object) -> Callable[..., None]:
    """A reaction that sets some fields besides."""
    reaction = getattr(rules, name)

    def eager(draft: Any, event: Any, out: list[Any]) -> None:
        reaction(draft, event, out)
        for field, value in fields.items():
            setattr(draft, field, value)

    return eager


def silent(name: str) -> Callable[..., None]:
    """A reaction that does not ask for anything."""
    reaction = getattr(rules, name)
    return lambda draft, event, out: reaction(draft, event, [])


# ── Login ───────────────────────────────────────────────────────────────────────────────────────


@mutant("a late answer changes nothing")
def the_answer_to_any_login_is_taken_for_that_of_the_present_one(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_current_login", always(answer=True))


@mutant("a login that is answered is over")
def the_present_login_is_not_recognised(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_current_login", always(answer=False))


@mutant("the session is of one user and one kind")
def an_answer_for_another_user_is_accepted(patch: pytest.MonkeyPatch) -> None:
    kept = rules.is_acceptable
    replace(patch, "is_acceptable", lambda s, e: kept(attrs.evolve(s, user_id=None), e))


@mutant("a credential is replaced by an accepted answer alone")
def a_token_that_is_dead_on_arrival_is_accepted(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_acceptable", lambda s, e: s.user_id in {None, e.credential.user_id})


@mutant("a token is used or in use or revoked")
def an_orphan_is_not_revoked(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_minted", always(answer=False))


@mutant("a token is used or in use or revoked")
def the_token_in_use_is_revoked_as_an_orphan(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_minted", lambda s, e: e.minted)


@mutant("a token is used or in use or revoked")
def a_token_that_was_presented_to_us_is_revoked(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_minted", always(answer=True))


@mutant("a token is used or in use or revoked")
def the_token_in_use_is_revoked_if_it_comes_once_more_with_a_failure(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_in_use", always(answer=False))


@mutant("a token is used or in use or revoked")
def an_orphan_is_taken_for_the_token_in_use(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_in_use", always(answer=True))


@mutant("a login that is answered is over")
def a_login_that_is_cancelled_as_it_succeeds_leaves_a_session(patch: pytest.MonkeyPatch) -> None:
    change_rows(
        patch,
        "login_cancelled",
        lambda row: row if row.source is SessionState.ESTABLISHING else None,
    )


@mutant("a late answer changes nothing")
def the_cancelling_of_an_earlier_login_ends_the_session(patch: pytest.MonkeyPatch) -> None:
    change_rows(
        patch,
        "login_cancelled",
        lambda row: row if row.source is SessionState.ESTABLISHING else row._replace(guards=()),
    )


@mutant("a token is used or in use or revoked")
def the_token_of_a_login_that_is_undone_lives_on(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "disown_credential", lambda draft, event, out: None)


@mutant("a token is used or in use or revoked")
def a_token_that_was_presented_is_revoked_with_its_login(patch: pytest.MonkeyPatch) -> None:
    def disown_credential(draft: Any, event: Any, out: list[Any]) -> None:
        out.append(RevokeOrphan(draft.credential))

    replace(patch, "disown_credential", disown_credential)


@mutant("what has to be stored is stored")
def a_login_that_is_undone_comes_back_with_the_next_process(patch: pytest.MonkeyPatch) -> None:
    change_rows(
        patch,
        "login_cancelled",
        lambda row: row._replace(reactions=tuple(n for n in row.reactions if n != "forget_record")),
    )


@mutant("what ends releases its waiters exactly once")
def who_waits_for_a_failed_login_waits_for_ever(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "fail_login", silent("fail_login"))


@mutant("a login starts with what it needs and not without")
def production_takes_a_user_id_alone(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "has_auth_token_or_development", always(answer=True))


@mutant("a token that is shown to the platform is alive or the one to be judged")
def a_dead_token_is_presented_at_login(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "presents_live_token", always(answer=True))


@mutant("a stored session is resumed as it was stored")
def a_session_told_to_be_expired_is_resumed_as_established(patch: pytest.MonkeyPatch) -> None:
    kept = rules.record_is_live
    replace(patch, "record_is_live", lambda s, e: kept(s, attrs.evolve(e, record=_unexpired(e.record))))


def _unexpired(record: Any) -> Any:
    return attrs.evolve(record, expired=False)


@mutant("a login is alone in flight")
def a_login_is_numbered_twice(patch: pytest.MonkeyPatch) -> None:
    def start_login(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        draft.attempt += 1

    kept = rules.start_login
    replace(patch, "start_login", start_login)


@mutant("a session began before its credential came")
def a_credential_has_no_number(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "adopt_credential", leaving("adopt_credential", "credential_attempt"))


@mutant("a login is refused where there is a session or a login")
def a_login_ends_the_session_before_it(patch: pytest.MonkeyPatch) -> None:
    besides = [
        row._replace(source=SessionState.ESTABLISHED) for row in LIFECYCLE if row.event.startswith("login_as")
    ]
    bind(patch, (*LIFECYCLE, *besides))


@mutant("states change along the documented arrows only")
def a_ban_terminates_a_session_that_there_is_not_yet(patch: pytest.MonkeyPatch) -> None:
    change_rows(
        patch,
        "user_banned",
        lambda row: row._replace(target=SessionState.TERMINATED),
    )


@mutant("only a login presents a grant at login")
def a_renewal_is_repeated_as_a_login(patch: pytest.MonkeyPatch) -> None:
    def resend_grant(draft: Any, event: Any, out: list[Any]) -> None:
        grant = draft.retry.grant
        kept(draft, event, [])
        out.append(OpenSession(draft.attempt, grant))

    kept = rules.resend_grant
    replace(patch, "resend_grant", resend_grant)


@mutant("a killed process goes on with the same session")
def an_expired_session_is_not_resumed(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "record_is_renewable", always(answer=False))


# ── Renewal ─────────────────────────────────────────────────────────────────────────────────────


@mutant("a late answer changes nothing")
def the_answer_to_an_earlier_renewal_is_accepted(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_current_renewal", lambda s, e: s.renewal is not None and s.renewal.grant is not None)


@mutant("at most one renewal starts and only while none is in flight")
def a_renewal_that_is_answered_twice_is_sent_twice(patch: pytest.MonkeyPatch) -> None:
    replace(
        patch,
        "is_current_ask",
        lambda s, e: s.renewal is not None and s.renewal.attempt == e.attempt,
    )


@mutant("at most one renewal starts and only while none is in flight")
def asking_to_renew_starts_a_second_renewal(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "end_pause", rules.ask_handler)


@mutant("a renewal is in flight or comes later but not both")
def a_renewal_is_planned_besides_the_one_in_flight(patch: pytest.MonkeyPatch) -> None:
    def end_pause(draft: Any, event: Any, out: list[Any]) -> None:
        draft.retry = Retry(draft.now, 0)

    replace(patch, "end_pause", end_pause)


@mutant("a renewal starts when its time has come and not before")
def a_renewal_starts_during_a_secure_logout(patch: pytest.MonkeyPatch) -> None:
    kept = core.upcoming

    def upcoming(snapshot: Snapshot) -> Any:
        revocation = snapshot.revocation
        started = revocation is not None and revocation.sent
        return kept(attrs.evolve(snapshot, revocation=None) if started else snapshot)

    patch.setattr(core, "upcoming", upcoming)


@mutant("renewal is planned early by the jitter and never late")
def a_renewal_is_planned_at_expiry(patch: pytest.MonkeyPatch) -> None:
    kept = rules._use

    def use(draft: Any, credential: Any, attempt: int) -> None:
        kept(draft, credential, attempt)
        draft.renew_at = credential.expires_at

    patch.setattr(rules, "_use", use)


@mutant("a renewal that may get better is repeated within the backoff")
def the_backoff_has_no_bound(patch: pytest.MonkeyPatch) -> None:
    def back_off(draft: Any, event: Any, out: list[Any]) -> None:
        wait = draft.config.backoff * 2.0 ** min(draft.renewal.failures, 64)
        rules._try_later(draft, wait, event.failure, out, keep_grant=True)

    replace(patch, "back_off", back_off)


@mutant("no pause is longer than the longest")
def a_retry_after_is_believed_without_a_cap(patch: pytest.MonkeyPatch) -> None:
    def back_off(draft: Any, event: Any, out: list[Any]) -> None:
        wait = max(0.0, event.failure.retry_after or 0.0)
        rules._try_later(draft, wait, event.failure, out, keep_grant=True)

    replace(patch, "back_off", back_off)


@mutant("a renewal that will not get better pauses the asking")
def a_refusal_is_tried_again_as_if_it_might_pass(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_retryable", always(answer=True))


@mutant("a renewal presents what is still young or asks or does without")
def an_old_auth_token_is_presented_again(patch: pytest.MonkeyPatch) -> None:
    replace(
        patch,
        "has_grant_to_resend",
        lambda s, e: s.retry is not None and s.retry.grant is not None,
    )


@mutant("a handler has a deadline exactly while it is asked")
def a_handler_may_take_for_ever(patch: pytest.MonkeyPatch) -> None:
    def ask_handler(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        draft.renewal = attrs.evolve(draft.renewal, deadline=None)

    kept = rules.ask_handler
    replace(patch, "ask_handler", ask_handler)


@mutant("expiry lets a renewal go on and a pause last")
def a_pause_is_forgotten_at_expiry(patch: pytest.MonkeyPatch) -> None:
    def end_verification(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        if draft.state is SessionState.TOKEN_EXPIRED:
            draft.retry = None

    kept = rules.end_verification
    replace(patch, "end_verification", end_verification)


@mutant("only an established session verifies")
def a_verification_outlives_the_expiry(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "end_verification", lambda draft, event, out: None)


@mutant("numbers rise in the order in which attempts may start")
def a_renewal_leaves_the_verification_of_the_old_token_in_flight(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "replace_credential", leaving("replace_credential", "verification"))


@mutant("what ends releases its waiters exactly once")
def who_waits_for_a_renewal_is_not_told(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "replace_credential", silent("replace_credential"))


@mutant("a credential is replaced by an accepted answer alone")
def a_renewal_in_time_is_taken_for_a_new_session(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "replace_credential", then("replace_credential", own_handler=False))


@mutant("asking to renew ends a pause and disturbs nothing in flight")
def asking_to_renew_forgets_what_was_to_be_presented_again(patch: pytest.MonkeyPatch) -> None:
    def end_pause(draft: Any, event: Any, out: list[Any]) -> None:
        if draft.renewal is None:
            draft.retry = Retry(draft.now, 0)

    replace(patch, "end_pause", end_pause)


@mutant("a renewed token is renewed as planned or after a respite if it came late")
def a_token_that_comes_late_is_renewed_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "_respite", lambda draft, credential: None)


@mutant("no pause is longer than the longest")
def a_respite_is_as_long_as_the_token_likes(patch: pytest.MonkeyPatch) -> None:
    def respite(draft: Any, credential: Any) -> Retry | None:
        given = kept(draft, credential)
        if given is None:
            return None
        left = rules.expiry(draft.config, credential) - draft.offset - draft.now
        return attrs.evolve(given, at=draft.now + max(left / 2, draft.config.backoff))

    kept = rules._respite
    patch.setattr(rules, "_respite", respite)


@mutant("a renewal that somebody asked for is due at once")
def a_respite_has_no_reason(patch: pytest.MonkeyPatch) -> None:
    def respite(draft: Any, credential: Any) -> Retry | None:
        given = kept(draft, credential)
        return None if given is None else attrs.evolve(given, failure=None)

    kept = rules._respite
    patch.setattr(rules, "_respite", respite)


@mutant("what starts has a number that was never given out")
def a_renewal_takes_an_old_number(patch: pytest.MonkeyPatch) -> None:
    def ask_handler(draft: Any, event: Any, out: list[Any]) -> None:
        deadline = draft.now + draft.config.answer_timeout
        draft.renewal, draft.retry = Renewal(draft.attempt, 0, deadline), None
        out.append(AskRenewal(draft.attempt))

    replace(patch, "ask_handler", ask_handler)


@mutant("a renewal in flight was asked of somebody")
def the_handler_is_to_answer_and_was_not_asked(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "ask_handler", silent("ask_handler"))


@mutant("a handler never has longer than the deadline")
def a_handler_has_a_second_more(patch: pytest.MonkeyPatch) -> None:
    def ask_handler(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        draft.renewal = Renewal(draft.attempt, 0, draft.now + draft.config.answer_timeout + 1)

    kept = rules.ask_handler
    replace(patch, "ask_handler", ask_handler)


@mutant("what the handler answers is presented")
def a_user_id_is_presented_whatever_the_handler_answered(patch: pytest.MonkeyPatch) -> None:
    def send_renewal(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, [])
        out.append(Renew(draft.renewal.attempt, UserIdGrant(draft.user_id)))

    kept = rules.send_renewal
    replace(patch, "send_renewal", send_renewal)


@mutant("nothing was obtained in the future")
def a_grant_is_dated_ahead(patch: pytest.MonkeyPatch) -> None:
    def send_renewal(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        draft.renewal = Renewal(draft.renewal.attempt, 0, None, event.grant, draft.now + 1)

    kept = rules.send_renewal
    replace(patch, "send_renewal", send_renewal)


@mutant("waiters hear of success exactly where there is one")
def who_waits_for_a_renewal_that_failed_hears_of_success(patch: pytest.MonkeyPatch) -> None:
    def end_renewal(draft: Any, renewal: Any, failure: Any, out: list[Any]) -> None:
        kept(draft, renewal, cast("Any", None), out)

    kept = rules._end_renewal
    patch.setattr(rules, "_end_renewal", end_renewal)


@mutant("asking to renew renews")
def asking_to_renew_plans_it_for_later(patch: pytest.MonkeyPatch) -> None:
    def end_pause(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        if draft.renewal is None:
            draft.retry = attrs.evolve(draft.retry, at=draft.now + 1)

    kept = rules.end_pause
    replace(patch, "end_pause", end_pause)


@mutant("the clients handlers stay until the client changes them")
def the_clients_handler_is_forgotten_with_the_user(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "end_session", then("end_session", session_handler=False))


@mutant("an expired session that can be renewed is on its way")
def an_expired_session_waits_for_its_plan(patch: pytest.MonkeyPatch) -> None:
    def renewal_time(snapshot: Any) -> Any:
        if snapshot.state is SessionState.TOKEN_EXPIRED and snapshot.retry is None:
            return float("inf")
        return kept(snapshot)

    kept = core._renewal_time
    patch.setattr(core, "_renewal_time", renewal_time)


# ── Expiry, rejection, clocks ───────────────────────────────────────────────────────────────────


@mutant("what has to be stored is stored")
def an_expiry_is_told_but_not_stored(patch: pytest.MonkeyPatch) -> None:
    change_rows(patch, "token_expired", lambda row: row._replace(reactions=("end_verification",)))


@mutant("it is stored then told then acted upon")
def it_is_told_before_it_is_stored(patch: pytest.MonkeyPatch) -> None:
    def store_record(draft: Any, event: Any, out: list[Any]) -> None:
        stored: list[Any] = []
        kept(draft, event, stored)
        out.extend(stored)

    kept = rules.store_record
    replace(patch, "store_record", store_record)


@mutant("a rejection is verified once and only if nothing else will tell")
def every_rejection_is_verified(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_busy", always(answer=False))


@mutant("a late answer changes nothing")
def a_rejection_of_an_older_token_counts(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_current_credential", always(answer=True))


@mutant("a token is expired by time or by a verification alone")
def a_verification_that_failed_expires_the_token(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(core._REASONS, "verification_failed", ChangeReason.TOKEN_REJECTED)
    change_rows(
        patch,
        "verification_failed",
        lambda row: row._replace(target=SessionState.TOKEN_EXPIRED),
    )


@mutant("time alone changes only what counts from our clock")
def a_pause_is_as_long_as_the_clock_was_set_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(core, "_step_back", lambda moved, back: None)


@mutant("time alone changes only what counts from our clock")
def a_clock_that_is_set_back_revives_the_token(patch: pytest.MonkeyPatch) -> None:
    def step_back(moved: Any, back: float) -> None:
        kept(moved, back)
        if moved.state is SessionState.TOKEN_EXPIRED:
            moved.state = SessionState.ESTABLISHED

    kept = core._step_back
    patch.setattr(core, "_step_back", step_back)


@mutant("time alone changes only what counts from our clock")
def a_clock_that_is_set_back_forgets_the_check_of_a_revocation(patch: pytest.MonkeyPatch) -> None:
    def step_back(moved: Any, back: float) -> None:
        kept(moved, back)
        if moved.revocation is not None:
            moved.revocation = attrs.evolve(moved.revocation, check=None)

    kept = core._step_back
    patch.setattr(core, "_step_back", step_back)


@mutant("the platforms clock is learned from answers and no further than needed")
def every_date_is_taken_for_the_exact_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "learned", lambda offset, clock, now: offset if clock is None else clock.date - now)


@mutant("whatever is due has been applied")
def an_event_is_applied_although_something_is_due(patch: pytest.MonkeyPatch) -> None:
    def receive(self: SessionCore, event: Any, now: float) -> list[Any]:
        taken = core.step(self.snapshot, event, now)
        self.snapshot = taken.after
        return [taken]

    patch.setattr(SessionCore, "receive", receive)


@mutant("what time brings comes of the clock alone")
def what_time_brings_is_believed_of_anybody(patch: pytest.MonkeyPatch) -> None:
    def receive(self: SessionCore, event: Any, now: float) -> list[Any]:
        steps = self.advance(now)
        taken = core.step(self.snapshot, event, now)
        self.snapshot = taken.after
        return [*steps, taken, *self.advance(now)]

    patch.setattr(SessionCore, "receive", receive)


@mutant("what was is left as it was")
def a_step_writes_to_what_the_snapshot_before_it_holds(patch: pytest.MonkeyPatch) -> None:
    def end_pause(draft: Any, event: Any, out: list[Any]) -> None:
        if draft.retry is None:
            kept(draft, event, out)
        else:
            draft.retry.at = draft.now

    kept = rules.end_pause
    replace(patch, "end_pause", end_pause)


@mutant("observers are told exactly when the state changes")
def a_session_expires_and_nobody_is_told(patch: pytest.MonkeyPatch) -> None:
    def tell(row: Row, changes: bool, *rest: Any) -> None:
        kept(row, changes and row.event != "token_expired", *rest)

    kept = core._tell
    patch.setattr(core, "_tell", tell)


@mutant("expiry is undone by a renewal alone")
def a_verification_revives_an_expired_token(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(core._REASONS, "token_confirmed", ChangeReason.TOKEN_RENEWED)
    change_rows(
        patch,
        "token_confirmed",
        lambda row: row._replace(target=SessionState.ESTABLISHED, internal=False),
    )


@mutant("a verification believes the platform and nothing less")
def a_token_that_is_found_dead_is_used_on(patch: pytest.MonkeyPatch) -> None:
    def change(row: Row) -> Row:
        if row.target is not SessionState.TOKEN_EXPIRED:
            return row
        return row._replace(target=row.source, reactions=("end_verification",))

    change_rows(patch, "token_refuted", change)


@mutant("a header is granted exactly for a live token of this session")
def a_header_is_granted_for_an_expired_token(patch: pytest.MonkeyPatch) -> None:
    def authorize(snapshot: Any) -> Any:
        if snapshot.state is SessionState.TOKEN_EXPIRED:
            return core.Granted(snapshot.credential, snapshot.credential_attempt, 0.0)
        return kept(snapshot)

    kept = core.authorize
    patch.setattr(core, "authorize", authorize)


@mutant("whoever waits waits for something in flight")
def whoever_needs_a_header_during_a_pause_waits_for_its_end(patch: pytest.MonkeyPatch) -> None:
    def authorize(snapshot: Snapshot) -> Any:
        if snapshot.state is SessionState.TOKEN_EXPIRED and snapshot.retry is not None:
            return core.Waiting(snapshot.attempt)
        return kept(snapshot)

    kept = core.authorize
    patch.setattr(core, "authorize", authorize)


@mutant("whoever is denied is told why and until when")
def whoever_needs_a_header_during_a_pause_is_not_told_for_how_long(patch: pytest.MonkeyPatch) -> None:
    def authorize(snapshot: Snapshot) -> Any:
        verdict = kept(snapshot)
        if isinstance(verdict, core.Denied) and verdict.retry_at is not None:
            return core.Denied(verdict.state, verdict.failure)
        return verdict

    kept = core.authorize
    patch.setattr(core, "authorize", authorize)


@mutant("time is known once anything happened")
def the_time_is_forgotten_with_the_user(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "end_session", then("end_session", now=-math.inf))


@mutant("a dropped step changes nothing")
def what_is_refused_takes_a_number(patch: pytest.MonkeyPatch) -> None:
    def step(snapshot: Snapshot, event: Any, now: float) -> Any:
        taken = kept(snapshot, event, now)
        if taken.dropped is None:
            return taken
        return attrs.evolve(taken, after=attrs.evolve(taken.after, attempt=taken.after.attempt + 1))

    kept = core.step
    patch.setattr(core, "step", step)


@mutant("it comes to rest")
def an_event_is_heard_twice(patch: pytest.MonkeyPatch) -> None:
    kept = SessionCore.receive
    patch.setattr(
        SessionCore, "receive", lambda self, event, now: [*kept(self, event, now), *kept(self, event, now)]
    )


@mutant("each step begins where the last one ended")
def an_event_comes_to_the_session_as_it_was_before_what_was_due(patch: pytest.MonkeyPatch) -> None:
    def receive(self: SessionCore, event: Any, now: float) -> list[Any]:
        before = self.snapshot
        steps = self.advance(now)
        if isinstance(event, TimeFact):
            return steps
        taken = core.step(before, event, now)
        self.snapshot = taken.after
        return [*steps, taken, *self.advance(now)]

    patch.setattr(SessionCore, "receive", receive)


# ── Ban and deletion ────────────────────────────────────────────────────────────────────────────


@mutant("a ban of somebody else or of an earlier session is dropped")
def a_ban_of_an_earlier_session_is_taken_for_one_of_this(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "concerns_this_session", lambda s, e: e.user_id in {None, s.user_id})


@mutant("a ban of somebody else or of an earlier session is dropped")
def somebody_elses_ban_terminates(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "concerns_this_session", lambda s, e: e.attempt is None or e.attempt >= s.session)


@mutant("a ban of this user is never lost")
def a_ban_during_login_is_lost(patch: pytest.MonkeyPatch) -> None:
    change_rows(
        patch,
        "user_banned",
        lambda row: None if row.source is SessionState.ESTABLISHING else row,
    )


@mutant("terminated is left by logout alone")
def a_late_renewal_revives_a_terminated_session(patch: pytest.MonkeyPatch) -> None:
    revived = Row(SessionState.TERMINATED, "token_renewed", SessionState.ESTABLISHED)
    bind(patch, (revived, *LIFECYCLE))


@mutant("a credential is held exactly while established or expired")
def the_token_is_kept_after_the_end(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "end_session", leaving("end_session", "credential"))


@mutant("nothing of a user is left outside a session")
def a_pause_is_kept_after_the_end(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "end_session", leaving("end_session", "retry"))


@mutant("a session has an ending exactly when terminated")
def a_ban_leaves_no_reason(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "end_session", then("end_session", ended=None))


@mutant("only a ban or deletion of this user terminates")
def a_refused_renewal_terminates(patch: pytest.MonkeyPatch) -> None:
    def change(row: Row) -> Row:
        if "pause_asking" not in row.reactions:
            return row
        return row._replace(target=SessionState.TERMINATED, reactions=("end_session", "forget_record"))

    patch.setitem(core._REASONS, "renewal_failed", TerminationReason.GLOBAL_BAN)
    change_rows(patch, "renewal_failed", change)


@mutant("nobody is asked outside a session")
def the_handler_is_asked_though_the_user_is_banned(patch: pytest.MonkeyPatch) -> None:
    def end_session(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        out.append(AskRenewal(draft.attempt))

    kept = rules.end_session
    replace(patch, "end_session", end_session)


@mutant("no timer runs outside a session")
def a_timer_runs_after_the_end(patch: pytest.MonkeyPatch) -> None:
    kept = core.upcoming
    patch.setattr(
        core,
        "upcoming",
        lambda s: (s.now + 1, TokenExpired()) if s.state is SessionState.TERMINATED else kept(s),
    )


# ── Logout ──────────────────────────────────────────────────────────────────────────────────────


@mutant("a session is logged out by logout a proven revocation or its login undone alone")
def a_secure_logout_logs_out_although_the_revocation_failed(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(core._REASONS, "revocation_failed", ChangeReason.SECURE_LOGOUT)
    change_rows(
        patch,
        "revocation_failed",
        lambda row: row._replace(
            target=SessionState.NOT_LOGGED_IN, reactions=("end_session", "forget_record")
        ),
    )


@mutant("a session is logged out by logout a proven revocation or its login undone alone")
def a_401_to_a_revocation_is_believed_unchecked(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(core._REASONS, "revocation_doubted", ChangeReason.SECURE_LOGOUT)
    change_rows(
        patch,
        "revocation_doubted",
        lambda row: row._replace(
            target=SessionState.NOT_LOGGED_IN, reactions=("end_session", "forget_record")
        ),
    )


@mutant("a secure logout starts once or has nothing to revoke")
def a_second_secure_logout_begins_anew(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_revoking", always(answer=False))


@mutant("a secure logout waits for a renewal that was sent and no other")
def a_secure_logout_lets_the_handler_be_asked_on(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "start_revocation", leaving("start_revocation", "renewal"))


@mutant("a secure logout never waits longer than the limit")
def a_secure_logout_waits_for_a_renewal_without_end(patch: pytest.MonkeyPatch) -> None:
    def start_revocation(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        draft.revocation = Revocation(draft.attempt, draft.now + 1e9)

    kept = rules.start_revocation
    replace(patch, "start_revocation", start_revocation)


@mutant("a renewal that was sent ends by its answer or with the session alone")
def a_secure_logout_that_waited_too_long_gives_up_the_renewal(patch: pytest.MonkeyPatch) -> None:
    def send_revocation(draft: Any, event: Any, out: list[Any]) -> None:
        if draft.renewal is not None:
            rules._end_renewal(draft, draft.renewal, rules._SUPERSEDED, out)
        kept(draft, event, out)

    kept = rules.send_revocation
    patch.setattr(rules, "send_revocation", send_revocation)
    change_rows(patch, "revocation_due", lambda row: None if row.guards else row)


@mutant("a secure logout waits for a renewal that was sent and no other")
def a_secure_logout_revokes_beside_a_renewal(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_renewing", always(answer=False))


@mutant("a revocation is sent once when nothing holds it up")
def a_secure_logout_waits_for_a_renewal_and_gives_up_all_the_same(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "is_renewing", always(answer=True))


@mutant("what ends releases its waiters exactly once")
def who_waits_for_a_renewal_that_was_given_up_waits_on(patch: pytest.MonkeyPatch) -> None:
    def end_renewal(draft: Any, renewal: Any, failure: Any, out: list[Any]) -> None:
        draft.renewal = None

    patch.setattr(rules, "_end_renewal", end_renewal)


@mutant("a revocation that failed leaves the session as it was")
def a_failed_revocation_ends_the_pause(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "abandon_revocation", then("abandon_revocation", retry=None))


@mutant("what has to be stored is stored")
def a_logout_leaves_the_record_in_the_store(patch: pytest.MonkeyPatch) -> None:
    change_rows(patch, "logout", lambda row: row._replace(reactions=row.reactions[:-1]))


@mutant("hooks run once at their occasion")
def a_logout_runs_no_hook(patch: pytest.MonkeyPatch) -> None:
    change_rows(patch, "logout", lambda row: row._replace(hooks=()))


@mutant("logout works from everywhere")
def a_login_under_way_cannot_be_logged_out(patch: pytest.MonkeyPatch) -> None:
    change_rows(
        patch,
        "logout",
        lambda row: None if row.source is SessionState.ESTABLISHING else row,
    )


@mutant("the figures and the time are not the rules to change")
def numbers_begin_anew_after_a_logout(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "end_session", then("end_session", attempt=0, session=0))


@mutant("a verification starts for a rejection or a doubt alone")
def a_revocation_that_was_lost_is_verified_like_one_that_is_doubted(patch: pytest.MonkeyPatch) -> None:
    change_rows(patch, "revocation_failed", lambda row: row._replace(reactions=("check_revocation",)))


@mutant("a doubted revocation is checked by one verification")
def a_doubted_revocation_waits_for_an_answer_that_nobody_is_asked_for(patch: pytest.MonkeyPatch) -> None:
    replace(patch, "check_revocation", silent("check_revocation"))


@mutant("only a revocation that was sent is checked")
def a_check_forgets_that_the_revocation_was_sent(patch: pytest.MonkeyPatch) -> None:
    def check_revocation(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        draft.revocation = Revocation(
            draft.revocation.attempt, draft.revocation.deadline, sent=False, check=draft.attempt
        )

    kept = rules.check_revocation
    replace(patch, "check_revocation", check_revocation)


@mutant("a revocation that is proven logs out")
def a_check_is_known_by_the_number_of_its_revocation(patch: pytest.MonkeyPatch) -> None:
    replace(
        patch,
        "is_revocation_check",
        lambda s, e: s.revocation is not None and s.revocation.attempt == e.attempt,
    )
