"""Faults of the core, each with the proof that has to fail because of it.

The relation is read off the code, so a fault is planted in the code: those that the properties are
tried with, and some besides. Each says where it shows, so that no more of the relation than that
has to be worked out anew.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from splus_session import (
    LIFECYCLE,
    Event,
    Login,
    Logout,
    RenewalAnswered,
    RenewalDue,
    RenewalFailed,
    RenewNow,
    Revocation,
    RevocationDoubted,
    RevocationDue,
    Row,
    SecureLogout,
    SessionOpened,
    SessionState,
    TokenConfirmed,
    TokenExpired,
    TokenRejected,
    TokenRenewed,
    UserBanned,
    VerificationFailed,
)
from splus_session import _core as core
from splus_session import _rules as rules
from tests.properties import mutants
from tests.properties.mutants import Patch, bind, replace


class Fault(NamedTuple):
    """A fault, which proof fails, and where it shows: in which events, or in none of them."""

    name: str
    seen_by: str
    plant: Patch
    events: tuple[type[Event], ...]


_SEEN_BY = {mutant.plant: mutant.seen_by for mutant in mutants.MUTANTS}


def _shared(plant: Patch, *events: type[Event], seen_by: str | None = None) -> Fault:
    return Fault(plant.__name__.replace("_", " "), seen_by or _SEEN_BY[plant], plant, events)


FAULTS = [
    _shared(mutants.the_answer_to_any_login_is_taken_for_that_of_the_present_one, SessionOpened),
    _shared(mutants.a_token_that_is_dead_on_arrival_is_accepted, TokenRenewed),
    _shared(mutants.the_answer_to_an_earlier_renewal_is_accepted, RenewalFailed),
    _shared(mutants.a_renewal_that_is_answered_twice_is_sent_twice, RenewalAnswered),
    _shared(
        mutants.a_renewal_that_is_answered_twice_is_sent_twice,
        RenewalAnswered,
        seen_by="at most one renewal of a session is on the wire",
    ),
    _shared(mutants.a_renewal_is_planned_besides_the_one_in_flight, RenewNow),
    _shared(mutants.a_renewal_is_planned_at_expiry, SessionOpened),
    _shared(
        mutants.a_renewal_is_planned_at_expiry,
        seen_by="renewal is planned no later than expiry with a share up to 0.9 or a margin not below the leeway",
    ),
    _shared(mutants.the_backoff_has_no_bound, RenewalFailed),
    _shared(mutants.a_retry_after_is_believed_without_a_cap, RenewalFailed),
    _shared(mutants.a_refusal_is_tried_again_as_if_it_might_pass, RenewalFailed),
    _shared(mutants.a_handler_may_take_for_ever, RenewalDue),
    _shared(mutants.a_pause_is_forgotten_at_expiry, TokenExpired),
    _shared(mutants.a_verification_outlives_the_expiry, TokenExpired),
    _shared(mutants.a_renewal_leaves_the_verification_of_the_old_token_in_flight, TokenRenewed),
    _shared(mutants.a_renewal_in_time_is_taken_for_a_new_session, TokenRenewed),
    _shared(mutants.a_token_that_comes_late_is_renewed_at_once, TokenRenewed),
    _shared(mutants.a_respite_has_no_reason, TokenRenewed),
    _shared(mutants.a_rejection_of_an_older_token_counts, TokenRejected),
    _shared(mutants.a_verification_that_failed_expires_the_token, VerificationFailed),
    _shared(mutants.a_pause_is_as_long_as_the_clock_was_set_back),
    _shared(mutants.a_clock_that_is_set_back_revives_the_token),
    _shared(mutants.every_date_is_taken_for_the_exact_time, RenewalFailed),
    _shared(mutants.a_late_renewal_revives_a_terminated_session, TokenRenewed),
    _shared(mutants.the_token_is_kept_after_the_end, Logout),
    _shared(mutants.a_pause_is_kept_after_the_end, Logout),
    _shared(mutants.a_secure_logout_lets_the_handler_be_asked_on, SecureLogout),
    _shared(mutants.a_secure_logout_waits_for_a_renewal_without_end, SecureLogout),
    _shared(mutants.a_secure_logout_that_waited_too_long_gives_up_the_renewal, RevocationDue),
    _shared(mutants.a_secure_logout_revokes_beside_a_renewal, RevocationDue),
    _shared(mutants.a_login_is_numbered_twice, Login),
    _shared(mutants.a_ban_leaves_no_reason, UserBanned),
    _shared(mutants.a_credential_has_no_number, SessionOpened),
    _shared(mutants.numbers_begin_anew_after_a_logout, Logout),
    _shared(mutants.a_header_is_granted_for_an_expired_token),
    _shared(mutants.an_expired_session_waits_for_its_plan),
    _shared(mutants.a_timer_runs_after_the_end),
    _shared(mutants.a_verification_revives_an_expired_token, TokenConfirmed),
    _shared(mutants.a_handler_has_a_second_more, RenewalDue),
    _shared(mutants.a_grant_is_dated_ahead, RenewalAnswered),
    _shared(
        mutants.a_renewal_takes_an_old_number,
        RenewalDue,
        seen_by="a number that is out of flight never comes back",
    ),
    _shared(mutants.a_check_forgets_that_the_revocation_was_sent, RevocationDoubted),
    _shared(mutants.the_handler_is_asked_though_the_user_is_banned, UserBanned),
]


def fault(seen_by: str, *events: type[Event]) -> Callable[[Patch], Patch]:
    """Add a fault; its name is the function's."""

    def add(plant: Patch) -> Patch:
        FAULTS.append(Fault(plant.__name__.replace("_", " "), seen_by, plant, events))
        return plant

    return add


