"""The invariant: what is true of every session at every time, in z3's terms.

Each sentence has the name and the requirements of a property of `tests/properties/about_snapshots.py`,
and a test compares the two on drawn sessions. Its conjunction is inductive: see `induction.py`.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import z3

from models.proofs.memory import KINDS, STATES, Memory
from models.proofs.symbols import Term
from splus_session import SessionKind, SessionState


class Sentence(NamedTuple):
    """A property of a memory."""

    name: str
    requirements: tuple[str, ...]
    of: Callable[[Memory], Term]


INVARIANT: Final[list[Sentence]] = []


def always(*requirements: str) -> Callable[[Callable[[Memory], Term]], Callable[[Memory], Term]]:
    """Add a sentence to the invariant; its name is the function's."""

    def add(of: Callable[[Memory], Term]) -> Callable[[Memory], Term]:
        INVARIANT.append(Sentence(of.__name__.replace("_", " "), requirements, of))
        return of

    return add


# ── Words ───────────────────────────────────────────────────────────────────────────────────────


def at(m: Memory, *states: SessionState) -> Term:
    """Whether the session is in one of these states."""
    return z3.Or([m.state == STATES.index(state) for state in states])


def live(m: Memory) -> Term:
    """Whether there is a credential, alive or expired."""
    return at(m, SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED)


def in_session(m: Memory) -> Term:
    """The same, or a login on its way."""
    return z3.Or(live(m), at(m, SessionState.ESTABLISHING))


def nobody_waits(m: Memory) -> Term:
    """Whether nothing is in flight but perhaps a login."""
    return z3.And(z3.Not(m.renewal), z3.Not(m.verification), z3.Not(m.revocation))


def least(a: Term, b: Term) -> Term:
    """The smaller one."""
    return z3.If(a <= b, a, b)


def expiry(m: Memory, issued_at: Term, expires_at: Term) -> Term:
    """When a token that expires at all counts as expired, by the platform's clock."""
    return expires_at - least(m.leeway, (expires_at - issued_at) / 10)


# ── What belongs to which state ─────────────────────────────────────────────────────────────────


@always("LOGIN-2", "LOGIN-3", "LOGOUT-2", "BAN-4")
def a_credential_is_held_exactly_while_established_or_expired(m: Memory) -> Term:
    return z3.And(m.credential == live(m), live(m) == (m.credential_attempt > 0))


@always("LOGOUT-2", "BAN-4", "LOGIN-3")
def nothing_of_a_user_is_left_outside_a_session(m: Memory) -> Term:
    left = [m.kind != 0, m.user != 0, m.credential, m.planned, m.renewal, m.retry]
    left += [m.verification, m.revocation, m.own_handler]
    return z3.Or(in_session(m), z3.Not(z3.Or(left)))


@always("LOGIN-2", "LOGIN-3", "LOGIN-8")
def the_session_is_of_one_user_and_one_kind(m: Memory) -> Term:
    nameless = [SessionKind.VISITOR, SessionKind.SIGNED_VISITOR, SessionKind.BOT]
    unnamed = z3.Or([m.kind == KINDS.index(kind) for kind in nameless])
    held = z3.Implies(m.credential, z3.And(m.kind != 0, m.user == m.owner))
    return z3.If(at(m, SessionState.ESTABLISHING), z3.And(m.kind != 0, (m.user == 0) == unnamed), held)


@always("RENEW-3", "EXPIRE-3", "LOGIN-3", "LOGIN-9")
def a_login_is_alone_in_flight(m: Memory) -> Term:
    alone = z3.And(m.session == m.attempt, nobody_waits(m), z3.Not(m.retry), z3.Not(m.planned))
    return z3.Implies(at(m, SessionState.ESTABLISHING), alone)


@always("EXPIRE-3")
def only_an_established_session_verifies(m: Memory) -> Term:
    return z3.Implies(m.verification, at(m, SessionState.ESTABLISHED))


@always("BAN-1")
def a_session_has_an_ending_exactly_when_terminated(m: Memory) -> Term:
    return m.ended == at(m, SessionState.TERMINATED)


# ── Numbers of attempts ─────────────────────────────────────────────────────────────────────────


