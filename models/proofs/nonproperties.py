"""What is not so, stated as carefully as what is: z3 has to find a counterexample to each.

Without them the proofs would sound as if they said more than they do.
"""

from collections.abc import Callable, Iterator
from typing import Final

import z3

from models.proofs.about_attempts import sent_by
from models.proofs.claims import Breach, Breaches, Claim, Relation
from models.proofs.memory import BEFORE
from models.proofs.windows import OURS, arrives_dead, overslept
from models.proofs.words import LIVE, TOKEN_EXPIRED, dies_at, is_current
from splus_session import Config, RenewalFailed, TokenRenewed
from splus_session._core import Granted

NON_PROPERTIES: Final[list[Claim]] = []


def _not_so(name: str, *requirements: str) -> Callable[[Breaches], Breaches]:
    def add(breaches: Breaches) -> Breaches:
        NON_PROPERTIES.append(Claim(name, requirements, "counterexample", breaches))
        return breaches

    return add


@_not_so("an expired session is renewed by itself", "RENEW-9", "RENEW-12")
def _nobody_helps(relation: Relation) -> Iterator[Breach]:
    """Nothing is due, and nothing is in flight: somebody has to log in anew, or register a handler."""
    m = BEFORE
    for ahead in relation.prospects:
        if ahead.state is TOKEN_EXPIRED and ahead.due is None:
            idle = z3.Not(z3.Or(m.renewal, m.verification, m.revocation))
            yield Breach("tokenExpired", z3.And(ahead.when, idle))


@_not_so("a header is granted for a live token though what is due has not been applied", "EXPIRE-2")
def _before_rest(relation: Relation) -> Iterator[Breach]:
    """`authorize` trusts its caller to have called `advance`."""
    m = BEFORE
    for ahead in relation.prospects:
        if isinstance(ahead.answer, Granted):
            dead = z3.And(m.expires, m.now + m.offset >= dies_at(m))
            yield Breach("established, and overdue", z3.And(ahead.when, dead))


@_not_so("the usual leeway is enough for every lifetime", "EXPIRE-2")
def _short_lives(relation: Relation) -> Iterator[Breach]:
    """Of a short lifetime the leeway is a tenth, or nothing would be left of it."""
    usual = BEFORE.leeway == Config().leeway
    yield Breach("a short-lived token", z3.And(*arrives_dead(relation), usual))


@_not_so("renewal is planned no later than expiry, whatever the figures", "RENEW-1")
def _odd_figures(relation: Relation) -> Iterator[Breach]:
    """With a share of 1 and a margin below the leeway, expiry comes first, and starts the renewal."""
    for plan in relation.plans:
        yield Breach("odd figures", z3.And(plan.when, plan.renew_at > plan.dies_at))


@_not_so("a look every 30 seconds is enough for every lifetime", "RENEW-1", "EXPIRE-4")
def _overslept(relation: Relation) -> Iterator[Breach]:
    """On a machine that sleeps through the deadline itself."""
    yield Breach("a token of some seconds", overslept(OURS, relation, Config()))


@_not_so("when a session is over none of its renewals is on the wire", "LOGIN-6", "RENEW-3")
def _left_behind(relation: Relation) -> Iterator[Breach]:
    """Its answer comes late, is dropped, and the token that it brings is revoked."""
    m = BEFORE
    for edge in relation.steps:
        over = edge.source in LIVE and edge.row is not None and edge.row.target not in LIVE
        if over:
            heard = is_current(edge, m) if edge.event in {TokenRenewed, RenewalFailed} else False
            out = z3.And(sent_by(m) == 1, z3.Not(heard))
            yield Breach(edge.label, z3.And(edge.when, out))
