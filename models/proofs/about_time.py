"""What is proved of time: headers, expiry, clocks, and that everything comes to rest.

A claim has the name of a property in `tests/properties` where it says the same of time and numbers.
One that answers `True` without z3 has nothing to say there.
"""

import z3

from models.proofs import occasions as event
from models.proofs.claims import about_any_moment, about_rest, about_steps, about_the_clock
from models.proofs.invariant import at, least
from models.proofs.memory import Memory
from models.proofs.relation import NOW, Edge, Prospect
from models.proofs.symbols import Term
from models.proofs.words import (
    ESTABLISHED,
    LIVE,
    TOKEN_EXPIRED,
    becomes,
    can_renew,
    dies_at,
    is_accepted,
    same,
)
from splus_session import (
    TokenExpired,
    TokenRefuted,
    TokenRenewed,
)
from splus_session._core import Granted
from splus_session._credentials import MAX_TIME
from splus_session._events import Resume, TimeFact


@about_rest("EXPIRE-2", "EXPIRE-5", "BAN-4", "LOGOUT-1", "RENEW-2")
def a_header_is_granted_exactly_for_a_live_token_of_this_session(ahead: Prospect, m: Memory) -> Term:
    if not isinstance(ahead.answer, Granted):
        return z3.BoolVal(ahead.state is not ESTABLISHED)
    if ahead.state is not ESTABLISHED:
        return z3.BoolVal(False)
    own = ahead.answer.attempt.term == m.credential_attempt  # type: ignore[attr-defined]
    return z3.And(own, m.credential, z3.Implies(m.expires, m.now + m.offset < dies_at(m)))


SKEW, LATENCY = z3.Real("skew"), z3.Real("latency")
ERROR = z3.Real("how far the platform's clock is ahead of what we take it for")


@about_rest("EXPIRE-2")
def no_request_arrives_under_an_expired_token_if_the_leeway_covers_skew_and_latency(
    ahead: Prospect, m: Memory
) -> Term:
    """The leeway that counts: of a short lifetime it is a tenth. See also `windows.py`."""
    if not isinstance(ahead.answer, Granted):
        return True
    leeway = least(m.leeway, (m.expires_at - m.issued_at) / 10)
    covered = z3.And(ERROR <= SKEW, LATENCY >= 0, leeway >= SKEW + LATENCY, m.expires)
    arrives_at = m.now + m.offset + ERROR + LATENCY
    return z3.Implies(covered, arrives_at < m.expires_at)


@about_rest("RENEW-1")
def renewal_is_asked_for_no_later_than_planned(ahead: Prospect, m: Memory) -> Term:
    """But for a pause that somebody has to wait out, and a secure logout on its way."""
    free = z3.And(at(m, ESTABLISHED), can_renew(m), z3.Not(m.retry), z3.Not(m.revocation))
    return z3.Implies(z3.And(free, m.planned, m.now + m.offset >= m.renew_at), m.renewal)


@about_rest("EXPIRE-1", "RENEW-8", "RENEW-9")
def an_expired_session_that_can_be_renewed_is_on_its_way(ahead: Prospect, m: Memory) -> Term:
    on_its_way = z3.Or(z3.BoolVal(ahead.due is not None), m.renewal, m.verification, m.revocation)
    return z3.Implies(z3.And(at(m, TOKEN_EXPIRED), can_renew(m)), on_its_way)


@about_any_moment("BAN-4", "LOGOUT-2", "EXPIRE-4")
def no_timer_runs_outside_a_session(ahead: Prospect, m: Memory) -> Term:
    return z3.BoolVal(ahead.due is None) if ahead.state not in LIVE else True


def unrest(m: Memory) -> Term:
    """How many things time can bring at one moment: each of them brings one less."""
    overdue = z3.And(m.renewal, m.asking, m.answer_by <= m.now)
    may_renew = z3.And(z3.Not(m.renewal), z3.Or(z3.Not(m.retry), m.retry_at <= m.now))
    unsent = z3.And(m.revocation, z3.Not(m.revocation_sent))
    counts = [z3.If(it, 1, 0) for it in (at(m, ESTABLISHED), overdue, may_renew, unsent)]
    return z3.Sum(counts)


@about_steps("EXPIRE-4")
def it_comes_to_rest(edge: Edge, b: Memory, a: Memory) -> Term:
    """At one moment, time brings at most four things."""
    return z3.And(unrest(b) <= 4, unrest(a) >= 0, unrest(a) < unrest(b)) if _by_time(edge) else True


def _by_time(edge: Edge) -> bool:
    return issubclass(edge.event, TimeFact)


@about_the_clock("EXPIRE-4")
def time_alone_changes_only_what_counts_from_our_clock(edge: Edge, b: Memory, a: Memory) -> Term:
    counted = {
        "answer_by": z3.And(b.renewal, b.asking),
        "renewal_obtained_at": b.renewal,
        "retry_at": b.retry,
        "retry_obtained_at": b.retry,
        "revocation_by": b.revocation,
    }
    back = z3.If(b.now <= NOW, 0, NOW - b.now)
    moved = [
        z3.Implies(there, getattr(a, name) == getattr(b, name) + back) for name, there in counted.items()
    ]
    return z3.And(a.now == NOW, same(edge, b, a, "now", *counted), *moved)


@about_steps("EXPIRE-4", "RENEW-8", "RENEW-9")
def expiry_is_undone_by_a_renewal_alone(edge: Edge, b: Memory, a: Memory) -> Term:
    if not becomes(edge, TOKEN_EXPIRED, ESTABLISHED):
        return True
    return is_accepted(edge, b, a) if edge.event is TokenRenewed else z3.BoolVal(False)


@about_steps("EXPIRE-1", "EXPIRE-3")
def a_token_is_expired_by_time_or_by_a_verification_alone(edge: Edge, b: Memory, a: Memory) -> Term:
    if not becomes(edge, ESTABLISHED, TOKEN_EXPIRED):
        return True
    if edge.event is TokenExpired:
        return z3.And(b.expires, b.now + b.offset >= dies_at(b))
    if edge.event is TokenRefuted:
        return z3.And(b.verification, b.verification_attempt == event.ATTEMPT)
    return z3.BoolVal(False)


@about_steps("EXPIRE-1", "RENEW-7")
def expiry_lets_a_renewal_go_on_and_a_pause_last(edge: Edge, b: Memory, a: Memory) -> Term:
    if edge.event is not TokenExpired:
        return True
    return z3.And(same(edge, b, a, "state", "verification"), z3.Not(a.verification))


@about_steps("EXPIRE-4")
def the_platforms_clock_is_learned_from_answers_and_no_further_than_needed(
    edge: Edge, b: Memory, a: Memory
) -> Term:
    if edge.event is Resume or "offset" not in edge.written:
        return True
    low, high = event.DATE - b.now, event.DATE + 1 - event.SENT_AT
    makes_sense = z3.And(low <= high, event.DATE >= -MAX_TIME, event.DATE <= MAX_TIME)
    nearest = z3.If(b.offset < low, low, z3.If(b.offset > high, high, b.offset))
    return z3.And(event.TELLS_TIME, a.offset == z3.If(makes_sense, nearest, b.offset))