@always("LOGIN-6", "RENEW-11", "EXPIRE-3")
def numbers_rise_in_the_order_in_which_attempts_may_start(m: Memory) -> Term:
    rising = []
    last = z3.If(live(m), m.credential_attempt, m.session)
    for there, number in (
        (m.verification, m.verification_attempt),
        (m.renewal, m.renewal_attempt),
        (m.revocation, m.revocation_attempt),
        (z3.And(m.revocation, m.check), m.check_attempt),
    ):
        rising.append(z3.Implies(there, number > last))
        last = z3.If(there, number, last)
    return z3.And(*rising, last <= m.attempt)


@always("LOGIN-6", "BAN-3")
def a_session_began_before_its_credential_came(m: Memory) -> Term:
    began = z3.And(m.session >= 1, z3.Implies(m.credential, m.session <= m.credential_attempt))
    return z3.If(in_session(m), began, z3.And(m.session >= 0, m.session <= m.attempt))


# ── Renewal ─────────────────────────────────────────────────────────────────────────────────────


@always("RENEW-3", "RENEW-7")
def a_renewal_is_in_flight_or_comes_later_but_not_both(m: Memory) -> Term:
    return z3.Not(z3.And(m.renewal, m.retry))


@always("RENEW-6")
def a_handler_has_a_deadline_exactly_while_it_is_asked(m: Memory) -> Term:
    return z3.Implies(m.renewal, m.asking == z3.Not(m.renewal_grant))


@always("RENEW-6", "EXPIRE-4")
def a_handler_never_has_longer_than_the_deadline(m: Memory) -> Term:
    return z3.Implies(z3.And(m.renewal, m.asking), m.answer_by <= m.now + m.answer_timeout)


@always("RENEW-7", "EXPIRE-4")
def no_pause_is_longer_than_the_longest(m: Memory) -> Term:
    return z3.Implies(m.retry, m.retry_at <= m.now + m.pause)


@always("RENEW-9")
def a_renewal_that_somebody_asked_for_is_due_at_once(m: Memory) -> Term:
    return z3.Implies(z3.And(m.retry, z3.Not(m.failed)), m.retry_at <= m.now)


@always("RENEW-7", "EXPIRE-4")
def nothing_was_obtained_in_the_future(m: Memory) -> Term:
    kept = z3.Implies(z3.And(m.retry, m.retry_grant), m.retry_obtained_at <= m.now)
    return z3.If(z3.And(m.renewal, m.renewal_grant), m.renewal_obtained_at <= m.now, kept)


@always("RENEW-1")
def renewal_is_planned_early_by_the_jitter_and_never_late(m: Memory) -> Term:
    lifetime = m.expires_at - m.issued_at
    window = m.renewal_share * (lifetime - least(m.margin, lifetime / 10))
    latest = m.issued_at + window
    early = z3.And(latest - m.jitter * window <= m.renew_at, m.renew_at <= latest)
    planned = z3.If(m.expires, z3.And(m.planned, early), z3.Not(m.planned))
    return z3.Implies(m.credential, planned)


# ── Secure logout ───────────────────────────────────────────────────────────────────────────────


@always("LOGOUT-4")
def a_secure_logout_waits_for_a_renewal_that_was_sent_and_no_other(m: Memory) -> Term:
    return z3.Implies(z3.And(m.revocation, m.renewal), z3.And(m.renewal_grant, z3.Not(m.revocation_sent)))


@always("LOGOUT-4", "EXPIRE-4")
def a_secure_logout_never_waits_longer_than_the_limit(m: Memory) -> Term:
    return z3.Implies(m.revocation, m.revocation_by <= m.now + m.wait_limit)


@always("LOGOUT-3")
def only_a_revocation_that_was_sent_is_checked(m: Memory) -> Term:
    return z3.Implies(z3.And(m.revocation, m.check), m.revocation_sent)


LINEAR: Final = [named for named in INVARIANT if "jitter" not in named.name]
"""All but the one that multiplies unknowns, on which z3 would dwell at every question."""


def assumed(m: Memory, sentences: Sequence[Sentence] = INVARIANT) -> list[Term]:
    """What holds of a session that a step may begin with."""
    return [named.of(m) for named in sentences]