# ── States and numbers ──────────────────────────────────────────────────────────────────────────


@fault("the session is of one user and one kind", TokenRenewed)
def the_token_of_another_user_is_taken(patch: pytest.MonkeyPatch) -> None:
    def is_acceptable(s: Any, e: Any) -> bool:
        server_now = s.now + rules.learned(s.offset, e.clock, s.now)
        return bool(server_now < rules.expiry(s.config, e.credential))

    replace(patch, "is_acceptable", is_acceptable)


# ── Time ────────────────────────────────────────────────────────────────────────────────────────


@fault("no request arrives under an expired token if the leeway covers skew and latency")
def the_leeway_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "expiry", lambda config, credential: credential.expires_at or 1e12)


@fault("renewal is asked for no later than planned")
def a_renewal_is_planned_by_our_clock(patch: pytest.MonkeyPatch) -> None:
    def renewal_time(snapshot: Any) -> Any:
        if snapshot.state is SessionState.ESTABLISHED and snapshot.retry is None:
            return snapshot.renew_at or 1e12
        return kept(snapshot)

    kept = core._renewal_time
    patch.setattr(core, "_renewal_time", renewal_time)


@fault("a renewal starts when its time has come and not before", RenewalDue)
def a_renewal_starts_a_minute_early(patch: pytest.MonkeyPatch) -> None:
    kept = core._renewal_time
    patch.setattr(core, "_renewal_time", lambda snapshot: kept(snapshot) - 60)


@fault("it comes to rest", RevocationDue)
def a_revocation_that_is_sent_stays_due(patch: pytest.MonkeyPatch) -> None:
    def send_revocation(draft: Any, event: Any, out: list[Any]) -> None:
        kept(draft, event, out)
        draft.revocation = Revocation(draft.revocation.attempt, draft.revocation.deadline)

    kept = rules.send_revocation
    replace(patch, "send_revocation", send_revocation)


# ── The end ─────────────────────────────────────────────────────────────────────────────────────


@fault("after termination nothing happens until logout", RenewNow)
def a_terminated_session_can_be_told_to_renew(patch: pytest.MonkeyPatch) -> None:
    terminated = SessionState.TERMINATED
    bind(patch, (*LIFECYCLE, Row(terminated, "renew_now", terminated, True, (), ("ask_handler",))))


@fault("after termination no request is authorised and none waits")
def a_caller_waits_for_a_banned_user(patch: pytest.MonkeyPatch) -> None:
    def authorize(snapshot: Any) -> Any:
        if snapshot.state is SessionState.TERMINATED:
            return core.Waiting(snapshot.session)
        return kept(snapshot)

    kept = core.authorize
    patch.setattr(core, "authorize", authorize)
