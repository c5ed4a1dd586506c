"""Words in which the claims are put: what is current, accepted, in flight, and expired."""

from typing import Final

import z3

from models.proofs import occasions as event
from models.proofs.invariant import at, expiry, live
from models.proofs.memory import KINDS, Memory
from models.proofs.relation import Edge
from models.proofs.symbols import Term
from splus_session import (
    LoginCancelled,
    LoginFailed,
    RenewalAnswered,
    RenewalFailed,
    RenewalUnable,
    RevocationDoubted,
    RevocationFailed,
    SessionKind,
    SessionOpened,
    SessionState,
    TokenConfirmed,
    TokenRefuted,
    TokenRejected,
    TokenRenewed,
    TokenRevoked,
    VerificationFailed,
)

ESTABLISHED, TOKEN_EXPIRED = SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED
LIVE: Final = {ESTABLISHED, TOKEN_EXPIRED}


def is_current(edge: Edge, b: Memory) -> Term | None:
    """Whether an answer is to something that is in flight; None if it is no answer."""
    n = event.ATTEMPT
    renewing = z3.And(b.renewal, b.renewal_attempt == n)
    checked = z3.And(b.revocation, b.check, b.check_attempt == n)
    kind = edge.event
    if kind in {SessionOpened, LoginFailed}:
        return z3.And(at(b, SessionState.ESTABLISHING), b.session == n)
    if kind is LoginCancelled:
        return z3.And(z3.Or(live(b), at(b, SessionState.ESTABLISHING)), b.session == n)
    if kind in {TokenRenewed, RenewalFailed}:
        return z3.And(renewing, z3.Not(b.asking))
    if kind in {RenewalAnswered, RenewalUnable}:
        return z3.And(renewing, b.asking)
    if kind in {TokenConfirmed, TokenRefuted, VerificationFailed}:
        return z3.Or(z3.And(b.verification, b.verification_attempt == n), checked)
    if kind in {TokenRevoked, RevocationDoubted, RevocationFailed}:
        sent = z3.And(b.revocation, b.revocation_sent, z3.Not(b.check))
        return z3.And(sent, b.revocation_attempt == n)
    if kind is TokenRejected:
        return z3.And(at(b, ESTABLISHED), b.credential_attempt == n)
    return None


def is_accepted(edge: Edge, b: Memory, a: Memory) -> Term:
    """Whether a renewal's answer is current, the right user's, and brings a live token."""
    dies_at = expiry(b, event.ISSUED_AT, event.EXPIRES_AT)
    alive = z3.Or(z3.Not(event.EXPIRES), b.now + a.offset < dies_at)
    return z3.And(is_current(edge, b), b.user == event.OWNER, alive)


def in_flight(m: Memory, n: Term) -> Term:
    """Whether this is the number of something on its way."""
    return z3.Or(
        z3.And(at(m, SessionState.ESTABLISHING), m.session == n),
        z3.And(m.renewal, m.renewal_attempt == n),
        z3.And(m.verification, m.verification_attempt == n),
        z3.And(m.revocation, z3.Or(m.revocation_attempt == n, z3.And(m.check, m.check_attempt == n))),
    )


def can_renew(m: Memory) -> Term:
    """Whether anybody can renew the session."""

    def one_of(*kinds: SessionKind) -> Term:
        return z3.Or([m.kind == KINDS.index(kind) for kind in kinds])

    asked = z3.Or(m.own_handler, m.session_handler)
    return z3.Or(
        z3.And(one_of(SessionKind.ACCESS_TOKEN), m.access_token_handler),
        z3.And(one_of(SessionKind.AUTH_TOKEN, SessionKind.SIGNED_VISITOR), asked),
        one_of(SessionKind.DEVELOPMENT, SessionKind.VISITOR, SessionKind.BOT),
    )


def same(edge: Edge, b: Memory, a: Memory, *but: str) -> Term:
    """Whether nothing changed but perhaps these fields."""
    return z3.And([getattr(a, name) == getattr(b, name) for name in sorted(edge.written - {*but})])


def becomes(edge: Edge, source: SessionState, end: SessionState) -> bool:
    """Whether this way leads from one state to the other."""
    return edge.source is source and target(edge) is end


def target(edge: Edge) -> SessionState:
    """Where this way leads."""
    return edge.source if edge.row is None else edge.row.target


def dies_at(m: Memory) -> Term:
    """When the token in use counts as expired, by the platform's clock, if it ever does."""
    return expiry(m, m.issued_at, m.expires_at)
