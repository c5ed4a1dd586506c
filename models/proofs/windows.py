"""Arithmetic of time: how much leeway is enough, and who looks often enough to renew in time.

The times are those that `_use` and `expiry` work out, so a change of theirs changes these answers.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

import z3

from models.proofs import occasions as event
from models.proofs.about_time import ERROR, LATENCY
from models.proofs.claims import CLAIMS, PATIENCE, Breach, Claim, Relation
from models.proofs.invariant import LINEAR, assumed
from models.proofs.memory import BEFORE, FIGURES, plausible
from models.proofs.symbols import Term
from splus_session import Config
from splus_session._core import Granted

LIFETIME: Final = event.EXPIRES_AT - event.ISSUED_AT


def with_figures(term: Term, config: Config) -> Term:
    """What a term says of a session with these figures."""
    pairs = [(getattr(BEFORE, name), z3.RealVal(getattr(config, name))) for name in FIGURES]
    return z3.simplify(z3.substitute(term, *pairs))


# ── Is renewal planned in time? ─────────────────────────────────────────────────────────────────


def _late_plans(relation: Relation) -> Iterator[Breach]:
    sensible = z3.Or(BEFORE.renewal_share <= z3.Q(9, 10), BEFORE.margin >= BEFORE.leeway)
    for plan in relation.plans:
        yield Breach("a token is taken into use", z3.And(plan.when, sensible, plan.renew_at > plan.dies_at))


CLAIMS.append(
    Claim(
        "renewal is planned no later than expiry with a share up to 0.9 or a margin not below the leeway",
        ("RENEW-1",),
        "arithmetic",
        _late_plans,
    )
)


# ── Is the time to renew ever overslept? ────────────────────────────────────────────────────────


class Watcher(NamedTuple):
    """Somebody who looks at the clock now and then."""

    name: str
    every: float
    """How long it may be from one look to the next, in seconds."""


OURS: Final = Watcher("ours", Config().recheck)
POLL: Final = Watcher("a poll every 10 minutes", 600.0)

_LOOK = z3.Real("the last look before it is time to renew")


def overslept(watcher: Watcher, relation: Relation, config: Config) -> Term:
    """One look comes before the time to renew has come, and the next one when it is over."""
    following = _LOOK + watcher.every
    if watcher is POLL:  # as the vendor's SDK does it: 5 minutes before its time a token is expired
        opens = event.ISSUED_AT + z3.Q(8, 10) * (LIFETIME - 300)
        return z3.And(opens >= _LOOK, following > event.EXPIRES_AT - 300)
    ways = [z3.And(p.when, p.renew_at > _LOOK, following >= p.dies_at) for p in relation.plans]
    return with_figures(z3.Or(ways), config)


def always_hit(watcher: Watcher, lifetime: float, relation: Relation) -> bool:
    """Whether a token of this lifetime (seconds) is asked for in time, whenever the looks fall."""
    solver = z3.Solver()
    solver.add(*_possible(), overslept(watcher, relation, Config()), z3.RealVal(lifetime) == LIFETIME)
    answer = solver.check()
    if answer == z3.unknown:
        raise ArithmeticError(solver.reason_unknown())
    return bool(answer == z3.unsat)


def enough(watcher: Watcher, relation: Relation) -> Fraction:
    """From which lifetime on (seconds) none is overslept: the least upper bound of those that may be.

    Without jitter, which only moves the planned time earlier: that is part of the invariant.
    """
    return _supremum([*_possible(), overslept(watcher, relation, Config(jitter=0.0))], LIFETIME)


def _possible() -> list[Term]:
    """Any credential, and any figures."""
    return [*plausible(BEFORE), event.EXPIRES, event.EXPIRES_AT >= event.ISSUED_AT]


LIFETIMES: Final = {
    "1 min": 60.0, "166 s": 166.0, "167 s": 167.0, "5 min": 300.0, "30 min": 1800.0, "54 min": 3240.0,
    "55 min": 3300.0, "1 h": 3600.0, "1 d": 86400.0, "30 d": 30 * 86400.0, "10 y": 3650 * 86400.0,
}  # fmt: skip


# ── How much leeway is enough? ──────────────────────────────────────────────────────────────────

SKEW_SECONDS: Final = 30
LATENCY_SECONDS: Final = 5


def arrives_dead(relation: Relation) -> list[Term]:
    """A request leaves as the code lets it, and arrives when the platform holds the token for expired.

    The clock of the platform is at most 30 seconds ahead of what the session takes it for, and the
    request is at most 5 seconds on its way.
    """
    m = BEFORE
    ways = [
        z3.And(ahead.when, True if ahead.due is None else ahead.due > m.now)
        for ahead in relation.prospects
        if isinstance(ahead.answer, Granted)
    ]
    late = [ERROR <= SKEW_SECONDS, LATENCY <= LATENCY_SECONDS, LATENCY >= 0, m.expires]
    late.append(m.now + m.offset + ERROR + LATENCY >= m.expires_at)
    return [*plausible(m), *assumed(m, LINEAR), *late, z3.Or(ways)]


def least_leeway(relation: Relation) -> Fraction:
    """The least leeway (seconds) under which none of a token that lives long arrives dead."""
    long = BEFORE.expires_at - BEFORE.issued_at >= 10 * BEFORE.leeway
    return _supremum([*arrives_dead(relation), long], BEFORE.leeway)


def least_lifetime(relation: Relation) -> Fraction:
    """The least lifetime (seconds) for which the usual leeway is enough."""
    usual = with_figures(z3.And(arrives_dead(relation)), Config())
    return _supremum([usual], BEFORE.expires_at - BEFORE.issued_at)


def _supremum(constraints: list[Term], term: Term) -> Fraction:
    """The least upper bound, which must not be reached: from it on, nothing goes wrong."""
    optimizer = z3.Optimize()
    optimizer.set("timeout", PATIENCE)
    optimizer.add(*constraints)
    goal = optimizer.maximize(term)
    if optimizer.check() != z3.sat:
        raise ArithmeticError(f"z3 finds no bound: {optimizer.reason_unknown()}")
    infinite, bound, below = (Fraction(str(part)) for part in optimizer.upper_values(goal))
    if infinite != 0 or below >= 0:
        raise ArithmeticError(f"not a bound that is never reached: {optimizer.upper(goal)}")
    return bound
