"""What is proved of attempts: late answers, renewals in flight, and the end of a session."""

import z3

from models.proofs import occasions as event
from models.proofs.claims import about_any_moment, about_steps
from models.proofs.invariant import at, least, live
from models.proofs.memory import FIGURES, STATES, Memory
from models.proofs.relation import Edge, Prospect
from models.proofs.symbols import Term
from models.proofs.words import (
    ESTABLISHED,
    LIVE,
    TOKEN_EXPIRED,
    dies_at,
    in_flight,
    is_accepted,
    is_current,
    same,
    target,
)
from splus_session import (
    AnswerOverdue,
    AskRenewal,
    Logout,
    Renew,
    RenewalDue,
    RenewalFailed,
    RenewalUnable,
    Revoke,
    RevokeOrphan,
    SecureLogout,
    SessionState,
    TokenRenewed,
    Verify,
)
from splus_session._core import Denied

# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────


@about_steps("LOGIN-6", "RENEW-5", "RENEW-11", "EXPIRE-3", "LOGOUT-4")
def a_late_answer_changes_nothing(edge: Edge, b: Memory, a: Memory) -> Term:
    current = is_current(edge, b)
    if current is None:
        return True
    quiet = all(isinstance(command, RevokeOrphan) for command in edge.commands)
    return z3.Or(current, z3.And(quiet, same(edge, b, a, "offset")))


@about_steps("LOGIN-6", "RENEW-11", "EXPIRE-3", "LOGOUT-4")
def a_number_that_is_out_of_flight_never_comes_back(edge: Edge, b: Memory, a: Memory) -> Term:
    """With the last one: an answer that came too late once comes too late for ever."""
    n = z3.Int("any earlier number")
    earlier = z3.And(n <= b.attempt, z3.Not(in_flight(b, n)))
    return z3.Implies(earlier, z3.And(n <= a.attempt, z3.Not(in_flight(a, n))))


@about_steps("RENEW-2", "RENEW-8", "RENEW-10", "RENEW-11", "LOGIN-6")
def a_credential_is_replaced_by_an_accepted_answer_alone(edge: Edge, b: Memory, a: Memory) -> Term:
    if edge.source not in LIVE or target(edge) not in LIVE:
        return True
    held = ("credential", "token", "owner", "issued_at", "expires", "expires_at", "credential_attempt")
    kept = z3.And([getattr(a, name) == getattr(b, name) for name in held if name in edge.written])
    if edge.event is not TokenRenewed:
        return kept
    stays = ("kind", "user", "session", "own_handler")
    identity = [getattr(a, name) == getattr(b, name) for name in stays if name in edge.written]
    taken = z3.And(
        a.token == event.TOKEN, a.credential_attempt == event.ATTEMPT, a.issued_at == event.ISSUED_AT
    )
    replaced = z3.And(*identity, taken, a.state == STATES.index(ESTABLISHED))
    return z3.If(is_accepted(edge, b, a), replaced, kept)


@about_steps("CLIENT-2")
def the_figures_and_the_time_are_not_the_rules_to_change(edge: Edge, b: Memory, a: Memory) -> Term:
    return z3.And(a.attempt >= b.attempt, not edge.written & {"now", "development", *FIGURES})


# ── Renewal ─────────────────────────────────────────────────────────────────────────────────────


@about_steps("RENEW-3", "RENEW-5", "LOGOUT-4")
def at_most_one_renewal_starts_and_only_while_none_is_in_flight(edge: Edge, b: Memory, a: Memory) -> Term:
    started = [command for command in edge.commands if isinstance(command, AskRenewal | Renew)]
    if not started:
        return True
    if len(started) > 1:
        return z3.BoolVal(False)
    number = started[0].attempt.term  # type: ignore[attr-defined]
    answered = z3.And(z3.Not(b.renewal_grant), isinstance(started[0], Renew), b.renewal_attempt == number)
    new = z3.And(z3.Not(b.revocation), number == b.attempt + 1)
    return z3.And(a.renewal, a.renewal_attempt == number, z3.If(b.renewal, answered, new))


ON_THE_WIRE = z3.Int("renewals on the wire")


@about_steps("RENEW-3", "LOGOUT-4")
def at_most_one_renewal_of_a_session_is_on_the_wire(edge: Edge, b: Memory, a: Memory) -> Term:
    """Counted outside the code: up by each `Renew`, down by the answer to the one in flight."""
    sent = sum(isinstance(command, Renew) for command in edge.commands)
    heard = z3.BoolVal(False)
    if edge.event in {TokenRenewed, RenewalFailed}:
        heard = z3.And(b.renewal, z3.Not(b.asking), b.renewal_attempt == event.ATTEMPT)
    left: Term = ON_THE_WIRE + sent - _one_if(heard)
    kept = z3.If(live(a), z3.And(left <= 1, left == sent_by(a)), True)
    return z3.Implies(sent_by(b) == ON_THE_WIRE, kept)


def sent_by(m: Memory) -> Term:
    """How many renewals the session holds for sent."""
    return _one_if(z3.And(m.renewal, m.renewal_grant))


def _one_if(condition: Term) -> Term:
    return z3.If(condition, 1, 0)


