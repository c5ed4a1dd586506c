"""The invariant: what is true of every session at every time, as named sentences.

It is inductive: whatever satisfies it goes on to satisfy it, whichever event comes. So it holds of
all sessions, however long they live, and not only of those that some test led somewhere.
"""

import math

from splus_session import SessionKind, SessionState, Snapshot
from tests.properties.monitors import about_snapshots

LIVE = {SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED}
IN_SESSION = LIVE | {SessionState.ESTABLISHING}
NAMELESS = {SessionKind.VISITOR, SessionKind.SIGNED_VISITOR, SessionKind.BOT}
ROUNDING = 1e-3
"""Seconds. Floats of today's size resolve a quarter of a microsecond, those of the year 9999 some 30."""


def flights(snapshot: Snapshot) -> dict[str, int]:
    """The numbers of what is in flight and can be waited for."""
    found = {}
    if snapshot.state is SessionState.ESTABLISHING:
        found["login"] = snapshot.session
    if snapshot.renewal is not None:
        found["renewal"] = snapshot.renewal.attempt
    if snapshot.verification is not None:
        found["verification"] = snapshot.verification
    if snapshot.revocation is not None:
        found["revocation"] = snapshot.revocation.attempt
    return found


# ── What belongs to which state ─────────────────────────────────────────────────────────────────


@about_snapshots("LOGIN-2", "LOGIN-3", "LOGOUT-2", "BAN-4")
def a_credential_is_held_exactly_while_established_or_expired(s: Snapshot) -> bool:
    return (s.credential is not None) == (s.state in LIVE) == (s.credential_attempt > 0)


@about_snapshots("LOGOUT-2", "BAN-4", "LOGIN-3")
def nothing_of_a_user_is_left_outside_a_session(s: Snapshot) -> bool | None:
    if s.state in IN_SESSION:
        return None
    of_the_user = (
        s.kind,
        s.user_id,
        s.credential,
        s.renew_at,
        s.renewal,
        s.retry,
        s.verification,
        s.revocation,
    )
    return all(part is None for part in of_the_user) and not s.own_handler


@about_snapshots("LOGIN-2", "LOGIN-3", "LOGIN-8")
def the_session_is_of_one_user_and_one_kind(s: Snapshot) -> bool | None:
    if s.state is SessionState.ESTABLISHING:
        return s.kind is not None and (s.user_id is None) == (s.kind in NAMELESS)
    if s.credential is not None:
        return s.kind is not None and s.user_id == s.credential.user_id
    return None


@about_snapshots("RENEW-3", "EXPIRE-3", "LOGIN-3", "LOGIN-9")
def a_login_is_alone_in_flight(s: Snapshot) -> bool | None:
    if s.state is not SessionState.ESTABLISHING:
        return None
    return flights(s) == {"login": s.attempt} and s.retry is None and s.renew_at is None


@about_snapshots("EXPIRE-3")
def only_an_established_session_verifies(s: Snapshot) -> bool | None:
    return None if s.verification is None else s.state is SessionState.ESTABLISHED


@about_snapshots("BAN-1")
def a_session_has_an_ending_exactly_when_terminated(s: Snapshot) -> bool:
    return (s.ended is not None) == (s.state is SessionState.TERMINATED)


@about_snapshots("EXPIRE-4")
def time_is_known_once_anything_happened(s: Snapshot) -> bool | None:
    if math.isfinite(s.now):
        return None
    return s.state is SessionState.NOT_LOGGED_IN and s.attempt == 0


# ── Numbers of attempts ─────────────────────────────────────────────────────────────────────────


@about_snapshots("LOGIN-6", "RENEW-11", "EXPIRE-3")
def numbers_rise_in_the_order_in_which_attempts_may_start(s: Snapshot) -> bool:
    """Also: no two things in flight have the same number, none a number that was never given out."""
    given = [s.verification]
    given.append(None if s.renewal is None else s.renewal.attempt)
    given.append(None if s.revocation is None else s.revocation.attempt)
    given.append(None if s.revocation is None else s.revocation.check)
    last = s.credential_attempt if s.state in LIVE else s.session
    for number in given:
        if number is not None:
            if number <= last:
                return False
            last = number
    return last <= s.attempt


@about_snapshots("LOGIN-6", "BAN-3")
def a_session_began_before_its_credential_came(s: Snapshot) -> bool | None:
    if s.state not in IN_SESSION:
        return 0 <= s.session <= s.attempt
    return s.session >= 1 and (s.credential is None or s.session <= s.credential_attempt)


# ── Renewal ─────────────────────────────────────────────────────────────────────────────────────


@about_snapshots("RENEW-3", "RENEW-7")
def a_renewal_is_in_flight_or_comes_later_but_not_both(s: Snapshot) -> bool | None:
    return None if s.renewal is None else s.retry is None


@about_snapshots("RENEW-6")
def a_handler_has_a_deadline_exactly_while_it_is_asked(s: Snapshot) -> bool | None:
    if s.renewal is None:
        return None
    return (s.renewal.deadline is None) == (s.renewal.grant is not None)


@about_snapshots("RENEW-6", "EXPIRE-4")
def a_handler_never_has_longer_than_the_deadline(s: Snapshot) -> bool | None:
    if s.renewal is None or s.renewal.deadline is None:
        return None
    return s.renewal.deadline <= s.now + s.config.answer_timeout + ROUNDING


@about_snapshots("RENEW-7", "EXPIRE-4")
def no_pause_is_longer_than_the_longest(s: Snapshot) -> bool | None:
    return None if s.retry is None else s.retry.at <= s.now + s.config.pause + ROUNDING


@about_snapshots("RENEW-9")
def a_renewal_that_somebody_asked_for_is_due_at_once(s: Snapshot) -> bool | None:
    return None if s.retry is None or s.retry.failure is not None else s.retry.at <= s.now + ROUNDING


@about_snapshots("RENEW-7", "EXPIRE-4")
def nothing_was_obtained_in_the_future(s: Snapshot) -> bool | None:
    for held in (s.renewal, s.retry):
        if held is not None and held.grant is not None:
            return held.obtained_at <= s.now + ROUNDING
    return None


@about_snapshots("RENEW-1")
def renewal_is_planned_early_by_the_jitter_and_never_late(s: Snapshot) -> bool | None:
    credential = s.credential
    if credential is None:
        return None
    if credential.expires_at is None:
        return s.renew_at is None
    lifetime = credential.expires_at - credential.issued_at
    window = s.config.renewal_share * (lifetime - min(s.config.margin, lifetime / 10))
    latest = credential.issued_at + window
    if s.renew_at is None:
        return False
    return latest - s.config.jitter * window - ROUNDING <= s.renew_at <= latest + ROUNDING


# ── Secure logout ───────────────────────────────────────────────────────────────────────────────


@about_snapshots("LOGOUT-4")
def a_secure_logout_waits_for_a_renewal_that_was_sent_and_no_other(s: Snapshot) -> bool | None:
    if s.revocation is None or s.renewal is None:
        return None
    return s.renewal.grant is not None and not s.revocation.sent


@about_snapshots("LOGOUT-4", "EXPIRE-4")
def a_secure_logout_never_waits_longer_than_the_limit(s: Snapshot) -> bool | None:
    if s.revocation is None:
        return None
    return s.revocation.deadline <= s.now + s.config.wait_limit + ROUNDING


@about_snapshots("LOGOUT-3")
def only_a_revocation_that_was_sent_is_checked(s: Snapshot) -> bool | None:
    return None if s.revocation is None or s.revocation.check is None else s.revocation.sent
