"""Every sentence that is checked, by whom; and which requirements no model can speak for, and why.

A sentence has one name everywhere. Here is where the lists meet: those of the explorer and its
monitors, of the formal model, of the properties of any session, and of the proofs.
"""

from collections.abc import Iterator
from typing import NamedTuple

from models.proofs import about_attempts, about_time, windows  # noqa: F401 - they register
from models.proofs.claims import CLAIMS
from splus_session.explore import EVENTUALLY
from tests.properties import about_outcomes  # noqa: F401 - it registers
from tests.properties.monitors import OUTCOMES, SNAPSHOTS, STEPS
from tests.properties.watching import NOT_IN_A_SLICE, all_monitors

NOT_IN_THE_MODEL = {
    "time is known once anything happened": "a model begins with a time",
    "the platforms clock is learned from answers and no further than needed": "there is one clock in it",
    "the figures and the time are not the rules to change": "figures are constants there",
}
"""Sentences about the code that the model does not say, each with the reason."""

NOT_MODELLED = {
    "CLIENT-1": "what a client may be made from is a question to its arguments; nothing happens in time",
    "CLIENT-3": "closing ends a driver and leaves the session as it is; the drivers' schedules look at it",
    "LOGIN-10": "which texts may be an identifier is a question to a text",
    "HOOK-2": "whether a hook can be called is a question to a function",
    "LOGOUT-5": "what remains in memory, in files and on the wire is below what a model knows",
    "OBSERVE-2": "observers are called by the drivers, whose tests have bad ones",
    "OBSERVE-3": "observers are called by the drivers, whose tests have some that call back",
    "RESUME-3": "planned: the library does not do it yet",
    "BACKEND-1": "a backend turns a request into an answer and remembers nothing of it",
    "BACKEND-2": "a backend turns a request into an answer and remembers nothing of it",
    "BACKEND-3": "a backend turns a request into an answer and remembers nothing of it",
    "SECRET-1": "how a secret is printed is a question to texts, of which a model has none",
    "SECRET-2": "where requests go is decided once, when a client is made; HTTP is below the model",
    "SECRET-3": "a model begins where an answer has been read; what may be in one is tested by feeding it",
    "WIRE-1": "what an answer means is a table from answers to failures; the model begins with those",
}
"""Requirements that no model here speaks for, each with the reason. Tests hold them."""


class Sentence(NamedTuple):
    """A sentence, the ids of what would be breached without it, and who checks it."""

    name: str
    requirements: tuple[str, ...]
    explored: bool = False
    """In every slice of the world, over the real core, in any number of logins."""
    model: bool = False
    """By TLC, in the formal model."""
    drawn: bool = False
    """By Hypothesis, of one event to any session that the invariant lets there be."""
    proved: bool = False
    """By z3, of every session and without bounds."""


def sentences() -> Iterator[Sentence]:
    """All of them."""
    proofs = {claim.name: claim for claim in CLAIMS}
    drawn = {named.name for named in SNAPSHOTS} | {named.name for named in STEPS}
    for monitor in all_monitors():
        yield Sentence(
            monitor.name,
            monitor.requirements,
            explored=monitor.name not in NOT_IN_A_SLICE,
            model=monitor.name not in NOT_IN_THE_MODEL,
            drawn=monitor.name in drawn,
            proved=proofs.pop(monitor.name, None) is not None,
        )
    for promise in EVENTUALLY:
        yield Sentence(promise.name, promise.requirements, explored=True, model=True)
    for named in OUTCOMES:
        proved = proofs.pop(named.name, None) is not None
        yield Sentence(named.name, named.requirements, drawn=True, proved=proved)
    for claim in sorted(proofs.values(), key=lambda claim: claim.name):  # whoever was imported first
        yield Sentence(claim.name, claim.requirements, proved=True)