@about_steps("RENEW-3", "LOGOUT-4")
def a_renewal_that_was_sent_ends_by_its_answer_or_with_the_session_alone(
    edge: Edge, b: Memory, a: Memory
) -> Term:
    if not {name for name in edge.written if name.startswith("renewal")} or target(edge) not in LIVE:
        return True
    answered = is_current(edge, b) if edge.event in {TokenRenewed, RenewalFailed} else z3.BoolVal(False)
    goes_on = z3.And(a.renewal, a.renewal_attempt == b.renewal_attempt, a.renewal_grant)
    return z3.Implies(z3.And(b.renewal, b.renewal_grant), z3.Or(answered, goes_on))


@about_steps("RENEW-1", "RENEW-7", "LOGOUT-4")
def a_renewal_starts_when_its_time_has_come_and_not_before(edge: Edge, b: Memory, a: Memory) -> Term:
    if edge.event is not RenewalDue:
        return True
    planned = z3.And(b.planned, b.now + b.offset >= b.renew_at)
    its_time = z3.If(b.retry, b.now >= b.retry_at, z3.Or(at(b, TOKEN_EXPIRED), planned))
    return z3.And(z3.Not(b.renewal), z3.Not(b.revocation), its_time)


@about_steps("RENEW-1", "RENEW-7")
def a_renewed_token_is_renewed_as_planned_or_after_a_respite_if_it_came_late(
    edge: Edge, b: Memory, a: Memory
) -> Term:
    if edge.event is not TokenRenewed or "token" not in edge.written:
        return True
    early = z3.Or(z3.Not(a.planned), a.renew_at > a.now + a.offset)
    left = dies_at(a) - a.offset - a.now
    half = z3.If(left / 2 >= b.backoff, left / 2, b.backoff)
    respite = z3.And(a.retry, a.failed, a.retry_at == a.now + least(b.pause, half))
    return z3.If(early, z3.Not(a.retry), respite)


@about_steps("RENEW-7", "RENEW-9", "RENEW-10")
def a_renewal_that_may_get_better_is_repeated_within_the_backoff(edge: Edge, b: Memory, a: Memory) -> Term:
    """The power is that of two, by the number of failures: how it grows is not looked into."""
    if edge.event is not RenewalFailed:
        return True
    asked = z3.If(event.ASKS_TO_WAIT, least(event.RETRY_AFTER, b.pause), 0)
    doubled = least(b.pause, b.backoff * z3.Real("power 1"))
    most = z3.If(asked >= doubled, asked, doubled)
    waits = z3.And(b.now + asked <= a.retry_at, b.now <= a.retry_at, a.retry_at <= b.now + most)
    again = z3.And(waits, _failed_once_more(b, a), a.retry_grant)
    return z3.Implies(z3.And(is_current(edge, b), event.PASSES), again)


@about_steps("RENEW-6", "RENEW-7", "RENEW-9", "RENEW-10", "RENEW-11")
def a_renewal_that_will_not_get_better_pauses_the_asking(edge: Edge, b: Memory, a: Memory) -> Term:
    if edge.event is AnswerOverdue:
        hopeless = z3.BoolVal(True)
    elif edge.event is RenewalUnable:
        hopeless = is_current(edge, b)
    elif edge.event is RenewalFailed:
        hopeless = z3.And(is_current(edge, b), z3.Not(event.PASSES))
    elif edge.event is TokenRenewed:
        hopeless = z3.And(is_current(edge, b), z3.Not(is_accepted(edge, b, a)))
    else:
        return True
    pauses = z3.And(a.retry_at == b.now + b.pause, _failed_once_more(b, a), z3.Not(a.retry_grant))
    return z3.Implies(hopeless, pauses)


def _failed_once_more(b: Memory, a: Memory) -> Term:
    counted = a.retry_failures == b.renewal_failures + 1
    return z3.And(z3.Not(a.renewal), a.retry, counted, a.failed, a.state == b.state)


# ── The end ─────────────────────────────────────────────────────────────────────────────────────


@about_steps("BAN-4")
def terminated_is_left_by_logout_alone(edge: Edge, b: Memory, a: Memory) -> Term:
    if edge.source is not SessionState.TERMINATED or target(edge) is SessionState.TERMINATED:
        return True
    return z3.BoolVal(edge.event in {Logout, SecureLogout})


@about_steps("BAN-4", "RENEW-12", "LOGOUT-2")
def nobody_is_asked_outside_a_session(edge: Edge, b: Memory, a: Memory) -> Term:
    asked = any(isinstance(command, AskRenewal | Renew | Verify | Revoke) for command in edge.commands)
    return z3.And(live(b), live(a)) if asked else True


@about_steps("BAN-4")
def after_termination_nothing_happens_until_logout(edge: Edge, b: Memory, a: Memory) -> Term:
    """But that handlers of the client are noted, and that tokens that come late are revoked."""
    if edge.source is not SessionState.TERMINATED or edge.event in {Logout, SecureLogout}:
        return True
    quiet = all(isinstance(command, RevokeOrphan) for command in edge.commands)
    return z3.And(quiet, same(edge, b, a, "offset", "session_handler", "access_token_handler"))


@about_any_moment("BAN-4", "EXPIRE-5")
def after_termination_no_request_is_authorised_and_none_waits(ahead: Prospect, m: Memory) -> Term:
    if ahead.state is not SessionState.TERMINATED:
        return True
    return z3.BoolVal(isinstance(ahead.answer, Denied))
